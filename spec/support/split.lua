-- SPDX-License-Identifier: MIT
-- Ways to cut a run of bytes, as a network does: what a machine says may not depend on where the cuts fall.
local M = {}

--- All at once.
function M.whole(bytes)
  return { bytes }
end

--- Byte by byte.
function M.single(bytes)
  local out = {}
  for i = 1, #bytes do out[i] = bytes:sub(i, i) end
  return out
end

--- Pieces of random length, mostly short. The seed makes a failure repeatable.
---@param seed integer
function M.random(seed)
  local state = seed * 2654435761 % 2 ^ 32 // 1 | 0
  local function below(n)
    state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
    return (state >> 8) % n
  end
  return function(bytes)
    local out, at = {}, 1
    while at <= #bytes do
      local n = 1 + (below(4) == 0 and below(400) or below(9))
      out[#out + 1] = bytes:sub(at, at + n - 1)
      at = at + n
    end
    return out
  end
end

--- Each way with its name, for `for name, cut in pairs(split.ways)`.
M.ways = { ["whole"] = M.whole, ["byte by byte"] = M.single }
for seed = 1, 5 do M.ways["cut at random, seed " .. seed] = M.random(seed) end

return M
