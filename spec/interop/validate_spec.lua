-- SPDX-License-Identifier: MIT
-- ds:validate() against dciodvfy (dicom3tools) over every test file: what one of them finds and the other does not is
-- counted under a reason, and there are no others.
local core = require "dicom.core"
local dicom = require "dicom"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

---@class Disagreement
---@field what string    missing, empty, value, vr, vm
---@field key string     keyword; of values the tag
---@field type? string   of missing and empty
---@field module? string
---@field text string    the line of dciodvfy; our text
---@field file File

---@class File
---@field name string
---@field ds dicom.Dataset
---@field unread boolean   dciodvfy gave up before the end of the file
---@field unknown boolean  dciodvfy found no SOP Class UID to go by

local function is(...)
  local set = {}
  for _, s in ipairs { ... } do set[s] = true end
  return function(s) return set[s] end
end

local OVERLAY = is("OverlayRows", "OverlayColumns", "OverlayType", "OverlayOrigin", "OverlayBitsAllocated",
  "OverlayBitPosition", "OverlayData")
local TILED = is("PlanePositionSequence", "PlaneOrientationSequence", "PlanePositionSlideSequence",
  "SegmentIdentificationSequence", "PerFrameFunctionalGroupsSequence")

-- What dciodvfy finds and we do not.
local THEIRS = {
  { "Laterality is asked for where the body part is a paired one: the data set does not say", function(d)
    return d.what == "missing" and d.key == "Laterality" and d.type == "2C"
  end },
  { "a segmentation's orientation is in its functional groups (PS3.3 C.7.6.1.1.1)", function(d)
    return d.key == "PatientOrientation" and d.type == "2C" and d.file.ds.iod == "Segmentation"
  end },
  { "a palette has segmented data instead (PS3.3 C.7.9.2)", function(d)
    return d.type == "1C" and d.key:find "PaletteColorLookupTableData$" and d.file.ds:has("Segmented" .. d.key)
  end },
  { "Pixel Data is there, but in a transfer syntax that dciodvfy does not read", function(d)
    return d.key == "PixelData" and d.file.ds:has "PixelData"
  end },
  { "may be present otherwise: then it may be empty, as Type 3 (PS3.5 7.4.5)", function(d)
    return d.what == "empty" and d.type == "1C" and is("CodingSchemeVersion", "RequestedProcedureID",
      "ScheduledProcedureStepID", "WindowCenter")(d.key)
  end },
  { "another module has it as Type 3, or its own module is not used", function(d)
    return d.what == "empty" and d.type == "1C" and is("LossyImageCompressionRatio", "PixelPaddingValue")(d.key)
  end },
  { "Frame of Reference is optional for structure sets in newer editions (PS3.3 A.19.3)", function(d)
    return d.file.ds.iod == "RT Structure Set" and d.module == "FrameOfReference"
  end },
  { "only attributes of Type 3 of an optional module are there", function(d)
    return d.file.ds.iod == "Secondary Capture Image" and d.key == "Manufacturer" and not d.file.ds:has "Manufacturer"
  end },
  { "a group 60xx with an activation layer alone: the overlay is in the images (PS3.3 C.11.7)", function(d)
    return OVERLAY(d.key) and d.file.ds:has(0x60001001) and not d.file.ds:has(0x60000010)
  end },
  { "TILED_FULL: the frames' positions follow from their order (PS3.3 C.7.6.17.3)", function(d)
    return TILED(d.key) and d.file.ds:text "DimensionOrganizationType" == "TILED_FULL"
  end },
  { "VRs of private elements are their makers': the dictionary of dciodvfy is no standard", function(d)
    return d.what == "vr" and tonumber(d.key, 16) & 0x10000 ~= 0
  end },
  { "a UID of zeros alone has the form of one (PS3.5 9.1)", function(d)
    return d.what == "value" and d.text:find "Nothing but zero components"
  end },
  { "IS reaches from -2^31 to 2^31-1 (PS3.5 6.2)", function(d)
    return d.what == "value" and d.text:find " IS %[" and d.text:find "Range invalid"
  end },
  { "ISO_IR 203, ISO_IR 13 and GBK are not known to this dciodvfy", function(d)
    return d.what == "value" and d.text:find "Character invalid for character repertoire"
      and is("ISO_IR 203", "ISO_IR 13", "GBK")(d.file.ds:text "SpecificCharacterSet")
  end },
  { "UT may hold tabs and line ends (PS3.5 6.1.3)", function(d)
    return d.what == "value" and d.text:find " UT %["
  end },
  { "an empty sequence of Type 3 is allowed (PS3.5 7.4.5)", function(d)
    return d.what == "vm" and d.text:find "Type 3" and #d.file.ds:get(d.key) == 0
  end },
}

-- What we find and dciodvfy does not.
local OURS = {
  { "dciodvfy goes by the SOP Class UID alone: it is missing, and the file meta has it", function(d)
    return d.file.unknown
  end },
  { "dciodvfy gave up reading", function(d) return d.file.unread end },
  { "TM has at most 14 bytes (PS3.5 6.2): six digits of a fraction of a second", function(d)
    return d.what == "value" and d.text:find "longer than TM"
  end },
}

