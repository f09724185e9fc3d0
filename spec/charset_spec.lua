-- SPDX-License-Identifier: MIT
-- Specific Character Set (PS3.3 C.12.1.1.2) to UTF-8 and back, code extensions included (PS3.5 6.1.2.5).
local core = require "dicom.core"
local dicom = require "dicom"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local function both_ways(charset, vr, bytes, text)
  assert.equal(text, core.text_decode(charset, vr, bytes))
  assert.equal(bytes, core.text_encode(charset, vr, text))
end

-- The bytes of an element of an explicit little endian file, its header being searched for.
local function element(bytes, header)
  local at = bytes:find(header, 133, true)
  if not at then return "" end
  local length = ("<I2"):unpack(bytes, at + 6)
  return bytes:sub(at + 8, at + 7 + length)
end

describe("the examples of PS3.5 Annexes H, I, J and K", function()
  local japanese = "\\ISO 2022 IR 87"

  it("H.3.1: Japanese in ASCII and kanji", function()
    both_ways(japanese, "PN", "Yamada^Tarou=\27$B;3ED\27(B^\27$BB@O:\27(B=\27$B$d$^$@\27(B^\27$B$?$m$&\27(B",
      "Yamada^Tarou=山田^太郎=やまだ^たろう")
  end)

  it("H.3.2: Japanese in half-width katakana and kanji", function()
    both_ways("ISO 2022 IR 13\\ISO 2022 IR 87", "PN",
      "\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\27$B;3ED\27(J^\27$BB@O:\27(J=\27$B$d$^$@\27(J^\27$B$?$m$&\27(J",
      "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう")
  end)

  it("I.2: Korean", function()
    both_ways("\\ISO 2022 IR 149", "PN",
      "Hong^Gildong=\27$)C\xFB\xF3^\27$)C\xD1\xCE\xD4\xD7=\27$)C\xC8\xAB^\27$)C\xB1\xE6\xB5\xBF",
      "Hong^Gildong=洪^吉洞=홍^길동")
  end)

  it("J.1: Chinese in UTF-8, J.2 in GB18030", function()
    both_ways("ISO_IR 192", "PN", "Wang^XiaoDong=王^小東=", "Wang^XiaoDong=王^小東=")
    both_ways("GB18030", "PN", "Wang^XiaoDong=\xCD\xF5^\xD0\xA1\xB6\xAB=", "Wang^XiaoDong=王^小东=")
  end)

  it("K.2: Chinese by escapes to GB 2312", function()
    both_ways("\\ISO 2022 IR 58", "PN", "Zhang^XiaoDong=\27$)A\xD5\xC5^\27$)A\xD0\xA1\xB6\xAB=",
      "Zhang^XiaoDong=张^小东=")
  end)
end)

describe("single-byte sets", function()
  it("hold their own characters and no others", function()
    both_ways("ISO_IR 100", "LO", "\xC4\xD6\xFF", "ÄÖÿ")
    both_ways("ISO_IR 101", "LO", "\xB3\xA1", "łĄ")
    both_ways("ISO_IR 126", "LO", "\xC4\xE9", "Δι")
    both_ways("ISO_IR 203", "LO", "\xA4\xBD", "€œ")
    both_ways("ISO_IR 166", "LO", "\xB9\xD2\xC1", "นาม")
    assert.is_nil(core.text_encode("ISO_IR 100", "LO", "€"))
    assert.is_nil(core.text_encode("ISO_IR 100", "LO", "山"))
    assert.is_nil(core.text_encode("ISO_IR 126", "LO", "ä"))
  end)

  it("refuse codes that nothing is assigned to, and say where", function()
    local text, err = core.text_decode("ISO_IR 127", "LO", "ab\xA1")
    assert.is_nil(text)
    assert.same({ "bad text", 2 }, { err.code, err.offset })
    assert.is_nil(core.text_decode("", "LO", "\xE9"))
    assert.is_nil(core.text_decode("ISO_IR 6", "LO", "\xE9"))
  end)

  it("write what cannot be a delimiter: the yen sign only where a backslash delimits nothing", function()
    both_ways("ISO_IR 13", "LT", "\x5C100 \x7E", "¥100 ‾")
    assert.is_nil(core.text_encode("ISO_IR 13", "LO", "¥100"))
    assert.is_nil(core.text_encode("ISO_IR 13", "LT", "a\\b"))
    assert.equal("‾", core.text_decode("ISO_IR 13", "LO", "\x7E"))
    assert.equal("a\\b", core.text_decode("ISO_IR 13", "LO", "a\\b"))
  end)

  it("do not touch VRs of the default repertoire (PS3.5 6.2)", function()
    assert.is_nil(core.text_decode("ISO_IR 100", "CS", "\xE9"))
    assert.is_nil(core.text_encode("ISO_IR 192", "UI", "é"))
    assert.equal("a\\b", core.text_decode("ISO_IR 13", "UR", "a\\b"))
  end)
end)

