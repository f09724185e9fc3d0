-- SPDX-License-Identifier: MIT
-- Asking: both ends in this process, on loopback.
local association = require "dicom.association"
local core = require "dicom.core"
local dicom = require "dicom"
local net = require "spec.support.net"
local sh = require "spec.support.sh"
local task = require "dicom.task"

local CT, SC = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"
local IMPLICIT, EXPLICIT, JPEG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"

local function count(kind)
  local n = 0
  for _, line in ipairs(net.lines) do if line:find(kind, 1, true) then n = n + 1 end end
  return n
end

-- A peer of our own making: answers the contexts by `answer(context)`, then messages by `respond(link, message)`.
local function acceptor(answer, respond)
  local socket = assert(core.listener(task.loop, { host = "127.0.0.1", port = 0 }))
  local timeouts = { acse = 5, dimse = 5, idle = 5 }
  local t = dicom.task(function()
    local _ <close> = socket
    while true do
      local link <close> = task.await { id = function() return socket:id() end,
        next = function() return socket:next(timeouts) end }
      local a = association.receive(link)
      if a then
        local answers = {}
        for i, c in ipairs(a.proposed) do answers[i] = answer(c) end
        a:accept(answers, 16384)
        while true do
          local message = a:next()
          if message == nil or message == "released" then break end
          if respond(a, message) == "close" then break end
        end
      end
    end
  end)
  return socket:port(), function() t:cancel() pcall(t.await, t) end
end

local function takes(uid)
  return function(c)
    for _, proposed in ipairs(c.transfers) do
      if proposed == uid then return { id = c.id, result = 0, abstract = c.abstract, transfers = { uid } } end
    end
    return { id = c.id, result = 4, abstract = c.abstract, transfers = {} }
  end
end

