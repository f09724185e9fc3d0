-- SPDX-License-Identifier: MIT
-- ds:validate(): presence and emptiness of Types 1 and 2, VR, VM, length and form of values, nested items included.
local dicom = require "dicom"
local sh = require "spec.support.sh"

local SC = "1.2.840.10008.5.1.4.1.1.7"
local MR = "1.2.840.10008.5.1.4.1.1.4"
local SR = "1.2.840.10008.5.1.4.1.1.88.33"

-- A secondary capture image without a flaw.
local function capture(more)
  local ds = dicom.dataset {
    SOPClassUID = SC, SOPInstanceUID = "1.2.3.4", StudyDate = "", StudyTime = "", AccessionNumber = "", Modality = "OT",
    ConversionType = "WSD", ReferringPhysicianName = "", PatientName = "Doe^Jane", PatientID = "SECRET",
    PatientBirthDate = "", PatientSex = "F", StudyInstanceUID = "1.2.3.1", SeriesInstanceUID = "1.2.3.2", StudyID = "",
    SeriesNumber = {}, InstanceNumber = 1, PatientOrientation = "", SamplesPerPixel = 1,
    PhotometricInterpretation = "MONOCHROME2", Rows = 1, Columns = 2, BitsAllocated = 8, BitsStored = 8, HighBit = 7,
    PixelRepresentation = 0, PixelData = "\1\2",
  }
  for key, value in pairs(more or {}) do ds[key] = value end
  return ds
end

-- As a file, some bytes changed behind the back of what checks values when they are set.
local function changed(ds, from, to)
  local bytes, n = assert(ds:bytes { part10 = true }):gsub(from, to)
  assert(n == 1, n)
  return assert(dicom.open(bytes))
end

-- Each finding as "path code type": what is looked at mostly.
local function findings(ds)
  local list = {}
  for i, f in ipairs(assert(ds:validate())) do
    list[i] = table.concat({ f.path or "-", f.code, f.type }, " ")
  end
  return list
end

local function first(ds)
  return assert(ds:validate())[1]
end

describe("a flawless data set", function()
  it("has no findings", function()
    assert.same({}, findings(capture()))
  end)

  it("has none after a round trip through bytes", function()
    for _, syntax in ipairs { "ImplicitVRLittleEndian", "ExplicitVRLittleEndian", "ExplicitVRBigEndian" } do
      local bytes = assert(capture():bytes { part10 = true, syntax = syntax })
      assert.same({}, findings(assert(dicom.open(bytes))), syntax)
    end
  end)
end)

describe("presence (PS3.5 7.4)", function()
  it("of Type 1 and Type 2 attributes is asked for", function()
    local ds = capture()
    ds.SOPInstanceUID = nil
    ds.PatientName = nil
    assert.same({ "SOPInstanceUID missing 1", "PatientName missing 2" }, findings(ds))
  end)

  it("says the module and the rules, and where", function()
    local ds = capture()
    ds.ConversionType = nil
    assert.same({
      severity = "error", code = "missing", type = "1", module = "SC Equipment",
      path = "ConversionType", tag = 0x00080064,
      text = "is missing: Type 1 in the SC Equipment Module (PS3.3, PS3.5 7.4.1)",
    }, first(ds))
  end)

  it("with a value is asked of Type 1, not of Type 2", function()
    assert.same({ "PhotometricInterpretation empty 1" }, findings(capture { PhotometricInterpretation = "" }))
    assert.same({}, findings(capture { PatientName = "" }))
  end)

  it("takes padding alone for empty", function()
    local ds = capture()
    ds:set("ConversionType", "", "CS")
    assert.same({ "ConversionType empty 1" }, findings(ds))
    assert.same({ "ConversionType empty 1" }, findings(changed(capture(), "WSD ", "    ")))
  end)

  it("names one module, the strictest, for an attribute that several ask for", function()
    local ds = capture { SOPClassUID = "1.2.840.10008.5.1.4.1.1.2" } -- CT Image and Image Pixel both want it
    ds.BitsAllocated = nil
    local count = 0
    for _, f in ipairs(assert(ds:validate())) do
      if f.path == "BitsAllocated" then count = count + 1 end
    end
    assert.equal(1, count)
  end)
end)

