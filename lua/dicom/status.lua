-- SPDX-License-Identifier: MIT
--- DIMSE statuses by name, both ways: `status.success == 0x0000`, `status[0xA700] == "out of resources"`.
-- Names: PS3.7 Annex C; PS3.4 B.2.3 (storage), C.4 (query and retrieve), Y.3 and Z.3 (frames).

-- value, name. The first row of a value names it; further rows are other words for it.
local ROWS = {
  { 0x0000, "success" },
  { 0xFF00, "pending" },
  { 0xFF01, "pending with unsupported keys" },
  { 0xFE00, "cancel" },
  { 0xFE00, "cancelled" },
  { 0x0001, "requested optional attributes are not supported" },
  { 0x0105, "no such attribute" },
  { 0x0106, "invalid attribute value" },
  { 0x0107, "attribute list error" },
  { 0x0110, "processing failure" },
  { 0x0111, "duplicate sop instance" },
  { 0x0112, "no such sop instance" },
  { 0x0113, "no such event type" },
  { 0x0114, "no such argument" },
  { 0x0115, "invalid argument value" },
  { 0x0116, "attribute value out of range" },
  { 0x0117, "invalid sop instance" },
  { 0x0118, "no such sop class" },
  { 0x0119, "class instance conflict" },
  { 0x0120, "missing attribute" },
  { 0x0121, "missing attribute value" },
  { 0x0122, "sop class not supported" },
  { 0x0123, "no such action" },
  { 0x0124, "not authorized" },
  { 0x0210, "duplicate invocation" },
  { 0x0211, "unrecognized operation" },
  { 0x0212, "mistyped argument" },
  { 0x0213, "resource limitation" },
  { 0xA700, "out of resources" },
  { 0xA701, "unable to calculate number of matches" },
  { 0xA702, "unable to perform suboperations" },
  { 0xA801, "move destination unknown" },
  { 0xA900, "data set does not match sop class" },
  { 0xA900, "identifier does not match sop class" },
  { 0xAA00, "none of the frames requested were found" },
  { 0xAA01, "unable to create new object" },
  { 0xAA02, "unable to extract frames" },
  { 0xAA03, "time based request for a non time based instance" },
  { 0xAA04, "invalid request" },
  { 0xB000, "coercion of data elements" },
  { 0xB000, "suboperations complete with failures" },
  { 0xB006, "elements discarded" },
  { 0xB007, "data set does not match sop class warning" },
  { 0xC000, "cannot understand" },
  { 0xC000, "unable to process" },
}

-- Whole families that PS3.4 gives one meaning: bits that count, their value, the name.
local FAMILIES = {
  { 0xFF00, 0xA700, "out of resources" },
  { 0xFF00, 0xA900, "data set does not match sop class" },
  { 0xF000, 0xC000, "cannot understand" },
}

-- Kinds by PS3.7 C.1 to C.6.
local KINDS = {
  { 0xFFFF, 0x0000, "success" },
  { 0xFFFE, 0xFF00, "pending" },
  { 0xFFFF, 0xFE00, "cancel" },
  { 0xFFFF, 0x0001, "warning" },
  { 0xFFFF, 0x0107, "warning" },
  { 0xFFFF, 0x0116, "warning" },
  { 0xF000, 0xB000, "warning" },
}

local by_name, by_value = {}, {}
for _, row in ipairs(ROWS) do
  by_name[row[2]] = row[1]
  by_name[row[2]:gsub(" ", "_")] = row[1]
  by_value[row[1]] = by_value[row[1]] or row[2]
end

local function among(families, value)
  for _, f in ipairs(families) do
    if value & f[1] == f[2] then return f[3] end
  end
end

local function nearest(name)
  local names = {}
  for known in pairs(by_name) do
    if not known:find " " then names[#names + 1] = known end
  end
  return require "dicom.check".nearest(name, names)
end

---@class dicom.Status
---@field success integer
---@field pending integer
---@field cancel integer
---@field processing_failure integer
---@field out_of_resources integer
---@field data_set_does_not_match_sop_class integer
---@field cannot_understand integer
---@field move_destination_unknown integer
---@field sop_class_not_supported integer
---@field not_authorized integer
---@field [string] integer   by name, words joined by underscores
---@field [integer] string?  by value; nil for a value that no table names
local M = {}

--- What a status says of an operation (PS3.7 C): the peer may send values that no table names.
---@param value integer
---@return "success"|"pending"|"cancel"|"warning"|"failure"
function M.kind(value)
  return among(KINDS, value) or "failure"
end

return setmetatable(M, {
  __index = function(_, k)
    if math.type(k) == "integer" then return by_value[k] or among(FAMILIES, k) end
    if type(k) ~= "string" then return nil end
    local v = by_name[k]
    if v then return v end
    require "dicom.error".misuse(("unknown status '%s'; the nearest is '%s'"):format(k, nearest(k)), 2)
  end,
  __newindex = function() require "dicom.error".misuse("statuses are fixed by the standard", 2) end,
})
