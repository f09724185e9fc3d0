-- SPDX-License-Identifier: MIT
-- The Native DICOM Model (PS3.19 A.1), out, by texts written by hand.
local dicom = require "dicom"
local made = require "spec.support.made"
local sh = require "spec.support.sh"

local HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xml:space="preserve">\n'

local function explicit(...)
  return assert(dicom.open(made.file(made.EXPLICIT, made.element(...))))
end

-- What an element becomes, without what is around it.
local function xml(tag, vr, value)
  local text = assert(explicit(tag, vr, value):xml())
  assert.equal(HEAD, text:sub(1, #HEAD))
  return text:match "<DicomAttribute [^>]*>\n(.*)</DicomAttribute>\n</NativeDicomModel>\n$"
end

describe("ds:xml", function()
  it("writes attributes with tag, vr and keyword, values with their number (A.1.5)", function()
    assert.equal(HEAD .. "</NativeDicomModel>\n", dicom.dataset {}:xml())
    assert.equal(HEAD .. '<DicomAttribute tag="00080008" vr="CS" keyword="ImageType">\n<Value number="1">A</Value>\n' ..
      '<Value number="2"></Value>\n<Value number="3">C</Value>\n</DicomAttribute>\n</NativeDicomModel>\n',
      explicit(0x00080008, "CS", "A\\\\C "):xml())
    assert.equal("", xml(0x00080060, "CS", ""))
  end)

  it("gives private attributes their creator, and block 00 (A.1.5)", function()
    local ds = dicom.dataset {}
    ds:private('A "1.0"', 9):set(5, "x", "LO")
    assert.equal(HEAD ..
      '<DicomAttribute tag="00090010" vr="LO">\n<Value number="1">A &quot;1.0&quot;</Value>\n</DicomAttribute>\n' ..
      '<DicomAttribute tag="00090005" vr="LO" privateCreator="A &quot;1.0&quot;">\n<Value number="1">x</Value>\n' ..
      '</DicomAttribute>\n</NativeDicomModel>\n', (ds:xml():gsub(' keyword="PrivateCreator"', "")))
    assert.matches('<DicomAttribute tag="00091005" vr="LO">', explicit(0x00091005, "LO", "x "):xml(), 1, true)
  end)

  it("writes names by components", function()
    assert.equal('<PersonName number="1">\n<Alphabetic>\n<FamilyName>Y</FamilyName>\n<GivenName>T</GivenName>\n' ..
      '<NameSuffix>Jr^x</NameSuffix>\n</Alphabetic>\n<Phonetic>\n' ..
      '<MiddleName>m</MiddleName>\n</Phonetic>\n</PersonName>\n' ..
      '<PersonName number="2">\n<Ideographic>\n<FamilyName>I</FamilyName>\n</Ideographic>\n</PersonName>\n',
      xml(0x00100010, "PN", "Y^T^^^Jr^x==^^m\\=I"))
    assert.equal("", xml(0x00100010, "PN", "=="))
  end)

  it("writes numbers, tags, items and bytes", function()
    assert.equal('<Value number="1">1.50</Value>\n<Value number="2">+5</Value>\n', xml(0x00211001, "DS", "1.50\\+5 "))
    assert.equal('<Value number="1">-1</Value>\n', xml(0x00211001, "SV", ("<i8"):pack(-1)))
    assert.equal('<Value number="1">NaN</Value>\n<Value number="2">0.1</Value>\n', xml(0x00211001, "FL",
      ("<ff"):pack(0 / 0, 0.1)))
    assert.equal('<Value number="1">00181063</Value>\n', xml(0x00211001, "AT", "\x18\0\x63\x10"))
    assert.equal("<InlineBinary>AQIDBA==</InlineBinary>\n", xml(0x00211001, "OB", "\1\2\3\4"))
    assert.equal('<Item number="1">\n<DicomAttribute tag="00080060" vr="CS" keyword="Modality">\n' ..
      '<Value number="1">MR</Value>\n' ..
      '</DicomAttribute>\n</Item>\n<Item number="2">\n</Item>\n',
      xml(0x00081140, "SQ", made.encoder "explicit".item(made.element(0x00080060, "CS", "MR")) ..
        made.element(0xFFFEE000, nil, "")))
  end)

  it("escapes what XML asks for, and line ends that a parser would change", function()
    assert.equal('<Value number="1">&lt;a&gt; &amp; &quot;b\'&#9;&#13;&#10;c</Value>\n', xml(0x00211001, "LT",
      "<a> & \"b'\t\r\nc"))
  end)

  it("refuses or replaces characters that XML does not have (XML 1.0 2.2)", function()
    local ds = explicit(0x00211001, "LT", "a\fb ")
    local text, err = ds:xml()
    assert.is_nil(text)
    assert.equal("bad text", err.code)
    assert.equal(0x00211001, err.tag)
    local replaced, count = ds:xml { text = "replace" }
    assert.matches('<Value number="1">a\u{FFFD}b</Value>', replaced, 1, true)
    assert.equal(1, count)
    ds = dicom.dataset { PatientComments = "a\u{FFFF}\u{FFFE}\u{FFFD}" }
    replaced, count = ds:xml { text = "replace" }
    assert.matches('>a\u{FFFD}\u{FFFD}\u{FFFD}</Value>', replaced, 1, true)
    assert.equal(2, count)
  end)

  it("is UTF-8, puts URIs, lays out, streams", function()
    local ds = assert(dicom.open(made.file(made.EXPLICIT, made.element(0x00080005, "CS", "ISO_IR 100") ..
      made.element(0x00104000, "LT", "\xE9 ") .. made.element(0x7FE00010, "OB", "abcd"))))
    local text = ds:xml { bulk = "uri", bulk_threshold = 0, pretty = true }
    assert.equal(HEAD .. [[
  <DicomAttribute tag="00080005" vr="CS" keyword="SpecificCharacterSet">
    <Value number="1">ISO_IR 192</Value>
  </DicomAttribute>
  <DicomAttribute tag="00104000" vr="LT" keyword="PatientComments">
    <Value number="1">é</Value>
  </DicomAttribute>
  <DicomAttribute tag="7FE00010" vr="OB" keyword="PixelData">
    <BulkData uri="bulkdata/7FE00010"/>
  </DicomAttribute>
</NativeDicomModel>
]], text)
    assert.matches('<BulkData uri="a&amp;b"/>', ds:xml { bulk_threshold = 0, bulk = function() return "a&b" end },
      1, true)
    local path = sh.folder() .. "/x.xml"
    assert(dicom.xml.write(ds, path))
    assert.equal(ds:xml(), sh.read(path))
  end)
end)

describe("dicom xml", function()
  it("prints files", function()
    local path = sh.write(sh.folder() .. "/1.dcm", made.file(made.EXPLICIT, made.sample "explicit"))
    local ds = assert(dicom.open(path))
    local r = sh.run { sh.dicom, "xml", path }
    assert.equal(ds:xml(), r.out)
    assert.equal(0, r.code)
    assert.equal(ds:xml { pretty = true, meta = true }, sh.run { sh.dicom, "xml", "--pretty", "--meta", path }.out)
    assert.equal(1, sh.run { sh.dicom, "xml", path .. ".none" }.code)
  end)
end)
