-- SPDX-License-Identifier: MIT
-- Sends files to a DICOM node over one association (C-STORE). The bytes of each file go out as they are.
-- Run: lua5.4 examples/store.lua HOST PORT AE-TITLE FILE...
local dicom = require "dicom"

local pacs = dicom.peer { host = arg[1], port = tonumber(arg[2]), aet = arg[3], calling_aet = "EXAMPLE" }
local files = table.move(arg, 4, #arg, 1, {})
local failed, i = 0, 0
for status, detail in pacs.store(files) do
  i = i + 1
  if status ~= 0 then
    failed = failed + 1
    print(files[i], status and ("status %04XH"):format(status) or detail)
  end
end
pacs:close()
print(("%d sent, %d failed"):format(i - failed, failed))
os.exit(failed == 0 and 0 or 1)
