-- SPDX-License-Identifier: MIT
-- Reading well-formed data sets (PS3.5 7, Annex A; PS3.10 7.1), in whatever pieces they come, within limits.
local core = require "dicom.core"
local dicom = require "dicom"
local made = require "spec.support.made"
local element, even = made.element, made.even

local EXPECTED = {
  "SpecificCharacterSet CS 10 ISO_IR 100",
  "SOPClassUID UI 26 1.2.840.10008.5.1.4.1.1.7<00>",
  "SOPInstanceUID UI 8 1.2.3.4<00>",
  "Modality CS 2 OT",
  "ReferencedImageSequence SQ 42 items",
  "ReferencedImageSequence[1].ReferencedSOPClassUID UI 4 1.2<00>",
  "ReferencedImageSequence[1].ReferencedSOPInstanceUID UI 6 1.2.5<00>",
  "SourceImageSequence SQ 4294967295 items",
  "SourceImageSequence[1].ReferencedSOPInstanceUID UI 6 1.2.6<00>",
  "SourceImageSequence[1].PurposeOfReferenceCodeSequence SQ 4294967295 items",
  "SourceImageSequence[1].PurposeOfReferenceCodeSequence[1].CodeValue SH 4 CODE",
  "0009,0010 LO 4 MADE",
  "0009,1001 UN 4 <01><02><03><04>",
  "PatientName PN 8 DOE^JANE",
  "PatientID LO 0 ",
  "Rows US 2 <02><00>",
  "Columns US 2 <03><00>",
  "BitsAllocated US 2 <10><00>",
  "PixelData OW 12 <01><00><02><00><03><00><04><00><05><00>4<12>",
}

-- Bytes of two-byte numbers change place; nothing else does.
local function big(lines)
  local turned = { Rows = "US 2 <00><02>", Columns = "US 2 <00><03>", BitsAllocated = "US 2 <00><10>",
    PixelData = "OW 12 <00><01><00><02><00><03><00><04><00><05><12>4" }
  local out = {}
  for i, line in ipairs(lines) do
    local key = line:match "^%S+"
    out[i] = turned[key] and key .. " " .. turned[key] or line
  end
  return out
end

