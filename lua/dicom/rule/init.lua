-- SPDX-License-Identifier: MIT
--- Rules: Lua files that decide where an instance goes and how it is changed before. They run in a sandbox of their own
--- (csrc/bind/sandbox.c); what they may name is in dicom.rule.inside. Everything that can be checked is checked here,
--- when they are loaded.
local check = require "dicom.check"
local core = require "dicom.core"
local errors = require "dicom.error"
local file = require "dicom.file"
local scan = require "dicom.rule.scan"
local secret = require "dicom.secret"

local M = {}

local MOST_FILES, DEEPEST = 1000, 4
local BUDGET = { instructions = 10000000, seconds = 2, memory = 64 << 20 }
-- In the order of their requires.
local HELPERS = { "dicom.error", "dicom.uid", "dicom.name", "dicom.date", "dicom.private", "dicom.dataset" }
local BUDGET_FIELDS = { instructions = "number", seconds = "number", memory = "number" }
local FIELDS = { match = "function", change = "function|table", send = "table" }
local DEID_FIELDS = { profile = "string", options = "table", key = "string", pixels = "string" }

---@class dicom.Origin
---@field id string        of the message in the queue and in the log
---@field calling_aet string
---@field called_aet string
---@field address string
---@field received string  UTC, "2026-01-01T00:00:00Z"

---@class dicom.Decision
---@field status? integer   refused by a rule: answer this
---@field comment? string
---@field rule? string      the rule that refused
---@field send string[]     destinations of the instance as it came
---@field changes {rules: string[], send: string[]}[]  destinations of a changed one; equal changes are one entry
---@field failures {rule: string, text: string, position?: string, code: string}[]
---@field matched boolean

---@class dicom.rule.Options
---@field destinations table<string, any>  by name
---@field budget? {instructions?: integer, seconds?: number, memory?: integer}  of one call of a rule
---@field log? dicom.Log

---@class dicom.Rules
---@field count integer
local Rules = {}
Rules.__index = Rules
Rules.__name = "dicom.rules"

-- The text of a module of ours, for the sandbox.
local texts = {}

local function text_of(module)
  if not texts[module] then
    local path = assert(package.searchpath(module, package.path))
    local f = assert(io.open(path, "rb"))
    texts[module] = f:read "a"
    f:close()
  end
  return texts[module]
end

-- ---- files ----

local function read(path)
  local f, problem = io.open(path, "rb")
  if not f then check.fail("rules", "%s", problem) end
  local text = f:read "a"
  f:close()
  return (text:gsub("^#[^\n]*", ""))
end

