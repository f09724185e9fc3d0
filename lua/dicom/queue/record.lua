-- SPDX-License-Identifier: MIT
--- A message: the bytes of an instance and what was decided about it. Its parts are the envelopes
--- ("to archive": this message to that destination), the changes that are still to be made ("change 1"), and what a
--- rule could not decide ("rule NAME"). Here is how that is kept as text: a line a fact, words percent-encoded.
local M = {}

local MAGIC, VERSION = "dicom-q1", 1
local FOOTER = "<c8I4I8I4I4" -- magic, version, bytes of the Part 10 file, bytes of the text, CRC-32 of the text
M.footer_size = FOOTER:packsize()

---@class dicom.queue.Part
---@field kind "to"|"change"|"rule"
---@field name string              destination, number of the change, or rule
---@field state "waiting"|"parked"|"done"
---@field tries integer
---@field next number              earliest time of the next try, seconds since 1970; 0: now
---@field error? string            why it failed last, or was parked
---@field rules? string[]          change: the rules that want it
---@field send? string[]           change: the destinations of the changed message

---@class dicom.queue.Message
---@field id string
---@field size integer             bytes of the Part 10 file
---@field received string
---@field origin dicom.Origin
---@field sop_class string
---@field parts dicom.queue.Part[]  in the order in which they were decided
---@field by_key table<string, dicom.queue.Part>
---@field parent? string           id of the message that this one was made from

-- ---- words ----

