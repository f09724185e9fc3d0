-- SPDX-License-Identifier: MIT
local dicom = require "dicom"
local file = require "dicom.file"
local need = require "spec.support.need"
local task = require "dicom.task"

local folder

local function trace(text, options)
  need.peer "strace"
  local script = folder .. "/script.lua"
  assert(file.write(script, "local file = require 'dicom.file' local folder = ...\n" .. text))
  local out = folder .. "/trace"
  local paths = "LD_PRELOAD= LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='build/?.so;;'"
  local command = ("%s strace -f -y -qq -o %s %s lua5.4 %s %s"):format(
    paths, out, options or "-e trace=fsync,rename,write,renameat", script, folder)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local printed = pipe:read "a"
  pipe:close()
  return assert(file.read(out)), printed
end

describe("file", function()
  before_each(function()
    folder = "/tmp/dicom-file-" .. file.random(8)
    assert(file.make_folder(folder))
  end)
  after_each(function() os.execute("rm -rf " .. folder) end)

  it("writes, appends, reads and removes, empty files and NUL bytes too", function()
    local path = folder .. "/a"
    assert.is_true(file.write(path, "one\0"))
    assert.is_true(file.append(path, "two", { sync = true }))
    assert.equal("one\0two", file.read(path))
    assert.is_true(file.write(path, "", { durable = true }))
    assert.equal("", file.read(path))
    assert.equal(384, file.stat(path).mode) -- 0600
    assert.is_true(file.remove(path))
    local ok, err = file.remove(path)
    assert.is_nil(ok)
    assert.is_true(err.missing)
    assert.equal("system", err.code)
    assert.matches("No such file", tostring(err))
    assert.same({}, (file.list(folder)))
  end)

  it("reads files larger than one step", function()
    local text = ("0123456789abcdef"):rep(20000)
    assert(file.write(folder .. "/big", text))
    assert.equal(text, file.read(folder .. "/big"))
    assert.equal(#text, file.stat(folder .. "/big").size)
  end)

  it("lists names sorted, with their types", function()
    for _, name in ipairs { "b", "a", "c d" } do assert(file.write(folder .. "/" .. name, name)) end
    assert(file.make_folder(folder .. "/z/y/x"))
    assert(file.make_folder(folder .. "/z"))
    local names, types = file.list(folder)
    assert.same({ "a", "b", "c d", "z" }, names)
    assert.same({ a = "file", b = "file", ["c d"] = "file", z = "folder" }, types)
    assert.equal("folder", file.stat(folder .. "/z/y/x").type)
    assert.is_nil(file.make_folder(folder .. "/a/b"))
    assert.is_nil(file.make_folder(folder .. "/a"))
    assert.is_nil(file.list(folder .. "/none"))
  end)

  it("write leaves no temporary file when it fails", function()
    assert(file.make_folder(folder .. "/sub/inner"))
    assert.is_nil(file.write(folder .. "/sub", "text"))
    assert.same({ "sub" }, (file.list(folder)))
  end)

  it("commit puts a file under another name, in another folder", function()
    assert(file.make_folder(folder .. "/in"))
    assert(file.make_folder(folder .. "/out"))
    assert(file.write(folder .. "/in/a", "text"))
    assert.is_true(file.commit(folder .. "/in/a", folder .. "/out/b"))
    assert.equal("text", file.read(folder .. "/out/b"))
    assert.same({}, (file.list(folder .. "/in")))
    local ok, err = file.commit(folder .. "/in/a", folder .. "/out/b")
    assert.is_nil(ok)
    assert.is_true(err.missing)
    assert.equal(2, err.errno)
  end)

  it("a lock is held once, until it is closed", function()
    local path = folder .. "/lock"
    local lock = assert(file.lock(path))
    local none, err = file.lock(path)
    assert.is_nil(none)
    assert.equal("locked", err.code)
    lock:close()
    lock:close()
    assert(file.lock(path)):close()
  end)

  it("says 'no space' when the disk is full", function()
    local ok, err = file.append("/dev/full", "x")
    assert.is_nil(ok)
    assert.equal("no space", err.code)
  end)

  it("refuses what is no path", function()
    assert.has_error(function() file.read "" end)
    assert.has_error(function() file.read "a\0b" end)
    assert.has_error(function() file.random(0) end)
  end)

  it("random gives what was asked for, never twice the same", function()
    assert.equal(32, #file.random(16))
    assert.matches("^%x+$", file.random(16))
    assert.not_equal(file.random(16), file.random(16))
  end)

  it("operations of many tasks run side by side", function()
    local tasks = {}
    for i = 1, 50 do
      tasks[i] = dicom.task(function() return file.write(folder .. "/" .. i, tostring(i), { durable = true }) end)
    end
    for i = 1, 50 do assert.is_true(tasks[i]:await()) end
    assert.equal(50, #file.list(folder))
  end)

  it("a cancelled task leaves its operation to end by itself", function()
    local t = dicom.task(function() return file.write(folder .. "/a", "text", { durable = true }) end)
    dicom.task(function() t:cancel() end)
    pcall(t.await, t)
    collectgarbage()
    dicom.sleep(0.05)
    assert.equal("text", file.read(folder .. "/a"))
    local _, operations = task.census()
    assert.equal(0, operations)
  end)

  it("commit syncs the file, renames, syncs the folder renamed into, then the other", function()
    local log = trace [[
      assert(file.make_folder(folder .. "/in")) assert(file.make_folder(folder .. "/out"))
      assert(file.write(folder .. "/in/a", "text"))
      assert(file.commit(folder .. "/in/a", folder .. "/out/b"))]]
    local calls = {}
    for line in log:gmatch "[^\n]+" do
      local call = line:match "(fsync%b())" or line:match "(rename%b())"
      if call and not call:find "%.tmp" then
        calls[#calls + 1] = call:gsub(folder:gsub("%-", "%%-"), ""):gsub("%d+<", "<")
      end
    end
    assert.same({ "fsync(</in/a>)", 'rename("/in/a", "/out/b")', "fsync(</out>)", "fsync(</in>)" }, calls)
  end)

  for nth, where in ipairs { "of the file", "of the folder renamed into", "of the folder it left" } do
    it("commit fails when the sync " .. where .. " fails", function()
      local _, printed = trace([[
        assert(file.make_folder(folder .. "/in")) assert(file.make_folder(folder .. "/out"))
        assert(file.write(folder .. "/in/a", "text"))
        local ok, err = file.commit(folder .. "/in/a", folder .. "/out/b")
        print(ok, err and err.errno)]], "-e trace=fsync -e inject=fsync:error=EIO:when=" .. nth)
      assert.equal("nil\t5\n", printed)
    end)
  end

  it("a durable write syncs the file before its rename, and the folder after", function()
    local log = trace [[assert(file.write(folder .. "/a", "text", { durable = true }))]]
    assert.matches("fsync%b().*rename%b().*fsync%b()", log)
    local _, printed = trace([[print(file.write(folder .. "/a", "text", { durable = true }))]],
      "-e trace=fsync -e inject=fsync:error=ENOSPC:when=2")
    assert.matches("^nil", printed)
  end)

  it("append with sync fails when the sync fails", function()
    local _, printed = trace([[print(file.append(folder .. "/a", "text", { sync = true }))]],
      "-e trace=fsync -e inject=fsync:error=EIO")
    assert.matches("^nil", printed)
  end)
end)