describe("code extensions", function()
  local three = "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126"

  it("fall back to value 1 after a delimiter of a name, a line or a page", function()
    assert.equal("Müller^Иван=Ü", core.text_decode(three, "PN", "M\xFCller^\27-L\xB8\xD2\xD0\xDD=\xDC"))
    assert.equal("И\r\nÜ\tÜ", core.text_decode(three, "LT", "\27-L\xB8\r\n\xDC\t\xDC"))
    assert.equal("И=И", core.text_decode(three, "LO", "\27-L\xB8=\xB8"))
    assert.equal("И\\И", core.text_decode(three, "LT", "\27-L\xB8\\\xB8"))
    assert.equal("И\\Ü", core.text_decode(three, "LO", "\27-L\xB8\\\xDC")) -- two values
  end)

  it("switch back before a delimiter and at the end", function()
    assert.equal("M\xFCller^\27-L\xB8\xD2\xD0\xDD\27-A=\27-F\xC4\27-A", core.text_encode(three, "PN",
      "Müller^Иван=Δ"))
    assert.equal("\27$B;3\27(B\r\n\27$BED\27(B", core.text_encode("\\ISO 2022 IR 87", "LT", "山\r\n田"))
  end)

  it("use the second kanji set where the first has none", function()
    both_ways("\\ISO 2022 IR 87\\ISO 2022 IR 159", "LO", "\27$B;3\27$(D0!\27(B", "山丂")
    assert.is_nil(core.text_encode("\\ISO 2022 IR 87", "LO", "丂"))
  end)

  it("keep two-byte characters whole whose bytes look like delimiters", function()
    for _, code in ipairs { "\x5E\x30", "\x30\x5E", "\x3D\x30", "\x30\x3D", "\x5C\x30", "\x30\x5C" } do
      local text = core.text_decode("\\ISO 2022 IR 87", "PN", "\27$B" .. code .. "\27(B")
      assert.equal(1, utf8.len(text))
      assert.equal("\27$B" .. code .. "\27(B", core.text_encode("\\ISO 2022 IR 87", "PN", text))
    end
  end)

  it("read the older escape to kanji, and sets that were not announced", function()
    assert.equal("山", core.text_decode("\\ISO 2022 IR 87", "LO", "\27$@;3\27(B"))
    assert.equal("ﾔ", core.text_decode("\\ISO 2022 IR 87", "LO", "\27)I\xD4"))
  end)

  it("keep a set of G1 that a writer does not designate again, where value 1 has none", function()
    assert.equal("洪^吉", core.text_decode("\\ISO 2022 IR 149", "PN", "\27$)C\xFB\xF3^\xD1\xCE"))
  end)

  it("refuse an unknown escape and half a character", function()
    for _, bytes in ipairs { "a\27%Gb", "a\27", "a\27$", "a\27$B;", "a\27$)C\xFB", "a\27$B;\x80" } do
      local text, err = core.text_decode("\\ISO 2022 IR 87", "LO", bytes)
      assert.is_nil(text)
      assert.equal("bad text", err.code)
      assert.is_true(err.offset >= 1)
    end
    assert.is_nil(core.text_encode("\\ISO 2022 IR 87", "LO", "a\27b"))
  end)

  it("are not looked for without them: an escape is a control character", function()
    assert.equal("a\27(Bb", core.text_decode("ISO_IR 192", "UT", "a\27(Bb"))
    assert.equal("a\27(Bb\u{E9}", core.text_decode("ISO_IR 100", "UT", "a\27(Bb\xE9"))
  end)
end)

describe("Chinese sets that stand alone", function()
  it("GB18030 holds all of Unicode", function()
    for _, c in ipairs { 0x80, 0x20AC, 0x3400, 0xE5E5, 0xFFFD, 0xFFFF, 0x10000, 0x1FA7B, 0x10FFFF } do
      local s = utf8.char(c)
      assert.equal(s, core.text_decode("GB18030", "UT", assert(core.text_encode("GB18030", "UT", s))))
    end
    both_ways("GB18030", "LT", "\x81\x30\x81\x30", "\u{80}")
    both_ways("GB18030", "LT", "\x90\x30\x81\x30", "\u{10000}")
    both_ways("GB18030", "LT", "\xE3\x32\x9A\x35", "\u{10FFFF}")
  end)

  it("GBK has two bytes at most", function()
    both_ways("GBK", "LO", "\x82\x5C\x81\x5C", "俓乗")
    assert.is_nil(core.text_encode("GBK", "LO", "€"))
    assert.is_nil(core.text_encode("GBK", "LO", "\u{10000}"))
    assert.is_nil(core.text_decode("GBK", "LO", "\x81\x30\x81\x30"))
  end)

  it("refuse what is cut or out of range", function()
    for _, bytes in ipairs { "\x80", "\xFF", "\x81", "\x81\x7F", "\x81\x30", "\x81\x30\x81", "\x84\x31\xA5\x30",
      "\xE3\x32\x9A\x36", "\xFE\x39\xFE\x39" } do
      assert.is_nil(core.text_decode("GB18030", "LO", bytes))
    end
  end)
end)

