-- SPDX-License-Identifier: MIT
--- A DICOM application to ask: `local pacs = dicom.peer{...}; pacs.echo(); pacs.store(ds)`. Services are files of
--- lua/dicom/service, found by name.
local association = require "dicom.association"
local core = require "dicom.core"
local errors = require "dicom.error"

local M = {}

---@class dicom.Peer
---@field aet string
---@field host string
---@field port integer
---@field calling_aet string
---@field echo fun(): integer|nil, dicom.Error?
---@field store dicom.StoreService
local Peer = {}

local MAX_CONTEXTS = 128 -- PS3.8 9.3.2.2: odd numbers from 1 to 255

Peer.__name = "dicom.peer"
Peer.__index = function(self, name)
  if Peer[name] then return Peer[name] end
  if type(name) ~= "string" or not name:find "^%l+$" then return nil end
  local found, service = pcall(require, "dicom.service." .. name)
  if not found then errors.misuse(("a peer has no service %q"):format(name), 2) end
  local scu = service.scu(self)
  rawset(self, name, scu)
  return scu
end

local known = { aet = "string", host = "string", port = "number", calling_aet = "string", timeouts = "table",
                max_pdu = "number", exact = "boolean" }
local known_timeouts = { connect = true, acse = true, dimse = true, idle = true }

local function usage(text, ...)
  errors.misuse("dicom.peer: " .. text:format(...), 4)
end

local function check_timeouts(timeouts)
  for name, value in pairs(timeouts) do
    if not known_timeouts[name] then
      errors.misuse(("dicom.peer: unknown timeout %q"):format(tostring(name)), 4)
    end
    if type(value) ~= "number" or value <= 0 then
      errors.misuse(("dicom.peer: timeout %s is not a number of seconds"):format(name), 4)
    end
  end
end

local function check(options)
  for name, value in pairs(options) do
    if not known[name] then
      local words = require "dicom.check" -- loaded for a mistake only
      usage("unknown field %q; the nearest is %q", tostring(name), words.nearest(tostring(name), words.keys(known)))
    end
    if type(value) ~= known[name] then usage("%s is not a %s", name, known[name]) end
  end
  check_timeouts(options.timeouts or {})
  for _, name in ipairs { "aet", "calling_aet" } do
    if options[name] and not core.ae_valid(options[name]) then
      errors.misuse(("dicom.peer: %s %q is not 1 to 16 characters of the default repertoire (PS3.5 6.2)"):format(name,
        options[name]), 3, "bad ae title")
    end
  end
  if not options.host or options.host == "" then usage "host is missing" end
  local port = options.port or 104
  if math.type(port) ~= "integer" or port < 1 or port > 65535 then usage "port is not from 1 to 65535" end
end

---@class dicom.PeerOptions
---@field aet? string          theirs; "ANY-SCP" when not given
---@field host string
---@field port? integer        104
---@field calling_aet? string  ours; "DICOM" when not given
---@field timeouts? {connect?: number, acse?: number, dimse?: number, idle?: number}  seconds: 10, 30, 60, 60
---@field max_pdu? integer     the longest PDU that we receive; 0: any
---@field exact? boolean       stored data sets go out as they were read, repairs and all; default: mended

--- A peer. Nothing is connected before something is asked. Associations stay open for reuse until they are idle for
--- `timeouts.idle` seconds.
---@param options dicom.PeerOptions
---@return dicom.Peer
function M.new(options)
  if type(options) ~= "table" then error("dicom.peer{ aet=, host=, port= }", 2) end
  check(options)
  local timeouts = options.timeouts or {}
  return setmetatable({
    aet = options.aet or "ANY-SCP", calling_aet = options.calling_aet or "DICOM", host = options.host,
    port = options.port or 104, exact = options.exact or false, max_pdu = options.max_pdu or 131072,
    timeouts = { connect = timeouts.connect or 10, acse = timeouts.acse or 30, dimse = timeouts.dimse or 60,
                 idle = timeouts.idle or 60 },
    idle = {}, wanted = {}, closed = false,
  }, Peer)
end

local function key(spec)
  return spec.abstract .. "|" .. table.concat(spec.transfers, ",")
end

-- What is proposed: what is needed now, what will be, what was before, each once, as many as an association may have.
local function proposal(self, needed, upcoming)
  local contexts, seen = {}, {}
  local function add(list)
    for _, spec in ipairs(list or {}) do
      local k = key(spec)
      if not seen[k] and #contexts < MAX_CONTEXTS then
        seen[k] = true
        contexts[#contexts + 1] = { id = 2 * #contexts + 1, abstract = spec.abstract, transfers = spec.transfers }
      end
    end
  end
  add(needed)
  add(upcoming)
  add(self.wanted)
  return contexts, seen
end

local function open(self, needed, upcoming)
  local contexts, seen = proposal(self, needed, upcoming)
  local a, err = association.request {
    host = self.host, port = self.port, called = self.aet, calling = self.calling_aet, max_pdu = self.max_pdu,
    contexts = contexts, connect = self.timeouts.connect, acse = self.timeouts.acse, dimse = self.timeouts.dimse,
    idle = self.timeouts.idle,
  }
  if a then a.offered, self.wanted = seen, contexts end
  return a, err
end

--- Was all of it proposed on this association?
---@package
function Peer.offers(a, needed)
  for _, spec in ipairs(needed) do
    if not a.offered[key(spec)] then return false end
  end
  return true
end

--- An association on which `needed` was proposed: an idle one that is still open, or a new one.
---@package
---@param needed table[]    { abstract, transfers }
---@param upcoming? table[] proposed as well as long as there is room
---@return dicom.Association|nil, dicom.Error?
function Peer:take(needed, upcoming)
  local kept, found = {}, nil
  local idle = self.idle
  self.idle = kept
  for _, a in ipairs(idle) do
    if not a:is_idle() then
      a:close()
    elseif not found and Peer.offers(a, needed) then
      found = a
    else
      kept[#kept + 1] = a
    end
  end
  if found then return found end
  -- A peer that serves one association at a time would not answer another one while we hold this; what was proposed on
  -- it is proposed again.
  self.idle = {}
  for _, a in ipairs(kept) do a:release() end
  return open(self, needed, upcoming)
end

--- Puts an association back for reuse.
---@package
function Peer:give(a)
  if a.over or self.closed then
    a:close()
  else
    table.insert(self.idle, a)
  end
end

--- Calls `f(association)` with an association on which `needed` was proposed. It is aborted when f raises (a task that
--- was cancelled, say), else put back.
---@package
---@return any ...
function Peer:use(needed, upcoming, f)
  local a, err = self:take(needed, upcoming)
  if not a then return nil, err end
  local function done(ok, value, ...)
    if ok then
      self:give(a)
      return value, ...
    end
    a:abort()
    a:close()
    error(value, 0)
  end
  return done(pcall(f, a))
end

--- Releases the associations that are kept open.
function Peer:close()
  local idle = self.idle
  self.idle, self.closed = {}, true
  for _, a in ipairs(idle) do
    if a:is_idle() then a:release() else a:close() end
  end
  self.closed = false -- asked again, it opens again
end

return M
