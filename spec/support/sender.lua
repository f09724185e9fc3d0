-- SPDX-License-Identifier: MIT
-- Sends each file of a list until it is acknowledged, however often the receiver dies:
-- sender.lua PORT LIST ACKNOWLEDGED
local dicom = require "dicom"

local port, list, acknowledged = math.tointeger(arg[1]), arg[2], arg[3]
local log <close> = assert(io.open(acknowledged, "w"))
log:setvbuf "no"
local peer = dicom.peer { aet = "ROUTER", host = "127.0.0.1", port = port, calling_aet = "SENDER" }
for path in io.lines(list) do
  while peer.store(path) ~= 0 do dicom.sleep(0.02) end
  log:write(path, "\n")
end
peer:close()
