-- SPDX-License-Identifier: MIT
--- dicom receive: keeps what arrives in a folder.
local cli = require "dicom.cli"

local M = { summary = "receive images into a folder until interrupted (C-STORE)" }

function M.parser(p)
  p:option("--aet", "our AE title"):default "DICOM":convert(cli.aet)
  p:option("--port", "port to listen at; 0 picks a free one"):default "11112":convert(cli.own_port)
  p:argument("folder", "where the files go, each named by its SOP Instance UID")
end

function M.run(args)
  local dicom = require "dicom"
  local made, why = require "dicom.file".make_folder(args.folder)
  if not made then return cli.fail("receive", why) end
  local listener, err = dicom.listen { aet = args.aet, port = args.port, folder = args.folder }
  if not listener then return cli.fail("receive", err) end
  print(("%s listens at port %d and keeps what arrives in %s"):format(args.aet, listener.port, args.folder))
  io.stdout:flush()
  local ok
  ok, err = dicom.run { signals = true }
  return ok and 0 or cli.fail("receive", err)
end

return M
