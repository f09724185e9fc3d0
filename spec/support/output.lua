-- SPDX-License-Identifier: MIT
-- What `busted` prints here: a line per spec file, then every failure, every skip with its reason, and as the last line
-- "N passed, N failed, N skipped". With DICOM_REQUIRE_ALL=1 a skip is a failure: nothing may go unchecked unseen.
local require_all = os.getenv "DICOM_REQUIRE_ALL" == "1"

local function text_of(x)
  if x == nil then return "no message" end
  if type(x) == "string" then return x end
  local mt = getmetatable(x)
  return mt and mt.__tostring and tostring(x) or require "pl.pretty".write(x)
end

local function place_of(item)
  local trace = item.trace
  return trace and trace.short_src and trace.currentline and ("%s:%d"):format(trace.short_src, trace.currentline) or "?"
end

local function print_failure(item, verbose)
  io.write(("\nFAILED %s\n  %s\n"):format(item.name, place_of(item)))
  io.write("  " .. text_of(item.message):gsub("\n", "\n  "), "\n")
  if (item.isError or verbose) and item.trace and item.trace.traceback then
    io.write("  " .. item.trace.traceback:gsub("\n", "\n  "), "\n")
  end
end

-- Skips of the same reason are one line: a missing peer must not hide a missing folder.
local function print_skips(skips)
  local reasons, count, first = {}, {}, {}
  for _, skip in ipairs(skips) do
    -- `pending "reason"` outside `it` is a test whose name is the reason.
    local reason = skip.message and text_of(skip.message):gsub("^[%w_./]+:%d+: ", "") or skip.element.name
    if not count[reason] then reasons[#reasons + 1], first[reason] = reason, skip end
    count[reason] = (count[reason] or 0) + 1
  end
  for _, reason in ipairs(reasons) do
    local more = count[reason] > 1 and (" and %d more"):format(count[reason] - 1) or ""
    io.write(("\nSKIPPED%s %s%s\n  %s\n"):format(require_all and " (a failure: DICOM_REQUIRE_ALL=1)" or "",
      first[reason].name, more, reason))
  end
end

return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local file = { passed = 0, failed = 0, skipped = 0 }
  local bad = 0

  handler.fileStart = function(element)
    file = { name = element.name, passed = 0, failed = 0, skipped = 0, started = busted.monotime() }
    return nil, true
  end

  handler.testEnd = function(_, _, status)
    local kind = status == "success" and "passed" or status == "pending" and "skipped" or "failed"
    file[kind] = file[kind] + 1
    return nil, true
  end

  -- A skip in before_each skips one test; one in setup all tests of its block, which then count as one.
  handler.basePending = function(element, parent, message, trace)
    local running = handler.inProgress[tostring(element)]
    if running then
      running.message, running.trace = message, trace
      return nil, true
    end
    local around = element.descriptor == "before_each" and parent or element
    local item = handler.format(around, parent, message, trace)
    item.message = message
    handler.pendings[#handler.pendings + 1] = item
    handler.pendingsCount = handler.pendingsCount + 1
    file.skipped = file.skipped + 1
    return nil, true
  end

  handler.fileEnd = function()
    local counts = { ("%4d passed"):format(file.passed) }
    if file.failed > 0 then counts[#counts + 1] = file.failed .. " failed" end
    if file.skipped > 0 then counts[#counts + 1] = file.skipped .. " skipped" end
    io.write(("%-44s %s  (%.1f s)\n"):format(file.name, table.concat(counts, ", "), busted.monotime() - file.started))
    io.flush()
    return nil, true
  end

  handler.suiteEnd = function()
    for _, item in ipairs(handler.failures) do print_failure(item, options.verbose) end
    for _, item in ipairs(handler.errors) do print_failure(item, options.verbose) end
    print_skips(handler.pendings)
    bad = handler.failuresCount + handler.errorsCount + (require_all and handler.pendingsCount or 0)
    io.write(("\n%d passed, %d failed, %d skipped\n"):format(
      handler.successesCount, handler.failuresCount + handler.errorsCount, handler.pendingsCount))
    io.flush()
    return nil, true
  end

  busted.subscribe({ "file", "start" }, handler.fileStart)
  busted.subscribe({ "test", "end" }, handler.testEnd)
  busted.subscribe({ "file", "end" }, handler.fileEnd)
  busted.subscribe({ "suite", "end" }, handler.suiteEnd)
  busted.subscribe({ "exit" }, function() if bad > 0 then os.exit(1, true) end end)
  return handler
end
