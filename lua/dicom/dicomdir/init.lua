-- SPDX-License-Identifier: MIT
--- DICOMDIR: the directory of a file-set (PS3.10 8, PS3.3 F), to read and to create.
local core = require "dicom.core"
local dataset = require "dicom.dataset"
local errors = require "dicom.error"
local file = require "dicom.file"
local record_of = require "dicom.dicomdir.record"

local M = {}

---@class dicom.dicomdir.Record
---@field type string                      PATIENT, STUDY, SERIES, IMAGE, ...
---@field record dicom.Dataset             the record's own data set
---@field parent? dicom.dicomdir.Record
---@field children dicom.dicomdir.Record[]
---@field studies? dicom.dicomdir.Record[]   of a patient
---@field series? dicom.dicomdir.Record[]    of a study
---@field instances? dicom.dicomdir.Record[] of a series: what refers to files
---@field offset? integer                  of its item in the DICOMDIR
---@field file_id? string                  Referenced File ID, components joined by a slash
---@field path? string                     the file; nil where it refers to none or the ID is refused
---@field refused? string                  why the ID is refused

---@class dicom.dicomdir.Directory
---@field dataset dicom.Dataset
---@field folder string                       where the file-set is
---@field records dicom.dicomdir.Record[]     of the root
---@field patients dicom.dicomdir.Record[]    among them
---@field orphans dicom.dicomdir.Record[]     in use, but no offset leads to them
---@field problems string[]                   what is wrong with it, for people
local Directory = {}
Directory.__index = Directory

--- Reading ----------------------------------------------------------------------------------------------------------

-- Components that lead out of the file-set, or to no file. PS3.10 8.2 allows capitals, digits and _, 8 at most; media
-- were written with more, and that is harmless.
local function refusal(components)
  if #components == 0 then return "Referenced File ID is empty" end
  if #components > 16 then return "Referenced File ID has too many components (PS3.10 8.2: 8)" end
  for _, c in ipairs(components) do
    if c == "" or c == "." or c == ".." or #c > 255 or c:find "[/\\%z]" or c:find "%c" then
      return "Referenced File ID has a component that is no file name (PS3.10 8.2)"
    end
  end
end

-- Media without case, read by systems with it, turn up in small letters.
local function find_file(folder, id)
  local path = folder .. "/" .. id
  if file.stat(path) then return path end
  local lower = folder .. "/" .. id:lower()
  return lower ~= path and file.stat(lower) and lower or path
end

local Record = {}

-- The file is looked for when it is asked for.
function Record.__index(r, key)
  if key ~= "path" or not rawget(r, "file_id") or r.refused then return nil end
  local path = find_file(r.folder, r.file_id)
  rawset(r, "path", path)
  return path
end

local function read_record(item, folder)
  local r = setmetatable({ record = item, children = {}, folder = folder, offset = core.item_offset(item) }, Record)
  r.type = item:text "DirectoryRecordType" or ""
  r.next = item:get "OffsetOfTheNextDirectoryRecord" or 0
  r.lower = item:get "OffsetOfReferencedLowerLevelDirectoryEntity" or 0
  r.active = item:get "RecordInUseFlag" ~= 0
  if item:has "ReferencedFileID" and item:text "ReferencedFileID" ~= "" then
    local components = item:values "ReferencedFileID" or {}
    r.refused = refusal(components)
    r.file_id = not r.refused and table.concat(components, "/") or nil
  end
  return r
end

