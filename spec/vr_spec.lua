-- SPDX-License-Identifier: MIT
-- PS3.5 table 6.2-1 and section 7.1.2.
local core = require "dicom.core"

local ALL = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"

local function having(field, value)
  local list = {}
  for vr in ALL:gmatch "%u%u" do
    if core.vr(vr)[field] == value then list[#list + 1] = vr end
  end
  return table.concat(list, " ")
end

describe("value representations", function()
  it("are 34, and no other pair of bytes is one", function()
    local found = {}
    for a = 0, 255 do
      for b = 0, 255 do
        local name = string.char(a, b)
        if pcall(core.vr, name) then found[#found + 1] = name end
      end
    end
    assert.equal(ALL, table.concat(found, " "))
  end)

  it("have a 32-bit length field where PS3.5 table 7.1-1 says", function()
    assert.equal("OB OD OF OL OV OW SQ SV UC UN UR UT UV", having("long_header", true))
  end)

  it("hold several values behind backslashes, except the ones that are one text", function()
    assert.equal("AE AS CS DA DS DT IS LO PN SH TM UC UI", having("delimited", true))
  end)

  it("have numbers of these widths", function()
    assert.equal("AT OW SS US", having("width", 2))
    assert.equal("FL OF OL SL UL", having("width", 4))
    assert.equal("FD OD OV SV UV", having("width", 8))
    assert.equal("FD FL OD OF", having("is_float", true))
    assert.equal("SL SS SV", having("is_signed", true))
  end)

  it("are padded with a space when they are characters, else with NUL; UI with NUL", function()
    assert.equal("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UR UT", having("pad", 32))
  end)

  it("ignore leading spaces only where they are not significant", function()
    assert.equal("AE CS DS IS LO SH", having("trim_leading", true))
  end)

  it("have these longest values", function()
    local longest = { AE = 16, AS = 4, CS = 16, DA = 8, DS = 16, DT = 26, IS = 12, LO = 64, LT = 10240, PN = 64,
      SH = 16, ST = 1024, TM = 14, UI = 64 }
    for vr in ALL:gmatch "%u%u" do assert.equal(longest[vr] or 0, core.vr(vr).longest, vr) end
  end)
end)
