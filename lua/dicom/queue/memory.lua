-- SPDX-License-Identifier: MIT
--- A queue that a process takes with it. For tests, and for where the sender keeps a copy anyway.
local check = require "dicom.check"
local file = require "dicom.file"
local queue = require "dicom.queue"
local record = require "dicom.queue.record"

---@class dicom.queue.Memory
local Memory = {}
Memory.__index = Memory
Memory.__name = "dicom.queue.memory"

local M = {}

---@param argument string
---@return dicom.queue.Memory
function M.new(argument)
  if argument ~= "" then check.fail("queue", "\"memory\" takes nothing behind it") end
  return setmetatable({ messages = {}, held = {}, key = file.random(32) }, Memory)
end

--- No earlier process left anything.
---@return dicom.queue.Message[]
function Memory.open() return {} end

--- What arrives is held in memory.
function Memory.sink() return nil end

---@return dicom.queue.Message
function Memory:accept(ds, parts, origin)
  local message = queue.message(ds, parts, origin)
  self.messages[message.id], self.held[message.id] = message, ds
  return message
end

function Memory.refuse() return true end

--- A data set of the caller's own.
---@return dicom.Dataset
function Memory:load(message)
  return self.held[message.id]:copy()
end

function Memory:derive(message, part, ds)
  local made = true
  if ds then
    made = queue.derived(message, part, ds)
    self.messages[made.id], self.held[made.id] = made, ds
  end
  self:note(message, part, "changed")
  return made
end

function Memory:extend(message, part, parts)
  local lines, added = queue.extension(message, part, parts)
  record.replay(message, lines)
  for i, key in ipairs(added) do added[i] = message.by_key[key] end
  self:note(message, part, "changed")
  return added
end

function Memory:note(message, part, what, ...)
  record.replay(message, record.event(what, part, ...))
  if record.is_done(message) then self.messages[message.id], self.held[message.id] = nil, nil end
  return true
end

function Memory.close() return true end

return M
