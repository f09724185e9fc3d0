-- SPDX-License-Identifier: MIT
-- The table of values, row by row in its order. Each row is quoted.
local dicom = require "dicom"
local core = require "dicom.core"
local bytes = require "spec.support.bytes"

local EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"

-- A bare data set in explicit little endian, from { tag, vr, value } rows.
local function explicit(...)
  return assert(dicom.open(bytes.explicit(...), { syntax = EXPLICIT }))
end

local function implicit(...)
  return assert(dicom.open(bytes.implicit(...), { syntax = IMPLICIT }))
end

local function raises(what, f)
  local ok, err = pcall(f)
  assert.is_false(ok, "did not raise")
  assert.is_truthy(tostring(err):find(what, 1, true), tostring(err))
  return err
end

describe("unknown keyword: raises on reading and on writing, with the nearest one named", function()
  local ds = dicom.dataset { PatientName = "DOE^JANE" }

  it("by index", function()
    local err = raises("nearest is 'PatientName'", function() return ds.PatientNme end)
    assert.equal("usage", err.code)
    raises("PatientName", function() ds.PatientNme = "X" end)
  end)

  it("in methods and in paths", function()
    for _, method in ipairs { "get", "has", "text", "values", "raw", "vr", "remove" } do
      raises("'Modality'", function() return ds[method](ds, "Modalty") end)
    end
    raises("'CodeValue'", function() ds:get "ConceptNameCodeSequence[1].CodeValu" end)
    raises("'CodeValue'", function() dicom.dataset { ConceptNameCodeSequence = { { CodeValu = "1" } } } end)
  end)

  it("names the line of the caller", function()
    raises("values_spec.lua:", function() return ds.Modalty end)
  end)
end)

describe("absent: nil", function()
  it("whatever its type", function()
    local ds = dicom.dataset()
    for _, keyword in ipairs { "PatientName", "ImageType", "Rows", "PixelData", "ReferencedStudySequence" } do
      assert.is_nil(ds[keyword])
      assert.is_nil((ds:get(keyword)))
      assert.is_false(ds:has(keyword))
      assert.is_nil((ds:text(keyword)))
      assert.is_nil((ds:values(keyword)))
      assert.is_nil((ds:raw(keyword)))
      assert.is_nil(ds:vr(keyword))
    end
    assert.is_nil(ds[0x00100010])
    assert.is_nil(ds["0010,0010"])
    assert.is_nil(ds:get "ReferencedStudySequence[1].ReferencedSOPInstanceUID")
  end)
end)

