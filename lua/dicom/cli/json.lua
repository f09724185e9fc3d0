-- SPDX-License-Identifier: MIT
--- dicom json: files as the DICOM JSON Model, one line a file, and back.
local cli = require "dicom.cli"

local M = { summary = "print DICOM files as JSON, or make one of JSON" }

function M.parser(p)
  p:flag("-p --pretty", "lay it out for people")
  p:flag("-m --meta", "with the file meta, which the standard leaves out")
  p:option("-b --bulk", "where pixels and other bytes go: inline (as Base64), uri, or none of them")
    :choices { "inline", "uri", "none" }:default "inline"
  p:flag("-d --decode", "the other way: read JSON, write a DICOM file")
  p:argument("file", "DICOM files; with --decode a JSON file (- is standard input), then the file to write"):args "+"
end

--- Prints files as JSON or XML; one that fails is reported and the others go on.
---@param name "json"|"xml"
---@param args table
---@return integer code
function M.print(name, args)
  local open = require "dicom.dataset".open
  local write = (name == "xml" and require "dicom.xml" or require "dicom.json").write
  local bulk = args.bulk == "none" and function() return "" end or args.bulk
  local options = { pretty = args.pretty, meta = args.meta, text = "replace", bulk = bulk,
    bulk_threshold = args.bulk == "none" and 0 or nil }
  local code = 0
  io.stdout:setvbuf("full", 1 << 16)
  local function sink(chunk) assert(io.stdout:write(chunk)) end
  for _, path in ipairs(args.file) do
    local ds, err = open(path)
    local ok, more
    if ds then ok, more = write(ds, sink, options) end
    if ok and name == "json" and not args.pretty then sink "\n" end
    if not ok then
      code = cli.fail(name, err or path .. ": " .. tostring(more))
    elseif more > 0 then
      io.stderr:write(("dicom %s: %s: %d values are not text of their character set: U+FFFD stands for what is not\n")
        :format(name, path, more))
    end
  end
  return code
end

-- 64 KiB at a time.
local function pieces(path)
  if path == "-" then return function() return io.stdin:read(1 << 16) end end
  local f, why = io.open(path, "rb")
  if not f then return nil, why end
  return function() return f:read(1 << 16) end, f
end

local function decode(from, to)
  local next_piece, file = pieces(from)
  if not next_piece then return cli.fail("json", file) end
  local ds, err = require "dicom.json".decode(next_piece)
  if file then file:close() end
  if not ds then return cli.fail("json", from .. ": " .. tostring(err)) end
  if type(ds) == "table" then
    return cli.fail("json", ("%s: an array of %d data sets; a file holds one"):format(from, #ds))
  end
  for _, r in ipairs(ds.repairs) do
    io.stderr:write(("dicom json: %s: byte %d: %s\n"):format(from, r.offset, r.what))
  end
  local ok, why = ds:save(to)
  return ok and 0 or cli.fail("json", why)
end

function M.run(args)
  if not args.decode then return M.print("json", args) end
  if #args.file ~= 2 then
    io.stderr:write "dicom json: --decode takes a JSON file and the file to write; try dicom json --help\n"
    return 2
  end
  return decode(args.file[1], args.file[2])
end

return M
