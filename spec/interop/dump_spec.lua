-- SPDX-License-Identifier: MIT
-- Every test file against dcmdump: tag, VR and length of every element at every depth. Where they differ on purpose a
-- row of REASONS says why; nothing else may differ. Every file is opened, also those that dcmdump refuses.
local dicom = require "dicom"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

-- A difference is explained by `holds(theirs, ours)`; both are { depth, tag, vr, length, hold }, lengths "u" or
-- digits.
local REASONS = {
  { "dcmdump prints ?? for unknown tags: we UN, or what our private dictionary says", function(t, o)
    return t.vr == "??" and t.length == o.length
  end },
  { "UN of undefined length is printed as SQ by dcmdump; we keep the VR that the file has", function(t, o)
    return t.vr == "SQ" and o.vr == "UN" and o.hold == "items" and t.length == o.length
  end },
  { "DCMTK has names of its own for offsets of a DICOMDIR (up: UL) and for US or SS (xs)", function(t, o)
    return t.length == o.length and (t.vr == "up" and o.vr == "UL" or t.vr == "xs" and (o.vr == "US" or o.vr == "SS"))
  end },
  { "encapsulated Pixel Data written as OW is corrected to OB by dcmdump; we keep what the file has", function(t, o)
    return t.tag == "7fe0,0010" and t.vr == "OB" and o.vr == "OW" and o.hold == "fragments"
  end },
  { "(2005,102D) of Philips MR Imaging DD 001 in implicit VR: the dictionaries differ (SS, IS)",
    function(t, o) return t.tag == "2005,102d" and t.vr == "SS" and o.vr == "IS" and t.length == o.length end },
  { "an odd length is shown padded by dcmdump", function(t, o)
    return (t.vr == o.vr or t.vr == "??") and tonumber(o.length) and tonumber(o.length) % 2 == 1 and
      tonumber(t.length) == tonumber(o.length) + 1
  end },
}

-- Files that dcmdump refuses, and why; we read them with repairs.
local REFUSED = {
  ["DX_Modality_.dcm"] = "sequence without delimiter", ["CR_Modality_.dcm"] = "sequence without delimiter",
  ["emri_small_jpeg_2k_lossless_too_short.dcm"] = "cut in the middle of its last fragment",
  ["Tag-0040-A170-VR-CS.dcm"] = "implicit VR, and a value where the dictionary has a sequence",
  ["3gb-bulk-data-truncated"] = "cut in its pixel data", ["no_preamble_dicm_in_data"] = "DICM by chance, in a value",
  ["SC_rgb_jpeg.dcm"] = "implicit VR in an encapsulated transfer syntax",
  ["rtplan_truncated.dcm"] = "cut in a sequence",
}

