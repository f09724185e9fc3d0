-- SPDX-License-Identifier: MIT
--- Data sets as tables: `ds.PatientName = "DOE^JANE"`, `ds.ImageType[1]`, `ds.ReferencedStudySequence[1]`.
--
-- The type of `ds.Keyword` is the dictionary's: VM 1 gives a string or a number, any other VM a list, SQ a sequence.
-- What is absent is nil. Unknown keywords raise and name the nearest.
local core = require "dicom.core"
local errors = require "dicom.error"

--- A keyword, 0xggggeeee, "gggg,eeee", or a path: `Seq[2].CodeValue`, `Seq[CodeValue='X'].CodeMeaning`
---@alias dicom.Key string|integer

---@class dicom.Repair
---@field what string     what reading mended, and the rule
---@field tag? integer
---@field offset integer  byte offset in the source

---@class dicom.Element   one element as it stands in its source
---@field tag integer     0xggggeeee
---@field key string      what reaches it: the keyword, else "gggg,eeee"
---@field vr string       in the source; of implicit VR the dictionary's
---@field read_as? string the dictionary's VR where the source says UN
---@field length integer  in the source, 0xFFFFFFFF for undefined
---@field hold "bytes"|"range"|"items"|"fragments"
---@field offset? integer of its header in the source; nil once changed
---@field keyword? string
---@field name? string
---@field creator? string  of a private element
---@field items? integer  number of items
---@field fragments? integer[] lengths; the first is the Basic Offset Table's

--- Several values, live: `#v`, `v[i]`, `v[i] = x`, `v[#v+1] = x`, `v[#v] = nil`, `ipairs(v)`, `a == b`, `tostring(v)`.
--- A number that is empty among others is "". Of encapsulated pixel data the values are the fragments; v[0] is the
--- offset table.
---@class dicom.List: any[]
---@field has fun(self: dicom.List, value: string|number): boolean is it one of the values?
---@field copy fun(self: dicom.List): table  a plain table

--- A sequence, live. What is assigned is copied; `seq[i] = nil` removes and closes the gap. table.insert and
--- table.remove work, but they copy every item that moves: seq:insert and `seq[i] = nil` do not.
---@class dicom.Sequence: dicom.Dataset[]
---@field insert fun(self: dicom.Sequence, i: integer, item: table|dicom.Dataset)

---@class dicom.Dataset
---@field repairs dicom.Repair[] what reading mended
---@field meta dicom.Dataset     the file meta, group 0002
---@field path? string           the file it was opened from
---@field syntax string          transfer syntax UID of its source
---@field iod? string            the kind of object, by its SOP Class: "CT Image"; nil when PS3.3 has none
---@field get fun(self: dicom.Dataset, key: dicom.Key): any, dicom.Error?        as by index, but errors are returned
---@field has fun(self: dicom.Dataset, key: dicom.Key): boolean                  present, perhaps empty?
---@field text fun(self: dicom.Dataset, key: dicom.Key): string?, dicom.Error?   also of what does not parse
---@field values fun(self: dicom.Dataset, key: dicom.Key): table?, dicom.Error?  all values as a plain list
---@field raw fun(self: dicom.Dataset, key: dicom.Key): string?, dicom.Error?    the bytes, in the source's byte order
---@field vr fun(self: dicom.Dataset, key: dicom.Key): string?
---@field set fun(self: dicom.Dataset, key: dicom.Key, value: any, vr: string?) a path creates what is missing
---@field remove fun(self: dicom.Dataset, key: dicom.Key)
---@field elements fun(self: dicom.Dataset): fun(): dicom.Element? in ascending order of tags
---@field copy fun(self: dicom.Dataset): dicom.Dataset  deep; a whole data set shares the bytes that were read
---@field bytes fun(self: dicom.Dataset, options: dicom.BytesOptions?): string?, dicom.Error? as it would be written
---@field frame_count fun(self: dicom.Dataset): integer?, dicom.Error?  Number of Frames; 1 where it says nothing
--- Frame n from 1, nothing decoded: little endian, from bit 0 on; compressed frames whole, from all their fragments.
---@field frame_bytes fun(self: dicom.Dataset, n: integer): string?, dicom.Error?
---@field fragments fun(self: dicom.Dataset): dicom.Fragment[]?, dicom.Error? of encapsulated pixel data; else empty
--- Native frames have the size that the header says. Offset tables follow; the Extended one where 32 bits are too few.
---@field append_frame fun(self: dicom.Dataset, bytes: string, options: { extended: boolean? }?): true?, dicom.Error?
--- All frames anew. With a syntax (UID or keyword) the data set is from then on one of that transfer syntax.
---@field set_frames fun(self: dicom.Dataset, list: string[], options: dicom.FrameOptions?): true?, dicom.Error?
---@field close fun(self: dicom.Dataset)                 gives its memory back at once
---@field type_of fun(self: dicom.Dataset, key: dicom.Key|integer[]): dicom.Type?, string?, string?
---@field validate fun(self: dicom.Dataset): dicom.Finding[]?, dicom.Error? where it differs from the standard
---@field [any] any
local methods = core.dataset_methods()

