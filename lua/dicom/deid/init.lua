-- SPDX-License-Identifier: MIT
--- De-identification: the Basic Application Level Confidentiality Profile of PS3.15 Annex E.
---
---   local d = deid.new{ key = key }
---   local clean, report = d:apply(ds)
---
--- One pass over all elements at every level, by the rows of table E.1-1 (dicom.deid.action). How its codes are read
--- until the attribute types of each IOD are known:
---
---   X              removed; a sequence with all its items
---   Z              emptied; Patient's Name and Patient ID get the patient's pseudonym
---   D              a dummy value of the VR (dicom.deid.dummy), UIDs and patients their pseudonym, an encapsulated
---                  document the smallest valid one of its type, a sequence one dummy item
---   U              each UID its pseudonym
---   X/D X/Z/D Z/D  D when it holds a value, else left empty
---   X/Z            emptied; (0008,1110) at the top, where it is optional and may not be empty, removed
---   X/Z/U*         the references inside are mapped; so are those of (0008,1111), which is X/Z/D
---   not listed     kept, sequences cleaned inside; removed when no dictionary knows it
local core = require "dicom.core"
local Error = require "dicom.error"
local action = require "dicom.deid.action"
local dummy = require "dicom.deid.dummy"
local option = require "dicom.deid.option"
local pixels = require "dicom.deid.pixels"
local pseudonym = require "dicom.deid.pseudonym"
local uids = require "dicom.uid"

local code_of, free_text = action.of, action.free_text

local NAME, ID, ISSUER, STUDY = 0x00100010, 0x00100020, 0x00100021, 0x0020000D
local SOP_CLASS, DOCUMENT, DOCUMENT_TYPE, DOCUMENT_LENGTH = 0x00080016, 0x00420011, 0x00420012, 0x00420015
local REFERENCED_STUDY, REFERENCED_STEP, DIRECTORY_RECORDS = 0x00081110, 0x00081111, 0x00041220
local VERSION = core.versions().dicom
local METHOD = (action.edition .. " Basic Profile, dicom for Lua " .. VERSION):sub(1, 64)

---@class dicom.deid.Change
---@field tag integer    0xggggeeee
---@field path string    of the item it stands in, "0008,1140[1]"; "" at the top
---@field action string  what was done: "X", "Z", "D" or "U"

---@class dicom.deid.Report
---@field actions table<string, integer>  how often each was done
---@field changes dicom.deid.Change[]      without any value
---@field patient "patient id"|"study instance uid"|"none"  what the patient's pseudonym was made from
---@field pixels "none"|"kept"|"blanked"

---@class dicom.deid.Deidentifier
---@field private mapping dicom.deid.Mapping
---@field private pixels string
local Deidentifier = {}
Deidentifier.__index = Deidentifier

-- One application: what the steps below share.
---@class dicom.deid.Run
---@field mapping dicom.deid.Mapping
---@field pixels string
---@field report dicom.deid.Report
---@field fallback? string  pseudonym from the study, where there is no Patient ID

