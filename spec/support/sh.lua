-- SPDX-License-Identifier: MIT
-- Processes, temporary folders and ports for specs. Everything started or made here is gone when the spec file is.
--
-- ASan is preloaded into the Lua that runs the specs and into our own programs (build-asan/bin/dicom, sh.lua),
-- never into foreign ones: they were not built for it.
local system = require "system"

local M = {}

M.build = os.getenv "DICOM_BUILD" or "build"

--- The command line under test.
M.dicom = M.build .. "/bin/dicom"

local processes, folders, ports = {}, {}, {}

---@param s string
---@return string # quoted for sh
function M.quote(s)
  return "'" .. tostring(s):gsub("'", "'\\''") .. "'"
end

---@param seconds number
function M.sleep(seconds)
  system.sleep(seconds)
end

--- Seconds of a clock that only goes forward.
---@return number
function M.now()
  return system.monotime()
end

--- The whole of a file, or nil.
---@param path string
---@return string?
function M.read(path)
  local f = io.open(path, "rb")
  if not f then return nil end
  local s = f:read "a"
  f:close()
  return s
end

---@param path string
---@param bytes string
---@return string path
function M.write(path, bytes)
  local f <close> = assert(io.open(path, "wb"))
  assert(f:write(bytes))
  return path
end

