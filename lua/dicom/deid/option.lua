-- SPDX-License-Identifier: MIT
--- What a de-identifier may be asked for: profile, options of PS3.15 E.3, key, pixels. All checked when it is made.
local Error = require "dicom.error"
local check = require "dicom.check"

local M = {}

--- The options of PS3.15 E.3, with the code of CID 7050 that marks an instance to which one was applied.
local options = {
  ["clean-pixel-data"] = 113101,
  ["clean-recognizable-visual-features"] = 113102,
  ["clean-graphics"] = 113103,
  ["clean-structured-content"] = 113104,
  ["clean-descriptors"] = 113105,
  ["retain-full-dates"] = 113106,
  ["retain-modified-dates"] = 113107,
  ["retain-patient-characteristics"] = 113108,
  ["retain-device-identity"] = 113109,
  ["retain-uids"] = 113110,
  ["retain-safe-private"] = 113111,
  ["retain-institution-identity"] = 113112,
}

--- The options that this version carries out: none yet.
local built = {}

--- PS3.15 E.3.6: dates are kept or shifted, not both.
local contradictions = { { "retain-full-dates", "retain-modified-dates" } }

local profiles = { basic = true }
local pixels = { refuse = true, trust = true, blank = true }
local fields = { profile = true, options = true, key = true, pixels = true }

local function misconfigured(text, ...)
  error(Error.new("config", "deid: " .. text:format(...)), 0)
end

local function check_known(what, name, set)
  if type(name) ~= "string" then misconfigured("%s must be a text, not a %s", what, type(name)) end
  if set[name] then return end
  misconfigured("unknown %s %q; did you mean %q?", what, name, check.nearest(name, check.keys(set)))
end

local function check_options(list)
  if type(list) ~= "table" then misconfigured("options must be a list, not a %s", type(list)) end
  local wanted = {}
  for key in pairs(list) do
    if math.type(key) ~= "integer" or key < 1 or key > #list then misconfigured("options must be a list of names") end
  end
  for _, name in ipairs(list) do
    check_known("option", name, options)
    wanted[name] = true
  end
  for _, pair in ipairs(contradictions) do
    if wanted[pair[1]] and wanted[pair[2]] then
      misconfigured("options %q and %q contradict each other (PS3.15 E.3.6)", pair[1], pair[2])
    end
  end
  for _, name in ipairs(list) do
    if not built[name] then misconfigured("option %q is not built yet: this version has the basic profile", name) end
  end
end

---@class dicom.deid.Options
---@field profile? "basic"  the Basic Application Level Confidentiality Profile (PS3.15 E.2)
---@field options? string[] options of PS3.15 E.3: none is built yet
---@field key string        at least 16 bytes; the same key gives the same pseudonyms
---@field pixels? "refuse"|"trust"|"blank"  what to do with pixels that may show an identity; "refuse" by default

--- Checks all and gives it with the defaults filled in. Raises an error with code "config".
---@param given dicom.deid.Options
---@return dicom.deid.Options
function M.check(given)
  if type(given) ~= "table" then misconfigured("a table of profile, options, key and pixels is needed") end
  for name in pairs(given) do check_known("field", name, fields) end
  local profile, pixel = given.profile or "basic", given.pixels or "refuse"
  check_known("profile", profile, profiles)
  check_known("value of pixels", pixel, pixels)
  check_options(given.options or {})
  if type(given.key) ~= "string" then misconfigured("a key is needed: at least 16 bytes that stay secret") end
  return { profile = profile, pixels = pixel, options = {}, key = given.key }
end

return M
