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
