-- SPDX-License-Identifier: MIT
--- Queues of messages. A back end is one file of this folder, found by name: "memory", "spool:FOLDER". All have the
--- same verbs:
---
---   queue:open() -> messages      those that an earlier process left, oldest first; takes the lock
---   queue:sink() -> folder|nil    where a listener writes what arrives
---   queue:accept(ds, parts, origin) -> message   makes message and decision durable, or nil, err and nothing is kept
---   queue:refuse(ds)              what arrived is not wanted
---   queue:load(message) -> ds     the bytes as they came
---   queue:derive(message, part, ds|false) -> message|true   commits what a change made, then that it was made
---   queue:extend(message, part, parts) -> added   more parts, and that `part` is done with
---   queue:note(message, part, what, ...)   "delivered", "dropped", "failed", "parked", "retry"; see record.event
---   queue:close()
---   queue.key                     bytes that nobody else knows, the same as long as the queue exists
local check = require "dicom.check"
local file = require "dicom.file"
local record = require "dicom.queue.record"

local M = {}

local counter = 0

--- A new id: in the order of time, unlike any other.
---@return string
function M.id()
  counter = counter + 1
  return ("%s-%06d-%s"):format(os.date "!%Y%m%dT%H%M%S", counter % 1000000, file.random(4))
end

--- A message of an instance that arrived.
---@param ds dicom.Dataset
---@param parts {kind: string, name: string, fields?: table}[]
---@param origin dicom.Origin
---@return dicom.queue.Message
function M.message(ds, parts, origin)
  local message = record.new { id = origin.id or M.id(), received = origin.received or os.date "!%Y-%m-%dT%H:%M:%SZ",
    origin = origin, sop_class = ds:get "SOPClassUID" or "", size = 0 }
  for _, part in ipairs(parts) do record.add(message, part.kind, part.name, part.fields) end
  return message
end

--- The message that the change `part` of `message` made. Its id is the same whenever it is made.
---@param message dicom.queue.Message
---@param part dicom.queue.Part
---@param ds dicom.Dataset
---@return dicom.queue.Message
function M.derived(message, part, ds)
  local made = record.new { id = message.id .. "-" .. part.name, received = message.received, origin = message.origin,
    sop_class = ds:get "SOPClassUID" or "", parent = message.id, size = 0 }
  for _, name in ipairs(part.send) do record.add(made, "to", name) end
  return made
end

--- The lines that add parts which the message does not have and end one that asked for them; and those parts.
---@param message dicom.queue.Message
---@param part dicom.queue.Part
---@param parts {kind: string, name: string, fields?: table}[]
---@return string lines, string[] keys
function M.extension(message, part, parts)
  local lines, keys = {}, {}
  for _, p in ipairs(parts) do
    local key = p.kind .. " " .. p.name
    if not message.by_key[key] then
      local fields = p.fields or {}
      lines[#lines + 1] = record.part { kind = p.kind, name = p.name, rules = fields.rules, send = fields.send }
      keys[#keys + 1] = key
    end
  end
  lines[#lines + 1] = record.event("changed", part)
  return table.concat(lines), keys
end

--- The queue that a text names. Nothing is opened yet.
---@param text string  "memory", "spool:FOLDER"
---@return table
function M.new(text)
  local name, argument = text:match "^(%l+):?(.*)$"
  if not name or not package.searchpath("dicom.queue." .. name, package.path) then
    check.fail("queue", "%q is neither \"memory\" nor \"spool:FOLDER\"", text)
  end
  return require("dicom.queue." .. name).new(argument)
end

return M
