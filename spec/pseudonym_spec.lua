-- SPDX-License-Identifier: MIT
-- The identity mapping is fixed for ever. The vectors were computed with `openssl dgst -sha256 -mac HMAC` and `bc`,
-- not with this package; a change that breaks one of them orphans every pseudonym ever given out.
local pseudonym = require "dicom.deid.pseudonym"
local uids = require "dicom.uid"

local KEY = "0123456789abcdef"

local function hex(s)
  return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- What the openssl command makes of the same bytes; nil when it is not installed.
local function openssl(message)
  local path = os.tmpname()
  local f = assert(io.open(path, "wb"))
  f:write(message)
  f:close()
  local p = io.popen("openssl dgst -sha256 -mac HMAC -macopt key:" .. KEY .. " < " .. path .. " 2>/dev/null")
  local digest = p:read "a":match "(%x+)%s*$"
  p:close()
  os.remove(path)
  return digest
end

describe("identity mapping, scheme dicom-deid/1", function()
  local mapping = pseudonym.new(KEY)

  it("maps UIDs to UUIDs of version 8 under 2.25", function()
    assert.equal("2.25.277558923060669801672923854636730286157", mapping:uid "1.2.826.0.1.3680043.8.498.1")
    assert.equal("2.25.218170516678336008531457342243095830603", mapping:uid "1.3.6.1.4.1.14519.5.2.1.7009.9004.100")
  end)

  it("maps Patient IDs together with their issuer", function()
    assert.equal("P5860D8CD6AD55BBCE82B", mapping:patient "4MR1")
    assert.equal("P5860D8CD6AD55BBCE82B", mapping:patient("4MR1", ""))
    assert.equal("PB1323C10E749709DF9CC", mapping:patient("4MR1", "HOSPITAL A"))
    assert.equal("PFB10139DD561E799CF1D", mapping:patient "Änne 7")
  end)

  it("takes a Study Instance UID where there is no Patient ID", function()
    assert.equal("PF07E21F2167B90946074", mapping:study "1.2.3.4.5")
    assert.not_equal(mapping:study "1.2.3.4.5", mapping:patient "1.2.3.4.5")
  end)

  it("authenticates scheme, kind and value with zero bytes between", function()
    local digest = openssl "dicom-deid/1\0date\0value"
    if not digest then pending "the openssl command is not installed" return end
    assert.equal(digest, hex(mapping:mac("date", "value")))
    assert.equal(openssl "dicom-deid/1\0patient\0A B\0C", hex(mapping:mac("patient", "A B\0C")))
    assert.equal("P" .. openssl "dicom-deid/1\0patient\0A B\0C":sub(1, 20):upper(), mapping:patient(" A B  ", "C "))
  end)

  it("does not see padding", function()
    assert.equal(mapping:uid "1.2.3", mapping:uid "1.2.3\0")
    assert.equal(mapping:uid "1.2.3", mapping:uid " 1.2.3 ")
    assert.equal(mapping:patient("7", "X"), mapping:patient(" 7 ", "X "))
  end)

  it("takes no time for an ID of spaces", function()
    local start = os.clock()
    mapping:patient("A" .. (" "):rep(65000) .. "B", (" "):rep(65000))
    assert.is_true(os.clock() - start < 0.1)
    assert.equal(mapping:patient "", mapping:patient("  ", " \0"))
  end)

  it("does not confuse an ID that holds an issuer with an ID and its issuer", function()
    assert.not_equal(mapping:patient("A", "BC"), mapping:patient("AB", "C"))
  end)

  it("depends on the key", function()
    assert.not_equal(mapping:uid "1.2.3", pseudonym.new("0123456789abcdeg"):uid "1.2.3")
  end)

  it("refuses keys below 16 bytes", function()
    for _, key in ipairs { "", "0123456789abcde", false, 7 } do
      local ok, err = pcall(pseudonym.new, key)
      assert.is_false(ok)
      assert.equal("config", err.code)
    end
  end)
end)

describe("UIDs that PS3.6 registers", function()
  local mapping = pseudonym.new(KEY)

  for name, uid in pairs {
    ["a SOP class"] = "1.2.840.10008.5.1.4.1.1.2", ["a transfer syntax"] = "1.2.840.10008.1.2.4.90",
    ["a well-known frame of reference"] = "1.2.840.10008.1.4.1.1", ["UTC"] = "1.2.840.10008.15.1.1",
    ["a well-known SOP instance"] = "1.2.840.10008.1.5.1", ["a coding scheme"] = "1.2.840.10008.2.16.4",
    ["a context group"] = "1.2.840.10008.6.1.22", ["one with padding"] = "1.2.840.10008.1.2.1",
  } do
    it("are never mapped: " .. name, function()
      assert.equal(uid, mapping:uid(uid))
      assert.equal(uid, mapping:uid(uid .. "\0"))
    end)
  end

  it("are those of the registry, not all under DICOM's root: planning systems invent instances there", function()
    for _, uid in ipairs { "1.2.840.10008.5.1.4.1.1.481.3.1572928750", "1.2.840.10008.5.1.4.1.1.2.20240131.1",
                           "1.2.840.10008.6.1.22.19991231", "1.2.840.10008" } do
      assert.matches("^2%.25%.", mapping:uid(uid))
    end
  end)
end)

describe("128 bits in decimal", function()
  for bits, text in pairs {
    ["0 0 0 0"] = "0", ["0 0 0 1"] = "1", ["0 0 0 10"] = "10", ["0 0 0 1000000000"] = "1000000000",
    ["0 0 1 0"] = "4294967296", ["0 1 0 0"] = "18446744073709551616", ["1 0 0 0"] = "79228162514264337593543950336",
    ["4294967295 4294967295 4294967295 4294967295"] = "340282366920938463463374607431768211455",
    ["0 54210108 2681241660 3892314112"] = "1000000000000000000000000000"
  } do
    it("gives " .. text, function()
      local parts = {}
      for d in bits:gmatch "%d+" do parts[#parts + 1] = math.tointeger(tonumber(d)) end
      assert.equal("2.25." .. text, uids.from_bits(table.unpack(parts)))
    end)
  end

  it("sets version 8 and the variant, whatever the bits", function()
    -- UUIDs 00000000-0000-8000-8000-000000000000 and ffffffff-ffff-8fff-bfff-ffffffffffff
    assert.equal("2.25.604472133179351442128896", pseudonym.uuid_uid(("\0"):rep(16)))
    assert.equal("2.25.340282366920937934553716840013076889599", pseudonym.uuid_uid(("\xff"):rep(16)))
  end)
end)
