-- SPDX-License-Identifier: MIT
-- Receives images and says what came (C-STORE). A handler gets the data set and answers with a status.
-- Run: lua5.4 examples/receive.lua PORT FOLDER
local dicom = require "dicom"

local folder = arg[2]
local listener = assert(dicom.listen {
  aet = "EXAMPLE",
  port = tonumber(arg[1]),
  store = function(ds, association)
    print(association.calling_aet, ds.Modality, ds.SOPInstanceUID)
    io.stdout:flush()
    return ds:save(("%s/%s.dcm"):format(folder, dicom.uid.new())) -- nil and an error make a failure status
  end,
})
print("listening at port " .. listener.port)
io.stdout:flush()
assert(dicom.run())