local function note(run, path, tag, done)
  local report = run.report
  report.actions[done] = report.actions[done] + 1
  report.changes[#report.changes + 1] = { tag = tag, path = path, action = done }
end

local function is_blank(value)
  return value == nil or not value:find "[^\0 ]"
end

-- A text as pseudonyms are made from it. Bytes that are no text in the character set count as they are: two names
-- that both cannot be decoded are not the same name.
local function identifying(ds, tag)
  local text = ds:text(tag)
  return text and text:find "\u{FFFD}" and ds:raw(tag) or text
end

-- The pseudonym of the patient that this data set or item itself names.
local function patient_of(run, ds)
  local id = identifying(ds, ID)
  if is_blank(id) then return nil end
  return run.mapping:patient(id, identifying(ds, ISSUER))
end

local function remove(_, ds, tag)
  core.drop(ds, tag)
  return "X"
end

local function map_uids(run, ds, tag)
  local raw, new = ds:raw(tag), {}
  if is_blank(raw) then return nil end
  for uid in (raw .. "\\"):gmatch "([^\\]*)\\" do
    new[#new + 1] = is_blank(uid) and "" or run.mapping:uid(uid)
  end
  ds:set(tag, #new == 1 and new[1] or new, "UI")
  return "U"
end

local function empty(_, ds, tag)
  local vr = action.vr(tag)
  if vr == "SQ" then ds:set(tag, {}) else ds:set(tag, "", vr) end
  return "Z"
end

local function name_patient(run, ds, tag, _, is_top)
  local own = patient_of(run, ds) or is_top and run.fallback
  if not own then return empty(run, ds, tag) end
  ds:set(tag, own)
  return "D"
end

local function replace_document(_, ds, tag)
  local document = dummy.document(ds:text(DOCUMENT_TYPE))
  if ds:has(DOCUMENT_LENGTH) then ds:set(DOCUMENT_LENGTH, #document) end
  ds:set(tag, #document % 2 == 0 and document or document .. "\0")
  return "D"
end

local function replace_items(_, ds, tag)
  local old = ds:vr(tag) == "SQ" and ds:get(tag)
  ds:set(tag, { dummy.items[tag](old and old[1]) })
  return "D"
end

local function replace(run, ds, tag)
  local vr = action.vr(tag)
  if vr == "UI" then return map_uids(run, ds, tag) end
  ds:set(tag, dummy.values[vr], vr)
  return "D"
end

local clean

local function clean_items(run, ds, tag, path)
  local where = ("%s%04X,%04X"):format(path == "" and "" or path .. ".", tag >> 16, tag & 0xFFFF)
  for i, item in ipairs(ds:get(tag)) do
    clean(run, item, ("%s[%d]"):format(where, i))
  end
end

-- Steps by code: (run, ds, tag, vr, is_top, path, length) -> what was done, nil for nothing
local step = {}

function step.X(run, ds, tag) return remove(run, ds, tag) end
step.U = map_uids
step.Z = empty
step.D = replace
step["X/Z"] = empty

step["Z/D"] = function(run, ds, tag, _, _, _, length)
  return length ~= 0 and replace(run, ds, tag) or nil
end
step["X/D"], step["X/Z/D"] = step["Z/D"], step["Z/D"]

function step.K(run, ds, tag, vr, _, path)
  if vr == "SQ" then clean_items(run, ds, tag, path) end
end

function step.N(run, ds, tag, vr, is_top, path)
  if free_text[vr] then return remove(run, ds, tag) end
  return step.K(run, ds, tag, vr, is_top, path)
end

function step.S(run, ds, tag, vr, _, path)
  if vr ~= "SQ" then return remove(run, ds, tag) end
  clean_items(run, ds, tag, path)
end
step["X/Z/U*"] = step.S

-- Type 3 in General Study, Type 2 in Referenced Request Sequence, and never both empty and valid in the first.
local function drop_or_empty(run, ds, tag, _, is_top)
  return is_top and remove(run, ds, tag) or empty(run, ds, tag)
end

-- Rows that need more than their code says.
local special = {
  [NAME] = name_patient,
  [ID] = name_patient,
  [DOCUMENT] = replace_document,
  [REFERENCED_STEP] = step.S,
  [REFERENCED_STUDY] = drop_or_empty,
}
for tag in pairs(dummy.items) do
  local code = code_of(tag)
  special[tag] = function(run, ds, _, _, _, _, length)
    return (code == "D" or length ~= 0) and replace_items(run, ds, tag) or nil
  end
end

local function step_of(tag)
  return special[tag] or step[code_of(tag)]
end

-- Pixels in an item: an icon is removed by the table, anything else is beyond what Burned In Annotation speaks of.
local function nested_pixels(run, ds, tag, path)
  if run.pixels == "trust" then return end
  if run.pixels == "refuse" then
    error(Error.new("refused", "pixels inside a sequence", { tag = tag }), 0)
  end
  core.drop(ds, tag)
  note(run, path, tag, "X")
end

function clean(run, ds, path)
  local is_top, all = path == "", core.survey(ds)
  for i = 1, #all, 3 do
    local tag = all[i]
    local done = step_of(tag)(run, ds, tag, all[i + 1], is_top, path, all[i + 2])
    if done then note(run, path, tag, done) end
    if pixels.tags[tag] and not is_top then nested_pixels(run, ds, tag, path) end
  end
end

-- Reasons to refuse that do not depend on pixels (PS3.15 E.1.1 rule 8, E.1.3).
local function refusal(ds)
  local sop_class = ds:text(SOP_CLASS)
  if ds:has(DIRECTORY_RECORDS) or sop_class == "1.2.840.10008.1.3.10" then
    return "a DICOMDIR: make a new one of the de-identified files"
  end
  if is_blank(sop_class) then return "no SOP Class UID: nobody knows which attributes it may have" end
  if select(3, uids.name(sop_class)) == "SOP Class" then return nil end
  if not sop_class:find "^[%d.]+$" then return "its SOP Class UID is no UID" end
  return ("private SOP class, or one that this version does not know: %s"):format(sop_class)
end

local function refuse(reason)
  if reason then error(Error.new("refused", "refused to de-identify: " .. reason), 0) end
end

local function identify(run, ds)
  local study = ds:text(STUDY)
  if patient_of(run, ds) then
    run.report.patient = "patient id"
  elseif not is_blank(study) then
    run.report.patient, run.fallback = "study instance uid", run.mapping:study(study)
  end
end

-- Adds a code to a sequence of codes, unless it is there.
local function add_code(ds, keyword, value, meaning)
  local sequence = ds:get(keyword)
  for _, item in ipairs(sequence or {}) do
    if item:text "CodeValue" == value and item:text "CodingSchemeDesignator" == "DCM" then return end
  end
  if not sequence then ds:set(keyword, {}) end
  sequence = ds:get(keyword)
  sequence[#sequence + 1] = dummy.dcm(value, meaning)
end

-- PS3.15 E.1.1 rule 6, E.2, E.3.6. What earlier passes wrote stays.
local function mark(run, ds)
  ds:set("PatientIdentityRemoved", "YES")
  local methods = ds:values "DeidentificationMethod" or {}
  if methods[#methods] ~= METHOD then methods[#methods + 1] = METHOD end
  ds:set("DeidentificationMethod", methods)
  add_code(ds, "DeidentificationMethodCodeSequence", "113100", "Basic Application Confidentiality Profile")
  ds:set("LongitudinalTemporalInformationModified", "REMOVED")
  if not ds:has "ContributingEquipmentSequence" then ds:set("ContributingEquipmentSequence", {}) end
  local equipment = ds:get "ContributingEquipmentSequence"
  equipment[#equipment + 1] = {
    PurposeOfReferenceCodeSequence = { dummy.dcm("109104", "De-identifying Equipment") },
    Manufacturer = "dicom for Lua", ManufacturerModelName = "dicom.deid",
    SoftwareVersions = { VERSION },
  }
  if run.fallback and not ds:has(ID) then ds:set(ID, run.fallback) end
end

local function apply(self, ds)
  refuse(refusal(ds))
  local has_pixels = pixels.has_pixels(ds)
  if self.pixels == "refuse" and has_pixels then refuse(pixels.reason(ds)) end
  local out = ds:copy()
  if not core.sever(out) then refuse "it was read only in part, and the rest would go along unseen" end
  local report = { actions = { X = 0, Z = 0, D = 0, U = 0 }, changes = {}, patient = "none",
                   pixels = has_pixels and "kept" or "none" }
  local run = { mapping = self.mapping, pixels = self.pixels, report = report }
  identify(run, out)
  clean(run, out, "")
  if self.pixels == "blank" and has_pixels then
    refuse(pixels.blank(out))
    report.pixels = "blanked"
  end
  mark(run, out)
  return out, report
end

--- De-identifies a copy; the data set given stays as it is. Never waits.
---@param ds dicom.Dataset
---@return dicom.Dataset? clean
---@return dicom.deid.Report|dicom.Error report  the error's code is "refused" where the profile or `pixels` forbids it
function Deidentifier:apply(ds)
  local ok, out, report = pcall(apply, self, ds)
  if ok then return out, report end
  if Error.is(out) then return nil, out end
  error(out, 0)
end

Deidentifier.__call = Deidentifier.apply

local M = {}

--- A de-identifier. Raises an error with code "config" for whatever is unknown, contradicts itself or is not built.
---@param options dicom.deid.Options
---@return dicom.deid.Deidentifier
function M.new(options)
  local checked = option.check(options)
  return setmetatable({ mapping = pseudonym.new(checked.key), pixels = checked.pixels }, Deidentifier)
end

return M
