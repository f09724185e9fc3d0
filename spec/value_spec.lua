-- SPDX-License-Identifier: MIT
-- Values inside an element's bytes (PS3.5 6.2, 6.4) and the exact numbers of DS and IS.
local core = require "dicom.core"

describe("splitting values", function()
  it("is by backslash, padding trimmed as the VR says", function()
    assert.same({ "ORIGINAL", "PRIMARY", "" }, core.value_split("", "CS", " ORIGINAL\\PRIMARY \\"))
    assert.same({ "1.2.3", "4.5" }, core.value_split("", "UI", "1.2.3\\4.5\0"))
    assert.same({ " Doe^Jane", "Roe" }, core.value_split("", "PN", " Doe^Jane \\Roe "))
    assert.same({ "1", "-2.5" }, core.value_split("", "DS", "1 \\ -2.5"))
  end)

  it("leaves texts whole: LT ST UT UR have no delimiter", function()
    for vr in ("LT ST UT UR"):gmatch "%u%u" do
      assert.same({ " a\\b" }, core.value_split("", vr, " a\\b  "))
      assert.equal(1, core.value_count("", vr, "a\\b"))
    end
  end)

  it("finds nothing in nothing, or in padding", function()
    for _, bytes in ipairs { "", " ", "  ", "\0" } do
      assert.same({}, core.value_split("", "LO", bytes))
      assert.equal(0, core.value_count("", "LO", bytes))
    end
    assert.equal(2, core.value_count("", "LO", "\\"))
    assert.equal(0, core.value_count("", "US", ""))
  end)

  it("does not take half a character of GBK or GB18030 for a delimiter", function()
    local bytes = "\x81\x5C\\a\x98\x5C" -- U+4E97, backslash, a, U+6A68
    for _, charset in ipairs { "GBK", "GB18030" } do
      assert.same({ "\x81\x5C", "a\x98\x5C" }, core.value_split(charset, "LO", bytes))
      assert.equal(2, core.value_count(charset, "LO", bytes))
    end
    assert.equal(4, core.value_count("ISO_IR 100", "LO", bytes))
  end)

  it("does not take half a kanji for a delimiter, and counts from the escape on", function()
    local kanji = "\27$B\x5C\x21\x21\x5C\27(B" -- two characters, with 5C first and second
    assert.same({ "a", kanji, "b" }, core.value_split("\\ISO 2022 IR 87", "LO", "a\\" .. kanji .. "\\b"))
    assert.same({ "\27$B;3\n", "b" }, core.value_split("\\ISO 2022 IR 87", "LO", "\27$B;3\n\\b")) -- a line ends it
    local g1 = "\27$)C\xB0\xA1\\\27$)C\xB0\xA2"
    assert.equal(2, core.value_count("\\ISO 2022 IR 149", "LO", g1))
    assert.equal(2, core.value_count("\\ISO 2022 IR 159", "LO", "\27$(D\x30\x5C\27(B\\b"))
  end)

  it("stays within bytes that end in the middle of something", function()
    for _, bytes in ipairs { "\x81", "\27", "\27$", "\27$B", "\27$B\x5C", "\27$(", "a\\\27" } do
      for _, charset in ipairs { "GBK", "\\ISO 2022 IR 87" } do
        assert.is_true(#core.value_split(charset, "LO", bytes) >= 1)
      end
    end
  end)

  it("reads numbers in both byte orders, and no part of one", function()
    assert.same({ 258, 65535 }, core.value_numbers("US", "\2\1\xFF\xFF\7"))
    assert.same({ 513, -1 }, core.value_numbers("SS", "\2\1\xFF\xFF", true))
    assert.same({ -2 }, core.value_numbers("SL", "\xFE\xFF\xFF\xFF"))
    assert.same({ 4294967294 }, core.value_numbers("UL", "\xFE\xFF\xFF\xFF"))
    assert.same({ 1.5 }, core.value_numbers("FL", ("<f"):pack(1.5)))
    assert.same({ -0.1, 3 }, core.value_numbers("FD", (">dd"):pack(-0.1, 3), true))
    assert.same({ math.mininteger, -1 }, core.value_numbers("SV", ("<i8i8"):pack(math.mininteger, -1)))
    assert.same({ -1 }, core.value_numbers("UV", ("\xFF"):rep(8)))
    assert.same({ 0x00100020, 0x7FE00010 }, core.value_numbers("AT", "\x10\0\x20\0\xE0\x7F\x10\0"))
    assert.same({ 0x00100020 }, core.value_numbers("AT", "\0\x10\0\x20", true))
    assert.same({}, core.value_numbers("AT", "\0\x10\0"))
    assert.same({}, core.value_numbers("LO", "ab"))
    assert.equal(3, core.value_count("", "OW", "\0\0\0\0\0\0\0"))
  end)
end)

describe("decimal strings", function()
  it("are read to the nearest double", function()
    for _, s in ipairs { "0", "1", "-1", "+1", "1.", ".5", "-.5E2", "1e5", "1E+05", "00001.50", "0.1",
      "123456789012345678",
      "9007199254740993", "1E22", "1E23", "8.5E-320", "2.2250738585072011E-308", "5E-324",
        "1.7976931348623157E308" } do
      assert.equal(tonumber(s) + 0.0, core.decimal_parse("  " .. s .. " "), s)
    end
    assert.equal(0.0, core.decimal_parse "1E-999")
    assert.equal(0.0, core.decimal_parse("0." .. ("0"):rep(1000) .. "1"))
  end)

  it("break ties to even, however many digits come after", function()
    assert.equal(9007199254740992.0, core.decimal_parse "9007199254740993")
    assert.equal(9007199254740994.0, core.decimal_parse("9007199254740993." .. ("0"):rep(900) .. "1"))
    assert.equal(9007199254740996.0, core.decimal_parse "9007199254740995")
    assert.equal(0.0, core.decimal_parse "2.4703282292062327208e-324")
    assert.equal(5e-324, core.decimal_parse "2.4703282292062328e-324")
  end)

  it("agree with the C library on random digits", function()
    math.randomseed(20260101)
    for _ = 1, 20000 do
      local s = ("%d.%de%d"):format(math.random(0, 99), math.random(0, math.maxinteger), math.random(-330, 307))
      local ours, expected = core.decimal_parse(s), tonumber(s)
      if expected == math.huge then assert.is_nil(ours) else assert.equal(expected, ours, s) end
    end
  end)

  it("refuse what PS3.5 has no form for", function()
    for _, s in ipairs { "", " ", "+", ".", "E5", "1E", "1E+", "1,5", "0x10", "inf", "nan", "1 2", "- 1", "1.2.3",
      "1E5.0",
      "1f", "1E999", "--1" } do
      local v, err = core.decimal_parse(s)
      assert.is_nil(v, s)
      assert.equal("bad value", err.code)
    end
  end)

  it("are written with the fewest digits that read back", function()
    local expected = { [0] = "0", [1] = "1", [-1] = "-1", [0.1] = "0.1", [100] = "100", [1e15] = "1000000000000000",
      [1e16] = "1E16", [1e22] = "1E22", [-0.25] = "-0.25", [1.5e-7] = "1.5E-7", [1e-5] = "0.00001",
      [5e-324] = "5E-324", [12345678.9] = "12345678.9", [9999999999999998] = "9999999999999998" }
    for v, s in pairs(expected) do assert.equal(s, core.decimal_format(v)) end
    assert.equal("0", core.decimal_format(-0.0))
  end)

  it("are the nearest that fits in 16 characters", function()
    assert.equal("0.33333333333333", core.decimal_format(1 / 3))
    assert.equal("-0.6666666666667", core.decimal_format(-2 / 3))
    assert.equal("0.3", core.decimal_format(0.1 + 0.2))
    assert.equal("1.7976931348E308", core.decimal_format(math.maxinteger and 1.7976931348623157e308))
    assert.is_nil(core.decimal_format(1 / 0))
    assert.is_nil(core.decimal_format(0 / 0))
  end)

  it("always fit, are well formed and lose nothing that fits", function()
    math.randomseed(7)
    for i = 1, 20000 do
      local v = i % 2 == 0 and ("d"):unpack(("i8"):pack(math.random(0))) or math.random(-10 ^ 7 // 1,
        10 ^ 7 // 1) / 10 ^ (i % 7)
      if v == v and v < math.huge and v > -math.huge then
        local s = core.decimal_format(v)
        assert.is_true(core.value_check("DS", s), s)
        assert.is_true(math.abs(tonumber(s) - v) <= math.abs(v) * 1e-8, s)
        if i % 2 == 1 then assert.equal(v, tonumber(s)) end
      end
    end
  end)

  it("do not ask the locale", function()
    local before = os.setlocale()
    local foreign = os.setlocale "de_DE.UTF-8" or os.setlocale "de_DE" or os.setlocale "fr_FR.UTF-8"
    finally(function() os.setlocale(before) end)
    if not foreign then pending "no locale with a decimal comma: localedef -i de_DE -f UTF-8 de_DE.UTF-8" end
    assert.equal("0.5", core.decimal_format(0.5))
    assert.equal(0.5, core.decimal_parse "0.5")
    assert.is_nil(core.decimal_parse "0,5")
  end)
end)

describe("integer strings", function()
  it("are read whole or refused", function()
    assert.equal(12, core.integer_parse " 12 ")
    assert.equal(-5, core.integer_parse "-5")
    assert.equal(7, core.integer_parse "+007")
    assert.equal(math.maxinteger, core.integer_parse "9223372036854775807")
    assert.equal(math.mininteger, core.integer_parse "-9223372036854775808")
    for _, s in ipairs { "", "-", "1.0", "1E3", "0x1", "9223372036854775808", "-9223372036854775809", "1 2" } do
      assert.is_nil(core.integer_parse(s), s)
    end
  end)
end)

-- vr, then values that are well formed, then values that are not
local forms = {
  { "AE", { "PACS", "A B", ("x"):rep(16) }, { "a\\b", "a\n", "é" } },
  { "AS", { "018M", "000D", "099Y" }, { "18M", "018m", "018", "0180M" } },
  { "CS", { "ORIGINAL", "A_B 1" }, { "original", "A-B", "É" } },
  { "DA", { "20240229", "20000229", "19991231" }, { "20230229", "19000229", "20240431", "2024022", "20241301",
    "20240100", "2024.01.01",
    "20240101-" } },
  { "DS", { "1", "-1.5E-10", " 1 " }, { "1,5", "abc", "1\0" } },
  { "DT", { "2024", "202402", "20240229", "2024022923", "20240229235960.123456+1400", "2024-0500", "20240101-1200" },
    { "202", "20241", "202413", "20230229", "2024022924", "20240229235959.", "20240229235959.1234567", "2024-0000",
      "2024-1201", "2024+1401", "2024+01", "2024Z" } },
  { "IS", { "12", "-2147483648", "2147483647" }, { "1.0", "2147483648", "-2147483649" } },
  { "LO", { "é ö", ("é"):rep(64), "a\27b" }, { "a\\b", "a\nb", "a\0" } },
  { "LT", { "a\\b\r\n\tc\f" }, { "a\0b", "a\1" } },
  { "PN", { "Doe^Jane^M^Dr^Jr", ("x"):rep(64) .. "=" .. ("y"):rep(64), "a=b=c", "=" }, { "a^b^c^d^e^f", "a=b=c=d",
    "a\nb" } },
  { "SH", { "0123456789abcdef" }, { "a\\b" } },
  { "TM", { "23", "2359", "235960", "235959.9", "000000.000001" }, { "24", "2", "236", "2360", "235961", "12:30",
    "2359.5", "-12" } },
  { "UC", { ("long "):rep(100) }, { "a\\b" } },
  { "UI", { "1.2.840", "0.0", "2.25.1", "1" }, { "1..2", ".1", "1.", "1.02", "a.b", "1.2 " } },
  { "UR", { "https://example.org/a%20b?c#d" }, { "a b", " a", "ü" } },
  { "UT", { "any\r\nthing\\" }, { "\0" } },
  { "US", { "ab" }, { "a" } },
}

describe("the form of a value", function()
  for _, form in ipairs(forms) do
    it("of " .. form[1], function()
      assert.is_true(core.value_check(form[1], ""))
      for _, s in ipairs(form[2]) do assert.is_true(core.value_check(form[1], s), s) end
      for _, s in ipairs(form[3]) do
        local ok, err = core.value_check(form[1], s)
        assert.is_nil(ok, s)
        assert.is_truthy(err.code == "bad value" or err.code == "too long")
      end
    end)
  end

  it("has a longest length, in characters", function()
    local longest = { AE = 16, CS = 16, DS = 16, IS = 12, LO = 64, SH = 16, ST = 1024, LT = 10240, UI = 64, PN = 64 }
    for vr, n in pairs(longest) do
      local ok, err = core.value_check(vr, ("1"):rep(n + 1))
      assert.is_nil(ok)
      assert.equal("too long", err.code, vr)
    end
    assert.is_true(core.value_check("SH", ("ö"):rep(16)))
    assert.is_nil(core.value_check("SH", ("ö"):rep(17)))
    assert.is_nil(core.value_check("PN", "a=" .. ("y"):rep(65)))
  end)
end)
