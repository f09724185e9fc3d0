-- SPDX-License-Identifier: MIT
--- A queue in a folder, which one process owns:
---
---   lock                      held by the owner
---   key                       random bytes, made once
---   incoming/                 what is being received or made; emptied when the queue is opened
---   messages/ID.msg           a message: the Part 10 file as received, the decision as text, a footer; never changed
---   messages/ID.log           what became of it: lines, appended
---   orders/ID.retry .drop     what people ask for parked messages (`dicom queue`)
---
--- A message appears by one rename of a synced file, after which both folders are synced: message and decision are
--- durable together or not there. What must not be forgotten (that a change was made) is synced with the name of its
--- file before anything rests on it. All else may be lost with the power: then something is delivered once more.
local check = require "dicom.check"
local errors = require "dicom.error"
local file = require "dicom.file"
local log = require "dicom.log"
local queue = require "dicom.queue"
local record = require "dicom.queue.record"
local task = require "dicom.task"

---@class dicom.queue.Spool
---@field folder string
local Spool = {}
Spool.__index = Spool
Spool.__name = "dicom.queue.spool"

local M = {}

local ORDERS = { retry = true, drop = true }

---@param folder string
---@return dicom.queue.Spool
function M.new(folder)
  if folder == "" then check.fail("queue", "\"spool:\" needs a folder behind it") end
  folder = #folder > 1 and folder:gsub("/+$", "") or folder
  return setmetatable({ folder = folder, incoming = folder .. "/incoming", messages = folder .. "/messages",
    orders = folder .. "/orders", logged = {}, finished = {} }, Spool)
end

local function message_path(self, id) return ("%s/%s.msg"):format(self.messages, id) end
local function log_path(self, id) return ("%s/%s.log"):format(self.messages, id) end

-- ---- reading ----

-- A message from its file, or nil when its end is not one of ours.
local function read_message(path)
  local f, problem = io.open(path, "rb")
  if not f then return nil, problem end
  local total = f:seek "end"
  local footer, text = "", ""
  if total >= record.footer_size then
    f:seek("set", total - record.footer_size)
    footer = f:read(record.footer_size) or ""
  end
  local size, length = record.sizes(footer)
  if size and size + length + record.footer_size == total then
    f:seek("set", size)
    text = length > 0 and f:read(length) or ""
  end
  f:close()
  return record.read(text, footer)
end

local function read_text(path)
  local f = io.open(path, "rb")
  if not f then return nil end
  local text = f:read "a"
  f:close()
  return text
end

-- A message that stands in a folder with what became of it.
local function recall(messages, id)
  local message = read_message(("%s/%s.msg"):format(messages, id))
  if not message or message.id ~= id then return nil end
  local events = read_text(("%s/%s.log"):format(messages, id))
  if events then record.replay(message, events) end
  return message, events ~= nil
end

-- ---- opening ----

local function made(ok, err)
  if not ok then error(err, 0) end
end

-- Somebody else may have been faster.
local function removed(path)
  local ok, err = file.remove(path)
  if not ok and not err.missing then error(err, 0) end
end

-- What a process that died was receiving was never acknowledged.
local function empty(folder)
  local names, kinds = file.list(folder)
  if not names then error(kinds, 0) end
  for _, name in ipairs(names) do
    if kinds[name] ~= "folder" then removed(folder .. "/" .. name) end -- a folder is none of ours
  end
end

-- Logs without a message: the message was removed. That must be durable before its log goes, see `sweep`.
local function remove_orphans(self, names, has)
  made(file.sync_folder(self.messages))
  for _, name in ipairs(names) do
    local id = name:match "^(.*)%.log$"
    if id and not has[id .. ".msg"] then removed(log_path(self, id)) end
  end
end

-- A change whose message stands in the folder was made, even if the power went before that was noted.
local function count_as_made(self, message, has)
  for _, part in ipairs(message.parts) do
    if part.kind == "change" and part.state ~= "done" and has[("%s-%s.msg"):format(message.id, part.name)] then
      made(self:note(message, part, "changed"))
    end
  end
