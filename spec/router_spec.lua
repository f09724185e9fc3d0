-- SPDX-License-Identifier: MIT
-- The router's promises, in one process on loopback: what is acknowledged is delivered, to each destination on its own;
-- what cannot be is parked with its reason; nothing starts with a mistake in its configuration.
local dicom = require "dicom"
local errors = require "dicom.error"
local file = require "dicom.file"
local log = require "dicom.log"
local spool = require "dicom.queue.spool"
local destination = require "dicom.router.destination"
local task = require "dicom.task"

local CT, US = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.6.1"

local folder, lines, open
local default_sink = log.default.sink

local function shell(command)
  assert(os.execute(command))
end

local function rules(text)
  shell("mkdir -p " .. folder .. "/rules")
  local f = assert(io.open(folder .. "/rules/a.lua", "w"))
  f:write(text)
  f:close()
end

local function wait_until(what, condition)
  local limit = task.now() + 10
  while not condition() do
    if task.now() > limit then error("waited in vain for: " .. what .. "\n" .. table.concat(lines, "\n"), 2) end
    task.sleep(0.01)
  end
end

local function closing(thing)
  open[#open + 1] = thing
  return thing
end

-- A node that keeps what it gets and answers as `answer(ds, n)` says.
local function node(aet, answer, port)
  local got = {}
  local l = closing(assert(dicom.listen { aet = aet, port = port or 0, host = "127.0.0.1", store = function(ds)
    got[#got + 1] = ds
    return answer and answer(ds, #got) or 0
  end }))
  return { got = got, listener = l, aet = aet, host = "127.0.0.1", port = l.port }
end

local function to(n, more)
  local t = { aet = n.aet, host = "127.0.0.1", port = n.port, retry = { first = 0.05, most = 0.2 } }
  for k, v in pairs(more or {}) do t[k] = v end
  return t
end

local function router(destinations, more)
  local options = { aet = "ROUTER", host = "127.0.0.1", port = 0, rules = folder .. "/rules", queue = "memory",
    destinations = destinations, log = { sink = function(line) lines[#lines + 1] = line end } }
  for k, v in pairs(more or {}) do options[k] = v end
  return dicom.router(options)
end

local function started(...)
  local r = router(...)
  assert(r:start())
  closing { close = function() r:stop() end }
  return r
end

local function instance(n, fields)
  local t = { SOPClassUID = CT, SOPInstanceUID = "1.2.3." .. n, PatientID = "P" .. n, PatientName = "Secret^Name",
    Modality = "CT" }
  for k, v in pairs(fields or {}) do t[k] = v end
  return dicom.dataset(t)
end

local function sender(r)
  return closing(dicom.peer { aet = "ROUTER", calling_aet = "SCANNER3", host = "127.0.0.1", port = r.port })
end

local function ids(got)
  local t = {}
  for i, ds in ipairs(got) do t[i] = ds.PatientID end
  return t
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  shell("mkdir -p " .. folder)
  lines, open = {}, {}
  log.default.sink = function() end
end)

after_each(function()
  for i = #open, 1, -1 do open[i]:close() end
  log.default.sink = default_sink
  shell("rm -rf " .. folder)
end)

for _, back_end in ipairs { "memory", "spool" } do
  local function queue() return { queue = back_end == "spool" and "spool:" .. folder .. "/queue" or "memory" } end

  describe("router with " .. back_end, function()
    it("delivers to all destinations of all rules that match, in order", function()
      rules [[
        rule "all" { send = { "archive" } }
        rule "CT of scanner 3" { match = function(ds, origin)
          return ds.Modality == "CT" and origin.calling_aet == "SCANNER3" end, send = { "archive", "research" } }]]
      local archive, research = node "PACS", node "RESEARCH"
      local r = started({ archive = to(archive), research = to(research) }, queue())
      local send = sender(r)
      for i = 1, 5 do assert.equal(0, (send.store(instance(i)))) end
      assert.equal(0, (send.store(instance(6, { Modality = "MR" }))))
      wait_until("deliveries", function() return #archive.got == 6 and #research.got == 5 end)
      assert.same({ "P1", "P2", "P3", "P4", "P5", "P6" }, ids(archive.got))
      assert.same({ "P1", "P2", "P3", "P4", "P5" }, ids(research.got))
      wait_until("an empty queue", function() return r:status().delivered == 11 end)
      local s = r:status()
      assert.same({ 6, 0, 0, 0 }, { s.received, s.parked, s.destinations.archive.waiting, s.failed })
    end)

    it("delivers byte for byte also what a strict reader would not take", function()
      rules [[rule "as it came" { send = { "archive" } }]]
      local bytes = instance(1):bytes { part10 = true } .. "\xDF\x7F\x10\0LO\3\0ODD\xDF\x7F\x11\0LO\3\0ODD"
      local ds = assert(dicom.open(bytes))
      assert.is_true(#ds.repairs > 0)
      local archive = node "PACS"
      local r = started({ archive = to(archive) }, queue())
      local exact = closing(dicom.peer { aet = "ROUTER", host = "127.0.0.1", port = r.port, exact = true })
      assert.equal(0, (exact.store(ds)))
      wait_until("a delivery", function() return #archive.got == 1 end)
      assert.equal(ds:bytes { raw = true }, archive.got[1]:bytes { raw = true })
    end)

    it("delivers the bytes that came and those that a change made, the change made once", function()
      rules [[
        local made = 0
        local function stamp(ds) made = made + 1 ds.PatientID = "made " .. made ds.PatientName = "" end
        rule "as it came" { send = { "archive" } }
        rule "changed" { change = stamp, send = { "research" } }
        rule "changed as well" { change = { stamp }, send = { "third" } }]]
      local nodes = { archive = node "PACS", research = node "RESEARCH", third = node "THIRD" }
      local destinations = {}
      for name, n in pairs(nodes) do destinations[name] = to(n) end
      local r = started(destinations, queue())
      assert.equal(0, (sender(r).store(instance(1))))
      wait_until("deliveries", function() return r:status().delivered == 3 end)
      assert.equal("P1", nodes.archive.got[1].PatientID)
      assert.equal("made 1", nodes.research.got[1].PatientID)
      assert.equal("made 1", nodes.third.got[1].PatientID)
      assert.equal(1, r:status().changed)
    end)

    it("makes the same of an instance that is sent again, because its acknowledgement was lost", function()
      rules [[rule "x" { change = function(ds) ds.SOPInstanceUID = uid() end, send = { "archive" } }]]
      local archive = node "PACS"
      local r = started({ archive = to(archive) }, queue())
      local send = sender(r)
      for _, i in ipairs { 1, 1, 2 } do assert.equal(0, (send.store(instance(i)))) end
      wait_until("deliveries", function() return r:status().delivered == 3 end)
      assert.equal(archive.got[1].SOPInstanceUID, archive.got[2].SOPInstanceUID)
      assert.not_equal(archive.got[1].SOPInstanceUID, archive.got[3].SOPInstanceUID)
    end)

    it("de-identifies once, and parks what the profile refuses, with the reason", function()
      shell("mkdir -p " .. folder .. "/secrets && printf 0123456789abcdef > " .. folder
        .. "/secrets/key && chmod 600 " .. folder .. "/secrets/key")
      rules [[
        rule "as it came" { send = { "archive" } }
        rule "clean" { change = deid { key = secret "key" }, send = { "research" } }]]
      local archive, research = node "PACS", node "RESEARCH"
      local r = started({ archive = to(archive), research = to(research) }, queue())
      local send = sender(r)
      local study = { StudyInstanceUID = "1.2.3.100", SeriesInstanceUID = "1.2.3.200", StudyDate = "20240101" }
      assert.equal(0, (send.store(instance(1, study))))
      study.BurnedInAnnotation, study.PixelData = "YES", "pixels"
      assert.equal(0, (send.store(instance(2, study))))
      wait_until("deliveries", function() return r:status().delivered == 3 and r:status().parked == 1 end)
      assert.equal("Secret^Name", archive.got[1].PatientName)
      assert.not_equal("Secret^Name", research.got[1].PatientName)
      assert.not_equal("P1", research.got[1].PatientID)
      assert.equal("YES", research.got[1].PatientIdentityRemoved)
      assert.equal(1, #research.got)
      local _, message = next(r.parked_messages)
      local part = message.by_key["change 1"]
      assert.equal("parked", part.state)
      assert.matches("[Bb]urned", part.error)
    end)

    it("drops what a change gives up", function()
      rules [[rule "x" { change = function(ds) return ds.Modality == "CT" end, send = { "archive" } }]]
      local archive = node "PACS"
      local r = started({ archive = to(archive) }, queue())
      local send = sender(r)
      assert.equal(0, (send.store(instance(1, { Modality = "MR" }))))
      assert.equal(0, (send.store(instance(2))))
      wait_until("the delivery", function() return r:status().delivered == 1 end)
      assert.same({ "P2" }, ids(archive.got))
      assert.equal(1, r:status().dropped)
    end)

    it("refuses what a rule refuses", function()
      rules [[rule "x" { match = function(ds) return ds.Modality == "MR" and reject(0xC123) or true end,
        send = { "archive" } }]]
      local archive = node "PACS"
      local r = started({ archive = to(archive) }, queue())
      local send = sender(r)
      assert.equal(0xC123, (send.store(instance(1, { Modality = "MR" }))))
      assert.equal(0, (send.store(instance(2))))
      wait_until("the delivery", function() return r:status().delivered == 1 end)
      assert.same({ "P2" }, ids(archive.got))
      assert.equal(1, r:status().refused)
    end)

    it("does as it was told with what no rule matches", function()
      rules [[rule "x" { match = function() return false end, send = { "archive" } }]]
      local archive = node "PACS"
      for unmatched, expected in pairs { park = { 0, 1, 0 }, reject = { 0x0124, 0, 0 }, list = { 0, 0, 1 } } do
        local more = queue()
        more.unmatched = unmatched == "list" and { "archive" } or unmatched
        if back_end == "spool" then more.queue = more.queue .. unmatched end
        local r = started({ archive = to(archive) }, more)
        assert.equal(expected[1], (sender(r).store(instance(1))))
        wait_until("the delivery", function() return r:status().delivered == expected[3] end)
        assert.equal(expected[2], r:status().parked)
      end
    end)

    it("parks what a rule fails on, with rule and place, while the other rules go on", function()
      rules [[
        rule "broken" { match = function(ds) error("cannot " .. ds.Modality) end, send = { "archive" } }
        rule "endless" { match = function() while true do end end, send = { "archive" } }
        rule "good" { send = { "archive" } }
        rule "broken change" { change = function() local x = nil; return x.y end, send = { "archive" } }]]
      local archive = node "PACS"
      local more = queue()
      more.budget = { instructions = 100000 }
      local r = started({ archive = to(archive) }, more)
      assert.equal(0, (sender(r).store(instance(1))))
      wait_until("delivery and parking", function() return r:status().delivered == 1 and r:status().parked == 3 end)
      local reasons = {}
      for _, message in pairs(r.parked_messages) do
        for _, part in ipairs(message.parts) do reasons[part.name] = part.error end
      end
      assert.matches("cannot CT.*stack traceback", reasons.broken)
      assert.matches("budget of instructions", reasons.endless)
      assert.matches("broken change.*attempt to index", reasons["1"])
      local text = table.concat(lines, "\n")
      assert.matches("rule failed at=%S*a.lua:1 rule=broken", text)
      assert.is_nil(text:find "cannot CT")
    end)

    it("tries again what could not be delivered, and holds up no other destination", function()
      rules [[rule "x" { send = { "up", "down" } }]]
      local up, down = node "UP", node "DOWN"
      down.listener:close()
      local r = started({ up = to(up), down = to(down) }, queue())
      local send = sender(r)
      for i = 1, 3 do assert.equal(0, (send.store(instance(i)))) end
      wait_until("deliveries to the one that is up", function() return #up.got == 3 end)
      wait_until("a failure", function() return r:status().destinations.down.problem ~= nil end)
      assert.equal(3, r:status().destinations.down.waiting)
      local again = node("DOWN", nil, down.port)
      wait_until("deliveries to the one that was down", function() return #again.got == 3 end)
      assert.same({ "P1", "P2", "P3" }, ids(again.got))
      wait_until("an empty line", function() return r:status().destinations.down.waiting == 0 end)
      assert.is_nil(r:status().destinations.down.problem)
    end)

    it("tries again what is refused for now, and lets others pass", function()
      rules [[rule "x" { send = { "archive" } }]]
      local seen = {}
      local archive = node("PACS", function(ds)
        seen[#seen + 1] = ds.PatientID
        return ds.PatientID == "P1" and #seen < 4 and 0xA700 or 0
      end)
      local r = started({ archive = to(archive) }, queue())
      local send = sender(r)
      for i = 1, 2 do assert.equal(0, (send.store(instance(i)))) end
      wait_until("both", function() return r:status().delivered == 2 end)
      assert.equal("P1", seen[1])
      assert.equal("P1", seen[#seen])
      assert.equal(4, #seen)
    end)

    it("parks what is refused for good, after asking once more", function()
      rules [[rule "x" { send = { "archive" } }]]
      local asked = 0
      local archive = node("PACS", function(ds)
        if ds.PatientID == "P1" then asked = asked + 1 return 0xC000 end
        return ds.PatientID == "P2" and 0xB000 or ds.PatientID == "P3" and 0x0111 or 0
      end)
      local r = started({ archive = to(archive) }, queue())
      local send = sender(r)
      for i = 1, 4 do assert.equal(0, (send.store(instance(i)))) end
      wait_until("parking", function() return r:status().parked == 1 and r:status().delivered == 3 end)
      assert.equal(2, asked)
      local _, message = next(r.parked_messages)
      assert.equal("status C000", message.parts[1].error)
    end)

    it("parks what the destination cannot take at all", function()
      rules [[rule "x" { send = { "archive" } }]]
      local l = closing(assert(dicom.listen { aet = "PACS", port = 0, host = "127.0.0.1", sop_classes = { CT },
        store = function() return 0 end }))
      local r = started({ archive = to { aet = "PACS", port = l.port } }, queue())
      local send = sender(r)
      assert.equal(0, (send.store(instance(1, { SOPClassUID = US }))))
      assert.equal(0, (send.store(instance(2))))
      wait_until("parking", function() return r:status().parked == 1 and r:status().delivered == 1 end)
      local _, message = next(r.parked_messages)
      assert.matches("does not accept", message.parts[1].error)
    end)

    it("parks after as many tries as it was told", function()
      rules [[rule "x" { send = { "archive" } }]]
      local archive = node "PACS"
      archive.listener:close()
      local r = started({ archive = to(archive, { retry = { first = 0.01, most = 0.02, tries = 3 } }) }, queue())
      assert.equal(0, (sender(r).store(instance(1))))
      wait_until("parking", function() return r:status().parked == 1 end)
      local _, message = next(r.parked_messages)
      assert.matches("try 3, the last", message.parts[1].error)
    end)

    it("tells nobody's name", function()
      rules [[rule "x" { match = function(ds) return ds.Modality.x.y end, send = { "archive" } }
        rule "y" { send = { "archive" } }]]
      local archive = node("PACS", function() return 0xC000 end)
      local r = started({ archive = to(archive) }, queue())
      assert.equal(0, (sender(r).store(instance(1))))
      wait_until("parking", function() return r:status().parked == 2 end)
      local text = table.concat(lines, "\n")
      assert.is_nil(text:find "Secret")
      assert.is_nil(text:find "P1")
      assert.is_nil(text:find("1.2.3.1", 1, true))
    end)
  end)
end

describe("router with a spool", function()
  local function options() return { queue = "spool:" .. folder .. "/queue" } end

  it("goes on after a stop with what was left", function()
    rules [[rule "x" { send = { "up", "down" } }
      rule "y" { change = function(ds) ds.PatientID = uid() end, send = { "down" } }]]
    local up, down = node "UP", node "DOWN"
    down.listener:close()
    local r = started({ up = to(up), down = to(down) }, options())
    local send = sender(r)
    for i = 1, 3 do assert.equal(0, (send.store(instance(i)))) end
    wait_until("what is up", function() return #up.got == 3 and r:status().changed == 3 end)
    r:stop()
    local again = node("DOWN", nil, down.port)
    r = started({ up = to(up), down = to(down) }, options())
    wait_until("the rest", function() return #again.got == 6 end)
    wait_until("an empty queue", function() return r:status().destinations.down.waiting == 0 end)
    r:stop()
    assert.equal(3, #up.got)
    assert.same({}, (file.list(folder .. "/queue/messages")))
    assert.same({}, (file.list(folder .. "/queue/incoming")))
  end)

  it("obeys orders for what is parked", function()
    rules [[rule "x" { send = { "archive" } }]]
    local willing = false
    local archive = node("PACS", function() return willing and 0 or 0xC000 end)
    local r = started({ archive = to(archive) }, options())
    local send = sender(r)
    for i = 1, 2 do assert.equal(0, (send.store(instance(i)))) end
    wait_until("parking", function() return r:status().parked == 2 end)
    willing = true
    local list = {}
    for message in spool.list(folder .. "/queue") do list[#list + 1] = message.id end
    assert(spool.order(folder .. "/queue", "retry", list[1]))
    assert(spool.order(folder .. "/queue", "drop", list[2]))
    wait_until("obedience", function() return r:status().delivered == 1 and r:status().parked == 0 end)
    r:stop()
    assert.same({}, (file.list(folder .. "/queue/messages")))
  end)

  it("asks a mended rule again when told to", function()
    rules [[rule "x" { match = function() error "no" end, change = function(ds) ds.PatientID = "mended" end,
      send = { "archive" } }]]
    local archive = node "PACS"
    local r = started({ archive = to(archive) }, options())
    assert.equal(0, (sender(r).store(instance(1))))
    wait_until("parking", function() return r:status().parked == 1 end)
    r:stop()
    rules [[rule "x" { change = function(ds) ds.PatientID = "mended" end, send = { "archive" } }]]
    r = started({ archive = to(archive) }, options())
    assert.equal(1, r:status().parked)
    local id = next(r.parked_messages)
    assert(spool.order(folder .. "/queue", "retry", id))
    wait_until("delivery", function() return r:status().delivered == 1 end)
    assert.equal("mended", archive.got[1].PatientID)
    r:stop()
    assert.same({}, (file.list(folder .. "/queue/messages")))
  end)

  it("parks what a destination waited for that is no more", function()
    rules [[rule "x" { send = { "archive", "old" } }]]
    local archive, old = node "PACS", node "OLD"
    old.listener:close()
    local r = started({ archive = to(archive), old = to(old) }, options())
    assert.equal(0, (sender(r).store(instance(1))))
    wait_until("delivery", function() return r:status().delivered == 1 end)
    r:stop()
    rules [[rule "x" { send = { "archive" } }]]
    r = started({ archive = to(archive) }, options())
    assert.equal(1, r:status().parked)
  end)

  it("answers A700H when it cannot keep an instance, keeps serving, and the sender its copy", function()
    if io.popen("id -u"):read "l" ~= "0" then pending "needs root to mount a small file system" return end
    rules [[rule "x" { send = { "archive" } }]]
    shell("mkdir -p " .. folder .. "/queue && mount -t tmpfs -o size=256k none " .. folder .. "/queue")
    local archive = node "PACS"
    archive.listener:close()
    local r = started({ archive = to(archive) }, options())
    local send = sender(r)
    local accepted, refused = 0, 0
    for i = 1, 8 do
      local status = assert(send.store(instance(i, { PixelData = ("x"):rep(60000) })))
      if status == 0 then accepted = accepted + 1 else refused = refused + 1 assert.equal(0xA700, status) end
    end
    local again = node("PACS", nil, archive.port)
    wait_until("room", function() return #again.got == accepted and r:status().destinations.archive.waiting == 0 end)
    local late = assert(send.store(instance(9, { PixelData = ("x"):rep(60000) })))
    wait_until("the late one", function() return #again.got == accepted + 1 end)
    local left = #assert(file.list(folder .. "/queue/incoming"))
    r:stop()
    shell("umount " .. folder .. "/queue")
    assert.is_true(accepted > 0)
    assert.is_true(refused > 0)
    assert.equal(0, late)
    assert.equal(0, left)
  end)

  it("leaves a folder alone that has an owner", function()
    rules [[rule "x" { send = { "archive" } }]]
    local archive = node "PACS"
    started({ archive = to(archive) }, options())
    local ok, err = router({ archive = to(archive) }, options()):start()
    assert.is_nil(ok)
    assert.equal("locked", err.code)
  end)

  it("lets its folder go when its port is taken", function()
    rules [[rule "x" { send = { "archive" } }]]
    local archive = node "PACS"
    local more = options()
    more.port = archive.port
    for _ = 1, 2 do
      local ok, err = router({ archive = to(archive) }, more):start()
      assert.is_nil(ok)
      assert.equal("port in use", err.code)
    end
  end)
end)

describe("router configuration", function()
  local function refused(change, ...)
    rules [[rule "x" { send = { "archive" } }]]
    local options = { aet = "ROUTER", port = 0, rules = folder .. "/rules", queue = "memory",
      destinations = { archive = { aet = "PACS", host = "127.0.0.1", port = 104 } } }
    change(options)
    local good, err = pcall(dicom.router, options)
    assert.is_false(good)
    assert.is_true(errors.is(err), tostring(err))
    assert.equal("config", err.code)
    assert.is_nil(tostring(err):find "\n")
    for _, pattern in ipairs { ... } do assert.matches(pattern, tostring(err)) end
  end

  it("is refused with unknown fields, the nearest named", function()
    refused(function(o) o.rule = "x" end, "router: unknown field \"rule\"", "\"rules\"")
    refused(function(o) o.destinations.archive.hots = "x" end, "destination \"archive\"", "\"host\"")
    refused(function(o) o.retry = { frist = 1 } end, "retry", "\"first\"")
    refused(function(o) o.timeouts = { dimsy = 1 } end, "timeouts", "\"dimse\"")
    refused(function(o) o.log = { lvel = "info" } end, "log", "\"level\"")
    refused(function(o) o.budget = { time = 1 } end, "budget")
  end)

  it("is refused with missing or impossible values", function()
    for _, name in ipairs { "aet", "rules", "queue", "destinations" } do
      refused(function(o) o[name] = nil end, name .. " is missing")
    end
    for _, name in ipairs { "aet", "host", "port" } do
      refused(function(o) o.destinations.archive[name] = nil end, "archive", name .. " is missing")
    end
    for _, aet in ipairs { "", "   ", "SEVENTEEN LETTERS", "A\\B", "A\nB", "Ä" } do
      refused(function(o) o.aet = aet end, "aet must be")
      refused(function(o) o.destinations.archive.aet = aet end, "archive", "aet must be")
    end
    for _, port in ipairs { -1, 65536, 1.5, "104" } do refused(function(o) o.port = port end, "port") end
    refused(function(o) o.destinations.archive.port = 0 end, "archive", "port")
    refused(function(o) o.destinations = {} end, "destinations is empty")
    refused(function(o) o.destinations.archive.retry = { first = -1 } end, "retry", "first")
    refused(function(o) o.unmatched = "drop" end, "unmatched")
    refused(function(o) o.unmatched = { "nowhere" } end, "unmatched", "nowhere")
    refused(function(o) o.queue = "disk" end, "queue")
    refused(function(o) o.rules = folder .. "/none" end, "rules")
    refused(function(o) o.log = { level = "loud" } end, "level")
    refused(function(o) o.max_associations = 0 end, "max_associations")
  end)

  it("is refused with a folder that holds no rule, unless what no rule sends has a way", function()
    local empty = folder .. "/empty"
    shell("mkdir " .. empty)
    refused(function(o) o.rules = empty end, "holds no rule")
    refused(function(o) o.rules, o.unmatched = empty, "reject" end, "holds no rule")
    local archive = node "PACS"
    local r = started({ archive = to(archive) }, { rules = empty, unmatched = { "archive" } })
    assert.equal(0, (sender(r).store(instance(1))))
    wait_until("a delivery", function() return #archive.got == 1 end)
  end)
end)

describe("delivery", function()
  it("knows every status", function()
    local expected = { [0x0000] = "delivered", [0xB000] = "delivered", [0xB007] = "delivered", [0x0111] = "delivered",
      [0xA700] = "later", [0xA7FF] = "later", [0x0110] = "later", [0x0213] = "later", [0xA900] = "never",
      [0xC000] = "never", [0xCFFF] = "never", [0x0122] = "never", [0x0117] = "never" }
    for status, verdict in pairs(expected) do assert.equal(verdict, destination.verdict(status)) end
  end)

  it("waits twice as long each time, up to the longest", function()
    local d = destination.new("x", { aet = "X", host = "h", port = 1 }, { first = 1, most = 300 },
      { options = { aet = "R" } })
    for n, exact in ipairs { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 } do
      local delay = d:delay(n)
      assert.is_true(delay >= exact * 0.75 and delay <= exact * 1.25)
    end
    assert.is_true(d:delay(5000) <= 375)
  end)

  it("waits no longer than that for what an earlier process put off, whatever its clock said", function()
    local d = destination.new("x", { aet = "X", host = "h", port = 1 }, { first = 1, most = 300 },
      { options = { aet = "R" } })
    d:add({ id = "1" }, { next = os.time() + 1000000 })
    d:add({ id = "2" }, { next = os.time() + 10 })
    assert.equal("2", d.later[1].message.id)
    assert.is_true(d.later[2].at - task.now() <= 375)
  end)
end)
