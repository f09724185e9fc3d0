-- SPDX-License-Identifier: MIT
-- A router: receives, lets the rules of examples/rules decide, delivers. Edit the two nodes to be yours, then run it:
--
-- Run: DICOM_SECRET_RESEARCH="$(openssl rand -hex 32)" build/bin/dicom serve examples/gateway.lua
--
-- Port, queue folder and nodes may also come from the environment (ROUTER_PORT, ROUTER_QUEUE, ARCHIVE, RESEARCH as
-- host:port): `make demo` runs this very file that way.
local dicom = require "dicom"

local function node(aet, otherwise)
  local host, port = (os.getenv(aet) or otherwise):match "^(.*):(%d+)$"
  return { aet = aet, host = host, port = tonumber(port) }
end

return dicom.router {
  aet = "ROUTER",
  port = tonumber(os.getenv "ROUTER_PORT" or 11112),
  rules = "examples/rules/",
  queue = "spool:" .. (os.getenv "ROUTER_QUEUE" or "spool"),
  destinations = {
    archive = node("ARCHIVE", "127.0.0.1:11113"),
    research = node("RESEARCH", "127.0.0.1:11114"),
  },
}
