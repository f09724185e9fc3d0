-- SPDX-License-Identifier: MIT
-- Reads the headers of the files named on standard input, `rounds` times, and five attributes of each: files a second.
local dicom = require "dicom"
local system = require "system"

local names = {}
for line in io.lines() do names[#names + 1] = line end
local rounds, seen = math.tointeger(arg[1]), 0
local begin = system.monotime()
for _ = 1, rounds do
  for _, name in ipairs(names) do
    local ds <close> = assert(dicom.open(name))
    if ds.PatientID and ds.Modality and ds.StudyInstanceUID and ds.Rows and ds.SliceThickness then seen = seen + 1 end
  end
end
local seconds = system.monotime() - begin
assert(seen == #names * rounds)
print(("%.0f"):format(#names * rounds / seconds))
