-- SPDX-License-Identifier: MIT
-- DIMSE primitives and command sets (PS3.7 6.3, 9.3, 10.3, annex E), against bytes made by hand.
local core = require "dicom.core"

-- One element of a command set: implicit little endian.
local function element(number, value, group)
  return string.pack("<I2I2s4", group or 0, number, value)
end

local function us(number, value)
  return element(number, string.pack("<I2", value))
end

local function set(...)
  local body = table.concat { ... }
  return element(0, string.pack("<I4", #body)) .. body
end

local CT, UID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
local NONE, SOME = 0x0101, 0x0000

-- field, name, mandatory, optional; "R" where the UIDs are Requested ... UID (PS3.7 tables 9.3-1 to 10.3-12)
local ERRORS = "error_id error_comment"
local SUBS = "remaining completed failed warning"
local ROWS = {
  { 0x0001, "C-STORE-RQ", "sop_class sop_instance priority", "move_originator move_originator_id" },
  { 0x8001, "C-STORE-RSP", "status", "sop_class sop_instance " .. ERRORS },
  { 0x0010, "C-GET-RQ", "sop_class priority", "" },
  { 0x8010, "C-GET-RSP", "status", "sop_class " .. SUBS .. " " .. ERRORS },
  { 0x0020, "C-FIND-RQ", "sop_class priority", "" },
  { 0x8020, "C-FIND-RSP", "status", "sop_class " .. ERRORS },
  { 0x0021, "C-MOVE-RQ", "sop_class priority move_destination", "" },
  { 0x8021, "C-MOVE-RSP", "status", "sop_class " .. SUBS .. " " .. ERRORS },
  { 0x0030, "C-ECHO-RQ", "sop_class", "" },
  { 0x8030, "C-ECHO-RSP", "status", "sop_class " .. ERRORS },
  { 0x0100, "N-EVENT-REPORT-RQ", "sop_class sop_instance event_type", "" },
  { 0x8100, "N-EVENT-REPORT-RSP", "status", "sop_class sop_instance event_type " .. ERRORS },
  { 0x0110, "N-GET-RQ", "sop_class sop_instance", "", "R" },
  { 0x8110, "N-GET-RSP", "status", "sop_class sop_instance " .. ERRORS },
  { 0x0120, "N-SET-RQ", "sop_class sop_instance", "", "R" },
  { 0x8120, "N-SET-RSP", "status", "sop_class sop_instance " .. ERRORS },
  { 0x0130, "N-ACTION-RQ", "sop_class sop_instance action_type", "", "R" },
  { 0x8130, "N-ACTION-RSP", "status", "sop_class sop_instance action_type " .. ERRORS },
  { 0x0140, "N-CREATE-RQ", "sop_class", "sop_instance" },
  { 0x8140, "N-CREATE-RSP", "status", "sop_class sop_instance " .. ERRORS },
  { 0x0150, "N-DELETE-RQ", "sop_class sop_instance", "", "R" },
  { 0x8150, "N-DELETE-RSP", "status", "sop_class sop_instance " .. ERRORS },
  { 0x0FFF, "C-CANCEL-RQ", "", "", "", true },
}

local ELEMENTS = {
  priority = 0x0700, data_set_type = 0x0800, status = 0x0900, error_comment = 0x0902, error_id = 0x0903,
  move_destination = 0x0600, event_type = 0x1002, action_type = 0x1008, remaining = 0x1020, completed = 0x1021,
  failed = 0x1022, warning = 0x1023, move_originator = 0x1030, move_originator_id = 0x1031,
}
local VALUES = {
  sop_class = CT, sop_instance = UID, priority = 2, data_set_type = NONE, status = 0xFF00, move_destination = "DEST",
  move_originator = "MOVER", move_originator_id = 9, remaining = 1, completed = 2, failed = 3, warning = 4,
  event_type = 5, action_type = 6, error_id = 7, error_comment = "no comment", message_id = 0x1234,
}

local function expected(names, row)
  local t = {}
  for name in names:gmatch "%S+" do
    t[name] = ELEMENTS[name]
      or name == "sop_class" and (row[5] == "R" and 0x0003 or 0x0002)
      or name == "sop_instance" and (row[5] == "R" and 0x1001 or 0x1000)
  end
  return t
end

local function with(...)
  local t = {}
  for _, part in ipairs { ... } do
    for k, v in pairs(part) do t[k] = v end
  end
  return t
end

describe("the primitives", function()
  for _, row in ipairs(ROWS) do
    local field, name = row[1], row[2]
    it(("%s has its fields, each in its element"):format(name), function()
      assert.equal(name, core.command_name(field))
      local p = core.primitive(field)
      local responds = field >= 0x8000 or row[6]
      assert.same(with(expected(row[3], row), { message_id = responds and 0x0120 or 0x0110, data_set_type = 0x0800 }),
        p.mandatory)
      assert.same(expected(row[4], row), p.optional)
    end)

    it(("%s is read as it was written"):format(name), function()
      local c = { field = field, name = name }
      for _, list in pairs(core.primitive(field)) do
        for key in pairs(list) do c[key] = VALUES[key] end
      end
      assert.same(c, core.command_decode(assert(core.command_encode(c))))
    end)

    it(("%s is written in ascending order, with the group length before it (PS3.7 6.3.1)"):format(name), function()
      local c = { field = field }
      for _, list in pairs(core.primitive(field)) do
        for key in pairs(list) do c[key] = VALUES[key] end
      end
      local bytes = core.command_encode(c)
      local group, number, length, at = string.unpack("<I2I2I4", bytes)
      assert.same({ 0, 0, 4 }, { group, number, length })
      assert.equal(#bytes - 12, string.unpack("<I4", bytes, at))
      at = 13
      local last, count = 0, 0
      while at <= #bytes do
        local value
        group, number, value, at = string.unpack("<I2I2s4", bytes, at)
        assert.equal(0, group)
        assert.is_true(number > last)
        assert.equal(0, #value % 2)
        last, count = number, count + 1
      end
      local fields = -1 -- name is no field, Command Field is
      for _ in pairs(core.command_decode(bytes)) do fields = fields + 1 end
      assert.equal(fields, count)
    end)

    it(("%s is refused without what it must have, by the element that is missing"):format(name), function()
      local p = core.primitive(field)
      for missing, number in pairs(p.mandatory) do
        local body = { us(0x0100, field) }
        for key, tag in pairs(p.mandatory) do
          local v = VALUES[key]
          if key ~= missing then body[#body + 1] = type(v) == "number" and us(tag, v) or element(tag, v) end
        end
        local c, err = core.command_decode(set(table.unpack(body)))
        if missing == "priority" then
          assert.equal(field, c.field) -- medium, as if it said so
        else
          assert.is_nil(c)
          assert.equal("bad command set", err.code)
          assert.equal(number, err.tag)
        end
      end
    end)
  end

  it("are these and no others", function()
    assert.equal("unknown", core.command_name(0))
    assert.equal("unknown", core.command_name(0x8FFF))
    assert.equal("unknown", core.command_name(0x0002))
    local known = 0
    for field = 0, 0xFFFF do known = known + (core.command_name(field) ~= "unknown" and 1 or 0) end
    assert.equal(23, known)
  end)
end)

describe("encoding", function()
  it("gives the bytes of a C-STORE-RQ", function()
    local bytes = core.command_encode {
      field = 0x0001, sop_class = "1.2", message_id = 7, priority = 0, data_set_type = SOME, sop_instance = "1.22",
    }
    assert.equal(set(element(0x0002, "1.2\0"), us(0x0100, 1), us(0x0110, 7), us(0x0700, 0), us(0x0800, SOME),
      element(0x1000, "1.22")), bytes)
  end)

  it("gives the bytes of a C-ECHO-RSP, and pads UIDs with NUL, others with a space", function()
    local bytes = core.command_encode {
      field = 0x8030, sop_class = "1.2", message_id = 7, data_set_type = NONE, status = 0x0122, error_comment = "odd",
    }
    assert.equal(set(element(0x0002, "1.2\0"), us(0x0100, 0x8030), us(0x0120, 7), us(0x0800, NONE),
      us(0x0900, 0x0122), element(0x0902, "odd ")), bytes)
  end)

  it("leaves out what the primitive does not have", function()
    local bytes = core.command_encode {
      field = 0x8030, message_id = 1, data_set_type = NONE, status = 0, remaining = 4,
    }
    assert.equal(set(us(0x0100, 0x8030), us(0x0120, 1), us(0x0800, NONE), us(0x0900, 0)), bytes)
  end)

  it("of an unknown primitive fails", function()
    local bytes, err = core.command_encode { field = 0x7777 }
    assert.is_nil(bytes)
    assert.equal("bad command set", err.code)
  end)
end)

describe("decoding", function()
  local echo = { element(0x0002, "1.2.840.10008.1.1"), us(0x0100, 0x0030), us(0x0110, 1), us(0x0800, NONE) }
  local function decode(...)
    return core.command_decode(table.concat { ... })
  end

  it("does without a group length, and does not believe it", function()
    assert.equal(1, decode(table.unpack(echo)).message_id)
    assert.equal(1, decode(element(0, "\xFF\xFF\xFF\xFF"), table.unpack(echo)).message_id)
  end)

  it("takes odd lengths, padding of either kind, elements out of order", function()
    local c = decode(us(0x0800, NONE), element(0x1000, " 1.2.3\0"), us(0x0110, 3), us(0x0700, 1), us(0x0100, 1),
      element(0x0002, "1.2 "), element(0x1030, " AE \0"))
    assert.same({
      field = 1, name = "C-STORE-RQ", sop_class = "1.2", sop_instance = "1.2.3", message_id = 3, priority = 1,
      data_set_type = NONE, move_originator = "AE",
    }, c)
  end)

  it("passes over elements that it does not know, other groups, and the second of two", function()
    local c = decode(element(0x0001, "\0\0\0\0"), us(0x5010, 9), element(0x0010, "MOE", 8), us(0x0110, 1),
      us(0x0110, 2), element(0x0002, "1.2"), us(0x0100, 0x0030), us(0x0800, NONE))
    assert.equal(1, c.message_id)
  end)

  it("takes the element of another primitive where its own is missing", function()
    local c = decode(us(0x0100, 0x8030), us(0x0110, 8), us(0x0800, NONE), us(0x0900, 0), element(0x0003, "1.2"))
    assert.equal(8, c.message_id)
    assert.equal("1.2", c.sop_class)
    c = decode(us(0x0100, 0x8030), us(0x0110, 8), us(0x0120, 9), us(0x0800, NONE), us(0x0900, 0))
    assert.equal(9, c.message_id)
  end)

  it("takes a number of four bytes that fits two", function()
    assert.equal(5, decode(echo[1], echo[2], element(0x0110, "\5\0\0\0"), echo[4]).message_id)
  end)

  it("cuts a comment that is too long", function()
    local long = element(0x0902, ("x"):rep(99))
    local c = decode(us(0x0100, 0x8030), us(0x0120, 8), us(0x0800, NONE), us(0x0900, 0), long)
    assert.equal(("x"):rep(64), c.error_comment)
  end)

  local cases = {
    ["nothing"] = { "", 0x0100 },
    ["no Command Field"] = { echo[1] .. echo[3] .. echo[4], 0x0100 },
    ["an unknown Command Field"] = { us(0x0100, 0x7777) .. echo[3] .. echo[4], 0x0100 },
    ["a Command Field of one byte"] = { element(0x0100, "\48"), 0x0100 },
    ["a number of three bytes"] = { echo[1] .. echo[2] .. element(0x0110, "abc") .. echo[4], 0x0110 },
    ["a number that does not fit"] = { echo[1] .. echo[2] .. element(0x0110, "\0\0\1\0") .. echo[4], 0x0110 },
    ["a SOP class that is all padding"] = { element(2, "  \0\0") .. echo[2] .. echo[3] .. echo[4], 0x0002 },
    ["an empty Message ID"] = { echo[1] .. echo[2] .. element(0x0110, "") .. echo[4], 0x0110 },
    ["a UID of 65 characters"] = { element(2, ("1"):rep(65)) .. echo[2] .. echo[3] .. echo[4], 0x0002 },
    ["a UID with a NUL inside"] = { element(2, "1.2\0.3") .. echo[2] .. echo[3] .. echo[4], 0x0002 },
    ["an AE title of 17 characters"] = { us(0x0100, 1) .. element(0x1030, ("A"):rep(17)), 0x1030 },
    ["a value that runs past the end"] = { table.concat(echo) .. "\0\0\0\9\9\0\0\0ab", 0x0900 },
    ["a length near 2^32"] = { table.concat(echo) .. "\0\0\0\9\xFF\xFF\xFF\xFFab", 0x0900 },
    ["a header cut short"] = { table.concat(echo) .. "\0\0\0\9\2\0", 0x0900 },
  }
  for name, case in pairs(cases) do
    it("refuses " .. name .. ", and says which element", function()
      local c, err = core.command_decode(case[1])
      assert.is_nil(c)
      assert.equal("bad command set", err.code)
      assert.equal(case[2], err.tag)
    end)
  end
end)
