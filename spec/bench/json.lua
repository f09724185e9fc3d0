-- SPDX-License-Identifier: MIT
-- Writes the data sets of the files named on standard input as JSON, `rounds` times, each file read before with all of
-- its values in memory: data sets a second.
local dicom = require "dicom"
local system = require "system"

local sets = {}
for line in io.lines() do
  sets[#sets + 1] = assert(dicom.open(line, { limits = { held = 1 << 30 } }))
end
local rounds, bytes = math.tointeger(arg[1]), 0
local begin = system.monotime()
for _ = 1, rounds do
  for _, ds in ipairs(sets) do bytes = bytes + #ds:json() end
end
local seconds = system.monotime() - begin
assert(bytes > #sets * rounds)
print(("%.0f"):format(#sets * rounds / seconds))
