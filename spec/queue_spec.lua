-- SPDX-License-Identifier: MIT
-- What a queue accepted is there until it was delivered, whatever happens in between: after each step the spool is left
-- as a crash would leave it and opened anew.
local dicom = require "dicom"
local file = require "dicom.file"
local log = require "dicom.log"
local queue = require "dicom.queue"
local record = require "dicom.queue.record"
local spool = require "dicom.queue.spool"

local ORIGIN = { calling_aet = "SCANNER 3", called_aet = "ROUTER", address = "10.0.0.7",
  received = "2026-01-02T03:04:05Z" }
local CT = "1.2.840.10008.5.1.4.1.1.2"

local folder

local function shell(command)
  assert(os.execute(command))
end

local function exists(path)
  return file.stat(path) ~= nil
end

local function count(path)
  return #assert(file.list(folder .. "/" .. path))
end

local function instance(id)
  return dicom.dataset { SOPClassUID = CT, SOPInstanceUID = "1.2.3." .. id, PatientID = "P" .. id, Modality = "CT" }
end

local n = 0

-- As a listener leaves an instance: a file in the queue's folder, or a data set in memory.
local function arrive(q, id)
  local ds = instance(id)
  local sink = q:sink()
  if not sink then return ds end
  n = n + 1
  local path = ("%s/%d.part"):format(sink, n)
  assert(ds:save(path))
  return assert(dicom.open(path))
end

local function to(name) return { kind = "to", name = name } end
local function change(number, rules, send)
  return { kind = "change", name = tostring(number), fields = { rules = rules, send = send } }
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
end)
after_each(function() shell("rm -rf " .. folder) end)

for _, back_end in ipairs { "memory", "spool" } do
  describe(back_end .. " queue", function()
    local q

    before_each(function()
      q = queue.new(back_end == "memory" and "memory" or "spool:" .. folder .. "/")
      assert.same({}, assert(q:open()))
    end)
    after_each(function() q:close() end)

    it("gives back what it accepted", function()
      local message = assert(q:accept(arrive(q, 1), { to "archive", to "back up" }, ORIGIN))
      assert.equal("1.2.3.1", assert(q:load(message)).SOPInstanceUID)
      assert.equal(CT, message.sop_class)
      assert.equal("waiting", message.by_key["to back up"].state)
    end)

    it("gives data sets that may be changed without changing the message", function()
      local message = assert(q:accept(arrive(q, 1), { to "archive" }, ORIGIN))
      local ds = assert(q:load(message))
      ds.PatientID = "changed"
      assert.equal("P1", assert(q:load(message)).PatientID)
    end)

    it("forgets a message with its last part", function()
      local message = assert(q:accept(arrive(q, 1), { to "a", to "b" }, ORIGIN))
      assert(q:note(message, message.by_key["to a"], "delivered"))
      assert(q:load(message))
      assert(q:note(message, message.by_key["to b"], "failed", 1, 0, "no answer"))
      assert(q:note(message, message.by_key["to b"], "dropped"))
      assert.is_true(record.is_done(message))
      if back_end == "spool" then
        q:close()
        assert.equal(0, count "messages")
      else
        assert.is_nil(next(q.messages))
      end
    end)

    it("remembers tries and reasons", function()
      local message = assert(q:accept(arrive(q, 1), { to "a" }, ORIGIN))
      local part = message.by_key["to a"]
      assert(q:note(message, part, "failed", 3, 1234, "status A700"))
      assert.same({ 3, 1234, "status A700", "waiting" }, { part.tries, part.next, part.error, part.state })
      assert(q:note(message, part, "parked", "it is\nno use\t100%"))
      assert.same({ "parked", "it is\nno use\t100%" }, { part.state, part.error })
      assert(q:note(message, part, "retry"))
      assert.same({ "waiting", 0 }, { part.state, part.next })
    end)

    it("makes a message of a change, with destinations of its own", function()
      local message = assert(q:accept(arrive(q, 1), { to "a", change(1, { "r 1", "r2" }, { "b", "c" }) }, ORIGIN))
      local ds = assert(q:load(message))
      ds.PatientID = "NEW"
      local made = assert(q:derive(message, message.by_key["change 1"], ds))
      assert.equal(message.id .. "-1", made.id)
      assert.equal(message.id, made.parent)
      assert.equal("NEW", assert(q:load(made)).PatientID)
      assert.equal("P1", assert(q:load(message)).PatientID)
      assert.equal("done", message.by_key["change 1"].state)
      assert.same({ "to b", "to c" }, { made.parts[1].kind .. " " .. made.parts[1].name,
        made.parts[2].kind .. " " .. made.parts[2].name })
    end)

    it("makes nothing of a change that dropped it", function()
      local message = assert(q:accept(arrive(q, 1), { change(1, { "r" }, { "b" }) }, ORIGIN))
      assert.is_true(q:derive(message, message.parts[1], false))
      assert.is_true(record.is_done(message))
    end)

    it("lets go of what is refused", function()
      assert(q:refuse(arrive(q, 1)))
      if back_end == "spool" then assert.equal(0, count "incoming") end
    end)

    it("gives ids in the order of time", function()
      local last = ""
      for i = 1, 20 do
        local message = assert(q:accept(arrive(q, i), { to "a" }, ORIGIN))
        assert.is_true(message.id > last)
        last = message.id
      end
    end)
  end)