describe("UTF-8", function()
  it("is checked: no surrogates, no overlong forms, nothing above U+10FFFF", function()
    both_ways("ISO_IR 192", "LO", "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}",
      "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}")
    for _, bytes in ipairs { "\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
      "\xF0\x8F\xBF\xBF",
      "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF", "\xE2\x82\x41" } do
      local text, err = core.text_decode("ISO_IR 192", "LO", "ab" .. bytes)
      assert.is_nil(text)
      assert.equal(2, err.offset)
      for _, charset in ipairs { "ISO_IR 192", "GB18030", "ISO_IR 100" } do
        assert.is_nil(core.text_encode(charset, "LO", "ab" .. bytes))
      end
    end
  end)

  it("stands alone: what follows is ignored, and as a later value it is", function()
    assert.equal("é", core.text_decode("ISO_IR 192\\ISO 2022 IR 87", "LO", "é"))
    assert.equal("a", core.text_decode("\\ISO_IR 192", "LO", "a"))
    assert.is_nil(core.text_decode("\\ISO_IR 192", "LO", "é"))
    assert.is_nil(core.text_encode("\\ISO_IR 192", "LO", "山"))
  end)
end)

describe("defined terms", function()
  it("are known, also in the spellings that are met in files", function()
    for line in io.lines "csrc/gen/characters.tsv" do
      local set = line:match "^(%d+)\t"
      if set and set ~= "87" and set ~= "159" and set ~= "149" and set ~= "58" then
        assert.is_true(core.charset_known("ISO_IR " .. set))
      end
      if set then assert.is_true(core.charset_known("ISO 2022 IR " .. set), set) end
    end
    for _, term in ipairs { "", "ISO_IR 192", "GBK", "GB18030", "ISO-IR 100", "ISO IR 100", "iso_ir 100 ",
      "ISO2022 IR 6" } do
      assert.is_true(core.charset_known(term), term)
    end
    assert.is_false(core.charset_known "ISO_IR 999")
    assert.is_false(core.charset_known "\\ISO 2022 IR 999")
    assert.equal("é", core.text_decode("ISO-IR 100", "LO", "\xE9"))
  end)

  it("that are unknown leave the default repertoire", function()
    assert.equal("Bad^Term", core.text_decode("ISO_IR 999", "PN", "Bad^Term"))
    assert.is_nil(core.text_decode("ISO_IR 999", "PN", "B\xE4d"))
  end)

  it("may be more than fit: the rest is ignored", function()
    assert.equal("é", core.text_decode("ISO 2022 IR 100" .. ("\\ISO 2022 IR 87"):rep(20), "LO", "\xE9"))
  end)
end)

