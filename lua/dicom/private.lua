-- SPDX-License-Identifier: MIT
--- Private elements by creator: which block of (gggg,10FF) is theirs is looked up, or reserved, at each use.
local core = require "dicom.core"
local errors = require "dicom.error"

---@class dicom.Private
---@field [integer] any     the element (gggg,bbxx): nil when absent; assigning creates, nil deletes
local Private = {}
local methods = {}

local M = {}

local function usage(text)
  errors.misuse(text, 3)
end

local function check(element)
  if math.type(element) ~= "integer" or element < 0 or element > 0xFF then
    usage "a private element is numbered from 0x00 to 0xFF within its block"
  end
end

-- The blocks of the creator, in the group if one was named.
local function blocks(p)
  local found = {}
  for _, base in ipairs(core.blocks(p.ds, p.creator)) do
    if not p.group or base >> 16 == p.group then found[#found + 1] = base end
  end
  return found
end

-- The tag of the element, and whether it is there; nil without a block.
local function find(p, element)
  local found = blocks(p)
  for _, base in ipairs(found) do
    if p.ds:has(base | element) then return base | element, true end
  end
  return found[1] and found[1] | element, false
end

-- The first block of the group that neither a creator nor an element uses; `wanted` where that is free.
local function reserve(p, wanted)
  local group, used = p.group or 0x0009, {}
  for e in p.ds:elements() do
    if e.tag >> 16 == group then
      local low = e.tag & 0xFFFF
      used[low > 0xFF and low >> 8 or low] = true
    end
  end
  for block = wanted and not used[wanted] and wanted or 0x10, 0xFF do
    if not used[block] then
      p.ds:set(group << 16 | block, p.creator, "LO")
      return group << 16 | block << 8, group << 16 | block
    end
  end
  usage(("group %04X has no free block"):format(group))
end

--- Sets an element; `vr` is needed where no dictionary knows the element and it is not there yet.
---@param element integer
---@param value any
---@param vr? string
function methods:set(element, value, vr)
  check(element)
  local p = rawget(self, "state")
  local tag = find(p, element)
  if tag then return p.ds:set(tag, value, vr) end
  if value == nil then return end
  local base, creator = reserve(p)
  local ok, err = pcall(p.ds.set, p.ds, base | element, value, vr)
  if not ok then
    p.ds:remove(creator)
    error(err, 0)
  end
end

---@param element integer
---@return any, dicom.Error?
function methods:get(element)
  check(element)
  local p = rawget(self, "state")
  local tag, there = find(p, element)
  if there then return p.ds:get(tag) end
end

---@param element integer
---@return boolean
function methods:has(element)
  check(element)
  local _, there = find(rawget(self, "state"), element)
  return there
end

---@param element integer
---@return integer? tag 0xggggbbxx in this data set; nil while the creator has no block
function methods:tag(element)
  check(element)
  return (find(rawget(self, "state"), element))
end

--- Removes every element of the creator, and its reservations.
function methods:remove()
  local p = rawget(self, "state")
  for _, base in ipairs(blocks(p)) do
    for element = 0, 0xFF do p.ds:remove(base | element) end
    p.ds:remove(base & 0xFFFF0000 | base >> 8 & 0xFF)
  end
end

function Private.__index(self, k)
  if methods[k] then return methods[k] end
  check(k)
  local p = rawget(self, "state")
  local tag, there = find(p, k)
  if there then return p.ds[tag] end
end

function Private.__newindex(self, k, v)
  check(k)
  methods.set(self, k, v)
end

--- Elements in ascending order: number within the block, value.
function Private.__pairs(self)
  local p = rawget(self, "state")
  local mine = {}
  for _, base in ipairs(blocks(p)) do mine[base >> 8] = true end
  local next_element = p.ds:elements()
  return function()
    for e in next_element, p.ds do
      if mine[e.tag >> 8] then return e.tag & 0xFF, p.ds[e.tag] end
    end
  end
end

--- The first tag of a creator's block in a group, 0xggggbb00; reserved where the creator has none, as `wanted` if that
--- is free.
---@param ds dicom.Dataset
---@param creator string
---@param group integer
---@param wanted? integer 0x10 to 0xFF
---@return integer
function M.block(ds, creator, group, wanted)
  local p = { ds = ds, creator = creator, group = group }
  return (blocks(p)[1] or reserve(p, wanted))
end

---@param ds dicom.Dataset
---@param creator string
---@param group? integer
---@return dicom.Private
function M.new(ds, creator, group)
  if type(creator) ~= "string" or creator == "" then usage "a private creator is a string, as in (gggg,00bb)" end
  if group and (math.type(group) ~= "integer" or group % 2 == 0 or group < 9 or group > 0xFFFD) then
    usage "a private group is odd, from 0x0009"
  end
  return setmetatable({ state = { ds = ds, creator = creator, group = group } }, Private)
end

return M
