-- SPDX-License-Identifier: MIT
--- Reads what strace -f -yy recorded of a router and judges the order of writes, fsyncs, renames and responses.
local M = {}

M.OPTIONS = "-f -yy -qq -e trace=" ..
  "write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,rename,renameat,renameat2,mkdir"

-- What one finished call means, or nil. Calls are judged where they end; for an fsync also where it began counts.
local function event(line, port)
  local call, rest = line:match "^(%w+)(%(.*)$"
  if not call or not rest:find "%) += %d" then return nil end
  if call == "fsync" or call == "fdatasync" then return { kind = "fsync", path = rest:match "%(%d+<([^>]*)>" } end
  if call:find "^rename" then
    local from, to = rest:match '"([^"]*)".-"([^"]*)"'
    return { kind = "rename", from = from, to = to }
  end
  if call == "mkdir" then return { kind = "mkdir", path = rest:match '"([^"]*)"' } end
  local where = rest:match "%(%d+<(.-)>[,)]"
  if where and where:find "TCP" then
    local ours = where:find(":" .. port .. "->", 1, true)
    local first = rest:match '"(\\?[^"])'
    return ours and first == "\\4" and { kind = "response" } or nil
  end
  return where and { kind = "write", path = where } or nil
end

--- The events of a recording, in the order of their ends; an fsync knows when it began.
---@param path string
---@param port integer the router's
---@return table[]
function M.read(path, port)
  local events, open = {}, {}
  local n = 0
  for line in io.lines(path) do
    n = n + 1
    local pid, text = line:match "^(%d+) +(.*)$"
    local begun = text:match "^(.*) <unfinished %.%.%.>$"
    local tail = text:match "^<%.%.%. %w+ resumed>(.*)$"
    if begun then
      open[pid] = { text = begun, at = n }
    else
      local at = n
      if tail and open[pid] then text, at = open[pid].text .. tail, open[pid].at end
      local e = event(text, port)
      if e then
        e.began, e.ended = at, n
        events[#events + 1] = e
      end
    end
  end
  return events
end

local function folder_of(path)
  return path:match "^(.*)/[^/]*$"
end

--- Violations of "durable before the response": a message renamed into place before its bytes were synced, or a
--- response while a folder that got a name has not been synced since.
---@param events table[]
---@param spool string
---@return string[] violations
---@return integer responses
function M.judge(events, spool)
  local dirty, unsynced, committed, responses, wrong = {}, {}, 0, 0, {}
  local function inside(path) return path and path:sub(1, #spool) == spool end
  for _, e in ipairs(events) do
    if e.kind == "write" and inside(e.path) then
      dirty[e.path] = e.ended
    elseif e.kind == "fsync" and inside(e.path) then
      if (dirty[e.path] or 0) < e.began then dirty[e.path] = nil end
      if (unsynced[e.path] or 0) < e.began then unsynced[e.path] = nil end
    elseif e.kind == "mkdir" and inside(e.path) then
      unsynced[folder_of(e.path)] = e.ended
    elseif e.kind == "rename" and inside(e.to) then
      dirty[e.to] = dirty[e.from]
      if not e.to:find "/incoming/" then -- there it is still being made
        if dirty[e.to] then wrong[#wrong + 1] = "renamed before its bytes were synced" end
        if e.from:find "/incoming/%x+%.part$" then -- others were made by a change: no response waits for them
          unsynced[folder_of(e.to)] = e.ended
          committed = committed + 1
        end
      end
    elseif e.kind == "response" then
      responses = responses + 1
      if committed < responses then wrong[#wrong + 1] = "response without a committed message" end
      for folder in pairs(unsynced) do wrong[#wrong + 1] = "response before its folder was synced: " .. folder end
    end
  end
  return wrong, responses
end

return M
