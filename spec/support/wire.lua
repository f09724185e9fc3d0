-- SPDX-License-Identifier: MIT
-- Two sides of an association in memory, and PDUs made by hand from PS3.8 9.3, not by the code under test.
local core = require "dicom.core"
local split = require "spec.support.split"

local M = {
  IMPLICIT = "1.2.840.10008.1.2", EXPLICIT = "1.2.840.10008.1.2.1", VERIFICATION = "1.2.840.10008.1.1",
  CT = "1.2.840.10008.5.1.4.1.1.2", MR = "1.2.840.10008.5.1.4.1.1.4", APPLICATION = "1.2.840.10008.3.1.1.1",
  UID = "1.2.3.4",
}

--- An item or sub-item: type, reserved, 16-bit length, value (PS3.8 9.3.2).
function M.item(type, value)
  return string.pack(">BBs2", type, 0, value)
end

--- A PDU: type, reserved, 32-bit length, body.
function M.pdu(type, body)
  return string.pack(">BBs4", type, 0, body)
end

--- A presentation context item of a request (PS3.8 table 9-13).
function M.context_rq(id, abstract, ...)
  local sub = { M.item(0x30, abstract) }
  for _, uid in ipairs { ... } do sub[#sub + 1] = M.item(0x40, uid) end
  return M.item(0x20, string.char(id, 0, 0, 0) .. table.concat(sub))
end

--- A presentation context item of an answer (PS3.8 table 9-18).
function M.context_ac(id, result, transfer)
  return M.item(0x21, string.char(id, 0, result, 0) .. (transfer and M.item(0x40, transfer) or ""))
end

--- Maximum length and implementation class, the two sub-items that every side sends.
function M.user(more, max)
  return M.item(0x50, M.item(0x51, string.pack(">I4", max or 16384)) .. M.item(0x52, M.UID) .. (more or ""))
end

--- The body of an A-ASSOCIATE-RQ or -AC: fixed part and items (PS3.8 tables 9-11, 9-17).
function M.associate(items, fields)
  local f = fields or {}
  local function title(s) return #s == 16 and s or s .. (" "):rep(16 - #s) end
  return string.pack(">I2I2", f.version or 1, 0) .. title(f.called or "THEM") .. title(f.calling or "US")
    .. ("\0"):rep(32) .. items
end

--- A whole A-ASSOCIATE-RQ for Verification, as small as it may be.
function M.request_pdu(fields)
  local context = M.context_rq(1, M.VERIFICATION, M.IMPLICIT)
  return M.pdu(1, M.associate(M.item(0x10, M.APPLICATION) .. context .. M.user(), fields))
end

--- An A-ASSOCIATE-AC that accepts context 1.
function M.accept_pdu()
  return M.pdu(2, M.associate(M.item(0x10, M.APPLICATION) .. M.context_ac(1, 0, M.IMPLICIT) .. M.user()))
end

--- A PDU with a four-byte body: A-ASSOCIATE-RJ, A-RELEASE-RQ, -RP, A-ABORT.
function M.small(type, result, source, reason)
  return M.pdu(type, string.char(0, result or 0, source or 0, reason or 0))
end

--- A presentation-data-value item (PS3.8 table 9-23).
function M.pdv(context, control, value)
  return string.pack(">s4", string.char(context, control) .. value)
end

--- Parameters of a requestor; `more` is laid over them.
function M.params(more)
  local p = {
    called = "THEM", calling = "US", max_pdu = 16384, implementation_uid = M.UID, implementation_version = "SPEC",
    contexts = { { id = 1, abstract = M.VERIFICATION, transfers = { M.IMPLICIT } } },
  }
  for k, v in pairs(more or {}) do p[k] = v end
  return p
end

--- Accepts everything that was proposed, with the first transfer syntax.
function M.answer(params, more)
  local p = M.params(more)
  p.contexts = assert(core.contexts_answer(params, more and more.rows or { { abstract = "any", transfers = {} } }))
  return p
end

--- Feeds bytes in pieces; all events that come of it.
function M.feed(engine, bytes, cut)
  local events = {}
  for _, piece in ipairs((cut or split.whole)(bytes)) do
    engine:feed(piece)
    for e in engine.next, engine do events[#events + 1] = e end
  end
  return events
end

--- Joins the pieces of each PDV, so that events can be compared wherever the cuts fell.
function M.joined(events)
  local out, open = {}, nil
  for _, e in ipairs(events) do
    if e.kind ~= "data" then
      out[#out + 1] = e
    else
      if open then
        open.data, open.ends = open.data .. e.data, e.ends
      else
        open = e
        out[#out + 1] = e
      end
      if open.ends then open = nil end
    end
  end
  return out
end

--- The kinds of events, joined by spaces.
function M.kinds(events)
  local out = {}
  for i, e in ipairs(events) do out[i] = e.kind == "failed" and "failed:" .. e.code or e.kind end
  return table.concat(out, " ")
end

--- An acceptor and a requestor with an open association.
function M.open(request, accept, cut)
  local scu, scp = core.engine(true), core.engine(false)
  assert(scu:request(M.params(request)))
  local asked = M.feed(scp, scu:take(), cut)
  assert(M.kinds(asked) == "requested", M.kinds(asked))
  assert(scp:accept(M.answer(asked[1].params, accept)))
  local answered = M.feed(scu, scp:take(), cut)
  assert(M.kinds(answered) == "accepted", M.kinds(answered))
  return scu, scp, answered[1].params, asked[1].params
end

--- An engine in each of the states that one can be in (all but awaiting connection, Sta4, which passes at once).
M.states = {
  [1] = function() return core.engine(true) end,
  [2] = function() return core.engine(false) end,
  [3] = function()
    local e = core.engine(false)
    M.feed(e, M.request_pdu())
    return e
  end,
  [5] = function()
    local e = core.engine(true)
    e:request(M.params())
    return e
  end,
  [6] = function() return (M.open()) end,
  [7] = function()
    local e = M.open()
    e:release()
    return e
  end,
  [8] = function()
    local e = M.open()
    M.feed(e, M.small(5))
    return e
  end,
  [9] = function()
    local e = M.states[7]()
    M.feed(e, M.small(5))
    return e
  end,
  [10] = function()
    local _, e = M.open()
    e:release()
    M.feed(e, M.small(5))
    return e
  end,
  [11] = function()
    local e = M.states[9]()
    e:release_reply()
    return e
  end,
  [12] = function()
    local e = M.states[10]()
    M.feed(e, M.small(6))
    return e
  end,
  [13] = function()
    local e = M.open()
    e:abort()
    return e
  end,
}

--- An engine in the state, with nothing in its output.
function M.in_state(number)
  local e = M.states[number]()
  e:take()
  assert(select(2, e:state()) == number, e:state())
  return e
end

return M