describe("conditions", function()
  it("that the data set answers are judged", function()
    local ds = capture { SamplesPerPixel = 3, PhotometricInterpretation = "RGB" }
    assert.same({ "PlanarConfiguration missing 1C" }, findings(ds))
    assert.equal("is missing: Type 1C in the Image Pixel Module (PS3.3, PS3.5 7.4.2)", first(ds).text)
    ds.PlanarConfiguration = 0
    assert.same({}, findings(ds))
  end)

  it("that it does not answer are no findings", function()
    local mr = capture { SOPClassUID = MR } -- Laterality: is the body part a paired one?
    for _, f in ipairs(assert(mr:validate())) do assert.not_equal("Laterality", f.path) end
  end)

  it("look at values by number and around the item", function()
    local function has(ds, wanted)
      for _, f in ipairs(findings(ds)) do
        if f == wanted then return true end
      end
      return false
    end
    local ep = capture { SOPClassUID = MR, ScanningSequence = { "SE", "EP" }, SequenceVariant = "NONE" }
    assert.is_false(has(ep, "RepetitionTime missing 2C"))
    ep.SequenceVariant = { "NONE", "SK" }
    assert.is_true(has(ep, "RepetitionTime missing 2C"))
    assert.is_true(has(capture { PatientIdentityRemoved = "YES" }, "DeidentificationMethod missing 1C"))
  end)

  it("make an empty Type 1C an error, unless the attribute may be present otherwise", function()
    assert.same({ "SpecificCharacterSet empty 1C" }, findings(capture { SpecificCharacterSet = {} }))
    assert.same({}, findings(capture { RequestAttributesSequence = { { RequestedProcedureID = "" } } }))
  end)
end)

describe("optional modules", function()
  it("ask for nothing while they are not used", function()
    assert.same({}, findings(capture { PatientAge = "030Y", InstitutionName = "Hospital" }))
  end)

  it("ask once one of their own attributes of the strictest kind is there", function()
    assert.same({ "PositionReferenceIndicator missing 2" }, findings(capture { FrameOfReferenceUID = "1.2.3.5" }))
    assert.same({}, findings(capture { PositionReferenceIndicator = "" }))
  end)

  it("are asked for by each repeating group for itself", function()
    local ds = capture {
      [0x60020010] = 1, [0x60020011] = 2, [0x60020040] = "G", [0x60020050] = { 1, 1 }, [0x60020100] = 1,
      [0x60020102] = 0, [0x60023000] = "\0\0", [0x60040010] = 1,
    }
    assert.same({ "6004,0011 missing 1", "6004,0040 missing 1", "6004,0050 missing 1", "6004,0100 missing 1",
      "6004,0102 missing 1", "6004,3000 missing 1" }, findings(ds))
  end)
end)