local function encode(word)
  word = tostring(word)
  if word == "" then return "%" end
  return (word:gsub("[^%w_.:/@+-]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function decode(word)
  if word == "%" then return "" end
  return (word:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- One fact.
---@return string line
function M.line(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = encode(words[i]) end
  return table.concat(words, " ") .. "\n"
end

--- Facts in order; a last line without its end was never finished.
---@param text string
---@return fun(): string[]?
function M.lines(text)
  local next_line = text:gmatch "([^\n]*)\n"
  return function()
    local line = next_line()
    if not line then return nil end
    local words = {}
    for word in line:gmatch "%S+" do words[#words + 1] = decode(word) end
    return words
  end
end

local crc_table = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do c = c & 1 == 1 and 0xEDB88320 ~ c >> 1 or c >> 1 end
  crc_table[i] = c
end

local function crc32(text)
  local c = 0xFFFFFFFF
  for i = 1, #text do c = crc_table[(c ~ text:byte(i)) & 0xFF] ~ c >> 8 end
  return c ~ 0xFFFFFFFF
end

-- ---- messages ----

--- Adds a part.
---@param message dicom.queue.Message
---@param kind string
---@param name string
---@param fields? table
---@return dicom.queue.Part
function M.add(message, kind, name, fields)
  local part = fields or {}
  part.kind, part.name, part.state, part.tries, part.next = kind, name, part.state or "waiting", 0, 0
  message.parts[#message.parts + 1] = part
  message.by_key[kind .. " " .. name] = part
  return part
end

--- A message without parts.
---@param fields table
---@return dicom.queue.Message
function M.new(fields)
  fields.parts, fields.by_key = {}, {}
  return fields
end

--- The lines of a part that is new.
---@param part {kind: string, name: string, rules?: string[], send?: string[], state?: string, error?: string}
---@return string
function M.part(part)
  local text
  if part.kind == "change" then
    text = M.line("change", part.name, #part.rules, table.unpack(part.rules))
      .. M.line("for", part.name, table.unpack(part.send))
  else
    text = M.line("part", part.kind, part.name)
  end
  if part.state == "parked" then text = text .. M.line("parked", part.kind, part.name, part.error or "") end
  return text
end

local ORIGIN = { "calling_aet", "called_aet", "address" }

--- The text that goes behind the bytes of the instance, footer included.
---@param message dicom.queue.Message
---@return string
function M.write(message)
  local t = { M.line("id", message.id), M.line("received", message.received), M.line("class", message.sop_class) }
  for _, name in ipairs(ORIGIN) do t[#t + 1] = M.line("origin", name, message.origin[name] or "") end
  if message.parent then t[#t + 1] = M.line("parent", message.parent) end
  for _, part in ipairs(message.parts) do
    t[#t + 1] = M.part(part)
  end
  local text = table.concat(t)
  return text .. FOOTER:pack(MAGIC, VERSION, message.size, #text, crc32(text))
end

--- Where data set and text are, from the last bytes of a file.
---@param footer string
---@return integer|nil size, integer? text
function M.sizes(footer)
  if #footer ~= M.footer_size then return nil end
  local magic, version, size, text = FOOTER:unpack(footer)
  if magic ~= MAGIC or version ~= VERSION then return nil end
  return size, text
end

local function add_once(m, kind, name, fields)
  if not m.by_key[kind .. " " .. name] then M.add(m, kind, name, fields) end
end

local facts = {
  id = function(m, w) m.id, m.origin.id = w[2], w[2] end,
  received = function(m, w) m.received, m.origin.received = w[2], w[2] end,
  class = function(m, w) m.sop_class = w[2] end,
  origin = function(m, w) m.origin[w[2]] = w[3] end,
  parent = function(m, w) m.parent = w[2] end,
  part = function(m, w) add_once(m, w[2], w[3]) end,
  change = function(m, w)
    local last = math.min(3 + tonumber(w[3]), #w) -- a damaged number is not a reason to count to it
    add_once(m, "change", w[2], { rules = table.move(w, 4, last, 1, {}), send = {} })
  end,
  ["for"] = function(m, w) m.by_key["change " .. w[2]].send = table.move(w, 3, #w, 1, {}) end,
  parked = function(m, w)
    local part = m.by_key[w[2] .. " " .. w[3]]
    part.state, part.error = "parked", w[4]
  end,
}

--- The message of a text and its footer, or nil when they are damaged.
---@param text string
---@param footer string
---@return dicom.queue.Message?
function M.read(text, footer)
  local size = M.sizes(footer)
  if not size or select(5, FOOTER:unpack(footer)) ~= crc32(text) then return nil end
  local message = M.new { size = size, origin = {} }
  for words in M.lines(text) do
    local fact = facts[words[1]]
    if fact then fact(message, words) end
  end
  return message
end

-- ---- what happened since: the lines of the file beside it ----

local changes = {
  delivered = function(part) part.state = "done" end,
  changed = function(part) part.state = "done" end,
  dropped = function(part) part.state = "done" end,
  failed = function(part, w)
    local tries, next = math.tointeger(tonumber(w[4])), math.tointeger(tonumber(w[5]))
    if tries and tries >= 0 and next then part.tries, part.next, part.error = tries, next, w[6] end
  end,
  parked = function(part, w) part.state, part.error = "parked", w[4] end,
  retry = function(part) part.state, part.next = "waiting", 0 end,
}

--- A line about a part: `what` is delivered, changed, dropped, failed (tries, next, error), parked (reason) or retry.
---@return string
function M.event(what, part, ...)
  return M.line(what, part.kind, part.name, ...)
end

local ADDED = { part = true, change = true, ["for"] = true } -- by a rule that was asked again

--- Brings a message up to date. Lines that make no sense, torn ones, are passed over.
---@param message dicom.queue.Message
---@param text string
function M.replay(message, text)
  for words in M.lines(text) do
    local change = changes[words[1]]
    if ADDED[words[1]] then pcall(facts[words[1]], message, words) end
    local part = change and words[3] and message.by_key[words[2] .. " " .. words[3]]
    if part then pcall(change, part, words) end
  end
end

--- Is nothing left to do, and nothing parked?
---@param message dicom.queue.Message
---@return boolean
function M.is_done(message)
  for _, part in ipairs(message.parts) do
    if part.state ~= "done" then return false end
  end
  return true
end

return M
