-- SPDX-License-Identifier: MIT
-- What the demo prints.
local machine = require "demo.machine"

local M = {}

local colour = os.execute "test -t 1" == true
local function style(code, s) return colour and ("\27[%sm%s\27[0m"):format(code, s) or s end

function M.title(s) print("\n" .. style("1", s)) end
function M.text(s) print("  " .. s:gsub("%s+$", ""):gsub("\n", "\n  ")) end
function M.line(format, ...) print("  " .. format:format(...)) end

local SYNTAX = {
  ["1.2.840.10008.1.2"] = "Implicit VR Little Endian",
  ["1.2.840.10008.1.2.1"] = "Explicit VR Little Endian",
  ["1.2.840.10008.1.2.5"] = "RLE Lossless",
}

local function open(path) return assert(require "dicom".open(path)) end
local function size(path) return #machine.data_set_bytes(path) end

function M.study(sent, seconds)
  for _, instance in ipairs(sent) do
    local ds = open(instance.path)
    instance.uid = ds.SOPInstanceUID
    local elements = 0
    for _ in ds:walk() do elements = elements + 1 end
    M.line("%s %d   %7d bytes   %3d elements   %s", instance.modality, instance.number, size(instance.path), elements,
      SYNTAX[ds.syntax])
  end
  local first = open(sent[1].path)
  M.line("made in %.0f ms; patient %s, %s", seconds * 1000, first.PatientName, first.PatientID)
end

function M.programs(programs)
  for _, p in ipairs(programs) do M.line("%-9s process %6d, port %5d", p.name, p.pid, p.port) end
end

--- Archive: every instance, compared with what was sent byte for byte.
function M.archive(sent, arrived, seconds)
  local by_uid = {}
  for _, ds in ipairs(arrived) do by_uid[ds.SOPInstanceUID] = ds end
  local same = 0
  for _, instance in ipairs(sent) do
    local ds = by_uid[instance.uid]
    local identical = ds and machine.data_set_bytes(ds.path) == machine.data_set_bytes(instance.path)
    if identical then same = same + 1 end
    M.line("%s %d   %s", instance.modality, instance.number,
      identical and style("32", "identical") or style("31", ds and "DIFFERENT" or "MISSING"))
  end
  M.line("%d of %d data sets are identical byte for byte, %.2f s after sending began", same, #sent, seconds)
  assert(same == #sent, "the archive must get what was sent")
end

local function find(arrived, modality, number)
  for _, ds in ipairs(arrived) do
    if ds.Modality == modality and ds.InstanceNumber == number then return ds end
  end
end

function M.research(sent, arrived, seconds)
  for _, instance in ipairs(sent) do
    local ds = find(arrived, instance.modality, instance.number)
    local there = ds and ("arrived as patient %s, %s"):format(ds.PatientID, SYNTAX[ds.syntax])
    M.line("%s %d   %s", instance.modality, instance.number, there or "not here: no rule sends it, or it is parked")
  end
  M.line("%d instances, %.2f s after sending began", #arrived, seconds)
end

-- All elements of a data set at all depths: name by name in order, with their values as text.
local function flatten(ds, prefix, order, values)
  for e in ds:elements() do
    local name = prefix .. (e.keyword or ("(%04X,%04X)"):format(e.tag >> 16, e.tag & 0xFFFF))
    if e.vr == "SQ" then
      for i, item in ipairs(ds[e.tag]) do flatten(item, ("%s[%d]."):format(name, i), order, values) end
    else
      order[#order + 1] = name
      values[name] = e.length > 200 and e.length .. " bytes" or ds:text(e.tag) or "?"
      if e.length > 200 then values[name .. "#"] = ds:raw(e.tag) end
    end
  end
  return order, values
end

local function cut(s, n)
  if s == nil then return "-" end
  if s == "" then return '""' end
  if utf8.len(s) and utf8.len(s) > n then return s:sub(1, utf8.offset(s, n - 1) - 1) .. ".." end
  return s
end

-- A long path keeps its end: that names the attribute.
local function tail(s, n)
  return #s <= n and s or ".." .. s:sub(2 - n + #s + 1)
end

local function pad(s, n) return s .. (" "):rep(n - (utf8.len(s) or #s)) end

function M.changes(sent, arrived, modality, number)
  local source
  for _, instance in ipairs(sent) do
    if instance.modality == modality and instance.number == number then source = instance.path end
  end
  local order, before = flatten(open(source), "", {}, {})
  local after_order, after = flatten(assert(find(arrived, modality, number), "nothing to compare"), "", {}, {})
  for _, name in ipairs(after_order) do
    if not before[name] then order[#order + 1] = name end
  end
  local kept = 0
  for _, name in ipairs(order) do
    if before[name] == after[name] and before[name .. "#"] == after[name .. "#"] then
      kept = kept + 1
    else
      M.line("%s %s -> %s", pad(tail(name, 44), 44), style("33", pad(cut(before[name], 30), 30)),
        style("32", cut(after[name], 36)))
    end
  end
  M.line("%d attributes are as they were, pixel data among them", kept)
  assert(before["PixelData#"] == after["PixelData#"], "pixel data must not change")
end

return M
