-- SPDX-License-Identifier: MIT
--- dicom serve: runs a router until it is told to stop.
local cli = require "dicom.cli"

local M = { summary = "run a router: a Lua file that returns dicom.router{...}" }

function M.parser(p)
  p:argument("file", "the Lua file, as examples/gateway.lua")
  p:epilog "All is checked before it starts. Ctrl-C or SIGTERM stops it; what is not delivered stays in its queue."
end

-- A mistake of the file: one line, with the place in the file where nothing else names it.
local function mistake(path)
  return function(e)
    if tostring(e):find(path, 1, true) then return e end
    for line in debug.traceback("", 2):gmatch "[^\n]+" do
      local at = line:find(path .. ":", 1, true)
      if at then return line:sub(at):match "^.-:%d+: " .. tostring(e) end
    end
    return e
  end
end

-- What the file returns.
local function load_router(path)
  local chunk, problem = loadfile(path, "t")
  if not chunk then return nil, problem end
  local ran, router = xpcall(chunk, mistake(path))
  if not ran then return nil, router end
  if type(router) ~= "table" or type(router.start) ~= "function" then
    return nil, path .. " does not return a router: its last line should be return dicom.router{...}"
  end
  return router
end

function M.run(args)
  local router, err = load_router(args.file)
  if not router then return cli.fail("serve", err) end
  local ok
  ok, err = router:start()
  if not ok then return cli.fail("serve", err) end
  print(("%s listens at port %d"):format(router.options.aet, router.port))
  io.stdout:flush()
  ok, err = require "dicom".run { signals = true }
  router:stop()
  return ok and 0 or cli.fail("serve", err)
end

return M
