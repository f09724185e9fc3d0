-- SPDX-License-Identifier: MIT
-- PS3.8 9.2: the state machine, cell by cell.
local core = require "dicom.core"
local wire = require "spec.support.wire"

-- PS3.8 table 9-10, states 1 to 13 from left to right; "-" is an empty cell.
local TABLE = {
  --      Sta1 Sta2 Sta3 Sta4 Sta5 Sta6 Sta7 Sta8 Sta9 Sta10 Sta11 Sta12 Sta13
  [1] = "AE-1 - - - - - - - - - - - -",
  [2] = "- - - AE-2 - - - - - - - - -",
  [3] = "- AA-1 AA-8 - AE-3 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6",
  [4] = "- AA-1 AA-8 - AE-4 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6",
  [5] = "AE-5 - - - - - - - - - - - -",
  [6] = "- AE-6 AA-8 - AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-7",
  [7] = "- - AE-7 - - - - - - - - - -",
  [8] = "- - AE-8 - - - - - - - - - -",
  [9] = "- - - - - DT-1 - AR-7 - - - - -",
  [10] = "- AA-1 AA-8 - AA-8 DT-2 AR-6 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6",
  [11] = "- - - - - AR-1 - - - - - - -",
  [12] = "- AA-1 AA-8 - AA-8 AR-2 AR-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-6",
  [13] = "- AA-1 AA-8 - AA-8 AA-8 AR-3 AA-8 AA-8 AR-10 AR-3 AA-8 AA-6",
  [14] = "- - - - - - - AR-4 AR-9 - - AR-4 -",
  [15] = "- - AA-1 AA-2 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1 -",
  [16] = "- AA-2 AA-3 - AA-3 AA-3 AA-3 AA-3 AA-3 AA-3 AA-3 AA-3 AA-2",
  [17] = "- AA-5 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AR-5",
  [18] = "- AA-2 - - - - - - - - - - AA-2",
  [19] = "- AA-1 AA-8 - AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-8 AA-7",
}

-- PS3.8 tables 9-6 to 9-9: the state after an action. AR-8 depends on the side.
local AFTER = {
  ["AE-1"] = 4, ["AE-2"] = 5, ["AE-3"] = 6, ["AE-4"] = 1, ["AE-5"] = 2, ["AE-6"] = 3, ["AE-7"] = 6, ["AE-8"] = 13,
  ["DT-1"] = 6, ["DT-2"] = 6, ["AR-1"] = 7, ["AR-2"] = 8, ["AR-3"] = 1, ["AR-4"] = 13, ["AR-5"] = 1, ["AR-6"] = 7,
  ["AR-7"] = 8, ["AR-9"] = 11, ["AR-10"] = 12, ["AA-1"] = 13, ["AA-2"] = 1, ["AA-3"] = 1, ["AA-4"] = 1, ["AA-5"] = 1,
  ["AA-6"] = 13, ["AA-7"] = 13, ["AA-8"] = 13,
}

local function cell(event, state)
  local i = 0
  for action in TABLE[event]:gmatch "%S+" do
    i = i + 1
    if i == state then return action ~= "-" and action or "" end
  end
end

-- What each event is, done to an engine. Local calls give true, nil or nothing; PDUs are fed.
local request = function(e) return e:request(wire.params()) end
local DO = {
  [1] = request,
  [3] = function(e) return wire.feed(e, wire.accept_pdu()) end,
  [4] = function(e) return wire.feed(e, wire.small(3, 1, 1, 1)) end,
  [6] = function(e) return wire.feed(e, wire.request_pdu()) end,
  [7] = function(e) return e:accept(wire.params { contexts = { { id = 1, transfers = { wire.IMPLICIT } } } }) end,
  [8] = function(e) return e:reject(1, 1, 1) end,
  [9] = function(e) return e:data(1, true, true, "ab") end,
  [10] = function(e) return wire.feed(e, wire.pdu(4, wire.pdv(1, 3, "ab"))) end,
  [11] = function(e) return e:release() end,
  [12] = function(e) return wire.feed(e, wire.small(5)) end,
  [13] = function(e) return wire.feed(e, wire.small(6)) end,
  [14] = function(e) return e:release_reply() end,
  [15] = function(e) e:abort(0, 0) end,
  [16] = function(e) return wire.feed(e, wire.small(7, 0, 2, 1)) end,
  [17] = function(e) e:closed() end,
  [18] = function(e)
    e:tick(0)
    e:tick(30000)
  end,
  [19] = function(e) return wire.feed(e, "GET / HTTP/1.1\r\n") end,
}

-- What is sent and what the user hears, by action, of PDU events: the first byte of the output, the kinds of events.
local ABORT, NOTHING = 7, nil
local HEARD = {
  ["AE-3"] = { NOTHING, "accepted" }, ["AE-4"] = { NOTHING, "rejected close" }, ["AE-6"] = { NOTHING, "requested" },
  ["DT-2"] = { NOTHING, "data" }, ["AR-6"] = { NOTHING, "data" }, ["AR-2"] = { NOTHING, "release" },
  ["AR-3"] = { NOTHING, "released close" }, ["AR-8"] = { NOTHING, "release" }, ["AR-10"] = { NOTHING, "released" },
  ["AA-2"] = { NOTHING, "close" }, ["AA-3"] = { NOTHING, "aborted close" }, ["AA-6"] = { NOTHING, "" },
  ["AA-7"] = { ABORT, "" },
}
local SENT = { -- by action, of local calls
  ["AE-1"] = 1, ["AE-7"] = 2, ["AE-8"] = 3, ["DT-1"] = 4, ["AR-7"] = 4, ["AR-1"] = 5, ["AR-4"] = 6, ["AR-9"] = 6,
  ["AA-1"] = ABORT,
}
local IS_PDU = { [3] = true, [4] = true, [6] = true, [10] = true, [12] = true, [13] = true, [16] = true, [19] = true }
-- Places where an engine does more, or other, than one cell says; each has its own spec below.
local OWN = {
  ["1,1"] = true, ["15,2"] = true, ["14,10"] = true,
  ["18,5"] = true, ["18,7"] = true, ["18,10"] = true, ["18,11"] = true,
}

