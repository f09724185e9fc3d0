-- SPDX-License-Identifier: MIT
-- Both ends of an association in one process, and the check that nothing of it is left.
local dicom = require "dicom"
local log = require "dicom.log"
local sh = require "spec.support.sh"
local task = require "dicom.task"

local M = { lines = {} }

local opened, before

--- Before each: collects log lines instead of printing them.
function M.begin()
  opened, before, M.lines = {}, log.default, {}
  log.default = log.new { level = "debug", sink = function(line) M.lines[#M.lines + 1] = line end }
end

--- dicom.listen and dicom.peer on 127.0.0.1 that are closed at the end.
function M.listen(options)
  options.host, options.port = options.host or "127.0.0.1", options.port or 0
  local l = assert(dicom.listen(options))
  opened[#opened + 1] = l
  return l
end

function M.peer(port, options)
  options = options or {}
  options.host, options.port = options.host or "127.0.0.1", port
  local p = dicom.peer(options)
  opened[#opened + 1] = p
  return p
end

--- Waits in the loop until f gives something.
function M.eventually(f, seconds)
  local limit = task.now() + (seconds or 10)
  repeat
    local v = f()
    if v then return v end
    dicom.sleep(0.005)
  until task.now() > limit
  return f()
end

function M.files(folder)
  return sh.lines(("find %s -type f"):format(sh.quote(folder)))
end

local function sockets()
  return #sh.lines("ls -l /proc/" .. M.pid() .. "/fd 2>/dev/null | grep socket:")
end

function M.pid()
  M.number = M.number or io.open "/proc/self/stat":read "n"
  return M.number
end

--- After each: closes all, and finds nothing in flight.
function M.finish()
  if not opened then return end -- skipped before it began
  for i = #opened, 1, -1 do opened[i]:close() end
  local function over()
    local alive, operations = task.census()
    return alive == 0 and operations == 0 and sockets() == 0
  end
  local ended = M.eventually(over, 5)
  log.default, opened = before, nil
  local alive, operations = task.census()
  assert(ended, ("left over: %d tasks, %d operations, %d sockets"):format(alive, operations, sockets()))
end

--- An instance of `size` bytes of pixel data.
function M.instance(size, fields)
  local ds = dicom.dataset {
    SOPClassUID = "1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID = dicom.uid.new(), StudyInstanceUID = dicom.uid.new(),
    SeriesInstanceUID = dicom.uid.new(),
    PatientName = "Net^Spec", PatientID = "N1", Modality = "OT", Rows = 1, Columns = 1, BitsAllocated = 8,
  }
  ds:set("PixelData", ("\1\2\3\4\5\6\7\8"):rep(size // 8), "OW")
  for k, v in pairs(fields or {}) do ds[k] = v end
  return ds
end

return M
