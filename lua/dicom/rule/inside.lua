-- SPDX-License-Identifier: MIT
-- What rules see. This text runs inside the sandbox, before any rule; it is loaded by dicom.rule, never required. It
-- returns the functions that the outside calls.
local sources, loaded = {}, {}
local rules, functions, number_of = {}, {}, {}
local Deid, Secret = {}, {}
local rejections = setmetatable({}, { __mode = "k" }) -- what a marker says is not for rules to write

-- Labels and nested functions make the parser quadratic, and it runs without hooks.
local LONGEST_LOAD = 64 << 10
local LIBRARIES = { "string", "table", "math", "utf8", "coroutine" }

local core = _G.core
_G.core = nil

local base = {}
for name, value in pairs(_G) do base[name] = value end
base._G, base.load, base.log = nil, nil, print

--- deid { profile = "basic", key = secret "research" }: a marker; the de-identifier itself stays outside.
function base.deid(spec)
  if type(spec) ~= "table" then error("deid takes a table", 2) end
  return setmetatable({ spec = spec }, Deid)
end

--- secret "name": a marker; the bytes never come in here.
function base.secret(name)
  if type(name) ~= "string" then error("secret takes a name", 2) end
  return setmetatable({ name = name }, Secret)
end

--- `return reject(0xC001)` in match refuses the instance: a failure status of C-STORE (PS3.4 B.2.3).
function base.reject(status, comment)
  local class = math.type(status) == "integer" and status >> 12
  if not (class == 0xA or class == 0xC or class == 0 and status >= 0x0100 and status <= 0x0213) then
    error("reject takes a failure status: 0xA700 to 0xAFFF, 0xC000 to 0xCFFF, 0x0100 to 0x0213", 2)
  end
  if comment ~= nil and type(comment) ~= "string" then error("the comment of reject is a text", 2) end
  local marker = {}
  rejections[marker] = { status = status, comment = comment }
  return marker
end

-- The package's own modules of pure Lua that rules may use, loaded in here as well.
local helpers = { ["dicom.core"] = core }

local function help(name, text)
  local env = setmetatable({ require = function(wanted) return helpers[wanted] end }, { __index = _G })
  helpers[name] = assert(load(text, "=" .. name, "t", env))()
  return true
end

-- In a change chance hangs on the instance and the rule: made again, for an instance that its sender sent again, it
-- makes the same.
local chance, made = nil, 0

local function new_uid()
  if not chance then return helpers["dicom.uid"].new() end
  made = made + 1
  local hex = ("%s%06x"):format(chance, made)
  return helpers["dicom.uid"].from_uuid(hex:sub(1, 12) .. "8" .. hex:sub(14, 16) .. "8" .. hex:sub(18)) -- RFC 9562 5.8
end

local function hang_chance_on(seed)
  chance, made = seed, 0
  if seed then math.randomseed(tonumber(seed:sub(1, 12), 16), tonumber(seed:sub(13, 26), 16)) end
end

local function offer()
  local methods = core.dataset_methods()
  methods.save, methods.dump = nil, nil
  base.uid, base.name, base.date = new_uid, helpers["dicom.name"], helpers["dicom.date"]
  return true
end

local function unknown(_, name)
  error(("nothing is called %s here"):format(tostring(name)), 2)
end
setmetatable(base, { __index = unknown })

local function place()
  return (select(2, pcall(error, "", 4)):gsub(": $", ""))
end

-- Libraries of its own: what a file does to them hurts no other, and nothing here.
local function add_libraries(env)
  for _, name in ipairs(LIBRARIES) do
    local library = {}
    for k, v in pairs(_G[name]) do library[k] = v end
    env[name] = library
  end
end

local function add_load(env)
  function env.load(text, name, mode, e)
    if type(text) == "string" and #text > LONGEST_LOAD then error("load takes at most 64 KiB of text", 2) end
    return load(text, name, mode, e or env)
  end
end

-- The names of one file: its own globals, then what all have.
local function environment(file)
  local env = setmetatable({}, { __index = base, __metatable = false })
  add_libraries(env)
  add_load(env)
  env.rule = function(name)
    local where = place()
    if type(name) ~= "string" or name == "" then error("rule takes a name", 2) end
    return function(fields)
      if type(fields) ~= "table" then error("rule \"" .. name .. "\" takes a table", 2) end
      rules[#rules + 1] = { name = name, file = file, place = where, fields = fields }
    end
  end
  return env
end

local function run(path)
  local state = loaded[path]
  if state then
    if state.running then error(("%s requires itself"):format(path), 3) end
    return state.value
  end
  state = { running = true }
  loaded[path] = state
  local source = sources[path]
  local chunk, problem = load(source.text, "@" .. source.name, "t", environment(path))
  if not chunk then error(problem, 0) end
  state.value = chunk()
  if state.value == nil then state.value = true end
  state.running = false
  return state.value
end

--- require "lib.names": the file lib/names.lua of the rules' folder.
function base.require(name)
  if type(name) ~= "string" or not name:find "^[%w_-]+[%w_.-]*$" or name:find("..", 1, true) then
    error("require takes the name of a file in the folder of the rules", 2)
  end
  local path = name:gsub("%.", "/")
  for _, candidate in ipairs { path .. ".lua", path .. "/init.lua" } do
    if sources[candidate] then return run(candidate) end
  end
  error(("no file %s.lua in the folder of the rules"):format(path), 2)
end

local function number(f)
  if not number_of[f] then
    functions[#functions + 1] = f
    number_of[f] = #functions
  end
  return number_of[f]
end

-- Plain copies for the outside; secrets as { secret = name }.
local function plain(value, depth)
  if type(value) ~= "table" then return type(value) == "function" and "(a function)" or value end
  if getmetatable(value) == Secret then return { secret = value.name } end
  if depth > 4 then error("a table nested too deep", 0) end
  local copy = {}
  for k, v in pairs(value) do copy[k] = plain(v, depth + 1) end
  return copy
end

local function step(value)
  if type(value) == "function" then return { kind = "function", number = number(value) } end
  if getmetatable(value) == Deid then return { kind = "deid", spec = plain(value.spec, 0) } end
  return { kind = type(value) }
end

local function steps(change)
  if change == nil then return nil end
  if type(change) ~= "table" or getmetatable(change) == Deid then return { step(change) } end
  local list = {}
  for i, value in ipairs(change) do list[i] = step(value) end
  return list
end

local function describe(rule)
  local types = {}
  for key, value in pairs(rule.fields) do types[tostring(key)] = type(value) end
  return { name = rule.name, place = rule.place, types = types, send = plain(rule.fields.send, 0),
    change = steps(rule.fields.change) }
end

local function define(path, name, text)
  sources[path] = { name = name, text = text }
  return true
end

local function start(path)
  run(path)
  return true
end

local function plan()
  local list = {}
  for i, rule in ipairs(rules) do list[i] = describe(rule) end
  return list
end

local function match(i, ds, origin)
  hang_chance_on(nil)
  local result = rules[i].fields.match(ds, origin)
  local rejection = rejections[result]
  if rejection then return "reject", rejection.status, rejection.comment end
  return result and "yes" or "no"
end

local function change(i, ds, origin, seed)
  hang_chance_on(seed)
  return functions[i](ds, origin) ~= false
end

return help, offer, define, start, plan, match, change
