-- SPDX-License-Identifier: MIT
-- A test run tells the truth: its last line counts, a skip has its reason, DICOM_REQUIRE_ALL=1 makes a skip a failure.
local sh = require "spec.support.sh"

local MIXED = [[
describe("mixed", function()
  it("passes", function() end)
  it("is skipped", function() require "spec.support.need".skip "no such machine" end)
  %s
end)
]]

local function busted(spec, env)
  local path = sh.write(sh.folder() .. "/one_spec.lua", spec)
  local r = sh.run({ "busted", path }, { env = env or { DICOM_REQUIRE_ALL = "0" } })
  return r, r.out:match "([^\n]*)\n$"
end

describe("a test run", function()
  it("ends with its counts and succeeds", function()
    local r, last = busted(MIXED:format "")
    assert.same({ 0, "1 passed, 0 failed, 1 skipped" }, { r.code, last })
    assert.matches("no such machine", r.out)
  end)

  it("counts a skip before each test, and one for a whole block", function()
    local skip = 'require "spec.support.need".skip "no such machine"'
    local r, last = busted(('describe("a", function() before_each(function() %s end) it("x", function() end) end)')
      :format(skip))
    assert.same({ 0, "0 passed, 0 failed, 1 skipped" }, { r.code, last })
    r, last = busted(('describe("a", function() setup(function() %s end) it("x", function() end) end)'):format(skip))
    assert.same({ 0, "0 passed, 0 failed, 1 skipped" }, { r.code, last })
  end)

  it("fails when a skip is not allowed", function()
    local r, last = busted(MIXED:format "", { DICOM_REQUIRE_ALL = "1" })
    assert.same({ 1, "1 passed, 0 failed, 1 skipped" }, { r.code, last })
  end)

  it("fails with a failure, an error, or a file that does not load", function()
    local r, last = busted(MIXED:format 'it("fails", function() assert.equal(1, 2) end)')
    assert.same({ 1, "1 passed, 1 failed, 1 skipped" }, { r.code, last })
    r, last = busted(MIXED:format 'it("raises", function() error {} end)')
    assert.same({ 1, "1 passed, 1 failed, 1 skipped" }, { r.code, last })
    r, last = busted "this is no Lua"
    assert.same({ 1, "0 passed, 1 failed, 0 skipped" }, { r.code, last })
  end)
end)

describe("processes of a spec", function()
  it("give exit code, output and errors", function()
    local r = sh.run({ "sh", "-c", "cat; echo bad >&2; exit 3" }, { input = "it's\n" })
    assert.same({ code = 3, out = "it's\n", err = "bad\n" }, r)
  end)

  it("are ended when they take too long", function()
    assert.equal(124, sh.run({ "sleep", "30" }, { timeout = 0.1 }).code)
  end)

  it("know whether they run, and how they ended", function()
    local p = sh.spawn({ "sleep", "30" })
    assert.is_true(p:running())
    assert.equal(128 + 15, p:stop())
    assert.is_false(p:running())
  end)

  it("have no library preloaded unless they are ours", function()
    assert.equal("\n", sh.run({ "sh", "-c", "echo $LD_PRELOAD" }).out)
  end)
end)