end

describe("spool", function()
  local q

  local function open()
    q = queue.new("spool:" .. folder)
    return assert(q:open())
  end

  -- The process dies: nothing is closed in order, the lock goes.
  local function crash()
    q.lock:close()
    return open()
  end

  before_each(function() open() end)
  after_each(function() q:close() end)

  it("has one owner", function()
    local other, err = queue.new("spool:" .. folder):open()
    assert.is_nil(other)
    assert.equal("locked", err.code)
    assert.matches("belongs to another router", err.text)
    q:close()
    open()
  end)

  it("keeps the bytes that came, and tells the data set from what is behind it", function()
    local ds = arrive(q, 1)
    local f = assert(io.open(ds.path, "rb"))
    local bytes = f:read "a"
    f:close()
    local message = assert(q:accept(ds, { to "a" }, ORIGIN))
    f = assert(io.open(("%s/messages/%s.msg"):format(folder, message.id), "rb"))
    assert.equal(bytes, f:read(message.size))
    f:close()
    assert.equal(0, count "incoming")
    assert.same({}, assert(q:load(message)).repairs)
  end)

  it("finds all again after a crash, oldest first", function()
    local ids = {}
    for i = 1, 5 do ids[i] = assert(q:accept(arrive(q, i), { to "a" }, ORIGIN)).id end
    arrive(q, 6)
    local found = crash()
    assert.equal(0, count "incoming")
    for i = 1, 5 do
      assert.equal(ids[i], found[i].id)
      assert.equal("P" .. i, assert(q:load(found[i])).PatientID)
    end
    assert.equal(5, #found)
    local m = found[1]
    assert.equal(m.id, m.origin.id)
    for k, v in pairs(ORIGIN) do assert.equal(v, m.origin[k]) end
    assert.equal(CT, m.sop_class)
  end)

  it("knows after a crash what was delivered, failed and parked", function()
    local message = assert(q:accept(arrive(q, 1), { to "a", to "b", to "c", { kind = "rule", name = "x y" } }, ORIGIN))
    assert(q:note(message, message.by_key["to a"], "delivered"))
    assert(q:note(message, message.by_key["to b"], "failed", 2, 1234, "status A700"))
    assert(q:note(message, message.by_key["rule x y"], "parked", "error\ntraceback"))
    local m = crash()[1]
    assert.equal("done", m.by_key["to a"].state)
    assert.same({ "waiting", 2, 1234, "status A700" },
      { m.by_key["to b"].state, m.by_key["to b"].tries, m.by_key["to b"].next, m.by_key["to b"].error })
    assert.equal("waiting", m.by_key["to c"].state)
    assert.same({ "parked", "error\ntraceback" }, { m.by_key["rule x y"].state, m.by_key["rule x y"].error })
  end)

  it("can park a part from the beginning", function()
    assert(q:accept(arrive(q, 1), { { kind = "rule", name = "none", fields = { state = "parked", error = "why" } } },
      ORIGIN))
    local part = crash()[1].parts[1]
    assert.same({ "parked", "why" }, { part.state, part.error })
  end)

  it("makes a change once, wherever the crash comes", function()
    local message = assert(q:accept(arrive(q, 1), { change(1, { "r" }, { "b" }) }, ORIGIN))
    local ds = assert(q:load(message))
    ds.PatientID = "FIRST"

    -- before anything was committed: it is to be made
    assert.equal("waiting", crash()[1].parts[1].state)

    -- committed, but not noted
    q.note = function() return nil, "crash" end
    assert.is_nil((q:derive(message, message.parts[1], ds)))
    local found = crash()
    assert.equal(1, #found)
    assert.equal(message.id .. "-1", found[1].id)
    assert.equal("FIRST", assert(q:load(found[1])).PatientID)
    assert.is_false(exists(("%s/messages/%s.msg"):format(folder, message.id)))

    -- delivered; nothing comes back
    assert(q:note(found[1], found[1].parts[1], "delivered"))
    assert.same({}, crash())
    assert.equal(0, count "messages")
  end)

  it("does not make a change again when its message came, was delivered and went", function()
    local message = assert(q:accept(arrive(q, 1), { change(1, { "r" }, { "b" }), to "a" }, ORIGIN))
    local made = assert(q:derive(message, message.parts[1], assert(q:load(message))))
    assert(q:note(made, made.parts[1], "delivered"))
    local found = crash()
    assert.equal(1, #found)
    assert.equal("done", found[1].by_key["change 1"].state)
  end)

  it("reads a log whose last line was torn", function()
    local message = assert(q:accept(arrive(q, 1), { to "a", to "b" }, ORIGIN))
    assert(q:note(message, message.parts[1], "delivered"))
    local path = ("%s/messages/%s.log"):format(folder, message.id)
    for _, torn in ipairs { "delivered to b",
      "\0\0\0\0\n\0", "failed to b x\n", "failed to b 1e308 2 x\n", "failed to b 1 0.5 x\n", "failed to b -1 5 x\n",
      "change 9 999999999999 r\nfor 9 b\n", "delivered to\n", "parked to z why\n" } do
      local f = assert(io.open(path, "ab"))
      f:write(torn)
      f:close()
      local m = crash()[1]
      assert.equal("done", m.by_key["to a"].state)
      assert.same({ "waiting", 0, 0 }, { m.by_key["to b"].state, m.by_key["to b"].tries, m.by_key["to b"].next })
      f = assert(io.open(path, "wb"))
      f:write "delivered to a\n"
      f:close()
    end
  end)

  it("leaves a folder in incoming that is none of ours, and goes on", function()
    assert(os.execute(("mkdir -p %s/incoming/foreign/sub && touch %s/incoming/x.part"):format(folder, folder)))
    assert.same({}, crash())
    assert.is_true(exists(folder .. "/incoming/foreign/sub"))
    assert.is_false(exists(folder .. "/incoming/x.part"))
  end)

  it("leaves a damaged message where it is and goes on", function()
    local before = log.default.sink
    local lines = {}
    log.default.sink = function(line) lines[#lines + 1] = line end
    local first = assert(q:accept(arrive(q, 1), { to "a" }, ORIGIN))
    assert(q:accept(arrive(q, 2), { to "a" }, ORIGIN))
    local path = ("%s/messages/%s.msg"):format(folder, first.id)
    local f = assert(io.open(path, "r+b"))
    f:seek("set", first.size + 3)
    f:write "X"
    f:close()
    local found = crash()
    log.default.sink = before
    assert.equal(1, #found)
    assert.is_true(exists(path))
    assert.matches("damaged", lines[1])
  end)

  it("keeps nothing of a message that could not be committed", function()
    if io.popen("id -u"):read "l" ~= "0" then pending "needs root to mount a small file system" return end
    q:close()
    shell("mkdir -p " .. folder .. " && mount -t tmpfs -o size=64k none " .. folder)
    open()
    local first = assert(q:accept(arrive(q, 1), { to "a" }, ORIGIN))
    local ds = arrive(q, 2)
    local filler = assert(io.open(folder .. "/filler", "wb"))
    filler:setvbuf "no"
    repeat local written = filler:write(("x"):rep(1024)) until not written
    filler:close()
    local message, err = q:accept(ds, { to(("x"):rep(9000)) }, ORIGIN)
    local left, kept = count "incoming", count "messages"
    shell("rm " .. folder .. "/filler")
    local second = q:accept(arrive(q, 3), { to(("x"):rep(9000)) }, ORIGIN)
    local found = crash()
    q:close()
    shell("umount " .. folder)
    assert.is_true(message == nil)
    assert.equal("no space", err.code)
    assert.same({ 0, 1 }, { left, kept })
    assert.same({ first.id, second.id }, { found[1].id, found[2].id })
    open()
  end)

  it("lists itself while it is in use, and takes orders", function()
    local message = assert(q:accept(arrive(q, 1), { to "a" }, ORIGIN))
    assert(q:note(message, message.parts[1], "parked", "refused"))
    assert(q:accept(arrive(q, 2), { to "b" }, ORIGIN))
    local list = {}
    for m in spool.list(folder .. "/") do list[#list + 1] = m end
    assert.equal(2, #list)
    assert.same({ "parked", "refused" }, { list[1].parts[1].state, list[1].parts[1].error })
    assert.equal("10.0.0.7", list[1].origin.address)
    assert.is_true(list[1].size > 0)

    assert(spool.order(folder, "retry", message.id))
    assert.is_nil((spool.order(folder, "retry", "../" .. message.id)))
    assert.is_nil((spool.order(folder, "drop", "nothing")))
    assert.has_error(function() spool.order(folder, "burn", message.id) end)
    assert.same({ { what = "retry", id = message.id } }, q:orders_given())
    assert.same({}, q:orders_given())
    assert.has_error(function() spool.list(folder .. "/none") end)
  end)

  it("is named by its folder", function()
    for _, text in ipairs { "spool:", "disk:x", "memory:x", "", "spool" } do
      assert.has_error(function() queue.new(text) end)
    end
  end)
end)
