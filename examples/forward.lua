-- SPDX-License-Identifier: MIT
-- A proxy: what arrives goes on, and the answer is the other side's. Run: lua5.4 examples/forward.lua PORT HOST PORT
local dicom = require "dicom"
local pacs = dicom.peer { aet = "ARCHIVE", host = arg[2], port = tonumber(arg[3]), calling_aet = "FORWARD" }
assert(dicom.listen { aet = "FORWARD", port = tonumber(arg[1]), store = pacs.store })
assert(dicom.run())