local function drain(engine)
  local events = {}
  for e in engine.next, engine do events[#events + 1] = e end
  return events
end

describe("the state machine", function()
  for event = 1, 19 do
    it(("has the cells of Evt%d (PS3.8 table 9-10)"):format(event), function()
      for state = 1, 13 do
        local action, after = core.fsm_cell(state, event, true)
        local want = cell(event, state)
        assert.equal(want, action, ("Sta%d"):format(state))
        local next_state = action == "" and state or action == "AR-8" and 9 or AFTER[action]
        assert.equal(next_state, after, ("after Sta%d"):format(state))
      end
    end)
  end

  it("leads a release collision to different states on the two sides (AR-8)", function()
    assert.same({ "AR-8", 9, "none" }, { core.fsm_cell(7, 12, true) })
    assert.same({ "AR-8", 10, "acse" }, { core.fsm_cell(7, 12, false) })
  end)

  it("runs ARTIM in Sta2 and Sta13, and the ACSE timer where the peer owes an answer", function()
    local timers = {}
    for state = 1, 13 do
      for event = 1, 19 do
        for _, requestor in ipairs { true, false } do
          local action, after, timer = core.fsm_cell(state, event, requestor)
          if action ~= "" then timers[after] = timer end
        end
      end
    end
    local n = "none"
    assert.same({ n, "artim", n, n, "acse", n, "acse", n, n, "acse", "acse", n, "artim" }, timers)
  end)
end)

describe("an engine", function()
  for event, act in pairs(DO) do
    for state in pairs(wire.states) do
      local action = cell(event, state)
      if not OWN[event .. "," .. state] then
        local what = action == "" and "nothing" or action
        it(("does what Evt%d means in Sta%d: %s"):format(event, state, what), function()
          local e = wire.in_state(state)
          local result, err = act(e)
          local events = IS_PDU[event] and result or drain(e)
          local out = e:take()
          local _, now = e:state()
          if action == "" then
            assert.equal(state, now)
            assert.equal("", out)
            assert.same({}, events)
            if event == 7 or event == 8 or event == 9 or event == 11 or event == 14 or event == 1 then
              assert.is_nil(result)
              assert.equal("wrong state", err.code)
            end
            return
          end
          local requestor = state ~= 10 and state ~= 12
          assert.equal(action == "AR-8" and (requestor and 9 or 10) or AFTER[action], now)
          if IS_PDU[event] and (action == "AA-1" or action == "AA-8") then
            local reason = event == 19 and 1 or 2
            assert.equal(wire.small(7, 0, 2, reason), out)
            assert.equal(event == 19 and "failed:unknown pdu" or "failed:unexpected pdu", wire.kinds(events))
          elseif IS_PDU[event] then
            assert.equal(HEARD[action][1], (out:byte(1)))
            assert.equal(HEARD[action][2], wire.kinds(events))
          elseif event == 17 then
            assert.equal("", out)
            assert.equal(action == "AA-4" and "failed:closed close" or "close", wire.kinds(events))
          elseif event == 18 then
            assert.equal("", out)
            assert.equal(state == 2 and "failed:timeout close" or "close", wire.kinds(events))
          else
            assert.equal(SENT[action], (out:byte(1)))
            assert.same({}, events)
          end
        end)
      end
    end
  end

  it("requests on a connection that is open: AE-1 and AE-2 in one", function()
    local e = core.engine(true)
    assert.is_true(request(e))
    assert.equal("awaiting accept", e:state())
    assert.equal(1, e:take():byte(1))
  end)

  it("only closes the connection when it is aborted before there is a request", function()
    local e = wire.in_state(2)
    e:abort(0, 0)
    assert.equal("idle", e:state())
    assert.equal("", e:take())
    assert.equal("close", wire.kinds(drain(e)))
  end)

  for _, state in ipairs { 5, 7, 10, 11 } do
    it(("aborts when the peer owes an answer for longer than the ACSE timer (Sta%d)"):format(state), function()
      local e = wire.in_state(state)
      e:tick(1000)
      assert.equal(31000, e:deadline())
      e:tick(30999)
      assert.equal(state, select(2, e:state()))
      e:tick(31000)
      assert.equal("awaiting close", e:state())
      assert.equal(wire.small(7, 0, 0, 0), e:take())
      assert.equal("failed:timeout", wire.kinds(drain(e)))
      e:tick(32000) -- ARTIM starts
      e:tick(62000)
      assert.equal("close", wire.kinds(drain(e)))
      assert.is_nil(e:deadline())
    end)
  end

  it("keeps an early answer to a colliding release until the peer has answered (Sta10)", function()
    local e = wire.in_state(10)
    assert.is_true(e:release_reply())
    assert.equal("", e:take())
    assert.equal("collision acceptor wait", e:state())
    assert.equal("released", wire.kinds(wire.feed(e, wire.small(6))))
    assert.equal(wire.small(6), e:take())
    assert.equal("awaiting close", e:state())
  end)

  it("serves one association", function()
    local e = core.engine(true)
    request(e)
    e:closed()
    local ok, err = request(e)
    assert.is_nil(ok)
    assert.equal("wrong state", err.code)
  end)
end)
