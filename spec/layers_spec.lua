-- SPDX-License-Identifier: MIT
-- The order of the layers, read from #include and require lines: who may know whom.
local sh = require "spec.support.sh"

local C_LAYERS = { "base", "crypt", "codec", "gen", "data", "pixel", "wire", "io", "bind" }

-- A module may require modules on lines before its own, and on its own line those to its left or in its own folder.
-- The command line comes last: it uses the public face, as any program does.
local LUA_LAYERS = [[
  error check log versions uid status name date private dump model diff dataset json xml
  task file dicomdir
  association
  service
  peer listener
  queue secret deid rule
  router workers archive
  init
  cli
]]

local c_rank, lua_rank = {}, {}
for i, name in ipairs(C_LAYERS) do c_rank[name] = i end
do
  local i = 0
  for name in LUA_LAYERS:gmatch "%S+" do
    i = i + 1
    lua_rank[name] = i
  end
end

local function files(folder, suffixes)
  return sh.lines(("find %s -type f -regex '.*\\.\\(%s\\)' | sort"):format(folder, suffixes))
end

-- Source without comments and string contents.
local function c_code(path)
  local s = sh.read(path):gsub("/%*.-%*/", " ")
  return (s:gsub('"[^"\n]*"', '""'))
end

local function c_folder(path)
  return path:match "^csrc/([^/]+)/"
end

local function rank_of(path)
  return c_rank[c_folder(path)] or error(path .. " is in no layer")
end

-- Calls of functions named in `names`, as "file calls name".
local function calls(path, names)
  local found, code = {}, c_code(path)
  for name in names:gmatch "%S+" do
    if code:find("%f[%w_]" .. name .. "%s*%(") then found[#found + 1] = path .. " calls " .. name end
  end
  return found
end

local function gather(paths, f)
  local all = {}
  for _, path in ipairs(paths) do
    local found = f(path)
    table.move(found, 1, #found, #all + 1, all)
  end
  return all
end

describe("C layers", function()
  local sources = files("csrc", "c\\|h")

  it("are all there is in csrc", function()
    for _, path in ipairs(sources) do rank_of(path) end
    assert.is_true(#sources > 0)
  end)

  it("include headers of their own folder or of folders before it", function()
    assert.same({}, gather(sources, function(path)
      local bad = {}
      for include in sh.read(path):gmatch '#%s*include%s*"([^"]+)"' do
        local folder = include:match "^%.%./([^/]+)/[^/]+$" or not include:find "/" and c_folder(path)
        if not folder or not c_rank[folder] or c_rank[folder] > rank_of(path) then
          bad[#bad + 1] = path .. " includes " .. include
        end
      end
      return bad
    end))
  end)

  it("keep uv.h to io and Lua's headers to bind", function()
    local home = { ["uv.h"] = "io", ["lua.h"] = "bind", ["lauxlib.h"] = "bind", ["lualib.h"] = "bind" }
    assert.same({}, gather(sources, function(path)
      local bad = {}
      for include in sh.read(path):gmatch "#%s*include%s*<([^>]+)>" do
        if home[include] and home[include] ~= c_folder(path) then bad[#bad + 1] = path .. " includes " .. include end
      end
      return bad
    end))
  end)

  it("never call Lua but from the sandbox", function()
    assert.same({}, gather(sources, function(path)
      if path == "csrc/bind/sandbox.c" then return {} end
      return calls(path, "lua_pcall lua_pcallk lua_call lua_callk luaL_dostring luaL_dofile lua_resume")
    end))
  end)

  it("read no file, clock, environment or randomness left of io", function()
    assert.same({}, gather(sources, function(path)
      if rank_of(path) >= c_rank.io then return {} end
      return calls(path, "open openat fopen fdopen read pread write pwrite mmap stat fstat socket connect send recv "
        .. "getenv secure_getenv setlocale time clock clock_gettime gettimeofday localtime gmtime rand random "
        .. "getrandom printf fprintf puts exit abort")
    end))
  end)

  it("hold no mutable static left of bind", function()
    local found, objects = {}, 0
    for _, path in ipairs(files(sh.build .. "/obj/csrc", "o")) do
      local folder = path:match "/obj/csrc/([^/]+)/"
      if c_rank[folder] and c_rank[folder] < c_rank.bind then
        objects = objects + 1
        for _, line in ipairs(sh.lines("nm -f sysv --defined-only " .. path)) do
          local name, section = line:match "^(%S+)%s*|.*|%s*([.*]%S+)%s*$"
          if name and not name:find "^__" and (section:find "^%.data$" or section:find "^%.bss" or section == "*COM*"
              or section:find "^%.data%.[^r]") then
            found[#found + 1] = path .. " has " .. name .. " in " .. section
          end
        end
      end
    end
    assert.is_true(objects > 0)
    assert.same({}, found)
  end)
end)

describe("Lua layers", function()
  local sources = files("lua", "lua")

  local function layer(module)
    if module == "dicom" then return "init" end
    return module:match "^dicom%.([^.]+)"
  end

  local function module_of(path)
    return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
  end

  it("know every module", function()
    for _, path in ipairs(sources) do
      local name = layer(module_of(path))
      assert(lua_rank[name] or name == "gen", path .. " has no place in the order of spec/layers_spec.lua")
    end
  end)

  it("require modules before them", function()
    local private = { core = true, codec = true, tls = true, gen = true }
    assert.same({}, gather(sources, function(path)
      local bad, own = {}, layer(module_of(path))
      for module in sh.read(path):gmatch "require%s*%(?%s*[\"'](dicom[%w_.]*)[\"']" do
        local other = layer(module)
        if not private[other] and other ~= own and (lua_rank[other] or math.huge) > (lua_rank[own] or 0) then
          bad[#bad + 1] = path .. " requires " .. module
        end
      end
      return bad
    end))
  end)
end)
