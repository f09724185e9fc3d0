-- SPDX-License-Identifier: MIT
--- One association as services and handlers see it, whichever side began it.
local core = require "dicom.core"
local errors = require "dicom.error"
local task = require "dicom.task"

local M = {}

---@class dicom.Association
---@field calling_aet string
---@field called_aet string
---@field address string   of the peer
---@field port integer     of the peer
---@field implementation_uid string       the peer's
---@field implementation_version string   the peer's; "" when it gave none
---@field id integer       a number of its own in this process
---@field package link userdata
local Association = {}
Association.__index = Association
Association.__name = "dicom.association"

-- PS3.8 table 9-21: who said no, and why.
local rejections = {
  [1] = { [1] = "no reason given", [2] = "application context name not supported",
          [3] = "calling AE title not recognized", [7] = "called AE title not recognized" },
  [2] = { [1] = "no reason given", [2] = "protocol version not supported" },
  [3] = { [1] = "temporary congestion", [2] = "local limit exceeded" },
}
local rejecters = { "service user", "service provider (ACSE)", "service provider (presentation)" }

-- PS3.8 table 9-26
local abortions = {
  [0] = "no reason given", [1] = "unrecognized PDU", [2] = "unexpected PDU", [4] = "unrecognized PDU parameter",
  [5] = "unexpected PDU parameter", [6] = "invalid PDU parameter value",
}

local ECONNREFUSED, EADDRINUSE, EACCES = 111, 98, 13

-- Says in words what the numbers of an error of the link mean.
local function explain(err, where)
  if err.code == "rejected" then
    err.text = ("%s rejected the association %s: %s (by its %s; PS3.8 9.3.4)"):format(where,
      err.result == 2 and "for now" or "for good", (rejections[err.source] or {})[err.reason] or "unknown reason",
      rejecters[err.source] or "unknown source")
  elseif err.code == "aborted" then
    err.text = ("%s aborted the association (%s; PS3.8 9.3.8)"):format(where,
      err.source == 2 and abortions[err.reason] or "by its service user")
  elseif err.unknown_host then
    err.code, err.text, err.errno = "unknown host", where .. ": no such host", nil
  elseif err.errno == ECONNREFUSED then
    err.code, err.text = "refused", where .. " refused the connection: nothing listens there"
  elseif err.code ~= "cancelled" then
    err.text = where .. ": " .. err.text
  end
  if err.code ~= "rejected" and err.code ~= "aborted" then err.result, err.source, err.reason = nil, nil, nil end
  err.unknown_host = nil
  return err
end

--- "port in use" and its like in one line.
---@package
function M.explain_listen(err, port, host)
  if err.errno == EADDRINUSE then
    err.code, err.text = "port in use", ("port %d is in use by another program"):format(port)
  elseif err.errno == EACCES then
    err.text = ("port %d: not allowed (ports below 1024 need a privilege)"):format(port)
  elseif host then
    err.text = ("%s, port %d: %s"):format(host, port, err.text)
  end
  return err
end

local last_id = 0

local function new(link, params, where)
  last_id = last_id + 1
  local self = setmetatable({
    link = link, where = where, id = last_id, calling_aet = params.calling, called_aet = params.called,
    address = params.address, port = params.port, implementation_uid = params.implementation_uid,
    implementation_version = params.implementation_version, proposed = params.contexts, message_id = 0,
  }, Association)
  return self
end

local function index_contexts(self, contexts)
  self.accepted = {}
  for _, context in ipairs(contexts) do
    if context.result == 0 and context.transfers[1] then
      local list = self.accepted[context.abstract] or {}
      self.accepted[context.abstract] = list
      list[#list + 1] = { id = context.id, abstract = context.abstract, syntax = context.transfers[1] }
    end
  end
end

--- Asks a peer for an association: host, port, called, calling, max_pdu, contexts, connect, acse, dimse, idle.
---@param options table
---@return dicom.Association|nil
---@return dicom.Error? err
function M.request(options)
  local where = ("%s at %s:%d"):format(options.called, options.host, options.port)
  local link, err = core.connect(task.loop, options)
  if not link then return nil, explain(err, where) end
  local ok, kind, params = pcall(task.await, link)
  if not ok then -- cancelled
    link:close()
    error(kind, 0)
  end
  if kind ~= "accepted" then
    link:close()
    if kind then params = errors.new("closed", "released before it was accepted") end
    return nil, explain(params, where)
  end
  params.calling, params.called = options.calling, options.called
  local self = new(link, params, where)
  self.address, self.port = options.host, options.port
  index_contexts(self, params.contexts)
  return self
end

--- Waits for what a peer that connected asks for. Gives the association, not answered yet; nil, err when it went away.
---@return dicom.Association|nil
function M.receive(link)
  local kind, params = task.await(link)
  if kind ~= "requested" then return nil, params end
  return new(link, params, params.address)
end

--- Answers: contexts is a list of { id, result, abstract, transfers = { one } }.
---@param contexts table[]
---@param max_pdu integer
---@return true|nil, dicom.Error?
function Association:accept(contexts, max_pdu)
  local ok, err = self.link:accept { max_pdu = max_pdu, contexts = contexts }
  if not ok then return nil, err end
  index_contexts(self, contexts)
  return true
end

--- PS3.8 9.3.4.
function Association:reject(result, source, reason)
  return self.link:reject(result, source, reason)
end

--- The accepted contexts of an abstract syntax: { id, abstract, syntax }.
---@param abstract string
---@return table[]
function Association:contexts(abstract)
  return self.accepted and self.accepted[abstract] or {}
end

--- The next message, or "released", or nil, err.
---@package
function Association:next()
  local kind, value = task.await(self.link)
  if kind == "message" then return value end
  self.over = true
  if kind == "released" then return "released" end
  return nil, explain(value, self.where)
end

--- Sends a message without waiting.
---@package
function Association:send(context, command, dataset, options)
  if self.over then return nil, errors.new("closed", "the association is over") end
  return self.link:send(context, command, dataset, options)
end

--- Sends a request; `answer` of what it returns is then awaited.
---@package
---@return integer|nil message_id, dicom.Error?
function Association:ask(context, command, dataset, options)
  self.message_id = self.message_id % 0xFFFF + 1
  command.message_id = self.message_id
  local ok, err = self:send(context, command, dataset, options)
  if not ok then return nil, err end
  return self.message_id
end

--- Waits for the response to a request.
---@package
---@return table|nil message, dicom.Error?
function Association:answer(message_id)
  local message, err = self:next()
  if message == "released" then
    return nil, errors.new("closed", self.where .. " released the association instead of answering")
  end
  if not message then return nil, err end
  if message.message_id ~= message_id or not message.status then
    self:abort()
    return nil, errors.new("bad command set", self.where .. " answered with something else (PS3.7 9.1)")
  end
  return message
end

--- Is it open still, with nothing pending? Looks at the socket, does not wait.
---@package
function Association:is_idle()
  return not self.over and self.link:is_idle()
end

--- Ends it in good order, and waits for that.
---@return true|nil, dicom.Error?
function Association:release()
  if self.over then return true end
  local ok, err = self.link:release()
  while ok do
    local message
    message, err = self:next()
    if message == "released" then break end
    if not message then ok = nil end
  end
  self:close()
  if not ok then return nil, err end
  return true
end

--- Ends it at once (A-ABORT).
function Association:abort()
  if not self.over then self.link:abort() end
  self.over = true
end

--- Gives back what it holds; an open one is aborted.
---@package
function Association:close()
  self.over = true
  self.link:close()
end

return M
