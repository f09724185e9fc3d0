-- SPDX-License-Identifier: MIT
--- Two data sets beside each other: what differs, whether anything does, and one taken over into the other.
local core = require "dicom.core"
local errors = require "dicom.error"
local private = require "dicom.private"

---@class dicom.Difference
---@field path string as ds:get takes it: "Seq[2].CodeValue", "Seq[3]" for an item
---@field tag integer of the element, of an item its sequence's
---@field kind "added"|"removed"|"changed" from the first to the second

local M = {}

local function check(other, what)
  if type(other) ~= "userdata" or not pcall(core.same, other, other, 0) then
    error(errors.new("usage", what .. " takes a data set, got " .. type(other)), 4)
  end
end

local function tag_of(key)
  if math.type(key) == "integer" then return key end
  local entry = type(key) == "string" and core.dict_by_keyword(key)
  local tag = entry and entry.tag
  if not tag then
    local g, e = tostring(key):match "^(%x%x%x%x),?(%x%x%x%x)$"
    tag = g and tonumber(g .. e, 16)
  end
  if not tag then error(errors.new("usage", ("%q is no keyword and no tag"):format(tostring(key))), 5) end
  return tag
end

local function ignored(options)
  local set = {}
  for k in pairs(options or {}) do
    if k ~= "ignore" then error(errors.new("usage", ("diff has no option %q"):format(tostring(k))), 4) end
  end
  for _, key in ipairs(options and options.ignore or {}) do set[tag_of(key)] = true end
  return set
end

-- The next element that counts.
local function step(iterator, ds, ignore)
  local e
  repeat e = iterator(ds) until not e or e.tag & 0xFFFF ~= 0 and not ignore[e.tag]
  return e
end

local function note(w, path, tag, kind)
  w.found[#w.found + 1] = { path = path, tag = tag, kind = kind }
  return w.first
end

local compare

-- True: enough was found.
local function compare_items(w, a, b, e, path)
  local left, right = a:values(e.tag), b:values(e.tag)
  for i = 1, math.max(#left, #right) do
    local at = ("%s[%d]"):format(path, i)
    if not left[i] or not right[i] then
      if note(w, at, e.tag, left[i] and "removed" or "added") then return true end
    elseif compare(w, left[i], right[i], at .. ".") then
      return true
    end
  end
end

local function compare_both(w, a, b, x, y, path)
  if x.hold == "items" and y.hold == "items" then return compare_items(w, a, b, x, path) end
  local same, err = core.same(a, b, x.tag)
  if err then error(err, 0) end
  return not same and note(w, path, x.tag, "changed")
end

-- Both in order of tags, as deep as data sets are.
function compare(w, a, b, prefix)
  local left, right = a:elements(), b:elements()
  local x, y = step(left, a, w.ignore), step(right, b, w.ignore)
  while x or y do
    local enough
    if not y or x and x.tag < y.tag then
      enough = note(w, prefix .. x.key, x.tag, "removed")
      x = step(left, a, w.ignore)
    elseif not x or y.tag < x.tag then
      enough = note(w, prefix .. y.key, y.tag, "added")
      y = step(right, b, w.ignore)
    else
      enough = compare_both(w, a, b, x, y, prefix .. x.key)
      x, y = step(left, a, w.ignore), step(right, b, w.ignore)
    end
    if enough then return true end
  end
end

local function walk(a, b, options, first)
  local w = { found = {}, ignore = ignored(options), first = first }
  local ok, err = pcall(compare, w, a, b, "")
  if ok then return w.found end
  if errors.is(err) and err.code ~= "usage" then return nil, err end
  error(err, 0)
end

---@param a dicom.Dataset
---@param b dicom.Dataset
---@param options? { ignore: dicom.Key[]? }
---@return dicom.Difference[]?
---@return dicom.Error?
function M.diff(a, b, options)
  check(b, "diff")
  return walk(a, b, options, false)
end

---@param a dicom.Dataset
---@param b dicom.Dataset
---@param options? { ignore: dicom.Key[]? }
---@return boolean?
---@return dicom.Error?
function M.equals(a, b, options)
  check(b, "equals")
  local found, err = walk(a, b, options, true)
  if not found then return nil, err end
  return #found == 0
end

-- Where an element of `other` goes; nil: nowhere.
local function place(ds, e)
  local group, element = e.tag >> 16, e.tag & 0xFFFF
  if element == 0 or e.tag == 0x00080005 then return nil end
  if group % 2 == 0 then return e.tag end
  if element >= 0x10 and element <= 0xFF then return nil end -- creators come with what they reserve
  if not e.creator then return e.tag end
  return private.block(ds, e.creator, group, element >> 8) | element & 0xFF
end

---@param ds dicom.Dataset
---@param other dicom.Dataset
---@return true?
---@return dicom.Error?
function M.merge(ds, other)
  check(other, "merge")
  for e in other:elements() do
    local as = place(ds, e)
    if as then
      local ok, err = core.take(ds, other, e.tag, as)
      if not ok then return nil, err end
    end
  end
  return true
end

return M