local function manifest()
  local files = {}
  for line in io.lines(need.data() .. "/MANIFEST.tsv") do
    local name = line:match "^[^#][^\t]*"
    if name then files[#files + 1] = name end
  end
  return files
end

-- The lines of dciodvfy for each file: one shell for all.
local function reports(files)
  local folder = sh.folder()
  local list = {}
  for i, name in ipairs(files) do list[i] = name end
  sh.write(folder .. "/list", table.concat(list, "\n") .. "\n")
  local each = [[echo "@@@$f"; timeout 20 dciodvfy "$f" </dev/null 2>&1]]
  local all = "unset LD_PRELOAD; cd %s && while IFS= read -r f; do " .. each .. "; done <%s >%s"
  os.execute(all:format(sh.quote(need.folder), sh.quote(folder .. "/list"), sh.quote(folder .. "/out")))
  local of, current = {}, nil
  for line in io.lines(folder .. "/out") do
    local name = line:match "^@@@(.*)$"
    if name then
      current = {}
      of[name] = current
    elseif current then
      current[#current + 1] = line
    end
  end
  return of
end

local function tag_of(line)
  local group, element = line:match "%(0x(%x%x%x%x),0x(%x%x%x%x)%)"
  return group and group .. element
end

-- A line of dciodvfy as a finding; nil when it is about other things.
local function understand(line)
  local kind, type, key, module = line:match "^Error %- (%a+) attribute.- Type (%w+) %a+ Element=<(.-)> Module=<(.-)>"
  if line:find "^Error %- Attribute present but empty" then
    type, key, module = line:match "Type (%w+) %a+ Element=<(.-)> Module=<(.-)>"
    kind = "Empty"
  end
  if kind == "Missing" or kind == "Empty" then
    return { what = kind:lower(), key = key, type = type, module = module, text = line }
  elseif line:find "Value invalid for this VR" then
    return { what = "value", key = tag_of(line), text = line }
  elseif line:find "Explicit value representation doesn't match data dictionary" then
    return { what = "vr", key = tag_of(line), text = line }
  elseif line:find "^Error %- Bad attribute Value Multiplicity" then
    return { what = "vm", key = line:match "Element=<(.-)>", text = line }
  end
end

local GAVE_UP = { "read failed", "Tags out of order", "Bad tag in sequence", "trailing garbage", "Illegal zero bytes",
  "Assertion" }

local function theirs(file, lines)
  local found = {}
  for _, line in ipairs(lines) do
    local d = understand(line)
    if d then
      d.file = file
      found[d.what .. " " .. d.key] = d
    end
    file.unknown = file.unknown or line:find "Information Object Not found" ~= nil
    for _, words in ipairs(GAVE_UP) do file.unread = file.unread or line:find(words, 1, true) ~= nil end
  end
  return found
end

local WHAT = { missing = "missing", empty = "empty", ["bad value"] = "value", ["bad length"] = "value",
  ["bad vr"] = "vr", ["bad vm"] = "vm" }

local function ours(file)
  local found = {}
  for _, f in ipairs(assert(file.ds:validate())) do
    local what = WHAT[f.code]
    if what and not f.text:find "is none of those" and not f.text:find "more than 8 bits" then
      local name = f.path:match "[^.]*$"
      local key = (what == "value" or what == "vr") and ("%08x"):format(f.tag) or name
      local d = { what = what, key = key, type = f.type, module = f.module, text = f.text, file = file }
      found[what .. " " .. key] = d
    end
  end
  return found
end

-- The first reason that fits counts one more; nil when none does.
local function explain(reasons, d)
  for i, reason in ipairs(reasons) do
    if reason[2](d) then
      reasons[i].count = (reasons[i].count or 0) + 1
      return reason[1]
    end
  end
end

local function compare(a, b, reasons, unexplained)
  local equal = 0
  for key, d in pairs(a) do
    if b[key] then
      equal = equal + 1
    elseif not explain(reasons, d) then
      unexplained[#unexplained + 1] = ("%s: %s %s %s: %s"):format(d.file.name, key, d.type or "", d.module or "",
        d.text:gsub("<.->", "<>"))
    end
  end
  return equal
end

describe("every test file", function()
  it("is judged as by dciodvfy in presence, emptiness, VR, VM and form of values, but for these reasons", function()
    need.data()
    need.peer "dciodvfy"
    local files = manifest()
    local lines = reports(files)
    local equal, unexplained, count = 0, {}, 0
    for _, name in ipairs(files) do
      local ds = assert(dicom.open(need.folder .. "/" .. name))
      local file = { name = name, ds = ds, unread = false, unknown = false }
      local a = theirs(file, lines[name] or {})
      local b = ours(file)
      equal = equal + compare(a, b, THEIRS, unexplained)
      compare(b, a, OURS, unexplained)
      count = count + 1
      ds:close()
    end
    table.sort(unexplained)
    assert.same({}, unexplained)
    assert.is_true(count > 500 and equal > 2500, count .. " files, " .. equal .. " findings in common")
    for _, reasons in ipairs { THEIRS, OURS } do
      for _, reason in ipairs(reasons) do
        if os.getenv "DICOM_COUNTS" then io.write(reason.count or 0, "  ", reason[1], "\n") end
        assert.is_true((reason.count or 0) > 0, "no file needs the reason any more: " .. reason[1])
      end
    end
  end)

  it("names the pixels that are OB with more than 8 bits", function()
    need.data()
    local count = 0
    for _, name in ipairs(manifest()) do
      local ds = assert(dicom.open(need.folder .. "/" .. name))
      for _, f in ipairs(assert(ds:validate())) do
        if f.text:find "more than 8 bits" then
          assert.equal("OB", ds:vr "PixelData")
          assert.is_true(ds.BitsAllocated > 8)
          assert.is_truthy(core.uid_entry(ds.syntax):find "Endian")
          count = count + 1
        end
      end
    end
    assert.equal(8, count)
  end)
end)
