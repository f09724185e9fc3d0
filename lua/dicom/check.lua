-- SPDX-License-Identifier: MIT
--- Checks of what people configure: one clear line that names the place, before anything starts.
local errors = require "dicom.error"

local M = {}

-- Edits (insert, delete, replace) between two words.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local change = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + change)
    end
  end
  return row[#b]
end

--- Of the words the one nearest in spelling.
---@param word string
---@param words string[]
---@return string?
function M.nearest(word, words)
  local best, least
  table.sort(words)
  for _, candidate in ipairs(words) do
    local d = distance(word:lower():sub(1, 64), candidate:lower())
    if not least or d < least then best, least = candidate, d end
  end
  return best
end

--- Raises an error of code "config".
---@param where string  what is configured: "router", "rules/a.lua:3: rule \"x\""
---@param text string
function M.fail(where, text, ...)
  error(errors.new("config", where .. ": " .. text:format(...)), 0)
end

--- The keys of a table in order.
---@param t table<string, any>
---@return string[]
function M.keys(t)
  local list = {}
  for key in pairs(t) do list[#list + 1] = key end
  table.sort(list)
  return list
end

--- Every field of `t` must be in `allowed` (field = type or list of types by "|"), and of that type.
---@param where string
---@param t table
---@param allowed table<string, string>
function M.fields(where, t, allowed)
  if type(t) ~= "table" then M.fail(where, "expected a table, got %s", type(t)) end
  for key, value in pairs(t) do
    local types = allowed[key]
    if not types and math.type(key) then M.fail(where, "value %s has no name: name = value is expected", key) end
    if not types then
      M.fail(where, "unknown field %q; the nearest is %q", tostring(key), M.nearest(tostring(key), M.keys(allowed)))
    end
    if not ("|" .. types .. "|"):find("|" .. (math.type(value) or type(value)) .. "|", 1, true)
      and not ("|" .. types .. "|"):find("|" .. type(value) .. "|", 1, true) then
      M.fail(where, "%s must be a %s, not a %s", key, types:gsub("integer", "whole number"):gsub("|", " or "),
        type(value))
    end
  end
end

--- An AE title: 1 to 16 characters of the default repertoire, no backslash, no control character, not only spaces
--- (PS3.5 6.2).
---@param where string
---@param aet any
function M.aet(where, aet)
  if type(aet) ~= "string" or #aet < 1 or #aet > 16 or aet:find "[^ -~]" or aet:find("\\", 1, true)
    or not aet:find "[^ ]" then
    M.fail(where, "aet must be 1 to 16 characters of ASCII without a backslash, not only spaces (PS3.5 6.2)")
  end
end

--- A TCP port; `least` is 1, or 0 where 0 means any free one.
---@param where string
---@param port any
---@param least integer
function M.port(where, port, least)
  if math.type(port) ~= "integer" or port < least or port > 65535 then
    M.fail(where, "port must be a whole number from %d to 65535", least)
  end
end

--- A number above 0.
---@param where string
---@param name string
---@param value any
function M.positive(where, name, value)
  if type(value) ~= "number" or value ~= value or value <= 0 then M.fail(where, "%s must be a number above 0", name) end
end

return M
