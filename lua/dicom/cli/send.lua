-- SPDX-License-Identifier: MIT
--- dicom send: files and folders to a node, over one association.
local cli = require "dicom.cli"
local files_of = require "dicom.cli.files"

local M = { summary = "send files and folders to a DICOM node (C-STORE)" }

function M.parser(p)
  p:option("--aet", "our AE title"):default "DICOM"
  p:option("--aec", "their AE title"):default "ANY-SCP"
  p:flag("-v --verbose", "a line for each file, not only for those that fail")
  p:argument("host", "name or address")
  p:argument("port", "port"):convert(cli.port)
  p:argument("path", "files, or folders with files at any depth"):args "+"
end

local function report(path, status, detail, verbose)
  if status == 0 then
    if verbose then print(path, "sent") end
    return
  end
  io.stderr:write(("dicom send: %s: %s\n"):format(path, status and ("answered with status %04XH"):format(status)
    .. (detail.comment and ": " .. detail.comment or "") or tostring(detail)))
end

function M.run(args)
  local dicom = require "dicom"
  local files, skipped = {}, 0
  for _, path in ipairs(args.path) do skipped = skipped + files_of(path, files) end
  local peer = dicom.peer { aet = args.aec, host = args.host, port = args.port, calling_aet = args.aet }
  local done, failed = 0, 0
  for status, detail in peer.store(files) do
    done = done + 1
    if status ~= 0 then failed = failed + 1 end
    report(files[done], status, detail, args.verbose)
  end
  peer:close()
  print(("%d sent, %d failed%s"):format(done - failed, failed,
    skipped > 0 and (", %d left out: not DICOM"):format(skipped) or ""))
  return failed == 0 and done == #files and 0 or 1
end

return M
