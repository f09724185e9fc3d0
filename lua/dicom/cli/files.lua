-- SPDX-License-Identifier: MIT
--- The files that a path of the command line means: itself, or all DICOM files of a folder at any depth.

local file = require "dicom.file"

-- In a folder may lie anything: what is no DICOM file is counted and left out. A file that was named is sent or fails.
local function is_dicom(path)
  local stat = file.stat(path)
  if not stat or stat.type ~= "file" then return false end -- opening a FIFO would wait for its other end
  local f = io.open(path, "rb")
  if not f then return false end
  local head = f:read(132)
  f:close()
  return head ~= nil and head:sub(129) == "DICM"
end

--- Adds the files of a path to a list, in order of their names. What is no folder is added whatever it is.
---@param path string
---@param files string[]
---@return integer skipped how many files of the folder are no DICOM files
---@return boolean is_folder
local function gather(path, files)
  local names, kinds = file.list(path)
  if not names then
    files[#files + 1] = path
    return 0, false
  end
  local skipped = 0
  for _, name in ipairs(names) do
    local below = path .. "/" .. name
    if kinds[name] == "folder" then
      skipped = skipped + gather(below, files)
    elseif is_dicom(below) then
      files[#files + 1] = below
    else
      skipped = skipped + 1
    end
  end
  return skipped, true
end

return gather
