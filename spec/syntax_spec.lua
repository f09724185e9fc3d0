-- SPDX-License-Identifier: MIT
-- The transfer syntaxes of PS3.6 table A-1 and what PS3.5 Annex A says of them.
local core = require "dicom.core"
local tsv = require "spec.support.tsv"

local ROOT = "1.2.840.10008.1.2"

local function traits(suffix)
  local s = assert(core.syntax(ROOT .. suffix))
  local out = { s.compression }
  for _, field in ipairs { "explicit_vr", "big_endian", "deflated", "encapsulated", "retired" } do
    if s[field] then out[#out + 1] = field end
  end
  return table.concat(out, " ")
end

describe("transfer syntaxes", function()
  it("are all that PS3.6 registers, with its keywords and names", function()
    local count, current = 0, 0
    for _, r in ipairs(tsv.read "csrc/gen/uids.tsv") do
      local s = core.syntax(r.uid)
      if r.type == "Transfer Syntax" then
        count = count + 1
        if r.retired == "0" then current = current + 1 end
        assert.same({ r.uid, r.keyword, r.name, r.retired == "1" }, { s.uid, s.keyword, s.name, s.retired })
      else
        assert.is_nil(s, r.uid)
      end
    end
    assert.same({ 63, 45 }, { count, current })
  end)

  it("know byte order, VR and deflation", function()
    assert.equal("none", traits "")
    assert.equal("none explicit_vr", traits ".1")
    assert.equal("none explicit_vr deflated", traits ".1.99")
    assert.equal("none explicit_vr big_endian retired", traits ".2")
    assert.equal("none explicit_vr encapsulated", traits ".1.98")
  end)

  it("know how Pixel Data is compressed", function()
    local expected = {
      [".4.50"] = "jpeg", [".4.51"] = "jpeg", [".4.57"] = "jpeg lossless", [".4.70"] = "jpeg lossless",
      [".4.80"] = "jpeg-ls", [".4.81"] = "jpeg-ls", [".4.90"] = "jpeg 2000", [".4.91"] = "jpeg 2000",
      [".4.93"] = "jpeg 2000", [".4.100"] = "video", [".4.102.1"] = "video", [".4.108"] = "video",
      [".4.110"] = "jpeg xl", [".4.112"] = "jpeg xl", [".4.201"] = "htj2k", [".4.202"] = "htj2k", [".4.203"] = "htj2k",
      [".5"] = "rle", [".8.1"] = "deflated frames",
    }
    for suffix, compression in pairs(expected) do
      assert.equal(compression .. " explicit_vr encapsulated", traits(suffix), suffix)
    end
    assert.equal("jpeg lossless explicit_vr encapsulated retired", traits ".4.66")
  end)

  it("have no fragments where the pixels are elsewhere", function()
    assert.equal("other explicit_vr", traits ".4.94")
    assert.equal("other explicit_vr deflated", traits ".4.95")
    assert.equal("other explicit_vr deflated", traits ".4.205")
    assert.equal("other explicit_vr", traits ".7.1")
  end)

  it("are found with their padding, and only whole", function()
    assert.equal(ROOT, core.syntax(ROOT .. "\0").uid)
    assert.equal(ROOT, core.syntax(ROOT .. " ").uid)
    assert.is_nil(core.syntax(ROOT .. ".4"))
    assert.is_nil(core.syntax "1.2.840.10008.1")
    assert.is_nil(core.syntax "")
  end)
end)
