-- SPDX-License-Identifier: MIT
-- Private elements by creator (PS3.5 7.8.1): a block (gggg,bb00-bbFF) belongs to whom (gggg,00bb) names.
local dicom = require "dicom"

local function raises(what, f)
  local ok, err = pcall(f)
  assert.is_false(ok, "did not raise")
  assert.is_truthy(tostring(err):find(what, 1, true), tostring(err))
end

describe("ds:private(creator)", function()
  local ds
  before_each(function()
    ds = dicom.dataset { ["0009,0010"] = "OTHER", ["0009,1001"] = { vr = "LO", "theirs" }, ["0009,0011"] = "ACME 1.1",
      ["0009,1101"] = { vr = "LO", "ours" }, ["0009,1102"] = { vr = "US", 5 } }
  end)

  it("reads by the number within the block, wherever the block is", function()
    local p = ds:private "ACME 1.1"
    assert.equal("ours", p[0x01][1])
    assert.equal(5, p[0x02][1])
    assert.is_nil(p[0x03])
    assert.is_true(p:has(0x01))
    assert.equal(0x00091101, p:tag(0x01))
    assert.equal("theirs", ds:private "OTHER"[0x01][1])
    assert.is_nil(ds:private "NOBODY"[0x01])
  end)

  it("writes, and keeps the VR that is there", function()
    local p = ds:private "ACME 1.1"
    p[0x02] = { 6, 7 }
    assert.equal("US", ds:vr(0x00091102))
    assert.same({ 6, 7 }, ds[0x00091102]:copy())
    raises("give its VR", function() p[0x03] = "new" end)
    p:set(0x03, "new", "SH")
    assert.equal("new", ds[0x00091103][1])
  end)

  it("deletes an element, or all that is the creator's", function()
    local p = ds:private "ACME 1.1"
    p[0x01] = nil
    assert.is_false(ds:has(0x00091101))
    p:remove()
    assert.is_false(ds:has(0x00091102))
    assert.is_false(ds:has(0x00090011))
    assert.equal("theirs", ds[0x00091001][1])
  end)

  it("reserves the first free block of the group", function()
    local p = ds:private "NEW"
    p:set(0x05, "x", "LO")
    assert.equal("NEW", ds[0x00090012])
    assert.equal("x", ds[0x00091205][1])
    ds:private("NEW", 0x0019):set(0x05, "y", "LO")
    assert.equal("NEW", ds[0x00190010])
    assert.equal("y", ds:private("NEW", 0x0019)[0x05][1])
    assert.equal("x", p[0x05][1])
  end)

  it("reserves nothing when the value is refused", function()
    raises("give its VR", function() ds:private "NEW"[0x05] = "x" end)
    assert.is_false(ds:has(0x00090012))
    ds:private "NEW"[0x05] = nil
    assert.is_false(ds:has(0x00090012))
  end)

  it("leaves a block alone whose elements no creator reserved", function()
    local made = dicom.dataset()
    made:set(0x00091001, "orphan", "LO")
    made:private "NEW":set(0x01, "x", "LO")
    assert.equal("orphan", made[0x00091001][1])
    assert.equal("NEW", made[0x00090011])
  end)

  it("knows the dictionaries of known creators", function()
    local p = dicom.dataset():private("SIEMENS CSA HEADER", 0x0029)
    p[0x08] = "IMAGE NUM 4"
    assert.equal("IMAGE NUM 4", type(p[0x08]) == "string" and p[0x08] or p[0x08][1])
  end)

  it("lists its elements in order", function()
    local t = {}
    for k, v in pairs(ds:private "ACME 1.1") do t[#t + 1] = k .. "=" .. tostring(v) end
    assert.same({ "1=ours", "2=5" }, t)
  end)

  it("survives saving", function()
    local again = dicom.open(ds:bytes { syntax = "1.2.840.10008.1.2.1" }, { syntax = "1.2.840.10008.1.2.1" })
    assert.equal("ours", again:private "ACME 1.1"[0x01][1])
  end)

  it("is checked", function()
    raises("0x00 to 0xFF", function() return ds:private "A"[0x100] end)
    raises("0x00 to 0xFF", function() return ds:private "A".x end)
    raises("odd", function() ds:private("A", 0x0010) end)
    raises("creator is a string", function() ds:private(5) end)
  end)
end)
