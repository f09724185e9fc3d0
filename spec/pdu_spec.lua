-- SPDX-License-Identifier: MIT
-- PS3.8 9.3, annex D and PS3.7 annex D.3: the bytes of PDUs, against vectors made by hand.
local core = require "dicom.core"
local split = require "spec.support.split"
local wire = require "spec.support.wire"

local item, pdu, associate = wire.item, wire.pdu, wire.associate
local APPLICATION = item(0x10, wire.APPLICATION)

local function hex(s)
  return (s:gsub("%s+", ""):gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end))
end

-- Decodes the body of an A-ASSOCIATE PDU.
local function decode(items, request, fields)
  return core.pdu_associate(associate(items, fields), request ~= false)
end

-- What an acceptor hears of a whole A-ASSOCIATE-RQ.
local function ask(items, fields)
  local e = core.engine(false)
  local events = wire.feed(e, pdu(1, associate(items, fields)))
  return events[1], e
end

describe("an A-ASSOCIATE-RQ", function()
  it("has the bytes of PS3.8 table 9-11", function()
    local e = core.engine(true)
    assert(e:request {
      called = "STORE", calling = "US", max_pdu = 0x4000, implementation_uid = "1.2", implementation_version = "V1",
      window = { invoked = 5, performed = 1 },
      contexts = {
        { id = 1, abstract = "1.2.3", transfers = { "1.2.840.10008.1.2", "1.2.4" }, scu = true, scp = true },
        { id = 3, abstract = "1.2.5", transfers = { "1.2.4" } },
      },
      items = { { type = 0x58, bytes = "\1\0\0\2ab\0\0" } },
    })
    assert.equal(hex [[
      01 00 000000E0  0001 0000
      53544F52452020202020202020202020 55532020202020202020202020202020
      00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
      10 00 0015 312E322E3834302E31303030382E332E312E312E31
      20 00 002B 01 00 00 00  30 00 0005 312E322E33
        40 00 0011 312E322E3834302E31303030382E312E32  40 00 0005 312E322E34
      20 00 0016 03 00 00 00  30 00 0005 312E322E35  40 00 0005 312E322E34
      50 00 0036
        51 00 0004 00004000   52 00 0003 312E32   53 00 0004 0005 0001
        54 00 0009 0005 312E322E33 01 01   55 00 0002 5631   58 00 0008 01000002 6162 0000
    ]], e:take())
  end)

  it("is decoded to what was encoded", function()
    local contexts = {}
    for i = 1, 128 do
      local transfers = { wire.IMPLICIT, "1.3." .. i }
      contexts[i] = { id = 2 * i - 1, abstract = "1.2." .. i, transfers = transfers, result = 0 }
    end
    contexts[7].scu, contexts[7].scp = false, true
    local p = {
      called = "A B", calling = "LONG TITLE OF 16", max_pdu = 131072,
      implementation_uid = "1.2.3", implementation_version = "X",
      window = { invoked = 0, performed = 65535 }, contexts = contexts,
      items = { { type = 0x56, bytes = "\0\3" .. "1.2" .. "\1" }, { type = 0x59, bytes = "" } },
    }
    for name, cut in pairs(split.ways) do
      local scu, scp = core.engine(true), core.engine(false)
      assert(scu:request(p))
      local events = wire.feed(scp, scu:take(), cut)
      assert.equal("requested", wire.kinds(events), name)
      assert.same(p, events[1].params, name)
    end
  end)

  it("is not made with what the standard forbids", function()
    local function fails(code, more)
      local e = core.engine(true)
      local ok, err = e:request(wire.params(more))
      assert.is_nil(ok)
      assert.equal(code, err.code)
      assert.equal("", e:take())
      assert.equal("idle", e:state())
    end
    local good = { id = 1, abstract = "1.2", transfers = { "1.2" } }
    local function with(fields)
      local c = {}
      for k, v in pairs(good) do c[k] = v end
      for k, v in pairs(fields) do c[k] = v end
      return c
    end
    for _, title in ipairs { "", " ", "A\\B", "A\nB", "\xC3\x84" } do
      fails("bad ae title", { called = title })
      fails("bad ae title", { calling = title })
    end
    for _, uid in ipairs { "", "1.", ".1", "1..2", "1.a", ("1"):rep(65) } do
      fails("bad uid", { contexts = { with { abstract = uid } } })
      fails("bad uid", { contexts = { with { transfers = { "1.2", uid } } } })
    end
    fails("bad uid", { implementation_uid = "" })
    fails("unknown context", { contexts = {} })
    fails("unknown context", { contexts = { with { id = 2 } } })
    fails("unknown context", { contexts = { with { id = 0 } } })
    fails("unknown context", { contexts = { good, good } })
    fails("unknown context", { contexts = { with { transfers = {} } } })
    fails("pdu too long", { max_pdu = 7 })
    fails("too long", { items = { { type = 0x58, bytes = ("x"):rep(65536) } } })
    local half = { type = 0x58, bytes = ("x"):rep(40000) }
    fails("too long", { items = { half, half } })
    local many = {}
    for i = 1, 950 do many[i] = "1." .. ("2"):rep(62) end
    local all = {}
    for i = 1, 20 do all[i] = with { id = 2 * i - 1, transfers = many } end
    fails("too long", { contexts = all })
    many[1000] = nil
    for i = 951, 1000 do many[i] = many[1] end
    fails("too long", { contexts = { with { transfers = many } } })
  end)
end)

