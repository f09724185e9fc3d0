-- SPDX-License-Identifier: MIT
-- Whole associations between two engines in memory, with the bytes cut in every way.
local core = require "dicom.core"
local split = require "spec.support.split"
local wire = require "spec.support.wire"

local function none(engine)
  assert.equal("", engine:take())
  assert.is_nil(engine:next())
end

for name, cut in pairs(split.ways) do
  describe("an association, " .. name .. ",", function()
    local function pass(from, to)
      return wire.joined(wire.feed(to, from:take(), cut))
    end

    it("is negotiated", function()
      local contexts = {
        { id = 1, abstract = wire.CT, transfers = { wire.EXPLICIT, wire.IMPLICIT } },
        { id = 3, abstract = wire.VERIFICATION, transfers = { wire.IMPLICIT } },
        { id = 5, abstract = "1.2.840.10008.5.1.4.31", transfers = { wire.IMPLICIT } },
      }
      local rows = {
        { abstract = "storage", transfers = { wire.IMPLICIT } }, { abstract = wire.VERIFICATION, transfers = {} },
      }
      local scu, scp, answered, asked = wire.open({ contexts = contexts, called = "CALLED", calling = "CALLING" },
        { rows = rows, max_pdu = 32768, implementation_version = "OTHER" }, cut)
      assert.equal("open", scu:state())
      assert.equal("open", scp:state())
      assert.same({ "CALLED", "CALLING", "SPEC", 16384 },
        { asked.called, asked.calling, asked.implementation_version, asked.max_pdu })
      assert.same({ "CALLED", "CALLING", "OTHER", 32768 },
        { answered.called, answered.calling, answered.implementation_version, answered.max_pdu })
      for _, e in ipairs { scu, scp } do
        assert.equal(wire.CT, e:context(1).abstract)
        assert.same({ wire.IMPLICIT }, e:context(1).transfers)
        assert.equal(wire.VERIFICATION, e:context(3).abstract)
        assert.is_nil(e:context(5))
        assert.is_nil(e:context(7))
        none(e)
      end
      assert.equal(32768, scu:limit())
      assert.equal(16384, scp:limit())
      assert.equal(3, answered.contexts[3].result)
    end)

    it("is rejected", function()
      local scu, scp = core.engine(true), core.engine(false)
      assert(scu:request(wire.params()))
      pass(scu, scp)
      assert(scp:reject(2, 3, 2)) -- transient, provider (presentation): local limit exceeded
      local events = pass(scp, scu)
      assert.equal("rejected close", wire.kinds(events))
      assert.same({ 2, 3, 2 }, { events[1].result, events[1].source, events[1].reason })
      assert.equal("idle", scu:state())
      assert.equal("awaiting close", scp:state())
      scp:closed()
      assert.equal("close", scp:next().kind)
      assert.equal("idle", scp:state())
      none(scp)
    end)

    it("carries data both ways", function()
      local scu, scp = wire.open(nil, nil, cut)
      for _, pair in ipairs { { scu, scp }, { scp, scu } } do
        local from, to = pair[1], pair[2]
        local sent = {}
        for i, n in ipairs { 2, 0, 999, 16378, 5000, 2 } do
          sent[i] = (string.char(64 + i)):rep(n)
          assert(from:data(1, i < 3, i % 2 == 0, sent[i]))
        end
        local got = pass(from, to)
        assert.equal(#sent, #got)
        for i, e in ipairs(got) do
          assert.same({ "data", 1, i < 3, i % 2 == 0, true }, { e.kind, e.context, e.command, e.last, e.ends })
          assert.is_true(e.data == sent[i], "value " .. i)
        end
        none(to)
      end
    end)

    it("is released by either side, while data may still come", function()
      for _, requestor_asks in ipairs { true, false } do
        local a, b = wire.open(nil, nil, cut)
        if not requestor_asks then a, b = b, a end
        assert(b:data(1, false, true, "late"))
        assert(a:release())
        assert.equal("data", wire.kinds(pass(b, a))) -- AR-6
        assert.equal("release", wire.kinds(pass(a, b)))
        assert(b:data(1, false, true, "later still")) -- AR-7
        assert.is_nil((a:data(1, false, true, "too late")))
        assert(b:release_reply())
        assert.equal("data released close", wire.kinds(pass(b, a)))
        assert.equal("idle", a:state())
        b:closed()
        assert.equal("close", b:next().kind)
        none(a)
        none(b)
      end
    end)

    for _, early in ipairs { false, true } do
      it("survives a release collision, the acceptor answering " .. (early and "early" or "in its turn"), function()
        local scu, scp = wire.open(nil, nil, cut)
        assert(scu:release())
        assert(scp:release())
        local from_scu, from_scp = scu:take(), scp:take()
        assert.equal("release", wire.kinds(wire.feed(scu, from_scp, cut)))
        assert.equal("release", wire.kinds(wire.feed(scp, from_scu, cut)))
        assert.equal("collision requestor", scu:state())
        assert.equal("collision acceptor wait", scp:state())
        if early then assert(scp:release_reply()) end
        assert(scu:release_reply())
        assert.equal("collision requestor wait", scu:state())
        assert.equal("released", wire.kinds(pass(scu, scp)))
        if not early then
          assert.equal("collision acceptor", scp:state())
          assert(scp:release_reply())
        end
        assert.equal("released close", wire.kinds(pass(scp, scu)))
        scp:closed()
        assert.equal("close", scp:next().kind)
        none(scu)
        none(scp)
      end)
    end

    it("is aborted by either side in the middle of data", function()
      for _, requestor_aborts in ipairs { true, false } do
        local a, b = wire.open(nil, nil, cut)
        if not requestor_aborts then a, b = b, a end
        assert(b:data(1, false, true, ("x"):rep(500)))
        local pieces = cut(b:take())
        a:feed(pieces[1])
        a:abort(0, 0)
        for e in a.next, a do error("heard " .. e.kind .. " after the abort") end
        for i = 2, #pieces do
          a:feed(pieces[i])
          assert.is_nil(a:next())
        end
        local events = pass(a, b)
        assert.equal("aborted close", wire.kinds(events))
        assert.same({ 0, 0 }, { events[1].source, events[1].reason })
        assert.is_nil((b:data(1, true, true, "ab")))
        a:closed()
        assert.equal("close", a:next().kind)
        none(a)
        none(b)
      end
    end)

    it("carries bytes that came together with what was before them", function()
      local scu, scp = core.engine(true), core.engine(false)
      assert(scu:request(wire.params()))
      pass(scu, scp)
      assert(scp:accept(wire.params { contexts = { { id = 1, transfers = { wire.IMPLICIT } } } }))
      assert(scp:data(1, true, true, "at once"))
      assert(scp:release())
      assert.equal("accepted data release", wire.kinds(pass(scp, scu)))
    end)
  end)
end

describe("the ARTIM timer", function()
  it("closes a connection that asks for nothing (Sta2)", function()
    local e = core.engine(false)
    e:tick(5000)
    assert.equal(35000, e:deadline())
    e:feed(wire.request_pdu():sub(1, 60)) -- bytes that come slowly do not help
    assert.is_nil(e:next())
    e:tick(34999)
    assert.is_nil(e:next())
    e:tick(35000)
    assert.equal("failed:timeout", wire.kinds { e:next() })
    assert.equal("close", e:next().kind)
    assert.equal("", e:take())
    assert.equal("idle", e:state())
  end)

  it("stops when the request is there, and does not run while we decide", function()
    local e = core.engine(false)
    e:tick(0)
    wire.feed(e, wire.request_pdu())
    e:tick(29000)
    assert.is_nil(e:deadline())
    e:tick(999999)
    assert.equal("awaiting local accept", e:state())
  end)

  it("closes the connection of a peer that does not, after our rejection, release reply or abort (Sta13)", function()
    for _, ending in ipairs {
      function()
        local e = wire.in_state(3)
        e:reject(1, 1, 1)
        return e
      end,
      function()
        local e = wire.in_state(8)
        e:release_reply()
        return e
      end,
      function()
        local e = wire.in_state(6)
        e:abort()
        return e
      end,
    } do
      local e = ending()
      e:tick(100)
      assert.equal(30100, e:deadline())
      wire.feed(e, wire.small(5) .. wire.request_pdu()) -- neither what is ignored nor what is aborted again puts it off
      e:tick(200)
      e:tick(30099)
      assert.is_nil(e:next())
      e:tick(30100)
      assert.equal("close", e:next().kind)
      assert.is_nil(e:next())
      assert.equal("idle", e:state())
      assert.is_nil(e:deadline())
    end
  end)

  it("asks for a tick when it has started and does not know the time", function()
    local e = core.engine(false)
    assert.equal(0, e:deadline())
    e:tick(7)
    assert.equal(30007, e:deadline())
  end)

  it("does not run while the association is open", function()
    local e = wire.in_state(6)
    e:tick(1)
    assert.is_nil(e:deadline())
    e:tick(1e9 // 1 | 0)
    assert.equal("open", e:state())
  end)
end)

describe("the ACSE timer", function()
  it("is the caller's, 30 s by default", function()
    local e = core.engine(true, 1500)
    assert(e:request(wire.params()))
    e:tick(10)
    assert.equal(1510, e:deadline())
    e:tick(1510)
    assert.equal("failed:timeout", wire.kinds { e:next() })
    assert.equal("awaiting close", e:state())
    assert.equal(wire.small(7), e:take():sub(-10))
  end)

  it("stops at the answer", function()
    local e = wire.in_state(5)
    e:tick(0)
    wire.feed(e, wire.accept_pdu())
    e:tick(29000)
    assert.is_nil(e:deadline())
  end)
end)

describe("a lost connection", function()
  it("is a failure while there is an association, then close", function()
    for _, state in ipairs { 3, 5, 6, 7, 8, 9, 10, 11, 12 } do
      local e = wire.in_state(state)
      e:closed()
      assert.equal("failed:closed", wire.kinds { e:next() }, state)
      assert.equal("close", e:next().kind)
      assert.is_nil(e:next())
      assert.equal("", e:take())
      e:closed() -- twice does no harm
      assert.is_nil(e:next())
    end
  end)
end)

describe("an engine", function()
  it("has close as its last event, and once, whatever a peer sends", function()
    local noise = { wire.request_pdu(), wire.accept_pdu(), wire.small(3, 1, 1, 1), wire.small(5), wire.small(6),
      wire.small(7), wire.pdu(4, wire.pdv(1, 3, "ab")), "GET /" }
    local chosen = split.random(42)
    for round = 1, 300 do
      local e = core.engine(round % 2 == 0)
      if round % 2 == 0 then e:request(wire.params()) end
      local closes, after = 0, 0
      local function hear()
        for event in e.next, e do
          if closes > 0 then after = after + 1 end
          if event.kind == "close" then closes = closes + 1 end
          if event.kind == "requested" then e:accept(wire.answer(event.params)) end
          if event.kind == "release" then e:release_reply() end
        end
      end
      for i, piece in ipairs(chosen(("x"):rep(40))) do
        e:feed(noise[(#piece * 7 + i * round) % #noise + 1])
        hear()
        if #piece == 5 then e:release() end
        if #piece == 9 then e:abort() end
        e:tick(i * 100)
        hear()
      end
      e:closed()
      hear()
      assert.equal(1, closes)
      assert.equal(0, after)
      assert.equal("idle", e:state())
      assert.is_nil(e:deadline())
    end
  end)

  it("can be dropped at any time", function()
    for state = 1, 13 do
      if wire.states[state] then wire.in_state(state) end
    end
    collectgarbage()
    local e <close> = core.engine(true)
    assert.equal("idle", e:state())
  end)
end)
