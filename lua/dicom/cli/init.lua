-- SPDX-License-Identifier: MIT
--- The command line: `dicom COMMAND ...`. One file per command beside this one, loaded when it is asked for, so that
--- `dicom dump` pays for dumping only.

---@class dicom.cli.Command
---@field summary string              one line, for people
---@field parser fun(p: table)        adds arguments and options to an argparse parser
---@field run fun(args: table): integer  exit code: 0 done, 1 failed, 2 misused

local M = {}

--- Commands in the order in which help lists them. Each is the module dicom.cli.<name>.
M.commands = { "dump", "json", "xml", "validate", "dicomdir", "anonymize", "echo", "send", "receive", "serve", "queue" }

local HEAD = [[
dicom - read, change, send, receive and route DICOM images

Usage: dicom COMMAND [...]      dicom COMMAND --help tells all about one

]]
local TAIL = [[

A port is a number, an AE title 1 to 16 characters; HOST is a name or an address.
dicom --version prints the versions of this program and of the libraries that it uses.
]]

local function command(name)
  for _, known in ipairs(M.commands) do
    if known == name then return require("dicom.cli." .. name) end
  end
end

local function help()
  local t = { HEAD }
  for _, name in ipairs(M.commands) do t[#t + 1] = ("  %-10s %s\n"):format(name, command(name).summary) end
  t[#t + 1] = TAIL
  io.write(table.concat(t))
  return 0
end

local function version()
  local v = require "dicom.versions"()
  local names = { zlib = "zlib", libuv = "libuv", openssl = "OpenSSL", openjpeg = "OpenJPEG", lua = "Lua" }
  local rest = {}
  for library, number in pairs(v) do
    if library ~= "dicom" then rest[#rest + 1] = ("%s %s"):format(names[library] or library, number) end
  end
  table.sort(rest, function(a, b) return a:lower() < b:lower() end)
  io.write(("dicom %s\n%s\n"):format(v.dicom, table.concat(rest, "\n")))
  return 0
end

local function misuse(text)
  io.stderr:write("dicom: ", text, "; try dicom --help\n")
  return 2
end

-- A known failure is one line; anything else is a bug of ours and shows where.
local function on_error(e)
  if require "dicom.error".is(e) then return tostring(e) end
  return debug.traceback(tostring(e), 2)
end

local function run(name, c, rest)
  local p = require "argparse"("dicom " .. name, c.summary)
  c.parser(p)
  local ok, args = p:pparse(rest)
  if not ok then
    return M.misuse(name, (args:gsub("\nDid", ", did")))
  end
  local done, code = xpcall(c.run, on_error, args)
  if done then return code end
  io.stderr:write(("dicom %s: %s\n"):format(name, code))
  return 1
end

--- Runs one command line.
---@param argv string[]
---@return integer code for os.exit
function M.main(argv)
  local name = argv[1]
  if name == "--version" or name == "-V" then return version() end
  if not name then return misuse "a command is missing" end
  if name == "--help" or name == "-h" or name == "help" and not argv[2] then return help() end
  if name == "help" then name, argv = argv[2], { argv[2], "--help" } end
  local c = command(name)
  if not c then return misuse(("there is no command %q"):format(name)) end
  return run(name, c, table.move(argv, 2, #argv, 1, {}))
end

--- One line on standard error; the exit code of a command that was misused.
---@param name string of the command
---@param text string
---@return integer
function M.misuse(name, text)
  io.stderr:write(("dicom %s: %s; try dicom %s --help\n"):format(name, text, name))
  return 2
end

--- What is wrong, without the path that the line names already.
---@param path string
---@param err any
---@return string
function M.reason(path, err)
  local text = tostring(err)
  return text:sub(1, #path + 2) == path .. ": " and text:sub(#path + 3) or text
end

--- One line on standard error; the exit code of a command that failed.
---@param name string of the command
---@param err any
---@return integer
function M.fail(name, err)
  io.stderr:write(("dicom %s: %s\n"):format(name, tostring(err)))
  return 1
end

local function port_from(least)
  return function(s)
    local n = math.tointeger(tonumber(s))
    if n and n >= least and n <= 65535 then return n end
    return nil, ("%q is not a port: a number from %d to 65535"):format(s, least)
  end
end

--- Converts and checks a port, for argparse: of a peer; to listen at, where 0 picks a free one.
M.port, M.own_port = port_from(1), port_from(0)

--- Checks an AE title, for argparse.
---@param s string
---@return string?, string?
function M.aet(s)
  if require "dicom.core".ae_valid(s) then return s end
  return nil, ("%q is not an AE title: 1 to 16 characters of ASCII, no backslash, not only spaces"):format(s)
end

return M
