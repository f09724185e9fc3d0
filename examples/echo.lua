-- SPDX-License-Identifier: MIT
-- Is anybody there? Asks a DICOM node for a sign of life (C-ECHO).
-- Run: lua5.4 examples/echo.lua HOST PORT [AE TITLE]
local dicom = require "dicom"

local pacs = dicom.peer { host = arg[1], port = tonumber(arg[2]), aet = arg[3] or "ANY-SCP", calling_aet = "EXAMPLE" }
local status = assert(pacs.echo())
print(("%s:%s answers with status %04XH"):format(arg[1], arg[2], status))
pacs:close()