--- Lines that a shell command prints.
---@param command string
---@return string[]
function M.lines(command)
  local t = {}
  local p = assert(io.popen(command))
  for line in p:lines() do t[#t + 1] = line end
  p:close()
  return t
end

--- A new empty folder, removed at the end.
---@return string path without a slash at its end
function M.folder()
  local path = M.lines("mktemp -d /tmp/dicom-spec.XXXXXX")[1]
  folders[#folders + 1] = path
  return path
end

--- True when a program of this name is on the PATH.
---@param program string
---@return boolean
function M.has(program)
  return os.execute("command -v " .. M.quote(program) .. " >/dev/null 2>&1") == true
end

local function words(argv)
  if type(argv) == "string" then return argv end
  local t = {}
  for i, word in ipairs(argv) do t[i] = M.quote(word) end
  return table.concat(t, " ")
end

-- A Lua program of ours needs the modules of this checkout; with ASan its modules need the library loaded first.
local function ours()
  local t = { "LUA_PATH='lua/?.lua;lua/?/init.lua;;'", ("LUA_CPATH='%s/?.so;;'"):format(M.build) }
  local preload = os.getenv "LD_PRELOAD"
  if preload and preload ~= "" then t[#t + 1] = "LD_PRELOAD=" .. M.quote(preload) end
  return table.concat(t, " ") .. " "
end

-- cd and environment before the command; `set` is put before it as it is.
local function prefix(options, set)
  local t = { "unset LD_PRELOAD; " }
  if options.folder then t[#t + 1] = "cd " .. M.quote(options.folder) .. " && " end
  t[#t + 1] = "exec env "
  for k, v in pairs(options.env or {}) do t[#t + 1] = ("%s=%s "):format(k, M.quote(v)) end
  t[#t + 1] = set or ""
  return table.concat(t)
end

---@class sh.Options
---@field folder? string  working folder
---@field env? table<string, string>
---@field input? string   standard input (default: nothing)
---@field timeout? number seconds; the process is killed then, code 124 (default 60)
---@field set? string     shell words before the command

---@class sh.Result
---@field code integer exit code
---@field out string   standard output
---@field err string   standard error

--- Runs a program to its end.
---@param argv string[]|string a list, or a command for sh
---@param options? sh.Options
---@return sh.Result
function M.run(argv, options)
  options = options or {}
  local folder = M.folder()
  local command = prefix(options, options.set) .. ("timeout -k 5 %g "):format(options.timeout or 60)
    .. (type(argv) == "string" and "sh -c " .. M.quote(argv) or words(argv))
  local input = options.input and M.write(folder .. "/in", options.input) or "/dev/null"
  local _, _, code = os.execute(("(%s) <%s >%s/out 2>%s/err"):format(command, input, folder, folder))
  return { code = code, out = M.read(folder .. "/out"), err = M.read(folder .. "/err") }
end

--- Runs a Lua program of the project (a script and its arguments) with the modules of this checkout.
---@param argv string[]
---@param options? sh.Options
---@return sh.Result
function M.lua(argv, options)
  options = options or {}
  options.set = ours()
  return M.run({ "lua5.4", table.unpack(argv) }, options)
end

---@class sh.Process
---@field pid integer
---@field log string   file with standard output and standard error
local Process = {}
Process.__index = Process

--- Starts a program and goes on. It is killed at the end of the spec file at the latest.
---@param argv string[]
---@param options? sh.Options
---@return sh.Process
function M.spawn(argv, options)
  options = options or {}
  local folder = M.folder()
  local script = ("( (%s %s) </dev/null >%s/log 2>&1 & echo $! >%s/pid; wait $!; echo $? >%s/code ) >/dev/null 2>&1 &")
    :format(prefix(options, (options.set or "") .. " setsid "), words(argv), folder, folder, folder)
  assert(os.execute(script))
  local p = setmetatable({ log = folder .. "/log", folder = folder }, Process)
  assert(M.eventually(function()
    p.pid = tonumber(M.read(folder .. "/pid") or "")
    return p.pid
  end), "process did not start")
  processes[#processes + 1] = p
  return p
end

--- Starts a Lua program of the project.
---@param argv string[]
---@param options? sh.Options
---@return sh.Process
function M.spawn_lua(argv, options)
  options = options or {}
  options.set = ours()
  return M.spawn({ "lua5.4", table.unpack(argv) }, options)
end

--- The exit code, or nil while it runs (128 + n when signal n ended it).
---@return integer?
function Process:code()
  return tonumber(M.read(self.folder .. "/code") or "")
end

---@return boolean
function Process:running()
  return self:code() == nil
end

--- What it has printed so far.
---@return string
function Process:output()
  return M.read(self.log) or ""
end

--- Sends a signal to it and to what it started: a program under strace would outlive strace.
---@param signal? string e.g. "KILL" (default "TERM")
function Process:kill(signal)
  if not self:running() then return end
  local name = signal or "TERM"
  os.execute(("kill -%s -- -%d 2>/dev/null || kill -%s %d 2>/dev/null"):format(name, self.pid, name, self.pid))
end

--- Waits until it ends.
---@param seconds? number default 30
---@return integer? code nil when it is still running
function Process:wait(seconds)
  M.eventually(function() return self:code() end, seconds or 30)
  return self:code()
end

--- Ends it: asks, then insists.
---@return integer? code
function Process:stop()
  self:kill()
  if not self:wait(5) then self:kill "KILL" end
  return self:wait(5)
end

--- Tries until `f` gives something true.
---@generic T
---@param f fun(): T
---@param seconds? number default 10
---@return T? # nil when the time is over
function M.eventually(f, seconds)
  local limit = M.now() + (seconds or 10)
  repeat
    local v = f()
    if v then return v end
    M.sleep(0.01)
  until M.now() > limit
  return f()
end

-- Sockets of this machine: port -> true. state 0A is LISTEN.
local function sockets(state)
  local t = {}
  for _, name in ipairs { "/proc/net/tcp", "/proc/net/tcp6" } do
    for line in (M.read(name) or ""):gmatch "[^\n]+" do
      local port, st = line:match "^%s*%d+: %x+:(%x+) %x+:%x+ (%x+)"
      if port and (not state or st == state) then t[tonumber(port, 16)] = true end
    end
  end
  return t
end

--- A port that nobody uses, below the range that the system gives out itself.
---@return integer
function M.port()
  local used = sockets()
  local port
  repeat port = math.random(20000, 32000) until not used[port] and not ports[port]
  ports[port] = true
  return port
end

--- True while somebody listens at the port. Asks the system, not the port: a connection would disturb a peer.
---@param port integer
---@return boolean
function M.listening(port)
  return sockets("0A")[port] == true
end

--- Waits until somebody listens at the port.
---@param port integer
---@param seconds? number
---@return boolean
function M.wait_port(port, seconds)
  return M.eventually(function() return M.listening(port) end, seconds) == true
end

local function clean()
  for _, p in ipairs(processes) do p:kill "KILL" end
  for _, folder in ipairs(folders) do os.execute("rm -rf " .. M.quote(folder)) end
end

-- busted forgets a module after the spec file that required it: the collector then runs this.
M.guard = setmetatable({}, { __gc = clean })

return M
