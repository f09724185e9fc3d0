-- SPDX-License-Identifier: MIT
-- Data sets as bytes, written by hand: what the reader meets, not what our writer would make.
local M = {}

local LONG = { OB = 1, OD = 1, OF = 1, OL = 1, OV = 1, OW = 1, SQ = 1, SV = 1, UC = 1, UN = 1, UR = 1, UT = 1, UV = 1 }

local function tag(t)
  return string.pack("<I2I2", t >> 16, t & 0xFFFF)
end

--- Explicit VR little endian, from { tag, vr, value } rows.
function M.explicit(...)
  local out = {}
  for i, row in ipairs { ... } do
    local value = row[3]
    local length = LONG[row[2]] and string.pack("<I2I4", 0, #value) or string.pack("<I2", #value)
    out[i] = tag(row[1]) .. row[2] .. length .. value
  end
  return table.concat(out)
end

--- Implicit VR little endian, from { tag, value } rows.
function M.implicit(...)
  local out = {}
  for i, row in ipairs { ... } do out[i] = tag(row[1]) .. string.pack("<I4", #row[2]) .. row[2] end
  return table.concat(out)
end

--- An item with its header.
function M.item(value)
  return tag(0xFFFEE000) .. string.pack("<I4", #value) .. value
end

return M
