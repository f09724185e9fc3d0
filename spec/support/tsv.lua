-- SPDX-License-Identifier: MIT
-- Reads the tables in csrc/gen: comment lines begin with #, the last of them names the columns.
local M = {}

---@param path string
---@return table<string, string>[]
function M.read(path)
  local rows, columns = {}, nil
  for line in io.lines(path) do
    local fields = {}
    for field in (line:gsub("^#", "") .. "\t"):gmatch "([^\t]*)\t" do fields[#fields + 1] = field end
    if line:sub(1, 1) == "#" then
      columns = fields
    else
      local row = {}
      for i, field in ipairs(fields) do row[columns[i]] = field end
      rows[#rows + 1] = row
    end
  end
  return rows
end

return M
