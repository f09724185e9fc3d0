-- SPDX-License-Identifier: MIT
--- Error objects: what `nil, err` and raised errors of this package are.
local core = require "dicom.core"

---@class dicom.Error
---@field code string    one of the names in csrc/base/status.h, or "system", "usage", "rule", "config", ...
---@field text string    what was wrong, which rule of the standard, what to do; never patient data
---@field tag? integer   0xggggeeee of the element
---@field offset? integer byte offset in the file or in the bytes received
---@field status? integer DIMSE status
---@field path? string   file
---@field errno? integer
---@field cause? any     the error under this one
---@field where? string   "script.lua:7", the line that misused something
local Error = core.error_metatable()
Error.__index = Error
Error.__name = "dicom.error"
-- Of this package: whoever misuses it is outside. Rules run without `debug`: their sandbox tells the place of itself.
Error.folder = debug and debug.getinfo(1, "S").source:match "^.*/"

function Error:__tostring()
  local t = { (self.where and self.where .. ": " or "") .. (self.path and self.path .. ": " or "") .. self.text }
  if self.tag then t[#t + 1] = ("at (%04X,%04X)"):format(self.tag >> 16, self.tag & 0xFFFF) end
  if self.offset then t[#t + 1] = "byte " .. self.offset end
  if self.status then t[#t + 1] = ("status %04XH"):format(self.status) end
  if self.cause then t[#t + 1] = "because " .. tostring(self.cause) end
  return table.concat(t, ", ")
end

local M = {}

--- Makes an error object.
---@param code string
---@param text string
---@param fields? table
---@return dicom.Error
function M.new(code, text, fields)
  local e = fields or {}
  e.code, e.text = code, text
  return setmetatable(e, Error)
end

--- `return error.fail(...)`: nil and the object.
---@return nil, dicom.Error
function M.fail(code, text, fields)
  return nil, M.new(code, text, fields)
end

--- Raises an error object for a misuse that names the line of the caller, as `error` does with a string.
---@param text string
---@param level integer  as for `error`: 2 is who called the function that calls this, or who is outside of this package
---@param code? string   "usage" when not given
function M.misuse(text, level, code)
  local folder = Error.folder
  local caller
  repeat
    level = level + 1
    caller = debug and debug.getinfo(level, "Sl")
  until not caller or caller.currentline > 0 and not (folder and caller.source:sub(1, #folder) == folder)
  local where = caller and ("%s:%d"):format(caller.short_src, caller.currentline) or nil
  error(M.new(code or "usage", text, { where = where }), 0)
end

--- True for objects made here or by the C core.
---@param e any
---@return boolean
function M.is(e)
  return getmetatable(e) == Error
end

return M
