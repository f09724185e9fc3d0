-- SPDX-License-Identifier: MIT
-- A section of make.lua: the kinds of object of PS3.3, their modules, and the attributes of those.
-- Inputs: sop_classes iods modules conditions values (.tsv). Output: iods.c.
local kit, elements = ...
local read, c_integers, c_string = kit.read, kit.c_integers, kit.c_string

-- One pool of text; every name is an offset into it.
local texts, text_at, text_size = {}, {}, 0

local function text(s)
  if not text_at[s] then
    text_at[s] = text_size
    texts[#texts + 1] = s
    text_size = text_size + #s + 1
  end
  return text_at[s]
end

--- Names to numbers in order of first use, from 1.
local function numbering()
  local list, number = {}, {}
  return list, function(key)
    if not number[key] then
      list[#list + 1] = key
      number[key] = #list
    end
    return number[key]
  end
end

-- Conditions ---------------------------------------------------------------------------------------------------------

local tag_of = {}
for _, r in ipairs(elements) do tag_of[r.keyword] = ("%08X"):format(r.number) end

local function tag_for(keyword, where)
  return assert(tag_of[keyword], ("%s: no keyword %q"):format(where, keyword))
end

-- "!^Seq/Keyword[1]=A,B" with tags for keywords; csrc/data/condition.c reads it.
local function term(s, where)
  local sign, path, index, rest = s:match "^([!^]*)([%w/]+)(%[?%d?%]?)(.*)$"
  assert(path and (rest == "" or rest:find "^[=>]"), where .. ": " .. s)
  path = path:gsub("%w+", function(keyword) return tag_for(keyword, where) end)
  rest = rest:gsub("@(%w+)", function(keyword) return tag_for(keyword, where) end)
  return sign .. path .. index .. rest
end

local function compile(r)
  local either = {}
  for alternative in (r.expression .. " | "):gmatch "(.-) | " do
    local all = {}
    for s in (alternative .. " & "):gmatch "(.-) & " do all[#all + 1] = term(s, r.name) end
    either[#either + 1] = table.concat(all, "&")
  end
  return table.concat(either, "|")
end

local expression = {}
for _, r in ipairs(read "conditions.tsv") do expression[r.name] = compile(r) end

local conditions, condition_number = numbering()

--- Several names: all hold. Any that cannot be judged makes the whole so: 0.
local function condition(names)
  if not names or names == "" then return 0 end
  local whole = { "" }
  for name in names:gmatch "[^&]+" do
    if not expression[name] then return 0 end
    local both = {}
    for _, have in ipairs(whole) do
      for alternative in expression[name]:gmatch "[^|]+" do
        both[#both + 1] = have == "" and alternative or have .. "&" .. alternative
      end
    end
    whole = both
  end
  return condition_number(table.concat(whole, "|"))
end

-- Modules and macros -------------------------------------------------------------------------------------------------

local values = {}
for _, r in ipairs(read "values.tsv") do values[r.set] = r.values end
local sets, set_number = numbering()

local lists, list_of = {}, {}
for _, r in ipairs(read "modules.tsv") do
  if not list_of[r.list] then
    lists[#lists + 1] = { name = r.list }
    list_of[r.list] = #lists
  end
  r.number = tonumber((r.tag:gsub("xx", "00")), 16)
  table.insert(lists[list_of[r.list]], r)
end

local CONDITIONAL, OTHERWISE = 4, 8 -- as in tables.h

local function type_bits(r)
  local digit, c = r.type:match "^([123])(C?)$"
  return assert(tonumber(digit), r.type) | (c ~= "" and CONDITIONAL or 0) | (r.otherwise == "1" and OTHERWISE or 0)
end

--- "1-n" -> 1, 0 (no limit) in one byte; 0 where nothing is said.
local function items(s)
  if not s or s == "" then return 0 end
  local least, most = s:match "^(%d)%-?([%dn]?)$"
  if most == "" then most = least end
  return tonumber(least) << 4 | (tonumber(most) or 0)
end

local function row(r)
  local child = r.child and r.child ~= "" and assert(list_of[r.child], r.child) or 0
  local set = r.values and r.values ~= "" and set_number(assert(values[r.values], r.values)) or 0
  return ("{0x%08X,%d,%d,%d,%d,%d}"):format(r.number, child, condition(r.condition), set, type_bits(r), items(r.items))
end

local rows, firsts, row_of = {}, {}, {}
for _, list in ipairs(lists) do
  for i, r in ipairs(list) do r.order = i end
  table.sort(list, function(a, b)
    if a.number ~= b.number then return a.number < b.number end
    return a.order < b.order
  end)
  firsts[#firsts + 1] = #rows
  for _, r in ipairs(list) do
    row_of[r] = #rows
    rows[#rows + 1] = row(r)
  end
end
firsts[#firsts + 1] = #rows

-- Kinds of object ----------------------------------------------------------------------------------------------------

local USAGE = { M = "DC_USAGE_M", C = "DC_USAGE_C", U = "DC_USAGE_U" }
local modules, module_number = numbering()
local iods, iod_of = {}, {}
for _, r in ipairs(read "iods.tsv") do
  if not iod_of[r.iod] then
    iods[#iods + 1] = { name = r.iod }
    iod_of[r.iod] = #iods
  end
  table.insert(iods[iod_of[r.iod]], r)
  r.number = module_number(r.module) - 1
end

local uses, heads = {}, {}
for _, iod in ipairs(iods) do
  heads[#heads + 1] = ("{%d,%d}"):format(text(iod.name), #uses)
  table.sort(iod, function(a, b) return a.number < b.number end)
  for i, r in ipairs(iod) do
    assert(i == 1 or iod[i - 1].number ~= r.number, iod.name .. ": " .. r.module)
    uses[#uses + 1] = ("{%d,%d,%s}"):format(r.number, condition(r.condition), USAGE[r.usage])
  end
end
heads[#heads + 1] = ("{0,%d}"):format(#uses)

--- Which modules hold a tag at their top: what a look-up begins with.
local tops, module_rows = {}, {}
for number, name in ipairs(modules) do
  local list = assert(list_of[name], name)
  module_rows[number] = ("{%d,%d}"):format(text((name:gsub(" #%d+$", ""))), list - 1)
  for _, r in ipairs(lists[list]) do
    tops[#tops + 1] = { r.number, number - 1, row_of[r] }
  end
end
table.sort(tops, function(a, b)
  for i = 1, 3 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
  return false
end)
for i, t in ipairs(tops) do tops[i] = ("{0x%08X,%d,%d}"):format(table.unpack(t)) end

local classes, uids = {}, {}
for i, r in ipairs(read "sop_classes.tsv") do
  uids[i] = r.uid
  classes[i] = ("{%d,%d}"):format(text(r.uid), assert(iod_of[r.iod], r.iod) - 1)
end

local function offsets(list)
  local out = { 0 }
  for _, s in ipairs(list) do out[#out + 1] = text(s) end
  return out
end

local function array(declaration, list)
  return c_integers(declaration, list)
end

local out = {
  array("const dc_iod_row dc_gen_iod_rows[]", rows),
  array("const uint16_t dc_gen_iod_lists[]", firsts),
  array("const dc_iod_module dc_gen_iod_modules[]", module_rows),
  array("const dc_iod_use dc_gen_iod_uses[]", uses),
  array("const dc_iod dc_gen_iods[]", heads),
  array("const dc_iod_top dc_gen_iod_tops[]", tops),
  ("const uint32_t dc_gen_iod_top_count = %d;\n"):format(#tops),
  array("const dc_iod_class dc_gen_iod_classes[]", classes),
  array("const uint16_t dc_gen_iod_class_slots[1 << DC_GEN_IOD_BITS]", kit.slots(uids, 9, kit.hash_text)),
  ("const uint16_t dc_gen_iod_meta = %d;\n"):format(module_number "File Meta Information" - 1),
  array("const uint32_t dc_gen_iod_conditions[]", offsets(conditions)),
  array("const uint32_t dc_gen_iod_sets[]", offsets(sets)),
  "const char dc_gen_iod_text[] =",
}
for _, s in ipairs(texts) do out[#out + 1] = "    " .. c_string(s):sub(1, -2) .. '\\0"' end
out[#out] = out[#out] .. ";"
kit.write_c("iods.c", "{sop_classes,iods,modules,conditions,values}.tsv", out)