local function gather(folder, prefix, depth, list)
  local names, kinds = file.list(folder)
  if not names then check.fail("rules", "%s", tostring(kinds)) end
  for _, name in ipairs(names) do
    local path = folder .. "/" .. name
    if kinds[name] == "folder" and depth < DEEPEST and not name:find "^%." then
      gather(path, prefix .. name .. "/", depth + 1, list)
    elseif name:find "%.lua$" and not name:find "^%." then
      if #list == MOST_FILES then check.fail("rules", "more than %d files in %s", MOST_FILES, folder) end
      list[#list + 1] = { path = prefix .. name, name = path, text = read(path), is_rule = prefix == "" }
    end
  end
end

-- The rule files (of the folder itself) and the modules (of folders in it), and the folder.
local function sources(path)
  path = #path > 1 and path:gsub("/+$", "") or path
  local stat, err = file.stat(path)
  if not stat then check.fail("rules", "%s", tostring(err)) end
  local list = {}
  if stat.type == "folder" then
    gather(path, "", 1, list)
    return list, path
  end
  list[1] = { path = path:match "[^/]*$", name = path, text = read(path), is_rule = true }
  return list, path:match "^(.*)/[^/]*$" or "."
end

-- ---- sandbox ----

-- A sandbox in which all files ran, and the handles of its functions. Errors of the files are raised as "config".
local function enter(list, budget)
  local box = core.sandbox(budget)
  local first = assert(box:load(text_of "dicom.rule.inside", "=rules"))
  local help, offer, define, start, plan, match, change = box:call(first)
  assert(help, offer)
  for _, module in ipairs(HELPERS) do assert(box:call(help, module, text_of(module))) end
  assert(box:call(offer))
  for _, source in ipairs(list) do assert(box:call(define, source.path, source.name, source.text)) end
  for _, source in ipairs(list) do
    if source.is_rule then
      local good, err = box:call(start, source.path)
      if not good then
        local text = err.text:match "^[^\n]*"
        if err.code == "budget" then text = (err.position or source.name) .. ": " .. text end
        error(errors.new("config", text), 0)
      end
    end
  end
  return { box = box, plan = plan, match = match, change = change }
end

-- ---- checking ----

local function check_send(where, send, destinations)
  if #send == 0 then check.fail(where, "send names no destination") end
  local names = {}
  for name in pairs(destinations) do names[#names + 1] = name end
  for _, name in ipairs(send) do
    if type(name) ~= "string" then check.fail(where, "send is a list of names") end
    if not destinations[name] then
      check.fail(where, "unknown destination %q; the nearest is %q", name, check.nearest(name, names) or "(none)")
    end
  end
end

local function words(value)
  if type(value) ~= "table" then return type(value) .. ":" .. tostring(value) end
  local list = {}
  for k, v in pairs(value) do list[#list + 1] = words(k) .. "=" .. words(v) end
  table.sort(list)
  return "{" .. table.concat(list, ",") .. "}"
end

local function make_deid(where, spec, folder)
  local given = {}
  for k, v in pairs(spec) do given[k] = v end
  if type(spec.key) == "table" and spec.key.secret then
    local bytes, err = secret.read(spec.key.secret, folder)
    if not bytes then check.fail(where, "%s", err.text) end
    given.key = bytes
  elseif spec.key ~= nil then
    check.fail(where, "the key of deid must be a secret: key = secret \"name\"")
  end
  check.fields(where .. ": deid", given, DEID_FIELDS)
  local good, made = pcall(require "dicom.deid".new, given)
  if not good then check.fail(where, "%s", errors.is(made) and made.text or tostring(made)) end
  return made
end

-- Makes a step ready to run; its key is equal for equal steps.
local function check_step(where, step, folder)
  if step.kind == "function" then
    step.key = "function:" .. step.number
  elseif step.kind == "deid" then
    step.key = "deid:" .. words(step.spec)
    step.deid = make_deid(where, step.spec, folder)
  else
    check.fail(where, "change is a function, a deid{...}, or a list of these, not a %s", step.kind)
  end
end

local function check_rule(rule, seen, folder, destinations)
  local where = ("%s: rule %q"):format(rule.place, rule.name)
  if seen[rule.name] then check.fail(where, "the name is taken, at %s", seen[rule.name]) end
  seen[rule.name] = rule.place
  local allowed = {}
  for name in pairs(FIELDS) do allowed[name] = "string" end
  check.fields(where, rule.types, allowed)
  for name, kind in pairs(rule.types) do
    if not ("|" .. FIELDS[name] .. "|"):find("|" .. kind .. "|", 1, true) then
      check.fail(where, "%s must be a %s, not a %s", name, FIELDS[name]:gsub("|", " or "), kind)
    end
  end
  if rule.send then check_send(where, rule.send, destinations) end
  if rule.change and not rule.send then check.fail(where, "change without send changes nothing") end
  if not rule.send and not rule.types.match then check.fail(where, "neither match nor send") end
  local keys = {}
  for i, step in ipairs(rule.change or {}) do
    check_step(where, step, folder)
    keys[i] = step.key
  end
  rule.key = #keys > 0 and table.concat(keys, ";") or nil
end

--- Loads and checks rules: every `*.lua` of a folder in the order of their names, or one file.
---@param path string
---@param options dicom.rule.Options
---@return dicom.Rules  raises an error of code "config" that names file and rule
function M.load(path, options)
  check.fields("rules: budget", options.budget or {}, BUDGET_FIELDS)
  local budget = setmetatable(options.budget or {}, { __index = BUDGET })
  local list, folder = sources(path)
  for _, source in ipairs(list) do scan.source(source.text, source.name) end
  local state = enter(list, budget)
  local plan = assert(state.box:call(state.plan))
  local seen, beside = {}, folder:match "^(.*)/[^/]*$" or "."
  local self = setmetatable({ list = plan, sources = list, budget = budget, state = state, count = #plan,
    by_name = {}, log = options.log or require "dicom.log".default }, Rules)
  for i, rule in ipairs(plan) do
    rule.index = i
    check_rule(rule, seen, beside, options.destinations)
    self.by_name[rule.name] = rule
  end
  self:tell()
  return self
end

-- ---- running ----

--- What rules printed goes to the log.
---@package
function Rules:tell(rule)
  for _, text in ipairs(self.state.box:printed()) do
    self.log:info("rule says", { rule = rule and rule.name, text = text })
  end
end

local function renew(self)
  local state = enter(self.sources, self.budget)
  assert(state.box:call(state.plan)) -- numbers the functions again, as before
  self.state = state
end

-- One call into the sandbox. What a rule kept there until nothing was left is dropped with the whole sandbox; were it
-- made again at once and that failed, no rule could be asked any more.
local function call(self, rule, verb, handle, ...)
  if not self.state then renew(self) end
  local box = self.state.box
  local r = table.pack(box[verb](box, self.state[handle], ...))
  self:tell(rule)
  if r[1] == nil and r[2].which == "memory" then
    box:close()
    self.state = nil
  end
  return table.unpack(r, 1, r.n)
end

local function add_names(list, names)
  local has = {}
  for _, name in ipairs(list) do has[name] = true end
  for _, name in ipairs(names) do
    if not has[name] then
      list[#list + 1] = name
      has[name] = true
    end
  end
end

local function add(decision, rule)
  decision.matched = true
  if not rule.send then return end
  if not rule.key then return add_names(decision.send, rule.send) end
  local change = decision.by_key[rule.key]
  if not change then
    change = { rules = {}, send = {} }
    decision.by_key[rule.key] = change
    decision.changes[#decision.changes + 1] = change
  end
  change.rules[#change.rules + 1] = rule.name
  add_names(change.send, rule.send)
end

local function judge(self, decision, rule, ds, origin)
  if not rule.types.match then return add(decision, rule) end
  local answer, status, comment = call(self, rule, "look", "match", rule.index, ds, origin)
  if answer == nil then
    local err = status
    decision.failures[#decision.failures + 1] = { rule = rule.name, text = err.text, position = err.position,
      code = err.code }
  elseif answer == "reject" then
    decision.status, decision.comment, decision.rule = status, comment, rule.name
  elseif answer == "yes" then
    add(decision, rule)
  end
end

--- Asks every rule, in order. A rule that refuses ends the asking; one that fails is noted and the others go on.
---@param ds dicom.Dataset
---@param origin dicom.Origin
---@param only? string  the name of the one rule to ask
---@return dicom.Decision
function Rules:decide(ds, origin, only)
  local decision = { send = {}, changes = {}, failures = {}, by_key = {}, matched = false }
  for _, rule in ipairs(self.list) do
    if not only or rule.name == only then judge(self, decision, rule, ds, origin) end
    if decision.status then break end
  end
  decision.by_key = nil
  return decision
end

local function run_step(self, rule, step, ds, origin, seed)
  if step.kind == "deid" then return step.deid:apply(ds) end
  local keep, err = call(self, rule, "call", "change", step.number, ds, origin, seed)
  if keep == nil then return nil, err end
  return keep and ds
end

--- Runs the change of a rule on a data set that is the caller's to change.
---@param name string
---@param ds dicom.Dataset
---@param origin dicom.Origin
---@param seed? string  24 hexadecimal digits: the same give the same UIDs and random numbers
---@return dicom.Dataset|false|nil ds  false: the rule dropped it
---@return dicom.Error?
function Rules:change(name, ds, origin, seed)
  local rule = self.by_name[name]
  if not rule or not rule.change then
    return errors.fail("config", ("rule %q is gone, or has no change any more"):format(name))
  end
  for i, step in ipairs(rule.change) do
    local changed, err = run_step(self, rule, step, ds, origin, seed and ("%s%02x"):format(seed, i & 0xFF))
    if not changed then return changed, err end
    ds = changed
  end
  return ds
end

--- True when rules of this name exist and change.
---@param name string
---@return boolean
function Rules:has(name)
  return self.by_name[name] ~= nil
end

return M
