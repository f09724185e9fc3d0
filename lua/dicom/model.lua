-- SPDX-License-Identifier: MIT
--- A data set as text, chunk by chunk: what dicom.json and dicom.xml share.
local core = require "dicom.core"
local errors = require "dicom.error"

---@class dicom.ModelOptions
---@field pretty? boolean  for people: line ends and indentation
---@field meta? boolean    the file meta, too, which the standard leaves out
---@field text? "strict"|"replace" what a character set does not hold: an error (the default), or U+FFFD
---@field bulk? "inline"|"uri"|dicom.BulkFunction where bytes go: as Base64 (the default), or an URI stands for them
---@field bulk_threshold? integer up to so many bytes are inline all the same, default 1024
---@field bulk_uri? string what URIs begin with, default "bulkdata/"; then the path in tags: "00540016/1/00189999"

--- Gives the URI of an element's bytes; nil: inline, "": the value is left out. The path is as ds:get takes it.
---@alias dicom.BulkFunction fun(tag: integer, path: string, length: integer, vr: string): string?

local M = {}

local KNOWN = { pretty = "boolean", meta = "boolean", text = "string", bulk = "", bulk_threshold = "number",
  bulk_uri = "string" }

local function usage(text)
  error(errors.new("usage", text), 4)
end

local function check(options)
  for k, v in pairs(options) do
    local want = KNOWN[k]
    if not want then usage(("there is no option %q"):format(tostring(k))) end
    if want ~= "" and type(v) ~= want then usage(("%s is a %s, got %s"):format(k, want, type(v))) end
  end
  local bulk, text = options.bulk, options.text
  if bulk ~= nil and bulk ~= "inline" and bulk ~= "uri" and type(bulk) ~= "function" then
    usage 'bulk is "inline", "uri" or a function'
  end
  if text ~= nil and text ~= "strict" and text ~= "replace" then usage 'text is "strict" or "replace"' end
  if options.bulk_threshold and math.type(options.bulk_threshold) ~= "integer" then
    usage "bulk_threshold is a number of bytes"
  end
end

-- The answer to "where do those bytes lie?".
local function asker(options)
  local bulk = options.bulk
  if type(bulk) == "function" then
    return function(tag, path, _, length, vr)
      local uri = bulk(tag, path, length, vr)
      if uri ~= nil and type(uri) ~= "string" then
        error(errors.new("usage", "the bulk function gives an URI or nil, got " .. type(uri)), 0)
      end
      return uri
    end
  end
  local base = options.bulk_uri or "bulkdata/"
  return function(_, _, tags) return base .. tags end
end

--- Gives each chunk to `sink`, in order.
---@param ds dicom.Dataset
---@param form "json"|"xml"
---@param options? dicom.ModelOptions
---@param sink fun(chunk: string)
---@return true?
---@return dicom.Error|integer|nil # the error; with text = "replace": how many values hold U+FFFD now
function M.write(ds, form, options, sink)
  options = options or {}
  if type(options) ~= "table" then usage("options are a table, got " .. type(options)) end
  check(options)
  local ask = options.bulk and options.bulk ~= "inline" and asker(options)
  local m <close> = core.model(ds, form, {
    pretty = options.pretty, meta = options.meta, replace = options.text == "replace",
    threshold = ask and (options.bulk_threshold or 1024) or nil,
  })
  while true do
    local chunk, tag, path, tags, length, vr = m:next()
    if chunk then
      sink(chunk)
    elseif chunk == false then
      m:answer(ask(tag, path, tags, length, vr))
    elseif tag then
      return nil, tag -- the error
    else
      if options.text == "replace" then return true, m:replaced() end
      return true
    end
  end
end

---@param ds dicom.Dataset
---@param form "json"|"xml"
---@param options? dicom.ModelOptions
---@return string?
---@return dicom.Error|integer|nil
function M.text(ds, form, options)
  local chunks, n = {}, 0
  local ok, more = M.write(ds, form, options, function(chunk)
    n = n + 1
    chunks[n] = chunk
  end)
  if not ok then return nil, more end
  local text = n == 1 and chunks[1] or table.concat(chunks)
  if more then return text, more end
  return text -- alone: decode(ds:json()) and f:write(ds:json()) are to work
end

-- To a file by another name first, so that nobody sees a half of it.
local function to_file(ds, form, path, options)
  local part = path .. ".part"
  local f, why = io.open(part, "wb")
  if not f then return errors.fail("system", why) end
  f:setvbuf "no" -- chunks are large
  local failed
  local ok, more = M.write(ds, form, options, function(chunk)
    if not failed then failed = select(2, f:write(chunk)) end
  end)
  local closed, reason = f:close()
  failed = failed or not closed and reason
  if ok and not failed then
    ok, failed = os.rename(part, path)
    if ok then return true, more end
  end
  os.remove(part)
  if failed then return errors.fail("system", failed) end
  return nil, more
end

--- Streams to a file, which appears when it is whole, or to a function that gets chunks of some 64 KiB.
---@param ds dicom.Dataset
---@param form "json"|"xml"
---@param to string|fun(chunk: string)
---@param options? dicom.ModelOptions
---@return true?
---@return dicom.Error|integer|nil
function M.stream(ds, form, to, options)
  if type(to) == "function" then return M.write(ds, form, options, to) end
  if type(to) ~= "string" then usage("write takes a path or a function, got " .. type(to)) end
  return to_file(ds, form, to, options)
end

return M
