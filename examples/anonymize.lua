-- SPDX-License-Identifier: MIT
-- De-identifies a file by the Basic Application Level Confidentiality Profile. The same key gives the same new UIDs and
-- the same new Patient ID, so that a study stays together; without the key nobody finds the way back.
-- Run: lua5.4 examples/anonymize.lua KEY-FILE IN OUT
local deid = require "dicom.deid"
local dicom = require "dicom"

local key_file = assert(io.open(arg[1], "rb"))
local key = key_file:read "a"
key_file:close()

local basic = deid.new { profile = "basic", key = key }
local ds = assert(dicom.open(arg[2]))
local new = assert(basic:apply(ds)) -- a copy: ds is as it was
assert(new:save(arg[3]))
print("written", arg[3], "for patient", new.PatientID)
