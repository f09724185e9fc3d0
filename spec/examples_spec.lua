-- SPDX-License-Identifier: MIT
-- Every example runs, says how, and is short.
local dicom = require "dicom"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

-- Runs it to its end, which must be good.
local function example(name, ...)
  local r = sh.lua { "examples/" .. name .. ".lua", ... }
  assert.same({ 0, "" }, { r.code, r.err }, r.out)
  return r.out
end

-- A program that prints the port it listens at.
local function server(p, what)
  local port = sh.eventually(function() return tonumber(p:output():match "port (%d+)") end)
  return assert(port, what .. ": " .. p:output())
end

local function keeper(folder, aet)
  local p = sh.spawn { sh.dicom, "receive", "--aet", aet or "KEEPER", "--port", "0", folder }
  return p, server(p, "receive")
end

local function sample(folder)
  local ds = dicom.dataset {
    SOPClassUID = "1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID = dicom.uid.new(), Modality = "OT",
    PatientName = "Doe^Jane", PatientID = "4711", BurnedInAnnotation = "NO",
    RequestAttributesSequence = { { RequestedProcedureID = "RP1" } },
  }
  local path = folder .. "/in.dcm"
  assert(ds:save(path))
  return path, ds
end

local function files(folder)
  return sh.lines("find " .. folder .. " -name '*.dcm'")
end

-- How each is run with small inputs.
local runs = {}

function runs.echo()
  local p, port = keeper(sh.folder())
  assert.matches("answers with status 0000H", example("echo", "127.0.0.1", port, "KEEPER"))
  p:stop()
end

function runs.show()
  local out = example("show", (sample(sh.folder())))
  assert.matches("Doe%^Jane%s+4711", out)
  assert.matches("request 1%s+RP1", out)
end

function runs.anonymize()
  local folder = sh.folder()
  local path, ds = sample(folder)
  local key = sh.write(folder .. "/key", ("k"):rep(32))
  example("anonymize", key, path, folder .. "/out.dcm")
  local new = assert(dicom.open(folder .. "/out.dcm"))
  assert.not_equal(ds.PatientID, new.PatientID)
  assert.not_equal(ds.SOPInstanceUID, new.SOPInstanceUID)
end

function runs.store()
  local to = sh.folder()
  local p, port = keeper(to)
  assert.equal("1 sent, 0 failed\n", example("store", "127.0.0.1", port, "KEEPER", (sample(sh.folder()))))
  assert.equal(1, #files(to))
  p:stop()
end

function runs.receive()
  local to = sh.folder()
  local p = sh.spawn_lua { "examples/receive.lua", "0", to }
  example("store", "127.0.0.1", server(p, "receive"), "EXAMPLE", (sample(sh.folder())))
  assert.equal(1, #files(to))
  p:stop()
end

function runs.forward()
  local to, port = sh.folder(), sh.port()
  local archive, archive_port = keeper(to, "ARCHIVE")
  local p = sh.spawn_lua { "examples/forward.lua", port, "127.0.0.1", archive_port }
  assert(sh.wait_port(port), p:output())
  example("store", "127.0.0.1", port, "FORWARD", (sample(sh.folder())))
  assert.equal(1, #files(to))
  p:stop()
  archive:stop()
end

-- The demo runs gateway.lua with the rules.
function runs.demo()
  need.peer "storescu"
  local r = sh.lua({ "examples/demo.lua" }, { timeout = 120 })
  assert.equal(0, r.code, r.out .. r.err)
  assert.matches("7 of 7 data sets are identical", r.out)
  assert.is_nil(r.out:find "DIFFERENT")
  assert.matches("PatientName +Ångström%^Märta +%->", r.out)
end
runs.gateway = runs.demo

describe("examples", function()
  local names = {}
  for _, path in ipairs(sh.lines "ls examples/*.lua") do names[#names + 1] = path:match "([^/]+)%.lua$" end

  for _, name in ipairs(names) do
    it(name .. " runs", function()
      assert(runs[name], "spec/examples_spec.lua does not run it")()
    end)

    it(name .. " says how it is run, in 60 lines at most", function()
      local text = sh.read("examples/" .. name .. ".lua")
      assert.matches("\n%-%-[^\n]*Run: ", text)
      local _, lines = text:gsub("\n", "")
      assert(lines <= 60, lines)
    end)
  end

  it("forward in ten lines at most", function()
    local _, lines = sh.read "examples/forward.lua":gsub("\n", "")
    assert(lines <= 10)
  end)

  it("have rules of 30 lines at most", function()
    for _, path in ipairs(sh.lines "ls examples/rules/*.lua") do
      local _, lines = sh.read(path):gsub("\n", "")
      assert(lines <= 30, path)
    end
  end)
end)