describe("decoding an A-ASSOCIATE PDU", function()
  local context = wire.context_rq(1, wire.CT, wire.IMPLICIT, wire.EXPLICIT)

  it("gives every item", function()
    local user = item(0x50, item(0x51, "\0\0\x40\0") .. item(0x52, "1.2.3") .. item(0x53, "\0\2\0\3")
      .. item(0x54, string.pack(">s2BB", wire.CT, 0, 1)) .. item(0x55, "VERSION")
      .. item(0x57, "x") .. item(0x58, "yz"))
    local p, version, application = decode(APPLICATION .. context .. user)
    assert.same({
      called = "THEM", calling = "US", max_pdu = 16384,
      implementation_uid = "1.2.3", implementation_version = "VERSION",
      window = { invoked = 2, performed = 3 },
      contexts = { {
        id = 1, result = 0, abstract = wire.CT, transfers = { wire.IMPLICIT, wire.EXPLICIT }, scu = false, scp = true,
      } },
      items = { { type = 0x57, bytes = "x" }, { type = 0x58, bytes = "yz" } },
    }, p)
    assert.equal(1, version)
    assert.equal(wire.APPLICATION, application)
  end)

  it("trims AE titles and UIDs, as peers pad them", function()
    local p, _, application = decode(item(0x10, wire.APPLICATION .. "\0")
      .. wire.context_rq(1, wire.CT .. "\0", wire.IMPLICIT .. " ", wire.EXPLICIT .. "\0\0")
      .. item(0x50, item(0x52, "1.2\0") .. item(0x55, "V \0")
        .. item(0x54, string.pack(">s2BB", wire.CT .. " ", 1, 0))),
      true, { called = "  THEM", calling = "US\0\0\0\0\0\0\0\0\0\0\0\0\0\0" })
    assert.equal(wire.APPLICATION, application)
    assert.equal("THEM", p.called)
    assert.equal("US", p.calling)
    assert.equal(wire.CT, p.contexts[1].abstract)
    assert.same({ wire.IMPLICIT, wire.EXPLICIT }, p.contexts[1].transfers)
    assert.equal("1.2", p.implementation_uid)
    assert.equal("V", p.implementation_version)
    assert.is_true(p.contexts[1].scu)
  end)

  it("skips unknown items and reserved bytes", function()
    local subs = item(0x99, "?") .. item(0x30, "1.2") .. item(0x40, "1.3")
    local noisy = "\x20\xFF" .. string.pack(">s2", "\5\xAA\xBB\xCC" .. subs)
    local p = decode(item(0x77, "what") .. noisy .. item(0x50, item(0x60, "?") .. item(0x51, "\0\0\1\0\9\9")))
    assert.equal(256, p.max_pdu)
    assert.equal(5, p.contexts[1].id)
    assert.equal("1.2", p.contexts[1].abstract)
    assert.same({ "1.3" }, p.contexts[1].transfers)
  end)

  it("does without items that are missing", function()
    local p, version, application = decode("", true, { version = 0x8001 })
    assert.equal(0x8001, version)
    assert.is_nil(application)
    assert.same({}, p.contexts)
    assert.equal(16384, p.max_pdu) -- cautious: the peer did not say
    assert.equal("", p.implementation_uid)
    assert.is_nil(p.window)
    assert.same({}, decode(item(0x20, "\1\0\0\0")).contexts[1].transfers)
    assert.equal("", decode(item(0x20, "\1\0\0\0")).contexts[1].abstract)
  end)

  it("gives results and transfer syntaxes of an answer, also of refused contexts without one", function()
    local p = decode(wire.context_ac(1, 0, wire.IMPLICIT) .. wire.context_ac(3, 3) .. wire.context_ac(5, 4, ""), false)
    assert.same({ 0, 3, 4 }, { p.contexts[1].result, p.contexts[2].result, p.contexts[3].result })
    assert.same({ wire.IMPLICIT }, p.contexts[1].transfers)
    assert.same({}, p.contexts[2].transfers)
    assert.same({ "" }, p.contexts[3].transfers)
  end)

  it("takes a maximum length of 0 as unlimited", function()
    assert.equal(0, decode(wire.user(nil, 0)).max_pdu)
  end)

  local FIXED = 68
  local cases = {
    ["a fixed part cut short"] = { ("\0"):rep(67), 0, raw = true },
    ["no bytes"] = { "", 0, raw = true },
    ["an item header cut short"] = { "\x10\0\0", FIXED },
    ["an item that runs past the end"] = { "\x10\0\0\5abcd", FIXED },
    ["the second item running past the end"] = { item(0x10, "1.2") .. "\x20\0\0\9abcd", FIXED + 7 },
    ["a context without its four bytes"] = { item(0x20, "\1\0\0"), FIXED + 4 },
    ["a context with an even id"] = { wire.context_rq(2, "1.2", "1.3"), FIXED + 4 },
    ["a context with the id 0"] = { wire.context_rq(0, "1.2", "1.3"), FIXED + 4 },
    ["two contexts with one id"] = { wire.context_rq(1, "1.2") .. wire.context_rq(1, "1.2"), FIXED + 15 + 4 },
    ["a sub-item that runs past its context"] = { item(0x20, "\1\0\0\0\x30\0\0\9abc"), FIXED + 8 },
    ["a sub-item that runs past user information"] = { item(0x50, "\x51\0\0\9\0\0\0\0"), FIXED + 4 },
    ["a maximum length of three bytes"] = { item(0x50, item(0x51, "\0\0\1")), FIXED + 8 },
    ["a maximum length that nothing fits in"] = { item(0x50, item(0x51, "\0\0\0\7")), FIXED + 8 },
    ["an operations window of three bytes"] = { item(0x50, item(0x53, "\0\0\1")), FIXED + 8 },
    ["a role selection whose UID runs past it"] = { item(0x50, item(0x54, "\0\9" .. "1.2" .. "\1\1")), FIXED + 8 },
    ["a role selection without roles"] = { item(0x50, item(0x54, "\0\3" .. "1.2")), FIXED + 8 },
  }
  for name, case in pairs(cases) do
    it("refuses " .. name .. ", and says where", function()
      local p, err = core.pdu_associate(case.raw and case[1] or associate(case[1]), true)
      assert.is_nil(p)
      assert.equal("bad pdu", err.code)
      assert.equal(case[2], err.offset)
      local e = core.engine(false)
      local events = wire.feed(e, pdu(1, case.raw and case[1] or associate(case[1])))
      assert.equal("failed:bad pdu", wire.kinds(events))
      assert.equal(case[2] + 6, events[1].offset) -- the PDU header is counted
      assert.equal(wire.small(7, 0, 2, 6), e:take())
    end)
  end

  it("keeps at most 128 contexts, and no memory for more", function()
    local items = {}
    for i = 1, 200000 do items[i] = "\x20\0\0\0" end
    local p, err = decode(table.concat(items))
    assert.is_nil(p)
    assert.equal("bad pdu", err.code)
  end)

  it("cuts implementation names that are too long, they only serve logs", function()
    local p = decode(item(0x50, item(0x52, ("1"):rep(70)) .. item(0x55, ("V"):rep(20))))
    assert.equal(("1"):rep(64), p.implementation_uid)
    assert.equal(("V"):rep(16), p.implementation_version)
  end)
end)

