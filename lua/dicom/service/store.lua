-- SPDX-License-Identifier: MIT
--- C-STORE (PS3.7 9.1.1, PS3.4 Annex B).
local core = require "dicom.core"
local dataset = require "dicom.dataset"
local errors = require "dicom.error"
local file = require "dicom.file"
local log = require "dicom.log"
local status = require "dicom.status"

local C_STORE = 0x0001
local EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
local NATIVE = {
  [IMPLICIT] = true, [EXPLICIT] = true, ["1.2.840.10008.1.2.2"] = true, ["1.2.840.10008.1.2.1.99"] = true,
}

local M = { command = C_STORE, name = "store" }

---------------------------------------------------------------- asking

---@class dicom.StoreService
---@overload fun(what: dicom.Dataset|string): integer|nil, table|dicom.Error
local Store = {}
Store.__index = Store
Store.__name = "dicom.store"

local function name_of(uid)
  local name = core.uid_entry(uid)
  return name and ("%s (%s)"):format(name, uid) or uid
end

-- What a peer can be told at all; leading zeros and the like are its business.
local function is_uid(s)
  return type(s) == "string" and #s <= 64 and not s:find "[^%w.%-_]"
end

-- What may be proposed: one that is not would take down the association of all others.
local function is_sop_class(s)
  return is_uid(s) and s:find "^%d[%d.]*%d$" and not s:find("..", 1, true)
end

-- What is to be sent, opened: { ds, sop_class, sop_instance, syntax }.
local function prepare(what)
  local ds = what
  if type(what) == "string" then
    local err
    ds, err = dataset.open(what)
    if not ds then return nil, err end
  end
  local sop_class, sop_instance = ds:get "SOPClassUID", ds:get "SOPInstanceUID"
  local path = type(what) == "string" and not what:find "\0" and what or nil
  if not sop_class or sop_class == "" or not sop_instance or sop_instance == "" then
    return nil, errors.new("bad value", "SOP Class UID or SOP Instance UID is missing (PS3.4 B.2)", { path = path })
  end
  if not is_sop_class(sop_class) or not is_uid(sop_instance) then
    return nil, errors.new("bad uid", "SOP Class or Instance UID is not well formed (PS3.5 9.1)", { path = path })
  end
  return { ds = ds, sop_class = sop_class, sop_instance = sop_instance, syntax = ds.syntax }
end

