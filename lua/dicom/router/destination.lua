-- SPDX-License-Identifier: MIT
--- One destination: a line of envelopes, one task, one association at a time. What cannot be delivered now is tried
--- again, later each time; what never can is parked with its reason. No destination knows of another.
local bell = require "dicom.router.bell"
local errors = require "dicom.error"
local log = require "dicom.log"
local peer = require "dicom.peer"
local task = require "dicom.task"

---@class dicom.router.Destination
---@field name string
---@field waiting integer  envelopes
---@field problem? string  why it cannot be reached at the moment
local Destination = {}
Destination.__index = Destination
Destination.__name = "dicom.router.destination"

local M = {}

-- Errors that say something of this instance, not of the destination.
local OF_INSTANCE = { ["unknown context"] = true, ["bad value"] = true, ["bad uid"] = true, ["cannot convert"] = true,
  ["changed on disk"] = true, truncated = true, ["not dicom"] = true, ["too long"] = true }
-- The destination was there and ended while this instance was on its way: maybe because of it.
local ON_THE_WAY = { aborted = true, closed = true, timeout = true, ["bad command set"] = true }

--- What a status of C-STORE means for a delivery (PS3.4 B.2.3, PS3.7 Annex C).
---@param status integer
---@return "delivered"|"later"|"never"
function M.verdict(status)
  local class = status >> 12
  if status == 0 or class == 0xB or status == 0x0111 then return "delivered" end -- 0111H: it has it already
  if status >> 8 == 0xA7 or status == 0x0110 or status == 0x0124 or status == 0x0213 then return "later" end
  return "never"
end

---@param name string
---@param options table   of the destination: aet, host, port, ...
---@param retry table     { first=, most=, tries=, max_age= }
---@param router table    queue, log, and the methods delivered, parked
---@return dicom.router.Destination
function M.new(name, options, retry, router)
  return setmetatable({
    name = name, retry = retry, router = router, queue = router.queue, log = router.log,
    peer = peer.new { aet = options.aet, host = options.host, port = options.port, timeouts = options.timeouts,
      calling_aet = options.calling_aet or router.options.aet, max_pdu = options.max_pdu,
      exact = true }, -- what came is delivered byte for byte
    line = {}, first = 1, last = 0, later = {}, waiting = 0, failures = 0, resume_at = 0, bell = bell.new(),
  }, Destination)
end

-- ---- the line ----

--- Adds an envelope; one with a time in the future waits for it.
---@param message dicom.queue.Message
---@param part dicom.queue.Part
function Destination:add(message, part)
  local entry = { message = message, part = part }
  self.waiting = self.waiting + 1
  local wait = part.next - os.time()
  if wait > 0 then -- never longer than it may have been, whatever the clock or a damaged log said
    self:put_off(entry, math.min(wait, 1.25 * self.retry.most))
  else
    self.last = self.last + 1
    self.line[self.last] = entry
  end
  self.bell:ring()
end

-- Keeps `later` in the order of time.
function Destination:put_off(entry, seconds)
  local i = #self.later
  entry.at = task.now() + seconds
  while i > 0 and self.later[i].at > entry.at do i = i - 1 end
  table.insert(self.later, i + 1, entry)
end

-- The next envelope that may go: from the line and from those put off in turn, so that neither holds up the other.
function Destination:take()
  local due = self.later[1] and self.later[1].at <= task.now()
  if due and (self.first > self.last or not self.took_later) then
    self.took_later = true
    return table.remove(self.later, 1)
  end
  self.took_later = false
  if self.first > self.last then return nil end
  local entry = self.line[self.first]
  self.line[self.first] = nil
  self.first = self.first + 1
  return entry
end

function Destination:put_back(entry)
  if entry.at then return self:put_off(entry, 0) end
  self.first = self.first - 1
  self.line[self.first] = entry
end

-- ---- waiting ----

-- Seconds until something may go; 0: now.
function Destination:patience()
  local now = task.now()
  local at = self.first <= self.last and now or self.later[1] and self.later[1].at
  if not at then return 3600 end
  return math.max(0, math.max(at, self.resume_at) - now)
end

--- Seconds before the n-th try after a failure: twice as long each time, with some chance, so that many do not come
--- at once.
---@param n integer
---@return number
function Destination:delay(n)
  local exact = math.min(self.retry.most, self.retry.first * 2 ^ math.min(n - 1, 30))
  return exact * (0.75 + math.random() / 2)
end

-- ---- trying ----

local function age(message)
  local y, mo, d, h, mi, s = message.received:match "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)"
  if not y then return 0 end
  local then_ = os.time { year = y, month = mo, day = d, hour = h, min = mi, sec = s, isdst = false }
  return os.difftime(os.time(os.date "!*t"), then_)
