-- SPDX-License-Identifier: MIT
--- dicom dump: what is in a file, one line an element.
local cli = require "dicom.cli"

local M = { summary = "print what is in DICOM files" }

-- VRs whose values are bytes or arrays that nobody reads in full.
local BULK = { OB = true, OW = true, OD = true, OF = true, OL = true, OV = true, UN = true }
local WIDTH, PREVIEW = 64, 16

function M.parser(p)
  p:flag("-a --all", "print values in full")
  p:argument("file", "DICOM files"):args "+"
end

-- Escape sequences in a file must not reach the terminal.
local function printable(s)
  return (s:gsub("[%c\127]", function(c) return ("\\x%02X"):format(c:byte()) end))
end

local function short(s, all)
  if all or #s <= WIDTH then return s end
  local cut = utf8.offset(s:sub(1, WIDTH + 1), 0, WIDTH + 1) or WIDTH + 1
  return s:sub(1, cut - 1) .. "..."
end

local function bytes(ds, e, all)
  if e.length == 0 then return "" end
  if not all and e.length > 65536 then return ("%d bytes"):format(e.length) end
  local raw, err = ds:raw(e.tag)
  if not raw then return tostring(err) end
  local head = all and raw or raw:sub(1, PREVIEW)
  local hex = head:gsub(".", function(c) return ("%02X "):format(c:byte()) end):sub(1, -2)
  return #head < #raw and ("%s... %d bytes"):format(hex, #raw) or hex
end

local function value(ds, e, all)
  if e.items then return ("%d item%s"):format(e.items, e.items == 1 and "" or "s") end
  if e.fragments then return ("%d fragments"):format(#e.fragments) end
  if BULK[e.vr] then return bytes(ds, e, all) end
  local v = ds:text(e.tag)
  return v and short(printable(v), all) or bytes(ds, e, all)
end

local function length_of(e)
  return e.length ~= 0xFFFFFFFF and ("%8d"):format(e.length) or "       -"
end

local function dump(ds, all, indent)
  for e in ds:elements() do
    local name = e.keyword or e.name or (e.tag & 0x10000 ~= 0 and "private" or "unknown")
    if e.creator then name = ("%s [%s]"):format(name, printable(e.creator)) end
    io.write(("%s(%04X,%04X) %s %s  %-36s %s\n"):format(indent, e.tag >> 16, e.tag & 0xFFFF, e.vr, length_of(e), name,
      value(ds, e, all)))
    for i, item in ipairs(e.items and ds[e.tag] or {}) do
      io.write(("%s  item %d\n"):format(indent, i))
      dump(item, all, indent .. "    ")
    end
  end
end

local function repairs(ds)
  for _, r in ipairs(ds.repairs) do
    io.write(("# repaired: %s%s%s\n"):format(r.what, r.tag and (" at (%04X,%04X)"):format(r.tag >> 16, r.tag & 0xFFFF)
      or "", r.offset and " byte " .. r.offset or ""))
  end
end

function M.run(args)
  local open = require "dicom.dataset".open
  local code = 0
  io.stdout:setvbuf("full", 1 << 16)
  for _, path in ipairs(args.file) do
    local ds, err = open(path)
    if ds then
      if #args.file > 1 then io.write("# ", path, "\n") end
      dump(ds.meta, args.all, "")
      dump(ds, args.all, "")
      repairs(ds)
    else
      code = cli.fail("dump", err)
    end
  end
  return code
end

return M
