-- SPDX-License-Identifier: MIT
-- DICOMDIRs of other writers read as pydicom reads them; ours read by DCMTK, dicom3tools and pydicom.
local dicom = require "dicom"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local TESTS = "pydicom__pydicom/src/pydicom/data/test_files/dicomdirtests"

-- The files that pydicom finds, one a line, in order of their paths.
local FILESET = [[
import sys, warnings
warnings.simplefilter("ignore")
from pydicom import dcmread
from pydicom.fileset import FileSet
for path in sorted(str(i.path) for i in FileSet(dcmread(sys.argv[1]))):
    print(path)
]]

local function pydicom_files(path)
  local python, script = need.python "pydicom", sh.write(sh.folder() .. "/fileset.py", FILESET)
  return sh.lines(("%s %s %s 2>&1"):format(python, script, sh.quote(path)))
end

local function our_files(path)
  local dir, list = assert(dicom.dicomdir.open(path)), {}
  for r in dir:instances() do list[#list + 1] = sh.lines("realpath " .. sh.quote(r.path))[1] end
  table.sort(list)
  return list, dir
end

describe("DICOMDIRs of the test files", function()
  local function data(name) return need.data(TESTS .. "/" .. name) end

  it("refer to the files that pydicom finds", function()
    for _, name in ipairs { "DICOMDIR", "TINY_ALPHA/DICOMDIR" } do
      local ours, dir = our_files(data(name))
      assert.same(pydicom_files(data(name)), ours)
      assert.same({}, dir.problems)
      assert.is_true(#ours > 20)
    end
  end)
  it("with flaws refer to the same files as the one without", function()
    local want = our_files(data "DICOMDIR")
    for _, name in ipairs { "DICOMDIR-reordered", "DICOMDIR-implicit", "DICOMDIR-bigEnd", "DICOMDIR-nooffset",
      "DICOMDIR-nopatient" } do
      assert.same(want, (our_files(data(name))), name)
    end
  end)
end)

describe("a DICOMDIR that we create", function()
  local folder
  lazy_setup(function() folder = sh.folder() end)

  local function create()
    local from = need.data(TESTS .. "/DICOMDIR"):match "^(.*)/"
    assert(os.execute(("cp -r %s/77654033 %s/98892003 %s/98892001 %s/TINY_ALPHA/PT000000 %s 2>/dev/null")
      :format(from, from, from, from, folder)))
    local report = assert(dicom.dicomdir.create(folder, { id = "SPEC" }))
    assert.same({ {}, {}, {} }, { report.left_out, report.invented, report.renamed })
    return report
  end

  it("refers to every file, for us and for pydicom", function()
    local report = create()
    local files = sh.lines(("find %s -type f ! -name DICOMDIR | sort"):format(folder))
    assert.equal(report.count, #files)
    assert.is_true(#files > 50)
    assert.same(files, our_files(folder))
    assert.same(files, pydicom_files(folder .. "/DICOMDIR"))
  end)
  it("is accepted by dcdirdmp of dicom3tools, to the last instance", function()
    need.peer "dcdirdmp"
    local report = create()
    local r = sh.run { "dcdirdmp", folder .. "/DICOMDIR" }
    local references = select(2, (r.out .. r.err):gsub("%->", ""))
    assert.same({ 0, report.count }, { r.code, references })
    assert.is_nil((r.out .. r.err):lower():find "error")
  end)
  it("is read by dcmdump without a warning, each offset that of an item", function()
    need.peer "dcmdump"
    create()
    local r = sh.run { "dcmdump", "-v", folder .. "/DICOMDIR" }
    assert.equal(0, r.code)
    assert.is_nil((r.out .. r.err):find "W: ", 1, true)
    assert.is_nil((r.out .. r.err):find "E: ", 1, true)
    local items, used = {}, 0
    for offset in r.out:gmatch "# +offset=%$(%d+)" do items[offset] = true end
    for offset in r.out:gmatch "%(0004,14[02]0%) up (%d+)" do
      if offset ~= "0" then
        used = used + 1
        assert.is_true(items[offset], offset)
      end
    end
    assert.is_true(used > 50)
  end)
  it("has the tree that dcmgpdir makes of the same files", function()
    need.peer "dcmgpdir"
    create()
    local function shape(path)
      local list = {}
      for r, level in assert(dicom.dicomdir.open(path)):walk() do
        list[#list + 1] = { level, r.type, r.file_id or r.record:text "PatientID" or r.record:text "StudyInstanceUID" or
          r.record:text "SeriesInstanceUID" }
      end
      table.sort(list, function(a, b) return a[1] .. a[3] < b[1] .. b[3] end)
      return list
    end
    local ours = shape(folder)
    local r = sh.run { "sh", "-c", ("cd %s && dcmgpdir -q +D THEIRS +I -W $(find * -type f ! -name DICOMDIR | sort)")
      :format(sh.quote(folder)) }
    assert.equal(0, r.code, r.err)
    local theirs = shape(folder .. "/THEIRS")
    assert(os.remove(folder .. "/THEIRS"))
    assert.same(theirs, ours)
  end)
end)
