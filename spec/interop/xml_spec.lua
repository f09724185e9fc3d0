-- SPDX-License-Identifier: MIT
-- XML of every test file beside DCMTK's dcm2xml --native-format: both as a list of paths with their text, so that white
-- space and order do not count. Where they differ a row of REASONS says why; nothing else may differ.
local dicom = require "dicom"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local ENTITIES = { lt = "<", gt = ">", amp = "&", quot = '"', apos = "'" }

local function plain(s)
  return (s:gsub("&(#?)(%w+);", function(number, name)
    return number == "#" and utf8.char(tonumber(name)) or ENTITIES[name]
  end))
end

-- Path to text. An attribute's own path gives its VR, keyword and creator.
local function flat(xml)
  local stack, map, leaf = {}, {}, false
  for text, tag in xml:gmatch "([^<]*)<([^>]*)>" do
    local name = tag:match "^/?([%w]+)"
    local path = "/" .. table.concat(stack, "/")
    if tag:sub(1, 1) == "?" or name == "NativeDicomModel" then
      leaf = false
    elseif tag:sub(1, 1) == "/" then
      if leaf then map[path] = plain(text) end
      stack[#stack], leaf = nil, false
    elseif name == "DicomAttribute" then
      stack[#stack + 1] = tag:match 'tag="(%x+)"'
      while map["/" .. table.concat(stack, "/")] do stack[#stack] = stack[#stack] .. "+" end -- of another creator
      map["/" .. table.concat(stack, "/")] = ("%s %s %s"):format(tag:match 'vr="(%w+)"',
        tag:match 'keyword="(%w+)"' or "",
        plain(tag:match 'privateCreator="([^"]*)"' or ""))
      leaf = false
    else
      stack[#stack + 1] = name .. (tag:match 'number="(%d+)"' or "")
      leaf = true
      if tag:sub(-1) == "/" then stack[#stack] = nil end
    end
  end
  return map
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local VALUES = {}
for i = 1, #DIGITS do VALUES[DIGITS:sub(i, i)] = i - 1 end

local function bytes(base64)
  local out = {}
  for group in base64:gmatch "...." do
    local v, n = 0, 3
    for c in group:gmatch "." do
      if c == "=" then n = n - 1 end
      v = v << 6 | (VALUES[c] or 0)
    end
    out[#out + 1] = (">I3"):pack(v):sub(1, n)
  end
  return table.concat(out)
end

local WIDTHS = { OW = 2, OL = 4, OF = 4, OD = 8, OV = 8 }

local function swapped(s, width)
  return (s:gsub(("."):rep(width), string.reverse))
end

local function same_number(vr, t, o)
  local a, b = tonumber(t), tonumber(o)
  if not a or not b then return false end
  return math.abs(a - b) <= 1e-15 * math.abs(a) or vr == "FL" and ("<f"):pack(a) == ("<f"):pack(b)
end

local holders, vr_at

-- `holds(theirs, ours, vr, path, want, got)`; nil: not there.
local REASONS = {
  { "UN of a known element: we read it as what the dictionary says, dcm2xml does not", function(_, _, _, path, want,
    got)
    for _, holder in ipairs(holders(path)) do
      if (want[holder] or ""):find "^UN" and not (got[holder] or "UN"):find "^UN" then return true end
    end
  end },
  { "private elements without a creator: dcm2xml drops their block all the same", function(t, o, _, path, want, got)
    for _, holder in ipairs(holders(path)) do
      local map = t and not o and want or got
      if holder:find "%x%x%x[13579BDF]%x%x%x%x%+*$" and (map[holder] or ""):find "^%u%u  $" then return true end
    end
  end },
  { "compressed frames: dcm2xml writes nothing", function(t, o, _, path)
    return path:find "/7FE00010/InlineBinary$" and t == "" and o and o:find "^/v8A4"
  end },
  { "compressed Pixel Data that is OW in the file: dcm2xml says OB", function(t, o, _, path)
    return path == "/7FE00010" and t == "OB PixelData " and o == "OW PixelData "
  end },
  { "(2005,102D) of Philips MR Imaging DD 001 in implicit VR: the dictionaries differ (SS, IS)",
    function(_, _, vr, path, want) return path:find "2005002D" and vr == "IS" and vr_at(want, path) == "SS" end },
  { "a name of nothing but delimiters: dcm2xml drops it", function(t, o, _, path, _, got)
    return not t and path:find "/PersonName1$" and o == "\n" and not got[path:sub(1, -2) .. "2"]
  end },
  { "an empty phonetic group: dcm2xml repeats the ideographic one", function(t, o, _, path, want)
    return t and not o and path:find "/Phonetic" and t == want[path:gsub("Phonetic", "Ideographic")]
  end },
  { "an odd length: dcm2xml adds the byte that is missing", function(t, o, vr, path)
    return (vr == "OB" or vr == "UN") and path:find "InlineBinary$" and t and o and bytes(t) == bytes(o) .. "\0"
  end },
  { "keywords of retired attributes: dcm2xml has none", function(t, o)
    return t and o and t:sub(1, 3) == o:sub(1, 3) and t:find "^%u%u  $" and o:find "^%u%u %w+ $"
  end },
  { "Specific Character Set where the file has none: dcm2xml adds it", function(t, o, _, path)
    return not o and path:find "00080005" and (t:find "^ISO_IR 192" or t:find "^CS ")
  end },
  { "numbers of several bytes: dcm2xml writes big endian, PS3.19 A.1.5 says little endian", function(t, o, vr, path)
    return WIDTHS[vr] and path:find "InlineBinary$" and t and o and swapped(bytes(t), WIDTHS[vr]) == bytes(o)
  end },
  { "floats: dcm2xml writes digits that say nothing, or are wrong in the last place", function(t, o, vr)
    return (vr == "FL" or vr == "FD") and t and o and same_number(vr, t, o)
  end },
}

-- The attributes that lead to a path, outermost first.
function holders(path)
  local list, at = {}, 1
  while at do
    at = path:find("/", at + 1, true)
    local holder = path:sub(1, at and at - 1 or -1)
    if holder:find "/%x%x%x%x%x%x%x%x%+*$" then list[#list + 1] = holder end
  end
  return list
end

function vr_at(map, path)
  local list = holders(path)
  return (map[list[#list]] or ""):sub(1, 2)
end

local function compare(name, want, got, used, wrong)
  local paths = {}
  for path in pairs(want) do paths[path] = true end
  for path in pairs(got) do paths[path] = true end
  for path in pairs(paths) do
    local t, o, found = want[path], got[path], nil
    if t ~= o then
      for n, reason in ipairs(REASONS) do
        if reason[2](t, o, vr_at(got, path), path, want, got) then found = n break end
      end
      if found then
        used[found] = true
      else
        wrong[#wrong + 1] = ("%s %s: dcm2xml %q, we %q"):format(name, path, tostring(t):sub(1, 60), tostring(o):sub(1,
          60))
      end
    end
  end
end

describe("XML of every test file", function()
  it("agrees with dcm2xml --native-format", function()
    need.peer "dcm2xml"
    local folder, files, script = sh.folder(), {}, {}
    for line in io.lines(need.data() .. "/MANIFEST.tsv") do
      local name = line:match "^[^#][^\t]*"
      if name then files[#files + 1] = need.folder .. "/" .. name end
    end
    for n, path in ipairs(files) do
      script[n] = ("dcm2xml -q -nat +Eb +U8 +M %s %s/%d 2>/dev/null || rm -f %s/%d"):format(sh.quote(path), folder, n,
        folder, n)
    end
    sh.run({ "sh", sh.write(folder .. "/script", table.concat(script, "\n")) }, { timeout = 300 })
    local compared, used, wrong = 0, {}, {}
    for n, path in ipairs(files) do
      local text = sh.read(("%s/%d"):format(folder, n))
      if text and utf8.len(text) then -- dcm2xml lets some bytes through as they are
        compared = compared + 1
        local mine = assert(assert(dicom.open(path)):xml { text = "replace" })
        compare(path:match "[^/]*$", flat(text), flat(mine), used, wrong)
      end
    end
    table.sort(wrong)
    assert.same({}, wrong)
    assert.is_true(compared > 450, compared .. " files compared")
    for n, reason in ipairs(REASONS) do assert.is_true(used[n], "no file needs the reason any more: " .. reason[1]) end
  end)
end)
