-- SPDX-License-Identifier: MIT
--- dicom echo: asks a node for a sign of life.
local cli = require "dicom.cli"

local M = { summary = "ask a DICOM node whether it is there (C-ECHO)" }

function M.parser(p)
  p:option("--aet", "our AE title"):default "DICOM":convert(cli.aet)
  p:option("--aec", "their AE title"):default "ANY-SCP":convert(cli.aet)
  p:argument("host", "name or address")
  p:argument("port", "port"):convert(cli.port)
end

function M.run(args)
  local dicom = require "dicom"
  local peer = dicom.peer { aet = args.aec, host = args.host, port = args.port, calling_aet = args.aet }
  local status, err = peer.echo()
  peer:close()
  if not status then return cli.fail("echo", err) end
  print(("%s at %s:%d answers with status %04XH"):format(args.aec, args.host, args.port, status))
  return status == 0 and 0 or 1
end

return M