describe("an acceptor by itself", function()
  local items = APPLICATION .. wire.context_rq(1, wire.CT, wire.IMPLICIT) .. wire.user()

  it("rejects another protocol version (PS3.8 9.3.4: result 1, source 2, reason 2)", function()
    local event, e = ask(items, { version = 2 })
    assert.equal("failed:rejected", wire.kinds { event })
    assert.equal(wire.small(3, 1, 2, 2), e:take())
    assert.equal("awaiting close", e:state())
  end)

  it("takes a version field that names version 1 among others", function()
    assert.equal("requested", ask(items, { version = 3 }).kind)
  end)

  it("rejects another application context (result 1, source 1, reason 2), and lets a missing one pass", function()
    local event, e = ask(item(0x10, "1.2.3") .. wire.context_rq(1, wire.CT, wire.IMPLICIT) .. wire.user())
    assert.equal("failed:rejected", wire.kinds { event })
    assert.equal(wire.small(3, 1, 1, 2), e:take())
    assert.equal("requested", ask(wire.context_rq(1, wire.CT, wire.IMPLICIT) .. wire.user()).kind)
  end)
end)

describe("an A-ASSOCIATE-AC", function()
  it("has the bytes of PS3.8 table 9-17, with the titles of the request", function()
    local e = core.engine(false)
    local contexts = wire.context_rq(1, "1.2", "1.3", "1.4") .. wire.context_rq(3, "1.5", "1.6")
    wire.feed(e, pdu(1, associate(APPLICATION .. contexts .. item(0x50, item(0x53, "\0\0\0\0")
      .. item(0x54, string.pack(">s2BB", "1.2", 1, 1))))))
    assert(e:accept {
      called = "x", calling = "y", max_pdu = 0, implementation_uid = "1.9", window = { invoked = 1, performed = 1 },
      contexts = { { id = 1, transfers = { "1.4" }, scu = true, scp = false } },
    })
    assert.equal(hex [[
      02 00 000000A1  0001 0000
      5448454D202020202020202020202020 55532020202020202020202020202020
      00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
      10 00 0015 312E322E3834302E31303030382E332E312E312E31
      21 00 000B 01 00 00 00  40 00 0003 312E34
      21 00 000B 03 00 02 00  40 00 0003 312E36
      50 00 0022  51 00 0004 00000000   52 00 0003 312E39   53 00 0004 00010001   54 00 0007 0003 312E32 01 00
    ]], e:take())
  end)

  it("answers only what was asked: no window, no roles of our own", function()
    local e = core.engine(false)
    wire.feed(e, pdu(1, associate(APPLICATION .. wire.context_rq(1, "1.2", "1.3"))))
    assert(e:accept {
      implementation_uid = "1.9", window = { invoked = 1, performed = 1 },
      contexts = { { id = 1, transfers = { "1.3" }, scu = true, scp = true } },
    })
    local p = assert(core.pdu_associate(e:take():sub(7), false))
    assert.is_nil(p.window)
    assert.is_nil(p.contexts[1].scu)
  end)

  it("cannot accept what was not proposed", function()
    local function fails(contexts)
      local e = core.engine(false)
      wire.feed(e, pdu(1, associate(APPLICATION .. wire.context_rq(1, "1.2", "1.3"))))
      local ok, err = e:accept { implementation_uid = "1.9", contexts = contexts }
      assert.is_nil(ok)
      assert.equal("unknown context", err.code)
      assert.equal("", e:take())
      assert.equal("awaiting local accept", e:state())
    end
    fails { { id = 1, transfers = { "1.4" } } }
    fails { { id = 3, transfers = { "1.3" } } }
    fails { { id = 1, transfers = {} } }
    fails { { id = 1, transfers = { "1.3" }, result = 9 } }
  end)
end)

