-- SPDX-License-Identifier: MIT
--- The public face of the package. Modules are loaded on first use, so that a small script starts fast.
local lazy = {
  -- name = { module, field }
  dataset = { "dicom.dataset", "new" },
  date = { "dicom.date" },
  dicomdir = { "dicom.dicomdir" },
  json = { "dicom.json" },
  listen = { "dicom.listener", "listen" },
  log = { "dicom.log" },
  name = { "dicom.name" },
  open = { "dicom.dataset", "open" },
  peer = { "dicom.peer", "new" },
  router = { "dicom.router", "new" },
  run = { "dicom.task", "run" },
  sleep = { "dicom.task", "sleep" },
  status = { "dicom.status" },
  stop = { "dicom.task", "stop" },
  task = { "dicom.task", "task" },
  timeout = { "dicom.task", "timeout" },
  uid = { "dicom.uid" },
  versions = { "dicom.versions" },
  xml = { "dicom.xml" },
}

-- For editors: `require` returns this, so that all of it is completed.
---@class dicom
---@field dataset fun(from: table|dicom.Dataset|nil): dicom.Dataset  a new data set
---@field date table       dates and times, see lua/dicom/date.lua
---@field dicomdir table   directories of media, see lua/dicom/dicomdir
---@field json table       DICOM JSON, see lua/dicom/json.lua
---@field listen fun(options: dicom.ListenOptions): dicom.Listener?, dicom.Error?
---@field log table        the log, see lua/dicom/log.lua
---@field name table       names of persons, see lua/dicom/name.lua
---@field open fun(what: string, options: dicom.OpenOptions?): dicom.Dataset?, dicom.Error?
---@field peer fun(options: dicom.PeerOptions): dicom.Peer
---@field router fun(options: dicom.RouterOptions): dicom.Router
---@field run fun(options: {signals: boolean?}?): true?, any  until nothing is left to do
---@field sleep fun(seconds: number)
---@field status dicom.Status
---@field stop fun()
---@field task fun(f: function, ...: any): dicom.Task
---@field timeout fun(seconds: number, f: function, ...: any): any
---@field uid table        UIDs, see lua/dicom/uid.lua
---@field versions fun(): dicom.Versions
---@field xml table        the Native DICOM Model, see lua/dicom/xml.lua
local M = {}

return setmetatable(M, {
  __index = function(t, k)
    local where = lazy[k]
    if not where then
      local check = require "dicom.check"
      local near = check.nearest(tostring(k), check.keys(lazy))
      require "dicom.error".misuse(("dicom has no %q; the nearest is %q"):format(tostring(k), near), 2)
    end
    local m = require(where[1])
    local v = where[2] and m[where[2]] or m
    rawset(t, k, v)
    return v
  end,
})
