-- SPDX-License-Identifier: MIT
-- The printed form of a data set.
local dicom = require "dicom"
local bytes = require "spec.support.bytes"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local EXPLICIT = "1.2.840.10008.1.2.1"

local function dump(...)
  return assert(dicom.open(bytes.explicit(...), { syntax = EXPLICIT })):dump()
end

describe("a dump", function()
  it("has one line an element: tag, VR, length, name, value", function()
    assert.equal("(0008,0060) CS 2 Modality: CT\n(0010,0010) PN 8 PatientName: DOE^JANE\n",
      dump({ 0x00080060, "CS", "CT" }, { 0x00100010, "PN", "DOE^JANE" }))
    assert.equal("", dicom.dataset():dump())
  end)

  it("joins numbers by a backslash and names UIDs", function()
    assert.equal("(0028,0010) US 2 Rows: 512\n(0028,0030) DS 8 PixelSpacing: 0.5\\0.25\n",
      dump({ 0x00280010, "US", "\0\2" }, { 0x00280030, "DS", "0.5\\0.25" }))
    assert.equal("(0008,0016) UI 26 SOPClassUID: 1.2.840.10008.5.1.4.1.1.2 = CT Image Storage\n",
      dump({ 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2\0" }))
  end)

  it("indents items", function()
    assert.equal("(0008,1110) SQ 18 ReferencedStudySequence: 1 item\n  item 1\n    (0010,0020) LO 2 PatientID: 1\n",
      dump({ 0x00081110, "SQ", bytes.item(bytes.explicit({ 0x00100020, "LO", "1 " })) }))
  end)

  it("shows private creators, and bytes of unknown elements", function()
    assert.equal("(0009,0010) LO 4 Private Creator: ACME\n(0009,1001) UN 2 private [ACME]: 01 02\n"
      .. "(0011,1001) UN 2 private [no creator]: ab\n",
      dump({ 0x00090010, "LO", "ACME" }, { 0x00091001, "UN", "\1\2" }, { 0x00111001, "UN", "ab" }))
  end)

  it("cuts long values, at a character; all: true shows them", function()
    local ds = dicom.dataset { PatientComments = ("ä"):rep(100), BitsAllocated = 8, PixelData = ("\1"):rep(1000) }
    assert.is_truthy(ds:dump():find("PatientComments: " .. ("ä"):rep(64) .. "...\n", 1, true))
    assert.is_truthy(ds:dump { width = 3 }:find("PatientComments: äää...\n", 1, true))
    assert.is_truthy(ds:dump { all = true }:find(("ä"):rep(100) .. "\n", 1, true))
    assert.is_truthy(ds:dump():find("PixelData: 1\\1\\", 1, true))
  end)

  it("sends no control character to the terminal", function()
    local text = dump({ 0x00100010, "PN", "A\27[2J\7B " }, { 0x00104000, "LT", "a\r\nb\200" })
    assert.is_nil(text:find "[%c\200]%f[^\n]" and text:gsub("\n", ""):find "[%c\127]")
    assert.is_truthy(text:find("\\x1B[2J\\x07B", 1, true))
  end)

  it("ends for every test file", function()
    local folder = need.data()
    local n = 0
    for _, path in ipairs(sh.lines("find " .. folder .. " -type f -size -300k | sort")) do
      local ds = dicom.open(path)
      if ds then
        n = n + 1
        assert.is_true(#ds:dump() > 0 or #ds == 0, path)
      end
    end
    assert.is_true(n > 100)
  end)
end)