describe("items", function()
  it("are held against what their sequence asks, at any depth", function()
    local step = { ScheduledProtocolCodeSequence = { { CodeValue = "X" } } }
    local ds = capture { RequestAttributesSequence = { {}, step } }
    assert.same({
      "RequestAttributesSequence[2].ScheduledProtocolCodeSequence[1].CodingSchemeDesignator missing 1C",
      "RequestAttributesSequence[2].ScheduledProtocolCodeSequence[1].CodeMeaning missing 1",
    }, findings(ds))
  end)

  it("count: a Type 1 sequence has one", function()
    local ds = capture { ReferencedImageSequence = { {} } }
    assert.same({ "ReferencedImageSequence[1].ReferencedSOPClassUID missing 1",
      "ReferencedImageSequence[1].ReferencedSOPInstanceUID missing 1" }, findings(ds))
    ds = capture { ReferencedPerformedProcedureStepSequence = {
      { ReferencedSOPClassUID = "1.2", ReferencedSOPInstanceUID = "1.2.1" },
      { ReferencedSOPClassUID = "1.2", ReferencedSOPInstanceUID = "1.2.2" } } }
    assert.same({ "ReferencedPerformedProcedureStepSequence bad items 3" }, findings(ds))
    assert.equal("2 items, where the General Series Module has 1 (PS3.3)", first(ds).text)
  end)

  it("of a report are judged by their value type (PS3.3 C.17.3)", function()
    local function content(item)
      local list = {}
      for _, f in ipairs(findings(dicom.dataset { SOPClassUID = SR, ContentSequence = { item } })) do
        list[#list + 1] = f:match "^ContentSequence%[1%]%.(.*)"
      end
      return list
    end
    local name = { { CodeValue = "1", CodingSchemeDesignator = "99X", CodeMeaning = "One" } }
    assert.same({ "TextValue missing 1C" },
      content { RelationshipType = "CONTAINS", ValueType = "TEXT", ConceptNameCodeSequence = name })
    assert.same({ "GraphicData missing 1C", "GraphicType missing 1C" }, content { RelationshipType = "CONTAINS",
      ValueType = "SCOORD" })
    assert.same({}, content { RelationshipType = "CONTAINS", ValueType = "SCOORD", GraphicType = "CIRCLE",
      GraphicData = { 1, 1, 2, 2 } }) -- no such graphic in three dimensions
    assert.same({ "GraphicType bad value 1C" }, content { RelationshipType = "CONTAINS", ValueType = "SCOORD",
      GraphicType = "ELLIPSOID", GraphicData = { 1, 1, 2, 2 } })
    assert.same({ "ContentSequence[1].ValueType missing 1C" }, content { RelationshipType = "CONTAINS",
      ValueType = "TEXT", ConceptNameCodeSequence = name, TextValue = "x",
      ContentSequence = { { RelationshipType = "HAS PROPERTIES" } } })
  end)

  it("of functional groups: what is in neither the shared nor the frames' own is missing (PS3.3 C.7.6.16)", function()
    local measures = { SliceThickness = 1, PixelSpacing = { 1, 1 } }
    local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1", SharedFunctionalGroupsSequence = { {} },
      PerFrameFunctionalGroupsSequence = { { PixelMeasuresSequence = { measures } } } }
    local found = {}
    for _, f in ipairs(findings(ds)) do found[f] = true end
    assert.is_true(found["SharedFunctionalGroupsSequence[1].PlanePositionSequence missing 1C"])
    assert.is_nil(found["SharedFunctionalGroupsSequence[1].PixelMeasuresSequence missing 1C"])
  end)

  it("are found by their number", function()
    local items = {}
    for i = 1, 12 do items[i] = { ReferencedSOPClassUID = "1.2", ReferencedSOPInstanceUID = "1.2." .. i } end
    items[11].ReferencedSOPInstanceUID = nil
    assert.same({ "ReferencedImageSequence[11].ReferencedSOPInstanceUID missing 1" },
      findings(capture { ReferencedImageSequence = items }))
  end)
end)

