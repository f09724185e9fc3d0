-- SPDX-License-Identifier: MIT
-- What a de-identifier is asked for is checked when it is made: nobody shall find out from published images that an
-- option was misspelt.
local deid = require "dicom.deid"

local KEY = "0123456789abcdef"

-- The text of the error; fails unless there is one with code "config".
local function refusal(options)
  local ok, err = pcall(deid.new, options)
  assert.is_false(ok)
  assert.equal("config", err.code)
  return tostring(err)
end

describe("deid.new", function()
  it("takes a key alone, and everything spelt out", function()
    assert.is_function(deid.new { key = KEY }.apply)
    assert.is_function(deid.new { profile = "basic", options = {}, key = KEY, pixels = "trust" }.apply)
  end)

  it("needs a key of 16 bytes", function()
    assert.matches("key is needed", refusal {})
    assert.matches("at least 16 bytes", refusal { key = "0123456789abcde" })
  end)

  it("names the nearest to an unknown word", function()
    assert.matches('"basik".*"basic"', refusal { key = KEY, profile = "basik" })
    assert.matches('"blanc".*"blank"', refusal { key = KEY, pixels = "blanc" })
    assert.matches('"pixel".*"pixels"', refusal { key = KEY, pixel = "trust" })
    assert.matches('"retain%-uid".*"retain%-uids"', refusal { key = KEY, options = { "retain-uid" } })
    assert.matches('"clean%-descriptor".*"clean%-descriptors"', refusal { key = KEY, options = { "clean-descriptor" } })
  end)

  for _, name in ipairs {
    "clean-pixel-data", "clean-recognizable-visual-features", "clean-graphics", "clean-structured-content",
    "clean-descriptors", "retain-full-dates", "retain-modified-dates", "retain-patient-characteristics",
    "retain-device-identity", "retain-uids", "retain-safe-private", "retain-institution-identity",
  } do
    it("refuses an option that is not built: " .. name, function()
      local text = refusal { key = KEY, options = { name } }
      assert.matches(name, text, 1, true)
      assert.matches("not built", text)
    end)
  end

  it("refuses options that contradict each other (PS3.15 E.3.6)", function()
    assert.matches("contradict", refusal { key = KEY, options = { "retain-full-dates", "retain-modified-dates" } })
  end)

  it("refuses what has the wrong type", function()
    assert.matches("table", refusal "basic")
    assert.matches("list", refusal { key = KEY, options = "retain-uids" })
    assert.matches("list", refusal { key = KEY, options = { ["retain-uids"] = true } })
    assert.matches("text", refusal { key = KEY, options = { 7 } })
    assert.matches("text", refusal { key = KEY, pixels = true })
  end)
end)
