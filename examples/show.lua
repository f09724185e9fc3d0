-- SPDX-License-Identifier: MIT
-- Reads DICOM files: attributes by keyword, sequences as lists, private elements by creator.
-- Run: lua5.4 examples/show.lua FILE...
local dicom = require "dicom"

for _, path in ipairs(arg) do
  local ds, err = dicom.open(path)
  if not ds then
    print(err) -- says what is wrong, at which tag and at which byte
  else
    print(path)
    print("  patient", ds.PatientName, ds.PatientID)
    print("  study", ds.StudyDate, ds.StudyDescription)
    print("  kind", ds.Modality, table.concat(ds.ImageType or {}, "\\"))
    for i, item in ipairs(ds.RequestAttributesSequence or {}) do
      print("  request " .. i, item.RequestedProcedureID, item.RequestedProcedureDescription)
    end
    for _, repair in ipairs(ds.repairs) do print("  repaired", repair.what) end
  end
end
