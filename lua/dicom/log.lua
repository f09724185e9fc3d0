-- SPDX-License-Identifier: MIT
--- The log: one line an event, `2026-01-01T00:00:00Z info delivered to=archive status=0000`. No line holds identity:
--- callers give AE titles, addresses, statuses, counts and UIDs made here, never values of a data set.
local errors = require "dicom.error"

local M = {}

local RANK = { debug = 1, info = 2, warn = 3, error = 4, none = 5 }
local LONGEST = 2000 -- bytes of one value: a traceback belongs into the queue, not here

---@class dicom.Log
---@field level string
---@field sink fun(line: string)
local Log = {}
Log.__index = Log
Log.__name = "dicom.log"

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape(c)
  return escapes[c] or ("\\x%02X"):format(c:byte())
end

-- Not so: what is no UTF-8, and the control characters U+0080 to U+009F, which terminals obey.
local function is_readable(text)
  return utf8.len(text) and not text:find "\xC2[\x80-\x9F]"
end

local function value_text(value)
  local text = tostring(value)
  if #text > LONGEST then text = text:sub(1, LONGEST) .. "..." end
  local odd = is_readable(text) and '[%c"\\]' or '[%c"\\\128-\255]'
  if text ~= "" and not text:find "[%s=]" and not text:find(odd) then return text end
  return '"' .. text:gsub(odd, escape) .. '"'
end

local function line(level, event, fields)
  local keys, parts = {}, { os.date "!%Y-%m-%dT%H:%M:%SZ", level, (event:gsub("%c", escape)) }
  for key in pairs(fields or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do parts[#parts + 1] = key .. "=" .. value_text(fields[key]) end
  return table.concat(parts, " ")
end

local function to_stderr(text)
  io.stderr:write(text, "\n")
end

--- Makes a log.
---@param options? {level?: "debug"|"info"|"warn"|"error"|"none", sink?: fun(line: string)}  default: info, to stderr
---@return dicom.Log
function M.new(options)
  options = options or {}
  local level = options.level or "info"
  if not RANK[level] then
    error(errors.new("config", ("log: level %q is none of debug, info, warn, error, none"):format(tostring(level))), 0)
  end
  return setmetatable({ level = level, sink = options.sink or to_stderr }, Log)
end

-- A sink that fails must not stop what is logged.
local function write(log, level, event, fields)
  if RANK[level] >= RANK[log.level] then pcall(log.sink, line(level, event, fields)) end
end

--- For developers.
---@param event string
---@param fields? table<string, any>
function Log:debug(event, fields) write(self, "debug", event, fields) end

--- What happens in the course of things.
---@param event string
---@param fields? table<string, any>
function Log:info(event, fields) write(self, "info", event, fields) end

--- What somebody should look at some day.
---@param event string
---@param fields? table<string, any>
function Log:warn(event, fields) write(self, "warn", event, fields) end

--- What somebody should look at now.
---@param event string
---@param fields? table<string, any>
function Log:error(event, fields) write(self, "error", event, fields) end

-- What Lua itself says of a mistake names variables and types, never values.
local OF_LUA = { "^attempt to %l[%l ]* an? %l+ value", "^attempt to compare ", "^stack overflow", "^not enough memory",
  "^bad argument #%d+ to '[%w_.?]+' %([%w_.]+ expected, got [%w_. ]+%)$" }

--- What a log may say of an error that came from a handler or a file. Paths and the words of a handler may hold a
--- name: they are left out; the place in the handler stays. All of it is told at level debug.
---@param err any
---@return string
function M.reason(err)
  if M.default.level == "debug" then return tostring(err) end
  if errors.is(err) then
    local text = err.errno and err.text:match "[^:]+$":gsub("^ ", "") or err.text -- behind the path
    return tostring(errors.new(err.code, text, { tag = err.tag, offset = err.offset, status = err.status,
      where = err.where }))
  end
  local text = tostring(err)
  local place, words = text:match "^([^:\n]+%.lua:%d+): (.*)$"
  words = words or text
  for _, pattern in ipairs(OF_LUA) do
    if words:find(pattern) then return text end
  end
  return (place and place .. ": " or "") .. "an error whose words may hold a name: told at log level debug"
end

--- The log of whoever was given none. Its level and sink may be set.
M.default = M.new()

return M
