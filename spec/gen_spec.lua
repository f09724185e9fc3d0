-- SPDX-License-Identifier: MIT
-- What is generated is what the generator makes of its inputs, and says what its inputs say.
local sh = require "spec.support.sh"
local tsv = require "spec.support.tsv"

describe("make gen", function()
  it("leaves no difference", function()
    local folder = sh.folder()
    assert(os.execute(("mkdir -p '%s/csrc/gen' '%s/lua/dicom/gen'"):format(folder, folder)))
    assert(os.execute(("lua5.4 csrc/gen/make.lua '%s'"):format(folder)))
    local count = 0
    for _, path in ipairs(sh.lines "find csrc/gen lua/dicom/gen -name '*.c' -o -path 'lua/*.lua' | sort") do
      assert(sh.read(path) == sh.read(folder .. "/" .. path), path .. " is not what make.lua writes: run make gen")
      count = count + 1
    end
    assert.equal(9, count)
  end)
end)

describe("the generated confidentiality profile", function()
  local profile = dofile "lua/dicom/gen/confidentiality.lua"
  local ACTIONS = { D = 1, Z = 1, X = 1, K = 1, C = 1, U = 1, ["Z/D"] = 1, ["X/Z"] = 1, ["X/D"] = 1, ["X/Z/D"] = 1,
    ["X/Z/U*"] = 1 }

  local function rule_of(tag)
    if tag == "private" then return profile.private end
    local digits = tag:gsub(",", "")
    local number = tonumber((digits:gsub("x", "0")), 16)
    for _, p in ipairs(digits:find "x" and profile.patterns or {}) do
      if p.tag == number then return p.rule end
    end
    return profile.elements[number]
  end

  it("has the 655 rows of PS3.15 2025e table E.1-1 with every column", function()
    local rows, columns = tsv.read "csrc/gen/confidentiality.tsv", 0
    assert.equal(655, #rows)
    assert.equal("PS3.15 2025e", profile.edition)
    for _, r in ipairs(rows) do
      local rule = rule_of(r.tag)
      assert.equal(r.basic, rule.basic, r.tag)
      assert(ACTIONS[rule.basic], rule.basic)
      assert.same({ r.in_iod == "Y", r.retired == "Y" }, { rule.in_iod == true, rule.retired == true })
      for _, option in ipairs(profile.options) do
        assert.equal(r[option] ~= "" and r[option] or nil, rule[option], r.tag .. " " .. option)
        columns = columns + (rule[option] and 1 or 0)
      end
    end
    assert.equal(635, columns)
  end)

  it("agrees with the printed table", function()
    assert.same({ basic = "Z", in_iod = true }, profile.elements[0x00080050])
    assert.same({ basic = "Z", in_iod = true }, profile.elements[0x00100010])
    assert.same({ basic = "U", in_iod = true, ["retain-uids"] = "K" }, profile.elements[0x0020000D])
    assert.same({ basic = "X", ["retain-safe-private"] = "C" }, profile.private)
  end)

  it("matches a repeating group by mask", function()
    local hit = {}
    for _, p in ipairs(profile.patterns) do
      for _, tag in ipairs { 0x50020005, 0x60023000, 0x60024000, 0x60033000 } do
        if tag & p.mask == p.tag then hit[#hit + 1] = ("%08X"):format(tag) end
      end
    end
    assert.same({ "50020005", "60023000", "60024000" }, hit)
  end)
end)

describe("the generated safe private attributes", function()
  it("are the 479 of PS3.15 2025e table E.3.10-1", function()
    local safe, count = dofile "lua/dicom/gen/safe_private.lua", 0
    for _, tags in pairs(safe) do
      for tag in pairs(tags) do
        assert.equal(0, tag & 0xFF00)
        count = count + 1
      end
    end
    assert.equal(479, count)
    assert.is_true(safe["Philips PET Private Group"][0x70530000])
  end)
end)

describe("the generated types for editors", function()
  it("are Lua that is never loaded, one field per keyword of a data set", function()
    local text, count = sh.read "lua/dicom/gen/keywords.lua", 0
    for _ in text:gmatch "\n%-%-%-@field " do count = count + 1 end
    assert.is_truthy(text:find("---@meta", 1, true))
    assert.is_truthy(text:find("---@field PatientName? string (0010,0010) PN 1\n", 1, true))
    assert.is_truthy(text:find("---@field ImageType? string[] (0008,0008) CS 2-n\n", 1, true))
    assert.is_truthy(text:find("---@field ReferencedStudySequence? dicom.Sequence (0008,1110) SQ 1\n", 1, true))
    assert.equal(5276, count)
  end)
end)
