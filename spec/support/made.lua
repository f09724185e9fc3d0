-- SPDX-License-Identifier: MIT
-- Data sets made byte by byte (PS3.5 7.1), so that specs of reading and writing do not lean on our own writer.
local M = {}

M.IMPLICIT = "1.2.840.10008.1.2"
M.EXPLICIT = "1.2.840.10008.1.2.1"
M.BIG = "1.2.840.10008.1.2.2"
M.DEFLATED = "1.2.840.10008.1.2.1.99"
M.UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
M.JPEG = "1.2.840.10008.1.2.4.50"
M.UNDEFINED = 0xFFFFFFFF

local LONG = {}
for vr in ("OB OD OF OL OV OW SQ SV UC UN UR UT UV"):gmatch "%S+" do LONG[vr] = true end

--- One element; `vr` nil: implicit. `length` overrides the length field.
---@param tag integer
---@param vr? string
---@param value string
---@param big? boolean
---@param length? integer
---@return string
function M.element(tag, vr, value, big, length)
  local o = big and ">" or "<"
  local head = (o .. "I2I2"):pack(tag >> 16, tag & 0xFFFF)
  length = length or #value
  if not vr then return head .. (o .. "I4"):pack(length) .. value end
  if LONG[vr] then return head .. vr .. "\0\0" .. (o .. "I4"):pack(length) .. value end
  return head .. vr .. (o .. "I2"):pack(length) .. value
end

--- An encoder with one style: `e(tag, vr, value)`, e.item(value), e.open_item(value), e.sequence(tag, items),
--- e.open_sequence(tag, items).
---@param style "implicit"|"explicit"|"big"
function M.encoder(style)
  local big, implicit = style == "big", style == "implicit"
  local o = big and ">" or "<"
  local E = { big = big }
  function E.item(value) return M.element(0xFFFEE000, nil, value, big) end
  function E.open_item(value)
    return M.element(0xFFFEE000, nil, value, big, M.UNDEFINED) .. M.element(0xFFFEE00D, nil, "", big)
  end
  function E.sequence(tag, ...)
    return M.element(tag, not implicit and "SQ" or nil, table.concat { ... }, big)
  end
  function E.open_sequence(tag, ...)
    return M.element(tag, not implicit and "SQ" or nil, table.concat { ... }, big, M.UNDEFINED) ..
      M.element(0xFFFEE0DD, nil, "", big)
  end
  function E.u16(...)
    return (o .. ("I2"):rep(select("#", ...))):pack(...)
  end
  return setmetatable(E, { __call = function(_, tag, vr, value, length)
    return M.element(tag, not implicit and vr or nil, value, big, length)
  end })
end

--- Pixel data in fragments.
---@param ... string the offset table and the fragments
---@return string
function M.fragments(...)
  local parts = {}
  for i, f in ipairs { ... } do parts[i] = M.element(0xFFFEE000, nil, f) end
  return M.element(0x7FE00010, "OB", table.concat(parts), false, M.UNDEFINED) .. M.element(0xFFFEE0DD, nil, "")
end

local function even(s, pad) return #s % 2 == 0 and s or s .. (pad or "\0") end
M.even = even

--- A file meta with the elements that PS3.10 7.1 requires; `length` overrides its group length, false leaves it out.
---@param syntax string
---@param length? integer|false
---@return string
function M.meta(syntax, length)
  local body = M.element(0x00020001, "OB", "\0\1") .. M.element(0x00020002, "UI", even "1.2.840.10008.5.1.4.1.1.7") ..
    M.element(0x00020003, "UI", even "1.2.3.4") .. M.element(0x00020010, "UI", even(syntax)) ..
    M.element(0x00020012, "UI", even "1.2.3")
  if length == false then return body end
  return M.element(0x00020000, "UL", ("<I4"):pack(length or #body)) .. body
end

--- A whole file.
---@param syntax string
---@param body string
---@return string
function M.file(syntax, body)
  return ("\0"):rep(128) .. "DICM" .. M.meta(syntax) .. body
end

--- A raw deflate stream (RFC 1951) of stored blocks.
---@param s string
---@return string
function M.deflate(s)
  local parts = {}
  for at = 1, #s, 65535 do
    local part = s:sub(at, at + 65534)
    parts[#parts + 1] = ("<BI2I2"):pack(at + 65534 >= #s and 1 or 0, #part, ~#part & 0xFFFF) .. part
  end
  return table.concat(parts)
end

--- The data set that most specs read: text, numbers, private elements, sequences of both length forms, one in another.
---@param style "implicit"|"explicit"|"big"
---@return string
function M.sample(style)
  local e = M.encoder(style)
  return e(0x00080005, "CS", "ISO_IR 100") .. e(0x00080016, "UI", even "1.2.840.10008.5.1.4.1.1.7") ..
    e(0x00080018, "UI", even "1.2.3.4") .. e(0x00080060, "CS", "OT") ..
    e.sequence(0x00081140, e.item(e(0x00081150, "UI", even "1.2") .. e(0x00081155, "UI", even "1.2.5")), e.item "") ..
    e.open_sequence(0x00082112, e.open_item(e(0x00081155, "UI", even "1.2.6") ..
      e.open_sequence(0x0040A170, e.item(e(0x00080100, "SH", "CODE")), e.open_item ""))) ..
    e(0x00090010, "LO", even("MADE", " ")) .. e(0x00091001, "UN", "\1\2\3\4") ..
    e(0x00100010, "PN", "DOE^JANE") .. e(0x00100020, "LO", "") ..
    e(0x00280010, "US", e.u16(2)) .. e(0x00280011, "US", e.u16(3)) .. e(0x00280100, "US", e.u16(16)) ..
    e(0x7FE00010, "OW", e.u16(1, 2, 3, 4, 5, 0x1234))
end

--- What was read, as lines: path, VR, length, bytes of values.
---@param ds dicom.Dataset
---@return string[]
function M.lines(ds)
  local lines = {}
  for e, holder, path in ds:walk() do
    local value = (e.hold == "bytes" or e.hold == "range") and holder:raw(e.tag) or e.hold
    lines[#lines + 1] = ("%s %s %d %s"):format(path, e.vr, e.length,
      #value > 64 and #value or value:gsub("[^%g ]", function(c) return ("<%02X>"):format(c:byte()) end))
  end
  return lines
end

return M
