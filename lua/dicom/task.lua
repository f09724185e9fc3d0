-- SPDX-License-Identifier: MIT
--- Tasks: coroutines that may wait. The only way to wait. On the main thread waiting drives the event loop; in a task
--- it yields. The text of a program is the same in both.
local core = require "dicom.core"
local errors = require "dicom.error"

local loop = core.loop()
local SUSPEND = {} -- what a waiting task yields: anything else is a user's coroutine.yield gone astray

---@class dicom.Task
---@field package co thread
---@field package done boolean
local Task = {}
Task.__index = Task
Task.__name = "dicom.task"

local M = { loop = loop }

local main = { is_main = true }  -- stands for the main thread where a task is expected
local current                    -- the task that runs now
local driving = false            -- the main thread is inside the loop
local waiting = {}               -- id of an io object -> task: every operation in flight is anchored here
local ready, ready_count = {}, 0 -- tasks to be resumed, in order
local alive = 0                  -- tasks that have not ended
local failures = {}              -- tasks that failed while nobody waited for them
local stopped = false
local signal_id

-- Timers: a binary heap by time.
local heap, heap_count = {}, 0

local function heap_up(i)
  local t = heap[i]
  while i > 1 and heap[i // 2].at > t.at do
    heap[i] = heap[i // 2]
    i = i // 2
  end
  heap[i] = t
end

local function heap_down(i)
  local t = heap[i]
  while true do
    local child = 2 * i
    if child > heap_count then break end
    if child < heap_count and heap[child + 1].at < heap[child].at then child = child + 1 end
    if heap[child].at >= t.at then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = t
end

local function heap_pop()
  local t = heap[1]
  heap[1] = heap[heap_count]
  heap[heap_count] = nil
  heap_count = heap_count - 1
  if heap_count > 0 then heap_down(1) end
  return t
end

local Timer = { __close = function(t) t.f = nil end } -- one that was dropped stays in the heap until its time

local function add_timer(seconds, f)
  local t = setmetatable({ at = loop:now() + seconds, f = f }, Timer)
  heap_count = heap_count + 1
  heap[heap_count] = t
  heap_up(heap_count)
  return t
end

local function fire_timers()
  local now = loop:now()
  while heap_count > 0 and heap[1].at <= now do
    local f = heap_pop().f
    if f then f() end
  end
end

local function wake(task)
  if task.suspended and not task.queued then
    task.queued = true
    if task.id then
      waiting[task.id] = nil
      task.id = nil
    end
    ready_count = ready_count + 1
    ready[ready_count] = task
  end
end

local function finish(task, ok, ...)
  task.done, task.ok, task.suspended = true, ok, false
  task.values = table.pack(...)
  alive = alive - 1
  local waiters = task.waiters
  task.waiters = nil
  if waiters then
    for i = 1, #waiters do wake(waiters[i]) end
  elseif not ok and not task.cancelled then
    failures[#failures + 1] = task
  end
end

local function resumed(task, ok, what)
  if coroutine.status(task.co) == "dead" then return end
  if ok and what == SUSPEND then return end
  coroutine.close(task.co)
  finish(task, false, errors.new("usage", "a task yielded by itself: use dicom.sleep or a waiting function"))
end

local function resume(task)
  local before = current
  current = task
  task.suspended, task.queued = false, false
  resumed(task, coroutine.resume(task.co))
  current = before
end

local function traceback(e)
  if type(e) == "string" then return { e, debug.traceback(e, 2) } end
  return { e, debug.traceback("", 2) }
end

local function log_failures()
  for _, task in ipairs(failures) do
    if not task.logged then
      task.logged = true
      require "dicom.log".default:error("task failed", { error = require "dicom.log".reason(task.values[1]) })
    end
  end
end

local function resume_ready()
  local list, count = ready, ready_count
  ready, ready_count = {}, 0
  for i = 1, count do
    local task = list[i]
    if task.is_main then task.suspended, task.queued = false, false else resume(task) end
  end
end

-- How long the loop may sleep: never above a second, so that the interpreter notices an interrupt.
local function patience()
  if ready_count > 0 then return 0 end
  if heap_count > 0 then return math.max(0, math.min(1, heap[1].at - loop:now())) end
  return 1
end

-- Runs what is ready, then waits for more while `wanted()`. False: nothing can ever become ready.
local ids = {}
local function step(wanted)
  resume_ready()
  if not wanted() then return true end
  local n = loop:wait(patience(), ids)
  for i = 1, n or 0 do
    if ids[i] == signal_id then M.stop() end
    local task = waiting[ids[i]]
    if task then wake(task) end
  end
  fire_timers()
  return n ~= nil or ready_count > 0 or heap_count > 0
end

-- The task that may wait here, or an error that says what to do.
local function waiter()
  local co, is_main = coroutine.running()
  if is_main then
    if driving then error(errors.new("usage", "the event loop is running already"), 0) end
    return main
  end
  if not current or current.co ~= co then
    error(errors.new("usage", "cannot wait in a coroutine of your own: start it with dicom.task(f)"), 0)
  end
  if not coroutine.isyieldable() then
    error(errors.new("usage",
      "cannot wait inside a callback (of string.gsub, table.sort, a metamethod called from C): wait outside it"), 0)
  end
  return current
end

local function drive()
  local function wanted() return main.suspended end
  driving = true
  local ok, e = pcall(function()
    while main.suspended do
      if not step(wanted) then
        main.suspended = false
        if main.id then waiting[main.id], main.id = nil, nil end
        error(errors.new("usage", "waiting for something that cannot happen: nothing is open and no task runs"), 0)
      end
    end
  end)
  driving = false
  if not ok then
    main.suspended = false
    error(e, 0)
  end
end

local function suspend(task)
  task.suspended = true
  if task == main then drive() else coroutine.yield(SUSPEND) end
  local e = task.interrupt
  if e then
    task.interrupt = nil
    error(e, 0)
  end
end

local function wait_for(id)
  local task = waiter()
  if waiting[id] then error(errors.new("usage", "another task waits for this already"), 0) end
  waiting[id], task.id = task, id
  suspend(task)
end

local function pull(object, first, ...)
  if first ~= false then return first, ... end
  wait_for(object:id())
  return pull(object, object:next())
end

--- Waits until `object:next()` gives something else than false, and returns that.
---@param object any  an io object: methods id and next
---@return any ...
function M.await(object)
  return pull(object, object:next())
end

local function body(task, f, ...)
  local function keep(ok, e, ...)
    if ok then return finish(task, true, e, ...) end
    task.traceback = e[2]
    return finish(task, false, e[1])
  end
  local arguments = table.pack(...)
  return coroutine.create(function()
    if task.interrupt then -- cancelled before it began
      return finish(task, false, task.interrupt)
    end
    return keep(xpcall(f, traceback, table.unpack(arguments, 1, arguments.n)))
  end)
end

--- Starts `f(...)` as a task. It runs when the caller next waits.
---@param f function
---@return dicom.Task
function M.task(f, ...)
  if type(f) ~= "function" and not (getmetatable(f) or {}).__call then
    error("dicom.task: not a function", 2)
  end
  local task = setmetatable({ done = false, suspended = true }, Task)
  task.co = body(task, f, ...)
  alive = alive + 1
  wake(task)
  return task
end

local function forget_failure(task)
  for i = #failures, 1, -1 do
    if failures[i] == task then table.remove(failures, i) end
  end
end

--- Waits until the task has ended. Returns what its function returned; raises what it raised.
---@return any ...
function Task:await()
  local me = waiter()
  if me == self then error(errors.new("usage", "a task cannot wait for itself"), 0) end
  while not self.done do
    self.waiters = self.waiters or {}
    table.insert(self.waiters, me)
    suspend(me)
  end
  if not self.ok then forget_failure(self) end
  if self.ok then return table.unpack(self.values, 1, self.values.n) end
  error(self.values[1], 0)
end

--- Makes what the task waits for raise an error of code "cancelled" there. Its cleanup still runs and may wait.
---@param reason? any  raised instead
function Task:cancel(reason)
  if self.done then return end
  local e = reason or errors.new("cancelled", "cancelled")
  self.cancelled = true
  if self == current then error(e, 0) end
  self.interrupt = e
  wake(self)
end

--- Waits.
---@param seconds number
function M.sleep(seconds)
  if type(seconds) ~= "number" then error("dicom.sleep: not a number of seconds", 2) end
  local me = waiter()
  local over = false
  local _ <close> = add_timer(math.max(0, seconds), function()
    over = true
    wake(me)
  end)
  while not over do suspend(me) end
end

--- Calls `f(...)` with a limit of time. Returns what it returns, or nil and an error of code "timeout"; raises what
--- it raises.
---@param seconds number
---@param f function
---@return any ...
function M.timeout(seconds, f, ...)
  local late = errors.new("timeout", ("not done within %g s"):format(seconds))
  local child = M.task(f, ...)
  local timer = add_timer(seconds, function() child:cancel(late) end)
  local function result(ok, e, ...)
    timer.f = nil
    if ok then return e, ... end
    if not child.done then child:cancel() end -- whoever waited here was cancelled
    if e == late then return nil, late end
    error(e, 0)
  end
  return result(pcall(child.await, child))
end

--- Runs tasks until all have ended (a listener counts as one), or dicom.stop() is called.
---@param options? {signals?: boolean}  signals: SIGINT and SIGTERM stop it cleanly
---@return true|nil, dicom.Error|any  nil and the error of a task that failed while nobody awaited it
function M.run(options)
  local _, is_main = coroutine.running()
  if not is_main or driving then error(errors.new("usage", "dicom.run belongs on the main thread"), 0) end
  if options and options.signals then signal_id = assert(loop:signals(true)) end
  driving, stopped = true, false
  local function wanted() return alive > 0 and not stopped end
  local ok, e = pcall(function()
    while wanted() do
      if not step(wanted) then break end
      log_failures()
    end
  end)
  driving, stopped = false, false
  if signal_id then
    loop:signals(false)
    loop:signal()
    signal_id = nil
  end
  if not ok then error(e, 0) end
  log_failures()
  local first = failures[1]
  failures = {}
  if first then return nil, first.values[1] end
  return true
end

--- Makes dicom.run return.
function M.stop()
  stopped = true
end

--- The task that runs now, or nil on the main thread.
---@return dicom.Task?
function M.current()
  return current
end

--- Seconds of a clock that never goes back.
---@return number
function M.now()
  return loop:now()
end

--- Number of tasks that have not ended, of operations in flight and of timers: for specs that look for leaks.
---@return integer tasks, integer operations, integer timers
function M.census()
  local n, timers = 0, 0
  for _ in pairs(waiting) do n = n + 1 end
  for i = 1, heap_count do if heap[i].f then timers = timers + 1 end end
  return alive, n, timers
end

return M
