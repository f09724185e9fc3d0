-- SPDX-License-Identifier: MIT
--- Creating a DICOMDIR: which files, which records, their order, their offsets.
local core = require "dicom.core"
local dataset = require "dicom.dataset"
local errors = require "dicom.error"
local file = require "dicom.file"
local record_of = require "dicom.dicomdir.record"
local uid = require "dicom.uid"

local EXPLICIT, DIRECTORY = "1.2.840.10008.1.2.1", "1.2.840.10008.1.3.10"
local OPTIONS = { files = true, id = true, rename = true }

---@class dicom.dicomdir.CreateOptions
---@field files? string[]  paths; default: all below the folder. Those outside of it are copied into it (`rename`)
---@field id? string       File-set ID, 16 characters at most
---@field rename? boolean  give files whose names PS3.10 8.2 does not allow a new one; otherwise they are an error

---@class dicom.dicomdir.Report
---@field path string                                of the DICOMDIR
---@field count integer                              instances in it
---@field left_out { path: string, reason: string }[] no DICOM file, no record type, or there already
---@field invented { path: string, keyword: string }[] keys that the files lack and the standard requires
---@field renamed { from: string, to: string }[]
---@field notes { path: string, text: string }[]     what a reader of the media may not accept

--- Files ------------------------------------------------------------------------------------------------------------

