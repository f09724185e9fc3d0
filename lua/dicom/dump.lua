-- SPDX-License-Identifier: MIT
--- A data set in print: `(0008,0060) CS 2 Modality: CT`, one line an element, items indented under their sequence.
local core = require "dicom.core"

local WIDTH = 64
local MOST = 64 -- numbers of a bulk value that are looked at

-- Escape sequences in a file must not reach the terminal; a byte that is no UTF-8 is shown, too.
local function printable(s)
  s = s:gsub("[%c\127]", function(c) return ("\\x%02X"):format(c:byte()) end)
  if utf8.len(s) then return s end
  return (s:gsub("[\128-\255]", function(c) return ("\\x%02X"):format(c:byte()) end))
end

local function short(s, width)
  if #s <= width then return s end
  local n = utf8.len(s)
  if n and n <= width then return s end
  return s:sub(1, n and utf8.offset(s, width + 1) - 1 or width) .. "..."
end

-- The first numbers, as many as the width has room for; the rest is never read.
local function numbers(ds, e, width)
  local v, err = ds:get(e.tag)
  if err then return "(" .. tostring(err) .. ")" end
  local t, room = {}, width
  for i = 1, math.min(#v, MOST) do
    t[i] = tostring(v[i])
    room = room - #t[i] - 1
    if room < 0 then break end
  end
  return table.concat(t, "\\") .. (#t < #v and "..." or "")
end

local function bytes(ds, e, width)
  if e.hold == "range" then return ("%d bytes"):format(e.length) end
  local raw = ds:raw(e.tag)
  if not raw:find "[^%g ]" then return short(raw, width) end
  local head = raw:sub(1, width // 3)
  local hex = head:gsub(".", function(c) return ("%02X "):format(c:byte()) end)
  return hex:sub(1, -2) .. (#head < #raw and "..." or "")
end

local function fragments(e)
  local total = 0
  for _, n in ipairs(e.fragments) do total = total + n end
  return ("%d fragments, %d bytes"):format(#e.fragments - 1, total)
end

local function value(ds, e, width)
  if e.fragments then return fragments(e) end
  local vr = e.read_as or e.vr
  if vr == "UN" then return bytes(ds, e, width) end
  if vr:find "^O" then return numbers(ds, e, width) end
  if e.hold == "range" then return ("%d bytes"):format(e.length) end
  local text = ds:text(e.tag) or "(no text)"
  local uid = vr == "UI" and core.uid_entry(text)
  return short(printable(text), width) .. (uid and " = " .. uid or "")
end

local function name_of(e)
  local private = e.tag & 0x10000 ~= 0
  local name = e.keyword or e.name or (private and "private" or "unknown")
  if not private or e.tag & 0xFFFF <= 0xFF then return name end
  return ("%s [%s]"):format(name, printable(e.creator or "no creator"))
end

local function add(out, ds, width, indent)
  for e in ds:elements() do
    local length = e.length ~= 0xFFFFFFFF and tostring(e.length) or "-"
    local head = ("%s(%04X,%04X) %s %s %s: "):format(indent, e.tag >> 16, e.tag & 0xFFFF, e.vr, length, name_of(e))
    if e.hold == "items" then
      out[#out + 1] = ("%s%d item%s"):format(head, e.items, e.items == 1 and "" or "s")
      for i, item in ipairs(ds:values(e.tag)) do
        out[#out + 1] = ("%s  item %d"):format(indent, i)
        add(out, item, width, indent .. "    ")
      end
    else
      out[#out + 1] = head .. value(ds, e, width)
    end
  end
end

--- The printed form. Patient data is in it: it is for people who may see the data set, never for a log.
---@param ds dicom.Dataset
---@param options? { width: integer?, all: boolean? } width of a value in characters, default 64; all: uncut
---@return string text with a newline after each line; "" for an empty data set
return function(ds, options)
  local out = {}
  local width = options and (options.all and math.maxinteger or options.width) or WIDTH
  add(out, ds, width, "")
  out[#out + 1] = ""
  return table.concat(out, "\n")
end
