-- SPDX-License-Identifier: MIT
--- Answers peers: `dicom.listen{ aet=, port=, store=function(ds, association) ... end }`.
local association = require "dicom.association"
local core = require "dicom.core"
local errors = require "dicom.error"
local file = require "dicom.file"
local log = require "dicom.log"
local status = require "dicom.status"
local task = require "dicom.task"

local M = {}

local C_CANCEL, RESPONSE = 0x0FFF, 0x8000
local CONTEXT_ABSTRACT, CONTEXT_TRANSFER = 3, 4 -- PS3.8 table 9-18
local SILENT = 512 -- connections that have not asked for an association yet; above it the oldest is dropped

---@class dicom.Listener
---@field port integer  the port that it listens at
local Listener = {}
Listener.__index = Listener
Listener.__name = "dicom.listener"

local known = {
  aet = "string", host = "string", port = "number", max_pdu = "number", timeouts = "table", folder = "string",
  max_associations = "number", accept = "function", backlog = "number", limit = "number", durable = "boolean",
  echo = "any", store = "any", sop_classes = "any",
}

local function usage(text, ...)
  errors.misuse(text:format(...), 4)
end

-- Loaded for a mistake only.
local function nearest(name, set)
  local check = require "dicom.check"
  return check.nearest(name, check.keys(set))
end

local function is_callable(f)
  return type(f) == "function" or type((debug.getmetatable(f) or {}).__call) == "function"
end

local function check(options)
  for name, value in pairs(options) do
    if not known[name] then
      usage("dicom.listen: unknown field %q; the nearest is %q", tostring(name), nearest(tostring(name), known))
    end
    if known[name] ~= "any" and type(value) ~= known[name] then
      usage("dicom.listen: %s is not a %s", name, known[name])
    end
  end
  local port = options.port or 104
  if math.type(port) ~= "integer" or port < 0 or port > 65535 then usage "dicom.listen: port is not from 0 to 65535" end
  local aet = options.aet
  if aet and aet ~= "*" and not core.ae_valid(aet) then
    errors.misuse(("dicom.listen: aet %q is not 1 to 16 characters of the default repertoire (PS3.5 6.2)"):format(aet),
      3, "bad ae title")
  end
  for _, name in ipairs { "max_pdu", "max_associations", "backlog", "limit" } do
    if options[name] and (math.type(options[name]) ~= "integer" or options[name] < 0) then
      usage("dicom.listen: %s is not a whole number", name)
    end
  end
  if options.store and not is_callable(options.store) then usage "dicom.listen: store cannot be called" end
  if options.echo and options.echo ~= true and not is_callable(options.echo) then
    usage "dicom.listen: echo cannot be called"
  end
  for name, value in pairs(options.timeouts or {}) do
    if not (name == "acse" or name == "dimse" or name == "idle" or name == "connect") then
      usage("dicom.listen: unknown timeout %q", tostring(name))
    end
    if type(value) ~= "number" or value <= 0 then usage("dicom.listen: timeout %s is not a number of seconds", name) end
  end
end

