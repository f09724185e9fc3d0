-- SPDX-License-Identifier: MIT
-- The DICOM JSON Model (PS3.18 F.2), both ways, by texts written by hand.
local dicom = require "dicom"
local made = require "spec.support.made"
local sh = require "spec.support.sh"

local decode = dicom.json.decode

-- A data set of one style, read from bytes.
local function read(body, style)
  local syntax = { implicit = made.IMPLICIT, explicit = made.EXPLICIT, big = made.BIG }
  return assert(dicom.open(made.file(syntax[style or "explicit"], body)))
end

local function explicit(...)
  return read(made.element(...))
end

-- What an element of explicit little endian becomes.
local function json(tag, vr, value)
  return (explicit(tag, vr, value):json():match '^{"%x+":(.*)}$')
end

describe("ds:json", function()
  it("writes an object of attributes with their vr (F.2.2)", function()
    assert.equal('{}', dicom.dataset {}:json())
    assert.equal('{"00080060":{"vr":"CS","Value":["CT"]},"00280010":{"vr":"US","Value":[512]}}',
      dicom.dataset { Modality = "CT", Rows = 512 }:json())
  end)

  it("writes tags with upper case digits", function()
    assert.equal('{"0040A30A":{"vr":"DS","Value":[1]}}', explicit(0x0040A30A, "DS", "1 "):json())
  end)

  it("leaves an attribute that is empty without a value (F.2.5)", function()
    for _, vr in ipairs { "CS", "LO", "PN", "DS", "IS", "US", "FD", "AT", "OB", "UN", "SQ", "UT" } do
      assert.equal(('{"vr":"%s"}'):format(vr), json(0x00211001, vr, ""))
    end
    assert.equal('{"vr":"LO"}', json(0x00211001, "LO", "    "))
  end)

  it("writes null for an empty value among others (F.2.5)", function()
    assert.equal('{"vr":"CS","Value":["A",null,"C"]}', json(0x00080008, "CS", "A\\\\C "))
    assert.equal('{"vr":"DS","Value":[null,1]}', json(0x00211001, "DS", "\\1"))
    assert.equal('{"vr":"PN","Value":[{"Alphabetic":"A"},null,{"Alphabetic":"B"}]}', json(0x00211001, "PN", "A\\\\B "))
  end)

  it("trims padding and splits values only where the VR has several", function()
    assert.equal('{"vr":"UI","Value":["1.2","1.3"]}', json(0x00211001, "UI", "1.2\\1.3\0"))
    assert.equal('{"vr":"LO","Value":["a b","c"]}', json(0x00211001, "LO", " a b \\ c"))
    assert.equal('{"vr":"LT","Value":[" a\\\\b"]}', json(0x00211001, "LT", " a\\b"))
    assert.equal('{"vr":"UR","Value":["http://x/a%20b"]}', json(0x00211001, "UR", "http://x/a%20b "))
  end)

  it("escapes what RFC 8259 7 asks for", function()
    assert.equal([[{"vr":"LT","Value":["\"\\/\b\t\n\f\r\u0001\u000B"]}]], json(0x00211001, "LT", "\"\\/\b\t\n\f\r\1\v"))
  end)

  it("writes numbers of DS and IS as they stand, and as text what JSON would change (F.2.3)", function()
    assert.equal('{"vr":"DS","Value":[1.50,-0.5,1E5,1e-05,0,100]}', json(0x00211001, "DS",
      "1.50\\-0.5\\1E5\\1e-05\\0\\100 "))
    assert.equal('{"vr":"DS","Value":["+5","007",".5","5.","1E","abc","1,5"]}',
      json(0x00211001, "DS", "+5\\007\\.5\\5.\\1E\\abc\\1,5 "))
    assert.equal('{"vr":"DS","Value":[0.12345678901234,"0.123456789012345","1234567890123456",1000000000000000]}',
      json(0x00211001, "DS", "0.12345678901234\\0.123456789012345\\1234567890123456\\1000000000000000"))
    assert.equal('{"vr":"DS","Value":["1E300"]}', json(0x00211001, "DS", "1E300 "))
    assert.equal('{"vr":"IS","Value":[12,-3,"+4"]}', json(0x00211001, "IS", "12\\-3\\+4"))
  end)

  it("writes binary numbers, those beyond 53 bits as text (F.2.3)", function()
    assert.equal('{"vr":"US","Value":[0,65535]}', json(0x00211001, "US", "\0\0\255\255"))
    assert.equal('{"vr":"SS","Value":[-1,-32768]}', json(0x00211001, "SS", "\255\255\0\128"))
    assert.equal('{"vr":"UL","Value":[4294967295]}', json(0x00211001, "UL", "\255\255\255\255"))
    assert.equal('{"vr":"SL","Value":[-2147483648]}', json(0x00211001, "SL", "\0\0\0\128"))
    assert.equal('{"vr":"UV","Value":[1,"18446744073709551615"]}', json(0x00211001, "UV", ("<i8i8"):pack(1, -1)))
    assert.equal('{"vr":"SV","Value":[-1,"-9223372036854775808"]}', json(0x00211001, "SV", ("<i8i8"):pack(-1,
      math.mininteger)))
    assert.equal('{"vr":"AT","Value":["00181063","FFFEE000"]}', json(0x00211001, "AT",
      "\x18\0\x63\x10\xFE\xFF\x00\xE0"))
  end)

  it("writes the fewest digits that read back as the same float", function()
    local cases = { 0.1, 1.5, 100, 1e22, 1e21, 123456789.125, 1 / 3, 2 / 3, 5e-324, 2.2250738585072014e-308, 1e300,
      1.7976931348623157e308, 0.000001, 1e-7, 123456.789e3, 4503599627370497.5, 9007199254740994, math.pi, 1e15, 1e16 }
    for i = 1, 2000 do cases[#cases + 1] = (math.random() - 0.5) * 10.0 ^ math.random(-300, 300) * (i % 2 == 0 and
      1 or -1) end
    local text = json(0x00211001, "FD", ("<" .. ("d"):rep(#cases)):pack(table.unpack(cases)))
    local at = 0
    for s in text:match '%[(.*)%]':gmatch "[^,]+" do
      at = at + 1
      assert.equal(cases[at], tonumber(s) * 1.0, s)
      local digits = #s:gsub("[eE].*", ""):gsub("[-.]", ""):gsub("^0+", "")
      if cases[at] > 1e-300 then assert.is_true(digits <= 17 or #s <= 24, s) end
    end
    assert.equal(#cases, at)
    assert.equal('{"vr":"FD","Value":[0.1,1.5,100,123456789.125,0.3333333333333333]}',
      json(0x00211001, "FD", ("<ddddd"):pack(0.1, 1.5, 100, 123456789.125, 1 / 3)))
  end)

  it("writes the fewest digits of single floats", function()
    local text = json(0x00211001, "FL", ("<fffffff"):pack(0.1, 1 / 3, 16777216, 3.14159, 1e38, 1e-30, 178.0799255))
    assert.equal('{"vr":"FL","Value":[0.1,0.33333334,16777216,3.14159,1E38,1E-30,178.07993]}', text)
    local values = {}
    for i = 1, 2000 do values[i] = ("<f"):unpack(("<f"):pack((math.random() - 0.5) * 10.0 ^ math.random(-44, 38))) end
    text = json(0x00211001, "FL", ("<" .. ("f"):rep(#values)):pack(table.unpack(values)))
    local at = 0
    for s in text:match '%[(.*)%]':gmatch "[^,]+" do
      at = at + 1
      assert.equal(values[at], (("<f"):unpack(("<f"):pack(tonumber(s)))), s)
      assert.is_true(#s:gsub("[eE].*", ""):gsub("[-.]", ""):gsub("^0+", "") <= 9 or not s:find "%.", s)
    end
    assert.equal(#values, at)
  end)

  it("writes NaN and infinity, which JSON has no number for, as text", function()
    assert.equal('{"vr":"FD","Value":["NaN","inf","-inf",-0]}', json(0x00211001, "FD", ("<dddd"):pack(0 / 0, 1 / 0,
      -1 / 0, -0.0)))
  end)

  it("writes names as component groups (F.2.2)", function()
    assert.equal('{"vr":"PN","Value":[{"Alphabetic":"Yamada^Tarou","Ideographic":"X^Y","Phonetic":"x^y"}]}',
      json(0x00100010, "PN", "Yamada^Tarou=X^Y=x^y"))
    assert.equal('{"vr":"PN","Value":[{"Ideographic":"X^Y"}]}', json(0x00100010, "PN", "=X^Y"))
    assert.equal('{"vr":"PN","Value":[{"Alphabetic":"A","Phonetic":"P"}]}', json(0x00100010, "PN", "A==P"))
    assert.equal('{"vr":"PN"}', json(0x00100010, "PN", "=="))
  end)

  it("writes items, empty ones too (F.2.5)", function()
    local e = made.encoder "explicit"
    local ds = read(e.sequence(0x00081140, e.item(e(0x00081155, "UI", "1.22")), e.item "") ..
      e.open_sequence(0x00081199, e.open_item(e.sequence(0x00081140, e.item(e(0x00080060, "CS", "MR"))))))
    assert.equal('{"00081140":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.22"]}},{}]},' ..
      '"00081199":{"vr":"SQ","Value":[{"00081140":{"vr":"SQ","Value":[{"00080060":{"vr":"CS","Value":["MR"]}}]}}]}}',
        ds:json())
    assert.equal('{"00080060":{"vr":"CS","Value":["MR"]}}', ds:get "0008,1199[1].ReferencedImageSequence[1]":json())
  end)

  it("writes bytes as Base64, numbers in them little endian (F.2.7)", function()
    for n = 0, 5 do
      local want = ({ [0] = nil, "AQ==", "AQI=", "AQID", "AQIDBA==", "AQIDBAU=" })[n]
      local ds = dicom.dataset {}
      ds:set(0x00211001, ("\1\2\3\4\5"):sub(1, n), "OB")
      assert.equal(want and ('{"vr":"OB","InlineBinary":"%s"}'):format(want) or '{"vr":"OB"}',
        ds:json():match '^{"%x+":(.*)}$')
    end
    for vr, value in pairs { OW = ">I2I2", OL = ">I4", OF = ">f", OD = ">d", OV = ">i8" } do
      local numbers = vr == "OW" and { 1, 0x0203 } or { 1 }
      local ds = read(made.element(0x00211001, vr, value:pack(table.unpack(numbers)), true), "big")
      local little = decode(ds:json()):raw(0x00211001)
      assert.equal(value:gsub(">", "<"):pack(table.unpack(numbers)), little)
    end
    assert.equal('{"vr":"UN","InlineBinary":"AQIDBA=="}', json(0x00211001, "UN", "\1\2\3\4"))
  end)

  it("gives numbers of a big endian file their value", function()
    local e = made.encoder "big"
    assert.equal('{"00280010":{"vr":"US","Value":[258]},"00280009":{"vr":"AT","Value":["00181063"]}}',
      (read(e(0x00280009, "AT", e.u16(0x18, 0x1063)) .. e(0x00280010, "US", e.u16(258)), "big"):json()
        :gsub('^{("00280009".-}),("00280010".-})}$', "{%2,%1}")))
  end)

  it("leaves out group lengths, and the file meta unless asked", function()
    local ds = read(made.element(0x00080000, "UL", "\4\0\0\0") .. made.element(0x00080060, "CS", "CT"))
    assert.equal('{"00080060":{"vr":"CS","Value":["CT"]}}', ds:json())
    local meta = ds:json { meta = true }
    assert.matches('^{"00020001":{"vr":"OB","InlineBinary":"AAE="},', meta)
    assert.matches(',"00080060":{"vr":"CS","Value":%["CT"%]}}$', meta)
    assert.equal(made.EXPLICIT, decode(meta).syntax)
    assert.equal(made.EXPLICIT, decode(meta).meta.TransferSyntaxUID)
  end)

  it("is UTF-8 whatever the file's character set is, and says so (F.2.2)", function()
    local ds = read(made.element(0x00080005, "CS", "ISO_IR 100") .. made.element(0x00100010, "PN", "Buc^J\xE9r\xF4me"))
    assert.equal('{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},' ..
      '"00100010":{"vr":"PN","Value":[{"Alphabetic":"Buc^Jérôme"}]}}',
      ds:json())
    local japanese = read(made.element(0x00080005, "CS", "\\ISO 2022 IR 87 ") ..
      made.element(0x00100010, "PN", "Yamada^Tarou=\27$B;3ED\27(B^\27$BB@O:\27(B"))
    assert.matches('"Ideographic":"山田^太郎"', japanese:json(), 1, true)
  end)

  it("uses the character set that an item declares", function()
    local e = made.encoder "explicit"
    local ds = read(e.sequence(0x00081140, e.item(e(0x00080005, "CS", "ISO_IR 144") .. e(0x00211001, "LO", "\xBB\xEE")),
      e.item(e(0x00211001, "LO", "ok"))))
    assert.matches('"00211001":{"vr":"LO","Value":["Лю"]}},{"00211001":{"vr":"LO","Value":["ok"]', ds:json(), 1, true)
    assert.equal('{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00211001":{"vr":"LO","Value":["Лю"]}}',
      ds.ReferencedImageSequence[1]:json())
  end)

  it("refuses text that its set does not hold, or replaces it and counts", function()
    local ds = read(made.element(0x00100010, "PN", "B\xE9^A ") .. made.element(0x00211001, "LO", "fine"))
    local text, err = ds:json()
    assert.is_nil(text)
    assert.equal("bad text", err.code)
    assert.equal(0x00100010, err.tag)
    local replaced, count = ds:json { text = "replace" }
    assert.matches('"Alphabetic":"B\u{FFFD}^A"', replaced, 1, true)
    assert.equal(1, count)
    assert.equal(0, select(2, explicit(0x00100010, "PN", "A "):json { text = "replace" }))
    assert.equal(1, select("#", explicit(0x00100010, "PN", "A "):json()))
  end)

  it("writes compressed frames as the items of a file", function()
    local ds = assert(dicom.open(made.file(made.JPEG, made.fragments("", "\1\2\3\4", "\5\6"))))
    local items = made.element(0xFFFEE000, nil, "") .. made.element(0xFFFEE000, nil, "\1\2\3\4") ..
      made.element(0xFFFEE000, nil, "\5\6")
    local text = ds:json { meta = true }
    local seen
    assert(decode('{"7FE00010":{"vr":"OB","BulkDataURI":"x"}}', { bulk = function() seen = true return items end }))
    assert.is_true(seen)
    local back = decode(text)
    assert.equal(made.JPEG, back.syntax)
    assert.same({ 0, 4, 2 }, back:elements()(back).fragments)
    assert.same({ "\1\2\3\4", "\5\6" }, back.PixelData:copy())
    assert.is_true(ds:equals(back))
    local again = assert(dicom.open(back:bytes { part10 = true }))
    assert.is_true(again:equals(ds))
  end)

  it("lays it out for people, and the same is said", function()
    assert.equal('{\n  "00081140": {\n    "vr": "SQ",\n    "Value": [\n      {\n' ..
      '        "00100010": {\n          "vr": "PN",\n' ..
      '          "Value": [\n            {\n              "Alphabetic": "A"\n            }\n          ]\n        }\n' ..
      '      }\n    ]\n  }\n}\n',
        dicom.dataset { ReferencedImageSequence = { { PatientName = "A" } } }:json { pretty = true })
    assert.equal("{}\n", dicom.dataset {}:json { pretty = true })
  end)

  it("puts an URI where bytes are many", function()
    local ds = dicom.dataset { PixelData = ("x"):rep(2000), ReferencedImageSequence = { {},
      { EncapsulatedDocument = ("y"):rep(1025) } } }
    ds:set("0021,1001", "short", "OB")
    assert.equal('{"00081140":{"vr":"SQ","Value":[{},' ..
      '{"00420011":{"vr":"OB","BulkDataURI":"bulkdata/00081140/2/00420011"}}]},' ..
      '"00211001":{"vr":"OB","InlineBinary":"c2hvcnQ="},"7FE00010":{"vr":"' .. ds:vr "PixelData" ..
        '","BulkDataURI":"bulkdata/7FE00010"}}',
      ds:json { bulk = "uri" })
    assert.matches('"http://a/7FE00010"', ds:json { bulk = "uri", bulk_uri = "http://a/" }, 1, true)
    local asked = {}
    local text = ds:json { bulk_threshold = 0, bulk = function(tag, path, length, vr)
      asked[#asked + 1] = ("%08X %s %d %s %d"):format(tag, path, length, vr, #ds:raw(path))
      if tag == 0x00211001 then return nil end
      return tag == 0x7FE00010 and "" or 'u"ri'
    end }
    assert.same({ "00420011 ReferencedImageSequence[2].EncapsulatedDocument 1025 OB 1025", "00211001 0021,1001 5 OB 5",
      "7FE00010 PixelData 2000 " .. ds:vr "PixelData" .. " 2000" }, asked)
    assert.matches('"BulkDataURI":"u\\"ri"', text, 1, true)
    assert.matches('"InlineBinary":"c2hvcnQ="', text, 1, true)
    assert.matches('"7FE00010":{"vr":"%u%u"}}$', text)
  end)

  it("streams to a function and to a file, large values in pieces", function()
    local ds = dicom.dataset { PatientID = "1" }
    ds:set(0x7FE00010, ("0123456789"):rep(100000), "OB")
    local chunks = {}
    assert.is_true(dicom.json.write(ds, function(chunk) chunks[#chunks + 1] = chunk end))
    assert.is_true(#chunks > 10)
    for _, chunk in ipairs(chunks) do assert.is_true(#chunk < 200000) end
    local whole = ds:json()
    assert.equal(whole, table.concat(chunks))
    local path = sh.folder() .. "/x.json"
    assert(dicom.json.write(ds, path, { pretty = true }))
    assert.equal(ds:json { pretty = true }, sh.read(path))
    assert.is_nil(sh.read(path .. ".part"))
    assert.is_true(ds:equals(decode(whole)))
    local ok, err = dicom.json.write(ds, "/nowhere/at/all.json")
    assert.is_nil(ok)
    assert.equal("system", err.code)
  end)

  it("reads values that stayed in the file, and notices that it changed", function()
    local path = sh.folder() .. "/x.dcm"
    local body = ("0123456789abcdef"):rep(20000)
    sh.write(path, made.file(made.EXPLICIT, made.element(0x7FE00010, "OB", body)))
    local ds = assert(dicom.open(path))
    assert.equal("range", ds:elements()(ds).hold)
    assert.equal(body, decode(ds:json()):raw "PixelData")
    sh.write(path, "gone")
    local text, err = ds:json()
    assert.is_nil(text)
    assert.equal("changed on disk", err.code)
    local kept = path .. ".json"
    sh.write(kept, "as before")
    assert.is_nil(dicom.json.write(ds, kept))
    assert.equal("as before", sh.read(kept))
    assert.is_nil(sh.read(kept .. ".part"))
  end)

  it("does not go on when the data set is changed on the way", function()
    local ds = dicom.dataset { PixelData = "abcd", PatientID = "1" }
    local text, err = ds:json { bulk_threshold = 0, bulk = function() ds.PatientID = "2" end }
    assert.is_nil(text)
    assert.equal("gone", err.code)
  end)

  it("raises for options that are none", function()
    local ds = dicom.dataset {}
    for _, options in ipairs { { petty = true }, { pretty = 1 }, { bulk = "out" }, { text = "guess" },
      { bulk_threshold = 1.5 } } do
      local ok, err = pcall(ds.json, ds, options)
      assert.is_false(ok)
      assert.equal("usage", err.code)
    end
    ds:set("0021,1001", "x", "OB")
    local ok, err = pcall(ds.json, ds, { bulk = function() return {} end, bulk_threshold = 0 })
    assert.is_false(ok)
    assert.equal("usage", err.code)
  end)
end)

describe("dicom json", function()
  it("prints a line a file, lays out, and reads back", function()
    local folder = sh.folder()
    local ds = read(made.sample "explicit")
    for i = 1, 2 do sh.write(("%s/%d.dcm"):format(folder, i), made.file(made.EXPLICIT, made.sample "explicit")) end
    local both = sh.run { sh.dicom, "json", folder .. "/1.dcm", folder .. "/2.dcm" }
    assert.equal(ds:json() .. "\n" .. ds:json() .. "\n", both.out)
    assert.equal(0, both.code)
    local pretty = sh.run { sh.dicom, "json", "--pretty", "--bulk", "none", folder .. "/1.dcm" }
    assert.matches('\n  "7FE00010": {\n    "vr": "OW"\n  }\n}\n$', pretty.out)
    sh.write(folder .. "/x.json", both.out:match "[^\n]*")
    assert.equal(0, sh.run { sh.dicom, "json", "--decode", folder .. "/x.json", folder .. "/back.dcm" }.code)
    assert.is_true(ds:equals(assert(dicom.open(folder .. "/back.dcm")), { ignore = { "SpecificCharacterSet" } }))
    local stdin = sh.run({ sh.dicom, "json", "--decode", "-", folder .. "/again.dcm" }, { input = ds:json() })
    assert.equal(0, stdin.code, stdin.err)
    assert.equal(sh.read(folder .. "/back.dcm"), sh.read(folder .. "/again.dcm"))
  end)

  it("says what fails and goes on", function()
    local folder = sh.folder()
    sh.write(folder .. "/1.dcm", made.file(made.EXPLICIT, made.element(0x00080060, "CS", "CT")))
    sh.write(folder .. "/bad.json", '{"00280010":{"vr":"US","Value":[-1]}}')
    sh.write(folder .. "/list.json", '[{},{}]')
    local r = sh.run { sh.dicom, "json", folder .. "/none.dcm", folder .. "/1.dcm" }
    assert.equal(1, r.code)
    assert.equal('{"00080060":{"vr":"CS","Value":["CT"]}}\n', r.out)
    assert.matches("none.dcm", r.err, 1, true)
    r = sh.run { sh.dicom, "json", "-d", folder .. "/bad.json", folder .. "/out.dcm" }
    assert.equal(1, r.code)
    assert.matches("bad.json: .*at %(0028,0010%), byte 12", r.err)
    assert.equal(1, sh.run { sh.dicom, "json", "-d", folder .. "/list.json", folder .. "/out.dcm" }.code)
    assert.equal(2, sh.run { sh.dicom, "json", "-d", folder .. "/list.json" }.code)
    assert.is_nil(sh.read(folder .. "/out.dcm"))
  end)
end)
