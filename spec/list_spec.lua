-- SPDX-License-Identifier: MIT
-- Live lists of values: what each operation does to the element, at the edges too.
local dicom = require "dicom"
local bytes = require "spec.support.bytes"

local EXPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"

local function raises(what, f)
  local ok, err = pcall(f)
  assert.is_false(ok, "did not raise")
  assert.is_truthy(tostring(err):find(what, 1, true), tostring(err))
end

describe("a list of values", function()
  it("is live: it shows what others write, and goes on when the element went", function()
    local ds = dicom.dataset { ImageType = { "A", "B" } }
    local v = ds.ImageType
    ds.ImageType = { "C" }
    assert.equal("C", tostring(v))
    ds.ImageType = nil
    assert.equal(0, #v)
    v[1] = "D"
    assert.equal("D", ds:text "ImageType")
  end)

  it("shows changes of the same length in the same place", function()
    local ds = dicom.dataset { ImageType = { "AA", "B", "C" } }
    local v = ds.ImageType
    assert.equal("B", v[2])
    ds.ImageType = { "A", "B", "DD" }
    assert.equal("DD", v[3])
    assert.equal("B", v[2])
  end)

  it("takes values from 1 to # + 1, and loses only the last", function()
    local ds = dicom.dataset { PixelSpacing = { 1, 2 } }
    local v = ds.PixelSpacing
    for _, i in ipairs { 0, -1, 4, 1.5, "x" } do
      raises("from 1 to #list + 1", function() v[i] = 1 end)
    end
    raises("only the last", function() v[1] = nil end)
    v[3] = nil
    assert.equal(2, #v)
    v[2] = nil
    v[1] = nil
    assert.equal(0, #v)
    assert.is_true(ds:has "PixelSpacing")
  end)

  it("is good for the table library", function()
    local ds = dicom.dataset { ImageType = { "A", "B" } }
    local v = ds.ImageType
    table.insert(v, "C")
    table.insert(v, 1, "Z")
    assert.equal("Z\\A\\B\\C", tostring(v))
    assert.equal("A", table.remove(v, 2))
    assert.equal("Z/B/C", table.concat(v, "/"))
    assert.same({ "Z", "B", "C" }, { table.unpack(v) })
  end)

  it("keeps the text of the other numbers when one is written", function()
    local ds = dicom.open(bytes.explicit({ 0x00280030, "DS", "+1.50\\bad\\2.00 " }), { syntax = EXPLICIT })
    ds.PixelSpacing[2] = 7
    assert.equal("+1.50\\7\\2.00", ds:text "PixelSpacing")
    ds.PixelSpacing[4] = "8.0"
    ds.PixelSpacing[1] = nil or 0
    assert.equal("0\\7\\2.00\\8.0", ds:text "PixelSpacing")
  end)

  it("re-encodes when a value does not fit the character set", function()
    local ds = dicom.dataset { SpecificCharacterSet = "ISO_IR 100", OtherPatientNames = { "Müller", "B" } }
    ds.OtherPatientNames[2] = "日本"
    assert.equal("Müller\\日本", tostring(ds.OtherPatientNames))
    assert.equal("ISO_IR 192", ds.SpecificCharacterSet[1])
  end)

  it("tells values of double-byte sets from separators", function()
    local ds = dicom.dataset { SpecificCharacterSet = "GBK" }
    ds.OtherPatientNames = { "乗", "\u{8A89}" }  -- the second byte of one is 5C in GBK
    assert.equal(2, #ds.OtherPatientNames)
    assert.equal("乗", ds.OtherPatientNames[1])
    assert.equal("\u{8A89}", ds.OtherPatientNames[2])
  end)

  it("holds empty values: an empty number is the empty string", function()
    local ds = dicom.open(bytes.explicit({ 0x00080008, "CS", "A\\\\C" }, { 0x00280030, "DS", "1\\" }),
      { syntax = EXPLICIT })
    assert.same({ "A", "", "C" }, ds.ImageType:copy())
    assert.same({ 1, "" }, ds.PixelSpacing:copy())
    assert.equal("", ds.PixelSpacing[2])
    ds.PixelSpacing = ds.PixelSpacing:copy()
    assert.equal("1\\", ds:text "PixelSpacing")
  end)

  it("refuses what is no value of its VR, whole lists too, and then changes nothing", function()
    local ds = dicom.dataset { ImageType = { "A", "B" }, PixelSpacing = { 1, 2 } }
    raises("CS", function() ds.ImageType[1] = "lower" end)
    raises("ImageType (CS) takes a string", function() ds.ImageType[1] = 1 end)
    raises("takes a string", function() ds.ImageType = { "A", true } end)
    raises("PixelSpacing (DS) takes a number", function() ds.PixelSpacing = { {} } end)
    assert.equal("A\\B", tostring(ds.ImageType))
    assert.equal("1\\2", tostring(ds.PixelSpacing))
  end)

  it("copies all of another list of the same attribute, its exact text too", function()
    local from = dicom.open(bytes.explicit({ 0x00280030, "DS", "+1.0\\2.50 " }), { syntax = EXPLICIT })
    local to = dicom.dataset { PixelSpacing = from.PixelSpacing, ImagerPixelSpacing = from.PixelSpacing }
    assert.equal("+1.0\\2.50", to:text "PixelSpacing")
    assert.equal("1\\2.5", to:text "ImagerPixelSpacing")
    to.PixelSpacing = to.PixelSpacing
    assert.equal("+1.0\\2.50", to:text "PixelSpacing")
  end)

  it("walks a long list in linear time", function()
    local t = {}
    for i = 1, 100000 do t[i] = i / 8 end
    local ds = dicom.dataset { DVHData = t }
    local began, n = os.clock(), 0
    for _, v in ipairs(ds.DVHData) do n = n + v end
    assert.equal(100000 * 100001 / 16, n)
    assert.is_true(os.clock() - began < 2)
  end)
end)

describe("numbers of fixed width", function()
  it("are checked against their range", function()
    local ds = dicom.dataset()
    local bad = { { "Rows", -1 }, { "Rows", 65536 }, { "Rows", 1.5 }, { "Rows", "x" }, { "Rows", true },
      { "SimpleFrameList", { 1 << 32 } }, { "RecommendedDisplayFrameRateInFloat", 1e300 } }
    for _, b in ipairs(bad) do raises(b[1], function() ds[b[1]] = b[2] end) end
    ds.Rows = 65535
    assert.equal(65535, ds.Rows)
    ds.RecommendedDisplayFrameRateInFloat = 0.5
    assert.equal(0.5, ds.RecommendedDisplayFrameRateInFloat)
  end)

  it("are read in either byte order, and written little endian", function()
    local be = "\0\x28\0\x10US\0\2\2\0" .. "\0\x28\0\x34IS\0\4" .. "1\\2 "
    local ds = assert(dicom.open(be, { syntax = BIG }))
    assert.equal(512, ds.Rows)
    ds.Rows = 1
    assert.equal("\1\0", ds:raw "Rows")
    assert.equal(1, dicom.open(ds:bytes { syntax = EXPLICIT }, { syntax = EXPLICIT }).Rows)
  end)

  it("take a string of bytes where they are bulk", function()
    local ds = dicom.dataset { BitsAllocated = 16 }
    ds.PixelData = "\1\0\2\0"
    assert.same({ 1, 2 }, ds.PixelData:copy())
    raises("whole numbers", function() ds.PixelData = "\1\0\2" end)
    ds.PixelData[3] = 3
    ds.PixelData[1] = 9
    assert.equal("\9\0\2\0\3\0", ds:raw "PixelData")
    ds.PixelData[3] = nil
    assert.equal("\9\0\2\0", ds:raw "PixelData")
  end)

  it("in place do not touch a copy", function()
    local ds = dicom.dataset { BitsAllocated = 8, PixelData = "\1\2\3\4" }
    local copy = ds:copy()
    ds.PixelData[1] = 9
    assert.equal(1, copy.PixelData[1])
    copy.PixelData[2] = 8
    assert.equal(2, ds.PixelData[2])
    local read = dicom.open(bytes.explicit({ 0x7FE00010, "OB", "\1\2\3\4" }), { syntax = EXPLICIT })
    copy = read:copy()
    read.PixelData[1] = 9
    assert.equal(1, copy.PixelData[1])
    assert.equal(9, read.PixelData[1])
  end)
end)

describe("a value that stays in its file", function()
  local path, count = os.tmpname(), 100000

  setup(function()
    local t = {}
    for i = 1, count do t[i] = string.pack("<I2", i % 65536) end
    local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID = "1.2.3", BitsAllocated = 16,
      PixelData = table.concat(t) }
    assert(ds:save(path))
  end)

  teardown(function() os.remove(path) end)

  it("is read through a window", function()
    local ds = assert(dicom.open(path))
    for e in ds:elements() do
      if e.keyword == "PixelData" then assert.equal("range", e.hold) end
    end
    local v = ds.PixelData
    assert.equal(count, #v)
    for _, i in ipairs { 1, 2, 32768, 32769, 65535, 65536, count, 5 } do assert.equal(i % 65536, v[i]) end
    assert.is_nil(v[count + 1])
    assert.equal(count * 2, #ds:raw "PixelData")
  end)

  it("is an error once the file has changed", function()
    local ds = assert(dicom.open(path))
    local v = ds.PixelData
    local f = assert(io.open(path, "r+b"))
    f:write("changed")
    f:close()
    local ok, err = pcall(function() return v[1] end)
    assert.is_false(ok)
    assert.equal("changed on disk", err.code)
    assert.equal(path, err.path)
    assert.equal("changed on disk", select(2, ds:raw "PixelData").code)
  end)
end)
