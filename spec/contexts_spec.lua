-- SPDX-License-Identifier: MIT
-- Presentation contexts (PS3.8 7.1.1.13, 9.3.2.2, 9.3.3.2) and role selection (PS3.7 D.3.3.4).
local core = require "dicom.core"
local wire = require "spec.support.wire"

local IMPLICIT, EXPLICIT, JPEG = wire.IMPLICIT, wire.EXPLICIT, "1.2.840.10008.1.2.4.70"

local function proposals(n)
  local list = {}
  for i = 1, n do list[i] = { abstract = "1.2." .. i, transfers = { IMPLICIT, EXPLICIT } } end
  return list
end

local function answer(contexts, rows)
  for i, c in ipairs(contexts) do c.id = c.id or 2 * i - 1 end
  return assert(core.contexts_answer({ contexts = contexts }, rows))
end

describe("proposing", function()
  it("numbers contexts by odd ids from 1", function()
    local contexts, taken = core.contexts_propose(proposals(3))
    assert.equal(3, taken)
    assert.same({ 1, 3, 5 }, { contexts[1].id, contexts[2].id, contexts[3].id })
    assert.equal("1.2.2", contexts[2].abstract)
    assert.same({ IMPLICIT, EXPLICIT }, contexts[2].transfers)
  end)

  it("takes 128 at most: the rest goes to further associations", function()
    local list, sizes, last = proposals(300), {}, nil
    while #list > 0 do
      local contexts, taken = core.contexts_propose(list)
      sizes[#sizes + 1] = taken
      assert.equal(taken, #contexts)
      assert.equal(2 * taken - 1, contexts[taken].id)
      last = contexts[taken].abstract
      local scu, scp = wire.open { contexts = contexts }
      assert.equal(contexts[taken].abstract, scu:context(2 * taken - 1).abstract)
      assert.equal(contexts[taken].abstract, scp:context(2 * taken - 1).abstract)
      list = table.move(list, taken + 1, #list, 1, {})
    end
    assert.same({ 128, 128, 44 }, sizes)
    assert.equal("1.2.300", last)
  end)

  it("takes no more than fit an A-ASSOCIATE-RQ", function()
    local transfers = {}
    for i = 1, 900 do transfers[i] = ("1.%03d."):format(i) .. ("2"):rep(58) end
    local list = {}
    for i = 1, 60 do list[i] = { abstract = "1.2." .. i, transfers = transfers } end
    local contexts, taken = core.contexts_propose(list)
    assert.is_true(taken > 10 and taken < 60)
    local e = core.engine(true)
    assert(e:request(wire.params { contexts = contexts, items = { { type = 0x58, bytes = ("x"):rep(65000) } } }))
    assert.is_true(#e:take() <= (1 << 20) + 6)
  end)

  it("of one that can never fit says so", function()
    local transfers = {}
    for i = 1, 20000 do transfers[i] = ("2"):rep(64) end
    local contexts, err = core.contexts_propose { { abstract = "1.2", transfers = transfers } }
    assert.is_nil(contexts)
    assert.equal("too long", err.code)
  end)

  it("keeps the wanted roles", function()
    local contexts = core.contexts_propose { { abstract = "1.2", transfers = { IMPLICIT }, scu = true, scp = true } }
    assert.is_true(contexts[1].scu and contexts[1].scp)
  end)
end)

describe("answering", function()
  it("takes the first transfer syntax of our own order that was proposed", function()
    local a = answer({ { abstract = "1.2", transfers = { IMPLICIT, EXPLICIT, JPEG } } },
      { { abstract = "1.2", transfers = { JPEG, EXPLICIT } } })
    assert.same({ JPEG }, a[1].transfers)
    assert.equal(0, a[1].result)
  end)

  it("takes the requestor's first where any will do", function()
    local any = { abstract = "1.2", transfers = {} }
    local a = answer({ { abstract = "1.2", transfers = { "9.9.9", IMPLICIT } } }, { any })
    assert.same({ "9.9.9" }, a[1].transfers)
  end)

  it("refuses with the reason of PS3.8 table 9-18", function()
    local a = answer({
      { abstract = "1.2", transfers = { JPEG } }, { abstract = "1.3", transfers = { IMPLICIT } },
      { abstract = "1.4", transfers = {} },
    }, { { abstract = "1.2", transfers = { IMPLICIT } }, { abstract = "1.4", transfers = {} } })
    assert.same({ 4, 3, 4 }, { a[1].result, a[2].result, a[3].result })
    assert.same({}, a[1].transfers)
  end)

  it("goes by the first row that fits", function()
    local rows = {
      { abstract = wire.CT, transfers = { JPEG } }, { abstract = "storage", transfers = { EXPLICIT } },
      { abstract = "any", transfers = { IMPLICIT } },
    }
    local all = { IMPLICIT, EXPLICIT, JPEG }
    local a = answer({
      { abstract = wire.CT, transfers = all }, { abstract = wire.MR, transfers = all },
      { abstract = wire.VERIFICATION, transfers = all }, { abstract = "", transfers = all },
    }, rows)
    assert.same({ JPEG }, a[1].transfers)
    assert.same({ EXPLICIT }, a[2].transfers)
    assert.same({ IMPLICIT }, a[3].transfers)
    assert.equal(3, a[4].result)
  end)

  it("keeps ids and order", function()
    local a = answer({
      { id = 9, abstract = "1.2", transfers = { IMPLICIT } }, { id = 3, abstract = "1.2", transfers = { IMPLICIT } },
    }, { { abstract = "any", transfers = {} } })
    assert.same({ 9, 3 }, { a[1].id, a[2].id })
  end)
end)

describe("storage SOP classes", function()
  it("are those of PS3.4, later ones of the same root, and private ones", function()
    for _, uid in ipairs {
      wire.CT, wire.MR, "1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.999.1", "1.2.840.10008.5.1.4.34.7",
      "1.2.840.10008.5.1.4.38.1", "1.2.840.10008.5.1.4.45.1", "1.2.840.10008.5.1.4.1.1.201.1", "1.2.840.113619.4.26",
      "1.3.12.2.1107.5.9.1",
    } do assert.is_true(core.contexts_is_storage(uid), uid) end
  end)

  it("are not queries, services and the verification", function()
    for _, uid in ipairs {
      wire.VERIFICATION, "1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.31", "1.2.840.10008.1.20.1",
      "1.2.840.10008.5.1.4.1.1.201.2", "1.2.840.10008.5.1.4.1.1.200.6", "1.2.840.10008.1.3.10", "",
    } do assert.is_false(core.contexts_is_storage(uid), uid) end
  end)

  it("agree with the names in PS3.6", function()
    local f = io.open("../shared/standard/uids.tsv")
    if not f then
      pending "the tables of the standard are not beside the checkout"
      return
    end
    local seen = 0
    for line in f:lines() do
      local uid, keyword, _, type = line:match "^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)"
      local query = keyword and keyword:find "Find$" or keyword:find "Move$" or keyword:find "Get$"
        or keyword:find "Creation$" or keyword:find "Query$"
      if type == "SOP Class" and uid ~= "1.2.840.10008.1.3.10" then -- the directory: never sent
        local root = uid:find("1.2.840.10008.5.1.4.1.1.", 1, true) == 1
        local named = keyword:find "Storage$" or keyword:find "StorageTrial$"
        local storage = (root and not query or named) and true or false
        assert.equal(storage, core.contexts_is_storage(uid), uid .. " " .. keyword)
        seen = seen + (storage and 1 or 0)
      end
    end
    f:close()
    assert.is_true(seen > 150)
  end)
end)

describe("role selection", function()
  -- proposed and granted roles of the requestor, what we grant (PS3.7 table D.3-11), and what then holds
  local function negotiate(scu, scp, grant)
    local contexts = { { id = 1, abstract = wire.CT, transfers = { IMPLICIT }, scu = scu, scp = scp } }
    local row = { abstract = wire.CT, transfers = {}, scu = grant.scu, scp = grant.scp }
    local requestor, acceptor, answered = wire.open({ contexts = contexts }, { rows = { row } })
    return requestor:context(1), acceptor:context(1), answered.contexts[1]
  end

  it("is not mentioned: the requestor is SCU", function()
    local mine, theirs = negotiate(nil, nil, { scu = true, scp = true })
    assert.same({ true, false }, { mine.scu, mine.scp })
    assert.same({ true, false }, { theirs.scu, theirs.scp })
  end)

  local T, F = true, false
  for _, case in ipairs {
    -- asked scu, scp; grantable scu, scp; agreed scu, scp
    { T, T, T, T, T, T }, { T, T, T, F, T, F }, { T, T, F, T, F, T }, { F, T, T, T, F, T }, { F, T, F, T, F, T },
    { T, F, T, T, T, F }, { T, F, T, F, T, F },
  } do
    it(("asked %s %s, granted %s %s: agreed %s %s"):format(table.unpack(case)), function()
      local mine, theirs, answered = negotiate(case[1], case[2], { scu = case[3], scp = case[4] })
      local agreed = { case[5], case[6] }
      assert.same(agreed, { mine.scu, mine.scp })
      assert.same(agreed, { theirs.scu, theirs.scp })
      assert.same(agreed, { answered.scu, answered.scp })
    end)
  end

  it("that leaves the requestor nothing to be refuses the context", function()
    local mine, theirs, answered = negotiate(false, true, { scu = true })
    assert.is_nil(mine)
    assert.is_nil(theirs)
    assert.equal(1, answered.result)
  end)

  -- The answer of an acceptor, as bytes.
  local function answered_with(contexts, ac, user)
    local e = core.engine(true)
    assert(e:request(wire.params { contexts = contexts }))
    local items = wire.item(0x10, wire.APPLICATION) .. ac .. wire.user(user)
    local events = wire.feed(e, wire.pdu(2, wire.associate(items)))
    assert.equal("accepted", wire.kinds(events))
    return e, events[1].params
  end
  local asked = { { id = 1, abstract = wire.CT, transfers = { IMPLICIT, EXPLICIT }, scu = true, scp = true } }

  it("that the acceptor passes over leaves the default, whatever was asked", function()
    local e = answered_with(asked, wire.context_ac(1, 0, IMPLICIT))
    assert.same({ true, false }, { e:context(1).scu, e:context(1).scp })
  end)

  it("grants no more than was asked", function()
    local both = wire.item(0x54, string.pack(">s2BB", wire.CT, 1, 1))
    for _, scu in ipairs { true, false } do
      local one = { { id = 1, abstract = wire.CT, transfers = { IMPLICIT }, scu = scu, scp = not scu } }
      local e = answered_with(one, wire.context_ac(1, 0, IMPLICIT), both)
      assert.same({ scu, not scu }, { e:context(1).scu, e:context(1).scp })
    end
  end)

  it("is one item for all contexts of a SOP class", function()
    local e = core.engine(true)
    assert(e:request(wire.params { contexts = {
      { id = 1, abstract = "1.2", transfers = { IMPLICIT } },
      { id = 3, abstract = "1.2", transfers = { IMPLICIT }, scu = true, scp = true },
      { id = 5, abstract = "1.2", transfers = { EXPLICIT }, scu = true, scp = true },
    } }))
    local _, items = e:take():gsub("\x54\0\0\7\0\0031%.2\1\1", "")
    assert.equal(1, items)
  end)

  describe("and answers that are odd:", function()
    it("no transfer syntax, where only one was proposed, means that one", function()
      local one = { { id = 1, abstract = wire.CT, transfers = { IMPLICIT } } }
      assert.same({ IMPLICIT }, (answered_with(one, wire.context_ac(1, 0))):context(1).transfers)
      local e, params = answered_with(asked, wire.context_ac(1, 0))
      assert.is_nil(e:context(1))
      assert.equal(4, params.contexts[1].result)
    end)

    it("a transfer syntax that was not proposed is no agreement", function()
      local e, params = answered_with(asked, wire.context_ac(1, 0, JPEG))
      assert.is_nil(e:context(1))
      assert.equal(4, params.contexts[1].result)
    end)

    it("a context without an answer is refused, an answer without a context is nothing", function()
      local two = { asked[1], { id = 3, abstract = wire.MR, transfers = { IMPLICIT } } }
      local e, params = answered_with(two, wire.context_ac(1, 0, EXPLICIT) .. wire.context_ac(9, 0, EXPLICIT))
      assert.same({ EXPLICIT }, e:context(1).transfers)
      assert.is_nil(e:context(3))
      assert.is_nil(e:context(9))
      assert.equal(2, #params.contexts)
      assert.equal(2, params.contexts[2].result)
      assert.equal(wire.MR, params.contexts[2].abstract)
    end)

    it("a refused context is never agreed, whatever transfer syntax stands in it", function()
      local e, params = answered_with(asked, wire.context_ac(1, 3, IMPLICIT))
      assert.is_nil(e:context(1))
      assert.equal(3, params.contexts[1].result)
    end)
  end)
end)
