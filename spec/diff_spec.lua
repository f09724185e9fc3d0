-- SPDX-License-Identifier: MIT
-- Two data sets beside each other: ds:diff, ds:equals, ds:merge.
local dicom = require "dicom"
local made = require "spec.support.made"

local function lines(list)
  local t = {}
  for i, d in ipairs(list) do t[i] = ("%s %s %08X"):format(d.kind, d.path, d.tag) end
  return t
end

local function diff(a, b, options)
  return lines(assert(a:diff(b, options)))
end

local function read(body, syntax)
  return assert(dicom.open(made.file(syntax or made.EXPLICIT, body)))
end

describe("ds:diff", function()
  it("names what was added, removed and changed, in order of tags", function()
    local a = dicom.dataset { PatientName = "A", PatientID = "1", Modality = "CT", Rows = 5 }
    local b = dicom.dataset { PatientName = "B", PatientID = "1", StudyID = "7", Rows = 5 }
    assert.same({ "removed Modality 00080060", "changed PatientName 00100010", "added StudyID 00200010" }, diff(a, b))
    assert.same({ "added Modality 00080060", "changed PatientName 00100010", "removed StudyID 00200010" }, diff(b, a))
    assert.same({}, diff(a, a))
    assert.same({}, diff(a, a:copy()))
  end)

  it("goes into items, by their place", function()
    local a = dicom.dataset { ReferencedImageSequence = { { ReferencedSOPInstanceUID = "1.2" }, { PatientID = "x" } } }
    local b = a:copy()
    assert.same({}, diff(a, b))
    b.ReferencedImageSequence[2].PatientID = "y"
    b.ReferencedImageSequence[3] = { Modality = "MR" }
    assert.same({ "changed ReferencedImageSequence[2].PatientID 00100020",
      "added ReferencedImageSequence[3] 00081140" }, diff(a, b))
    assert.same({ "changed ReferencedImageSequence[2].PatientID 00100020",
      "removed ReferencedImageSequence[3] 00081140" }, diff(b, a))
    for _, d in ipairs(a:diff(b)) do assert.is_true(d.kind == "added" or a:has(d.path)) end
  end)

  it("looks at what is said: byte order, padding and character set do not count", function()
    for _, style in ipairs { "implicit", "big" } do
      local other = read(made.sample(style), style == "big" and made.BIG or made.IMPLICIT)
      local got = diff(read(made.sample "explicit"), other, { ignore = { "0009,1001" } })
      assert.same({}, got, style)
    end
    local latin = read(made.element(0x00080005, "CS", "ISO_IR 100") .. made.element(0x00100010, "PN", "J\xE9r\xF4me "))
    local utf8 = read(made.element(0x00080005, "CS", "ISO_IR 192") .. made.element(0x00100010, "PN", "Jérôme=="))
    assert.same({ "changed SpecificCharacterSet 00080005" }, diff(latin, utf8))
    assert.same({}, diff(latin, utf8, { ignore = { "SpecificCharacterSet" } }))
    assert.same({}, diff(read(made.element(0x00080060, "CS", " CT ")), read(made.element(0x00080060, "CS", "CT"))))
    assert.same({}, diff(read(made.element(0x00080000, "UL", "\4\0\0\0") .. made.element(0x00080060, "CS", "CT")),
      read(made.element(0x00080060, "CS", "CT"))))
  end)

  it("tells apart what differs in VR, number of values, exact text of a number, one byte", function()
    local function one(vr, x, y, other)
      return #diff(read(made.element(0x00211001, vr, x)), read(made.element(0x00211001, other or vr, y)))
    end
    assert.equal(1, one("LO", "A ", "A ", "SH"))
    assert.equal(1, one("DS", "1.0 ", "1.00"))
    assert.equal(1, one("CS", "A\\B ", "A\\\\B"))
    assert.equal(1, one("US", "\1\0", "\1\0\2\0"))
    assert.equal(1, one("UN", "\1\0", "\1\1"))
    assert.equal(0, one("UN", "\1\0", "\1\0"))
    assert.equal(1, one("LO", "", "x "))
    assert.equal(1, one("LT", " x", "x "))
  end)

  it("compares large values that stay in their files, and compressed frames", function()
    local big, sh = ("0123456789abcdef"):rep(20000), require "spec.support.sh"
    local folder = sh.folder()
    local function file(name, value) return sh.write(folder .. "/" .. name, made.file(made.EXPLICIT, value)) end
    local a = dicom.open(file("a", made.element(0x7FE00010, "OB", big)))
    local b = dicom.open(file("b", made.element(0x7FE00010, "OB", big)))
    local c = dicom.open(file("c", made.element(0x7FE00010, "OB", big:sub(1, -2) .. "x")))
    assert.equal("range", a:elements()(a).hold)
    assert.same({}, diff(a, b))
    assert.same({ "changed PixelData 7FE00010" }, diff(a, c))
    local f = read(made.fragments("", "\1\2", "\3\4"), made.JPEG)
    assert.same({}, diff(f, read(made.fragments("", "\1\2", "\3\4"), made.JPEG)))
    assert.equal(1, #diff(f, read(made.fragments("", "\1\2", "\3\5"), made.JPEG)))
    assert.equal(1, #diff(f, read(made.fragments("", "\1\2\3\4"), made.JPEG)))
    assert.equal(1, #diff(f, a))
    sh.write(folder .. "/b", "gone")
    local found, err = a:diff(b)
    assert.is_nil(found)
    assert.equal("changed on disk", err.code)
  end)

  it("takes keys to ignore, and raises for what is none", function()
    local a, b = dicom.dataset { PatientID = "1", Rows = 1, Modality = "CT" }, dicom.dataset {}
    assert.same({ "removed Modality 00080060" }, diff(a, b, { ignore = { "PatientID", 0x00280010 } }))
    assert.same({}, diff(a, b, { ignore = { "0010,0020", "00280010", "Modality" } }))
    for _, args in ipairs { { 5 }, { nil }, { {} }, { b, { ignore = { "NoSuch" } } }, { b, { other = 1 } } } do
      local ok, err = pcall(a.diff, a, args[1], args[2])
      assert.is_false(ok)
      assert.equal("usage", err.code)
    end
  end)
end)

describe("ds:equals", function()
  it("asks for content, == for identity", function()
    local a = dicom.dataset { PatientID = "1", ReferencedImageSequence = { {}, { Rows = 5 } } }
    local b = a:copy()
    assert.is_true(a:equals(b))
    assert.is_false(a == b)
    b.ReferencedImageSequence[2].Rows = 6
    assert.is_false(a:equals(b))
    assert.is_true(a:equals(b, { ignore = { "Rows" } }))
    assert.is_true(a.ReferencedImageSequence[1]:equals(b.ReferencedImageSequence[1]))
  end)
end)

describe("ds:merge", function()
  it("takes over every element; other's win, sequences as a whole", function()
    local a = dicom.dataset { PatientName = "A", Rows = 5, ReferencedImageSequence = { { PatientID = "1" }, {} } }
    local b = dicom.dataset { PatientName = "B", Columns = 6, ReferencedImageSequence = { { Modality = "MR" } } }
    local kept = b:copy()
    assert.is_true(a:merge(b))
    assert.equal("B", a.PatientName)
    assert.equal(5, a.Rows)
    assert.equal(6, a.Columns)
    assert.equal(1, #a.ReferencedImageSequence)
    assert.is_nil(a.ReferencedImageSequence[1].PatientID)
    assert.same({}, diff(kept, b))
    b.ReferencedImageSequence[1].Modality = "CT"
    assert.equal("MR", a.ReferencedImageSequence[1].Modality) -- a copy
    assert.is_true(a:merge(a))
  end)

  it("keeps the meaning of text", function()
    local latin = read(made.element(0x00080005, "CS", "ISO_IR 100") .. made.element(0x00100010, "PN", "J\xE9r\xF4me "))
    local greek = read(made.element(0x00080005, "CS", "ISO_IR 126") .. made.element(0x00104000, "LT", "\xC4\xE9"))
    assert(latin:merge(greek))
    assert.equal("Jérôme", latin.PatientName)
    assert.equal("Δι", latin.PatientComments)
    assert.same({ "ISO_IR 192" }, latin.SpecificCharacterSet:copy())
    local back = assert(dicom.open(latin:bytes { part10 = true }))
    assert.equal("Jérôme Δι", back.PatientName .. " " .. back.PatientComments)
  end)

  it("puts private elements where their creator is", function()
    local a, b = dicom.dataset {}, dicom.dataset {}
    a:private("A 1.0", 9):set(1, "mine", "LO")
    b:private("B 1.0", 9):set(1, "other", "LO")
    b:private("B 1.0", 9):set(2, { { PatientID = "x" } }, "SQ")
    b:private("A 1.0", 9):set(3, "shared", "LO")
    b:private("C 1.0", 0x29):set(4, "alone", "LO")
    assert(a:merge(b))
    assert.equal("mine", a:private("A 1.0")[1][1])
    assert.equal("other", a:private("B 1.0")[1][1])
    assert.equal("x", a:private("B 1.0")[2][1].PatientID)
    assert.equal("shared", a:private("A 1.0")[3][1])
    assert.equal("alone", a:private("C 1.0")[4][1])
    assert.equal("alone", a["0029,1004"][1])
    assert.equal("B 1.0", a["0009,0011"]) -- block 10 was taken
    assert.same({}, diff(b, assert(dicom.open(b:bytes { part10 = true }))))
  end)

  it("raises for what is no data set", function()
    local ok, err = pcall(dicom.dataset({}).merge, dicom.dataset {}, {})
    assert.is_false(ok)
    assert.equal("usage", err.code)
  end)
end)