local function services_of(options)
  local list = {}
  if options.echo ~= false then
    list[#list + 1] = require "dicom.service.echo".scp(options.echo == nil and true or options.echo)
  end
  if options.store or options.folder then
    list[#list + 1] = require "dicom.service.store".scp(options.store, options)
  end
  return list
end

-- What arrives goes there: better known now than when the first instance is refused.
local function folder_problem(folder)
  local probe = folder .. "/" .. core.random(8) .. ".part"
  local f, why = io.open(probe, "wb")
  if not f then return errors.new("system", folder .. ": nothing can be kept there: " .. why:sub(#probe + 3)) end
  f:close()
  os.remove(probe)
end

---@class dicom.ListenOptions
---@field aet? string               ours; nil or "*": any called AE title is taken
---@field host? string              address to listen at; every one when not given
---@field port? integer             104; 0 picks a free one
---@field echo? boolean|function    true when not given; false: Verification is refused
---@field store? any                handler, see lua/dicom/service/store.lua
---@field folder? string            where instances are written; without `store` they are kept there
---@field durable? boolean          kept instances are synced before they are acknowledged
---@field limit? integer            bytes of an instance held in memory (without folder): 512 MiB
---@field sop_classes? string[]|"*" instead of every storage SOP class of PS3.6
---@field max_pdu? integer          the longest PDU that we receive, 131072; 0: any
---@field timeouts? {acse?: number, dimse?: number, idle?: number}  seconds: 30, 60, 300
---@field max_associations? integer 100; further ones are rejected for now
---@field accept? fun(association: dicom.Association): boolean?  false: rejected, calling AE title not recognized
---@field backlog? integer          connections that the system holds for us

--- Listens. Associations are served while anything waits: `dicom.run()`, or any call that waits.
---@param options dicom.ListenOptions
---@return dicom.Listener|nil, dicom.Error?
function M.listen(options)
  if type(options) ~= "table" then error("dicom.listen{ aet=, port=, store= }", 2) end
  check(options)
  local err = options.folder and folder_problem(options.folder)
  if err then return nil, err end
  local port = options.port or 104
  local socket
  socket, err = core.listener(task.loop, { host = options.host, port = port, backlog = options.backlog or 128 })
  if not socket then return nil, association.explain_listen(err, port, options.host) end
  local timeouts = options.timeouts or {}
  local self = setmetatable({
    socket = socket, port = socket:port(), options = options, services = services_of(options), open = 0,
    silent = { count = 0, first = 1, last = 0, places = {} }, tasks = {},
    max_associations = options.max_associations or 100, max_pdu = options.max_pdu or 131072,
    timeouts = { acse = timeouts.acse or 30, dimse = timeouts.dimse or 60, idle = timeouts.idle or 300 },
  }, Listener)
  self.task = task.task(self.listen, self)
  return self
end

-- Answers to the contexts that were proposed: the first service that knows the abstract syntax decides.
function Listener:negotiate(proposed)
  local answers = {}
  for i, context in ipairs(proposed) do
    local result, transfer = CONTEXT_ABSTRACT, nil
    for _, service in ipairs(self.services) do
      transfer = service.transfer(context)
      if transfer ~= nil then
        result = transfer and 0 or CONTEXT_TRANSFER
        break
      end
    end
    answers[i] = { id = context.id, result = result, abstract = context.abstract, transfers = { transfer or nil } }
  end
  return answers
end

-- Why an association is not wanted (PS3.8 table 9-21), or nil.
function Listener:refusal(a)
  if self.open >= self.max_associations then return "limit", 2, 3, 2 end
  local aet = self.options.aet
  if aet and aet ~= "*" and a.called_aet ~= aet then return "called AE title", 1, 1, 7 end
  local accept = self.options.accept
  if not accept then return nil end
  local ok, wanted = pcall(accept, a)
  if not ok then
    log.default:error("accept handler failed", { error = log.reason(wanted) })
    return "error", 2, 1, 1
  end
  if not wanted then return "calling AE title", 1, 1, 3 end
end

function Listener:respond(a, message)
  for _, service in ipairs(self.services) do
    local context = { abstract = message.abstract, transfers = { message.syntax } }
    if service.command == message.field and service.transfer(context) then
      local ok, value, text = pcall(service.answer, a, message)
      local result, comment = value, text
      if not ok then
        log.default:error("handler failed", { association = a.id, error = log.reason(value) })
        result, comment = status.processing_failure, nil
      elseif value == true then
        result = status.success
      elseif math.type(value) ~= "integer" then
        result, comment = status.processing_failure, nil
      end
      return self:say(a, message, result, comment)
    end
  end
  if message.path then file.remove(message.path) end -- a C-STORE on the context of another service
  return self:say(a, message, status.unrecognized_operation)
end

function Listener:say(a, message, result, comment) -- luacheck: ignore self
  return a:send(message.context, {
    field = message.field | RESPONSE, message_id = message.message_id, sop_class = message.sop_class,
    sop_instance = message.sop_instance, status = result, error_comment = comment and comment:sub(1, 64),
  })
end

function Listener:messages(a)
  while true do
    local message, err = a:next()
    if message == "released" then return "released" end
    if not message then return tostring(err) end
    if message.field & RESPONSE == 0 and message.field ~= C_CANCEL then
      if not self:respond(a, message) then a:abort() end -- over already: next says why
    end
  end
end

function Listener:associate(a)
  local why, result, source, reason = self:refusal(a)
  if why then
    log.default:info("association rejected",
      { association = a.id, calling = a.calling_aet, called = a.called_aet, address = a.address, why = why })
    a:reject(result, source, reason)
    return
  end
  self.open = self.open + 1
  local counted <close> = setmetatable({}, { __close = function() self.open = self.open - 1 end })
  for _, service in ipairs(self.services) do
    if service.begin then service.begin(a) end
  end
  if a:accept(self:negotiate(a.proposed), self.max_pdu) then
    log.default:info("association accepted",
      { association = a.id, calling = a.calling_aet, called = a.called_aet, address = a.address })
    log.default:info("association ended", { association = a.id, how = self:messages(a) })
  end
  return counted
end

-- Who asks for an association at once is served even when thousands of others come and say nothing: the oldest of
-- those makes room.
function Listener:drop_oldest()
  local silent = self.silent
  if silent.count == 0 then return end
  while not silent[silent.first] do silent.first = silent.first + 1 end
  local oldest = silent[silent.first]
  self:speaks(oldest)
  oldest:cancel()
end

function Listener:is_silent(t)
  local silent = self.silent
  if silent.count >= SILENT then self:drop_oldest() end
  local place = silent.last + 1
  silent.last, silent.count, silent.places[t], silent[place] = place, silent.count + 1, place, t
end

function Listener:speaks(t)
  local silent = self.silent
  local place = silent.places[t]
  if not place then return end
  silent.count, silent.places[t], silent[place] = silent.count - 1, nil, nil
end

function Listener:serve(link, t)
  local guard <close> = link -- luacheck: ignore
  local ok, a = pcall(association.receive, link)
  self:speaks(t)
  if not ok then error(a, 0) end
  if a then self:associate(a) end
end

function Listener:listen()
  while true do
    local link, err = self:knock()
    if not link then
      log.default:error("cannot accept", { error = log.reason(err) })
      self:drop_oldest()
      task.sleep(0.1) -- out of descriptors: those that are open may end
    else
      local t
      t = task.task(function()
        local ok, e = pcall(self.serve, self, link, t)
        self.tasks[t] = nil
        if not ok and not (errors.is(e) and e.code == "cancelled") then
          log.default:error("association failed", { error = log.reason(e) })
        end
      end)
      self.tasks[t] = true
      self:is_silent(t)
    end
  end
end

function Listener:knock()
  local socket, timeouts = self.socket, self.timeouts
  return task.await { id = function() return socket:id() end, next = function() return socket:next(timeouts) end }
end

--- Stops listening; associations that are open are aborted.
function Listener:close()
  if self.closed then return end
  self.closed = true
  self.task:cancel()
  for t in pairs(self.tasks) do t:cancel() end
  self.socket:close()
end

return M
