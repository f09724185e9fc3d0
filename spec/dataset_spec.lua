-- SPDX-License-Identifier: MIT
-- Data sets as a whole: opening, walking, copies, tables, bytes, memory.
local dicom = require "dicom"
local bytes = require "spec.support.bytes"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"

local function raises(what, f)
  local ok, err = pcall(f)
  assert.is_false(ok, "did not raise")
  assert.is_truthy(tostring(err):find(what, 1, true), tostring(err))
  return err
end

local function synthetic(name)
  return need.data("synthetic/" .. name)
end

describe("dicom.open", function()
  it("takes a path, or bytes: a string with a NUL byte", function()
    local path = synthetic "vrs/all_vrs_explicit_le.dcm"
    local from_file = assert(dicom.open(path))
    local f = assert(io.open(path, "rb"))
    local from_bytes = assert(dicom.open(f:read "a"))
    f:close()
    assert.equal("/", from_file.path:sub(1, 1))
    assert.equal("/shared/data/synthetic/vrs/all_vrs_explicit_le.dcm", from_file.path:sub(-50))
    assert.is_nil(from_bytes.path)
    assert.equal(EXPLICIT, from_file.syntax)
    assert.equal(#from_file, #from_bytes)
    assert.equal(from_file:bytes(), from_bytes:bytes())
  end)

  it("gives nil and an error for what is not there, and for what is not DICOM", function()
    local ds, err = dicom.open "/nonexistent/file"
    assert.is_nil(ds)
    assert.equal("system", err.code)
    ds, err = dicom.open("\0not dicom at all, but long enough to look at")
    assert.is_nil(ds)
    assert.is_truthy(require "dicom.error".is(err))
    ds, err = dicom.open(bytes.explicit({ 0x00080060, "CS", "CT" }):sub(1, -2), { syntax = EXPLICIT, strict = true })
    assert.is_nil(ds)
    assert.equal(0x00080060, err.tag)
    assert.equal(0, err.offset)
  end)

  it("raises on options that do not exist, and on what is neither path nor bytes", function()
    raises("no option 'strikt'", function() dicom.open("\0", { strikt = true }) end)
    raises("no option 'size2'", function() dicom.open("/x", { size2 = 1 }) end)
    raises("not a transfer syntax", function() dicom.open("\0", { syntax = "1.2.3" }) end)
    raises("true or false", function() dicom.open("\0", { strict = 1 }) end)
    raises("no option 'deep'", function() dicom.open("\0", { limits = { deep = 1 } }) end)
    raises("out of range", function() dicom.open("\0", { limits = { depth = 0 } }) end)
    raises("string expected", function() dicom.open(nil) end)
    raises("dataset_spec.lua:", function() dicom.open("\0", { strikt = true }) end)
  end)

  it("stops where it is told, by keyword or by tag", function()
    local raw = bytes.explicit({ 0x00080060, "CS", "CT" }, { 0x00100010, "PN", "A " }, { 0x00200013, "IS", "1 " })
    assert.equal(1, #dicom.open(raw, { syntax = EXPLICIT, stop = "PatientName" }))
    assert.equal(2, #dicom.open(raw, { syntax = "ExplicitVRLittleEndian", stop = 0x00200000 }))
  end)

  it("keeps to the limits it is given", function()
    local raw = bytes.explicit({ 0x00080060, "CS", "CT" }, { 0x00100010, "PN", "A " })
    assert.equal("too many elements", select(2, dicom.open(raw, { syntax = EXPLICIT, limits = { elements = 1 } })).code)
  end)
end)

describe("every character set", function()
  local function unescape(s)
    return (s:gsub("\\r", "\r"):gsub("\\n", "\n"))
  end

  it("reads as expected, is written and read again", function()
    local known, unknown = 0, 0
    for line in io.lines(synthetic "charsets/expected.tsv") do
      local file, set, name, comments = line:match "^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$"
      if file and file:sub(1, 1) ~= "#" then
        local ds = assert(dicom.open(need.data(file)))
        if set == "ISO_IR 999" then
          unknown = unknown + 1
          assert.equal(name, ds:text "PatientName")
        else
          known = known + 1
          assert.equal(name, ds.PatientName, file)
          if comments ~= "" then assert.equal(unescape(comments), ds.PatientComments, file) end
          ds.PatientName = name
          assert.equal(name, ds.PatientName, file)
          assert.equal(set, ds:text "SpecificCharacterSet" or "", file)
          ds.SpecificCharacterSet = "ISO_IR 192"
          assert.equal(name, ds:raw("PatientName"), file)
        end
      end
    end
    assert.is_true(known >= 22)
    assert.equal(1, unknown)
  end)
end)

describe("every VR in every transfer syntax", function()
  local function of(name)
    return assert(dicom.open(synthetic("vrs/all_vrs_" .. name .. ".dcm")))
  end

  local function values(ds)
    local t = ds:totable()
    for _, k in ipairs { "0099,101D", "0099,101E", "0099,101F", "0099,1020", "0099,1021" } do
      t[k] = nil -- the big endian file holds these unswapped (see its README)
    end
    return t
  end

  it("reads the same", function()
    local reference = values(of "explicit_le")
    assert.same(reference, values(of "deflated_le"))
    assert.same(reference, values(of "explicit_be"))
    assert.equal("X", reference["0099,1060"][1].CodeValue)
    assert.same({ vr = "SV", math.mininteger, math.maxinteger }, reference["0099,1027"])
    assert.same({ vr = "UV", 0, -1 }, reference["0099,1030"])
    assert.equal("deep", reference["0099,1060"][1].ContentSequence[1].TextValue)
  end)

  it("comes back from a table", function()
    local ds = of "explicit_le"
    local t = ds:totable()
    t["0099,1015"][2] = 0.5 -- a DS of 17 characters: more than what is written may have
    assert.same(t, dicom.dataset(t):totable())
  end)

  it("is written in every syntax and read again", function()
    local ds = dicom.dataset(of "explicit_le":totable())
    for _, syntax in ipairs { EXPLICIT, IMPLICIT, BIG, "1.2.840.10008.1.2.1.99" } do
      local again = assert(dicom.open(assert(ds:bytes { syntax = syntax, part10 = true })))
      assert.equal(syntax, again.syntax)
      assert.equal(#ds, #again)
      if syntax ~= IMPLICIT then
        assert.equal("Family^Given^Middle^Dr^III=家^名=かな", again["0099,1022"][1])
        assert.equal(-2.25, again["0099,1018"][2])
      end
    end
  end)
end)

describe("elements and walk", function()
  it("describe each element as it stands in its source", function()
    local item = bytes.item(bytes.explicit({ 0x00080100, "SH", "A " }))
    local ds = dicom.open(bytes.explicit({ 0x00080060, "CS", "CT" }, { 0x00081110, "SQ", item },
      { 0x00090010, "LO", "ACME" }, { 0x00091001, "UN", "\1\2" }, { 0x00100010, "UN", "A " }), { syntax = EXPLICIT })
    local seen = {}
    for e in ds:elements() do seen[#seen + 1] = e end
    assert.same({ tag = 0x00080060, key = "Modality", vr = "CS", length = 2, hold = "bytes", offset = 0,
      keyword = "Modality",
      name = "Modality" }, seen[1])
    assert.equal("items", seen[2].hold)
    assert.equal(1, seen[2].items)
    assert.equal(#item, seen[2].length)
    assert.equal("ACME", seen[4].creator)
    assert.equal("0009,1001", seen[4].key)
    assert.equal("UN", seen[5].vr)
    assert.equal("PN", seen[5].read_as)
    assert.equal(5, #seen)
  end)

  it("gives undefined lengths and fragments", function()
    local path = need.data "synthetic/vrs/all_vrs_explicit_le.dcm"
    assert.is_truthy(path)
    local raw = "\8\0\x10\x11SQ\0\0\xFF\xFF\xFF\xFF" .. "\xFE\xFF\0\xE0\xFF\xFF\xFF\xFF" .. "\xFE\xFF\x0D\xE0\0\0\0\0"
      .. "\xFE\xFF\xDD\xE0\0\0\0\0" .. "\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF" .. "\xFE\xFF\0\xE0\0\0\0\0"
      .. "\xFE\xFF\0\xE0\4\0\0\0abcd" .. "\xFE\xFF\xDD\xE0\0\0\0\0"
    local ds = assert(dicom.open(raw, { syntax = "1.2.840.10008.1.2.4.50" }))
    local seen = {}
    for e in ds:elements() do seen[#seen + 1] = e end
    assert.equal(0xFFFFFFFF, seen[1].length)
    assert.same({ 0, 4 }, seen[2].fragments)
    assert.equal(1, #ds.PixelData)
    assert.equal("abcd", ds.PixelData[1])
    assert.equal("", ds.PixelData[0])
    raises("read only", function() ds.PixelData[1] = "x" end)
    assert.equal("cannot convert", select(2, ds:bytes { syntax = EXPLICIT }).code)
    local copy = dicom.dataset { PatientID = "1" }
    copy.PixelData = ds.PixelData
    assert.equal("abcd", copy.PixelData[1])
  end)

  it("walk all depths in order, and may change what they are at", function()
    local ds = dicom.dataset { PatientID = "1", ContentSequence = { { TextValue = "a",
      ContentSequence = { { TextValue = "b" } } },
      { TextValue = "c" } } }
    local paths = {}
    for e, holder, path in ds:walk() do
      paths[#paths + 1] = path
      if e.keyword == "TextValue" then
        assert.equal(holder.TextValue, ds:get(path))
        holder.TextValue = nil
      end
    end
    assert.same({ "PatientID", "ContentSequence", "ContentSequence[1].TextValue", "ContentSequence[1].ContentSequence",
      "ContentSequence[1].ContentSequence[1].TextValue", "ContentSequence[2].TextValue" }, paths)
    for e, holder in ds:walk() do if e.vr == "SQ" then holder[e.tag] = nil end end
    assert.equal(1, #ds)
  end)

  it("pairs gives keyword and value in order, and survives changes", function()
    local ds = dicom.dataset { PatientID = "1", Modality = "CT", ["0009,0010"] = "ACME", ["0009,1001"] = { vr = "LO",
      "x" } }
    local keys = {}
    for k, v in pairs(ds) do
      keys[#keys + 1] = k
      assert.equal(tostring(ds[k]), tostring(v))
      ds[k] = nil
    end
    assert.same({ "Modality", "0009,0010", "0009,1001", "PatientID" }, keys)
    assert.equal(0, #ds)
  end)

  it("pairs names repeating groups by tag: their keyword is the first group's", function()
    local ds = dicom.dataset { [0x60020010] = 5, OverlayRows = 7 }
    local keys = {}
    for k, v in pairs(ds) do keys[k] = v end
    assert.same({ OverlayRows = 7, ["6002,0010"] = 5 }, keys)
  end)
end)

describe("copies and tables", function()
  it("a copy is deep", function()
    local ds = dicom.dataset { PatientID = "1", ContentSequence = { { TextValue = "a" } } }
    local copy = ds:copy()
    copy.PatientID = "2"
    copy.ContentSequence[1].TextValue = "b"
    assert.equal("1", ds.PatientID)
    assert.equal("a", ds.ContentSequence[1].TextValue)
    assert.is_false(ds == copy)
    ds:close()
    assert.equal("b", copy.ContentSequence[1].TextValue)
  end)

  it("a copy of an item stands alone; dicom.dataset(item) is the same", function()
    local ds = dicom.dataset { SpecificCharacterSet = "ISO_IR 100", ContentSequence = { { TextValue = "Größe" } } }
    for _, copy in ipairs { ds.ContentSequence[1]:copy(), dicom.dataset(ds.ContentSequence[1]) } do
      assert.equal("Größe", copy.TextValue)
      assert.is_string(copy:bytes())
    end
    raises("copied first", function() ds.ContentSequence[1]:bytes() end)
  end)

  it("a table is converted both ways", function()
    local t = { PatientName = "DOE^JANE", ImageType = { "A", "B" }, Rows = 5, SliceThickness = 1.5,
      PatientComments = "",
      ContentSequence = { { TextValue = "a", ContentSequence = { {} } } }, PixelData = "\1\2", BitsAllocated = 8 }
    assert.same(t, dicom.dataset(t):totable())
  end)

  it("keeps what a table cannot type: VR of unknown elements, text that does not parse", function()
    local ds = dicom.open(bytes.explicit({ 0x00180050, "DS", "1,5 " }, { 0x00280030, "DS", "0.5\\x " },
      { 0x00990010, "LO", "NOBODY" },
      { 0x00991001, "US", "\1\0\2\0" }, { 0x00991002, "UN", "ab" }), { syntax = EXPLICIT })
    local t = ds:totable()
    assert.same({ vr = "DS", "1,5" }, t.SliceThickness)
    assert.same({ vr = "DS", "0.5", "x" }, t.PixelSpacing)
    assert.same({ vr = "US", 1, 2 }, t["0099,1001"])
    assert.same({ vr = "UN", "ab" }, t["0099,1002"])
  end)

  it("what is no data set is refused", function()
    raises("made from a table", function() dicom.dataset(5) end)
    raises("dataset_spec.lua:", function() dicom.dataset { PatientNme = 1 } end)
    raises("a key is", function() dicom.dataset { [true] = 1 } end)
    raises("is not a VR", function() dicom.dataset():set(0x00990010, "x", "ZZ") end)
  end)

  it("tostring holds no patient data", function()
    local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.2", PatientName = "DOE^JANE" }
    assert.equal("data set: CT Image Storage, 2 elements", tostring(ds))
    assert.equal("data set: 0 elements", tostring(dicom.dataset()))
    assert.equal("data set: file meta, 0 elements", tostring(ds.meta))
  end)

  it("messages hold no patient data", function()
    local ds = dicom.dataset()
    for k, v in pairs { StudyDate = "SECRET", PatientName = "SECRET\\B", Rows = "SECRET",
      ImageType = { "SECRET secret" } } do
      local _, err = pcall(function() ds[k] = v end)
      assert.is_nil(tostring(err):find "SECRET")
    end
  end)
end)

describe("saving", function()
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("takes a path, or a table, or goes over the file it came from", function()
    local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID = "1.2.3", PatientID = "1" }
    assert.is_true(ds:save(path))
    local again = assert(dicom.open(path))
    again.PatientID = "2"
    assert.is_true(again:save())
    assert.equal("2", dicom.open(path).PatientID)
    again.PatientID = "3"
    assert.is_true(again:save { path = path, durable = true, syntax = IMPLICIT })
    assert.equal("3", dicom.open(path).PatientID)
    assert.equal(IMPLICIT, dicom.open(path).syntax)
    raises("save needs a path", function() ds:save() end)
    local ok, err = ds:save "/nonexistent/folder/x.dcm"
    assert.is_nil(ok)
    assert.equal("system", err.code)
  end)
end)

describe("memory", function()
  -- Kilobytes of the process.
  local function resident()
    for line in io.lines "/proc/self/status" do
      local kb = line:match "^VmRSS:%s+(%d+)"
      if kb then return tonumber(kb) end
    end
  end

  it("stays flat while a value is set again and again", function()
    need.release_build()
    local ds = dicom.dataset { PatientName = "A", ImageType = { "A" } }
    local function spin(n)
      for i = 1, n do
        ds.PatientName = i % 2 == 0 and "A" or "A longer name than before"
        ds.SliceThickness = i
      end
    end
    spin(1000)
    local before = resident()
    spin(500000)
    assert.is_true(resident() - before < 4096)
  end)

  it("stays flat while items come and go", function()
    need.release_build()
    local ds = dicom.dataset()
    local function spin(n)
      for _ = 1, n do
        ds.ContentSequence = { { TextValue = "a", ContentSequence = { {}, { PatientID = "1" } } }, {} }
        ds.ContentSequence[1] = nil
      end
    end
    spin(1000)
    local before = resident()
    spin(50000)
    assert.is_true(resident() - before < 4096)
  end)

  it("of data sets that nobody holds is given back without asking: the collector knows of it", function()
    need.release_build()
    local raw = dicom.dataset { BitsAllocated = 8, PixelData = ("x"):rep(1 << 20) }:bytes()
    local before = resident()
    for _ = 1, 400 do assert(dicom.open(raw, { syntax = EXPLICIT })) end
    assert.is_true(resident() - before < 100 << 10)
  end)

  it("and descriptors: 50,000 data sets of 0.5 MB are held open with 256 descriptors, and read from", function()
    need.release_build()
    local folder = sh.folder()
    local script = sh.write(folder .. "/many.lua", [[
      local dicom, folder = require "dicom", ...
      local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID = "1.2.3",
        BitsAllocated = 16, PixelData = ("\1\2"):rep(512 * 512) }
      for i = 1, 300 do
        ds.InstanceNumber = i
        assert(ds:save(folder .. "/" .. i))
      end
      local t, sum = {}, 0
      for i = 1, 50000 do t[i] = assert(dicom.open(folder .. "/" .. i % 300 + 1)) end
      for i = 1, 50000, 50 do sum = sum + t[i].PixelData[i] + (t[i].InstanceNumber == i % 300 + 1 and 0 or 1) end
      print(sum)]])
    local r = sh.run(("ulimit -n 256; LUA_PATH='%s' LUA_CPATH='%s' lua5.4 %s %s"):format(package.path, package.cpath,
      script, folder))
    assert.same({ 0, "513000\n", "" }, { r.code, r.out, r.err })
  end)
end)
