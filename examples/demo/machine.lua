-- SPDX-License-Identifier: MIT
-- The demo's view of the machine: folders, programs, DCMTK. Plain Lua and sh.
local dicom = require "dicom"

local M = {}

local function capture(command)
  local p = assert(io.popen(command .. " 2>&1"))
  local out = p:read "a"
  local ok = p:close()
  return ok, out
end

local function must(command)
  local ok, out = capture(command)
  if not ok then error("this failed: " .. command .. "\n" .. out, 0) end
  return out
end

local function read(path)
  local f = io.open(path, "rb")
  if not f then return "" end
  local s = f:read "a"
  f:close()
  return s
end

--- A function that gives the seconds since it was made.
---@return fun(): number
function M.clock()
  local function now() return tonumber((read "/proc/uptime":match "%S+")) end
  local start = now()
  return function() return now() - start end
end

local Folder = { __close = function(f) os.execute("rm -rf '" .. f.path .. "'") end }
Folder.__concat = function(f, s) return f.path .. s end
Folder.__tostring = function(f) return f.path end

--- A temporary folder, removed when it goes out of scope.
function M.folder()
  return setmetatable({ path = must("mktemp -d /tmp/dicom-demo.XXXXXX"):match "%S+" }, Folder)
end

function M.make_folders(folder, ...)
  for _, name in ipairs { ... } do must("mkdir " .. folder .. "/" .. name) end
end

--- Compresses the MR images with DCMTK: the second transfer syntax of images.
function M.compress_mr(_, sent)
  for _, instance in ipairs(sent) do
    if instance.modality == "MR" then must(("dcmcrle %s %s"):format(instance.path, instance.path)) end
  end
end

local function try(seconds, f)
  local clock = M.clock()
  repeat
    local v = f()
    if v then return v end
    os.execute "sleep 0.02"
  until clock() > seconds
end

local Program = {}

-- Asks it to end; insists after two seconds.
function Program:__close()
  os.execute(("kill %d 2>/dev/null"):format(self.pid))
  local function ended() return read(("/proc/%d/cmdline"):format(self.pid)) == "" end
  if not try(2, ended) then os.execute(("kill -9 %d 2>/dev/null"):format(self.pid)) end
end

local function start(folder, name, command)
  local log = folder .. "/" .. name .. ".log"
  local pid = must(("(%s) >%s 2>&1 </dev/null & echo $!"):format("exec " .. command, log)):match "%d+"
  local port = try(10, function() return read(log):match "listens at port (%d+)" end)
  if not port then error(name .. " did not start:\n" .. read(log), 0) end
  return setmetatable({ name = name, pid = pid, port = tonumber(port) }, Program)
end

--- An archive: keeps what arrives in a folder.
function M.receive(folder, aet, name)
  return start(folder, aet, ("build/bin/dicom receive --aet %s --port 0 %s/%s"):format(aet, folder, name))
end

--- The router of examples/gateway.lua, told of its neighbours by the environment.
function M.serve(folder, ports)
  local key = must "od -An -tx1 -N32 /dev/urandom":gsub("%s", "")
  local command = { "env ROUTER_PORT=0 DICOM_SECRET_RESEARCH=" .. key, "ROUTER_QUEUE=" .. folder .. "/queue" }
  for name, port in pairs(ports) do command[#command + 1] = ("%s=127.0.0.1:%d"):format(name, port) end
  command[#command + 1] = "build/bin/dicom serve examples/gateway.lua"
  return start(folder, "ROUTER", table.concat(command, " "))
end

-- What storescu must propose so that it sends a file as it is.
local PROPOSE = { CT = "-xe", US = "-xe", MR = "-xr", SR = "-xi" }

--- DCMTK's storescu, once for each transfer syntax.
function M.storescu(port, sent)
  local files = {}
  for _, instance in ipairs(sent) do
    local option = PROPOSE[instance.modality]
    files[option] = (files[option] or "") .. " " .. instance.path
  end
  for option, paths in pairs(files) do
    must(("TCP_NODELAY=1 storescu %s -aet SCANNER3 -aec ROUTER 127.0.0.1 %d%s"):format(option, port, paths))
  end
end

--- The data sets in a folder, once there are as many as expected.
---@return dicom.Dataset[]
function M.arrivals(folder, count)
  local function paths()
    local t = {}
    for path in must("find " .. folder .. " -type f -name '*.dcm' | sort"):gmatch "%S+" do t[#t + 1] = path end
    return t
  end
  try(20, function() return #paths() >= count end)
  local list = {}
  for i, path in ipairs(paths()) do list[i] = assert(dicom.open(path)) end
  return list
end

--- The bytes of a file after its file meta: the data set as it was sent. Read by hand, so that the claim does not rest
--- on the library (PS3.10 7.1: preamble, DICM, group length element, group 0002).
function M.data_set_bytes(path)
  local bytes = read(path)
  local meta = ("<I4"):unpack(bytes, 141)
  return bytes:sub(145 + meta)
end

--- What `dicom queue` says of the router's queue.
function M.queue(folder)
  local _, out = capture("build/bin/dicom queue " .. folder .. "/queue")
  return out
end

return M
