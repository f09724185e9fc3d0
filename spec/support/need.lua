-- SPDX-License-Identifier: MIT
-- What a spec needs of the machine. Without it the spec is skipped, and says what to do. Call inside `it`.
--
--     it("is understood by echoscu", function()
--       need.peer "echoscu"
local pending = require "busted.core"().pending
local sh = require "spec.support.sh"

local M = {}

--- Where the test files are: a folder beside the checkout.
M.folder = "../shared/data"

--- Skips the running spec.
---@param reason string
function M.skip(reason)
  pending(reason)
end

--- A program of another DICOM toolkit, or a tool.
---@param program string
function M.peer(program)
  if not sh.has(program) then pending(program .. " is not installed: make deps-peers") end
end

--- A Python module; Debian's Python has it where another one is in front.
---@param module string
---@return string # the interpreter
function M.python(module)
  M.peer "python3"
  for _, python in ipairs { "python3", "/usr/bin/python3" } do
    if os.execute(("%s -c 'import %s' 2>/dev/null"):format(python, module)) == true then return python end
  end
  pending(("Python module %s is not installed: make deps-peers"):format(module))
end

--- The test files, or one of them.
---@param path? string below the folder
---@return string # where it is
function M.data(path)
  local where = path and M.folder .. "/" .. path or M.folder .. "/MANIFEST.tsv"
  local f = io.open(where, "rb")
  if not f then pending("test files are not there: " .. where) end
  f:close()
  return path and where or M.folder
end

--- Skips when the specs run with ASan: for measurements of time and memory.
function M.release_build()
  if sh.build:find "asan" then pending "measured on the normal build only" end
end

return M
