-- SPDX-License-Identifier: MIT
-- The sandbox's own matcher gives what string.find, match, gmatch and gsub of Lua 5.4 give, on random input, errors
-- included.
local core = require "dicom.core"
require "dicom.error"

local BODY = [[
  local what, s, p, a, b = ...
  local function all(...)
    local r = table.pack(pcall(string[what], ...))
    for i = 1, r.n do if r[i] == nil then r[i] = "nil" end end
    if not r[1] then return { "error" } end
    return r
  end
  if what == "gmatch" then
    local out = {}
    local good = pcall(function()
      for x, y in string.gmatch(s, p, a) do
        out[#out + 1] = x
        out[#out + 1] = y or "nil"
        if #out > 100 then break end
      end
    end)
    return good and out or { "error" }
  end
  if a == "function" then a = function(x, y) return y and (x .. y) or (x == "b" and 7) end end
  return all(s, p, a, b)]]

local reference = assert(load(BODY))
local sb = core.sandbox { instructions = 1e8, seconds = 20, memory = 64 << 20 }
local handle = assert(sb:load(BODY))

local function compare(what, s, p, a, b)
  local ours, err = sb:call(handle, what, s, p, a, b)
  assert(ours, err and err.text)
  local theirs = reference(what, s, p, a, b)
  if #ours == 1 and ours[1] == "error" and theirs[1] == "error" then return end
  assert.same(theirs, ours, ("%s(%q, %q, %s, %s)"):format(what, s, p, tostring(a), tostring(b)))
end

local function pick(list)
  return list[math.random(#list)]
end

local PIECES = { "a", "b", "c", ".", "%a", "%A", "%d", "%s", "%w", "%W", "%p", "%u", "%l", "%x", "%c",
  "%g", "%.", "%%", "[abc]", "[^a]",
  "[a-c]", "[%a_]", "[]]", "[^]]", "[a-]", "[-a]", "[%-x]", "()", "%b()", "%bab", "%f[%a]", "%f[^a]", "%1",
  "%2", "(a)", "(.-)", "(a*)", "((b)c)", "^", "$", "-", "]", "\0", "[\0-\31]", "[a-%a]", "[^%s]", "\xe4" }
local QUANTIFIERS = { "", "", "", "*", "+", "-", "?" }
local BROKEN = { "%", "[", "[a", "[^", "(", ")", "%b", "%bx", "%f", "%fa", "[%", "%9", "%0", "[a-" }
local LETTERS = { "a", "b", "c", "a", "b", "A", "1", " ", "(", ")", "x", "_", ".", "\0", "]", "-", "\xe4", "\n" }

local function random_pattern()
  local t = {}
  if math.random(8) == 1 then t[1] = "^" end
  for _ = 1, math.random(0, 5) do t[#t + 1] = pick(PIECES) .. pick(QUANTIFIERS) end
  if math.random(12) == 1 then table.insert(t, math.random(1, #t + 1), pick(BROKEN)) end
  if math.random(8) == 1 then t[#t + 1] = "$" end
  return table.concat(t)
end

local function random_subject()
  local t = {}
  for i = 1, math.random(0, 14) do t[i] = pick(LETTERS) end
  return table.concat(t)
end

describe("patterns", function()
  it("find and match as string.* on random input", function()
    math.randomseed(20240517)
    for _ = 1, 20000 do
      local s, p = random_subject(), random_pattern()
      local init = math.random(4) == 1 and math.random(-16, 16) or nil
      compare("find", s, p, init, math.random(10) == 1 or nil)
      compare("match", s, p, init)
    end
  end)

  it("gmatch as string.gmatch on random input", function()
    math.randomseed(20240518)
    for _ = 1, 10000 do
      compare("gmatch", random_subject(), random_pattern(), math.random(4) == 1 and math.random(-16, 16) or nil)
    end
  end)

  it("gsub as string.gsub on random input", function()
    math.randomseed(20240519)
    local replacements = { "", "x", "<%0>", "%1%1", "%2", "%%", "%", "%x", 12, { a = "A", b = false, [1] = "one" },
      "function" }
    for _ = 1, 20000 do
      compare("gsub", random_subject(), random_pattern(), pick(replacements),
        math.random(4) == 1 and math.random(-1, 3) or nil)
    end
  end)

  it("know plain text and long subjects", function()
    compare("find", ("a"):rep(100000) .. "b%", "b%", 1, true)
    compare("find", ("a"):rep(100000), "a*$")
    compare("match", ("x "):rep(50000) .. "end", "(%a+)$")
    compare("gsub", ("ab"):rep(50000), "b", "%0%0")
    compare("gsub", "hello world", "o", { o = true })
    compare("find", "a\0b\0c", "\0c")
    compare("find", "", "")
    compare("find", "abc", "", 10)
    compare("find", "abc", "", 4)
    compare("match", "2024-05-17", "^(%d+)-(%d+)-(%d+)$")
    compare("match", "key = value", "^(%w+)%s*=%s*(%w+)$")
    compare("gsub", "THE (quick) fox", "%((%w+)%)", "<%1>")
    compare("find", ("("):rep(33), ("("):rep(33) .. (")"):rep(33))
  end)
end)