local function manifest()
  local files = {}
  for line in io.lines(need.data() .. "/MANIFEST.tsv") do
    local name = line:match "^[^#][^\t]*"
    if name then files[#files + 1] = name end
  end
  return files
end

-- One dcmdump for all files: a list of lines for each. Values may hold line ends; an element ends with
-- "# length, VM name".
local function dumps(files)
  local folder = sh.folder()
  local list = {}
  for n, name in ipairs(files) do list[n] = need.folder .. "/" .. name end
  sh.write(folder .. "/list", table.concat(list, "\0"))
  local out = folder .. "/out"
  os.execute(("xargs -0 -n 1000 dcmdump -q +F < %s > %s 2>/dev/null"):format(sh.quote(folder .. "/list"),
  sh.quote(out)))
  local result, current, open = {}, nil, nil
  for line in io.lines(out) do
    local name = line:match "^# dcmdump %(%d+/%d+%): (.*)$"
    if name then
      current, open = {}, nil
      result[name:sub(#need.folder + 2)] = current
    elseif current then
      if not open and line:find "^%s*%(%x%x%x%x,%x%x%x%x%) %S%S " then open = "" end
      if open then
        open = open .. line
        if open:find "#%s+[%du/l]+,%s*%d+%s[^#]*$" then
          current[#current + 1] = open
          open = nil
        end
      end
    end
  end
  return result
end

local function theirs(lines)
  local list = {}
  for _, line in ipairs(lines) do
    local indent, tag, vr, rest = line:match "^(%s*)%((%x+,%x+)%) (%S%S) (.*)$"
    local length = rest:match "#%s+([%du/l]+),%s*%d+%s[^#]*$"
    local last = list[#list]
    if vr == "pi" and tag == "fffe,e000" then
      last.fragments[#last.fragments + 1] = tonumber(length)
    elseif tag == "fffe,e000" then
      list[#list + 1] = { depth = #indent // 4, tag = "item" }
    elseif tag:sub(1, 4) ~= "fffe" or tag == "fffe,fffe" then
      list[#list + 1] = { depth = #indent // 4, tag = tag, vr = vr, length = length == "u/l" and "u" or length,
      fragments = {} }
    end
  end
  return list
end

local function ours(ds)
  local list = {}
  for _, part in ipairs { ds.meta, ds } do
    local last
    for e, holder, path in part:walk() do
      local depth = select(2, path:gsub("%[", ""))
      if depth > 0 and holder ~= last then list.items = (list.items or 0) + 1 end
      last = holder
      list[#list + 1] = { depth = depth, tag = ("%04x,%04x"):format(e.tag >> 16, e.tag & 0xFFFF), vr = e.vr,
      hold = e.hold,
        length = e.length == 0xFFFFFFFF and "u" or tostring(e.length), fragments = e.fragments or {},
        items = e.items }
    end
  end
  return list
end

local function reason_for(t, o)
  for n, reason in ipairs(REASONS) do
    if reason[2](t, o) then return n end
  end
end

local function text(x)
  return x and ("%d (%s) %s %s %s"):format(x.depth, x.tag, x.vr, x.length, table.concat(x.fragments,
  ",")) or "nothing"
end

-- Items are counted at the element that holds them.
local function count_items(list)
  local holders, kept = {}, {}
  for _, x in ipairs(list) do
    if x.tag == "item" then
      local holder = holders[x.depth]
      holder.items = (holder.items or 0) + 1
    else
      holders[x.depth] = x
      kept[#kept + 1] = x
    end
  end
  return kept
end

local function differs(t, o)
  if not o or t.depth ~= o.depth or t.tag ~= o.tag then return true end
  if table.concat(t.fragments, ",") ~= table.concat(o.fragments, ",") then return true end
  if t.vr == "SQ" and (t.items or 0) ~= o.items then return true end
  return (t.vr ~= o.vr or t.length ~= o.length) and not reason_for(t, o)
end

-- What we read as items by the dictionary is bytes for dcmdump: its inside has no counterpart.
local function compare(name, want, got, used)
  local at = 1
  for _, t in ipairs(want) do
    local o = got[at]
    if differs(t, o) then return ("%s: dcmdump %s, we %s"):format(name, text(t), text(o)) end
    if t.vr ~= o.vr or t.length ~= o.length then used[reason_for(t, o)] = true end
    at = at + 1
    if o.hold == "items" and t.vr ~= "SQ" then
      while got[at] and got[at].depth > t.depth do at = at + 1 end
    end
  end
  if got[at] then return ("%s: dcmdump nothing, we %s"):format(name, text(got[at])) end
end

describe("every test file", function()
  it("is read, and agrees with dcmdump in tag, VR and length of every element", function()
    need.data()
    need.peer "dcmdump"
    local files = manifest()
    local dumped, used, wrong, elements = dumps(files), {}, {}, 0
    for _, name in ipairs(files) do
      local ds, err = dicom.open(need.folder .. "/" .. name)
      if not ds then
        wrong[#wrong + 1] = name .. ": " .. tostring(err)
      elseif not REFUSED[name:match "[^/]*$"] then
        local want = count_items(theirs(dumped[name] or {}))
        elements = elements + #want
        wrong[#wrong + 1] = compare(name, want, ours(ds), used)
      else
        assert.is_true(#ds.repairs > 0, name)
      end
    end
    assert.same({}, wrong)
    assert.is_true(#files > 500 and elements > 50000, #files .. " files, " .. elements .. " elements")
    for n, reason in ipairs(REASONS) do assert.is_true(used[n], "no file needs the reason any more: " ..
    reason[1]) end
  end)
end)
