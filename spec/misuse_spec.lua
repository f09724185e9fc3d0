-- SPDX-License-Identifier: MIT
-- A mistake in a program names the line of that program, not one of this package, and the nearest right word.
local dicom = require "dicom"
local sh = require "spec.support.sh"

-- What `f`, a function of one line, raises, without the place; the place must be here.
local function mistake(f)
  local ok, err = pcall(f)
  assert(not ok, "did not raise")
  local place, text = tostring(err):match "^(.-:%d+): (.*)$"
  assert.equal("spec/misuse_spec.lua:" .. debug.getinfo(f, "S").linedefined, place, tostring(err))
  return text
end

describe("a mistake names its line", function()
  local ds = dicom.dataset { PatientName = "Doe^Jane", ReferencedStudySequence = { {} } }

  it("of a value", function()
    assert.matches("^value does not .* StudyDate is DA: YYYYMMDD, at %(0008,0020%)$",
      mistake(function() ds.StudyDate = "yesterday" end))
    assert.matches("an integer from 0 to 65535", mistake(function() ds.Rows = -1 end))
    assert.matches("at most 64 digits",
      mistake(function() ds.ReferencedStudySequence[1].ReferencedSOPInstanceUID = "x" end))
    assert.matches("takes a string, got number", mistake(function() ds.PatientName = 5 end))
    assert.matches("StudyDate is DA", mistake(function() ds:set("StudyDate", "x") end))
    assert.matches("StudyDate is DA", mistake(function() return (dicom.dataset { StudyDate = "x" }) end))
  end)

  it("of a name or an argument", function()
    assert.matches("the nearest is 'PatientName'", mistake(function() return ds.PatientNme end))
    assert.matches("the nearest is \"dataset\"", mistake(function() return dicom.datset end))
    assert.matches("writing has no option 'rwa'", mistake(function() ds:save { path = "/none/x", rwa = true } end))
    assert.matches("save needs a path", mistake(function() ds:save() end))
    assert.matches("got no value", mistake(function() ds:get() end))
    assert.matches("unknown status", mistake(function() return dicom.status.sucess end))
    assert.matches("has no service", mistake(function() return dicom.peer { host = "127.0.0.1" }.finds end))
  end)

  it("of private elements", function()
    assert.matches("is in no dictionary: give its VR", mistake(function() ds:private "ACME 1.0"[1] = "x" end))
    assert.matches("is numbered from 0x00", mistake(function() ds:private "ACME 1.0"[1000] = "x" end))
  end)
end)

describe("what is no file", function()
  it("is not read, waited for or replaced", function()
    local pipe = sh.folder() .. "/pipe"
    os.execute("mkfifo " .. pipe)
    local ds, err = dicom.open(pipe)
    assert.is_nil(ds)
    assert.equal(pipe .. ": not a file: Invalid argument", tostring(err))
    ds = dicom.dataset { PatientName = "Doe^Jane" }
    ds, err = ds:save(pipe)
    assert.is_nil(ds)
    assert.equal(pipe .. ": not a file: Invalid argument", tostring(err))
    assert.same({ "pipe" }, sh.lines("test -p " .. pipe .. " && echo pipe"))
    assert.same({ pipe }, sh.lines(("find %s"):format(pipe:gsub("/pipe$", "/*"))))
  end)
end)
