-- SPDX-License-Identifier: MIT
-- Opening and saving every test file: the same bytes after the file meta wherever reading mended nothing, the whole
-- file with raw; what was mended reads strictly afterwards; every possible syntax keeps the values.
local dicom = require "dicom"
local made = require "spec.support.made"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

-- Files that stay unlike the standard however they are written, and why.
local UNMENDED = {
  ["Tag-0040-A170-VR-CS.dcm"] = "implicit VR: what the dictionary calls a sequence holds text",
  ["CR_Modality_.dcm"] = "implicit VR: what the dictionary calls a sequence holds other bytes",
}

local function files()
  local list = {}
  for line in io.lines(need.data() .. "/MANIFEST.tsv") do
    local name = line:match "^[^#][^\t]*"
    if name then list[#list + 1] = need.folder .. "/" .. name end
  end
  assert.is_true(#list > 500)
  return list
end

local function each(check)
  local wrong = {}
  for _, path in ipairs(files()) do
    local ds = assert(dicom.open(path))
    local problem = check(ds, path, assert(sh.read(path)))
    if problem then wrong[#wrong + 1] = path:match "[^/]*$" .. ": " .. problem end
    ds:close()
  end
  assert.same({}, wrong)
end

-- Group lengths (retired, PS3.5 7.2) are not carried into what is encoded anew.
local function lines(ds)
  local list = {}
  for _, line in ipairs(made.lines(ds)) do
    if not line:find "%x%x%x%x,0000 UL" then list[#list + 1] = line end
  end
  return list
end

describe("every test file", function()
  it("keeps its data set's bytes where nothing was mended", function()
    local clean = 0
    each(function(ds, _, file)
      local out = assert(ds:bytes())
      if #ds.repairs > 0 then return end
      clean = clean + 1
      if file:sub(#file - #out + 1) ~= out then return "bytes changed" end
      local whole = assert(ds:bytes { part10 = true })
      if whole:sub(#whole - #out + 1) ~= out then return "bytes changed behind the meta" end
      if #file - #out > 2000 then return "bytes were lost" end
    end)
    assert.is_true(clean > 450)
  end)
  it("keeps all its bytes with raw, from memory and saved from its path", function()
    local folder = sh.folder()
    each(function(ds, _, file)
      assert(ds:save(folder .. "/out", { raw = true }))
      if sh.read(folder .. "/out") ~= file then return "saved differently" end
      local memory = file:find("\0", 1, true) and assert(dicom.open(file)) or ds
      if memory:bytes { part10 = true, raw = true } ~= file then return "written differently" end
    end)
  end)
  it("is strictly readable once it was written", function()
    each(function(ds, path)
      if UNMENDED[path:match "[^/]*$"] then return end
      local back, err = dicom.open(assert(ds:bytes { part10 = true }))
      if not back then return tostring(err) end
      if #back.repairs > 0 then return back.repairs[1].what end
      if #lines(ds) ~= #lines(back) then return "elements were lost" end
    end)
  end)
  it("keeps its values when all of it is encoded anew", function()
    each(function(ds, path)
      if UNMENDED[path:match "[^/]*$"] or #ds.repairs > 0 then return end
      for e in ds:elements() do
        if e.hold == "fragments" then return end
      end
      local before = lines(ds)
      for _, syntax in ipairs { made.IMPLICIT, made.EXPLICIT, made.BIG, made.DEFLATED } do
        local out, err = ds:bytes { syntax = syntax, part10 = true }
        if not out then return tostring(err) end
        local there = assert(dicom.open(out))
        if #there.repairs > 0 then return syntax .. ": " .. there.repairs[1].what end
        local home = assert(dicom.open(assert(there:bytes { syntax = made.EXPLICIT, part10 = true })))
        local direct = assert(dicom.open(assert(ds:bytes { syntax = made.EXPLICIT, part10 = true })))
        if #lines(home) ~= #before then return syntax .. ": elements were lost" end
        if syntax ~= made.IMPLICIT then
          local a, b = lines(home), lines(direct)
          for n = 1, #a do
            if a[n] ~= b[n] then return ("%s: %s, %s"):format(syntax, a[n], b[n]) end
          end
        end
      end
    end)
  end)
end)
