-- SPDX-License-Identifier: MIT
-- One event is one line, whatever its values hold; levels below the chosen one are silent; a sink cannot do harm.
local errors = require "dicom.error"
local log = require "dicom.log"

local function capture(level)
  local lines = {}
  return log.new { level = level, sink = function(line) lines[#lines + 1] = line end }, lines
end

describe("log", function()
  it("writes time, level, event and fields in the order of their names", function()
    local l, lines = capture()
    l:info("delivered", { to = "archive", status = "0000", ms = 12 })
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ info delivered ms=12 status=0000 to=archive$", lines[1])
    l:warn "alone"
    assert.matches("Z warn alone$", lines[2])
  end)

  it("keeps an event on one line and values apart", function()
    local l, lines = capture()
    l:error("parked", { reason = 'a "b"\nc\td\0e\\', empty = "", equals = "x=y", plain = "2.25.1" })
    assert.matches('empty="" equals="x=y" plain=2.25.1 reason="a \\"b\\"\\nc\\td\\x00e\\\\"$', lines[1])
    assert.is_nil(lines[1]:find "%c")
    l:info("long", { text = ("x"):rep(10000) })
    assert.is_true(#lines[2] < 2100)
  end)

  it("writes no bytes that a terminal obeys or that are no text", function()
    local l, lines = capture()
    l:info("association", { calling = "\x9B31m\xFF", called = "\xC2\x9B31m", name = "M\u{FC}ller" })
    assert.matches('called="\\xC2\\x9B31m" calling="\\x9B31m\\xFF" name=M\u{FC}ller$', lines[1])
  end)

  it("is silent below its level", function()
    local order = { "debug", "info", "warn", "error" }
    for i, level in ipairs { "debug", "info", "warn", "error", "none" } do
      local l, lines = capture(level)
      for _, name in ipairs(order) do l[name](l, "event") end
      assert.equal(#order - i + 1, #lines)
    end
  end)

  it("does not fail when its sink does", function()
    local l = log.new { sink = function() error "disk full" end }
    assert.has_no_error(function() l:error "event" end)
  end)

  it("refuses a level that is none", function()
    local good, err = pcall(log.new, { level = "loud" })
    assert.is_false(good)
    assert.is_true(errors.is(err))
    assert.equal("config", err.code)
  end)

  it("has a default for all", function()
    assert.equal("info", log.default.level)
  end)
end)
