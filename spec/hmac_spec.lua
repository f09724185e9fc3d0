-- SPDX-License-Identifier: MIT
-- HMAC-SHA-256 against the test vectors of RFC 4231 and against the openssl command.
local need = require "spec.support.need"
local tls = require "dicom.tls"

local function hex(s)
  return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function unhex(s)
  return (s:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
end

-- RFC 4231 4.2 to 4.8: key, data, HMAC-SHA-256 (4.6 is truncated to 128 bits there)
local vectors = {
  { ("\x0b"):rep(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
  { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
  { ("\xaa"):rep(20), ("\xdd"):rep(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
  { unhex "0102030405060708090a0b0c0d0e0f10111213141516171819", ("\xcd"):rep(50),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
  { ("\x0c"):rep(20), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b" },
  { ("\xaa"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
  { ("\xaa"):rep(131), "This is a test using a larger than block-size key and a larger than block-size data. "
    .. "The key needs to be hashed before being used by the HMAC algorithm.",
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
}

describe("hmac_sha256", function()
  for i, v in ipairs(vectors) do
    it("gives RFC 4231 test case " .. i, function()
      local digest = tls.hmac_sha256(v[1], v[2])
      assert.equal(32, #digest)
      assert.equal(v[3], hex(digest):sub(1, #v[3]))
    end)
  end

  it("takes an empty key and an empty message", function()
    -- Python's hmac.new(b"", b"", "sha256") and openssl agree on this one
    assert.equal("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", hex(tls.hmac_sha256("", "")))
  end)

  it("agrees with the openssl command on bytes of every value", function()
    need.peer "openssl"
    local all = {}
    for i = 0, 255 do all[#all + 1] = string.char(i) end
    local path = os.tmpname()
    local f = assert(io.open(path, "wb"))
    f:write(table.concat(all))
    f:close()
    local key = "6b6579206f66203136206279746573ff"
    local p = io.popen("openssl dgst -sha256 -mac HMAC -macopt hexkey:" .. key .. " < " .. path)
    local said = p:read "a":match "%x+%s*$"
    p:close()
    os.remove(path)
    assert.equal(said:match "%x+", hex(tls.hmac_sha256(unhex(key), table.concat(all))))
  end)

  it("raises when it is not given bytes", function()
    assert.has_error(function() tls.hmac_sha256("key") end)
    assert.has_error(function() tls.hmac_sha256({}, "message") end)
  end)
end)
