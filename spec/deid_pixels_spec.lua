-- SPDX-License-Identifier: MIT
-- Pixels may show a name. Refusing is the default; trusting and blanking are asked for.
local deid = require "dicom.deid"
local dicom = require "dicom"
local part10 = require "spec.support.part10"

local KEY = "0123456789abcdef"
local STORAGE = "1.2.840.10008.5.1.4.1.1."
local CT = STORAGE .. "2"

local function deidentifier(pixels)
  return deid.new { key = KEY, pixels = pixels }
end

-- An image of 2 by 2 pixels; `more` are further elements, or replace the ones here.
local function image(sop_class, more, options)
  local all = {
    [0x00080016] = { 0x00080016, "UI", sop_class }, [0x00080018] = { 0x00080018, "UI", "1.2.3" },
    [0x0020000D] = { 0x0020000D, "UI", "1.2.4" }, [0x00280002] = { 0x00280002, "US", "\1\0" },
    [0x00280004] = { 0x00280004, "CS", "MONOCHROME2" }, [0x00280010] = { 0x00280010, "US", "\2\0" },
    [0x00280011] = { 0x00280011, "US", "\2\0" }, [0x00280100] = { 0x00280100, "US", "\16\0" },
    [0x7FE00010] = { 0x7FE00010, "OW", "ABCDEFGH" },
  }
  for _, e in ipairs(more or {}) do all[e[1]] = e end
  local list = {}
  for _, e in pairs(all) do if e[2] then list[#list + 1] = e end end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return assert(dicom.open(part10.file(list, options)))
end

local function burned(value) return { 0x00280301, "CS", value } end

local function reason(...)
  local ds, err = deidentifier "refuse":apply(image(...))
  assert.is_nil(ds)
  assert.equal("refused", err.code)
  return tostring(err)
end

local function passes(...)
  assert(deidentifier "refuse":apply(image(...)))
end

describe("pixels = refuse", function()
  it("is the default", function()
    assert.is_nil((deid.new { key = KEY }:apply(image(CT, { burned "YES" }))))
    assert(deidentifier "trust":apply(image(CT, { burned "YES" })))
  end)

  it("lets an ordinary image pass untouched", function()
    local ds, report = assert(deidentifier "refuse":apply(image(CT)))
    assert.equal("ABCDEFGH", ds:raw "PixelData")
    assert.equal("kept", report.pixels)
    assert.is_false(ds:has "BurnedInAnnotation")
  end)

  it("refuses Burned In Annotation YES, whatever the image", function()
    assert.matches("Burned In Annotation is YES", reason(CT, { burned "YES" }))
    assert.matches("Burned In Annotation is YES", reason(STORAGE .. "6.1", { burned "YES" }))
  end)

  for name, uid in pairs { ["a secondary capture"] = "7", ["a multi-frame color capture"] = "7.4",
    ["an ultrasound image"] = "6.1", ["an ultrasound loop"] = "3.1", ["a retired ultrasound image"] = "6",
    ["a photograph"] = "77.1.4", ["an endoscopic video"] = "77.1.1.1", ["a slide"] = "77.1.6" } do
    it("refuses " .. name .. " unless it says NO", function()
      assert.matches("without Burned In Annotation NO", reason(STORAGE .. uid))
      assert.matches("without Burned In Annotation NO", reason(STORAGE .. uid, { burned "" }))
      passes(STORAGE .. uid, { burned "NO" })
    end)
  end

  it("does not take other classes for those", function()
    for _, uid in ipairs { "128", "4", "20", "66.4", "30", "67", "79.1", "481.1" } do passes(STORAGE .. uid) end
  end)

  it("refuses screen saves of any class unless they say NO", function()
    for _, kind in ipairs { "DERIVED\\SECONDARY\\SCREEN SAVE", "DERIVED\\PRIMARY\\SCREENSHOT" } do
      assert.matches("screen save", reason(CT, { { 0x00080008, "CS", kind } }))
      passes(CT, { { 0x00080008, "CS", kind }, burned "NO" })
    end
  end)

  it("refuses derived secondary images of modality OT or SC, not those of a scanner", function()
    local kind = { 0x00080008, "CS", "DERIVED\\SECONDARY" }
    assert.matches("modality OT", reason(CT, { kind, { 0x00080060, "CS", "OT" } }))
    assert.matches("modality SC", reason(CT, { kind, { 0x00080060, "CS", "SC" } }))
    passes(CT, { kind, { 0x00080060, "CS", "CT" } })
  end)

  it("refuses a slide whose label is in the image", function()
    assert.matches("Specimen Label", reason(STORAGE .. "77.1.6", { burned "NO", { 0x00480010, "CS", "YES" } }))
  end)

  it("refuses overlays in unused bits of the pixels, which removing the group would leave", function()
    assert.matches("overlay", reason(CT, { { 0x60000102, "US", "\15\0" } }))
    assert.matches("overlay", reason(CT, { { 0x60000102, "US", "\0\0" }, { 0x60003000, "OW", "ab" },
                                           { 0x60020102, "US", "\15\0" } }))
    passes(CT, { { 0x60000102, "US", "\0\0" }, { 0x60003000, "OW", "ab" } })
  end)

  it("refuses pixels inside a sequence, but for an icon, which the table removes", function()
    local pixels = { { 0x7FE00010, "OW", "ABCD" } }
    assert.matches("pixels inside a sequence", reason(CT, { { 0x20200110, "SQ", { pixels } } }))
    passes(CT, { { 0x00880200, "SQ", { pixels } } })
  end)

  it("has nothing against what has no pixels", function()
    for _, uid in ipairs { "7", "104.1", "88.11", "11.1" } do
      local ds, report = assert(deidentifier "refuse":apply(image(STORAGE .. uid, { burned "YES", { 0x7FE00010 } })))
      assert.equal("none", report.pixels)
      assert.equal("YES", ds:get "BurnedInAnnotation")
    end
  end)
end)

describe("pixels = trust", function()
  it("keeps all pixels as they are", function()
    local ds, report = assert(deidentifier "trust":apply(image(STORAGE .. "7", { burned "YES" })))
    assert.equal("ABCDEFGH", ds:raw "PixelData")
    assert.equal("YES", ds:get "BurnedInAnnotation")
    assert.equal("kept", report.pixels)
  end)
end)

describe("pixels = blank", function()
  local blank = deidentifier "blank"

  it("zeroes native pixels and says that nothing is burned in", function()
    local before = image(STORAGE .. "7", { burned "YES", { 0x00280106, "US", "\1\0" } })
    local ds, report = assert(blank:apply(before))
    assert.equal(("\0"):rep(8), ds:raw "PixelData")
    assert.equal("NO", ds:get "BurnedInAnnotation")
    assert.is_false(ds:has "SmallestImagePixelValue")
    assert.equal("blanked", report.pixels)
    assert.equal("ABCDEFGH", before:raw "PixelData")
    assert.is_nil(ds:bytes { part10 = true }:find("ABCD", 1, true))
  end)

  it("zeroes float pixels", function()
    local ds = assert(blank:apply(image(CT, { { 0x7FE00010 }, { 0x7FE00008, "OF", "ABCDEFGH" } })))
    assert.equal(("\0"):rep(8), ds:raw(0x7FE00008))
  end)

  it("removes pixels inside a sequence", function()
    local ds = assert(blank:apply(image(CT, { { 0x20200110, "SQ", { { { 0x7FE00010, "OW", "ABCD" } } } } })))
    assert.is_nil(ds:bytes { part10 = true }:find("ABCD", 1, true))
  end)

  -- Encapsulated: an empty offset table and one fragment, undefined length (PS3.5 A.4).
  local function compressed(more)
    local fragment = "FRAGMENT"
    local pixels = ("<I2I2"):pack(0x7FE0, 0x0010) .. "OB" .. ("<I2I4"):pack(0, 0xFFFFFFFF)
      .. ("<I2I2I4"):pack(0xFFFE, 0xE000, 0) .. ("<I2I2I4"):pack(0xFFFE, 0xE000, #fragment) .. fragment
      .. ("<I2I2I4"):pack(0xFFFE, 0xE0DD, 0)
    local list = { { 0x7FE00010 } }
    table.move(more or {}, 1, #(more or {}), 2, list)
    return image(STORAGE .. "7", list, { syntax = "1.2.840.10008.1.2.4.90", after = pixels })
  end

  it("gives compressed pixels as native zeros in Explicit VR Little Endian", function()
    local ds = assert(blank:apply(compressed { { 0x00280008, "IS", "3" } }))
    assert.equal(("\0"):rep(24), ds:raw "PixelData")
    assert.equal("1.2.840.10008.1.2.1", ds.syntax)
    local again = assert(dicom.open(ds:bytes { part10 = true }))
    assert.equal("1.2.840.10008.1.2.1", again.meta:text "TransferSyntaxUID")
    assert.equal(("\0"):rep(24), again:raw "PixelData")
    assert.equal("OW", again:vr "PixelData")
  end)

  it("gives compressed color as RGB by pixel", function()
    local ds = assert(blank:apply(compressed { { 0x00280002, "US", "\3\0" }, { 0x00280004, "CS", "YBR_RCT" },
      { 0x00280100, "US", "\8\0" }, { 0x00280010, "US", "\3\0" }, { 0x00280011, "US", "\1\0" } }))
    assert.equal("RGB", ds:get "PhotometricInterpretation")
    assert.equal(0, ds:get "PlanarConfiguration")
    assert.equal(("\0"):rep(10), ds:raw "PixelData") -- 9 bytes and one to make them even
  end)

  it("leaves compressed pixels alone where it is not asked to blank", function()
    local ds = assert(deidentifier "trust":apply(compressed()))
    assert.equal("1.2.840.10008.1.2.4.90", ds.syntax)
    assert.is_string(ds:bytes { part10 = true }:match "FRAGMENT")
  end)

  it("refuses what would be too large, and what has no size", function()
    for pattern, more in pairs {
      ["more than 1073741824 bytes"] = { { 0x00280008, "IS", "2000000000" } },
      ["size cannot be told"] = { { 0x00280011 } },
    } do
      local ds, err = blank:apply(compressed(more))
      assert.is_nil(ds)
      assert.equal("refused", err.code)
      assert.matches(pattern, tostring(err))
    end
  end)
end)
