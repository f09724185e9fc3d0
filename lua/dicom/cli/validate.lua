-- SPDX-License-Identifier: MIT
--- dicom validate: where files differ from the standard. Nothing of a patient is printed: places and rules only.
local cli = require "dicom.cli"

local M = { summary = "check DICOM files against the standard" }

function M.parser(p)
  p:flag("-j --json", "print an array with an object for each file")
  p:flag("-q --quiet", "one line a file, no findings")
  p:argument("file", "DICOM files"):args "+"
end

local function tag_text(tag)
  return ("(%04X,%04X)"):format(tag >> 16, tag & 0xFFFF)
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- A path may hold any bytes: those that are no UTF-8 are written as the characters U+0080 to U+00FF.
local function quoted(s)
  if not utf8.len(s) then s = s:gsub("[\128-\255]", function(c) return utf8.char(c:byte()) end) end
  return '"' .. s:gsub('[%c"\\\127]', function(c) return ESCAPES[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end

-- The fields in this order; absent ones are left out.
local function object(fields)
  local out = {}
  for i = 1, #fields, 2 do
    local name, v = fields[i], fields[i + 1]
    if v ~= false then out[#out + 1] = ("%s:%s"):format(quoted(name), v) end
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function text(s)
  return s and quoted(s) or false
end

local function finding_json(f)
  return object {
    "severity", text(f.severity), "path", text(f.path), "tag", f.tag and quoted(("%08X"):format(f.tag)) or false,
    "code", text(f.code), "type", text(f.type), "module", text(f.module), "text", text(f.text),
  }
end

---@class dicom.cli.Checked
---@field path string
---@field iod? string
---@field findings dicom.Finding[]
---@field errors integer
---@field warnings integer
---@field failure? string  the file could not be read

local function check(path)
  local r = { path = path, findings = {}, errors = 0, warnings = 0 }
  local ds, err = require "dicom.dataset".open(path)
  if ds then
    r.iod = ds.iod
    r.findings, err = ds:validate()
    ds:close()
  end
  if err then
    r.failure, r.findings = tostring(err), {}
  end
  for _, f in ipairs(r.findings) do
    local kind = f.severity == "error" and "errors" or "warnings"
    r[kind] = r[kind] + 1
  end
  return r
end

local function print_json(r)
  local list = {}
  for i, f in ipairs(r.findings) do list[i] = finding_json(f) end
  io.write(object {
    "file", text(r.path), "iod", text(r.iod), "failure", text(r.failure), "errors", tostring(r.errors),
    "warnings", tostring(r.warnings), "findings", "[" .. table.concat(list, ",") .. "]",
  })
end

local function count(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

local function print_text(r, quiet)
  if r.failure then
    cli.fail("validate", r.failure)
    return
  end
  io.write(("%s: %s, %s, %s\n"):format(r.path, r.iod or "unknown kind of object", count(r.errors, "error"),
    count(r.warnings, "warning")))
  for _, f in ipairs(quiet and {} or r.findings) do
    local where = (f.tag and tag_text(f.tag) .. " " or "") .. (f.path and f.path .. " " or "")
    io.write(("  %s: %s%s\n"):format(f.severity, where, f.text))
  end
end

function M.run(args)
  local code = 0
  io.stdout:setvbuf("full", 1 << 16)
  if args.json then io.write "[" end
  for i, path in ipairs(args.file) do
    local r = check(path)
    if r.failure or r.errors > 0 then code = 1 end
    if args.json then
      if i > 1 then io.write ",\n" end
      print_json(r)
    else
      print_text(r, args.quiet)
    end
  end
  if args.json then io.write "]\n" end
  return code
end

return M
