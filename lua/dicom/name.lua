-- SPDX-License-Identifier: MIT
--- Person names (PN, PS3.5 6.2.1): up to three groups of five components.

local COMPONENTS = { "family", "given", "middle", "prefix", "suffix" }

---@class dicom.NameGroup
---@field family string
---@field given string
---@field middle string
---@field prefix string
---@field suffix string

---@class dicom.Name: dicom.NameGroup
---@field ideographic dicom.NameGroup
---@field phonetic dicom.NameGroup
local Name = { __name = "dicom.name" }

local function trim(s)
  return (s:gsub("^ +", ""):gsub(" +$", ""))
end

local function split(s, delimiter)
  local parts = {}
  for part in (s .. delimiter):gmatch("([^" .. delimiter .. "]*)%" .. delimiter) do parts[#parts + 1] = part end
  return parts
end

local function read_group(text, group)
  local parts = split(text or "", "^")
  for i, component in ipairs(COMPONENTS) do group[component] = trim(parts[i] or "") end
  return group
end

-- Trailing empty components need no carets.
local function write_group(group)
  local parts = {}
  for i, component in ipairs(COMPONENTS) do parts[i] = group[component] or "" end
  return (table.concat(parts, "^"):gsub("%^+$", ""))
end

function Name:__tostring()
  local groups = { write_group(self), write_group(self.ideographic or {}), write_group(self.phonetic or {}) }
  return (table.concat(groups, "="):gsub("=+$", ""))
end

function Name.__eq(a, b)
  return tostring(a) == tostring(b)
end

--- Takes a person name apart, or makes one of a table of components. Every component is a string, "" when absent.
--- Components may be changed; tostring() puts the name together again.
---@param from string|table  "Doe^Jane^^Dr^=...", or { family = "Doe", given = "Jane", ideographic = {...} }
---@return dicom.Name
return function(from)
  if type(from) == "table" then from = Name.__tostring(from) end
  if type(from) ~= "string" then error("a person name is a string or a table of components", 2) end
  local groups = split(from, "=")
  local name = read_group(groups[1], { ideographic = read_group(groups[2], {}), phonetic = read_group(groups[3], {}) })
  return setmetatable(name, Name)
end
