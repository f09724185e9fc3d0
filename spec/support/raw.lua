-- SPDX-License-Identifier: MIT
-- A peer that says whatever bytes it is given: bash with /dev/tcp.
local sh = require "spec.support.sh"

local M = {}

--- Connects, sends the pieces with `pause` seconds between them, then keeps the connection open for `hold` seconds (0:
--- closes at once; until the other side closes when it is not given). What comes back is `:output()`.
---@param port integer
---@param pieces string[]
---@param options? {pause?: number, hold?: number}
---@return sh.Process
function M.peer(port, pieces, options)
  options = options or {}
  local folder = sh.folder()
  local t = { ("exec 3<>/dev/tcp/127.0.0.1/%d"):format(port) }
  for i, bytes in ipairs(pieces) do
    t[#t + 1] = ("cat %s >&3"):format(sh.write(("%s/%d"):format(folder, i), bytes))
    if options.pause then t[#t + 1] = "sleep " .. options.pause end
  end
  if not options.hold then
    t[#t + 1] = "cat <&3"
  elseif options.hold > 0 then
    t[#t + 1] = "sleep " .. options.hold
  end
  return sh.spawn({ "bash", "-c", table.concat(t, "; ") })
end

return M
