-- SPDX-License-Identifier: MIT
-- Instances for the benchmarks: CTs of 0.5 MB with about 120 elements, and small ones of some 4 KB.
local dicom = require "dicom"

local M = {}

local function header(i, study, series)
  return {
    SpecificCharacterSet = { "ISO_IR 100" }, ImageType = { "ORIGINAL", "PRIMARY", "AXIAL" },
    InstanceCreationDate = "20240102", InstanceCreationTime = "101112", SOPClassUID = "1.2.840.10008.5.1.4.1.1.2",
    SOPInstanceUID = dicom.uid.new(), StudyDate = "20240102", SeriesDate = "20240102", AcquisitionDate = "20240102",
    ContentDate = "20240102", StudyTime = "101112", SeriesTime = "101113", AcquisitionTime = "101114",
    ContentTime = "101115", AccessionNumber = "A1", Modality = "CT", Manufacturer = "Bench", InstitutionName = "Bench",
    InstitutionAddress = "Street 1", ReferringPhysicianName = "Ref^Phys", StationName = "CT1",
    StudyDescription = "Chest", SeriesDescription = "Axial", InstitutionalDepartmentName = "Radiology",
    PhysiciansOfRecord = { "Rec^Ord" }, PerformingPhysicianName = { "Per^Form" }, OperatorsName = { "Op^Erator" },
    ManufacturerModelName = "Model 1", PatientName = "Bench^Patient", PatientID = "B1", PatientBirthDate = "19500101",
    PatientSex = "O", PatientAge = "074Y", PatientSize = 1.75, PatientWeight = 75, PatientComments = "none",
    BodyPartExamined = "CHEST", ScanOptions = { "HELICAL" }, SliceThickness = 1.25, KVP = 120,
    DataCollectionDiameter = 500, DeviceSerialNumber = "S1", SoftwareVersions = { "1.0", "2.0" },
    ProtocolName = "Chest routine", ReconstructionDiameter = 360, DistanceSourceToDetector = 949,
    DistanceSourceToPatient = 541, GantryDetectorTilt = 0, TableHeight = 150, RotationDirection = "CW",
    ExposureTime = 500, XRayTubeCurrent = 300, Exposure = 150, FilterType = "BODY", GeneratorPower = 36000,
    FocalSpots = { 1.2 }, ConvolutionKernel = { "STANDARD" }, PatientPosition = "FFS", StudyInstanceUID = study,
    SeriesInstanceUID = series, StudyID = "1", SeriesNumber = 2, AcquisitionNumber = 1, InstanceNumber = i,
    ImagePositionPatient = { -180, -180, i * 1.25 }, ImageOrientationPatient = { 1, 0, 0, 0, 1, 0 },
    FrameOfReferenceUID = dicom.uid.new(), PositionReferenceIndicator = "SN", SliceLocation = i * 1.25,
    ImageComments = "bench", SamplesPerPixel = 1, PhotometricInterpretation = "MONOCHROME2", Rows = 512, Columns = 512,
    PixelSpacing = { 0.703125, 0.703125 }, BitsAllocated = 16, BitsStored = 16, HighBit = 15, PixelRepresentation = 1,
    WindowCenter = { 40, 400 }, WindowWidth = { 400, 1800 }, RescaleIntercept = -1024, RescaleSlope = 1,
    RescaleType = "HU", RequestingPhysician = "Req^Uest", RequestedProcedureDescription = "CT chest",
    PerformedProcedureStepStartDate = "20240102", PerformedProcedureStepStartTime = "101112",
    PerformedProcedureStepID = "P1", PerformedProcedureStepDescription = "CT chest",
    RequestAttributesSequence = { { RequestedProcedureID = "R1", ScheduledProcedureStepID = "S1" } },
    ReferencedStudySequence = { { ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1",
      ReferencedSOPInstanceUID = dicom.uid.new() } },
    ProcedureCodeSequence = { { CodeValue = "C1", CodingSchemeDesignator = "99BENCH", CodeMeaning = "Chest" } },
  }
end

--- Writes n instances with `pixels` bytes of Pixel Data into `folder`; returns their paths.
---@param folder string
---@param n integer
---@param pixels integer
---@return string[]
function M.make(folder, n, pixels)
  local study, series, paths = dicom.uid.new(), dicom.uid.new(), {}
  local bytes = ("\1\2\3\4"):rep(pixels // 4)
  for i = 1, n do
    local ds <close> = dicom.dataset(header(i, study, series))
    for e = 0x10, 0x2F do -- private elements as scanners write them
      ds:private("BENCH 1.0", 0x0019):set(e, "value " .. e, "LO")
    end
    ds:set("PixelData", bytes, "OW")
    paths[i] = ("%s/%06d.dcm"):format(folder, i)
    assert(ds:save(paths[i]))
  end
  return paths
end

return M
