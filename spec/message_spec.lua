-- SPDX-License-Identifier: MIT
-- Messages in fragments (PS3.8 E.1, PS3.7 6.3.1): what a sender may do, and what ends the association.
local core = require "dicom.core"
local split = require "spec.support.split"
local wire = require "spec.support.wire"

local NONE, SOME = 0x0101, 0x0001
local ECHO = core.command_encode { field = 0x0030, sop_class = wire.VERIFICATION, message_id = 1, data_set_type = NONE }
local STORE = core.command_encode {
  field = 0x0001, sop_class = wire.CT, sop_instance = "1.2.3", message_id = 2, priority = 0, data_set_type = SOME,
}

-- A whole PDV as a data event.
local function piece(data, fields)
  local e = { context = 1, command = false, last = false, ends = true, data = data }
  for k, v in pairs(fields or {}) do e[k] = v end
  return e
end
local function command(data, last) return piece(data, { command = true, last = last }) end
local function data(bytes, last) return piece(bytes, { last = last }) end

-- Events of a list of pieces, then the error if there was one.
local function run(pieces, m)
  m = m or core.message()
  local events = {}
  for _, p in ipairs(pieces) do
    assert(m:feed(p))
    while true do
      local e, err = m:next()
      if err then return events, err end
      if not e then break end
      events[#events + 1] = e
    end
  end
  return events
end

local function kinds(events)
  local out = {}
  for i, e in ipairs(events) do out[i] = e.kind == "data" and "data:" .. e.data or e.kind end
  return table.concat(out, " ")
end

describe("a message", function()
  it("without a data set ends with its command", function()
    local events = run { command(ECHO, true) }
    assert.equal("command end", kinds(events))
    assert.equal("C-ECHO-RQ", events[1].command.name)
    assert.same({ 1, 1 }, { events[1].context, events[2].context })
  end)

  it("with a data set gives its bytes as they come", function()
    local events = run { command(STORE, true), data "ab", data("cd", true), command(ECHO, true) }
    assert.equal("command data:ab data:cd end command end", kinds(events))
    assert.equal("1.2.3", events[1].command.sop_instance)
    assert.equal(2, events[4].command.message_id)
    assert.equal(1, events[5].command.message_id)
  end)

  it("may come in any number of fragments, empty ones among them", function()
    local pieces = { command "" }
    for i = 1, #STORE do pieces[#pieces + 1] = command(STORE:sub(i, i)) end
    for _, p in ipairs { command("", true), data "", data "x", data("", true) } do pieces[#pieces + 1] = p end
    assert.equal("command data:x end", kinds(run(pieces)))
  end)

  it("gives pieces of a PDV before it ends, and ends with the last of the last", function()
    local open = { last = true, ends = false }
    local events = run { command(STORE, true), piece("a", open), piece("b", open), piece("c", { last = true }) }
    assert.equal("command data:a data:b data:c end", kinds(events))
    assert.equal("command", kinds(run {
      piece(STORE:sub(1, 9), { command = true, last = true, ends = false }),
      piece(STORE:sub(10), { command = true, last = true }),
    }))
  end)

  it("may have an empty data set", function()
    assert.equal("command end", kinds(run { command(STORE, true), data("", true) }))
  end)

  it("is one at a time: feeding before all was taken is refused", function()
    local m = core.message()
    assert(m:feed(command(ECHO, true)))
    local ok, err = m:feed(command(ECHO, true))
    assert.is_nil(ok)
    assert.equal("wrong state", err.code)
  end)

  it("passes over an association, in both directions, whatever the cuts", function()
    for name, cut in pairs(split.ways) do
      local scu, scp = wire.open(nil, nil, cut)
      for _, pair in ipairs { { scu, scp }, { scp, scu } } do
        local from, to, m = pair[1], pair[2], core.message()
        assert(from:data(1, true, false, STORE:sub(1, 20)))
        assert(from:data(1, true, true, STORE:sub(21)))
        assert(from:data(1, false, false, ("p"):rep(3000)))
        assert(from:data(1, false, true, "end"))
        assert(from:data(1, true, true, ECHO))
        local got, order = {}, {}
        for _, e in ipairs(run(wire.feed(to, from:take(), cut), m)) do
          if e.kind == "data" then got[#got + 1] = e.data else order[#order + 1] = e.kind end
        end
        assert.equal("command end command end", table.concat(order, " "), name)
        assert.equal(("p"):rep(3000) .. "end", table.concat(got), name)
      end
    end
  end)
end)

describe("fragments out of order", function()
  local cases = {
    ["a data set without a command"] = { "", { data("x", true) } },
    ["a data set that was not declared"] = { "command end", { command(ECHO, true), data("x", true) } },
    ["a command inside a data set"] = { "command data:x", { command(STORE, true), data "x", command(ECHO, true) } },
    ["a data set before the command is complete"] = { "", { command(STORE:sub(1, 9)), data("x", true) } },
    ["a data set on another context"] =
      { "command", { command(STORE, true), piece("x", { context = 3, last = true }) } },
    ["a command that goes on on another context"] =
      { "", { command(STORE:sub(1, 9)), piece(STORE:sub(10), { context = 3, command = true, last = true }) } },
  }
  for name, case in pairs(cases) do
    it("end it: " .. name, function()
      local events, err = run(case[2])
      assert.equal(case[1], kinds(events))
      assert.equal("bad fragment", err.code)
    end)
  end

  it("are none when the next message is on another context", function()
    assert.equal("command end command end",
      kinds(run { command(ECHO, true), piece(ECHO, { context = 3, command = true, last = true }) }))
  end)
end)

describe("a command set", function()
  it("that is malformed ends it, with the element", function()
    local _, err = run { command("\0\0\0\1\2\0\0\0\48\0", true) }
    assert.equal("bad command set", err.code)
    assert.equal(0x0002, err.tag)
  end)

  it("is bounded by 64 KiB", function()
    local filler = string.pack("<I2I2s4", 0, 0x5010, ("x"):rep(65536 - 8 - #ECHO))
    assert.equal("command end", kinds(run { command(filler), command(ECHO, true) }))
    local _, err = run { command(filler), command(ECHO), command("x") }
    assert.equal("bad command set", err.code)
    _, err = run { command(("x"):rep(65537)) }
    assert.equal("bad command set", err.code)
  end)
end)