local function problem(dir, r, text)
  dir.problems[#dir.problems + 1] = r and r.offset and ("record at byte %d: %s"):format(r.offset, text) or text
end

-- One chain of siblings. Every record is in one chain at most, once. What is below one not in use is not, either.
local function follow(dir, offset, parent, by_offset)
  local from = parent
  local list = parent and parent.children or dir.records
  while offset ~= 0 do
    local r = by_offset[offset]
    if not r then
      dir.broken = true
      return problem(dir, from, ("offset %d is not that of a record (PS3.3 F.3.2.2)"):format(offset))
    end
    if r.seen then return problem(dir, from, ("offset %d leads to a record a second time"):format(offset)) end
    r.seen = true
    r.hidden = not r.active or parent and parent.hidden
    dir.queue[#dir.queue + 1] = r
    if not r.hidden then
      r.parent = parent
      list[#list + 1] = r
    end
    from, offset = r, r.next
  end
end

-- Offsets that lead nowhere leave the order of the records: that of the levels in every directory that we know.
local function by_order(dir, all)
  local open = {}
  dir.records = {}
  for _, r in ipairs(all) do r.children, r.parent = {}, nil end
  for _, r in ipairs(all) do
    local level = record_of.levels[r.type] or 4
    local parent
    for up = level - 1, 1, -1 do parent = parent or open[up] end
    if r.active then
      r.seen, r.parent = true, parent
      local list = parent and parent.children or dir.records
      list[#list + 1] = r
      for below = level, 4 do open[below] = nil end
      if level < 4 then open[level] = r end
    end
  end
end

-- Offsets that lead nowhere, or to fewer records than they leave, say nothing.
local function are_offsets_useless(dir, all)
  local lost = 0
  for _, r in ipairs(all) do
    if r.active and not r.seen then lost = lost + 1 end
  end
  return lost > 0 and (dir.broken or lost > #dir.queue)
end

local function read_tree(dir, all)
  local by_offset = {}
  for _, r in ipairs(all) do
    if r.offset then by_offset[r.offset] = r end
  end
  dir.queue = {}
  local first = dir.dataset:get "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"
  if not first and #all > 0 then problem(dir, nil, "offset of the first record is missing (PS3.3 F.3.2.2)") end
  follow(dir, first or 0, nil, by_offset)
  local at = 1
  while dir.queue[at] do
    local r = dir.queue[at]
    follow(dir, r.lower, r, by_offset)
    at = at + 1
  end
  if are_offsets_useless(dir, all) then
    problem(dir, nil, "offsets do not lead to every record: their order is taken")
    by_order(dir, all)
  end
  dir.queue, dir.broken = nil, nil
end

local function of_type(list, type)
  local found = {}
  for _, r in ipairs(list) do
    if r.type == type or type == nil and (r.file_id or r.refused) then found[#found + 1] = r end
  end
  return found
end

local function name_levels(dir, all)
  dir.patients = of_type(dir.records, "PATIENT")
  for _, r in ipairs(all) do
    if r.type == "PATIENT" then r.studies = of_type(r.children, "STUDY") end
    if r.type == "STUDY" then r.series = of_type(r.children, "SERIES") end
    if r.type == "SERIES" then r.instances = of_type(r.children) end
    if r.refused then problem(dir, r, r.refused) end
    if not r.seen and r.active then
      dir.orphans[#dir.orphans + 1] = r
      problem(dir, r, "no offset leads to it")
    end
    r.seen, r.hidden, r.next, r.lower = nil, nil, nil, nil
  end
end

--- Reads a DICOMDIR: its records as a tree. What is wrong with it is in `problems`; strict reading is for
--- `dicom.open`.
---@param path string the file, or the folder that it is in
---@param options? dicom.OpenOptions
---@return dicom.dicomdir.Directory?
---@return dicom.Error?
function M.open(path, options)
  local found, err = file.stat(path)
  if not found then return nil, err end
  if found.type == "folder" then path = path .. "/DICOMDIR" end
  local ds
  ds, err = dataset.open(path, options)
  if not ds then return nil, err end
  local items = ds:get "DirectoryRecordSequence"
  if not items and not ds:has "FileSetID" then
    return errors.fail("not a dicomdir", "it has no directory records (PS3.3 F.3)", { path = path })
  end
  local dir = setmetatable({ dataset = ds, folder = path:match "^(.*)/[^/]*$" or ".", records = {}, orphans = {},
    problems = {} }, Directory)
  local all = {}
  for i = 1, items and #items or 0 do all[i] = read_record(items[i], dir.folder) end
  read_tree(dir, all)
  name_levels(dir, all)
  return dir
end

--- All records in order, each before those below it.
---@return fun(): dicom.dicomdir.Record?, integer?  the record and its level, from 1
function Directory:walk()
  local stack = {}
  for i = #self.records, 1, -1 do stack[#stack + 1] = { self.records[i], 1 } end
  return function()
    local top = table.remove(stack)
    if not top then return nil end
    local r, level = top[1], top[2]
    for i = #r.children, 1, -1 do stack[#stack + 1] = { r.children[i], level + 1 } end
    return r, level
  end
end

--- All records that refer to files, at any level.
---@return fun(): dicom.dicomdir.Record?
function Directory:instances()
  local next_record = self:walk()
  return function()
    local r
    repeat r = next_record() until not r or r.file_id or r.refused
    return r
  end
end

--- Creates a DICOMDIR for the files of a folder (PS3.11, General Purpose profiles), replacing the one that is there.
---@param folder string
---@param options? dicom.dicomdir.CreateOptions
---@return dicom.dicomdir.Report?
---@return dicom.Error?
function M.create(folder, options)
  return require "dicom.dicomdir.create"(folder, options)
end

return M
