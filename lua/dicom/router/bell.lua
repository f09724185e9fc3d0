-- SPDX-License-Identifier: MIT
--- What a task waits at until somebody has work for it, or until it is time.
local task = require "dicom.task"

---@class dicom.router.Bell
local Bell = {}
Bell.__index = Bell
Bell.__name = "dicom.router.bell"

local M = {}

---@return dicom.router.Bell
function M.new()
  return setmetatable({}, Bell)
end

--- Waits until it rings, `seconds` are over, or the task is cancelled.
---@param seconds number
function Bell:wait(seconds)
  local sleeper = task.task(task.sleep, seconds)
  self.sleeper = sleeper
  local good, err = pcall(sleeper.await, sleeper)
  if self.sleeper == sleeper then self.sleeper = nil end
  if good or sleeper.done then return end
  sleeper:cancel()
  error(err, 0) -- the one who waited was cancelled
end

--- Wakes who waits.
function Bell:ring()
  if self.sleeper then self.sleeper:cancel() end
end

return M