-- Runs the machine: `pick(n)` of each asked-for stretch decides how much more than asked is fed.
local function in_pieces(bytes, window, options, more)
  local r, reads = core.reader(bytes, window, options), 0
  while true do
    local got, offset, n = r:next()
    if got then return got, reads end
    if got == nil then return nil, offset end
    assert(offset + n <= #bytes, "asked for bytes behind the end")
    r:feed(offset, bytes:sub(offset + 1, math.min(#bytes, offset + n + (more and more() or 0))))
    reads = reads + 1
  end
end

local VECTORS = {
  { "Implicit VR Little Endian", made.IMPLICIT, made.sample "implicit", EXPECTED },
  { "Explicit VR Little Endian", made.EXPLICIT, made.sample "explicit", EXPECTED },
  { "Explicit VR Big Endian", made.BIG, made.sample "big", big(EXPECTED) },
  { "Deflated", made.DEFLATED, made.deflate(made.sample "explicit"), EXPECTED },
}

describe("each uncompressed transfer syntax", function()
  for _, v in ipairs(VECTORS) do
    it("is read: " .. v[1], function()
      local ds = assert(dicom.open(made.file(v[2], v[3]), { strict = true }))
      assert.same(v[4], made.lines(ds))
      assert.equal(v[2], ds.syntax)
      assert.same({}, ds.repairs)
      assert.equal("1.2.3.4", ds.meta.MediaStorageSOPInstanceUID)
    end)
    it("is read from the network, without meta: " .. v[1], function()
      local ds = assert(dicom.open(v[3], { strict = true, syntax = v[2] }))
      assert.same(v[4], made.lines(ds))
    end)
  end
end)

describe("encapsulated transfer syntaxes (PS3.5 A.4)", function()
  for _, uid in ipairs { made.JPEG, made.UNCOMPRESSED, "1.2.840.10008.1.2.5" } do
    it("keep their fragments: " .. uid, function()
      local body = element(0x00080060, "CS", "OT") .. made.fragments("", "\255\216\1\2", "\3\4")
      local ds = assert(dicom.open(made.file(uid, body), { strict = true }))
      local last
      for e in ds:elements() do last = e end
      assert.same({ 0, 4, 2 }, last.fragments)
      assert.same({ "PixelData", "OB", "fragments", 0xFFFFFFFF }, { last.keyword, last.vr, last.hold, last.length })
    end)
  end
end)

describe("value representations (PS3.5 6.2)", function()
  local all = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"
  it("all 34 have their header form", function()
    for _, style in ipairs { "explicit", "big" } do
      local e, n = made.encoder(style), 0
      local body = e(0x00090010, "LO", "MADE")
      for vr in all:gmatch "%S+" do
        local value = vr == "SQ" and e.item "" or ("\0"):rep(8)
        body, n = body .. e(0x00091000 + n, vr, value), n + 1
      end
      local ds = assert(dicom.open(body, { strict = true, syntax = style == "big" and made.BIG or made.EXPLICIT }))
      local seen = {}
      for el in ds:elements() do
        if el.tag > 0x00090010 then
          seen[#seen + 1] = el.vr
          assert.equal(8, el.length)
        end
      end
      assert.equal(all, table.concat(seen, " "))
    end
  end)
  it("UN of undefined length is a sequence in implicit little endian (PS3.5 6.2.2)", function()
    for _, style in ipairs { "explicit", "big" } do
      local e, i = made.encoder(style), made.encoder "implicit"
      local body = e(0x00090010, "LO", "MADE") .. e(0x00091001, "UN", i.open_item(i(0x00080060, "CS", "CT")) ..
        i.item(i(0x00280010, "US", i.u16(258))) .. element(0xFFFEE0DD, nil, ""), made.UNDEFINED)
      local ds = assert(dicom.open(body, { strict = true, syntax = style == "big" and made.BIG or made.EXPLICIT }))
      assert.equal("CT", ds[0x00091001][1].Modality)
      assert.equal(258, ds[0x00091001][2].Rows)
    end
  end)
  it("UN with a known tag is read by the dictionary, its bytes little endian", function()
    local e = made.encoder "big"
    local ds = assert(dicom.open(e(0x00280010, "UN", "\2\1"), { syntax = made.BIG }))
    assert.equal(258, ds.Rows)
    assert.equal("UN", ds:elements()(ds).vr)
  end)
  it("implicit VR takes US or SS from Pixel Representation, also above the item", function()
    local e = made.encoder "implicit"
    for sign, want in pairs { [0] = "US", [1] = "SS" } do
      local ds = assert(dicom.open(e(0x00280103, "US", e.u16(sign)) .. e(0x00280106, "US", "\254\255") ..
        e.sequence(0x00283000, e.item(e(0x00283002, "US", e.u16(1, 0, 16)))), { syntax = made.IMPLICIT }))
      assert.equal(want, ds:vr "SmallestImagePixelValue")
      assert.equal(want, ds.ModalityLUTSequence[1]:vr "LUTDescriptor")
    end
  end)
end)

describe("bytes that come in pieces", function()
  -- The reader looks 512 bytes ahead to check the encoding: what follows this element comes in pieces.
  local filler, filled = ("A"):rep(600), "FileSetID CS 600 600"
  local files = {}
  for i, style in ipairs { "implicit", "explicit", "big" } do
    local v = VECTORS[i]
    local first = made.encoder(style)(0x00041130, "CS", filler)
    files[i] = { v[1], made.file(v[2], first .. v[3]), { filled, table.unpack(v[4]) } }
  end
  files[4] = { "Deflated", made.file(made.DEFLATED, made.deflate(element(0x00041130, "CS", filler) .. VECTORS[2][3])),
    { filled, table.unpack(EXPECTED) } }
  files[5] = { "JPEG", made.file(made.JPEG, element(0x00041130, "CS", filler) .. made.fragments("", "abcd", "ef") ..
    element(0xFFFCFFFC, "OB", "\0\0")),
    { filled, "PixelData OB 4294967295 fragments", "DataSetTrailingPadding OB 2 <00><00>" } }
  for _, f in ipairs(files) do
    it("one by one: " .. f[1], function()
      local ds = assert(in_pieces(f[2], 1, { strict = true }))
      assert.same(f[3], made.lines(ds))
    end)
    it("in random sizes: " .. f[1], function()
      math.randomseed(20240501)
      for window = 2, 40 do
        local ds = assert(in_pieces(f[2], window, { strict = true }, function() return math.random(0, 30) end))
        assert.same(f[3], made.lines(ds))
      end
    end)
    it("whole: " .. f[1], function()
      local ds, reads = in_pieces(f[2], 0, { strict = true })
      assert.same(f[3], made.lines(assert(ds)))
      assert.is_true(reads <= 2)
    end)
  end
  it("cut anywhere: an error with its place or what is there, never a crash", function()
    for _, f in ipairs(files) do
      for n = 0, #f[2] - 1 do
        local cut = f[2]:sub(1, n)
        local ds, err = in_pieces(cut, 64)
        if not ds then
          assert.is_string(err.code)
          assert.is_true(err.offset <= n)
        end
        local strict = in_pieces(cut, 64, { strict = true })
        if strict then assert.same({}, strict.repairs) end
      end
    end
  end)
  it("a source that ends before its size is truncated", function()
    local r = core.reader(files[1][2])
    local _, offset, n = r:next()
    r:feed(offset, files[1][2]:sub(offset + 1, offset + n - 1))
    local ds, err = r:next()
    assert.is_nil(ds)
    assert.equal("truncated", err.code)
    assert.equal(offset + n - 1, err.offset)
  end)
end)

describe("large values", function()
  local large = ("x"):rep(70000)
  it("stay in the source, also inside items", function()
    local e = made.encoder "explicit"
    local body = e.sequence(0x00081140, e.item(e(0x00420011, "OB", large))) .. e(0x00420011, "OB", large) ..
      e(0x7FE00010, "OW", large)
    local ds, reads = in_pieces(made.file(made.EXPLICIT, body), 0)
    local seen = {}
    for el, holder, path in ds:walk() do
      seen[#seen + 1] = path .. " " .. el.hold
      if el.hold == "range" then assert.equal(large, holder:raw(el.tag)) end
    end
    assert.same({ "ReferencedImageSequence items", "ReferencedImageSequence[1].EncapsulatedDocument range",
      "EncapsulatedDocument range", "PixelData range" }, seen)
    assert.is_true(reads <= 3)
  end)
  it("limits.held decides what is large", function()
    local e = made.encoder "explicit"
    local body = made.file(made.EXPLICIT, e(0x00080060, "CS", "OT") .. e(0x7FE00010, "OW", ("y"):rep(2000)))
    local ds = in_pieces(body, 40, { limits = { held = 100 } })
    local holds = {}
    for el in ds:elements() do holds[#holds + 1] = el.hold end
    assert.same({ "bytes", "range" }, holds)
    assert.equal(("y"):rep(2000), ds:raw "PixelData")
  end)
  it("do not include what reading asks for itself, whatever the limit: creators, UIDs, counts", function()
    local e = made.encoder "explicit"
    local body = made.file(made.EXPLICIT, e(0x00080001, "OB", ("z"):rep(20000)) .. e(0x00080018, "UI", ("1"):rep(64))
      .. e(0x00280103, "US", "\1\0") .. e(0x00290010, "LO", "SIEMENS CSA HEADER") .. e(0x00291008, "CS", "IMAGE NUM 4"))
    local holds = {}
    for el in in_pieces(body, 12, { limits = { held = 1 } }):elements() do holds[#holds + 1] = el.hold end
    assert.same({ "range", "bytes", "bytes", "bytes", "bytes" }, holds)
  end)
  it("fragments are stepped over, one look at each header", function()
    local parts = { "" }
    for i = 1, 20 do parts[i + 1] = ("z"):rep(40000) end
    local body = made.file(made.JPEG, made.fragments(table.unpack(parts)))
    local r, bytes = core.reader(body), 0
    local ds
    repeat
      local got, offset, n = r:next()
      ds = got
      if got == false then
        bytes = bytes + n
        r:feed(offset, body:sub(offset + 1, offset + n))
      end
    until got ~= false
    assert.equal(21, #ds:elements()(ds).fragments)
    assert.is_true(bytes < 80000, bytes .. " bytes read")
  end)
end)

describe("limits", function()
  local e = made.encoder "explicit"
  local function nested(n)
    local s = e(0x00080100, "SH", "DEEP")
    for _ = 1, n do s = e.open_sequence(0x0040A730, e.open_item(s)) end
    return s
  end
  it("depth: 64 by default, whatever the input says", function()
    assert(dicom.open(nested(64), { syntax = made.EXPLICIT }))
    local ds, err = dicom.open(nested(65), { syntax = made.EXPLICIT })
    assert.is_nil(ds)
    assert.same({ "too deep", 0x0040A730, 64 * 20 }, { err.code, err.tag, err.offset })
    assert(dicom.open(nested(65), { syntax = made.EXPLICIT, limits = { depth = 70 } }))
  end)
  it("elements: items count too", function()
    local body = e.sequence(0x00081140, (e.item ""):rep(50))
    assert(dicom.open(body, { syntax = made.EXPLICIT, limits = { elements = 51 } }))
    local _, err = dicom.open(body, { syntax = made.EXPLICIT, limits = { elements = 50 } })
    assert.equal("too many elements", err.code)
    local fragments = made.fragments("", ("ab"):rep(5), "cd")
    _, err = dicom.open(fragments, { syntax = made.JPEG, limits = { elements = 3 } })
    assert.equal("too many elements", err.code)
  end)
  it("inflated and ratio stop a bomb", function()
    local zeros = made.encoder "explicit"(0x7FE00010, "OB", ("\0"):rep(3000000))
    local packed = assert(assert(dicom.open(zeros, { syntax = made.EXPLICIT })):bytes { syntax = made.DEFLATED })
    assert.is_true(#packed < 10000)
    assert(dicom.open(packed, { syntax = made.DEFLATED }))
    for _, limits in ipairs { { inflated = 1000000 }, { ratio = 100 } } do
      local ds, err = dicom.open(packed, { syntax = made.DEFLATED, limits = limits })
      assert.is_nil(ds)
      assert.equal("inflates too far", err.code)
    end
  end)
  it("descending tags cost no more than sorting", function()
    local parts = {}
    for i = 60000, 1, -1 do parts[#parts + 1] = element(0x00110000 + i, nil, "") end
    local start = os.clock()
    local ds = assert(dicom.open(table.concat(parts), { syntax = made.IMPLICIT }))
    assert.is_true(os.clock() - start < 2)
    local n, last = 0, 0
    for el in ds:elements() do
      assert.is_true(el.tag > last)
      n, last = n + 1, el.tag
    end
    assert.equal(60000, n)
  end)
end)

describe("stopping", function()
  it("ends before a tag of the top level; saving takes the rest along", function()
    local file = made.file(made.EXPLICIT, made.sample "explicit")
    local ds = assert(dicom.open(file, { stop = "PatientID" }))
    assert.equal("DOE^JANE", ds.PatientName)
    assert.is_false(ds:has "PatientID")
    ds.PatientName = "ROE^RICHARD"
    local back = assert(dicom.open(assert(ds:bytes { part10 = true }), { strict = true }))
    assert.equal("ROE^RICHARD", back.PatientName)
    assert.equal(3, back.Columns)
    local _, err = ds:bytes { syntax = made.IMPLICIT }
    assert.equal("cannot convert", err.code)
  end)
end)

describe("what is no DICOM", function()
  for name, bytes in pairs {
    ["nothing"] = "\0", ["zeros"] = ("\0"):rep(1000), ["text"] = ("A line of text.\n"):rep(50) .. "\0",
    ["a PNG"] = "\137PNG\r\n\26\n" .. ("\0\0\0\13IHDR"):rep(20), ["an ELF"] = "\127ELF\2\1\1" .. ("\0"):rep(400),
    ["magic and noise"] = ("\0"):rep(128) .. "DICM" .. ("\201\7\33\250"):rep(60),
  } do
    it("is refused: " .. name, function()
      local ds, err = dicom.open(bytes)
      assert.is_nil(ds)
      assert.equal("not dicom", err.code)
    end)
  end
  it("but a bare data set is read", function()
    for _, v in ipairs { VECTORS[1], VECTORS[2], VECTORS[3] } do
      local ds = assert(dicom.open(v[3]))
      assert.same(v[4], made.lines(ds))
      assert.equal(v[2], ds.syntax)
      assert.equal(1, #ds.repairs)
    end
  end)
end)

describe("deflated data sets (PS3.5 A.5)", function()
  it("are refused where the stream is damaged", function()
    local ds, err = dicom.open(made.file(made.DEFLATED, "\7\0\0\255\255\1\2\3"))
    assert.is_nil(ds)
    assert.equal("bad deflate stream", err.code)
  end)
  it("may have a byte that makes their length even", function()
    local body = made.deflate(made.sample "explicit")
    assert.equal(1, #body % 2)
    local ds = assert(dicom.open(made.file(made.DEFLATED, even(body)), { strict = true }))
    assert.same(EXPECTED, made.lines(ds))
  end)
end)
