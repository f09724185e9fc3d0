-- SPDX-License-Identifier: MIT
-- The rock is what the rockspec says, and installs into an empty tree.
local need = require "spec.support.need"
local rock = require "spec.support.rock"
local sh = require "spec.support.sh"

-- Files of the project: known to git, or about to be.
local function project_files()
  local t = {}
  for _, path in ipairs(sh.lines "git ls-files --cached --others --exclude-standard") do
    if sh.read(path) then t[#t + 1] = path end
  end
  return t
end

local function on_disk(pattern)
  local t = {}
  for _, path in ipairs(project_files()) do
    if path:find(pattern) then t[#t + 1] = path end
  end
  table.sort(t)
  return t
end

local function sorted_keys(set)
  local t = {}
  for k in pairs(set) do t[#t + 1] = k end
  table.sort(t)
  return t
end

-- What one list has and the other has not: a whole list would hide the one name that matters.
local function differences(disk, listed)
  local there, t = {}, {}
  for _, path in ipairs(disk) do
    there[path] = true
    if not listed[path] then t[#t + 1] = path .. " is not in the rockspec" end
  end
  for path in pairs(listed) do
    if not there[path] then t[#t + 1] = path .. " is not on disk" end
  end
  table.sort(t)
  return t
end

describe("the rockspec", function()
  local build = rock.read().build

  it("lists exactly the C files on disk", function()
    local listed = {}
    for _, module in pairs(build.modules) do
      for _, source in ipairs(type(module) == "table" and module.sources or {}) do listed[source] = true end
    end
    assert.same({}, differences(on_disk "^csrc/.*%.c$", listed))
  end)

  it("lists exactly the Lua files on disk, by their module names", function()
    local listed = {}
    for name, module in pairs(build.modules) do
      if type(module) == "string" then
        listed[module] = true
        local path = "lua/" .. name:gsub("%.", "/")
        assert(module == path .. ".lua" or module == path .. "/init.lua", name .. " is not " .. module)
      end
    end
    for _, script in pairs(build.install and build.install.bin or {}) do listed[script] = true end
    assert.same({}, differences(on_disk "^lua/.*%.lua$", listed))
  end)

  it("names modules that load, each alone", function()
    for name in pairs(build.modules) do
      local r = sh.lua { "-e", ("assert(require %q)"):format(name) }
      assert.same({ name, 0, "" }, { name, r.code, r.err })
    end
  end)
end)

describe("the tree", function()
  it("has the planned entries at its top and nothing beside them", function()
    local top = {}
    for _, path in ipairs(project_files()) do top[path:match "^[^/]+"] = true end
    local planned = { ".busted", ".ci", ".gitignore", ".luacheckrc", "CHANGELOG.md", "LICENSE", "Makefile", "README.md",
      "csrc", "examples", "lua", "rockspec", "spec" }
    assert.same(planned, sorted_keys(top))
  end)

  it("says its licence in the first lines of every source file", function()
    for _, path in ipairs(on_disk "%.[chl][ua]*$") do
      local first = sh.read(path):match "^[^\n]*\n?[^\n]*"
      assert(first:find("SPDX-License-Identifier: MIT", 1, true), path .. " has no SPDX line")
    end
  end)

  it("has no source file above 600 lines but generated ones", function()
    for _, path in ipairs(on_disk "%.[chl][ua]*$") do
      local _, lines = sh.read(path):gsub("\n", "")
      assert(lines <= 600 or path:find "/gen/", ("%s has %d lines"):format(path, lines))
    end
  end)
end)

describe("installing", function()
  -- What a user has: the project's files and nothing built.
  local function copy()
    local folder = sh.folder()
    local list = sh.write(folder .. "/list", table.concat(project_files(), "\0"))
    assert(os.execute(("mkdir %s/src && xargs -0 cp --parents -t %s/src <%s"):format(folder, folder, list)))
    return folder .. "/src", folder .. "/tree"
  end

  local function check(tree, share, lib)
    local r = sh.run({ "lua5.4", "-e", 'local d = require "dicom" print(type(d.open))' }, { env = {
      LUA_PATH = share .. "/?.lua;" .. share .. "/?/init.lua;/usr/share/lua/5.4/?.lua", LUA_CPATH = lib .. "/?.so" } })
    assert.same({ 0, "function\n", "" }, { r.code, r.out, r.err })
    r = sh.run({ tree .. "/bin/dicom", "--version" }, { folder = "/" })
    assert.same({ 0, "" }, { r.code, r.err })
    assert.matches("^dicom %d", r.out)
    assert.matches("OpenJPEG %d", r.out)
  end

  it("by LuaRocks fills an empty tree", function()
    need.peer "luarocks"
    need.release_build()
    local source, tree = copy()
    local r = sh.run({ "luarocks", "--lua-version", "5.4", "make", "--deps-mode", "none", "--tree", tree },
      { folder = source, timeout = 300 })
    assert.equal(0, r.code, r.out .. r.err)
    check(tree, tree .. "/share/lua/5.4", tree .. "/lib/lua/5.4")
  end)

  it("by make fills a prefix", function()
    need.release_build()
    local tree = sh.folder()
    local r = sh.run({ "make", "install", "PREFIX=" .. tree }, { timeout = 300 })
    assert.equal(0, r.code, r.out .. r.err)
    check(tree, tree .. "/share/lua/5.4", tree .. "/lib/lua/5.4")
  end)
end)