describe("VR, VM and values", function()
  it("VR is that of PS3.6", function()
    local ds = capture()
    ds:set("InstitutionName", "Hospital", "ST")
    assert.same({ "InstitutionName bad vr" }, findings(ds))
    assert.equal("VR ST, where PS3.6 has LO", first(ds).text)
  end)

  it("may be either where PS3.6 has several, and UN", function()
    local ds = capture()
    ds:set("SmallestImagePixelValue", -1, "SS")
    ds:set("InstitutionName", "Hospital", "UN")
    assert.same({}, findings(ds))
  end)

  it("pixels of more than 8 bits are not OB (PS3.5 A.2)", function()
    local ds = capture { BitsAllocated = 16, BitsStored = 16, HighBit = 15 }
    ds:set("PixelData", "\1\2\3\4", "OB")
    assert.same({ "PixelData bad vr" }, findings(ds))
  end)

  it("VM is that of PS3.6", function()
    local ds = changed(capture { StudyID = "ABCDEF" }, "ABCDEF", "AB\\DEF")
    assert.same({ "StudyID bad vm" }, findings(ds))
    assert.equal("2 values, where PS3.6 has 1", first(ds).text)
    assert.same({ "PixelSpacing bad vm" }, findings(capture { PixelSpacing = { 1, 2, 3 } }))
    local points = capture { ShutterShape = { "POLYGONAL" }, VerticesOfThePolygonalShutter = { 1, 1, 2 } }
    assert.same({ "VerticesOfThePolygonalShutter bad vm" }, findings(points))
    assert.equal("3 values, where PS3.6 has 2-2n", first(points).text)
    assert.same({ "PixelAspectRatio bad vm" }, findings(capture { PixelAspectRatio = { 2 } }))
  end)

  it("counts values by the character set: half a character is no delimiter", function()
    local ds = capture { SpecificCharacterSet = { "GB18030" }, StudyDescription = "\u{6a31}\u{4e57}" }
    assert.is_truthy(ds:raw("StudyDescription"):find("\\", 1, true))
    assert.same({}, findings(ds))
  end)

  it("values have the form of their VR", function()
    local ds = changed(capture { StudyDate = "20240131" }, "20240131", "20240132")
    assert.same({ "StudyDate bad value" }, findings(ds))
    assert.equal("value 1 does not have the form of DA (PS3.5 6.2)", first(ds).text)
  end)

  it("values are no longer than their VR allows, in characters", function()
    local long = ("x"):rep(64)
    local ds = changed(capture { StudyDescription = long }, "\x40\0" .. long, "\x42\0" .. long .. "xx")
    assert.same({ "StudyDescription bad length" }, findings(ds))
    ds = capture { SpecificCharacterSet = { "ISO_IR 192" }, StudyDescription = ("\u{20ac}"):rep(64) }
    assert.same({}, findings(ds))
  end)

  it("text fits the character set", function()
    local ds = changed(capture { StudyDescription = "ABCD" }, "ABCD", "AB\xC4D")
    assert.same({ "StudyDescription bad value" }, findings(ds))
    assert.is_truthy(first(ds).text:find "Specific Character Set")
  end)

  it("padding is a space, NUL for UI", function()
    assert.same({ "StudyID bad value" }, findings(changed(capture { StudyID = "ABC" }, "ABC ", "ABC\0")))
    assert.same({ "StudyInstanceUID bad value" }, findings(changed(capture(), "1%.2%.3%.1\0", "1.2.3.1 ")))
  end)

  it("numbers fill their length", function()
    local ds = changed(capture(), "%(\0\x10\0US", "(\0\x10\0UL")
    assert.same({ "Rows bad vr", "Rows bad length" }, findings(ds))
  end)

  it("enumerated values are those of the module", function()
    local ds = capture { PatientSex = "X" }
    assert.same({ "PatientSex bad value 2" }, findings(ds))
    assert.equal("value 1 is none of those of the Patient Module: M, F, O (PS3.3)", first(ds).text)
    assert.same({}, findings(capture { ConversionType = "XYZ" })) -- a defined term: others are allowed
  end)

  it("of private elements have a form, too; their VR and VM are their maker's", function()
    local ds = capture()
    ds:set("0011,0010", "ACME 1.1", "LO")
    ds:set("0011,1002", { 1, 2, 3 }, "US")
    ds:set("0011,1003", "20240131", "DA")
    assert.same({}, findings(ds))
    assert.same({ "0011,1003 bad value" }, findings(changed(ds, "20240131", "20240132")))
  end)
end)

