-- SPDX-License-Identifier: MIT
-- A data set as DCMTK's dcmdump prints it, whole values, without what a re-encoding may change: file meta, group
-- lengths, lengths of sequences and items, trailing padding.
local sh = require "spec.support.sh"

local M = {}

local DUMP = "dcmdump -q +L +R 100000000 %s 2>/dev/null"

local function is_content(line)
  return not line:find "^#" and line ~= "" and not line:find "^%(0002," and not line:find "^%s*%(%x%x%x%x,0000%)"
    and not line:find "^%s*%(fffe,e0.d%)" and not line:find "^%(fffc,fffc%)"
end

--- The lines, or nil when dcmdump cannot read the file.
---@param path string
---@return string?
function M.of(path)
  local r = sh.run("dcmdump -q " .. sh.quote(path) .. " >/dev/null")
  if r.code ~= 0 then return nil end
  local t = {}
  for _, line in ipairs(sh.lines(DUMP:format(sh.quote(path)))) do
    if is_content(line) then
      line = line:gsub("%((%a+) with %a+ length #=(%d+)%).*", "(%1 of %2)")
      line = line:gsub("^(%s*%(%x+,%x+%) %a%a .-)%s+#%s*[%du/l]+, *%d+ .*$", "%1")
      t[#t + 1] = line
    end
  end
  return table.concat(t, "\n")
end

return M
