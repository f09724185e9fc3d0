-- SPDX-License-Identifier: MIT
-- Hostile bytes: time linear in the file, memory a small multiple of its size and never of what a length claims, and
-- limits that the caller sets. What limits mean element by element is in reader_spec.
local dicom = require "dicom"
local made = require "spec.support.made"
local need = require "spec.support.need"
local sh = require "spec.support.sh"
local element, UNDEFINED = made.element, made.UNDEFINED

local e = made.encoder "explicit"
local EXPLICIT = { syntax = made.EXPLICIT }
local ITEM, SEQUENCE = 0xFFFEE000, 0x0040A730

local function many(n, f)
  local parts = {}
  for i = 1, n do parts[i] = f(i) end
  return table.concat(parts)
end

local function nested(n, inner)
  for _ = 1, n do inner = e.open_sequence(SEQUENCE, e.open_item(inner)) end
  return inner
end

-- name -> function(n): about n elements, items or fragments; options of open
local FLOODS = {
  ["items"] = { function(n) return e.sequence(0x00081140, (e.item ""):rep(n)) end },
  ["items that never end"] = { function(n)
    return element(SEQUENCE, "SQ", element(ITEM, nil, "", false, UNDEFINED):rep(n), false, UNDEFINED)
  end },
  ["sequences that never end"] = { function(n)
    return (element(SEQUENCE, "SQ", element(ITEM, nil, "", false, UNDEFINED) .. element(ITEM, nil, ""), false,
      UNDEFINED)):rep(60) .. e.sequence(0x0040A043, (e.item ""):rep(n))
  end },
  ["the same tag"] = { function(n) return e(0x00100010, "PN", "DOE^JANE"):rep(n) end },
  ["delimiters"] = { function(n) return element(0xFFFEE00D, nil, ""):rep(n) .. e(0x00100010, "PN", "DOE^JANE") end },
  ["private blocks"] = { function(n)
    return many(n, function(i)
      local base = 0x00110000 + (i // 240) * 0x20000
      return e(base + i % 240 + 16, "LO", "ACME") .. e(base + (i % 240 + 16) * 256, "UN", "abcd")
    end)
  end },
  ["deep sequences"] = { function(n)
    return e.sequence(0x00081140, e.item(nested(60, e(0x00080100, "SH", "DEEP"))):rep(n // 60))
  end },
  ["values longer than their items"] = { function(n)
    return e.sequence(SEQUENCE, e.item(e(0x00080100, "SH", "abcd", 0x7FFE)):rep(n))
  end },
  ["fragments"] = { function(n)
    return element(0x7FE00010, "OB", element(ITEM, nil, "") .. element(ITEM, nil, "ab"):rep(n), false, UNDEFINED)
  end, { syntax = made.JPEG } },
  ["duplicate meta elements"] = { function(n)
    return ("\0"):rep(128) .. "DICM" .. element(0x00020010, "UI", made.even(made.EXPLICIT)):rep(n) ..
      e(0x00100010, "PN", "DOE^JANE")
  end, {} },
}
-- Seconds of processor time, the best of five; what was read is written, too.
local function seconds(bytes, options)
  local best = math.huge
  for _ = 1, 5 do
    collectgarbage()
    local start = os.clock()
    local ds = dicom.open(bytes, options)
    if ds then ds:bytes() end
    best = math.min(best, os.clock() - start)
  end
  return best
end

describe("time is linear in the file for a flood of", function()
  for name, flood in pairs(FLOODS) do
    it(name, function()
      local few, lots = flood[1](25000), flood[1](200000)
      local options = flood[2] or EXPLICIT
      local ratio = #lots / #few
      local a, b = seconds(few, options), seconds(lots, options)
      -- a quadratic walk would take 64 times as long; caches account for some of the rest
      assert.is_true(b < 0.02 or b / a < ratio * 2.5, ("%d bytes: %.4f s, %d bytes: %.4f s"):format(#few, a, #lots, b))
    end)
  end
end)

describe("61,000 elements in descending order", function()
  it("take at most 1.5 times as long as ascending ones; in no order, sorting", function()
    need.release_build()
    local up, down = {}, {}
    for i = 1, 61000 do
      up[i] = element(0x00110000 + i, "UN", "ab")
      down[61001 - i] = up[i]
    end
    local function read(list)
      local bytes, best = table.concat(list), math.huge
      for _ = 1, 9 do
        collectgarbage()
        local start = os.clock()
        assert.equal(61000, #assert(dicom.open(bytes, EXPLICIT)))
        best = math.min(best, os.clock() - start)
      end
      return best
    end
    local ascending, descending = read(up), read(down)
    assert.is_true(descending <= 1.5 * ascending, ("%.5f s, %.5f s"):format(ascending, descending))
    math.randomseed(11)
    for i = #up, 2, -1 do
      local j = math.random(i)
      up[i], up[j] = up[j], up[i]
    end
    assert.is_true(read(up) < 20 * ascending + 0.05)
  end)
end)

-- Peak memory in KiB beyond that of a process that does nothing with the bytes.
local SCRIPT = [[
local dicom = require "dicom"
local f = assert(io.open(arg[1], "rb"))
f:close()
local before = tonumber(io.open("/proc/self/status"):read "a":match "VmHWM:%s*(%d+)")
local ds, err = dicom.open(arg[1], { syntax = arg[2] ~= "" and arg[2] or nil, limits = load("return " .. arg[3])() })
local after = tonumber(io.open("/proc/self/status"):read "a":match "VmHWM:%s*(%d+)")
print(after - before, ds and "read" or err.code)
]]

local function memory(bytes, syntax, limits)
  local folder = sh.folder()
  local script, path = sh.write(folder .. "/run.lua", SCRIPT), sh.write(folder .. "/in", bytes)
  local r = sh.lua({ script, path, syntax or "", limits or "nil" })
  assert.equal(0, r.code, r.err)
  local kib, what = r.out:match "^(%d+)%s+(.-)\n"
  return tonumber(kib), what
end

describe("memory", function()
  it("does not follow what lengths claim", function()
    need.release_build()
    for name, bytes in pairs {
      value = e(0x00080060, "CS", "OT") .. element(0x00420011, "OB", "abcd", false, 0xFFFFFFFE),
      text = e(0x00080060, "CS", "OT") .. element(0x00081195, "UT", "abcd", false, 0x7FFFFFFE),
      sequence = e(0x00080060, "CS", "OT") .. element(SEQUENCE, "SQ", element(ITEM, nil, "", false, 0xFFFFFFFE), false,
        0xFFFFFFFE),
      fragment = e(0x00080060, "CS", "OT") .. element(0x7FE00010, "OB", element(ITEM, nil, "", false, 0xFFFFFFFE) ..
        element(ITEM, nil, "x", false, 0xFFFFFFF0), false, UNDEFINED),
      frames = e(0x00280008, "IS", "2147483646") .. element(0x7FE00010, "OB", element(ITEM, nil, "") ..
        element(ITEM, nil, "ab"), false, UNDEFINED),
    } do
      local kib, what = memory(bytes, name:find "^fra" and made.JPEG or made.EXPLICIT)
      assert.equal("read", what, name)
      assert.is_true(kib < 2048, ("%s: %d KiB for %d bytes"):format(name, kib, #bytes))
    end
  end)
  it("is a small multiple of the file's size in a flood", function()
    need.release_build()
    for name, flood in pairs(FLOODS) do
      local bytes = flood[1](200000)
      local kib, what = memory(bytes, (flood[2] or EXPLICIT).syntax)
      assert.equal("read", what, name)
      assert.is_true(kib < 16 * (#bytes >> 10) + 2048, ("%s: %d KiB for %d KiB"):format(name, kib, #bytes >> 10))
    end
  end)
  it("of a bomb is what the limits say", function()
    need.release_build()
    local zeros = e(0x00420011, "OB", ("\0"):rep(100 << 20))
    local packed = assert(assert(dicom.open(zeros, EXPLICIT)):bytes { syntax = made.DEFLATED })
    local kib, what = memory(packed, made.DEFLATED, "{ inflated = 4 << 20 }")
    assert.equal("inflates too far", what)
    assert.is_true(kib < 16 << 10, kib .. " KiB")
    kib, what = memory(packed, made.DEFLATED, "{ ratio = 20 }")
    assert.equal("inflates too far", what)
    assert.is_true(kib < 16 << 10, kib .. " KiB")
  end)
  it("of nesting is bounded by the limit, not by the input", function()
    need.release_build()
    local bomb = element(SEQUENCE, "SQ", element(ITEM, nil, "", false, UNDEFINED), false, UNDEFINED):rep(100000)
    local kib, what = memory(bomb, made.EXPLICIT)
    assert.equal("too deep", what)
    assert.is_true(kib < 4096, kib .. " KiB")
  end)
end)

describe("limits", function()
  it("are set by the caller, each by its name; others raise", function()
    local body = e(0x00080060, "CS", "OT")
    for _, limits in ipairs { { depth = 0 }, { depth = 513 }, { elements = -1 }, { held = 0 }, { size = 1 },
      { ratio = 0 }, { inflated = 0 } } do
      assert.has_error(function() dicom.open(body, { syntax = made.EXPLICIT, limits = limits }) end)
    end
    assert(dicom.open(body, { syntax = made.EXPLICIT,
      limits = { depth = 1, elements = 1, inflated = 1, ratio = 1, held = 1 } }))
  end)
  it("hold for files as for bytes", function()
    local path = sh.write(sh.folder() .. "/in", made.file(made.EXPLICIT, nested(3, "")))
    assert(dicom.open(path, { limits = { depth = 3 } }))
    for code, limits in pairs { ["too deep"] = { depth = 2 }, ["too many elements"] = { elements = 5 } } do
      local ds, err = dicom.open(path, { limits = limits })
      assert.same({ nil, code, path }, { ds, err.code, err.path })
    end
  end)
  it("of elements count every item and fragment of a flood", function()
    for name, flood in pairs(FLOODS) do
      local ds, err = dicom.open(flood[1](2000), { syntax = (flood[2] or EXPLICIT).syntax, limits = { elements = 30 } })
      if name ~= "delimiters" then
        assert.is_nil(ds, name)
        assert.equal("too many elements", err.code)
      end
    end
  end)
end)

describe("the file meta", function()
  it("with the same element twice: the first is taken, noted, refused by strict reading", function()
    local meta = made.meta(made.EXPLICIT, false)
    local file = ("\0"):rep(128) .. "DICM" .. meta .. element(0x00020010, "UI", made.even(made.JPEG)) ..
      e(0x00100010, "PN", "DOE^JANE")
    local ds = assert(dicom.open(file))
    assert.same({ made.EXPLICIT, "DOE^JANE" }, { ds.syntax, ds.PatientName })
    local noted = false
    for _, r in ipairs(ds.repairs) do noted = noted or r.tag == 0x00020010 and r.what:find "same tag twice" ~= nil end
    assert.is_true(noted)
    local _, err = dicom.open(file, { strict = true })
    assert.equal("needs repair", err.code)
  end)
end)
