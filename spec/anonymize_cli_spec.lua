-- SPDX-License-Identifier: MIT
-- dicom anonymize: files and folders; nothing of the input's names, nothing overwritten, nothing half written.
local dicom = require "dicom"
local part10 = require "spec.support.part10"
local pseudonym = require "dicom.deid.pseudonym"
local sh = require "spec.support.sh"

local KEY = "0123456789abcdef"
local mapping = pseudonym.new(KEY)

local function instance(uid, more)
  local list = { { 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2" }, { 0x00080018, "UI", uid },
                 { 0x00080060, "CS", "CT" }, { 0x00100010, "PN", "DOE^JANE" }, { 0x00100020, "LO", "4MR1" },
                 { 0x0020000D, "UI", "1.2.9" } }
  for _, e in ipairs(more or {}) do list[#list + 1] = e end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return part10.file(list)
end

local burned = { { 0x00280301, "CS", "YES" }, { 0x7FE00010, "OW", "ABCD" } }

describe("dicom anonymize", function()
  local folder, key

  before_each(function()
    folder = sh.folder()
    key = sh.write(folder .. "/key", KEY .. "\n")
    assert(os.execute("chmod 600 " .. key))
    assert(os.execute(("mkdir -p %s/in/DOE_JANE/series"):format(folder)))
  end)

  local function run(...)
    return sh.run { sh.dicom, "anonymize", "--key-file", key, ... }
  end

  local function files(path)
    return sh.lines(("cd %s && find . -type f | sort"):format(path))
  end

  local function name_of(uid)
    return "./" .. mapping:uid(uid) .. ".dcm"
  end

  it("says where it could not write, and that a folder has nothing to read", function()
    local path = sh.write(folder .. "/a.dcm", instance "1.2.3.1")
    local to = folder .. "/none/b.dcm"
    assert.matches(("%s: %s: create: No such"):format(path, to):gsub("%-", "%%-"), run(path, to).err)
    local r = run(folder .. "/in", folder .. "/out")
    assert.equal(("dicom anonymize: %s/in: no DICOM files are in this folder\n"):format(folder), r.err)
    assert.same({}, sh.lines("ls -d " .. folder .. "/out 2>/dev/null"))
  end)

  it("tells that a file had faults, as one that is cut off", function()
    local whole = instance("1.2.3.1", { { 0x7FE00010, "OW", ("AB"):rep(100) } })
    local r = run(sh.write(folder .. "/cut.dcm", whole:sub(1, -51)), folder .. "/out.dcm")
    assert.same({ 0, "1 written (1 of files with faults: dicom dump tells them), 0 failed\n", "" },
      { r.code, r.out, r.err })
    assert.equal("1 written, 0 failed\n", run(sh.write(folder .. "/whole.dcm", whole), folder .. "/w.dcm").out)
  end)

  it("writes a folder's files under their new UIDs", function()
    sh.write(folder .. "/in/DOE_JANE/a.dcm", instance "1.2.3.1")
    sh.write(folder .. "/in/DOE_JANE/series/b", instance "1.2.3.2")
    sh.write(folder .. "/in/notes.txt", "Jane is well")
    local r = run(folder .. "/in", folder .. "/out")
    assert.same({ 0, "2 written, 0 failed, 1 left out: not DICOM\n", "" }, { r.code, r.out, r.err })
    local expected = { name_of "1.2.3.1", name_of "1.2.3.2" }
    table.sort(expected)
    assert.same(expected, files(folder .. "/out"))
    local ds = assert(dicom.open(folder .. "/out/" .. name_of "1.2.3.2"))
    assert.equal("P5860D8CD6AD55BBCE82B", ds.PatientID)
    assert.is_nil(sh.read(folder .. "/out/" .. name_of "1.2.3.2"):find("DOE", 1, true))
  end)

  it("writes one file to the name given, or into a folder that is there", function()
    local input = sh.write(folder .. "/in/a.dcm", instance "1.2.3.1")
    assert.equal(0, run(input, folder .. "/new.dcm").code)
    assert.equal("P5860D8CD6AD55BBCE82B", assert(dicom.open(folder .. "/new.dcm")).PatientID)
    assert(os.execute("mkdir " .. folder .. "/there"))
    assert.equal(0, run(input, folder .. "/there").code)
    assert.same({ name_of "1.2.3.1" }, files(folder .. "/there"))
  end)

  it("never overwrites", function()
    local input = sh.write(folder .. "/in/a.dcm", instance "1.2.3.1")
    sh.write(folder .. "/new.dcm", "precious")
    local r = run(input, folder .. "/new.dcm")
    assert.equal(1, r.code)
    assert.matches("exists already", r.err)
    assert.equal("precious", sh.read(folder .. "/new.dcm"))
    sh.write(folder .. "/in/copy.dcm", instance "1.2.3.1")
    r = run(folder .. "/in", folder .. "/out")
    assert.equal(1, r.code)
    assert.equal("1 written, 1 failed\n", r.out)
    assert.equal(1, #files(folder .. "/out"))
  end)

  it("lists what failed by its input, goes on, and leaves no part of it", function()
    sh.write(folder .. "/in/a.dcm", instance "1.2.3.1")
    sh.write(folder .. "/in/b.dcm", instance("1.2.3.2", burned))
    sh.write(folder .. "/in/c.dcm", ("\0"):rep(128) .. "DICM" .. ("\xff"):rep(40))
    sh.write(folder .. "/in/d.dcm", instance "1.2.3.4")
    local r = run(folder .. "/in", folder .. "/out")
    assert.equal(1, r.code)
    assert.equal("2 written, 2 failed\n", r.out)
    assert.matches("in/b.dcm: refused to de%-identify: Burned In Annotation is YES", r.err)
    assert.matches("in/c.dcm: ", r.err)
    assert.equal(2, select(2, r.err:gsub("\n", "")))
    assert.equal(2, #files(folder .. "/out"))
  end)

  it("takes the pixels option", function()
    local input = sh.write(folder .. "/in/b.dcm", instance("1.2.3.2", burned))
    assert.equal(0, run("--pixels", "trust", input, folder .. "/trusted.dcm").code)
    assert.equal("ABCD", assert(dicom.open(folder .. "/trusted.dcm")):raw "PixelData")
    assert.equal(0, run("--pixels", "blank", input, folder .. "/blank.dcm").code)
    assert.equal("\0\0\0\0", assert(dicom.open(folder .. "/blank.dcm")):raw "PixelData")
    assert.equal(2, run("--pixels", "guess", input, folder .. "/x.dcm").code)
  end)

  it("refuses a key that others can read, that is short, missing or not given", function()
    local input = sh.write(folder .. "/in/a.dcm", instance "1.2.3.1")
    local function refused(pattern, ...)
      local r = sh.run { sh.dicom, "anonymize", ... }
      assert.is_true(r.code ~= 0)
      assert.matches(pattern, r.err)
      assert.is_nil(sh.read(folder .. "/x.dcm"))
    end
    refused("%-%-key%-file is missing", input, folder .. "/x.dcm")
    refused("No such file", "--key-file", folder .. "/none", input, folder .. "/x.dcm")
    for _, mode in ipairs { "640", "604", "620", "602" } do
      assert(os.execute(("chmod %s %s"):format(mode, key)))
      refused("chmod 600", "--key-file", key, input, folder .. "/x.dcm")
    end
    sh.write(key, "0123456789abcde\n")
    assert(os.execute("chmod 600 " .. key))
    refused("at least 16 bytes", "--key-file", key, input, folder .. "/x.dcm")
  end)

  if sh.lines "id -u"[1] == "0" then -- only root can give a file away
    it("refuses another user's key", function()
      assert(os.execute("chown 65534 " .. key))
      local r = run(sh.write(folder .. "/in/a.dcm", instance "1.2.3.1"), folder .. "/x.dcm")
      assert.equal(1, r.code)
      assert.matches("another user", r.err)
    end)
  end

  it("says what is wrong with its paths", function()
    assert.matches("No such file", run(folder .. "/none", folder .. "/out").err)
    sh.write(folder .. "/in/a.dcm", instance "1.2.3.1")
    sh.write(folder .. "/file", "x")
    local r = run(folder .. "/in", folder .. "/file")
    assert.equal(1, r.code)
    assert.matches("a folder is needed", r.err)
  end)
end)
