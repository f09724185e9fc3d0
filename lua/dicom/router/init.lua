-- SPDX-License-Identifier: MIT
--- The router: receives, lets the rules decide, keeps, changes, delivers. An instance is acknowledged when it and the
--- decision about it are kept; from then on only a delivery, or a person, takes it out of the queue.
local bell = require "dicom.router.bell"
local config = require "dicom.router.config"
local destination = require "dicom.router.destination"
local errors = require "dicom.error"
local log = require "dicom.log"
local listener = require "dicom.listener"
local queue = require "dicom.queue"
local rule = require "dicom.rule"
local status = require "dicom.status"
local task = require "dicom.task"

---@class dicom.Router
---@field port? integer  the port that it listens at, once started
---@field private options table
---@field private queue table
---@field private rules dicom.Rules
local Router = {}
Router.__index = Router
Router.__name = "dicom.router"

local M = {}

local UNMATCHED = "(no rule)" -- stands for a rule in the part that is parked when none matched
local ORDERS_EVERY = 2        -- seconds between two looks at what people ask for

---@class dicom.RouterOptions
---@field aet string                    ours; what senders must call
---@field port? integer                 104; 0 picks a free one
---@field host? string                  address to listen at
---@field rules string                  folder of rules, or one file
---@field queue string                  "spool:FOLDER" or "memory"
---@field destinations table<string, dicom.RouterDestination>
---@field unmatched? "park"|"reject"|string[]  what becomes of an instance that no rule sends: "park"
---@field retry? dicom.RouterRetry      for all destinations
---@field budget? {instructions?: integer, seconds?: number, memory?: integer}  of one call of a rule
---@field log? dicom.Log|{level?: string, sink?: fun(line: string)}
---@field timeouts? {acse?: number, dimse?: number, idle?: number}
---@field max_pdu? integer
---@field max_associations? integer

---@class dicom.RouterDestination
---@field aet string
---@field host string
---@field port integer
---@field calling_aet? string           the router's own when not given
---@field timeouts? {connect?: number, acse?: number, dimse?: number, idle?: number}
---@field max_pdu? integer
---@field retry? dicom.RouterRetry

---@class dicom.RouterRetry
---@field first? number    seconds before the second try: 1
---@field most? number     the longest wait: 300
---@field tries? integer   then it is parked; without: for ever
---@field max_age? number  seconds after which it is parked instead of tried again

---@class dicom.RouterStatus
---@field received integer   acknowledged
---@field refused integer    by a rule, or because none matched
---@field failed integer     could not be kept: the sender got A700H
---@field delivered integer
---@field changed integer
---@field dropped integer    by a change that gave false
---@field parked integer     deliveries, changes and rules
---@field destinations table<string, {waiting: integer, problem?: string}>

--- A router. Everything it was told is checked now, rules and secrets included; nothing is opened.
---@param given dicom.RouterOptions
---@return dicom.Router  raises an error of code "config"
function M.new(given)
  local options = config.check(given)
  local self = setmetatable({ options = options, log = options.log, queue = queue.new(options.queue),
    parked_messages = {}, changes = {}, tasks = {}, bell = bell.new(),
    counts = { received = 0, refused = 0, failed = 0, delivered = 0, changed = 0, dropped = 0 } }, Router)
  self.rules = rule.load(options.rules, { destinations = options.destinations, budget = options.budget,
    log = options.log })
  config.check_rules(options, self.rules.count)
  self.destinations = {}
  for name, one in pairs(options.destinations) do
    self.destinations[name] = destination.new(name, one, config.retry_of(options, one), self)
  end
  return self
end

-- ---- deciding ----

