-- SPDX-License-Identifier: MIT
--- dicom send: files and folders to a node, over one association.
local cli = require "dicom.cli"
local files_of = require "dicom.cli.files"

local M = { summary = "send files and folders to a DICOM node (C-STORE)" }

function M.parser(p)
  p:option("--aet", "our AE title"):default "DICOM":convert(cli.aet)
  p:option("--aec", "their AE title"):default "ANY-SCP":convert(cli.aet)
  p:flag("-v --verbose", "a line for each file, not only for those that fail")
  p:argument("host", "name or address")
  p:argument("port", "port"):convert(cli.port)
  p:argument("path", "files, or folders with files at any depth"):args "+"
end

-- The files of all paths. Nil when there is a folder without any.
local function gather(paths)
  local files, skipped = {}, 0
  for _, path in ipairs(paths) do
    local before = #files
    local more, is_folder = files_of(path, files)
    skipped = skipped + more
    if is_folder and #files == before then return nil, path .. ": no DICOM files are in this folder" end
  end
  return files, skipped
end

local function why(path, status, detail)
  if not status then return cli.reason(path, detail) end
  local comment = detail.comment and ": " .. detail.comment:gsub("%c", "?") or ""
  return ("answered with status %04XH%s"):format(status, comment)
end

-- A line for a failure, once for the files in a row that fail by the same error: without an association all do.
local function reporter()
  local last, more = nil, 0
  return function(path, status, detail)
    if last and not status and detail == last then
      more = more + 1
      return
    end
    if more > 0 then io.stderr:write(("dicom send: %d more: %s\n"):format(more, tostring(last))) end
    last, more = not status and detail or nil, 0
    if path and status ~= 0 then io.stderr:write(("dicom send: %s: %s\n"):format(path, why(path, status, detail))) end
  end
end

function M.run(args)
  local dicom = require "dicom"
  local files, skipped = gather(args.path)
  if not files then return cli.fail("send", skipped) end
  local peer = dicom.peer { aet = args.aec, host = args.host, port = args.port, calling_aet = args.aet }
  local done, failed, report = 0, 0, reporter()
  for status, detail in peer.store(files) do
    done = done + 1
    local path = files[done]
    if status ~= 0 then failed = failed + 1 end
    report(path, status, detail)
    if status == 0 and args.verbose then print(path, "sent") end
  end
  report()
  peer:close()
  print(("%d sent, %d failed%s"):format(done - failed, failed,
    skipped > 0 and (", %d left out: not DICOM"):format(skipped) or ""))
  return failed == 0 and done == #files and 0 or 1
end

return M
