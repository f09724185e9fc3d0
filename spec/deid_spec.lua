-- SPDX-License-Identifier: MIT
-- The Basic Application Level Confidentiality Profile: every row of PS3.15 table E.1-1 at every level, and a marker
-- that is planted wherever a text can be and must not be found in the bytes that leave.
local core = require "dicom.core"
local deid = require "dicom.deid"
local dicom = require "dicom"
local dummy = require "dicom.deid.dummy"
local part10 = require "spec.support.part10"
local profile = require "dicom.gen.confidentiality"
local pseudonym = require "dicom.deid.pseudonym"
local sh = require "spec.support.sh"

local KEY = "0123456789abcdef"
local MARK = "ZQXCANARY" -- fits AE, CS and SH
local UID = "1.2.276.0.99.31415926.1"
local SHARED, DERIVATION = 0x52009229, 0x00089124 -- sequences that are not in the table

local mapping = pseudonym.new(KEY)
local basic = deid.new { key = KEY }

-- Bytes of a value that is somebody's, by VR.
local planted = {
  AS = "077Y", DA = "19431107", DS = "98765.25", DT = "19431107112233", IS = "98765", TM = "112233.44", UI = UID,
  US = "\xEF\xBE", ["OB or OW"] = MARK,
}

local function somebody(tag)
  local vr = core.dict_entry(tag)
  if vr == "SQ" then
    return { tag, "SQ", { { { 0x00081155, "UI", UID }, { 0x00104000, "LT", MARK }, { 0x0040A160, "UT", MARK } } } }
  end
  return { tag, vr == "OB or OW" and "OB" or vr, planted[vr] or MARK }
end

