-- SPDX-License-Identifier: MIT
-- The dictionaries of PS3.6, PS3.7 and of private creators.
local core = require "dicom.core"
local tsv = require "spec.support.tsv"

local function vm_text(e)
  local most = e.vm_max == 0 and (e.vm_step > 1 and e.vm_step .. "n" or "n") or tostring(e.vm_max)
  return tostring(e.vm_min) == most and most or e.vm_min .. "-" .. most
end

describe("the data dictionary", function()
  it("has every row of PS3.6 and PS3.7 under its tag and its keyword", function()
    local count = 0
    for _, r in ipairs(tsv.read "csrc/gen/elements.tsv") do
      local tag = tonumber((r.tag:gsub(",", ""):gsub("x", "0")), 16)
      local e = r.keyword ~= "" and core.dict_by_keyword(r.keyword) or core.dict_by_tag(tag)
      local vr = r.vr == "" and "??" or r.vr
      assert.same({ r.keyword, vr, r.vm, r.name, r.retired == "1" },
        { e.keyword, e.vr, vm_text(e), e.name, e.retired })
      if not r.tag:find "x" then
        assert.equal(tag, e.tag)
        assert.same(e, core.dict_by_tag(tag))
      end
      count = count + 1
    end
    assert.equal(5354, count)
  end)

  it("agrees with the printed standard on what everybody uses", function()
    local e = core.dict_by_tag(0x00100010)
    assert.same({ "PatientName", "Patient's Name", "PN", 1, 1 }, { e.keyword, e.name, e.vr, e.vm_min, e.vm_max })
    assert.equal("OB or OW", core.dict_by_tag(0x7FE00010).vr)
    assert.equal("US or SS", core.dict_by_keyword "SmallestImagePixelValue".vr)
    assert.equal("2-n", vm_text(core.dict_by_keyword "ImageType"))
    assert.equal("3-3n", vm_text(core.dict_by_keyword "ContourData"))
    assert.equal("??", core.dict_by_tag(0xFFFEE000).vr)
  end)

  it("covers repeating groups in even groups only (PS3.5 7.6)", function()
    for _, tag in ipairs { 0x60003000, 0x60023000, 0x601E3000, 0x60FE3000 } do
      assert.equal("OverlayData", core.dict_by_tag(tag).keyword)
    end
    assert.is_nil(core.dict_by_tag(0x60013000))
    assert.is_nil(core.dict_by_tag(0x61003000))
    assert.equal("CurveDimensions", core.dict_by_tag(0x501E0005).keyword)
    assert.equal("VariablePixelData", core.dict_by_tag(0x7F020010).keyword)
    assert.equal("PixelData", core.dict_by_tag(0x7FE00010).keyword)
    assert.equal(0x60003000, core.dict_by_keyword "OverlayData".tag)
  end)

  it("covers what repeats within a group", function()
    assert.equal("SourceImageIDs", core.dict_by_tag(0x002031FF).keyword)
    assert.equal("TransformLabel", core.dict_by_tag(0x00280400).keyword)
    assert.equal("RowsForNthOrderCoefficients", core.dict_by_tag(0x00280410).keyword)
    assert.equal("CoefficientCodingPointers", core.dict_by_tag(0x002804F3).keyword)
    assert.equal("CodeLabel", core.dict_by_tag(0x00280800).keyword)
    assert.equal("ImageDataLocation", core.dict_by_tag(0x002808A8).keyword)
    assert.equal("ShiftTableTriplet", core.dict_by_tag(0x10001235).keyword)
    assert.equal("ZonalMap", core.dict_by_tag(0x1010FFFF).keyword)
    assert.is_nil(core.dict_by_tag(0x00280411 + 4))
    assert.is_nil(core.dict_by_tag(0x10001236))
  end)

  it("knows group lengths and private creators by form (PS3.5 7.2, 7.8.1)", function()
    assert.same({ "UL", "Group Length" }, { core.dict_by_tag(0x00100000).vr, core.dict_by_tag(0x00100000).name })
    assert.equal("FileMetaInformationGroupLength", core.dict_by_tag(0x00020000).keyword)
    assert.same({ "LO", "Private Creator" }, { core.dict_by_tag(0x00090010).vr, core.dict_by_tag(0x000900FF).name })
    assert.is_nil(core.dict_by_tag(0x0009000F))
    assert.is_nil(core.dict_by_tag(0x00090100))
  end)

  it("asks for the exact spelling", function()
    for _, s in ipairs { "", "patientname", "PatientNam", "PatientNames", "PatientName\0", "Patient Name" } do
      assert.is_nil(core.dict_by_keyword(s), s)
    end
  end)

  it("names the nearest keyword", function()
    assert.equal("PatientName", core.dict_nearest "patientname")
    assert.equal("PatientName", core.dict_nearest "PatinetName")
    assert.equal("PatientID", core.dict_nearest "PatientId")
    assert.equal("PatientSize", core.dict_nearest "PatientSiez") -- one swap, two changes from PatientSex
    assert.equal("StudyInstanceUID", core.dict_nearest "StudyInstanceUd")
    assert.equal("SOPClassUID", core.dict_nearest "SopClasUID")
    assert.is_string(core.dict_nearest "")
    assert.is_string(core.dict_nearest(("x"):rep(10000)))
  end)
end)

describe("the private dictionary", function()
  it("has every row under its creator, in any block", function()
    local count = 0
    for _, r in ipairs(tsv.read "csrc/gen/private.tsv") do
      local tag = tonumber((r.tag:gsub("xxxx", "01AB"):gsub("xx", "AB")), 16)
      local e = core.dict_private(r.creator, tag)
      assert.same({ r.vr, r.vm, r.name }, { e.vr, vm_text(e), e.name }, r.creator .. r.tag)
      count = count + 1
    end
    assert.equal(17656, count)
  end)

  it("ignores the padding of a creator and nothing else", function()
    assert.equal("CSA Image Header Info", core.dict_private("SIEMENS CSA HEADER ", 0x00291010).name)
    assert.equal("CSA Image Header Info", core.dict_private("SIEMENS CSA HEADER", 0x0029FF10).name)
    assert.is_nil(core.dict_private("siemens csa header", 0x00291010))
    assert.is_nil(core.dict_private("SIEMENS CSA HEADE", 0x00291010))
    assert.is_nil(core.dict_private("", 0x00291010))
    assert.is_nil(core.dict_private("SIEMENS CSA HEADER", 0x00311010))
  end)
end)

describe("the registry of UIDs", function()
  it("finds every row both ways", function()
    for _, r in ipairs(tsv.read "csrc/gen/uids.tsv") do
      local name, keyword, kind = core.uid_entry(r.uid)
      assert.same({ r.name, r.keyword, r.type }, { name, keyword, kind })
      if r.keyword ~= "" then assert.equal(r.uid, core.uid_by_keyword(r.keyword)) end
    end
    assert.equal("CT Image Storage", (core.uid_entry "1.2.840.10008.5.1.4.1.1.2\0"))
    assert.is_nil(core.uid_entry "1.2.840.10008.5.1.4.1.1.2.999")
    assert.is_nil(core.uid_entry "")
    assert.is_nil(core.uid_by_keyword "")
  end)
end)
