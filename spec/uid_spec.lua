-- SPDX-License-Identifier: MIT
-- Unique identifiers: PS3.5 9 and B.2, RFC 9562.
local uid = require "dicom.uid"

-- The 128 bits of a UUID-derived UID as 32 hexadecimal digits, by long division.
local function bits_of(text)
  local digits, hex = text:match "^2%.25%.(%d+)$", {}
  for i = 32, 1, -1 do
    local out, rest = {}, 0
    for d in digits:gmatch "%d" do
      local v = rest * 10 + tonumber(d)
      out[#out + 1], rest = v // 16, v % 16
    end
    digits, hex[i] = table.concat(out):gsub("^0+(%d)", "%1"), ("%x"):format(rest)
  end
  assert.equal("0", digits)
  return table.concat(hex)
end

describe("uid.new", function()
  it("makes a UUID of version 4 below 2.25", function()
    for _ = 1, 200 do
      local u = uid.new()
      assert.is_true(uid.is_valid(u))
      assert.is_true(#u <= 44)
      assert.is_truthy(bits_of(u):find "^%x%x%x%x%x%x%x%x%x%x%x%x4%x%x%x[89ab]%x+$")
    end
  end)

  it("never repeats one", function()
    local seen = {}
    for _ = 1, 2000 do
      local u = uid.new()
      assert.is_nil(seen[u])
      seen[u] = true
    end
  end)
end)

describe("uid.from_uuid", function()
  it("gives the example of PS3.5 B.2", function()
    assert.equal("2.25.329800735698586629295641978511506172918", uid.from_uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
  end)

  it("covers the whole range", function()
    assert.equal("2.25.0", uid.from_uuid(("0"):rep(32)))
    assert.equal("2.25.1", uid.from_uuid(("0"):rep(31) .. "1"))
    assert.equal("2.25.340282366920938463463374607431768211455", uid.from_uuid(("F"):rep(32)))
    assert.equal("2.25.18446744073709551616", uid.from_uuid("0000000000000001" .. ("0"):rep(16)))
  end)

  it("raises for anything else", function()
    for _, s in ipairs { "", "f81d4fae", ("g"):rep(32), ("0"):rep(33), 5 } do
      assert.has_error(function() uid.from_uuid(s) end)
    end
  end)
end)

describe("uid.name and uid.find", function()
  it("are each other's way back", function()
    local name, keyword, kind = uid.name "1.2.840.10008.5.1.4.1.1.2"
    assert.same({ "CT Image Storage", "CTImageStorage", "SOP Class" }, { name, keyword, kind })
    assert.equal("1.2.840.10008.5.1.4.1.1.2", uid.find(keyword))
    assert.is_nil(uid.name "1.2.3")
    assert.is_nil(uid.find "ctimagestorage")
  end)
end)

describe("uid.is_valid", function()
  it("follows PS3.5 9.1", function()
    assert.is_true(uid.is_valid "1.2.840.10008.1.1")
    assert.is_true(uid.is_valid(("1"):rep(64)))
    for _, s in ipairs { "", "1.", ".1", "1..2", "1.02", "1.a", "1.2\0", " 1.2", ("1"):rep(65), 12, false } do
      assert.is_false(uid.is_valid(s))
    end
  end)
end)

describe("uid.is_private", function()
  it("is all that is not the standard's", function()
    assert.is_true(uid.is_private(uid.new()))
    assert.is_true(uid.is_private "1.2.840.100081.1")
    assert.is_false(uid.is_private "1.2.840.10008.1.1")
    assert.is_false(uid.is_private "no uid")
  end)
end)
