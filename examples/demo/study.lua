-- SPDX-License-Identifier: MIT
-- Makes a small study of an invented patient: CT, MR, an ultrasound picture and a report, with sequences in sequences,
-- private elements and names in two scripts.
local dicom = require "dicom"

local M = {}

local CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
local US, SR = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.88.11"
local IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"

local study_uid, frame_uid = dicom.uid.new(), dicom.uid.new()

local function code(value, scheme, meaning)
  return { CodeValue = value, CodingSchemeDesignator = scheme, CodeMeaning = meaning }
end

-- What every object of the study says.
local function base(sop_class, modality, series, number)
  return dicom.dataset {
    SpecificCharacterSet = { "ISO_IR 192" },
    SOPClassUID = sop_class, SOPInstanceUID = dicom.uid.new(),
    StudyInstanceUID = study_uid, SeriesInstanceUID = series, FrameOfReferenceUID = frame_uid,
    Modality = modality, SeriesNumber = #modality, InstanceNumber = number,
    PatientName = "Ångström^Märta", PatientID = "DEMO-4711", PatientBirthDate = "19610412", PatientSex = "F",
    PatientAddress = "Sveavägen 12, Stockholm", OtherPatientIDs = { "A-17", "B-33" },
    StudyDate = "20240229", StudyTime = "101500", SeriesDate = "20240229", ContentDate = "20240229",
    AccessionNumber = "ACC-0815", StudyID = "S1", StudyDescription = "Head, for Märta Ångström",
    ReferringPhysicianName = "Curie^Marie", InstitutionName = "Invented Hospital", StationName = "SCANNER3",
    Manufacturer = "Invented Systems", DeviceSerialNumber = "SN-0042",
    RequestAttributesSequence = { {
      RequestedProcedureID = "RP-1", ScheduledProcedureStepID = "SPS-1",
      ScheduledProtocolCodeSequence = { code("P5-09051", "SRT", "Magnetic resonance imaging") },
    } },
    ReferencedStudySequence = { {
      ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID = dicom.uid.new(),
    } },
  }
end

-- A disc that fades to the edge: 16 bit, little endian.
local function disc(size, level)
  local rows = {}
  for y = 1, size do
    local row = {}
    for x = 1, size do
      local d = ((x - size / 2) ^ 2 + (y - size / 2) ^ 2) / (size / 2) ^ 2
      row[x] = string.pack("<I2", d < 1 and math.floor(level * (1 - d)) or 0)
    end
    rows[y] = table.concat(row)
  end
  return table.concat(rows)
end

local function image(ds, size, level)
  ds.ImageType = { "ORIGINAL", "PRIMARY", "AXIAL" }
  ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
  ds.Rows, ds.Columns = size, size
  ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
  ds.PixelSpacing = { 0.5, 0.5 }
  ds.PixelData = disc(size, level)
  return ds
end

local function ct(series, number)
  local ds = image(base(CT, "CT", series, number), 256, 1000 * number)
  ds.KVP, ds.SliceThickness, ds.RescaleIntercept, ds.RescaleSlope = 120, 1.25, -1024, 1
  ds.ImagePositionPatient, ds.ImageOrientationPatient = { -64, -64, 1.25 * number }, { 1, 0, 0, 0, 1, 0 }
  return ds
end

local function mr(series, number)
  local ds = image(base(MR, "MR", series, number), 128, 2000)
  ds.BodyPartExamined, ds.EchoTime, ds.RepetitionTime = "HEAD", 2.46, 1900
  ds.PatientComments = "claustrophobic, called Märta by her friends"
  return ds
end

local function us(series)
  local ds = base(US, "US", series, 1)
  ds.ImageType = { "ORIGINAL", "PRIMARY" }
  ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
  ds.Rows, ds.Columns = 64, 64
  ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
  ds.PixelData = ("\32\64\128"):rep(64 * 64)
  return ds
end

local function sr(series)
  local ds = base(SR, "SR", series, 1)
  ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
  ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
  ds.ConceptNameCodeSequence = { code("18748-4", "LN", "Diagnostic imaging report") }
  ds.ContentSequence = { {
    RelationshipType = "CONTAINS", ValueType = "TEXT",
    ConceptNameCodeSequence = { code("121071", "DCM", "Finding") },
    TextValue = "Mrs Ångström's head is an ideal disc.",
  } }
  return ds
end

--- Writes the study.
---@param folder string
---@return { path: string, modality: string, number: integer }[]
function M.make(folder)
  local series, list = {}, {}
  for _, modality in ipairs { "CT", "MR", "US", "SR" } do series[modality] = dicom.uid.new() end
  local function add(ds, syntax)
    local private = ds:private "INVENTED SYSTEMS 1.0"
    private:set(0x01, "seen by Dr Curie", "LO")
    private:set(0x02, "19610412", "DA")
    local path = ("%s/%s%d.dcm"):format(folder, ds.Modality, ds.InstanceNumber)
    assert(ds:save(path, { syntax = syntax }))
    list[#list + 1] = { path = path, modality = ds.Modality, number = ds.InstanceNumber }
  end
  for i = 1, 3 do add(ct(series.CT, i), EXPLICIT) end
  for i = 1, 2 do add(mr(series.MR, i), EXPLICIT) end
  add(us(series.US), EXPLICIT)
  add(sr(series.SR), IMPLICIT)
  return list
end

return M