describe("short PDUs", function()
  it("have the bytes of PS3.8 tables 9-21, 9-24 to 9-26", function()
    local e = wire.in_state(3)
    e:reject(2, 3, 1)
    assert.equal(hex "03 00 00000004 00 02 03 01", e:take())
    e = wire.in_state(6)
    e:release()
    assert.equal(hex "05 00 00000004 00 00 00 00", e:take())
    e = wire.in_state(8)
    e:release_reply()
    assert.equal(hex "06 00 00000004 00 00 00 00", e:take())
    e = wire.in_state(6)
    e:abort(2, 6)
    assert.equal(hex "07 00 00000004 00 00 02 06", e:take())
  end)

  it("give their fields", function()
    local e = wire.in_state(5)
    local rejected = wire.feed(e, wire.small(3, 2, 3, 1))[1]
    assert.same({ 2, 3, 1 }, { rejected.result, rejected.source, rejected.reason })
    local aborted = wire.feed(wire.in_state(6), wire.small(7, 0, 2, 4))[1]
    assert.same({ 2, 4 }, { aborted.source, aborted.reason })
  end)

  for type, state in pairs { [3] = 5, [5] = 6, [6] = 7, [7] = 6 } do
    it(("of another length than four are malformed (type %02XH)"):format(type), function()
      for _, body in ipairs { "", "abc", "abcde", ("x"):rep(70000) } do
        local e = wire.in_state(state)
        local events = wire.feed(e, pdu(type, body))
        assert.equal("failed:bad pdu", wire.kinds(events))
        assert.equal(wire.small(7, 0, 2, 6), e:take())
      end
    end)
  end
end)