describe("the set of a data set", function()
  local function item(...)
    local inside = table.concat { ... }
    return ("<I2I2I4"):pack(0xFFFE, 0xE000, #inside) .. inside
  end

  local function long(tag, vr, value)
    return ("<I2I2"):pack(tag >> 16, tag & 0xFFFF) .. vr .. "\0\0" .. ("<I4"):pack(#value) .. value
  end

  local function short(tag, vr, value)
    if #value % 2 == 1 then value = value .. " " end
    return ("<I2I2"):pack(tag >> 16, tag & 0xFFFF) .. vr .. ("<I2"):pack(#value) .. value
  end

  local name = short(0x00100010, "PN", "\xC4^\xD6")
  local greek = short(0x00080005, "CS", "ISO_IR 126")
  local items = item(name) .. item(greek, name, long(0x00081140, "SQ", item(name)))
    .. item(short(0x00080005, "CS", ""), name)
  local latin = short(0x00080005, "CS", "ISO_IR 100")

  local function check(ds)
    assert.equal("Ä^Ö", ds.PatientName)
    assert.equal("Ä^Ö", ds.ReferencedSeriesSequence[1].PatientName)
    local second = ds.ReferencedSeriesSequence[2]
    assert.equal("Δ^Φ", second.PatientName)
    assert.equal("Δ^Φ", second.ReferencedImageSequence[1].PatientName)
    local text, err = ds.ReferencedSeriesSequence[3]:get "PatientName"
    assert.is_nil(text)
    assert.equal("bad text", err.code)
  end

  it("is its own, else that of the data set around it (PS3.5 6.1.2.3); an empty one is the default", function()
    local bytes = latin .. long(0x00081115, "SQ", items) .. name
    check(assert(dicom.open(bytes, { syntax = "1.2.840.10008.1.2.1" })))
  end)

  it("is read from the file when a limit leaves even that there", function()
    local many = short(0x00080005, "CS", "ISO 2022 IR 126" .. ("\\ISO 2022 IR 6"):rep(5))
    local all = item(many, name):rep(200)
    for shift = 0, 120, 8 do -- some of them lie across the edge of the 16 KiB that are read at first
      local path = sh.write(sh.folder() .. "/held",
        long(0x00080000 + 1, "OB", ("\0"):rep(shift)) .. long(0x00081115, "SQ", all))
      local ds = assert(dicom.open(path, { syntax = "1.2.840.10008.1.2.1", limits = { held = 1 } }))
      for i, inside in ipairs(ds.ReferencedSeriesSequence) do assert.equal("Δ^Φ", inside.PatientName, i) end
    end
  end)
end)

describe("the test files", function()
  it("decode as expected.tsv says and encode to something that reads back", function()
    local count = 0
    for line in io.lines(need.data "synthetic/charsets/expected.tsv") do
      local path, charset, name, comments = line:match "^([^#\t]+)\t([^\t]*)\t([^\t]*)\t(.*)$"
      if path then
        local bytes = sh.read(need.data(path))
        comments = comments:gsub("\\r", "\r"):gsub("\\n", "\n")
        for _, case in ipairs { { "PN", "\x10\0\x10\0PN", name }, { "LT", "\x10\0\0\x40LT", comments } } do
          local vr, expected = case[1], case[3]
          local value = core.value_split(charset, vr, element(bytes, case[2]))[1] or ""
          assert.equal(expected, core.text_decode(charset, vr, value), path)
          local again = assert(core.text_encode(charset, vr, expected))
          assert.equal(expected, core.text_decode(charset, vr, again), path)
        end
        count = count + 1
      end
    end
    assert.equal(23, count)
  end)
end)

-- Every character that Python's codecs know, in one value each.
local CODECS = [[
import codecs, sys
def out(term, codec, codes, wrap=lambda b: b):
    for b in codes:
        try: c = b.decode(codec)
        except UnicodeDecodeError: continue
        if len(c) == 1: print(term, wrap(b).hex(), c.encode("utf-8").hex(), sep="\t")
high = range(0xA0, 0x100)
for term, codec in (("100", "latin_1"), ("101", "iso8859_2"), ("109", "iso8859_3"), ("110", "iso8859_4"),
    ("144", "iso8859_5"), ("127", "iso8859_6"), ("126", "iso8859_7"), ("138", "iso8859_8"), ("148", "iso8859_9"),
    ("203", "iso8859_15"), ("166", "iso8859_11")):
    out("ISO_IR " + term, codec, (bytes([b]) for b in high))
pairs = [bytes([a, b]) for a in range(0xA1, 0xFF) for b in range(0xA1, 0xFF)]
low = lambda b: bytes(x & 0x7F for x in b[-2:])
out("\\ISO 2022 IR 149", "euc_kr", pairs, lambda b: b"\33$)C" + b)
out("\\ISO 2022 IR 58", "gb2312", pairs, lambda b: b"\33$)A" + b)
out("\\ISO 2022 IR 87", "euc_jp", pairs, lambda b: b"\33$B" + low(b) + b"\33(B")
out("\\ISO 2022 IR 159", "euc_jp", (b"\x8F" + p for p in pairs if p != b"\xA2\xB7"),
    lambda b: b"\33$(D" + low(b) + b"\33(B")
two = [bytes([a, b]) for a in range(0x81, 0xFF) for b in range(0x40, 0xFF)]
out("GBK", "gbk", two)
out("GB18030", "gb18030", two)
for c in list(range(0x80, 0xD800)) + list(range(0xE000, 0x10000)) + list(range(0x10000, 0x110000, 997)):
    print("GB18030", chr(c).encode("gb18030").hex(), chr(c).encode("utf-8").hex(), sep="\t")
]]

describe("every character", function()
  it("is what Python's codecs say, both ways", function()
    need.peer "python3"
    local script = sh.write(sh.folder() .. "/codecs.py", CODECS)
    local count = 0
    for _, line in ipairs(sh.lines("python3 " .. script)) do
      local charset, code, text = line:match "^([^\t]*)\t(%x+)\t(%x+)$"
      local function bytes(hex) return (hex:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
      both_ways(charset, "LO", bytes(code), bytes(text))
      count = count + 1
    end
    assert.is_true(count > 120000, count)
  end)
end)