local function add_parts(parts, decision, first_change)
  for _, name in ipairs(decision.send) do parts[#parts + 1] = { kind = "to", name = name } end
  for i, change in ipairs(decision.changes) do
    parts[#parts + 1] = { kind = "change", name = tostring(first_change + i - 1),
      fields = { rules = change.rules, send = change.send } }
  end
  for _, failure in ipairs(decision.failures) do
    parts[#parts + 1] = { kind = "rule", name = failure.rule, fields = { state = "parked", error = failure.text } }
  end
  return parts
end

-- The parts of a message, or nil and the status that refuses the instance.
function Router:plan(ds, origin)
  local decision = self.rules:decide(ds, origin)
  for _, failure in ipairs(decision.failures) do
    self.log:error("rule failed", { rule = failure.rule, at = failure.position, why = failure.code })
  end
  if decision.status then return nil, decision.status, decision.rule end
  local parts = add_parts({}, decision, 1)
  if #parts > 0 then return parts end
  local unmatched = self.options.unmatched
  if unmatched == "reject" then return nil, status.not_authorized, UNMATCHED end
  if unmatched == "park" then
    return { { kind = "rule", name = UNMATCHED, fields = { state = "parked", error = "no rule sends it anywhere" } } }
  end
  for i, name in ipairs(unmatched) do parts[i] = { kind = "to", name = name } end
  return parts
end

-- ---- receiving ----

local function origin_of(association)
  return { id = queue.id(), calling_aet = association.calling_aet, called_aet = association.called_aet,
    address = association.address,
    received = os.date "!%Y-%m-%dT%H:%M:%SZ" }
end

function Router:keep(ds, origin)
  local parts, refusal, by = self:plan(ds, origin)
  if not parts then
    self.counts.refused = self.counts.refused + 1
    self.log:info("refused", { from = origin.calling_aet, status = ("%04X"):format(refusal), rule = by })
    self.queue:refuse(ds)
    return refusal
  end
  local message, err = self.queue:accept(ds, parts, origin)
  if not message then error(err, 0) end
  self.counts.received = self.counts.received + 1
  self.log:info("received", { from = origin.calling_aet, id = message.id, bytes = message.size, parts = #parts })
  self:route(message)
  return status.success
end

-- The answer to one C-STORE. Whatever keeps us from keeping it, the sender must: A700H.
function Router:receive(ds, association)
  local good, answer = pcall(self.keep, self, ds, origin_of(association))
  if good then return answer end
  self.counts.failed = self.counts.failed + 1
  self.log:error("not kept", { from = association.calling_aet,
    error = errors.is(answer) and answer.code or log.reason(answer) })
  pcall(self.queue.refuse, self.queue, ds)
  return status.out_of_resources
end

-- The handler that a listener gets: it says where files go, and takes them.
local function handler_of(router)
  return setmetatable({ sink = function() return router.queue:sink() end },
    { __call = function(_, ds, association) return router:receive(ds, association) end })
end

-- ---- what is to be done with a message ----

function Router:delivered()
  self.counts.delivered = self.counts.delivered + 1
end

function Router:parked(message, part)
  self.parked_messages[message.id] = message
  self.log:warn("parked", { id = message.id, [part.kind] = part.name })
end

function Router:park(message, part, reason)
  local ok, err = self.queue:note(message, part, "parked", reason)
  if not ok then self.log:error("not noted", { id = message.id, error = err.code }) end
  self:parked(message, part)
end

function Router:route_part(message, part)
  if part.state == "parked" then
    self:parked(message, part)
  elseif part.state == "waiting" and part.kind == "to" then
    local to = self.destinations[part.name]
    if not to then return self:park(message, part, "there is no such destination any more") end
    to:add(message, part)
  elseif part.state == "waiting" then
    self.changes[#self.changes + 1] = { message = message, part = part }
    self.bell:ring()
  end
end

function Router:route(message)
  for _, part in ipairs(message.parts) do self:route_part(message, part) end
end

-- ---- changing: one after the other, in a task of its own ----

local function rule_for(rules, names)
  for _, name in ipairs(names) do
    if rules:has(name) then return name end
  end
  return names[1]
end

-- What chance hangs on in the change of an instance. An instance that was kept but not acknowledged, since the router
-- died in between, comes again: what is made of it then is the same.
local function seed_of(self, ds, name)
  local text = table.concat({ "dicom-change/1", ds:get "SOPInstanceUID" or "", name }, "\0")
  local bytes = require "dicom.tls".hmac_sha256(self.queue.key, text)
  return (bytes:sub(1, 12):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- Makes the change and commits it. Nil and an error when it could not be committed: it is tried again.
function Router:change(message, part)
  local ds, err = self.queue:load(message)
  if not ds then return self:park(message, part, tostring(err)) end
  local name = rule_for(self.rules, part.rules)
  local changed
  changed, err = self.rules:change(name, ds, message.origin, seed_of(self, ds, name))
  if changed == nil then
    self.log:error("change failed", { rule = name, id = message.id, at = err.position, why = err.code })
    return self:park(message, part, ("rule %s: %s"):format(name, err.text))
  end
  local made
  made, err = self.queue:derive(message, part, changed)
  if not made then return nil, err end
  local what = changed and "changed" or "dropped"
  self.counts[what] = self.counts[what] + 1
  self.log:info(what, { rule = name, id = message.id, new = changed and made.id or nil })
  if changed then self:route(made) end
end

-- Asks one rule again that failed before; what it says now is added to the message.
function Router:ask_again(message, part)
  local ds, err = self.queue:load(message)
  if not ds then return self:park(message, part, tostring(err)) end
  local only = part.name ~= UNMATCHED and part.name or nil
  if only and not self.rules:has(only) then return self:park(message, part, "the rule is gone") end
  local decision = self.rules:decide(ds, message.origin, only)
  local failure = decision.failures[1]
  if failure then return self:park(message, part, failure.text) end
  if decision.status then
    return self:park(message, part, ("the rule refuses it: %04X"):format(decision.status))
  end
  local first = 1
  for _, p in ipairs(message.parts) do
    if p.kind == "change" then first = math.max(first, tonumber(p.name) + 1) end
  end
  local parts = add_parts({}, decision, first)
  if only == nil and #parts == 0 then return self:park(message, part, "no rule sends it anywhere") end
  local added
  added, err = self.queue:extend(message, part, parts)
  if not added then return nil, err end
  for _, p in ipairs(added) do self:route_part(message, p) end
end

-- Does one of them; gives the error after which it must be done again. A mistake of ours parks it.
function Router:work(entry)
  local act = entry.part.kind == "change" and self.change or self.ask_again
  local good, problem, err = pcall(act, self, entry.message, entry.part)
  if good then return err end
  if self.stopped then error(problem, 0) end
  self.log:error("change broke", { id = entry.message.id,
    error = errors.is(problem) and problem.code or log.reason(problem) })
  self:park(entry.message, entry.part, tostring(problem))
end

function Router:run_changes()
  local patience = 1
  while true do
    local entry = self.changes[1]
    if not entry then
      self.bell:wait(3600)
    else
      table.remove(self.changes, 1)
      local err = self:work(entry)
      if err then
        self.log:error("not changed", { id = entry.message.id, error = err.code })
        table.insert(self.changes, 1, entry)
        task.sleep(patience)
        patience = math.min(60, patience * 2)
      else
        patience = 1
      end
    end
  end
end

-- ---- what people ask for ----

function Router:obey(order)
  local message = self.parked_messages[order.id]
  if not message then return end
  self.parked_messages[order.id] = nil
  self.log:info("asked to " .. order.what, { id = order.id })
  for _, part in ipairs(message.parts) do
    if part.state == "parked" then
      local ok, err = self.queue:note(message, part, order.what == "retry" and "retry" or "dropped")
      if not ok then self.log:error("not noted", { id = order.id, error = err.code }) end
      if ok and order.what == "retry" then self:route_part(message, part) end
    end
  end
end

function Router:watch_orders()
  while true do
    for _, order in ipairs(self.queue:orders_given()) do self:obey(order) end
    task.sleep(ORDERS_EVERY)
  end
end

-- ---- starting and stopping ----

function Router:listen()
  local o = self.options
  return listener.listen { aet = o.aet, port = o.port, host = o.host, store = handler_of(self), timeouts = o.timeouts,
    max_pdu = o.max_pdu, max_associations = o.max_associations }
end

--- Opens the queue, goes on with what is in it, and listens. The event loop must run: `dicom.run()`, or `router:run()`.
---@return true|nil, dicom.Error?
function Router:start()
  if self.listener or self.stopped then error(errors.new("usage", "a router starts once"), 2) end
  local messages, err = self.queue:open()
  if not messages then return nil, err end
  self.listener, err = self:listen()
  if not self.listener then
    self.queue:close()
    return nil, err
  end
  self.port = self.listener.port
  for _, message in ipairs(messages) do self:route(message) end
  for _, one in pairs(self.destinations) do one:start() end
  self.tasks[1] = task.task(self.run_changes, self)
  if self.queue.orders_given then self.tasks[2] = task.task(self.watch_orders, self) end
  self.log:info("router started", { aet = self.options.aet, port = self.port, rules = self.rules.count,
    waiting = #messages })
  return true
end

--- Stops: no more is received or sent; what is not delivered stays in the queue.
function Router:stop()
  if not self.listener then return end
  self.stopped = true
  self.listener:close()
  self.listener, self.port = nil, nil
  for _, one in pairs(self.destinations) do one:stop() end
  for _, one in ipairs(self.tasks) do
    one:cancel()
    pcall(one.await, one)
  end
  self.tasks = {}
  self.queue:close()
  self.log:info("router stopped", {})
end

--- Starts, serves until SIGINT, SIGTERM or `dicom.stop()`, stops.
---@return true|nil, dicom.Error?
function Router:run()
  local ok, err = self:start()
  if not ok then return nil, err end
  ok, err = task.run { signals = true }
  self:stop()
  return ok, err
end

--- Counts since the start, and what waits.
---@return dicom.RouterStatus
function Router:status()
  local result = { parked = 0, destinations = {} }
  for name, count in pairs(self.counts) do result[name] = count end
  for _, message in pairs(self.parked_messages) do
    for _, part in ipairs(message.parts) do
      if part.state == "parked" then result.parked = result.parked + 1 end
    end
  end
  for name, one in pairs(self.destinations) do
    result.destinations[name] = { waiting = one.waiting, problem = one.problem }
  end
  return result
end

return M
