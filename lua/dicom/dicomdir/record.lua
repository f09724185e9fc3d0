-- SPDX-License-Identifier: MIT
--- Directory records (PS3.3 F.5): the type for each kind of instance, and the keys of each type.
local core = require "dicom.core"

local M = {}

--- Keys by record type: { keyword, 1: must be there and not empty, 2: must be there, 3: when the instance has it,
--- what stands in where a file lacks a key of type 1 }.
M.keys = {
  PATIENT = { { "PatientName", 2 }, { "PatientID", 1, "" }, { "PatientBirthDate", 3 }, { "PatientSex", 3 } },
  STUDY = { { "StudyDate", 1, "19000101" }, { "StudyTime", 1, "000000" }, { "AccessionNumber", 2 },
    { "StudyDescription", 2 }, { "StudyInstanceUID", 1 }, { "StudyID", 1, "" } },
  SERIES = { { "Modality", 1, "OT" }, { "InstitutionName", 3 }, { "SeriesDescription", 3 },
    { "PerformingPhysicianName", 3 }, { "SeriesInstanceUID", 1 }, { "SeriesNumber", 1, "" } },
  IMAGE = { { "ImageType", 3 }, { "ReferencedImageSequence", 3 }, { "InstanceNumber", 1, "" },
    { "ImagePositionPatient", 3 }, { "ImageOrientationPatient", 3 }, { "FrameOfReferenceUID", 3 },
    { "SynchronizationFrameOfReferenceUID", 3 }, { "NumberOfFrames", 3 }, { "Rows", 3 }, { "Columns", 3 },
    { "PixelSpacing", 3 }, { "CalibrationImage", 3 } },
}

local CONTENT = { { "ContentDate", 1, "19000101" }, { "ContentTime", 1, "000000" }, { "InstanceNumber", 1, "" } }
local LABELLED = { { "ContentDate", 1, "19000101" }, { "ContentTime", 1, "000000" }, { "InstanceNumber", 1, "" },
  { "ContentLabel", 1, "UNNAMED" }, { "ContentDescription", 2 }, { "ContentCreatorName", 2 } }

local function keys(types, list)
  for type in types:gmatch "[^,]+" do M.keys[type] = list end
end

keys("WAVEFORM,MEASUREMENT", CONTENT)
keys("RAW DATA", { CONTENT[1], CONTENT[2], { "InstanceNumber", 2 } })
keys("REGISTRATION,FIDUCIAL,VALUE MAP,SURFACE,TRACT", LABELLED)
keys("SURFACE SCAN", { CONTENT[1], CONTENT[2] })
keys("STEREOMETRIC", { { "InstanceNumber", 1, "" } })
keys("ASSESSMENT", { { "InstanceNumber", 1, "" }, { "InstanceCreationDate", 1, "19000101" },
  { "InstanceCreationTime", 2 } })
keys("PRESENTATION", { { "PresentationCreationDate", 1, "19000101" }, { "PresentationCreationTime", 1, "000000" },
  { "InstanceNumber", 1, "" }, { "ContentLabel", 1, "UNNAMED" }, { "ContentDescription", 2 },
  { "ContentCreatorName", 2 }, { "ReferencedSeriesSequence", 3 }, { "BlendingSequence", 3 } })
keys("SR DOCUMENT", { { "InstanceNumber", 1, "" }, { "CompletionFlag", 1, "PARTIAL" },
  { "VerificationFlag", 1, "UNVERIFIED" }, CONTENT[1], CONTENT[2], { "ConceptNameCodeSequence", 1 } })
keys("KEY OBJECT DOC", { { "InstanceNumber", 1, "" }, CONTENT[1], CONTENT[2], { "ConceptNameCodeSequence", 1 } })
keys("SPECTROSCOPY", { { "ImageType", 1, "ORIGINAL" }, CONTENT[1], CONTENT[2], { "InstanceNumber", 1, "" },
  { "ReferencedImageEvidenceSequence", 3 }, { "NumberOfFrames", 1, "1" }, { "Rows", 1 }, { "Columns", 1 },
  { "DataPointRows", 1 }, { "DataPointColumns", 1 } })