describe([[present and empty: text, number with VM 1, list, sequence:
    "", nil with ds:has(k) true, empty view, # 0]], function()
  local function check(ds)
    assert.equal("", ds.PatientName)
    assert.is_nil(ds.Rows)
    assert.is_nil(ds.SliceThickness)
    assert.equal(0, #ds.ImageType)
    assert.is_nil(ds.ImageType[1])
    assert.equal(0, #ds.PixelSpacing)
    assert.equal(0, #ds.ReferencedStudySequence)
    assert.is_nil(ds.ReferencedStudySequence[1])
    for _, k in ipairs { "PatientName", "Rows", "SliceThickness", "ImageType", "PixelSpacing",
      "ReferencedStudySequence" } do
      assert.is_true(ds:has(k))
    end
  end

  it("as read", function()
    check(explicit({ 0x00080008, "CS", "" }, { 0x00081110, "SQ", "" }, { 0x00100010, "PN", "" },
      { 0x00180050, "DS", "  " }, { 0x00280010, "US", "" }, { 0x00280030, "DS", "" }))
  end)

  it([[written by "" or {}; nil removes]], function()
    local ds = dicom.dataset { PatientName = "A", Rows = 1, SliceThickness = 2.5, ImageType = { "A", "B" },
      PixelSpacing = { 1, 1 }, ReferencedStudySequence = { {} } }
    for _, k in ipairs { "PatientName", "Rows", "SliceThickness", "ImageType" } do ds[k] = "" end
    for _, k in ipairs { "PixelSpacing", "ReferencedStudySequence" } do ds[k] = {} end
    check(ds)
    for k in pairs(ds) do ds[k] = nil end
    assert.equal(0, #ds)
  end)
end)

describe("several values: a live view", function()
  local ds
  before_each(function() ds = dicom.dataset { ImageType = { "ORIGINAL", "PRIMARY" }, PixelSpacing = { 0.5, 0.25 } } end)

  it("#, index, ipairs", function()
    assert.equal(2, #ds.ImageType)
    assert.equal("PRIMARY", ds.ImageType[2])
    assert.is_nil(ds.ImageType[3])
    local seen = {}
    for i, v in ipairs(ds.PixelSpacing) do seen[i] = v end
    assert.same({ 0.5, 0.25 }, seen)
  end)

  it("writing through", function()
    local v = ds.ImageType
    v[1] = "DERIVED"
    v[#v + 1] = "AXIAL"
    assert.equal("DERIVED\\PRIMARY\\AXIAL", ds:text "ImageType")
    v[#v] = nil
    assert.equal("DERIVED\\PRIMARY", ds:text "ImageType")
  end)

  it([[==, tostring joined by a backslash, v:has "ORIGINAL", v:copy()]], function()
    assert.is_true(ds.ImageType == dicom.dataset { ImageType = { "ORIGINAL", "PRIMARY" } }.ImageType)
    assert.is_false(ds.ImageType == dicom.dataset { ImageType = { "ORIGINAL" } }.ImageType)
    assert.equal("ORIGINAL\\PRIMARY", tostring(ds.ImageType))
    assert.is_true(ds.ImageType:has "ORIGINAL")
    assert.is_false(ds.ImageType:has "ORIGIN")
    assert.same({ "ORIGINAL", "PRIMARY" }, ds.ImageType:copy())
  end)

  it("one value is a list, too: the type never depends on the data", function()
    ds.ImageType = "ORIGINAL"
    assert.equal("userdata", type(ds.ImageType))
    assert.equal(1, #ds.ImageType)
  end)
end)

describe("several values where the dictionary says one: the first, a note in ds.repairs, all by ds:values(k); " ..
    "strict refuses", function()
  it("text and numbers", function()
    local ds = explicit({ 0x00080060, "CS", "CT\\MR " }, { 0x00280010, "US", "\1\0\2\0" })
    assert.equal(0, #ds.repairs)
    assert.equal("CT", ds.Modality)
    assert.equal("CT", ds.Modality)
    assert.equal(1, #ds.repairs)
    assert.equal(0x00080060, ds.repairs[1].tag)
    assert.equal(0, ds.repairs[1].offset)
    assert.same({ "CT", "MR" }, ds:values "Modality")
    assert.equal(1, ds.Rows)
    assert.same({ 1, 2 }, ds:values "Rows")
    assert.equal(2, #ds.repairs)
  end)

  it("strict refuses", function()
    local raw = bytes.explicit({ 0x00080060, "CS", "CT\\MR " })
    local ds, err = dicom.open(raw, { syntax = EXPLICIT, strict = true })
    assert.is_nil(ds)
    assert.equal("needs repair", err.code)
    assert.equal(0x00080060, err.tag)
    assert.is_truthy(dicom.open(bytes.explicit({ 0x00080008, "CS", "A\\B " }), { syntax = EXPLICIT, strict = true }))
  end)
end)

describe("a value that does not parse or decode: ds.X raises; ds:get(k) gives nil, err; " ..
    "ds:text(k) the characters", function()
  it("numbers", function()
    local ds = explicit({ 0x00180050, "DS", "1,5 " })
    assert.equal("bad value", raises("does not have the form", function() return ds.SliceThickness end).code)
    local v, err = ds:get "SliceThickness"
    assert.is_nil(v)
    assert.equal("bad value", err.code)
    assert.equal(0x00180050, err.tag)
    assert.equal("1,5", ds:text "SliceThickness")
  end)

  it("text that its set does not hold", function()
    local ds = explicit({ 0x00080005, "CS", "ISO_IR 192" }, { 0x00100010, "PN", "A\xFFB " })
    assert.equal("bad text", raises("Specific Character Set", function() return ds.PatientName end).code)
    assert.equal("bad text", select(2, ds:get "PatientName").code)
    assert.equal("A\u{FFFD}B", ds:text "PatientName")
  end)

  it("one number of a list", function()
    local ds = explicit({ 0x00280030, "DS", "0.5\\x " })
    assert.equal(0.5, ds.PixelSpacing[1])
    raises("form of its VR", function() return ds.PixelSpacing[2] end)
    assert.equal("0.5\\x", ds:text "PixelSpacing")
  end)
end)

describe("VR in the file is not the dictionary's: the dictionary's Lua type if the bytes convert, else as above; " ..
    "UN and implicit are read by dictionary", function()
  it("text in another text VR, numbers in another number VR", function()
    local ds = explicit({ 0x00100020, "SH", "123 " }, { 0x00180050, "FD", string.pack("<d", 2.5) },
      { 0x00200013, "US", "\7\0" }, { 0x00280010, "IS", "512 " })
    assert.equal("123", ds.PatientID)
    assert.equal(2.5, ds.SliceThickness)
    assert.equal("integer", math.type(ds.InstanceNumber))
    assert.equal(7, ds.InstanceNumber)
    assert.equal(512, ds.Rows)
  end)

  it("what does not convert", function()
    local ds = explicit({ 0x00100020, "US", "\1\0" }, { 0x00280010, "FD", string.pack("<d", 1.5) })
    raises("form of its VR", function() return ds.PatientID end)
    assert.is_nil((ds:get "Rows"))
    assert.equal("1.5", ds:text "Rows")
  end)

  it("UN and implicit are read by dictionary", function()
    local un = explicit({ 0x00100010, "UN", "DOE^JANE" }, { 0x00280010, "UN", "\0\2" })
    assert.equal("DOE^JANE", un.PatientName)
    assert.equal(512, un.Rows)
    local ds = implicit({ 0x00100010, "DOE^JANE" }, { 0x00280010, "\0\2" })
    assert.equal("DOE^JANE", ds.PatientName)
    assert.equal(512, ds.Rows)
  end)
end)

describe("tag in no dictionary: the file's VR decides; a list view; UN: bytes", function()
  it("reads", function()
    local ds = explicit({ 0x00990010, "LO", "NOBODY" }, { 0x00991001, "DS", "1.5\\2 " }, { 0x00991002, "UN", "\1\2" },
      { 0x00991003, "LO", "one " })
    assert.same({ 1.5, 2.0 }, ds[0x00991001]:copy())
    assert.equal("\1\2", ds[0x00991002])
    assert.equal(1, #ds["0099,1003"])
    assert.equal("one", ds["00991003"][1])
  end)

  it("writes with the VR that is there, or the one given", function()
    local ds = explicit({ 0x00990010, "LO", "NOBODY" }, { 0x00991001, "DS", "1.5 " })
    ds[0x00991001] = { 2, 3 }
    assert.equal("DS", ds:vr(0x00991001))
    assert.equal("2\\3", ds:text(0x00991001))
    raises("give its VR", function() ds[0x00991002] = "x" end)
    ds:set(0x00991002, "x", "LO")
    assert.equal("LO", ds:vr(0x00991002))
    assert.equal("x", ds[0x00991002][1])
  end)
end)

describe("US or SS, OB or OW: numbers by Pixel Representation; bulk is one numeric array view", function()
  it("US or SS", function()
    local function smallest(representation)
      return implicit({ 0x00280103, string.pack("<I2", representation) }, { 0x00280106,
        "\xFF\xFF" }).SmallestImagePixelValue
    end
    assert.equal(65535, smallest(0))
    assert.equal(-1, smallest(1))
  end)

  it("US or SS when written", function()
    local ds = dicom.dataset { PixelRepresentation = 1, SmallestImagePixelValue = -5 }
    assert.equal("SS", ds:vr "SmallestImagePixelValue")
    assert.equal(-5, ds.SmallestImagePixelValue)
    raises("from 0 to 65535", function() dicom.dataset { PixelRepresentation = 0, SmallestImagePixelValue = -5 } end)
  end)

  it("US or SS of a table whatever the order of its pairs", function()
    local t = { PixelRepresentation = 1 }
    local keywords = { "SmallestImagePixelValue", "LargestImagePixelValue", "SmallestPixelValueInSeries",
      "LargestPixelValueInSeries", "PixelPaddingValue", "PixelPaddingRangeLimit", "SmallestImagePixelValueInPlane",
      "LargestImagePixelValueInPlane" }
    for _, k in ipairs(keywords) do t[k] = -7 end
    local ds = dicom.dataset(t)
    for _, k in ipairs(keywords) do assert.equal(-7, ds[k]) end
  end)

  it("US or SS of an item by the data set around it", function()
    local ds = dicom.dataset { PixelRepresentation = 1, ModalityLUTSequence = { { LUTDescriptor = { 256, -1, 16 } } } }
    assert.equal("SS", ds.ModalityLUTSequence[1]:vr "LUTDescriptor")
    assert.equal(-1, ds.ModalityLUTSequence[1].LUTDescriptor[2])
  end)

  it("OB or OW", function()
    local ds = dicom.dataset { BitsAllocated = 16, PixelData = { 1, 65535, 3 } }
    assert.equal("OW", ds:vr "PixelData")
    assert.equal(3, #ds.PixelData)
    assert.equal(65535, ds.PixelData[2])
    assert.equal("\1\0\xFF\xFF\3\0", ds:raw "PixelData")
    ds = dicom.dataset { BitsAllocated = 8, PixelData = "\1\2\xFF" }
    assert.equal("OB", ds:vr "PixelData")
    assert.same({ 1, 2, 255 }, ds.PixelData:copy())
  end)

  it("bulk never builds a table", function()
    local ds = dicom.dataset { BitsAllocated = 16, PixelData = ("\1\0"):rep(1 << 20) }
    collectgarbage() collectgarbage()
    local before = collectgarbage "count"
    local v, sum = ds.PixelData, 0
    for i = 1, #v, 4096 do sum = sum + v[i] end
    assert.equal(256, sum)
    assert.is_true(collectgarbage "count" - before < 64)
  end)
end)

describe("DS, IS: numbers; the exact text is kept and is ds:text(k)", function()
  it("read", function()
    local ds = explicit({ 0x00180050, "DS", "+1.500 " }, { 0x00200013, "IS", "007 " })
    assert.equal(1.5, ds.SliceThickness)
    assert.equal("float", math.type(ds.SliceThickness))
    assert.equal("+1.500", ds:text "SliceThickness")
    assert.equal(7, ds.InstanceNumber)
    assert.equal("integer", math.type(ds.InstanceNumber))
    assert.equal("007", ds:text "InstanceNumber")
  end)

  it("written from a number as the shortest text that fits and reads back", function()
    local ds = dicom.dataset()
    for v, text in pairs { [0.1] = "0.1", [2] = "2", [-1.5] = "-1.5", [1e22] = "1e22",
      [math.pi] = "3.14159265358979" } do
      ds.SliceThickness = v
      assert.equal(text, (ds:text("SliceThickness"):lower():gsub("e%+", "e")))
      assert.is_true(#ds:text "SliceThickness" <= 16)
    end
    ds.InstanceNumber = 12
    assert.equal("12", ds:text "InstanceNumber")
    ds.InstanceNumber = 12.0
    assert.equal("12", ds:text "InstanceNumber")
  end)

  it("written from a string as it is, once it has the form", function()
    local ds = dicom.dataset { SliceThickness = "1.50", InstanceNumber = "012" }
    assert.equal("1.50", ds:text "SliceThickness")
    assert.equal(12, ds.InstanceNumber)
    raises("DS", function() ds.SliceThickness = "1,5" end)
    raises("IS", function() ds.InstanceNumber = "1.5" end)
  end)

  it("what has no text is refused", function()
    local ds = dicom.dataset()
    raises("finite", function() ds.SliceThickness = 1 / 0 end)
    raises("fraction", function() ds.InstanceNumber = 1.5 end)
    raises("2147483647", function() ds.InstanceNumber = 1 << 31 end)
  end)
end)

describe("PN, DA, TM, DT, UI, AT: strings; AT is an integer 0xggggeeee", function()
  it("strings", function()
    local ds = explicit({ 0x00080018, "UI", "1.2.3\0" }, { 0x00080020, "DA", "20240229" }, { 0x00080030, "TM", "1200" },
      { 0x00080012, "DA", "20240229" }, { 0x00100010, "PN", "DOE^JANE" })
    assert.is_true(ds.PatientName == "DOE^JANE")
    assert.equal("20240229", ds.StudyDate)
    assert.equal("1200", ds.StudyTime)
    assert.equal("1.2.3", ds.SOPInstanceUID)
  end)

  it("AT", function()
    local ds = explicit({ 0x00280009, "AT", "\x18\0\x63\x10" })
    assert.equal(0x00181063, ds.FrameIncrementPointer[1])
    assert.equal("(0018,1063)", ds:text "FrameIncrementPointer")
    ds.FrameIncrementPointer = { "FrameTimeVector", 0x00540010, "0018,1063" }
    assert.same({ 0x00181065, 0x00540010, 0x00181063 }, ds.FrameIncrementPointer:copy())
    raises("nearest", function() ds.FrameIncrementPointer = "FrameTimeVectr" end)
  end)
end)

describe("UV above 2^63: a Lua integer with the same bits", function()
  it("both ways", function()
    local ds = explicit({ 0x00990010, "LO", "X " }, { 0x00991002, "UV", ("\xFF"):rep(8) })
    ds:set(0x00991001, -2, "UV")
    assert.equal(-2, ds[0x00991001][1])
    assert.equal("\xFE" .. ("\xFF"):rep(7), ds:raw(0x00991001))
    assert.equal("18446744073709551614", ds:text(0x00991001))
    assert.equal(-1, ds[0x00991002][1])
    assert.is_true(math.ult(math.maxinteger, ds[0x00991002][1]))
  end)
end)

describe("text: UTF-8 both ways by Specific Character Set; changing the set re-encodes every text", function()
  local latin = { 0x00080005, "CS", "ISO_IR 100" }

  it("reads and writes by the set", function()
    local ds = explicit(latin, { 0x00100010, "PN", "M\xFCller" })
    assert.equal("Müller", ds.PatientName)
    ds.PatientName = "Größe"
    assert.equal("Gr\xF6\xDFe", ds:raw "PatientName")
    assert.equal("Größe", ds.PatientName)
  end)

  it("changing the set re-encodes text here and in items that inherit it", function()
    local ds = dicom.dataset { SpecificCharacterSet = "ISO_IR 100", PatientName = "Müller",
      RequestAttributesSequence = {
      { ScheduledProcedureStepDescription = "Schädel" },
      { SpecificCharacterSet = "ISO_IR 144", ScheduledProcedureStepDescription = "Глава" } } }
    local own = ds.RequestAttributesSequence[2]:raw "ScheduledProcedureStepDescription"
    ds.SpecificCharacterSet = "ISO_IR 192"
    assert.equal("Müller", ds:raw "PatientName")
    assert.equal("Schädel", ds.RequestAttributesSequence[1]:raw "ScheduledProcedureStepDescription")
    assert.equal(own, ds.RequestAttributesSequence[2]:raw "ScheduledProcedureStepDescription")
    assert.equal("Глава", ds.RequestAttributesSequence[2].ScheduledProcedureStepDescription)
    ds.SpecificCharacterSet = "ISO_IR 100"
    assert.equal("M\xFCller", ds:raw "PatientName")
  end)

  it("text that the set cannot hold switches to ISO_IR 192, and the rest follows", function()
    local ds = explicit(latin, { 0x00100010, "PN", "M\xFCller" })
    ds.PatientComments = "日本"
    assert.equal("ISO_IR 192", ds.SpecificCharacterSet[1])
    assert.equal("Müller", ds:raw "PatientName")
    assert.equal("日本", ds.PatientComments)
  end)

  it("an item switches the data set whose set it inherits", function()
    local ds = dicom.dataset { PatientName = "A", RequestAttributesSequence = { {} } }
    ds.RequestAttributesSequence[1].ScheduledProcedureStepDescription = "Größe"
    assert.equal("ISO_IR 192", ds.SpecificCharacterSet[1])
    assert.is_nil(ds.RequestAttributesSequence[1].SpecificCharacterSet)
  end)

  it("a set that cannot hold what is there becomes ISO_IR 192, removed or named", function()
    local ds = dicom.dataset { PatientName = "Müller" }
    ds.SpecificCharacterSet = "ISO_IR 144"
    assert.equal("ISO_IR 192", ds.SpecificCharacterSet[1])
    ds.SpecificCharacterSet = nil
    assert.equal("ISO_IR 192", ds.SpecificCharacterSet[1])
    assert.equal("Müller", ds.PatientName)
  end)

  it("declaring the right set mends text that had none", function()
    local ds = explicit({ 0x00100010, "PN", "M\xFCller" })
    assert.is_nil((ds:get "PatientName"))
    ds.SpecificCharacterSet = "ISO_IR 100"
    assert.equal("Müller", ds.PatientName)
  end)

  it("an unknown set, and bytes that are no UTF-8, are refused", function()
    local ds = dicom.dataset()
    raises("defined term", function() ds.SpecificCharacterSet = "ISO_IR 999" end)
    raises("UTF-8", function() ds.PatientName = "M\xFCller" end)
  end)

  it("text that moves to another data set keeps its meaning", function()
    local from = dicom.dataset { SpecificCharacterSet = "ISO_IR 144",
      RequestAttributesSequence = { { ScheduledProcedureStepDescription = "Глава" } } }
    local to = dicom.dataset { SpecificCharacterSet = "ISO_IR 100", PatientName = "Müller" }
    to.RequestAttributesSequence = from.RequestAttributesSequence
    assert.equal("Глава", to.RequestAttributesSequence[1].ScheduledProcedureStepDescription)
    assert.equal("Müller", to.PatientName)
    assert.equal("Глава", from.RequestAttributesSequence[1]:copy().ScheduledProcedureStepDescription)
  end)
end)

describe("a backslash in a string for a delimited VR: raises and names the list form", function()
  it("in scalars and in lists", function()
    local ds = dicom.dataset()
    raises('{ "A", "B" }', function() ds.PatientName = "A\\B" end)
    raises('{ "A", "B" }', function() ds.ImageType = "A\\B" end)
    raises('{ "A", "B" }', function() ds.ImageType = { "A\\B" } end)
  end)

  it("but not where it separates nothing", function()
    local ds = dicom.dataset { PatientComments = [[C:\x]] }
    assert.equal([[C:\x]], ds.PatientComments)
  end)
end)

describe("padding: trimmed on reading, kept in the file", function()
  it("spaces and NUL", function()
    local raw = bytes.explicit({ 0x00080018, "UI", "1.2.3\0" }, { 0x00080060, "CS", " CT " }, { 0x00104000, "LT",
      " a b  " })
    local ds = dicom.open(raw, { syntax = EXPLICIT })
    assert.equal("1.2.3", ds.SOPInstanceUID)
    assert.equal("CT", ds.Modality)
    assert.equal(" a b", ds.PatientComments)
    assert.equal("1.2.3\0", ds:raw "SOPInstanceUID")
    assert.equal(raw, ds:bytes())
  end)
end)

describe("writing to an item that was removed: raises `no longer part of its data set`", function()
  local ds, item
  before_each(function()
    ds = dicom.dataset { ReferencedStudySequence = { { ReferencedSOPInstanceUID = "1.2" }, {} } }
    item = ds.ReferencedStudySequence[1]
  end)

  local function gone(f)
    assert.equal("gone", raises("no longer part of its data set", f).code)
  end

  it("writing, reading, lists and sequences of it", function()
    item.AccessionNumber = "1"
    ds.ReferencedStudySequence[1] = nil
    gone(function() item.AccessionNumber = "2" end)
    gone(function() return item.AccessionNumber end)
    gone(function() return #item end)
    assert.equal("data set: no longer part of its data set", tostring(item))
  end)

  it("also when the sequence goes, is emptied or the item is replaced", function()
    for _, f in ipairs {
      function() ds.ReferencedStudySequence = nil end,
      function() ds.ReferencedStudySequence = {} end,
      function() ds.ReferencedStudySequence[1] = {} end,
      function() ds:remove "ReferencedStudySequence[1]" end,
    } do
      ds.ReferencedStudySequence = { { PatientID = "1" } }
      item = ds.ReferencedStudySequence[1]
      local list = item.OtherPatientNames
      assert.is_nil(list)
      item.ImageType = { "A" }
      list = item.ImageType
      f()
      gone(function() item.PatientID = "2" end)
      gone(function() list[1] = "B" end)
    end
  end)

  it("a new item in the same memory is not the old one", function()
    ds.ReferencedStudySequence[1] = nil
    ds.ReferencedStudySequence[2] = { PatientID = "new" }
    gone(function() return item.PatientID end)
  end)
end)

describe("assigning an item elsewhere; into its own descendant: deep copy; raises", function()
  it("copies", function()
    local a = dicom.dataset { ReferencedStudySequence = { { ReferencedSOPInstanceUID = "1.2" } } }
    local b = dicom.dataset { ReferencedStudySequence = { a.ReferencedStudySequence[1] } }
    b.ReferencedStudySequence[1].ReferencedSOPInstanceUID = "1.3"
    assert.equal("1.2", a.ReferencedStudySequence[1].ReferencedSOPInstanceUID)
    a.ReferencedStudySequence[2] = b
    assert.equal("1.3", a.ReferencedStudySequence[2].ReferencedStudySequence[1].ReferencedSOPInstanceUID)
  end)

  it("raises into its own descendant", function()
    local ds = dicom.dataset { ContentSequence = { { ContentSequence = { {} } } } }
    local inner = ds.ContentSequence[1].ContentSequence[1]
    local err = raises("cannot hold itself", function() inner.ContentSequence = { ds.ContentSequence[1] } end)
    assert.equal("own descendant", err.code)
    assert.equal(0, inner.ContentSequence and #inner.ContentSequence or 0)
    raises("cannot hold itself", function() inner.ContentSequence = { { ContentSequence = { ds } } } end)
  end)
end)

describe("methods: lower case; keywords are looked up first (one, dBdt, begins in lower case)", function()
  it("dBdt is a keyword", function()
    local ds = dicom.dataset { dBdt = 1.5 }
    assert.equal(1.5, ds.dBdt)
    assert.equal("function", type(ds.get))
  end)

  it("no method or property has the name of a keyword, and none can be assigned", function()
    for name in pairs(core.dataset_methods()) do
      assert.is_nil(core.dict_tag and core.dict_tag(name))
      assert.equal(name:lower(), name)
    end
    local ds = dicom.dataset()
    for _, name in ipairs { "get", "meta", "repairs", "path", "syntax" } do
      raises("cannot be assigned", function() ds[name] = 1 end)
    end
  end)
end)

describe("group 0000 and 0002 on a data set: raises; ds.meta is the file meta", function()
  it("both ways, by keyword and by tag", function()
    local ds = dicom.dataset()
    raises("ds.meta", function() return ds.TransferSyntaxUID end)
    raises("ds.meta", function() ds.TransferSyntaxUID = "1.2" end)
    raises("ds.meta", function() return ds[0x00020010] end)
    raises("messages", function() return ds.MessageID end)
    raises("messages", function() ds[0x00000110] = 1 end)
    raises("group", function() ds:set(0xFFFEE000, "x", "LO") end)
  end)

  it("ds.meta holds group 0002 alone", function()
    local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID = "1.2.3" }
    ds.meta.SourceApplicationEntityTitle = "HERE"
    assert.equal("HERE", ds.meta.SourceApplicationEntityTitle)
    raises("group 0002 alone", function() ds.meta.PatientName = "X" end)
    local meta = assert(dicom.open(assert(ds:bytes { part10 = true }))).meta
    assert.equal("1.2.3", meta.MediaStorageSOPInstanceUID)
    assert.equal(EXPLICIT, meta.TransferSyntaxUID)
  end)
end)