-- Folders are looked into one after another, links not followed further than the system does.
local function files_below(folder)
  local found, folders = {}, { "" }
  local at = 1
  while folders[at] do
    local here = folders[at]
    local names, kinds = file.list(folder .. "/" .. here)
    if not names then return nil, kinds end
    for _, name in ipairs(names) do
      local below = here == "" and name or here .. "/" .. name
      if kinds[name] == "folder" then
        folders[#folders + 1] = below
      elseif kinds[name] == "file" and below ~= "DICOMDIR" then
        found[#found + 1] = folder .. "/" .. below
      end
    end
    at = at + 1
  end
  table.sort(found)
  return found
end

-- The components of a path below the folder; nil: it is outside.
local function components_of(folder, path)
  local prefix = folder .. "/"
  if path:sub(1, #prefix) ~= prefix then return nil end
  local list = {}
  for c in path:sub(#prefix + 1):gmatch "[^/]+" do
    if c == ".." then return nil end
    if c ~= "." then list[#list + 1] = c end
  end
  return list
end

-- PS3.10 8.2, 8.5: up to 8 components of up to 8 capitals, digits and underscores.
local function conforms(components)
  if not components or #components == 0 or #components > 8 then return false end
  for _, c in ipairs(components) do
    if #c > 8 or not c:find "^[A-Z0-9_]+$" then return false end
  end
  return true
end

--- Instances --------------------------------------------------------------------------------------------------------

local function add_reason(report, path, reason)
  report.left_out[#report.left_out + 1] = { path = path, reason = tostring(reason) }
end

local function is_part10(path)
  local f = io.open(path, "rb")
  local head = f and f:read(132)
  if f then f:close() end
  return head ~= nil and head:sub(129) == "DICM"
end

local function note_syntax(report, path, ds)
  if ds.syntax == "1.2.840.10008.1.2" or ds.syntax == "1.2.840.10008.1.2.2" then
    report.notes[#report.notes + 1] = { path = path,
      text = "its transfer syntax is in no media profile: Explicit VR Little Endian is (PS3.11 D)" }
  end
end

local function is_sequence(keyword)
  return keyword:find "Sequence$" ~= nil
end

-- What records may need, apart from the file: thousands of headers need not stay in memory. A value that does not have
-- the form of its VR is left out.
local function keys_of(report, path, ds, type)
  local keys = dataset.new()
  if ds:has "SpecificCharacterSet" then keys.SpecificCharacterSet = ds:values "SpecificCharacterSet" end
  for _, level in ipairs { "PATIENT", "STUDY", "SERIES", type } do
    for _, key in ipairs(record_of.keys[level]) do
      local value, err = ds:get(key[1])
      local ok = not err and (value == nil or pcall(keys.set, keys, key[1], value))
      if not ok then
        local text = key[1] .. " does not have the form of its VR: left out"
        report.notes[#report.notes + 1] = { path = path, text = text }
      end
    end
  end
  return keys
end

local function is_empty(ds, keyword)
  if is_sequence(keyword) then return #(ds:get(keyword) or "") == 0 end
  return (ds:text(keyword) or "") == ""
end

-- A key that must be there and that nothing can stand in for.
local function missing(keys, type)
  for _, level in ipairs { "STUDY", "SERIES", type } do
    for _, key in ipairs(record_of.keys[level]) do
      if key[2] == 1 and not key[3] and is_empty(keys, key[1]) then return key[1] end
    end
  end
end

local function read_instance(report, path, seen)
  if not is_part10(path) then return add_reason(report, path, "not a DICOM file (PS3.10 7.1)") end
  local ds, err = dataset.open(path, { stop = 0x7FE00001 })
  if not ds then return add_reason(report, path, err.text) end
  if ds.meta.MediaStorageSOPClassUID == DIRECTORY then return add_reason(report, path, "a DICOMDIR") end
  local instance, class = ds:text "SOPInstanceUID" or "", ds:text "SOPClassUID" or ""
  if instance == "" or class == "" then return add_reason(report, path, "no SOP Class or Instance UID") end
  if seen[instance] then return add_reason(report, path, "the same instance as " .. seen[instance]) end
  local type, reason = record_of.type_of(ds)
  if not type then return add_reason(report, path, reason) end
  local keys = keys_of(report, path, ds, type)
  local lacks = missing(keys, type)
  if lacks then
    return add_reason(report, path, lacks .. " is missing, which its directory record needs (PS3.3 F.5)")
  end
  seen[instance] = path
  note_syntax(report, path, ds)
  local syntax = ds.syntax
  ds:close()
  return { path = path, type = type, keys = keys, instance = instance, class = class, syntax = syntax }
end

--- Names ------------------------------------------------------------------------------------------------------------

local function taken(folder, components)
  return file.stat(folder .. "/" .. table.concat(components, "/")) ~= nil
end

-- The first free name; `number` goes on from file to file.
local function new_name(folder, number)
  local components
  repeat
    number.last = number.last + 1
    components = { "DICOM", ("D%07d"):format(number.last // 1000), ("I%07d"):format(number.last) }
  until not taken(folder, components)
  return components
end

local function move(report, folder, x, components, inside)
  local to = folder .. "/" .. table.concat(components, "/")
  local ok, err = file.make_folder(to:match "^(.*)/")
  if ok and inside then
    ok, err = file.move(x.path, to)
  elseif ok then
    ok, err = dataset.open(x.path)
    if ok then ok, err = ok:save(to, { raw = true }) end
  end
  if not ok then return nil, err end
  report.renamed[#report.renamed + 1] = { from = x.path, to = to }
  x.path, x.components = to, components
  return true
end

local function name_files(report, folder, list, rename)
  local number = { last = 0 }
  for _, x in ipairs(list) do
    x.components = components_of(folder, x.path)
    if not conforms(x.components) then
      if not rename then
        local why = x.components and "its name is not 1 to 8 components of 1 to 8 characters A-Z, 0-9, _ (PS3.10 8.2)"
          or "it is not in the folder of the DICOMDIR"
        return errors.fail("bad file id", why .. ": rename = true gives it one", { path = x.path })
      end
      local ok, err = move(report, folder, x, new_name(folder, number), x.components ~= nil)
      if not ok then return nil, err end
    end
  end
  return true
end

--- Records ----------------------------------------------------------------------------------------------------------

-- One node: the keys are those of the first instance below it; number: its place among its siblings.
local function child(parent, key, type, x)
  local node = parent.by_key[key]
  if not node then
    node = { type = type, keys = x.keys, path = x.path, children = {}, by_key = {}, number = #parent.children + 1 }
    parent.by_key[key] = node
    parent.children[#parent.children + 1] = node
  end
  return node
end

local function tree_of(list)
  local root = { children = {}, by_key = {} }
  for _, x in ipairs(list) do
    local ds = x.keys
    local id = ds:text "PatientID" or ""
    local patient = child(root, id ~= "" and "I" .. id or "N" .. (ds:text "PatientName" or ""), "PATIENT", x)
    local study = child(patient, ds:text "StudyInstanceUID", "STUDY", x)
    local series = child(study, ds:text "SeriesInstanceUID", "SERIES", x)
    child(series, x.instance, x.type, x).instance = x
  end
  return root
end

-- What stands in for a key of type 1 that the file lacks: for numbers and IDs the place among the siblings.
local function invent(report, node, keyword, default)
  report.invented[#report.invented + 1] = { path = node.path, keyword = keyword }
  if default ~= "" then return default end
  return keyword == "PatientID" and ("UNNAMED%d"):format(node.number) or tostring(node.number)
end

local function is_plain(text)
  return not text:find "[\128-\255\27]"
end

-- Text keeps the character set that it came in; sequences are copied, with theirs.
local function put_key(report, node, item, key)
  local keyword, type, default = key[1], key[2], key[3]
  local value = node.keys:get(keyword)
  if is_empty(node.keys, keyword) then
    if type == 3 then return end
    value = type == 1 and invent(report, node, keyword, default) or is_sequence(keyword) and {} or ""
  elseif not is_plain(node.keys:text(keyword) or "") and node.keys:has "SpecificCharacterSet" then
    item.SpecificCharacterSet = node.keys:values "SpecificCharacterSet"
  end
  item[keyword] = value
end

local function fill_record(report, node, item)
  item.OffsetOfTheNextDirectoryRecord = 0
  item.RecordInUseFlag = 0xFFFF
  item.OffsetOfReferencedLowerLevelDirectoryEntity = 0
  item.DirectoryRecordType = node.type
  local x = node.instance
  if x then
    item.ReferencedFileID = x.components
    item.ReferencedSOPClassUIDInFile = x.class
    item.ReferencedSOPInstanceUIDInFile = x.instance
    item.ReferencedTransferSyntaxUIDInFile = x.syntax
  end
  for _, key in ipairs(record_of.keys[node.type]) do put_key(report, node, item, key) end
end

-- Depth first: four levels, so this goes no deeper.
local function list_nodes(root)
  local list = {}
  local function add(node)
    list[#list + 1] = node
    for _, below in ipairs(node.children) do add(below) end
  end
  for _, node in ipairs(root.children) do add(node) end
  return list
end

--- Offsets ----------------------------------------------------------------------------------------------------------

local function link(nodes, offsets, items)
  local index = {}
  for i, node in ipairs(nodes) do index[node] = i end
  for i, node in ipairs(nodes) do
    for n, below in ipairs(node.children) do
      local next_one = node.children[n + 1]
      if next_one then items[index[below]].OffsetOfTheNextDirectoryRecord = offsets[index[next_one]] end
    end
    local first = node.children[1]
    if first then items[i].OffsetOfReferencedLowerLevelDirectoryEntity = offsets[index[first]] end
  end
  return index
end

-- Offsets have one size whatever they are: a first writing tells where the items stand.
local function set_offsets(ds, root, nodes)
  local bytes, err = ds:bytes { part10 = true }
  if not bytes then return nil, err end
  local placed
  placed, err = core.parse(bytes)
  if not placed then return nil, err end
  local offsets, there = {}, placed.DirectoryRecordSequence
  for i = 1, #nodes do
    offsets[i] = core.item_offset(there[i])
    if offsets[i] > 0xFFFFFFFF then return errors.fail("too long", "the DICOMDIR is beyond 4 GiB") end
  end
  local items = ds.DirectoryRecordSequence
  local index = link(nodes, offsets, items)
  for n, node in ipairs(root.children) do
    local next_one = root.children[n + 1]
    if next_one then items[index[node]].OffsetOfTheNextDirectoryRecord = offsets[index[next_one]] end
  end
  local last = root.children[#root.children]
  ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = offsets[1] or 0
  ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = last and offsets[index[last]] or 0
  return true
end

local function new_directory(id)
  local ds = dataset.new { FileSetID = id or "", OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0,
    OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0, FileSetConsistencyFlag = 0,
    DirectoryRecordSequence = {} }
  ds.meta.MediaStorageSOPClassUID = DIRECTORY
  ds.meta.MediaStorageSOPInstanceUID = uid.new()
  ds.meta.TransferSyntaxUID = EXPLICIT
  return ds
end

local function write_directory(report, list, id)
  local ds = new_directory(id)
  local root = tree_of(list)
  local nodes, items = list_nodes(root), ds.DirectoryRecordSequence
  for i, node in ipairs(nodes) do
    items:insert(i, {})
    fill_record(report, node, items[i])
  end
  local ok, err = set_offsets(ds, root, nodes)
  if not ok then return nil, err end
  ok, err = ds:save(report.path)
  return ok and report, err
end

local function check_options(options)
  for name in pairs(options) do
    if not OPTIONS[name] then error(errors.new("usage", ("create has no option %q"):format(tostring(name))), 4) end
  end
  if options.id and not options.id:find "^[A-Z0-9 _]*$" or #(options.id or "") > 16 then
    error(errors.new("usage", "a File-set ID is up to 16 capitals, digits, spaces and _ (PS3.5 6.2: CS)"), 4)
  end
end

---@param folder string
---@param options? dicom.dicomdir.CreateOptions
---@return dicom.dicomdir.Report?
---@return dicom.Error?
return function(folder, options)
  options = options or {}
  check_options(options)
  if #folder > 1 then folder = folder:gsub("/+$", "") end
  local paths, err = options.files, nil
  if not paths then paths, err = files_below(folder) end
  if not paths then return nil, err end
  local report = { path = folder .. "/DICOMDIR", count = 0, left_out = {}, invented = {}, renamed = {}, notes = {} }
  local list, seen = {}, {}
  for _, path in ipairs(paths) do list[#list + 1] = read_instance(report, path, seen) end
  report.count = #list
  local ok
  ok, err = name_files(report, folder, list, options.rename)
  if not ok then return nil, err end
  return write_directory(report, list, options.id)
end
