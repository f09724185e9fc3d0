-- SPDX-License-Identifier: MIT
local dicom = require "dicom"
local task = require "dicom.task"
local errors = require "dicom.error"

local function raises(code, f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  assert.equal(code, type(e) == "table" and e.code or e)
  return e
end

describe("task", function()
  after_each(function()
    local alive, operations = task.census()
    assert.equal(0, alive)
    assert.equal(0, operations)
  end)

  it("gives its results to whoever awaits it, nils included", function()
    local t = dicom.task(function(a, b) dicom.sleep(0.001) return a, nil, b, nil end, 1, 2)
    assert.same({ n = 4, 1, nil, 2, nil }, table.pack(t:await()))
    assert.same({ n = 4, 1, nil, 2, nil }, table.pack(t:await()))
  end)

  it("raises what it raised where it is awaited, and then run does not return it", function()
    local e = errors.new("x", "y")
    local t = dicom.task(function() error(e) end)
    local ok, got = pcall(t.await, t)
    assert.is_false(ok)
    assert.equal(e, got)
    assert.is_true(dicom.run())
  end)

  it("runs tasks side by side, in the order of their timers", function()
    local order = {}
    for _, ms in ipairs { 30, 10, 20 } do
      dicom.task(function() dicom.sleep(ms / 1000) order[#order + 1] = ms end)
    end
    assert.is_true(dicom.run())
    assert.same({ 10, 20, 30 }, order)
  end)

  it("waits for a thousand timers in order", function()
    local last, count = 0, 0
    for i = 1, 1000 do
      local delay = (i * 7919) % 1000 / 2500
      dicom.task(function()
        local at = task.now() + delay
        dicom.sleep(delay)
        assert(at >= last - 0.1, "a later timer fired first")
        last, count = at, count + 1
      end)
    end
    assert.is_true(dicom.run())
    assert.equal(1000, count)
  end)

  it("logs the error of a task that nobody awaits, and run returns it after the others ended", function()
    local log, line = require "dicom.log", nil
    local before = log.default
    log.default = log.new { sink = function(text) line = text end }
    local others = false
    dicom.task(function() error "boom" end)
    dicom.task(function() dicom.sleep(0.01) others = true end)
    local ok, e = dicom.run()
    log.default = before
    assert.is_nil(ok)
    assert.matches("boom", e)
    assert.matches("spec/task_spec.lua:64: ", line)
    assert.is_true(others)
  end)

  it("is cancelled where it waits; its cleanup may wait", function()
    local closed, seen
    local t = dicom.task(function()
      local _ <close> = setmetatable({}, { __close = function() dicom.sleep(0.005) closed = true end })
      local ok, e = pcall(dicom.sleep, 10)
      seen = not ok and e.code
      error(e)
    end)
    dicom.sleep(0.001)
    t:cancel()
    raises("cancelled", t.await, t)
    assert.equal("cancelled", seen)
    assert.is_true(closed)
  end)

  it("is cancelled before it began without running", function()
    local ran = false
    local t = dicom.task(function() ran = true end)
    t:cancel()
    raises("cancelled", t.await, t)
    assert.is_false(ran)
    t:cancel() -- again: nothing
  end)

  it("timeout gives nil and an error of code timeout, and ends what it began", function()
    local reached, over = false, false
    local value, err = dicom.timeout(0.01, function()
      local _ <close> = setmetatable({}, { __close = function() over = true end })
      dicom.sleep(10)
      reached = true
    end)
    assert.is_nil(value)
    assert.equal("timeout", err.code)
    assert.is_true(over)
    assert.is_false(reached)
    assert.same({ 1, 2 }, { dicom.timeout(1, function() return 1, 2 end) })
    raises("x", dicom.timeout, 1, function() error(errors.new("x", "y")) end)
    local _, _, timers = task.census()
    assert.equal(0, timers)
  end)

  it("a cancelled waiter of timeout takes the inner task along", function()
    local inner_over = false
    local t = dicom.task(function()
      dicom.timeout(10, function()
        local _ <close> = setmetatable({}, { __close = function() inner_over = true end })
        dicom.sleep(10)
      end)
    end)
    dicom.sleep(0.001)
    t:cancel()
    raises("cancelled", t.await, t)
    dicom.run()
    assert.is_true(inner_over)
  end)

  it("refuses to wait in a coroutine of the user's own, and says what to do", function()
    local co = coroutine.create(dicom.sleep)
    local ok, e = coroutine.resume(co, 0.001)
    assert.is_false(ok)
    assert.equal("usage", e.code)
    assert.matches("dicom.task", e.text)
    local t = dicom.task(function() return coroutine.wrap(function() dicom.sleep(0) end)() end)
    raises("usage", t.await, t)
  end)

  it("refuses to wait across a C function inside a task", function()
    local t = dicom.task(function() return ("x"):gsub("x", function() dicom.sleep(0) end) end)
    assert.matches("callback", raises("usage", t.await, t).text)
  end)

  it("refuses a task's own yield", function()
    local t = dicom.task(function() coroutine.yield(1) end)
    assert.matches("yielded", raises("usage", t.await, t).text)
  end)

  it("refuses run inside run, and awaiting oneself", function()
    local t
    t = dicom.task(function() raises("usage", dicom.run) raises("usage", t.await, t) return true end)
    assert.is_true(t:await())
    assert.has_error(function() dicom.task(1) end)
    assert.has_error(function() dicom.sleep "1" end)
  end)

  it("stop makes run return while others are left", function()
    local t = dicom.task(function() dicom.sleep(60) end)
    dicom.task(function() dicom.sleep(0.005) dicom.stop() end)
    assert.is_true(dicom.run())
    t:cancel()
    pcall(t.await, t)
  end)

  it("run ends cleanly at SIGTERM when asked to", function()
    local t = dicom.task(function() dicom.sleep(60) end)
    dicom.task(function()
      dicom.sleep(0.01)
      local stat = assert(io.open "/proc/self/stat"):read "a"
      os.execute("kill -TERM " .. stat:match "^%d+")
    end)
    local began = task.now()
    assert.is_true(dicom.run { signals = true })
    assert.is_true(task.now() - began < 10)
    t:cancel()
    pcall(t.await, t)
  end)

  it("keeps nothing of ten thousand tasks that ended", function()
    local function round() dicom.task(function() dicom.sleep(0) end):await() end
    for _ = 1, 100 do round() end
    collectgarbage() collectgarbage()
    local before = collectgarbage "count"
    for _ = 1, 10000 do round() end
    collectgarbage() collectgarbage()
    assert.is_true(collectgarbage "count" - before < 100)
  end)
end)