describe("the framing", function()
  it("ends at the first byte of what is not DICOM (source 2, reason 1)", function()
    for _, bytes in ipairs { "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\0", "\0", "\8", "\xFF" } do
      for _, state in ipairs { 2, 3, 5, 6, 7 } do
        local e = wire.in_state(state)
        e:feed(bytes:sub(1, 1))
        local event = e:next()
        assert.equal("failed", event.kind)
        assert.equal("unknown pdu", event.code)
        assert.equal(wire.small(7, 0, 2, 1), e:take())
        assert.is_nil(e:next())
        assert.same({}, wire.feed(e, bytes:sub(2))) -- deaf from here on
        assert.equal("awaiting close", e:state())
      end
    end
  end)

  it("counts the offset over all that was received", function()
    local e = wire.in_state(3)
    local events = wire.feed(e, "\0")
    assert.equal(#wire.request_pdu() + 1, events[1].offset)
  end)

  it("refuses an A-ASSOCIATE above 1 MiB at its header, without waiting for its body", function()
    local e = core.engine(false)
    local events = wire.feed(e, "\1\0" .. string.pack(">I4", (1 << 20) + 1))
    assert.equal("failed:bad pdu", wire.kinds(events))
    assert.equal(6, events[1].offset)
    e = core.engine(false)
    assert.same({}, wire.feed(e, "\1\0" .. string.pack(">I4", 1 << 20)))
    assert.equal("awaiting request", e:state())
  end)

  it("answers a PDU that the state does not allow at its header", function()
    local e = wire.in_state(6)
    local events = wire.feed(e, "\1\0\0\0\1\0")
    assert.equal("failed:unexpected pdu", wire.kinds(events))
    assert.equal(wire.small(7, 0, 2, 2), e:take())
  end)

  it("skips the bodies of PDUs after an abort, and still hears the peer's own abort", function()
    for name, cut in pairs(split.ways) do
      local e = wire.in_state(13)
      local noise = pdu(4, wire.pdv(1, 0, ("x"):rep(500))) .. wire.accept_pdu() .. wire.small(5) .. wire.small(6)
      assert.equal("close", wire.kinds(wire.feed(e, noise .. wire.small(7), cut)), name)
      assert.equal("", e:take())
      assert.equal("idle", e:state())
    end
  end)

  it("ignores everything when it is idle again", function()
    local e = wire.in_state(6)
    wire.feed(e, wire.small(7))
    assert.same({}, wire.feed(e, wire.request_pdu() .. "GET /"))
    assert.equal("", e:take())
  end)
end)

describe("P-DATA-TF", function()
  it("has the bytes of PS3.8 tables 9-22 and 9-23, and the bits of E.2", function()
    local e = wire.in_state(6)
    assert(e:data(1, true, false, "abcd"))
    assert(e:data(1, false, true, ""))
    assert.equal(hex "04 00 0000000A 00000006 01 01 61626364  04 00 00000006 00000002 01 02", e:take())
  end)

  it("is refused before it is sent: unknown context, more than the peer takes", function()
    local e = wire.open(nil, { max_pdu = 20 })
    assert.equal(20, e:limit())
    assert.is_true(e:data(1, true, true, ("x"):rep(14)))
    for context, case in pairs { [1] = { ("x"):rep(16), "pdu too long" }, [3] = { "ab", "unknown context" } } do
      local ok, err = e:data(context, true, true, case[1])
      assert.is_nil(ok)
      assert.equal(case[2], err.code)
    end
  end)

  it("has an even limit, and the field's own limit where the peer takes everything", function()
    assert.equal(20, (wire.open(nil, { max_pdu = 21 })):limit())
    assert.equal(0xFFFFFFFE, (wire.open(nil, { max_pdu = 0 })):limit())
  end)

  it("gives several PDVs of a PDU, however the bytes are cut", function()
    local values = { "command", "", ("d"):rep(300), "e" }
    local body = wire.pdv(1, 3, values[1]) .. wire.pdv(1, 0, values[2]) .. wire.pdv(1, 0, values[3])
      .. wire.pdv(1, 2, values[4])
    for name, cut in pairs(split.ways) do
      local e = wire.in_state(6)
      local events = wire.joined(wire.feed(e, pdu(4, body) .. pdu(4, wire.pdv(1, 0xFE, "z")), cut))
      assert.equal(5, #events, name)
      for i, value in ipairs(values) do
        assert.equal(value, events[i].data, name)
        assert.equal(i == 1, events[i].command, name)
        assert.equal(i == 1 or i == 4, events[i].last, name)
        assert.is_true(events[i].ends, name)
      end
      assert.same({ false, true }, { events[5].command, events[5].last }) -- other bits are not looked at
      assert.equal("", e:take())
    end
  end)

  it("gives a value before its PDU has ended: nothing is held back", function()
    local e = wire.in_state(6)
    e:feed("\4\0\0\0\x20\0\0\0\x10\2\1\0abc")
    local event = e:next()
    assert.equal("abc", event.data)
    assert.is_false(event.ends)
    assert.is_nil(e:next())
  end)

  it("longer than we announced is answered at its header (source 2, reason 6)", function()
    local e = wire.open { max_pdu = 100 }
    assert.equal("data", wire.kinds(wire.feed(e, pdu(4, wire.pdv(1, 0, ("x"):rep(94))))))
    local events = wire.feed(e, "\4\0\0\0\0\101")
    assert.equal("failed:pdu too long", wire.kinds(events))
    assert.equal(wire.small(7, 0, 2, 6), e:take())
  end)

  it("may be of any length when we announced none", function()
    local e = wire.open { max_pdu = 0 }
    assert.equal("data", wire.kinds(wire.feed(e, "\4\0\xFF\xFF\xFF\xFE\xFF\xFF\xFF\xFA\1\0ab")))
  end)

  local cases = {
    ["no PDV at all"] = "",
    ["a PDV header cut short"] = "\0\0\0\2\1",
    ["a PDV that runs past its PDU"] = "\0\0\0\9\1\0abc",
    ["a PDV shorter than its own header"] = "\0\0\0\1\1\0",
    ["a PDV length of 0"] = "\0\0\0\0\1\0",
    ["a PDV length near 2^32"] = "\xFF\xFF\xFF\xFF\1\0abc",
    ["a rest too short for a PDV"] = wire.pdv(1, 0, "ab") .. "\0\0\0\2",
  }
  for name, body in pairs(cases) do
    it("with " .. name .. " is malformed", function()
      for _, cut in pairs(split.ways) do
        local e = wire.in_state(6)
        local events = wire.feed(e, pdu(4, body), cut)
        assert.equal("failed:bad pdu", wire.kinds { events[#events] })
        assert.equal(wire.small(7, 0, 2, 6), e:take())
        assert.equal("awaiting close", e:state())
      end
    end)
  end

  it("on a context that was not accepted ends the association, whatever the cuts", function()
    for _, context in ipairs { 0, 2, 3, 255 } do
      local offsets = {}
      for _, cut in pairs(split.ways) do
        local e = wire.in_state(6)
        local events = wire.feed(e, pdu(4, wire.pdv(context, 3, "ab") .. wire.pdv(1, 3, "cd")), cut)
        assert.equal("failed:unknown context", wire.kinds(events))
        assert.equal(wire.small(7, 0, 2, 6), e:take())
        offsets[events[1].offset] = true
      end
      assert.is_nil(next(offsets, (next(offsets)))) -- one place, however the bytes came
    end
  end)
end)

describe("AE titles", function()
  it("are 1 to 16 characters of the default repertoire (PS3.5 6.2)", function()
    for _, good in ipairs { "A", "PACS 1", " A", "lower_case-1!", ("X"):rep(16) } do
      assert.is_true(core.ae_valid(good), good)
    end
    for _, bad in ipairs { "", " ", (" "):rep(16), ("X"):rep(17), "A\\B", "A\tB", "A\0", "\x7F", "Ä" } do
      assert.is_false(core.ae_valid(bad), bad)
    end
  end)
end)