-- Contexts to propose: the syntax that it is in, alone, so that it need not be changed; the other uncompressed ones.
local function contexts_for(item)
  local list = { { abstract = item.sop_class, transfers = { item.syntax } } }
  if NATIVE[item.syntax] then
    local others = {}
    for _, uid in ipairs { EXPLICIT, IMPLICIT } do
      if uid ~= item.syntax then others[#others + 1] = uid end
    end
    list[2] = { abstract = item.sop_class, transfers = others }
  end
  return list
end

local function choose(peer, a, item)
  local accepted = a:contexts(item.sop_class)
  for _, context in ipairs(accepted) do
    if context.syntax == item.syntax then -- what had to be mended (an odd length, say) goes out mended
      return context, { raw = peer.exact or #item.ds.repairs == 0 }
    end
  end
  local names = {}
  for _, context in ipairs(accepted) do
    if NATIVE[item.syntax] and NATIVE[context.syntax] then return context, { syntax = context.syntax } end
    names[#names + 1] = name_of(context.syntax)
  end
  local text = #names == 0
    and ("%s does not accept %s in %s"):format(peer.aet, name_of(item.sop_class), name_of(item.syntax))
    or ("%s accepts %s in %s only, the data set is in %s"):format(peer.aet, name_of(item.sop_class),
      table.concat(names, ", "), name_of(item.syntax))
  return nil, errors.new("unknown context", text)
end

local function request(peer, a, item)
  local context, how = choose(peer, a, item)
  if not context then return nil, how end
  local id, err = a:ask(context.id, {
    field = C_STORE, sop_class = item.sop_class, sop_instance = item.sop_instance, priority = 0,
  }, item.ds, how)
  if not id then return nil, err end
  return id, context
end

local function detail_of(item, context, message)
  return message.status, {
    status = message.status, comment = message.error_comment, sop_class = item.sop_class,
    sop_instance = item.sop_instance, context = context.id, syntax = context.syntax,
  }
end

local function store_one(peer, what)
  local item, err = prepare(what)
  if not item then return nil, err end
  return peer:use(contexts_for(item), nil, function(a)
    local id, context = request(peer, a, item)
    if not id then return nil, context end
    local message
    message, err = a:answer(id)
    if not message then return nil, err end
    return detail_of(item, context, message)
  end)
end

-- What is left of a list is looked at before the association is asked for, so that one may do for all of it.
local function upcoming(list, from)
  local contexts, seen = {}, {}
  for i = from, #list do
    local item = prepare(list[i])
    local k = item and item.sop_class .. "|" .. item.syntax
    if item and not seen[k] then
      seen[k] = true
      for _, spec in ipairs(contexts_for(item)) do contexts[#contexts + 1] = spec end
    end
    if #contexts >= 128 then break end
  end
  return contexts
end

---@class dicom.StoreRun one call of peer.store(list)
local Run = {}
Run.__index = Run

-- The next thing to send; opened while the response to the one before is awaited.
function Run:fetch()
  if self.ended then return end
  local what
  if self.list then
    self.at = self.at + 1
    what = self.list[self.at]
  else
    what = self.iterate(self.state, self.control)
    self.control = what
  end
  if what == nil then
    self.ended = true
    return
  end
  local item, err = prepare(what)
  self.ahead = { item = item, err = err }
end

-- An association for the item; an error that no later item would escape is kept.
function Run:association(item)
  local needed = contexts_for(item)
  local a = self.a
  if a and not a.over and self.peer.offers(a, needed) then return a end
  self.a = nil
  if a then self.peer:give(a) end
  local err
  self.a, err = self.peer:take(needed, self.list and upcoming(self.list, self.at))
  if not self.a then self.unreachable = err end
  return self.a, err
end

function Run:step()
  if not self.ahead then self:fetch() end
  local this = self.ahead
  self.ahead = nil
  if not this then return nil end
  local item = this.item
  if not item then return false, this.err end
  if self.unreachable then return false, self.unreachable end
  local a, err = self:association(item)
  if not a then return false, err end
  local id, context = request(self.peer, a, item)
  if not id then return false, context end
  self.under_way = true
  self:fetch()
  local message
  message, err = a:answer(id)
  self.under_way = false
  if not message then return false, err end
  return detail_of(item, context, message)
end

function Run:__close()
  local a = self.a
  self.a, self.ended, self.ahead = nil, true, nil
  if not a then return end
  if self.under_way then a:abort() end -- left in the middle: an error in the iterator, a cancelled task
  self.peer:give(a)
end
Run.__gc = Run.__close

local function store_many(peer, what, state, control)
  local run = setmetatable({ peer = peer, at = 0, state = state, control = control }, Run)
  if type(what) == "table" then run.list = what else run.iterate = what end
  local function step()
    local value, detail = run:step()
    if value == nil then run:__close() end
    return value, detail
  end
  return step, nil, nil, run
end

--- `peer.store(ds or path) -> status, detail | nil, err`.
--- `for status, detail in peer.store(list or iterator) do`: results in order, on one association where that can be;
--- status is false, and detail the error, for what could not be sent or was not answered.
function Store:__call(what, ...)
  local kind = type(what)
  if kind == "table" or kind == "function" then return store_many(self.peer, what, ...) end
  if kind ~= "string" and kind ~= "userdata" then
    errors.misuse("store takes a data set, a path, a list of them or an iterator", 2)
  end
  return store_one(self.peer, what)
end

---@param peer dicom.Peer
---@return dicom.StoreService
function M.scu(peer)
  return setmetatable({ peer = peer }, Store)
end

---------------------------------------------------------------- answering

local function is_syntax(uid)
  local _, _, kind = core.uid_entry(uid)
  return kind == "Transfer Syntax"
end

local function checker(sop_classes)
  if sop_classes == nil then return core.contexts_is_storage end
  if sop_classes == "*" then return function() return true end end
  local set = {}
  for _, uid in ipairs(sop_classes) do set[uid] = true end
  return function(uid) return set[uid] or false end
end

-- Keeps a file under the name of its instance; the name comes from the network and is checked: digits and dots, some
-- longer than the standard allows.
local function keep(folder, durable)
  return function(ds)
    local uid = ds:get "SOPInstanceUID"
    if type(uid) ~= "string" or #uid > 128 or not uid:find "^%d[%d.]*$" then
      return nil, errors.new("bad uid", "SOP Instance UID is not well formed (PS3.5 9.1)")
    end
    if durable then
      local ok, err = file.sync(ds.path)
      if not ok then return nil, err end
    end
    local ok, err
    local name, n = ("%s/%s"):format(folder, uid), 0
    repeat
      ok, err = file.move(ds.path, n == 0 and name .. ".dcm" or ("%s-%d.dcm"):format(name, n))
      n = n + 1
    until ok or not err.exists
    if ok and durable then ok, err = file.sync_folder(folder) end
    return ok, err
  end
end

local function failure(association, err)
  log.default:warn("store failed", { association = association.id, error = log.reason(err) })
  if errors.is(err) and err.code == "no space" then return status.out_of_resources end
  if errors.is(err) and err.code == "bad uid" then return status.cannot_understand, err.code end -- for ever
  return status.processing_failure, errors.is(err) and err.code or "error in the handler"
end

-- Handler's results to a status.
local function outcome(association, ok, value, err)
  if not ok then return failure(association, value) end
  if value == true then return status.success end
  if math.type(value) == "integer" and value >= 0 and value <= 0xFFFF then return value end
  return failure(association, err or errors.new("usage", "the store handler gave neither a status nor true"))
end

local function open(message)
  if message.unreadable then return nil, message.unreadable end
  if message.dataset then return message.dataset end
  return dataset.open(message.path)
end

--- Handler: `store(ds, association) -> status | true | nil, err`; one with a method `sink(association) -> folder` gets
--- its instances as files of that folder and owns them.
---@param handler any
---@param options {folder?: string, limit?: integer, sop_classes?: string[]|string, durable?: boolean}
function M.scp(handler, options)
  local service = { command = C_STORE }
  local accepts = checker(options.sop_classes)
  local folder = options.folder
  local owns = type(handler) ~= "function" and handler ~= nil and handler.sink ~= nil
  if handler == nil then handler = keep(folder, options.durable) end

  --- The transfer syntax to accept: the first proposed that is known. False: none. Nil: not a matter of this service.
  function service.transfer(context)
    if not accepts(context.abstract) then return nil end
    for _, uid in ipairs(context.transfers) do
      if is_syntax(uid) then return uid end
    end
    return false
  end

  --- Before messages come.
  function service.begin(association)
    local where = folder
    if owns then where = handler:sink(association) end
    association.link:sink(where, options.limit or 512 << 20)
  end

  local function discard(message)
    if message.path and not owns and file.stat(message.path) then file.remove(message.path) end
  end

  -- What the command names must be what comes (PS3.4 B.2.3); else the sender keeps it. A command holds the 64
  -- characters that a UID may have: data sets in the wild have longer ones.
  local function disagrees(ds, message)
    local class, instance = ds:get "SOPClassUID" or "", ds:get "SOPInstanceUID" or ""
    return class:sub(1, 64) ~= message.sop_class or instance:sub(1, 64) ~= message.sop_instance
  end

  local function unwanted(association, message, ds, why)
    log.default:warn("store failed", { association = association.id, error = why })
    if ds then ds:close() end
    if message.path then file.remove(message.path) end
  end

  function service.answer(association, message)
    if message.error then -- it could not be written: the sender may try again
      failure(association, message.error)
      return status.out_of_resources
    end
    local ds, err = open(message)
    if not ds then
      unwanted(association, message, nil, log.reason(err))
      return status.cannot_understand, err.code
    end
    if disagrees(ds, message) then
      unwanted(association, message, ds, "UIDs of command and data set differ")
      return status.data_set_does_not_match_sop_class, "UIDs of command and data set differ"
    end
    local result, comment = outcome(association, pcall(handler, ds, association))
    discard(message)
    return result, comment
  end
  return service
end

return M