---@class dicom.Fragment
---@field length integer
---@field offset? integer of its first byte in the file; nil when it is in memory only
---@field frame? integer  whose it is, where that is known

---@class dicom.FrameOptions
---@field extended? boolean write an Extended Offset Table (7FE0,0001) whatever the size
---@field syntax? string    transfer syntax that the frames are in
--- What PS3.3 asks of an attribute: present with a value, present, or nothing; C: under conditions. `ds:type_of(key)`
--- also gives the module that asks and its usage (M, C, U). The attribute need not be there; of a path
--- ("Seq[1].CodeValue", or a list of tags) the numbers of the items do not matter. Where several modules have it, those
--- that the data set uses come first, then the strictest. nil: the kind of object does not know the attribute.
---@alias dicom.Type "1"|"1C"|"2"|"2C"|"3"

--- What ds:validate() finds. Conditions that cannot be judged from the data set, defined terms and attributes beyond
--- the standard are no findings. It never quotes a value. At most 10,000.
---@class dicom.Finding
---@field severity "error"|"warning"
---@field code "missing"|"empty"|"bad items"|"bad vr"|"bad vm"|"bad length"|"bad value"|"repaired"|"unknown sop class"
---@field text string    what is wrong and by which rule
---@field path? string   "ReferencedStudySequence[1].ReferencedSOPInstanceUID"
---@field tag? integer
---@field type? dicom.Type
---@field module? string "General Series"

---@class dicom.BytesOptions
---@field syntax? string transfer syntax, UID or keyword; default: its own
---@field part10? boolean preamble and file meta in front
---@field raw? boolean    untouched bytes as they came, repairs and all

---@class dicom.SaveOptions: dicom.BytesOptions
---@field path? string
---@field durable? boolean fsync of file and folder

---@class dicom.OpenOptions
---@field strict? boolean      refuse what would need a repair
---@field stop? string|integer stop before this element of the top level
---@field syntax? string       of a bare data set
---@field limits? { depth: integer?, elements: integer?, inflated: integer?, ratio: integer?, held: integer? }

local M = {}

--- Opens a file, or bytes: a string that holds a NUL byte is bytes, any other a path.
---@type fun(what: string, options: dicom.OpenOptions?): dicom.Dataset?, dicom.Error?
M.open = core.open

--- Makes a data set from a plain table, or a deep copy of a data set (also of an item: it then stands alone).
---@type fun(from: table|dicom.Dataset|nil): dicom.Dataset
M.new = core.new_dataset

--- Saves, atomically: the old file or the whole new one, never a part. `ds:save(path, options)` or
--- `ds:save{ path =, ... }`; without a path over the file that it was opened from.
---@param path? string|dicom.SaveOptions
---@param options? dicom.SaveOptions
---@return true?
---@return dicom.Error?
function methods:save(path, options)
  if type(path) == "table" then path, options = path.path, path end
  path = path or options and options.path or self.path
  if not path then errors.misuse("save needs a path: this data set was not opened from a file", 2) end
  return core.save(self, path, options)
end

-- One level of walk(): the data set, its iterator, the path in front.
local function level(ds, prefix)
  return { ds = ds, next = ds:elements(), prefix = prefix }
end

