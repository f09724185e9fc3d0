-- SPDX-License-Identifier: MIT
--- The rows of PS3.15 table E.1-1 as one question: what is to be done with this tag?
---
--- Beside the table's codes the answers are: K, keep (a sequence: clean its items); N, keep unless the file gives a
--- free text where the dictionary has none; S, a sequence: clean, or remove when it cannot be read as one.
local core = require "dicom.core"
local profile = require "dicom.gen.confidentiality"

local M = {}

M.edition = profile.edition

-- VRs in which anybody may type anything.
M.free_text = { LO = true, LT = true, PN = true, SH = true, ST = true, UC = true, UN = true, UR = true, UT = true }

-- Free texts that the table forgot, known to name patients or to point to their records.
local beyond = {
  [0x00240044] = "X", -- Comments on Patient's Performance of Visual Field
  [0x00400400] = "X", -- Comments on the Scheduled Procedure Step
  [0x0040A160] = "D", -- Text Value, in content items beside the Content Sequence
  [0x0040E001] = "D", -- HL7 Instance Identifier of an encapsulated document
  [0x00420010] = "Z", -- Document Title
}

-- Groups that are removed whole. The table names the elements of overlays that hold text and pixels; what remains of a
-- plane without its data is no valid plane, and its label and description are not in the table.
local function is_removed_group(tag)
  local group = tag >> 16
  if group & 1 == 1 then return true end                        -- private
  if group == 0x0000 or group == 0x0002 or group == 0x0004 then return true end -- command, file meta, directory
  return tag & 0xFF010000 == 0x50000000 or tag & 0xFF010000 == 0x60000000       -- curves, overlays
end

local function in_dictionary(tag)
  local vr, keyword = core.dict_entry(tag)
  if not vr or keyword == "" or vr == "PN" then return "X" end -- nobody knows what it holds, or it names somebody
  if vr == "SQ" then return "S" end
  if vr == "DA" or vr == "TM" or vr == "DT" then return "Z" end -- the notes of Annex E: dates by VR, listed or not
  return (M.free_text[vr] or vr == "AE" or vr == "CS") and "K" or "N"
end

-- Only tags of the table and of the dictionary are remembered: input cannot make this grow.
local known = {}

--- The code for a tag at any level of nesting.
---@param tag integer
---@return string
function M.of(tag)
  local code = known[tag]
  if code then return code end
  if is_removed_group(tag) or tag & 0xFFFF == 0 then return "X" end -- (gggg,0000): group length, would be wrong anyway
  local row = profile.elements[tag]
  code = row and row.basic or beyond[tag] or in_dictionary(tag)
  if code ~= "X" or row then known[tag] = code end
  return code
end

--- The VR of the dictionary; nil for what it does not know.
---@param tag integer
---@return string? vr as PS3.6 prints it
function M.vr(tag)
  return (core.dict_entry(tag))
end

return M
