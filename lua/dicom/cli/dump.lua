-- SPDX-License-Identifier: MIT
--- dicom dump: what is in a file, one line an element.
local cli = require "dicom.cli"

local M = { summary = "print what is in DICOM files" }

function M.parser(p)
  p:flag("-a --all", "print values in full")
  p:argument("file", "DICOM files"):args "+"
end

local function repair(r)
  local tag = r.tag and (" at (%04X,%04X)"):format(r.tag >> 16, r.tag & 0xFFFF) or ""
  return ("# repaired%s, byte %d: %s\n"):format(tag, r.offset, r.what)
end

function M.run(args)
  local open = require "dicom.dataset".open
  local code = 0
  io.stdout:setvbuf("full", 1 << 16)
  for _, path in ipairs(args.file) do
    local ds, err = open(path)
    if ds then
      if #args.file > 1 then io.write("# ", path, "\n") end
      io.write(ds.meta:dump(args), ds:dump(args))
      for _, r in ipairs(ds.repairs) do io.write(repair(r)) end
    else
      code = cli.fail("dump", err)
    end
  end
  return code
end

return M