end

function Destination:park(entry, reason)
  self.waiting = self.waiting - 1
  local ok, err = self.queue:note(entry.message, entry.part, "parked", reason)
  if not ok then self.log:error("not noted", { id = entry.message.id, to = self.name, error = err.code }) end
  self.router:parked(entry.message, entry.part)
end

-- Why there is no try after this one, or nil.
function Destination:last_try(entry)
  local retry, tries = self.retry, entry.part.tries + 1
  if retry.tries and tries >= retry.tries then return (" (try %d, the last)"):format(tries) end
  if retry.max_age and age(entry.message) > retry.max_age then return " (too old to go on)" end
end

-- Tries again later, unless there were enough tries.
function Destination:put_off_or_park(entry, reason)
  local part = entry.part
  local tries = part.tries + 1
  local last = self:last_try(entry)
  if last then return self:park(entry, reason .. last) end
  local delay = self:delay(tries)
  self.queue:note(entry.message, part, "failed", tries, math.ceil(os.time() + delay), reason)
  self.log:warn("delivery failed", { to = self.name, id = entry.message.id, tries = tries, reason = reason,
    again_in = ("%.0f"):format(delay) })
  self:put_off(entry, delay)
end

function Destination:delivered(entry, status)
  self.failures, self.problem = 0, nil
  self.log:info("delivered", { to = self.name, id = entry.message.id, status = ("%04X"):format(status),
    tries = entry.part.tries > 0 and entry.part.tries + 1 or nil })
  local ok, err = self.queue:note(entry.message, entry.part, "delivered")
  self.waiting = self.waiting - 1
  if not ok then self.log:error("not noted", { id = entry.message.id, to = self.name, error = err.code }) end
  self.router:delivered(entry.message)
end

-- Something that will not change by waiting is asked for once more before it is believed.
function Destination:never(entry, reason)
  if entry.confirmed then return self:park(entry, reason) end
  entry.confirmed = true
  self:put_off_or_park(entry, reason)
end

-- The destination cannot be reached: it is left alone for a while, and nothing loses its place.
function Destination:unreachable(entry, reason)
  local last = self:last_try(entry)
  if last then return self:park(entry, reason .. last) end
  local again = math.ceil(os.time() + self.resume_at - task.now())
  self.queue:note(entry.message, entry.part, "failed", entry.part.tries + 1, again, reason)
  self:put_back(entry)
end

-- After failures in a row, whatever their kind, the destination has a rest.
function Destination:rest(reason)
  self.failures, self.problem = self.failures + 1, reason
  self.resume_at = task.now() + self:delay(self.failures)
end

function Destination:failed(entry, err)
  local reason = err.code == "system" and err.text or err.code or "error"
  if OF_INSTANCE[err.code] or err.path then return self:never(entry, err.text) end
  if not self.problem then self.log:warn("destination does not answer", { to = self.name, reason = reason }) end
  self:rest(reason)
  if ON_THE_WAY[err.code] then return self:put_off_or_park(entry, reason) end
  self:unreachable(entry, reason)
end

function Destination:deliver(entry)
  local ds, problem = self.queue:load(entry.message)
  if not ds then return self:never(entry, tostring(problem)) end
  local status, detail = self.peer.store(ds)
  ds:close()
  if not status then return self:failed(entry, detail) end
  local verdict = M.verdict(status)
  if verdict == "delivered" then return self:delivered(entry, status) end
  self.problem, self.failures = nil, 0
  local reason = ("status %04X"):format(status)
  if verdict == "never" then return self:never(entry, reason) end
  self:put_off_or_park(entry, reason)
end

-- A mistake of ours with one instance must not end the deliveries of all.
function Destination:try(entry)
  local good, err = pcall(self.deliver, self, entry)
  if good then return end
  if self.stopping then error(err, 0) end
  self.log:error("delivery broke", { to = self.name, id = entry.message.id,
    error = errors.is(err) and err.code or log.reason(err) })
  self:put_off(entry, self:delay(1 + entry.part.tries))
end

function Destination:run()
  while not self.stopping do
    local patience = self:patience()
    if patience > 0 then
      self.bell:wait(math.min(patience, 3600))
    else
      local entry = self:take()
      if entry then self:try(entry) end
    end
  end
end

--- Begins to deliver.
function Destination:start()
  self.task = task.task(self.run, self)
end

--- Stops at once: what is on its way is aborted and stays in the queue.
function Destination:stop()
  self.stopping = true
  self.task:cancel()
  pcall(self.task.await, self.task)
  self.peer:close()
end

return M