end

-- The key; and the names in the folder, that of the key included, are durable.
local function read_key(self)
  local path = self.folder .. "/key"
  local key, err = file.read(path)
  if key then
    made(file.sync_folder(self.folder))
    return key
  end
  if not err.missing then error(err, 0) end
  key = file.random(32)
  made(file.write(path, key, { durable = true }))
  return key
end

local function recover(self)
  local names, kinds = file.list(self.messages)
  if not names then error(kinds, 0) end
  remove_orphans(self, names, kinds)
  local list = {}
  for _, name in ipairs(names) do
    local id = name:match "^(.*)%.msg$"
    local message, has_log = nil, nil
    if id then message, has_log = recall(self.messages, id) end
    if message then
      self.logged[id] = has_log
      count_as_made(self, message, kinds)
      if record.is_done(message) then self:remove(message) else list[#list + 1] = message end
    elseif id then
      log.default:error("message is damaged, left where it is", { id = id })
    end
  end
  return list
end

--- Takes the folder, which is made if need be. The messages in it, oldest first.
---@return dicom.queue.Message[]|nil, dicom.Error?
function Spool:open()
  local function take()
    made(file.make_folder(self.folder))
    local lock, err = file.lock(self.folder .. "/lock")
    if not lock then
      if err.code == "locked" then err = errors.new("locked", self.folder .. " belongs to another router that runs") end
      error(err, 0)
    end
    self.lock = lock
    for _, folder in ipairs { self.incoming, self.messages, self.orders } do made(file.make_folder(folder)) end
    self.key = read_key(self)
    made(file.sync_folder(self.folder:match "^(.+)/[^/]*$" or (self.folder:find "^/" and "/" or ".")))
    empty(self.incoming)
    made(file.sync_folder(self.incoming))
    return recover(self)
  end
  local good, list = pcall(take)
  if good then return list end
  self:close()
  if errors.is(list) then return nil, list end
  error(list, 0)
end

-- ---- receiving and making ----

--- Where a listener writes.
---@return string
function Spool:sink() return self.incoming end

-- Adds the decision to a file of ours in incoming/ and puts it among the messages. On failure nothing is left.
local function commit(self, path, message)
  local stat, err = file.stat(path)
  if not stat then return nil, err end
  message.size = stat.size
  local ok
  ok, err = file.append(path, record.write(message))
  if ok then ok, err = file.commit(path, message_path(self, message.id)) end
  if ok then return message end
  file.remove(path)
  file.remove(message_path(self, message.id)) -- a sync of the folder may have failed after the rename
  return nil, err
end

--- Takes what a listener wrote into incoming/.
---@return dicom.queue.Message|nil, dicom.Error?
function Spool:accept(ds, parts, origin)
  return commit(self, ds.path, queue.message(ds, parts, origin))
end

--- Removes what a listener wrote.
function Spool.refuse(_, ds)
  return file.remove(ds.path)
end

--- The bytes as they came; they are read from the message when asked for.
---@return dicom.Dataset|nil, dicom.Error?
function Spool:load(message)
  return require "dicom.dataset".open(message_path(self, message.id), { size = message.size })
end

--- Commits what a change made (false: the rule dropped it), then that it was made.
---@return dicom.queue.Message|true|nil, dicom.Error?
function Spool:derive(message, part, ds)
  local result = true
  if ds then
    result = queue.derived(message, part, ds)
    local path = ("%s/%s.part"):format(self.incoming, result.id)
    local ok, err = ds:save(path) -- what comes with the commit syncs it
    if ok then ok, err = commit(self, path, result) end
    if not ok then return nil, err end
  end
  local ok, err = self:note(message, part, "changed")
  if not ok then return nil, err end
  return result
end

-- ---- what becomes of messages ----

local SYNCED = { changed = true, parked = true, dropped = true, retry = true }

local function append(self, message, line, sync)
  local ok, err = file.append(log_path(self, message.id), line, { sync = sync })
  if ok and sync and not self.logged[message.id] then -- its name must not get lost either
    ok, err = file.sync_folder(self.messages)
    self.logged[message.id] = ok
  end
  return ok, err
end

--- Keeps what became of a part; the last one removes the message.
---@return true|nil, dicom.Error?
function Spool:note(message, part, what, ...)
  local line = record.event(what, part, ...)
  local before = part.state
  record.replay(message, line)
  if record.is_done(message) and what ~= "changed" then return self:remove(message) end
  local ok, err = append(self, message, line, SYNCED[what] or false)
  if not ok then
    part.state = before
    return nil, err
  end
  if record.is_done(message) then return self:remove(message) end
  return true
end

-- Removes logs once the removals of their messages are durable: were a message to come back without its log, its
-- changes would be made anew.
local function sweep(self)
  while #self.finished > 0 do
    local list = self.finished
    self.finished = {}
    if not file.sync_folder(self.messages) then break end
    for _, id in ipairs(list) do file.remove(log_path(self, id)) end
  end
  self.sweeping = nil
end

--- Adds parts, and ends the part that asked for them, in one line group that is synced.
---@return dicom.queue.Part[]|nil, dicom.Error?
function Spool:extend(message, part, parts)
  local lines, added = queue.extension(message, part, parts)
  local ok, err = append(self, message, lines, true)
  if not ok then return nil, err end
  record.replay(message, lines)
  for i, key in ipairs(added) do added[i] = message.by_key[key] end
  if record.is_done(message) then self:remove(message) end
  return added
end

---@package
function Spool:remove(message)
  local ok, err = file.remove(message_path(self, message.id))
  if not ok and not err.missing then return nil, err end
  if self.logged[message.id] == nil and not file.stat(log_path(self, message.id)) then return true end
  self.logged[message.id] = nil
  table.insert(self.finished, message.id)
  if not self.sweeping then self.sweeping = task.task(sweep, self) end
  return true
end

--- Lets the folder go.
function Spool:close()
  if self.sweeping then self.sweeping:await() end
  if self.lock then
    self.lock:close()
    self.lock = nil
  end
  return true
end

-- ---- for people ----

local function is_name(id)
  return id:find "^[%w-]+$" ~= nil
end

--- What is in a spool, oldest first; it may be in use.
---@param folder string
---@return fun(): dicom.queue.Message?  raises when the folder cannot be read
function M.list(folder)
  local messages = folder:gsub("/+$", "") .. "/messages"
  local names, err = file.list(messages)
  if not names then
    if err.missing or file.stat(folder) and file.stat(folder).type ~= "folder" then
      err = errors.new("config", folder .. " is no queue's folder: it is what follows spool: in the router's file")
    end
    error(err, 0)
  end
  local i = 0
  return function()
    while i < #names do
      i = i + 1
      local id = names[i]:match "^(.*)%.msg$"
      local message = id and recall(messages, id)
      if message then return message end -- else gone since, or damaged
    end
  end
end

--- Asks the owner of a spool to try the parked parts of a message again ("retry"), or to forget them ("drop").
---@param folder string
---@param what "retry"|"drop"
---@param id string
---@return true|nil, dicom.Error?
function M.order(folder, what, id)
  folder = folder:gsub("/+$", "")
  if not ORDERS[what] then error(errors.new("usage", "order is retry or drop"), 2) end
  if not is_name(id) or not file.stat(("%s/messages/%s.msg"):format(folder, id)) then
    return errors.fail("config", ("%s holds no message %s"):format(folder, id))
  end
  return file.write(("%s/orders/%s.%s"):format(folder, id, what), "", { durable = true })
end

--- Orders that were given since the last time: list of { what, id }. Each is given once.
---@return {what: string, id: string}[]
function Spool:orders_given()
  local list = {}
  for _, name in ipairs(file.list(self.orders) or {}) do
    local id, what = name:match "^([%w-]+)%.(%l+)$"
    if ORDERS[what] then list[#list + 1] = { what = what, id = id } end
    if id then file.remove(self.orders .. "/" .. name) end
  end
  return list
end

return M
