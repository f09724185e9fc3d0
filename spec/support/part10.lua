-- SPDX-License-Identifier: MIT
-- Writes Part 10 files byte by byte, Explicit VR Little Endian, without this package: specs can thus write what the
-- package would refuse to write.
local M = {}

local long = {}
for vr in ("OB OD OF OL OV OW SQ SV UC UN UR UT UV"):gmatch "%S+" do long[vr] = true end

local function element(tag, vr, value)
  if #value % 2 == 1 then value = value .. (vr == "UI" and "\0" or (vr == "OB" or vr == "UN") and "\0" or " ") end
  local head = ("<I2I2"):pack(tag >> 16, tag & 0xFFFF) .. vr
  return head .. (long[vr] and ("<I2I4"):pack(0, #value) or ("<I2"):pack(#value)) .. value
end

--- A data set from { tag, vr, value } in the order given; the value of an SQ is a list of such data sets.
---@param list table[]
---@return string
function M.dataset(list)
  local out = {}
  for i, e in ipairs(list) do
    local tag, vr, value = e[1], e[2], e[3]
    if vr == "SQ" then
      local items = {}
      for j, item in ipairs(value) do
        local bytes = M.dataset(item)
        items[j] = ("<I2I2I4"):pack(0xFFFE, 0xE000, #bytes) .. bytes
      end
      value = table.concat(items)
    end
    out[i] = element(tag, vr, value)
  end
  return table.concat(out)
end

--- A file. meta: more elements of group 0002; preamble: 128 bytes; syntax, sop_class, sop_instance: UIDs.
---@param list table[] elements of the data set
---@param options? { meta?: table[], preamble?: string, syntax?: string, sop_class?: string, sop_instance?: string,
---  after?: string }
---@return string
function M.file(list, options)
  local o = options or {}
  local meta = { { 0x00020001, "OB", "\0\1" }, { 0x00020002, "UI", o.sop_class or "1.2.840.10008.5.1.4.1.1.2" },
    { 0x00020003, "UI", o.sop_instance or "1.2.3.4.5.6" }, { 0x00020010, "UI", o.syntax or "1.2.840.10008.1.2.1" },
    { 0x00020012, "UI", "1.2.3.4" } }
  for _, e in ipairs(o.meta or {}) do meta[#meta + 1] = e end
  local bytes = M.dataset(meta)
  return (o.preamble or ("\0"):rep(128)) .. "DICM" .. element(0x00020000, "UL", ("<I4"):pack(#bytes)) .. bytes
    .. M.dataset(list) .. (o.after or "")
end

return M
