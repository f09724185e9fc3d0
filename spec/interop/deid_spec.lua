-- SPDX-License-Identifier: MIT
-- The basic profile over every test file: nothing crashes, DCMTK reads what comes out, and no name, ID or UID of the
-- input is left outside of the pixels.
local deid = require "dicom.deid"
local dicom = require "dicom"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local d = deid.new { key = "0123456789abcdef", pixels = "trust" }

-- Paths of the test files.
local function listed()
  local paths = {}
  for line in (sh.read(need.data() .. "/MANIFEST.tsv") or ""):gmatch "[^\n]+" do
    local path = line:match "^[^#\t][^\t]*"
    if path then paths[#paths + 1] = need.data() .. "/" .. path end
  end
  return paths
end

-- What is known of the patient and of the instance; short or common values say nothing when they are found.
local identifying = { "PatientName", "PatientID", "AccessionNumber", "ReferringPhysicianName", "OtherPatientIDs",
                      "PatientAddress", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID" }

local function found(ds, bytes)
  for _, keyword in ipairs(identifying) do
    for value in (ds:raw(keyword) or ""):gmatch "[^\\%z]+" do
      value = value:match "^%s*(.-)%s*$"
      local says_something = #value >= 6 and value ~= "REMOVED" and not value:find "^1%.2%.840%.10008%."
      if says_something and bytes:find(value, 1, true) then return keyword end
    end
  end
end

describe("the basic profile over the test files", function()
  it("gives results without identity, which dcmdump reads, or says why not", function()
    need.peer "dcmdump"
    local folder, leaks, unreadable, done, refused = sh.folder(), {}, {}, 0, {}
    for i, path in ipairs(listed()) do
      local ds = dicom.open(path)
      local clean, err
      if ds then clean, err = d:apply(ds) end
      if err and clean == nil then refused[err.code] = (refused[err.code] or 0) + 1 end
      if clean then
        done = done + 1
        local out = ("%s/%d.dcm"):format(folder, i)
        assert(clean:save(out))
        clean:remove "PixelData"
        local keyword = found(ds, clean:bytes { part10 = true })
        if keyword then leaks[#leaks + 1] = path .. " " .. keyword end
        local r = sh.run { "dcmdump", "-q", "-E", out }
        if r.code ~= 0 then unreadable[#unreadable + 1] = path .. ": " .. r.err end
        os.remove(out)
      end
    end
    assert.same({}, leaks)
    assert.same({}, unreadable)
    assert.is_true(done > 300, "only " .. done .. " were done")
    for code in pairs(refused) do assert.equal("refused", code) end
  end)
end)