describe("a peer", function()
  before_each(net.begin)
  after_each(net.finish)

  it("is asked for an echo, again and again on one association", function()
    local l = net.listen { aet = "US" }
    local p = net.peer(l.port, { aet = "US" })
    for _ = 1, 5 do assert.equal(0, p.echo()) end
    assert.equal(1, count "association accepted")
  end)

  it("sends a data set whole, of every size around a PDU", function()
    local got
    local l = net.listen { store = function(ds) got = ds:raw "PixelData" return true end, max_pdu = 4096 }
    local p = net.peer(l.port)
    for _, size in ipairs { 8, 3000, 3800, 4000, 4088, 4096, 8192, 65536, 300000, 3000000 } do
      local ds = net.instance(size)
      local status, detail = p.store(ds)
      assert.equal(0, status)
      assert.equal(ds.SOPInstanceUID, detail.sop_instance)
      assert.equal(EXPLICIT, detail.syntax)
      assert.equal(ds:raw "PixelData", got)
    end
    assert.equal(1, count "association accepted")
  end)

  it("sends with the smallest PDU that a peer may ask for", function()
    local got
    local l = net.listen { store = function(ds) got = ds:raw "PixelData" return 0 end, max_pdu = 128 }
    local ds = net.instance(5000)
    assert.equal(0, net.peer(l.port).store(ds))
    assert.equal(ds:raw "PixelData", got)
  end)

  it("sends a file by its path, its bytes untouched", function()
    local folder = sh.folder()
    local ds = net.instance(200000)
    assert(ds:save(folder .. "/a.dcm"))
    local got
    local l = net.listen { store = function(d) got = d:bytes { raw = true, part10 = false } return 0 end }
    local p = net.peer(l.port)
    assert.equal(0, p.store(folder .. "/a.dcm"))
    assert.equal(dicom.open(folder .. "/a.dcm"):bytes { raw = true, part10 = false }, got)
    local status, err = p.store(folder .. "/none.dcm")
    assert.is_nil(status)
    assert.equal("system", err.code)
  end)

  it("gives results of a list in order; what cannot be sent does not stop the others", function()
    local folder = sh.folder()
    local seen = {}
    local l = net.listen { store = function(ds)
      seen[#seen + 1] = ds.InstanceNumber
      return ds.InstanceNumber == 2 and 0xB000 or 0
    end }
    local list = {}
    for i = 1, 3 do
      local ds = net.instance(100, { InstanceNumber = i })
      list[#list + 1] = folder .. "/" .. i
      assert(ds:save(list[#list]))
    end
    table.insert(list, 3, folder .. "/none")
    local statuses, errors = {}, {}
    for status, detail in net.peer(l.port).store(list) do
      statuses[#statuses + 1] = status
      errors[#errors + 1] = not status and detail.code or ""
    end
    assert.same({ 0, 0xB000, false, 0 }, statuses)
    assert.same({ "", "", "system", "" }, errors)
    assert.same({ 1, 2, 3 }, seen)
    assert.equal(1, count "association accepted")
  end)

  it("takes an iterator; leaving the loop early keeps the association for the next call", function()
    local l = net.listen { store = function() return 0 end }
    local p = net.peer(l.port)
    local n = 0
    local function some() n = n + 1 if n <= 5 then return net.instance(8) end end
    for status in p.store(some) do
      assert.equal(0, status)
      if n >= 3 then break end
    end
    assert.equal(0, p.store(net.instance(8)))
    assert.equal(1, count "association accepted")
  end)

  it("proposes what it sends in its own syntax, so that it arrives untouched; converts what is uncompressed", function()
    local ds = net.instance(64)
    local seen
    local port, close = acceptor(takes(IMPLICIT), function(a, m)
      seen = m
      a:send(m.context, { field = 0x8001, message_id = m.message_id, sop_class = m.sop_class,
        sop_instance = m.sop_instance, status = 0 })
    end)
    local status, detail = net.peer(port).store(ds)
    assert.equal(0, status)
    assert.equal(IMPLICIT, detail.syntax)
    assert.equal(IMPLICIT, seen.syntax)
    assert.equal(ds:raw "PixelData", seen.dataset:raw "PixelData")
    close()
  end)

  it("names both syntaxes when the peer does not take the one it is in", function()
    local bare = net.instance(64):bytes { part10 = false }
    local ds = assert(dicom.open(bare, { syntax = JPEG }))
    assert.equal(JPEG, ds.syntax)
    local answers = { [IMPLICIT] = takes(IMPLICIT), [JPEG] = takes(JPEG) }
    local port, close = acceptor(function(c) return answers[c.transfers[1]](c) end, function(a, m)
      a:send(m.context, { field = 0x8001, message_id = m.message_id, sop_class = m.sop_class,
        sop_instance = m.sop_instance, status = 0 })
    end)
    local p = net.peer(port)
    local status, detail = p.store(ds)
    assert.same({ 0, JPEG }, { status, detail.syntax })
    p:close()
    answers[JPEG] = takes(IMPLICIT)
    local err
    status, err = net.peer(port).store(ds)
    assert.is_nil(status)
    assert.equal("unknown context", err.code)
    assert.matches("Secondary Capture", err.text)
    assert.matches("1.2.840.10008.1.2.4.70", err.text, 1, true)
    close()
  end)

  it("splits what needs more than 128 presentation contexts over associations", function()
    local l = net.listen { sop_classes = "*", store = function() return 0 end }
    local list = {}
    for i = 1, 150 do list[i] = net.instance(8, { SOPClassUID = "1.2.826.0.1.3680043.9.9." .. i }) end
    local n = 0
    for status in net.peer(l.port).store(list) do
      assert.equal(0, status)
      n = n + 1
    end
    assert.equal(150, n)
    assert.equal(3, count "association accepted") -- 64 classes of two contexts each
  end)

  it("asks a peer that serves one association at a time for new contexts", function()
    local port, close = acceptor(takes(EXPLICIT), function(a, m)
      a:send(m.context, { field = m.field | 0x8000, message_id = m.message_id, sop_class = m.sop_class,
        sop_instance = m.sop_instance, status = 0 })
    end)
    local p = net.peer(port, { timeouts = { acse = 1 } })
    assert.equal(0, p.echo())
    assert.equal(0, (p.store(net.instance(8))))
    assert.equal(0, (p.store(net.instance(8, { SOPClassUID = CT }))))
    assert.equal(0, p.echo())
    close()
  end)

  it("says what went wrong: nobody listens, no such host, rejected, aborted, silent", function()
    local status, err = net.peer(sh.port()).echo()
    assert.is_nil(status)
    assert.equal("refused", err.code)
    status, err = net.peer(104, { host = "no-such-host.invalid" }).echo()
    assert.is_nil(status)
    assert.equal("unknown host", err.code)
    status, err = net.peer(net.listen { aet = "OTHER" }.port, { aet = "US" }).echo()
    assert.is_nil(status)
    assert.equal("rejected", err.code)
    assert.same({ 1, 1, 7 }, { err.result, err.source, err.reason })
    assert.matches("called AE title not recognized", tostring(err))
    local port, close = acceptor(takes(IMPLICIT), function(a) a:abort() return "close" end)
    status, err = net.peer(port).echo()
    assert.is_nil(status)
    assert.equal("aborted", err.code)
    close()
    port, close = acceptor(takes(IMPLICIT), function() end)
    local began = task.now()
    status, err = net.peer(port, { timeouts = { dimse = 0.1 } }).echo()
    assert.is_nil(status)
    assert.equal("timeout", err.code)
    assert.is_true(task.now() - began < 3)
    close()
  end)

  it("gives up on a peer that accepts the connection and says nothing", function()
    local socket = assert(core.listener(task.loop, { host = "127.0.0.1", port = 0 }))
    local status, err = net.peer(socket:port(), { timeouts = { acse = 0.1 } }).echo()
    assert.is_nil(status)
    assert.equal("timeout", err.code)
    socket:close()
  end)

  it("sends the others when one has no proper SOP Class UID", function()
    local l = net.listen { store = function() return 0 end }
    local bad = net.instance(10):bytes { part10 = true }
    bad = assert(dicom.open((bad:gsub("1%.2%.840%.10008%.5%.1%.4%.1%.1%.7", "1.2.840.10008.5.1.4.1.1.x"))))
    local peer = net.peer(l.port)
    assert.equal("bad uid", select(2, peer.store(bad)).code)
    assert.equal(0, (peer.store(net.instance(10))))
    local results = {}
    for status, detail in peer.store { net.instance(10), bad, net.instance(10) } do
      results[#results + 1] = status or detail.code
    end
    assert.same({ 0, "bad uid", 0 }, results)
  end)

  it("goes on with a new association after an answer that makes no sense", function()
    local answered = 0
    local l = net.listen { store = function() return 0 end }
    function l:say(a, message, status) -- luacheck: ignore self
      answered = answered + 1
      return a:send(message.context, { field = message.field | 0x8000, status = status, sop_class = message.sop_class,
        message_id = message.message_id + (answered == 1 and 7 or 0), sop_instance = message.sop_instance })
    end
    local results = {}
    for status, detail in net.peer(l.port).store { net.instance(10), net.instance(10), net.instance(10) } do
      results[#results + 1] = status or detail.code
    end
    assert.same({ "bad command set", 0, 0 }, results)
  end)

  it("connects anew when the association it kept has died", function()
    local answered = 0
    local port, close = acceptor(takes(IMPLICIT), function(a, m)
      answered = answered + 1
      a:send(m.context, { field = 0x8030, message_id = m.message_id, sop_class = m.sop_class, status = 0 })
      dicom.sleep(0.01)
      return "close" -- after every answer
    end)
    local p = net.peer(port)
    for _ = 1, 3 do
      assert.equal(0, p.echo())
      dicom.sleep(0.03)
    end
    assert.equal(3, answered)
    close()
  end)

  it("releases an association that has been idle", function()
    local l = net.listen {}
    local p = net.peer(l.port, { timeouts = { idle = 0.05 } })
    assert.equal(0, p.echo())
    assert.is_true(net.eventually(function() return count "how=released" == 1 end, 3))
    assert.equal(0, p.echo())
    assert.equal(2, count "association accepted")
  end)

  it("serves several tasks at once, each with an association of its own", function()
    local l = net.listen { store = function() dicom.sleep(0.05) return 0 end }
    local p = net.peer(l.port)
    local tasks, began = {}, task.now()
    for i = 1, 10 do tasks[i] = dicom.task(function() return p.store(net.instance(8)) end) end
    for i = 1, 10 do assert.equal(0, (tasks[i]:await())) end
    assert.is_true(task.now() - began < 0.4)
  end)

  it("a cancelled store aborts its association and no other", function()
    local l = net.listen { store = function() dicom.sleep(0.2) return 0 end }
    local p = net.peer(l.port)
    local value, err = dicom.timeout(0.05, p.store, net.instance(8))
    assert.is_nil(value)
    assert.equal("timeout", err.code)
    assert.is_true(net.eventually(function() return count "aborted" == 1 end, 3))
    assert.equal(0, p.echo())
  end)

  it("names the line of the caller, and the nearest word, when it is misused", function()
    local _, err = pcall(function() return (dicom.peer { hots = "127.0.0.1" }) end)
    assert.matches('^spec/peer_spec.lua:%d+: dicom.peer: unknown field "hots"; the nearest is "host"$', tostring(err))
  end)

  it("refuses misuse before anything is connected", function()
    for _, options in ipairs { {}, { host = "" }, { host = "x", port = 0 }, { host = "x", port = 70000 },
      { host = "x", prot = 1 }, { host = "x", timeouts = { dimsee = 1 } }, { host = "x", timeouts = { dimse = 0 } },
      { host = "x", aet = "" }, { host = "x", aet = "                " }, { host = "x", aet = "12345678901234567" },
      { host = "x", calling_aet = "A\\B" }, { host = "x", calling_aet = "A\n" } } do
      assert.has_error(function() dicom.peer(options) end)
    end
    local p = dicom.peer { host = "127.0.0.1" }
    assert.has_error(function() return p.fnid end)
    assert.has_error(function() return p.store(1) end)
    local ds = dicom.dataset { SOPClassUID = CT }
    local status, err = p.store(ds)
    assert.is_nil(status)
    assert.equal("bad value", err.code)
    ds.SOPInstanceUID = "1.2.3"
    ds:set("SOPClassUID", SC)
  end)
end)