local function sorted(list)
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- The least that an instance must have.
local function instance(list, options)
  local has, all = {}, {}
  for _, e in ipairs(list) do
    has[e[1]] = true
    all[#all + 1] = e
  end
  for _, e in ipairs { { 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2" }, { 0x00080018, "UI", UID .. ".8" },
                       { 0x0020000D, "UI", UID .. ".9" } } do
    if not has[e[1]] then all[#all + 1] = e end
  end
  return part10.file(sorted(all), options)
end

local function open(...)
  return assert(dicom.open(instance(...)))
end

local function apply(...)
  local ds, report = assert(basic:apply(open(...)))
  return ds, report
end

local function nested(list)
  return { { SHARED, "SQ", { { { DERIVATION, "SQ", { sorted(list) } } } } } }
end

local function inner(ds)
  return ds:get "SharedFunctionalGroupsSequence[1].DerivationImageSequence[1]"
end

local empties = { Z = true, ["X/Z"] = true }
local dummies = { D = true, ["X/D"] = true, ["Z/D"] = true, ["X/Z/D"] = true }

-- Holds what is left of an element against the row's code.
local function check(ds, tag, code, is_top)
  local vr = core.dict_entry(tag)
  if code == "X" or is_top and tag == 0x00081110 then -- Type 3 at the top, 1-n items
    assert.is_false(ds:has(tag))
  elseif code == "U" or vr == "UI" then
    assert.equal(mapping:uid(UID), ds:text(tag))
  elseif code == "X/Z/U*" or tag == 0x00081111 then
    assert.equal(mapping:uid(UID), ds:get(tag)[1]:text "ReferencedSOPInstanceUID")
    assert.is_false(ds:get(tag)[1]:has "PatientComments")
  elseif tag == 0x00100010 or tag == 0x00100020 then
    local is_nameless = is_top and tag == 0x00100010 -- planted without an ID
    assert.equal(is_nameless and mapping:study(UID .. ".9") or mapping:patient(MARK), ds:text(tag))
  elseif empties[code] then
    assert.is_true(ds:has(tag))
    if vr == "SQ" then assert.equal(0, #ds:get(tag)) else assert.equal("", ds:raw(tag)) end
  else
    assert(dummies[code], "unexpected code " .. code)
    if vr == "SQ" then
      assert.equal(1, #ds:get(tag))
      assert.is_false(ds:get(tag)[1]:has "ReferencedSOPInstanceUID")
    else
      assert.is_true(#ds:raw(tag) > 0)
      assert.not_equal(planted[vr] or MARK, ds:text(tag))
    end
  end
end

local function tags_of_table()
  local tags = {}
  for tag in pairs(profile.elements) do tags[#tags + 1] = tag end
  table.sort(tags)
  return tags
end

-- Group 0000 and 0002 do not belong into a data set: see the spec of what stands beside it.
local function belongs(tag)
  return tag >> 16 ~= 0 and tag >> 16 ~= 2
end

describe("table E.1-1", function()
  it("has the 655 rows of 2025e", function()
    assert.equal(655, #tags_of_table() + #profile.patterns + 1)
    assert.equal("PS3.15 2025e", profile.edition)
  end)

  for _, tag in ipairs(tags_of_table()) do
    local code = profile.elements[tag].basic
    local name = ("%s (%04X,%04X)"):format(code, tag >> 16, tag & 0xFFFF)
    if belongs(tag) then
      it("applies " .. name, function()
        local ds = apply { somebody(tag) }
        if tag >> 16 == 4 then code = "X" end -- E.1.1 rule 8: the whole group goes
        check(ds, tag, code, true)
        assert.is_nil(ds:bytes { part10 = true }:find(MARK, 1, true))
      end)

      it("applies " .. name .. " two sequences down", function()
        local list = { somebody(tag) }
        if tag == 0x00100010 then list[2] = { 0x00100020, "LO", MARK } end
        local ds = apply(nested(list))
        if tag >> 16 == 4 then code = "X" end
        check(inner(ds), tag, code, false)
        assert.is_nil(ds:bytes { part10 = true }:find(MARK, 1, true))
      end)
    end
  end

  it("leaves empty what is empty where a code is compound", function()
    for _, tag in ipairs(tags_of_table()) do
      local code, vr = profile.elements[tag].basic, core.dict_entry(tag)
      if code:find "/" and tag ~= 0x00100020 and tag ~= 0x00081110 then
        local ds = apply { { tag, vr, vr == "SQ" and {} or "" } }
        assert.is_true(ds:has(tag))
        if vr == "SQ" then assert.equal(0, #ds:get(tag)) else assert.equal("", ds:raw(tag)) end
      end
    end
  end)

  it("keeps what it does not list", function()
    local ds, report = apply { { 0x00080060, "CS", "CT" }, { 0x00180050, "DS", "2.5" }, { 0x00280010, "US", "\0\2" },
                               { 0x7FE00010, "OW", "\1\2\3\4" } }
    assert.equal("CT", ds:get "Modality")
    assert.equal("2.5", ds:text "SliceThickness")
    assert.equal("\1\2\3\4", ds:raw "PixelData")
    assert.equal("kept", report.pixels)
  end)
end)

describe("beyond the table", function()
  it("removes private attributes at all levels", function()
    local private = { { 0x00090010, "LO", "ACME " .. MARK }, { 0x00091001, "LT", MARK },
                      { 0x00091002, "SQ", { { { 0x00100010, "PN", MARK } } } }, { 0x00290010, "UN", MARK } }
    local list = nested(private)
    table.move(private, 1, #private, #list + 1, list)
    local ds = apply(list)
    for _, where in ipairs { ds, inner(ds) } do
      assert.is_false(where:has(0x00090010))
      assert.is_false(where:has(0x00091001))
      assert.is_false(where:has(0x00091002))
      assert.is_false(where:has(0x00290010))
    end
    assert.is_nil(ds:bytes { part10 = true }:find(MARK, 1, true))
  end)

  it("removes groups that nobody may write (PS3.5 7.8)", function()
    local ds = apply { { 0x00010010, "LO", MARK }, { 0x00030010, "LO", MARK }, { 0x00050010, "LO", MARK },
                       { 0x00060010, "LO", MARK }, { 0x00071001, "LO", MARK } }
    assert.is_nil(ds:bytes { part10 = true }:find(MARK, 1, true))
  end)

  it("enters sequences that the file calls UN (PS3.5 6.2.2)", function()
    local name = ("<I2I2I4"):pack(0x0010, 0x0010, 10) .. MARK .. " " -- implicit, as UN always is
    local uid = ("<I2I2I4"):pack(0x0008, 0x1155, #UID + #UID % 2) .. UID .. ("\0"):rep(#UID % 2)
    local items = ("<I2I2I4"):pack(0xFFFE, 0xE000, #uid + #name) .. uid .. name
    local ds = apply { { 0x00081140, "UN", items }, { SHARED, "UN", items } }
    assert.is_nil(ds:bytes { part10 = true }:find(MARK, 1, true))
    assert.is_nil(ds:bytes { part10 = true }:find(UID, 1, true))
    assert.equal(mapping:uid(UID), ds:get "ReferencedImageSequence[1].ReferencedSOPInstanceUID")
    local garbled = apply { { SHARED, "UN", items:sub(1, -4) } }
    assert.is_nil(garbled:bytes { part10 = true }:find(MARK:sub(1, -3), 1, true))
  end)

  for name, syntax in pairs { ["Implicit VR"] = "1.2.840.10008.1.2", ["big endian"] = "1.2.840.10008.1.2.2",
                              deflated = "1.2.840.10008.1.2.1.99" } do
    it("does the same to a data set that is " .. name, function()
      local list = nested { { 0x00081155, "UI", UID }, { 0x00100010, "PN", MARK }, { 0x00104000, "LT", MARK } }
      local bytes = open(list):bytes { part10 = true, syntax = syntax }
      local ds = assert(basic:apply(assert(dicom.open(bytes))))
      assert.equal(syntax, ds.syntax)
      assert.equal(mapping:uid(UID), inner(ds):get "ReferencedSOPInstanceUID")
      local plain = ds:bytes { part10 = true, syntax = "1.2.840.10008.1.2.1" }
      assert.is_nil(plain:find(MARK, 1, true))
      assert.equal(apply(list):bytes { part10 = true }, plain)
    end)
  end

  it("removes whole overlays and curves, of any group", function()
    local ds = apply { { 0x50000010, "US", "\1\0" }, { 0x501E2600, "SH", MARK }, { 0x60000022, "LO", MARK },
                       { 0x60023000, "OW", MARK }, { 0x60FE1500, "LO", MARK } }
    for _, tag in ipairs { 0x50000010, 0x501E2600, 0x60000022, 0x60023000, 0x60FE1500 } do
      assert.is_false(ds:has(tag))
    end
  end)

  it("treats free texts that the table forgot", function()
    local list = { { 0x00240044, "LT", MARK }, { 0x00400400, "LT", MARK }, { 0x0040A160, "UT", MARK },
                   { 0x0040A067, "PN", MARK }, { 0x0040E001, "ST", MARK }, { 0x00420010, "ST", MARK } }
    table.sort(list, function(a, b) return a[1] < b[1] end)
    for _, ds in ipairs { apply(list), inner(apply(nested(list))) } do
      assert.is_false(ds:has "CommentsOnTheScheduledProcedureStep")
      assert.is_false(ds:has(0x00240044))
      assert.is_false(ds:has(0x0040A067))
      assert.equal(dummy.TEXT, ds:get "TextValue")
      assert.equal(dummy.TEXT, ds:text "HL7InstanceIdentifier")
      assert.equal("", ds:text "DocumentTitle")
    end
  end)

  it("empties dates and times that the table does not list (Annex E asks for all by VR)", function()
    local list = { { 0x00080404, "DT", "19431107112233" }, { 0x00141020, "DA", "19431107" } }
    for _, ds in ipairs { apply(list), inner(apply(nested(list))) } do
      assert.equal("", ds:raw(0x00080404))
      assert.equal("", ds:raw(0x00141020))
    end
  end)

  it("removes group lengths, directory records' attributes and padding (E.1.1 rule 8, (FFFC,FFFC))", function()
    local ds = apply { { 0x00080000, "UL", "\1\0\0\0" }, { 0x00041500, "CS", MARK }, { 0xFFFCFFFC, "OB", MARK } }
    assert.is_false(ds:has(0x00080000))
    assert.is_false(ds:has(0x00041500))
    assert.is_false(ds:has(0xFFFCFFFC))
  end)

  it("removes public attributes that no dictionary knows", function()
    local ds = apply { { 0x00080FF0, "LO", MARK }, { 0x002A0001, "LO", MARK } }
    assert.is_false(ds:has(0x00080FF0))
    assert.is_false(ds:has(0x002A0001))
  end)

  it("removes a free text where the dictionary has a number, and a sequence that cannot be read", function()
    local ds = apply { { 0x00280010, "LO", MARK }, { SHARED, "OB", MARK } }
    assert.is_false(ds:has "Rows")
    assert.is_false(ds:has(SHARED))
  end)

  it("replaces preamble and file meta, and drops what follows the data set", function()
    local bytes = instance({ { 0x00080060, "CS", "CT" } }, {
      preamble = MARK .. ("\0"):rep(119), after = MARK:sub(1, 7),
      meta = { { 0x00020013, "SH", MARK }, { 0x00020016, "AE", MARK }, { 0x00020017, "AE", MARK },
               { 0x00020018, "AE", MARK }, { 0x00020100, "UI", UID }, { 0x00020102, "OB", MARK } } })
    local ds = assert(basic:apply(assert(dicom.open(bytes))))
    local out = ds:bytes { part10 = true }
    assert.equal(("\0"):rep(128), out:sub(1, 128))
    assert.is_nil(out:find(MARK:sub(1, 7), 1, true))
    assert.is_nil(out:find("1.2.276.0.99.31415926", 1, true))
    assert.is_nil(out:find("1.2.3.4.5.6", 1, true))
    local again = assert(dicom.open(out))
    assert.equal(again:text "SOPInstanceUID", again.meta:text "MediaStorageSOPInstanceUID")
  end)

  it("leaves nothing of the old file meta in memory", function()
    local ds = apply({}, { meta = { { 0x00020016, "AE", MARK }, { 0x00020102, "OB", MARK } } })
    assert.is_false(ds.meta:has(0x00020016))
    assert.is_false(ds.meta:has(0x00020102))
  end)

  it("forgets the path: saving without one must not replace the original", function()
    local folder = sh.folder()
    local ds = assert(dicom.open(sh.write(folder .. "/a.dcm", instance {})))
    local clean = assert(basic:apply(ds))
    assert.is_string(ds.path)
    assert.is_nil(clean.path)
    assert.is_nil(clean:copy().path)
    assert.is_false((pcall(clean.save, clean)))
  end)

  it("refuses what was read only in part: the rest would go along unseen", function()
    local bytes = instance { { 0x00104000, "LT", MARK }, { 0x7FE00010, "OW", "ABCD" } }
    local path = sh.write(sh.folder() .. "/a.dcm", bytes)
    local ds, err = basic:apply(assert(dicom.open(path, { stop = 0x00200000 })))
    assert.is_nil(ds)
    assert.matches("only in part", tostring(err))
  end)

  it("does not let raw saving bring anything back", function()
    local ds = apply({ { 0x00100010, "PN", MARK } }, { preamble = MARK .. ("\0"):rep(119), after = MARK:sub(1, 7),
      meta = { { 0x00020016, "AE", MARK } } })
    local out = ds:bytes { part10 = true, raw = true }
    assert.is_nil(out:find(MARK:sub(1, 7), 1, true))
    assert.is_nil(out:find("1.2.276.0.99.31415926", 1, true))
  end)
end)

describe("the marker", function()
  it("is nowhere in the bytes when every row holds it at the top and two levels down", function()
    local top, below = { { 0x00090010, "LO", MARK }, { 0x00091010, "UN", MARK } }, {}
    for _, tag in ipairs(tags_of_table()) do
      if belongs(tag) then
        top[#top + 1] = somebody(tag)
        below[#below + 1] = somebody(tag)
      end
    end
    top[#top + 1] = nested(below)[1]
    top[#top + 1] = { 0x50003000, "OW", MARK .. " " }
    top[#top + 1] = { 0x60003000, "OW", MARK .. " " }
    local ds = apply(top, { preamble = MARK .. ("\0"):rep(119), meta = { { 0x00020016, "AE", MARK } } })
    local out = ds:bytes { part10 = true }
    assert.is_nil(out:find(MARK, 1, true))
    assert.is_nil(out:find("31415926", 1, true))
    assert.is_nil(out:find("19431107", 1, true))
    assert.is_nil(out:find("112233", 1, true))
    local implicit = ds:bytes { part10 = true, syntax = "1.2.840.10008.1.2" }
    assert.is_nil(implicit:find(MARK, 1, true))
  end)
end)

describe("the patient", function()
  it("has one pseudonym as ID and as name, made from ID and issuer", function()
    local ds, report = apply { { 0x00100010, "PN", "Doe^Jane" }, { 0x00100020, "LO", "4MR1" },
                               { 0x00100021, "LO", "HOSPITAL A" } }
    assert.equal("PB1323C10E749709DF9CC", ds:get "PatientID")
    assert.equal("PB1323C10E749709DF9CC", ds:get "PatientName")
    assert.is_false(ds:has "IssuerOfPatientID")
    assert.equal("patient id", report.patient)
  end)

  it("has the study's pseudonym where there is no ID, and the report says so", function()
    for _, list in ipairs { { { 0x00100010, "PN", "Doe^Jane" } }, { { 0x00100020, "LO", "" } },
                            { { 0x00100020, "LO", "  " } } } do
      list[#list + 1] = { 0x0020000D, "UI", "1.2.3.4.5" }
      local ds, report = apply(list)
      assert.equal("PF07E21F2167B90946074", ds:get "PatientID")
      assert.equal("study instance uid", report.patient)
    end
  end)

  it("has none where there is neither", function()
    local ds = assert(dicom.open(part10.file { { 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2" },
      { 0x00080018, "UI", UID }, { 0x00100010, "PN", "Doe^Jane" } }))
    local clean, report = assert(basic:apply(ds))
    assert.equal("", clean:text "PatientName")
    assert.is_false(clean:has "PatientID")
    assert.equal("none", report.patient)
  end)

  it("is not confused with another one in an item", function()
    local list = nested { { 0x00100010, "PN", "Roe^Mary" }, { 0x00100020, "LO", "MOTHER" } }
    list[#list + 1] = { 0x00100020, "LO", "CHILD" }
    local ds = apply(list)
    assert.equal(mapping:patient "CHILD", ds:get "PatientID")
    assert.equal(mapping:patient "MOTHER", inner(ds):get "PatientID")
    assert.equal(mapping:patient "MOTHER", inner(ds):get "PatientName")
    assert.equal("", inner(apply(nested { { 0x00100010, "PN", "Roe^Mary" } })):text "PatientName")
  end)

  it("is the same in every character set", function()
    local latin = apply { { 0x00080005, "CS", "ISO_IR 100" }, { 0x00100020, "LO", "\xC4nne 7" } }
    local utf8 = apply { { 0x00080005, "CS", "ISO_IR 192" }, { 0x00100020, "LO", "Änne 7" } }
    assert.equal("PFB10139DD561E799CF1D", latin:get "PatientID")
    assert.equal("PFB10139DD561E799CF1D", utf8:get "PatientID")
  end)

  it("is told from another one whose ID cannot be decoded either", function()
    local a, b = apply { { 0x00100020, "LO", "\xC4 7" } }, apply { { 0x00100020, "LO", "\xD6 7" } }
    assert.not_equal(a:get "PatientID", b:get "PatientID")
  end)
end)

describe("UIDs", function()
  it("are mapped one by one", function()
    local ds = apply { { 0x00083010, "UI", "1.2.3\\1.2.840.10008.1.4.1.1\\\\1.2.4" } }
    assert.equal(table.concat({ mapping:uid "1.2.3", "1.2.840.10008.1.4.1.1", "", mapping:uid "1.2.4" }, "\\"),
      (ds:raw(0x00083010):gsub("%z$", "")))
  end)

  it("are the same in every run, at every level and under every tag", function()
    local list = { { 0x00080018, "UI", UID }, { 0x00081140, "SQ", { { { 0x00081155, "UI", UID } } } } }
    local first, second = apply(list), apply(list)
    assert.equal(first:get "SOPInstanceUID", second:get "SOPInstanceUID")
    assert.equal(first:get "SOPInstanceUID", first:get "ReferencedImageSequence[1].ReferencedSOPInstanceUID")
    assert.equal(first:get "SOPInstanceUID", mapping:uid(UID))
  end)

  it("that are structural stay: SOP classes, well-known frames of reference", function()
    local ds = apply { { 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.4" }, { 0x00200052, "UI", "1.2.840.10008.1.4.1.1" },
                       { 0x00081140, "SQ", { { { 0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.2" } } } } }
    assert.equal("1.2.840.10008.5.1.4.1.1.4", ds:get "SOPClassUID")
    assert.equal("1.2.840.10008.1.4.1.1", ds:get "FrameOfReferenceUID")
    assert.equal("1.2.840.10008.5.1.4.1.1.2", ds:get "ReferencedImageSequence[1].ReferencedSOPClassUID")
  end)

  it("that are no UIDs are mapped all the same", function()
    assert.matches("^2%.25%.%d+$", apply { { 0x0020000E, "UI", MARK } }:text "SeriesInstanceUID")
  end)
end)

describe("dummies", function()
  it("have the form of their VR", function()
    for vr, value in pairs(dummy.values) do
      local ds = dicom.dataset()
      ds:set(0x00091010, value, vr)
      assert.is_true(#ds:raw(0x00091010) > 0)
    end
  end)

  it("of documents are the smallest valid one of the type", function()
    for mime, pattern in pairs { ["application/pdf"] = "^%%PDF%-1%.4\n.*%%%%EOF\n$",
                                 ["text/XML"] = "^<%?xml.*</ClinicalDocument>$", ["model/stl"] = "^%z+$",
                                 ["model/obj"] = "^v 0 0 0\n$", ["image/x-any"] = "^%z%z$" } do
      local ds = apply { { 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.104.1" }, { 0x00420012, "LO", mime },
                         { 0x00420011, "OB", MARK }, { 0x00420015, "UL", "\1\0\0\0" } }
      local length = ds:get "EncapsulatedDocumentLength"
      local document = ds:raw "EncapsulatedDocument"
      assert.matches(pattern, document:sub(1, length))
      assert.is_true(#document - length <= 1)
    end
  end)

  it("keep the layer that a graphic annotation names", function()
    local ds = apply { { 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.11.1" },
      { 0x00700001, "SQ", { { { 0x00700002, "CS", "LAYER1" },
                              { 0x00700008, "SQ", { { { 0x00700006, "ST", MARK } } } } } } } }
    assert.equal("LAYER1", ds:get "GraphicAnnotationSequence[1].GraphicLayer")
    assert.is_false(ds:get "GraphicAnnotationSequence[1]":has "TextObjectSequence")
  end)
end)

describe("markers", function()
  it("say what was done (PS3.15 E.1.1 rule 6, E.2, E.3.6)", function()
    local ds = apply {}
    assert.equal("YES", ds:get "PatientIdentityRemoved")
    assert.matches("PS3.15 2025e Basic Profile", ds:values "DeidentificationMethod"[1])
    assert.equal("113100", ds:get "DeidentificationMethodCodeSequence[1].CodeValue")
    assert.equal("DCM", ds:get "DeidentificationMethodCodeSequence[1].CodingSchemeDesignator")
    assert.equal("REMOVED", ds:get "LongitudinalTemporalInformationModified")
    assert.equal("109104", ds:get "ContributingEquipmentSequence[1].PurposeOfReferenceCodeSequence[1].CodeValue")
    assert.is_false(ds:has "BurnedInAnnotation")
  end)

  it("are added to those of earlier passes", function()
    local ds = apply { { 0x00120062, "CS", "NO" }, { 0x00120063, "LO", "by hand" },
      { 0x00120064, "SQ", { { { 0x00080100, "SH", "113101" }, { 0x00080102, "SH", "DCM" },
                              { 0x00080104, "LO", "x" } } } },
      { 0x0018A001, "SQ", { { { 0x00080070, "LO", "ACME" }, { 0x00080080, "LO", MARK } } } } }
    assert.equal("YES", ds:get "PatientIdentityRemoved")
    assert.equal("by hand", ds:values "DeidentificationMethod"[1])
    assert.equal(2, #ds:values "DeidentificationMethod")
    assert.equal("113101", ds:get "DeidentificationMethodCodeSequence[1].CodeValue")
    assert.equal("113100", ds:get "DeidentificationMethodCodeSequence[2].CodeValue")
    assert.equal("ACME", ds:get "ContributingEquipmentSequence[1].Manufacturer")
    assert.not_equal(MARK, ds:get "ContributingEquipmentSequence[1].InstitutionName")
    assert.equal(2, #ds:get "ContributingEquipmentSequence")
  end)

  it("of the method are not repeated by a second pass", function()
    local twice = assert(basic:apply(apply {}))
    assert.equal(1, #twice:values "DeidentificationMethod")
    assert.equal(1, #twice:get "DeidentificationMethodCodeSequence")
  end)
end)

describe("what is refused", function()
  local function reason(bytes)
    local ds, err = basic:apply(assert(dicom.open(bytes)))
    assert.is_nil(ds)
    assert.equal("refused", err.code)
    return tostring(err)
  end

  it("private SOP classes", function()
    assert.matches("private SOP class.*1%.3%.46", reason(instance { { 0x00080016, "UI", "1.3.46.670589.5.0.1" } }))
    assert.matches("private SOP class", reason(instance { { 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2.77" } }))
    assert.matches("private SOP class", reason(instance { { 0x00080016, "UI", "1.2.840.10008.1.2.1" } }))
  end)

  it("a SOP Class UID that is none, without repeating what it says", function()
    local text = reason(instance { { 0x00080016, "UI", "1.2.840.10008." .. MARK } })
    assert.matches("is no UID", text)
    assert.is_nil(text:find(MARK, 1, true))
  end)

  it("instances without a SOP class", function()
    assert.matches("no SOP Class", reason(instance { { 0x00080016, "UI", "" } }))
  end)

  it("DICOMDIRs", function()
    local directory = part10.file({ { 0x00041220, "SQ", {} } }, { sop_class = "1.2.840.10008.1.3.10" })
    assert.matches("DICOMDIR", reason(directory))
  end)
end)

describe("apply", function()
  it("leaves its input as it was", function()
    local ds = open { { 0x00100010, "PN", "Doe^Jane" }, { 0x00091010, "LT", "x" },
                      { 0x00081140, "SQ", { { { 0x00081155, "UI", UID } } } } }
    local before = ds:bytes { part10 = true }
    assert(basic:apply(ds))
    assert.equal(before, ds:bytes { part10 = true })
  end)

  it("can be called as a function: a rule's `change` is one", function()
    assert.equal(mapping:uid(UID), basic(open { { 0x00080018, "UI", UID } }):get "SOPInstanceUID")
  end)

  it("reports what it did, without values", function()
    local _, report = apply { { 0x00080018, "UI", UID }, { 0x00080050, "SH", MARK }, { 0x00100010, "PN", MARK },
      { 0x00104000, "LT", MARK }, { 0x00081140, "SQ", { { { 0x00081155, "UI", UID } } } } }
    assert.same({ X = 1, Z = 1, D = 1, U = 3 }, report.actions)
    local found
    for _, change in ipairs(report.changes) do
      if change.tag == 0x00081155 then found = change end
      for _, value in pairs(change) do assert.is_nil(tostring(value):find(MARK, 1, true)) end
    end
    assert.same({ tag = 0x00081155, path = "0008,1140[1]", action = "U" }, found)
  end)
end)
