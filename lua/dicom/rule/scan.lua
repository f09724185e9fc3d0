-- SPDX-License-Identifier: MIT
--- Mistakes in a rule that its text already shows: a keyword that no dictionary has, and a list of values compared
--- with a literal, which is never equal. Reads words, not a grammar: what it cannot see, the rule raises when it runs.
local check = require "dicom.check"
local core = require "dicom.core"

local M = {}

local function skip_long(text, at)
  local equals = text:match("^%[(=*)%[", at)
  if not equals then return nil end
  local _, last = text:find("]" .. equals .. "]", at + #equals + 2, true)
  return (last or #text) + 1
end

local function skip_blank(text, at)
  while true do
    local after = text:match("^%s+()", at)
    if text:find("^%-%-", after or at) then
      local start = (after or at) + 2
      after = skip_long(text, start) or text:match("^[^\n]*()", start)
    end
    if not after then return at end
    at = after
  end
end

local function string_end(text, at)
  local quote = text:sub(at, at)
  at = at + 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == quote then return at + 1 end
    at = at + (c == "\\" and 2 or 1)
  end
  return at
end

-- Kind, text and end of the word at `at`.
local function word(text, at)
  local after = text:match("^[%a_][%w_]*()", at)
  if after then return "name", after end
  if text:find("^[\"']", at) then return "string", string_end(text, at) end
  after = skip_long(text, at)
  if after then return "string", after end
  after = text:match("^%.?%d[%w.]*()", at)
  if after then return "number", after end
  return "sign", text:match("^[=~<>]=()", at) or text:match("^%.%.%.?()", at) or at + 1
end

local function words(text)
  local list, at, line, counted = {}, skip_blank(text, 1), 1, 1
  while at <= #text do
    local kind, after = word(text, at)
    line = line + select(2, text:sub(counted, at - 1):gsub("\n", ""))
    counted = at
    list[#list + 1] = { kind = kind, text = text:sub(at, after - 1), line = line }
    at = skip_blank(text, after)
  end
  return list
end

local NONE = { kind = "none", text = "" }

local function at(list, i)
  return list[i] or NONE
end

-- The names that data sets have in `match = function(ds, ...)` and `change = function(ds, ...)`.
local function parameters(list)
  local names = {}
  for i, w in ipairs(list) do
    if (w.text == "match" or w.text == "change") and at(list, i + 1).text == "=" and at(list, i + 2).text == "function"
      and at(list, i + 4).kind == "name" then
      names[list[i + 4].text] = true
    end
  end
  return names
end

local function closing(list, i)
  local depth = 0
  repeat
    local text = at(list, i).text
    depth = depth + (text == "[" and 1 or text == "]" and -1 or 0)
    i = i + 1
  until depth == 0 or i > #list
  return i
end

local function is_literal(w)
  return w.kind == "string" or w.kind == "number"
end

local function is_equation(w)
  return w.text == "==" or w.text == "~="
end

local function is_list(keyword)
  local entry = core.dict_by_keyword(keyword)
  return entry.vr ~= "SQ" and not (entry.vm_min == 1 and entry.vm_max == 1)
end

-- Follows `ds.A[1].B` from the word after `ds`: the last keyword, if the chain ends with one, and the word after it.
local function follow(list, i, fail)
  local last
  while true do
    local sign, key = at(list, i), at(list, i + 1)
    local quoted = sign.text == "[" and key.kind == "string" and at(list, i + 2).text == "]"
      and key.text:match "^.(%u%w*).$"
    if sign.text == "." and key.kind == "name" and key.text:find "^%u" or quoted then
      last = quoted or key.text
      if not core.dict_by_keyword(last) then
        fail(key.line, "no attribute is called %s; the nearest is %s", last, core.dict_nearest(last))
      end
      i = i + (quoted and 3 or 2)
    elseif sign.text == "[" then
      last, i = nil, closing(list, i)
    else
      return last, i
    end
  end
end

--- Raises an error of code "config" at the first mistake.
---@param text string
---@param name string  of the file, for the message
function M.source(text, name)
  local list = words(text)
  local names = parameters(list)
  local function fail(line, ...) check.fail(name .. ":" .. line, ...) end
  for i, w in ipairs(list) do
    local before = at(list, i - 1).text
    if w.kind == "name" and names[w.text] and before ~= "." and before ~= ":" then
      local keyword, after = follow(list, i + 1, fail)
      local compared = is_equation(at(list, after)) and is_literal(at(list, after + 1))
        or is_equation(at(list, i - 1)) and is_literal(at(list, i - 2))
      if compared and keyword and is_list(keyword) then
        fail(w.line, "%s is a list of values: compare one, %s.%s[1] == ..., or ask %s.%s:has(...)", keyword, w.text,
          keyword, w.text, keyword)
      end
    end
  end
end

return M