keys("ENCAP DOC", { { "ContentDate", 2 }, { "ContentTime", 2 }, { "InstanceNumber", 1, "" }, { "DocumentTitle", 2 },
  { "HL7InstanceIdentifier", 3 }, { "ConceptNameCodeSequence", 2 },
  { "MIMETypeOfEncapsulatedDocument", 1, "application/octet-stream" } })
keys("RT DOSE", { { "InstanceNumber", 1, "" }, { "DoseSummationType", 1, "PLAN" }, { "DoseComment", 3 } })
keys("RT STRUCTURE SET", { { "InstanceNumber", 1, "" }, { "StructureSetLabel", 1, "UNNAMED" },
  { "StructureSetDate", 2 }, { "StructureSetTime", 2 } })
keys("RT PLAN", { { "InstanceNumber", 1, "" }, { "RTPlanLabel", 1, "UNNAMED" }, { "RTPlanDate", 2 },
  { "RTPlanTime", 2 } })
keys("RT TREAT RECORD", { { "InstanceNumber", 1, "" }, { "TreatmentDate", 2 }, { "TreatmentTime", 2 } })

-- Below 1.2.840.10008.5.1.4.1.1, the longest that fits: a type, or false for what has no record below a series or is
-- retired without one. What stands nowhere is an image by its name, or because it has Rows.
local TYPES = {
  ["4.2"] = "SPECTROSCOPY", ["6.2"] = "IMAGE", ["8"] = false, ["9"] = false, ["9.1"] = "WAVEFORM", ["9.2"] = "WAVEFORM",
  ["9.3"] = "WAVEFORM", ["9.4"] = "WAVEFORM", ["9.5"] = "WAVEFORM", ["9.6"] = "WAVEFORM", ["9.7"] = "WAVEFORM",
  ["9.8"] = "WAVEFORM", ["9.100"] = "PRESENTATION", ["10"] = false, ["11"] = "PRESENTATION", ["66"] = "RAW DATA",
  ["66.1"] = "REGISTRATION", ["66.2"] = "FIDUCIAL", ["66.3"] = "REGISTRATION", ["66.4"] = "IMAGE",
  ["66.5"] = "SURFACE", ["66.6"] = "TRACT", ["66.7"] = "IMAGE", ["66.8"] = "IMAGE", ["67"] = "VALUE MAP",
  ["68"] = "SURFACE SCAN", ["77.1.5.3"] = "STEREOMETRIC", ["78"] = "MEASUREMENT", ["79"] = "SR DOCUMENT",
  ["80"] = "MEASUREMENT", ["88"] = "SR DOCUMENT", ["88.59"] = "KEY OBJECT DOC", ["90"] = "ASSESSMENT",
  ["104"] = "ENCAP DOC", ["129"] = false, ["481.2"] = "RT DOSE", ["481.3"] = "RT STRUCTURE SET",
  ["481.5"] = "RT PLAN", ["481.8"] = "RT PLAN", ["481.4"] = "RT TREAT RECORD", ["481.6"] = "RT TREAT RECORD",
  ["481.7"] = "RT TREAT RECORD", ["481.9"] = "RT TREAT RECORD", ["78.6"] = "SR DOCUMENT",
}

--- The record type of an instance, or nil and the reason why there is none.
---@param ds dicom.Dataset
---@return string?, string?
function M.type_of(ds)
  local class = ds:text "SOPClassUID" or ""
  local below = class:match "^1%.2%.840%.10008%.5%.1%.4%.1%.1%.([%d.]+)$"
  while below and below ~= "" do
    local type = TYPES[below]
    if type then return type end
    if type == false then return nil, "instances of its SOP class have no directory record" end
    below = below:match "^(.*)%.%d+$"
  end
  local _, keyword = core.uid_entry(class)
  if keyword and keyword:find "Image.*Storage" or ds:has "Rows" and ds:has "Columns" then return "IMAGE" end
  return nil, "no directory record is known for its SOP class"
end

--- Levels from the top; what lies lower refers to a file.
M.levels = { PATIENT = 1, STUDY = 2, SERIES = 3 }

return M