describe("the rest", function()
  it("what reading mended is found", function()
    local f = first(changed(capture { StudyID = "ABCD" }, "SH\4\0ABCD", "SH\3\0ABC"))
    assert.same({ "error", "repaired", 0x00200010, "odd length (PS3.5 7.1)" }, { f.severity, f.code, f.tag, f.text })
  end)

  it("a SOP class of nobody's is a warning, and values are still looked at", function()
    local ds = capture { SOPClassUID = "1.2.3" }
    ds:set("InstitutionName", "Hospital", "ST")
    local list = assert(ds:validate())
    assert.same({ "warning", "unknown sop class", "SOPClassUID" }, { list[1].severity, list[1].code, list[1].path })
    assert.same({ "error", "bad vr", "InstitutionName" }, { list[2].severity, list[2].code, list[2].path })
    assert.equal(2, #list)
  end)

  it("the file meta has its own module", function()
    local ds = assert(dicom.open(assert(capture():bytes { part10 = true })))
    assert.same({}, findings(ds))
    ds.meta.ImplementationClassUID = nil
    assert.same({ "ImplementationClassUID missing 1" }, findings(ds))
    assert.equal("File Meta Information", first(ds).module)
  end)

  it("never quotes a value", function()
    local ds = capture { PatientID = "SECRET12", PatientBirthDate = "19990101", PatientSex = "Q" }
    ds = changed(ds, "19990101", "99SECRET")
    local list = assert(changed(ds, "SECRET12", "SECRET\\2"):validate())
    assert.equal(3, #list)
    for _, f in ipairs(list) do assert.is_nil(f.text:find "SECRET") end
  end)

  it("needs a whole data set", function()
    local ds = capture { ReferencedImageSequence = { {} } }
    assert.has_error(function() ds.ReferencedImageSequence[1]:validate() end)
    assert.has_error(function() ds.meta:validate() end)
  end)

  it("stays within 10,000 findings", function()
    local items = {}
    for i = 1, 6000 do items[i] = {} end
    assert.equal(10000, #assert(capture { ReferencedImageSequence = items }:validate()))
  end)

  it("walks as deep as a data set may be", function()
    local item = { ValueType = "CONTAINER", RelationshipType = "CONTAINS" }
    for _ = 1, 60 do item = { ValueType = "CONTAINER", RelationshipType = "CONTAINS", ContentSequence = { item } } end
    local list = findings(dicom.dataset { SOPClassUID = SR, ContentSequence = { item } })
    local deepest = 0
    for _, f in ipairs(list) do deepest = math.max(deepest, select(2, f:gsub("ContentSequence", ""))) end
    assert.equal(61, deepest)
  end)
end)

describe("dicom validate", function()
  local folder = sh.folder()
  local good, bad = folder .. "/good.dcm", folder .. "/bad.dcm"
  assert(capture():save(good))
  local flawed = capture { PatientSex = "X" }
  flawed.ConversionType = nil
  assert(flawed:save(bad))

  it("prints what it finds, and fails when there are errors", function()
    local r = sh.run { sh.dicom, "validate", good }
    assert.same({ 0, good .. ": Secondary Capture Image, 0 errors, 0 warnings\n" }, { r.code, r.out })
    r = sh.run { sh.dicom, "validate", good, bad }
    assert.equal(1, r.code)
    assert.equal(good .. ": Secondary Capture Image, 0 errors, 0 warnings\n"
      .. bad .. ": Secondary Capture Image, 2 errors, 0 warnings\n"
      .. "  error: (0008,0064) ConversionType is missing: Type 1 in the SC Equipment Module (PS3.3, PS3.5 7.4.1)\n"
      .. "  error: (0010,0040) PatientSex value 1 is none of those of the Patient Module: M, F, O (PS3.3)\n", r.out)
  end)

  it("prints a line a file with --quiet", function()
    local r = sh.run { sh.dicom, "validate", "--quiet", bad }
    assert.same({ 1, bad .. ": Secondary Capture Image, 2 errors, 0 warnings\n" }, { r.code, r.out })
  end)

  it("fails on what it cannot read, and goes on", function()
    local r = sh.run { sh.dicom, "validate", folder .. "/absent.dcm", good }
    assert.equal(1, r.code)
    assert.is_truthy(r.err:find("absent.dcm", 1, true))
    assert.is_truthy(r.out:find("good.dcm", 1, true))
  end)

  it("does not fail on warnings", function()
    local path = folder .. "/nobody.dcm"
    assert(capture { SOPClassUID = "1.2.3" }:save(path))
    local r = sh.run { sh.dicom, "validate", path }
    assert.equal(0, r.code)
    assert.is_truthy(r.out:find("unknown kind of object, 0 errors, 1 warning", 1, true))
  end)

  it("prints JSON", function()
    local r = sh.run { sh.dicom, "validate", "--json", good, bad }
    assert.equal(1, r.code)
    assert.equal('[{"file":"' .. good .. '","iod":"Secondary Capture Image","errors":0,"warnings":0,"findings":[]},\n'
      .. '{"file":"' .. bad .. '","iod":"Secondary Capture Image","errors":2,"warnings":0,"findings":['
      .. '{"severity":"error","path":"ConversionType","tag":"00080064","code":"missing","type":"1",'
      .. '"module":"SC Equipment","text":"is missing: Type 1 in the SC Equipment Module (PS3.3, PS3.5 7.4.1)"},'
      .. '{"severity":"error","path":"PatientSex","tag":"00100040","code":"bad value","type":"2","module":"Patient",'
      .. '"text":"value 1 is none of those of the Patient Module: M, F, O (PS3.3)"}]}]\n', r.out)
  end)

  it("prints JSON of any file name", function()
    local path = folder .. '/a"\\\t\xC4.dcm'
    local r = sh.run { sh.dicom, "validate", "--json", path }
    assert.equal(1, r.code)
    assert.is_truthy(r.out:find([[a\"\\\t]] .. "\u{C4}" .. [[.dcm","failure":"]], 1, true))
  end)
end)
