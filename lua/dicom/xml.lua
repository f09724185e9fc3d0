-- SPDX-License-Identifier: MIT
--- The Native DICOM Model (PS3.19 A.1), out: `ds:xml{ pretty = true }`, or written as a stream.
local model = require "dicom.model"

local M = {}

--- Streams a data set as XML to a file (atomically), or to a function that gets chunks of some 64 KiB.
---@param ds dicom.Dataset
---@param to string|fun(chunk: string)
---@param options? dicom.ModelOptions
---@return true?
---@return dicom.Error|integer|nil # the error; with text = "replace": how many values hold U+FFFD now
function M.write(ds, to, options)
  return model.stream(ds, "xml", to, options)
end

return M
