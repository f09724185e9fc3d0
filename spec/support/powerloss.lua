-- SPDX-License-Identifier: MIT
--- Power failures for specs: run a process with the environment of `M.environment`, kill it, then `M.recover`.
local M = {}

local function shell(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = "'" .. word:gsub("'", "'\\''") .. "'" end
  assert(os.execute(table.concat(words, " ")), "command failed: " .. table.concat(words, " "))
end

--- Builds the shim into `folder`; returns its path.
function M.build(folder)
  local so = folder .. "/powerloss.so"
  shell("cc", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", so, "spec/support/powerloss.c", "-ldl", "-lpthread")
  return so
end

--- What to put before a command: `env` words. `root` must exist and be an absolute path without links.
function M.environment(so, root, store)
  return ("LD_PRELOAD=%s POWERLOSS_ROOT=%s POWERLOSS_STORE=%s"):format(so, root, store)
end

local function read(path)
  local f = io.open(path, "rb")
  if not f then return nil end
  local s = f:read "a"
  f:close()
  return s
end

local function restore(store, key, to)
  shell("mkdir", "-p", to)
  for kind, child, name in (read(store .. "/" .. key) or ""):gmatch "(%S+) (%S+) ([^\n]+)\n" do
    local path = to .. "/" .. name
    if kind == "folder" then
      restore(store, child, path)
    else -- a name whose bytes were never synced is an empty file
      local f = assert(io.open(path, "wb"))
      f:write(read(store .. "/" .. child) or "")
      f:close()
    end
  end
end

--- Replaces `root` by what the failure left of it, and empties the store.
function M.recover(root, store)
  local key = assert(read(store .. "/root"), "the shim never ran: no root in " .. store)
  shell("rm", "-rf", root)
  restore(store, key, root)
  shell("rm", "-rf", store)
end

return M
