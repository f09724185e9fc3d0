-- SPDX-License-Identifier: MIT
--- What `dicom.router{...}` is given, checked before anything starts.
local check = require "dicom.check"
local log = require "dicom.log"

local M = {}

local FIELDS = { aet = "string", host = "string", port = "integer", rules = "string", queue = "string",
  destinations = "table", unmatched = "string|table", log = "table", budget = "table", retry = "table",
  timeouts = "table", max_pdu = "integer", max_associations = "integer" }
local DESTINATION_FIELDS = { aet = "string", host = "string", port = "integer", calling_aet = "string",
  timeouts = "table", max_pdu = "integer", retry = "table" }
local RETRY_FIELDS = { first = "number", most = "number", tries = "integer", max_age = "number" }
local TIMEOUT_FIELDS = { connect = "number", acse = "number", dimse = "number", idle = "number" }
local LOG_FIELDS = { level = "string", sink = "function" }

M.retry = { first = 1, most = 300 } -- seconds; twice as long each time

local function require_field(where, t, name, example)
  if t[name] == nil then check.fail(where, "%s is missing, as in %s", name, example) end
end

local function positive(where, t, fields)
  check.fields(where, t, fields)
  for name, value in pairs(t) do check.positive(where, name, value) end
end

local function check_common(where, t)
  if t.timeouts then positive(where .. ": timeouts", t.timeouts, TIMEOUT_FIELDS) end
  if t.retry then positive(where .. ": retry", t.retry, RETRY_FIELDS) end
end

local function check_destination(name, t)
  local where = ("router: destination %q"):format(tostring(name))
  if type(name) ~= "string" or name == "" or #name > 64 or name:find "%c" then
    check.fail(where, "a destination has a name of up to 64 characters")
  end
  check.fields(where, t, DESTINATION_FIELDS)
  require_field(where, t, "aet", 'aet = "PACS"')
  require_field(where, t, "host", 'host = "10.0.0.5"')
  require_field(where, t, "port", "port = 104")
  check.aet(where, t.aet)
  if t.calling_aet then check.aet(where .. ": calling_aet", t.calling_aet) end
  check.port(where, t.port, 1)
  if t.host == "" then check.fail(where, "host is empty") end
  check_common(where, t)
end

local function check_unmatched(unmatched, destinations)
  if type(unmatched) == "string" then
    if unmatched ~= "park" and unmatched ~= "reject" then
      check.fail("router", "unmatched is \"park\", \"reject\" or a list of destinations, not %q", unmatched)
    end
    return
  end
  if #unmatched == 0 then check.fail("router", "unmatched names no destination") end
  for _, name in ipairs(unmatched) do
    if not destinations[name] then
      check.fail("router", "unmatched names the unknown destination %q", tostring(name))
    end
  end
end

local function make_log(given)
  if given == nil then return log.default end
  if getmetatable(given) and given.info then return given end
  check.fields("router: log", given, LOG_FIELDS)
  return log.new(given)
end

--- A copy with defaults; raises an error of code "config".
---@param given table
---@return table
function M.check(given)
  check.fields("router", given, FIELDS)
  require_field("router", given, "aet", 'aet = "ROUTER"')
  require_field("router", given, "rules", 'rules = "rules/"')
  require_field("router", given, "queue", 'queue = "spool:/var/spool/dicom"')
  require_field("router", given, "destinations",
    'destinations = { archive = { aet = "PACS", host = "10.0.0.5", port = 104 } }')
  local options = setmetatable({}, { __index = { port = 104, unmatched = "park" } })
  for name, value in pairs(given) do options[name] = value end
  check.aet("router", options.aet)
  check.port("router", options.port, 0)
  check_common("router", options)
  if options.max_associations then check.positive("router", "max_associations", options.max_associations) end
  if next(options.destinations) == nil then check.fail("router", "destinations is empty") end
  for name, destination in pairs(options.destinations) do check_destination(name, destination) end
  check_unmatched(options.unmatched, options.destinations)
  options.log = make_log(options.log)
  return options
end

--- Without a rule all would be parked or refused: somebody meant another folder.
---@param options table
---@param count integer  rules that were found
function M.check_rules(options, count)
  if count > 0 or type(options.unmatched) == "table" then return end
  check.fail("router", "%s holds no rule (a .lua file that calls rule \"name\" {...})", options.rules)
end

--- How often a destination is tried: its own words, the router's, the defaults.
---@param options table
---@param destination table
---@return {first: number, most: number, tries?: integer, max_age?: number}
function M.retry_of(options, destination)
  local own, all = destination.retry or {}, options.retry or {}
  return setmetatable({}, { __index = function(_, name) return own[name] or all[name] or M.retry[name] end })
end

return M
