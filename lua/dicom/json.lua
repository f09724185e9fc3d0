-- SPDX-License-Identifier: MIT
--- The DICOM JSON Model (PS3.18 F.2), both ways. Out: `ds:json{ pretty = true }`, or dicom.json.write. In: decode.
local core = require "dicom.core"
local errors = require "dicom.error"
local model = require "dicom.model"
require "dicom.dataset" -- the methods of what decode gives

---@class dicom.DecodeOptions
---@field limits? { depth: integer?, elements: integer?, inflated: integer? } inflated: bytes of the longest value
---@field bulk? fun(uri: string, tag: integer, vr: string): string? the bytes behind a BulkDataURI, little endian

local M = {}

--- Streams a data set as JSON to a file (atomically), or to a function that gets chunks of some 64 KiB.
---@param ds dicom.Dataset
---@param to string|fun(chunk: string)
---@param options? dicom.ModelOptions
---@return true?
---@return dicom.Error|integer|nil # the error; with text = "replace": how many values hold U+FFFD now
function M.write(ds, to, options)
  return model.stream(ds, "json", to, options)
end

local function check(text, options)
  if type(text) ~= "string" and type(text) ~= "function" then
    error(errors.new("usage", "decode takes a string, or a function that gives pieces, got " .. type(text)), 3)
  end
  for k, v in pairs(options) do
    if k ~= "limits" and k ~= "bulk" then
      error(errors.new("usage", ("decode has no option %q"):format(tostring(k))), 3)
    end
    if k == "bulk" and type(v) ~= "function" then error(errors.new("usage", "bulk is a function"), 3) end
  end
end

-- The next piece; nil, then "", at the end.
local function pieces(text)
  if type(text) == "function" then return text end
  return function()
    local s = text
    text = nil
    return s
  end
end

local function answer(reader, bulk, uri, tag, vr)
  local bytes = bulk and bulk(uri, tag, vr)
  if not bytes then return true end
  local ok, err = reader:answer(bytes)
  if err then err.tag = tag end
  return ok, err
end

--- Reads a data set, or an array of them. Text becomes UTF-8 (ISO_IR 192) where it is more than ASCII. A value that
--- lies behind a BulkDataURI is asked for, else it is empty and ds.repairs says so.
---@param text string|fun(): string? JSON; or a function that gives it piece by piece, nil at the end
---@param options? dicom.DecodeOptions
---@return dicom.Dataset|dicom.Dataset[]|nil # a list for an array
---@return dicom.Error? # .offset is the byte in the text
function M.decode(text, options)
  options = options or {}
  check(text, options)
  local reader <close> = core.json_reader { limits = options.limits }
  local next_piece, list = pieces(text), {}
  while true do
    local what, a, b, c = reader:next()
    if what == "more" then
      reader:feed(next_piece())
    elseif what == "data set" then
      list[#list + 1] = a
    elseif what == "bulk" then
      local ok, err = answer(reader, options.bulk, a, b, c)
      if not ok then return nil, err end
    elseif what == "done" then
      if reader:is_list() then return list end
      return list[1]
    else
      return nil, a
    end
  end
end

return M