-- The items of the element given last come next, as they are by then.
local function descend(stack, top)
  local e = top.open
  top.open = nil
  local items = top.ds:values(e.tag)
  for i = type(items) == "table" and #items or 0, 1, -1 do
    stack[#stack + 1] = level(items[i], ("%s%s[%d]."):format(top.prefix, e.key, i))
  end
end

--- All elements at all depths, in order: element, the data set that holds it, its path.
--- The element given last may be changed or removed.
---@return fun(): dicom.Element?, dicom.Dataset?, string?
function methods:walk()
  local stack = { level(self, "") }
  return function()
    while true do
      local top = stack[#stack]
      if not top then return nil end
      if top.open then
        descend(stack, top)
      else
        local e = top.next(top.ds)
        if e then
          top.open = e.hold == "items" and e or nil
          return e, top.ds, top.prefix .. e.key
        end
        stack[#stack] = nil
      end
    end
  end
end

--- The frames of the pixel data, one by one: `for n, bytes in ds:frames() do`. Only one is in memory at a time.
---@return fun(): integer?, string?
function methods:frames()
  local n, count = 0, nil
  return function()
    local bytes, err
    if not count then
      count, err = self:frame_count()
      if not count then error(err, 0) end
    end
    if n == count then return nil end
    n = n + 1
    bytes, err = self:frame_bytes(n)
    if not bytes then error(err, 0) end
    return n, bytes
  end
end

local BIG_ENDIAN = "1.2.840.10008.1.2.2"

-- The texts of values that do not all have the form of their VR.
local function texts(ds, e, vr)
  local t = { vr = vr }
  local text = ds:text(e.tag)
  if not text then return { vr = vr, ds:raw(e.tag) } end
  for s in (text .. "\\"):gmatch "(.-)\\" do t[#t + 1] = s end
  return t
end

local function tables(ds, e, vr)
  local items = { vr = not e.keyword and vr or nil }
  for i, item in ipairs(ds:values(e.tag)) do items[i] = item:totable() end
  return items
end

-- Big endian numbers are given as numbers, as a string of bytes would not tell its order.
local function plain(ds, e)
  local vr = e.read_as or e.vr
  if e.fragments then return { vr = vr, fragments = ds[e.tag]:copy() } end
  if e.hold == "items" then return tables(ds, e, vr) end
  local v, err = ds:get(e.tag)
  local list = type(v) == "userdata"
  if list and (vr == "OB" or vr:find "^O" and ds.syntax ~= BIG_ENDIAN) then
    v, list = ds:raw(e.tag), false
  elseif list then
    v, err = ds:values(e.tag)
  end
  if err then return texts(ds, e, vr) end
  if v == nil then v = "" end
  if e.keyword or e.name then return v end
  if not list then return { vr = vr, v } end
  v.vr = vr
  return v
end

--- A plain table, down to the last item: keyword (else "gggg,eeee") to value. `dicom.dataset(t)` is the way back, but
--- for encapsulated pixel data. Elements in no dictionary are lists with a field `vr`; bulk data is a string of
--- bytes.
---@return table
function methods:totable()
  local t = {}
  for e in self:elements() do
    if e.tag & 0xFFFF ~= 0 then t[e.key] = plain(self, e) end -- group lengths say nothing here
  end
  return t
end

--- The private elements of a creator (PS3.5 7.8.1): `ds:private("ACME 1.1")[0x01]`, to read, create, delete.
---@param creator string
---@param group? integer odd; without it every group is looked at, and new elements go where the creator is, else 0009
---@return dicom.Private
function methods:private(creator, group)
  return require "dicom.private".new(self, creator, group)
end

--- A printed form for people: one line an element, items indented.
---@param options? { width: integer?, all: boolean? }
---@return string
function methods:dump(options)
  return require "dicom.dump"(self, options)
end

--- What differs, as data: bytes, padding, character set and transfer syntax do not count, file meta and group lengths
--- are not looked at. `{ path =, tag =, kind = "added" | "removed" | "changed" }` in order of tags; what only `other`
--- has is added. Of sequences the items are compared one by one, by their place.
---@param other dicom.Dataset
---@param options? { ignore: dicom.Key[]? } keywords or tags that are not looked at, at any depth
---@return dicom.Difference[]?
---@return dicom.Error?
function methods:diff(other, options)
  return require "dicom.diff".diff(self, other, options)
end

--- Do both say the same? (`==` asks whether both are one and the same data set.)
---@param other dicom.Dataset
---@param options? { ignore: dicom.Key[]? }
---@return boolean?
---@return dicom.Error?
function methods:equals(other, options)
  return require "dicom.diff".equals(self, other, options)
end

--- Takes over every element of `other`; where both have one, other's wins. A sequence is replaced as a whole. Text
--- keeps its meaning: it is re-encoded into this data set's character set, which becomes ISO_IR 192 where it has to.
--- Private elements go to their creator's block, which may be another one here.
---@param other dicom.Dataset
---@return true?
---@return dicom.Error?
function methods:merge(other)
  return require "dicom.diff".merge(self, other)
end

--- The DICOM JSON Model (PS3.18 F.2), UTF-8.
---@param options? dicom.ModelOptions
---@return string?
---@return dicom.Error|integer|nil # the error; with text = "replace": how many values hold U+FFFD now
function methods:json(options)
  return require "dicom.model".text(self, "json", options)
end

--- The Native DICOM Model (PS3.19 A.1), UTF-8.
---@param options? dicom.ModelOptions
---@return string?
---@return dicom.Error|integer|nil # the error; with text = "replace": how many values hold U+FFFD now
function methods:xml(options)
  return require "dicom.model".text(self, "xml", options)
end

return M
