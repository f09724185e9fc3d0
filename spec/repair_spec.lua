-- SPDX-License-Identifier: MIT
-- Tolerant reading: what is mended, that it is noted with its place, that strict reading refuses it at that place, that
-- writing mends it (what is written reads strictly), and that raw writing keeps every byte.
local dicom = require "dicom"
local made = require "spec.support.made"
local element, even = made.element, made.even

local e, i, b = made.encoder "explicit", made.encoder "implicit", made.encoder "big"
local OT, CT = e(0x00080060, "CS", "OT"), i(0x00080060, "CS", "CT")
local HEAD = e(0x00080005, "CS", "ISO_IR 100") .. e(0x00080018, "UI", even "1.2.3.4") .. OT
local NAME = e(0x00100010, "PN", "DOE^JANE")
local PREAMBLE = ("\0"):rep(128) .. "DICM"
local START = #made.file(made.EXPLICIT, "")
local ITEM, ITEM_END, END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

local function file(body, syntax) return made.file(syntax or made.EXPLICIT, body) end

local function adler(s)
  local x, y = 1, 0
  for n = 1, #s do
    x = (x + s:byte(n)) % 65521
    y = (y + x) % 65521
  end
  return (">I2I2"):pack(y, x)
end

-- name; bytes; what the note begins with; its tag; its offset; check of the data set; flags: unmended (what is
-- written cannot be strict), kept (the bytes are written as they are: only the meta was wrong).
local CASES = {
  { "no preamble", PREAMBLE:sub(129) .. made.meta(made.EXPLICIT) .. HEAD, "no preamble", nil, 0 },
  { "meta at the very start", made.meta(made.EXPLICIT) .. HEAD, "no preamble", nil, 0 },
  { "no preamble and no meta", HEAD .. NAME, "no preamble and no file meta", nil, 0,
    function(ds) assert.equal(made.EXPLICIT, ds.syntax) end },
  { "implicit without meta", i(0x00080005, "CS", "ISO_IR 100") .. CT .. i(0x00100020, "LO", "ID"),
    "no preamble and no file meta", nil, 0, function(ds) assert.equal("CT", ds.Modality) end },
  { "big endian without meta", b(0x00080005, "CS", "ISO_IR 100") .. b(0x00080060, "CS", "CT"),
    "no preamble and no file meta", nil, 0, function(ds) assert.equal("CT", ds.Modality) end },
  { "magic by chance", e(0x00080005, "CS", "ISO_IR 100") .. e(0x00080008, "CS", ("A"):rep(102)) .. e(0x00080070,
    "LO", "DICM") ..
    NAME, "no preamble and no file meta", nil, 0, function(ds) assert.equal("DICM", ds.Manufacturer) end },
  { "no meta after the magic", PREAMBLE .. HEAD, "no file meta", 0x00020000, 132 },
  { "meta without its length", PREAMBLE .. made.meta(made.EXPLICIT, false) .. HEAD, "file meta without its length",
    0x00020000, START - 12 },
  { "wrong length of the meta", PREAMBLE .. made.meta(made.EXPLICIT, 7) .. HEAD, "length of the file meta is wrong",
    0x00020000, 132 },
  { "meta without VRs", PREAMBLE .. i(0x00020000, "UL", "\26\0\0\0") .. i(0x00020010, "UI",
    even "1.2.840.10008.1.2") .. CT,
    "file meta without VRs", 0x00020000, 132, function(ds) assert.equal(made.IMPLICIT, ds.syntax) end },
  { "empty transfer syntax", file(HEAD, ""), "file meta without transfer syntax", 0x00020010, #file("", "") },
  { "unknown transfer syntax", file(HEAD, "1.2.3.44"), "transfer syntax is not known", 0x00020010, START - 20 + 8,
    function(ds) assert.equal("1.2.3.44", ds.syntax) end, "unmended" },
  { "implicit where explicit is declared", file(i(0x00080005, "CS", "ISO_IR 100") .. CT .. i(0x00100020, "LO", "ID")),
    "data set is not in the transfer syntax", 0x00020010, START, function(ds)
      assert.equal(made.IMPLICIT, ds.syntax)
      assert.equal("ID", ds.PatientID)
    end },
  { "explicit where implicit is declared", file(HEAD, made.IMPLICIT), "data set is not in the transfer syntax",
    0x00020010,
    START - 2, function(ds) assert.equal("OT", ds.Modality) end },
  { "big endian where little is declared", file(b(0x00080005, "CS", "ISO_IR 100") .. b(0x00280010, "US", "\1\2")),
    "data set is not in the transfer syntax", 0x00020010, START, function(ds) assert.equal(258, ds.Rows) end },
  { "implicit in an encapsulated syntax", file(i(0x00080005, "CS", "ISO_IR 100") .. CT .. i(0x00100020, "LO", "ID"),
    made.JPEG), "data set is not in the transfer syntax", 0x00020010, START + 2, function(ds)
      assert.equal(made.JPEG, ds.syntax)
      assert.equal("CT", ds.Modality)
    end },
  { "one implicit element among explicit ones", file(HEAD .. i(0x00080070, "LO", "ACME") .. NAME),
    "element without VR",
    0x00080070, START + #HEAD, function(ds)
      assert.equal("ACME", ds.Manufacturer)
      assert.equal("DOE^JANE", ds.PatientName)
    end },
  { "implicit items in explicit sequences", file(HEAD .. e.sequence(0x00081140, e.item(i(0x00081155, "UI",
    "1.20"))) .. NAME),
    "element without VR", 0x00081155, START + #HEAD + 20,
    function(ds) assert.equal("1.20", ds.ReferencedImageSequence[1].ReferencedSOPInstanceUID) end },
  { "one explicit element among implicit ones", file(i(0x00080005, "CS", "ISO_IR 100") .. CT .. i(0x00080070, "LO",
    "AB") ..
    i(0x00080080, "LO", "CD") .. e(0x00100020, "LO", "ID"), made.IMPLICIT), "element with VR", 0x00100020,
    START - 2 + 48,
    function(ds) assert.equal("ID", ds.PatientID) end },
  { "odd length", file(HEAD .. e(0x00100010, "PN", "DOE") .. e(0x00100020, "LO", "ID")), "odd length", 0x00100010,
    START + #HEAD, function(ds)
      assert.equal("DOE", ds.PatientName)
      assert.equal("ID", ds.PatientID)
    end },
  { "unknown VR, short", file(HEAD .. element(0x00100010, "ZZ", "DOE^JANE") .. e(0x00100020, "LO", "ID")),
    "VR is none of PS3.5 6.2", 0x00100010, START + #HEAD, function(ds) assert.equal("DOE^JANE", ds.PatientName) end },
  { "unknown VR, long", file(HEAD .. "\16\0\16\0ZZ\0\0\8\0\0\0DOE^JANE" .. e(0x00100020, "LO", "ID")),
    "VR is none of PS3.5 6.2", 0x00100010, START + #HEAD, function(ds) assert.equal("ID", ds.PatientID) end },
  { "16-bit length of a long VR", file(HEAD .. "\66\0\17\0OB\4\0abcd" .. e(0x00880140, "UI", "1.20")),
    "16-bit length",
    0x00420011, START + #HEAD, function(ds) assert.equal("abcd", ds:raw "EncapsulatedDocument") end },
  { "no item delimiter", file(HEAD .. element(0x00081140, "SQ", element(ITEM, nil, e(0x00081155, "UI", "1.20"), false,
    made.UNDEFINED) .. element(END, nil, ""), false, made.UNDEFINED) .. NAME), "item has no delimiter", 0x00081140,
    START + #HEAD + 32, function(ds) assert.equal("DOE^JANE", ds.PatientName) end },
  { "item in an item that has no delimiter", file(HEAD .. element(0x00081140, "SQ", element(ITEM, nil,
    e(0x00081155, "UI", "1.20"), false, made.UNDEFINED) .. e.item "" .. element(END, nil, ""), false,
    made.UNDEFINED)),
    "item has no delimiter", 0x00081140, START + #HEAD + 32,
    function(ds) assert.equal(2, #ds.ReferencedImageSequence) end },
  { "no sequence delimiter", file(HEAD .. element(0x00081140, "SQ", e.item "", false, made.UNDEFINED) .. NAME),
    "sequence has no delimiter", 0x00081140, START + #HEAD + 20,
    function(ds) assert.equal("DOE^JANE", ds.PatientName) end },
  { "no delimiters before the end", file(HEAD .. element(0x00081140, "SQ", element(ITEM, nil, e(0x00081155, "UI",
    "1.20"),
    false, made.UNDEFINED), false, made.UNDEFINED)), "item has no delimiter", 0x00081140, START + #HEAD + 32 },
  { "a delimiter too many", file(HEAD .. element(ITEM_END, nil, "") .. NAME), "delimiter without need", ITEM_END,
    START + #HEAD, function(ds) assert.equal("DOE^JANE", ds.PatientName) end },
  { "a delimiter after a sequence of defined length", file(HEAD .. e.sequence(0x00081140, e.item "") ..
    element(END, nil, "") .. NAME), "delimiter without need", END, START + #HEAD + 20,
    function(ds) assert.equal("DOE^JANE", ds.PatientName) end },
  { "a sequence longer than its items", file(HEAD .. element(0x00081140, "SQ", e.item "", false, 8 + #NAME) .. NAME),
    "sequence is longer than its items", 0x00081140, START + #HEAD + 20,
    function(ds) assert.equal("DOE^JANE", ds.PatientName) end },
  { "a sequence shorter than its items", file(HEAD .. element(0x00081140, "SQ", e.item(e(0x00081155, "UI",
    "1.20")), false,
    10) .. NAME), "item runs past the end of its sequence", 0x00081140, START + #HEAD + 12, function(ds)
      assert.equal("1.20", ds.ReferencedImageSequence[1].ReferencedSOPInstanceUID)
      assert.equal("DOE^JANE", ds.PatientName)
    end },
  { "a sequence that holds no items", file(HEAD .. e(0x00081140, "SQ", "no items here!") .. NAME),
    "sequence without items", 0x00081140, START + #HEAD, function(ds)
      assert.equal("no items here!", ds:raw(0x00081140))
      assert.equal("DOE^JANE", ds.PatientName)
    end },
  { "the same tag twice: the first stays", file(HEAD .. NAME .. e(0x00100010, "PN", "ROE^JACK")),
    "the same tag twice",
    0x00100010, START + #HEAD + #NAME, function(ds) assert.equal("DOE^JANE", ds.PatientName) end },
  { "tags out of order", file(HEAD .. e(0x00100020, "LO", "ID") .. NAME .. e(0x00280010, "US", "\1\0")),
    "tags are not in ascending order", 0x00100010, START + #HEAD + 10, function(ds)
      assert.equal("DOE^JANE", ds.PatientName)
      assert.equal("ID", ds.PatientID)
    end },
  { "tags out of order in an item", file(HEAD .. e.sequence(0x00081140, e.item(e(0x00081155, "UI", "1.20") ..
    e(0x00081150, "UI", "1.21"))) .. NAME), "tags are not in ascending order", 0x00081150, START + #HEAD + 32,
    function(ds) assert.equal("1.21", ds.ReferencedImageSequence[1].ReferencedSOPClassUID) end },
  { "zeros after the last element", file(HEAD .. NAME .. ("\0"):rep(20)), "bytes after the last element", nil,
    START + #HEAD + #NAME },
  { "a few bytes after the last element", file(HEAD .. NAME .. "\1\2\3"), "bytes after the last element", nil,
    START + #HEAD + #NAME },
  { "noise after the last element", file(HEAD .. NAME .. "\33\34\35\36AB" .. ("\255"):rep(20)),
    "bytes that are no element", 0x22212423,
    START + #HEAD + #NAME },
  { "a value cut by the end", file(HEAD .. NAME .. e(0x7FE00010, "OW", "abcd", 400)), "value runs past the end",
    0x7FE00010,
    START + #HEAD + #NAME, function(ds) assert.equal("abcd", ds:raw "PixelData") end },
  { "a value longer than its item", file(HEAD .. e.sequence(0x00081140, e.item(e(0x00081155, "UI", "1.20", 90))) ..
    NAME),
    "value runs past the end", 0x00081155, START + #HEAD + 20, function(ds)
      assert.equal("1.20", ds.ReferencedImageSequence[1].ReferencedSOPInstanceUID)
      assert.equal("DOE^JANE", ds.PatientName)
    end },
  { "a sequence cut by the end", file(HEAD .. element(0x00081140, "SQ", e.item(e(0x00081155, "UI", "1.20")), false,
    999)),
    "sequence runs past the end", 0x00081140, START + #HEAD,
    function(ds) assert.equal("1.20", ds.ReferencedImageSequence[1].ReferencedSOPInstanceUID) end },
  { "undefined length of text", file(HEAD .. element(0x00080080, "LO", e.item "" .. element(END, nil, ""), false,
    0xFFFF) ..
    NAME), "value runs past the end", 0x00080080, START + #HEAD },
  { "encapsulated pixel data in a native syntax", file(HEAD .. made.fragments("", "ab")),
    "encapsulated pixel data in a native transfer syntax", 0x7FE00010, START + #HEAD, nil, "unmended" },
  { "native pixel data in an encapsulated syntax", file(HEAD .. e(0x7FE00010, "OB", "abcd"), made.JPEG),
    "pixel data in one piece in an encapsulated transfer syntax", 0x7FE00010, START + 2 + #HEAD, nil, "unmended" },
  { "fragments without delimiter", file(HEAD .. made.fragments("", "ab"):sub(1, -9), made.JPEG),
    "pixel data has no delimiter",
    0x7FE00010, START + 2 + #HEAD + 12 + 8 + 10 },
  { "a fragment cut by the end", file(HEAD .. made.fragments("", "abcdef"):sub(1, -11), made.JPEG),
    "fragment runs past the end",
    0x7FE00010, START + 2 + #HEAD + 12 + 8 },
  { "group 0002 in the data set", file(HEAD .. NAME .. e(0x00020010, "UI", "1.20")), "group 0000 or 0002", 0x00020010,
    START + #HEAD + #NAME },
  { "a zlib header", file("\120\1" .. made.deflate(HEAD) .. adler(HEAD), made.DEFLATED),
    "deflated data set with a zlib header",
    nil, START + 2 },
  { "bytes after a deflated data set", file(made.deflate(HEAD) .. "trailing", made.DEFLATED),
    "bytes after the deflated", nil,
    START + 2 + 5 + #HEAD },
  { "a deflated data set that ends early", file(made.deflate(HEAD .. NAME):sub(1, -9), made.DEFLATED),
    "deflated data set ends early", nil, START + 2 + 5 + #HEAD + #NAME - 8 },
}

local function notes(ds)
  local list = {}
  for _, r in ipairs(ds.repairs) do list[#list + 1] = ("%s %08x %d"):format(r.what, r.tag or 0, r.offset) end
  return table.concat(list, "\n")
end

local function find(ds, what)
  for _, r in ipairs(ds.repairs) do
    if r.what:sub(1, #what) == what then return r end
  end
end

for _, case in ipairs(CASES) do
  local name, bytes, what, tag, offset, check, flag = table.unpack(case, 1, 7)
  describe(name, function()
    it("is mended and noted", function()
      local ds = assert(dicom.open(bytes))
      local r = find(ds, what)
      assert.is_truthy(r, what .. " is not among: " .. notes(ds))
      assert.same({ tag or 0, offset }, { r.tag or 0, r.offset })
      assert.is_true(r.what:find "PS3" ~= nil or tag == nil, "no rule is cited: " .. r.what)
      if check then check(ds) end
    end)
    it("is refused by strict reading, at its first flaw", function()
      local first = assert(dicom.open(bytes)).repairs[1]
      local ds, err = dicom.open(bytes, { strict = true })
      assert.is_nil(ds)
      assert.equal("needs repair", err.code)
      assert.same({ first.tag or 0, first.offset }, { err.tag or 0, err.offset })
    end)
    it("is kept by raw writing", function()
      assert.is_true(bytes == assert(assert(dicom.open(bytes)):bytes { part10 = true, raw = true }))
    end)
    it(flag == "unmended" and "is written as it is" or "is mended by writing", function()
      local ds = assert(dicom.open(bytes))
      local back, err = dicom.open(assert(ds:bytes { part10 = true }), { strict = flag ~= "unmended" })
      assert(back, tostring(err))
      assert.same(ds:totable(), back:totable())
    end)
  end)
end

it("notes about one object are limited", function()
  local body = {}
  for n = 1, 3000 do body[n] = element(0x00110000 + n, "LO", "x") end
  assert.equal(1000, #assert(dicom.open(table.concat(body), { syntax = made.EXPLICIT })).repairs)
end)
