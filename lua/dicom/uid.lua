-- SPDX-License-Identifier: MIT
--- Unique identifiers (PS3.5 9): making, naming, checking.
local core = require "dicom.core"

local M = {}

--- The UID of 128 bits, given as four parts of 32, the highest first: "2.25." and their decimal number (PS3.5 B.2).
---@param a integer
---@param b integer
---@param c integer
---@param d integer
---@return string
function M.from_bits(a, b, c, d)
  local digits = {}
  repeat -- divides by 10^9; each step's remainder and the next part fit an integer: 10^9 * 2^32 < 2^63
    local r
    a, r = a // 1000000000, a % 1000000000
    r = r << 32 | b
    b, r = r // 1000000000, r % 1000000000
    r = r << 32 | c
    c, r = r // 1000000000, r % 1000000000
    r = r << 32 | d
    d, r = r // 1000000000, r % 1000000000
    table.insert(digits, 1, ("%09d"):format(r))
  until a | b | c | d == 0
  return "2.25." .. table.concat(digits):gsub("^0+(%d)", "%1")
end

--- The UID of a UUID: "2.25." and its 128 bits as a decimal number (PS3.5 B.2).
---@param uuid string  32 hexadecimal digits, hyphens allowed
---@return string
function M.from_uuid(uuid)
  local hex = type(uuid) == "string" and uuid:gsub("%-", "") or ""
  if not hex:find("^" .. ("%x"):rep(32) .. "$") then error("a UUID has 32 hexadecimal digits", 2) end
  local words = {}
  for i = 1, 4 do words[i] = tonumber(hex:sub(i * 8 - 7, i * 8), 16) end
  return M.from_bits(table.unpack(words))
end

--- A new UID, unlike any other: 122 random bits as a UUID of version 4 (RFC 9562 5.4) below 2.25.
---@return string
function M.new()
  local hex = core.random(16)
  local variant = ("%x"):format(8 | tonumber(hex:sub(17, 17), 16) & 3)
  return M.from_uuid(hex:sub(1, 12) .. "4" .. hex:sub(14, 16) .. variant .. hex:sub(18))
end

--- The name that PS3.6 Annex A gives a UID.
---@param uid string
---@return string|nil name
---@return string? keyword  "CTImageStorage"
---@return string? type     "SOP Class", "Transfer Syntax", ...
function M.name(uid)
  return core.uid_entry(uid)
end

--- The UID of a keyword of PS3.6 Annex A: uid.find "CTImageStorage".
---@param keyword string
---@return string|nil
function M.find(keyword)
  return core.uid_by_keyword(keyword)
end

--- Is it well formed? Components of digits without leading zeros, 64 characters at most (PS3.5 9.1).
---@param uid any
---@return boolean
function M.is_valid(uid)
  return type(uid) == "string" and uid ~= "" and core.value_check("UI", uid) == true
end

--- Is it outside the root of the DICOM standard: made by somebody, for something of theirs?
---@param uid string
---@return boolean
function M.is_private(uid)
  return M.is_valid(uid) and uid:find("1.2.840.10008.", 1, true) ~= 1
end

return M
