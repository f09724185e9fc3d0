-- SPDX-License-Identifier: MIT
-- The DICOM JSON Model (PS3.18 F.2), in: what the standard says, what others write, what is refused and where.
local dicom = require "dicom"
local made = require "spec.support.made"

local decode = dicom.json.decode

-- A data set of one style, read from bytes.
local function read(body, style)
  local syntax = { implicit = made.IMPLICIT, explicit = made.EXPLICIT, big = made.BIG }
  return assert(dicom.open(made.file(syntax[style], body)))
end

describe("dicom.json.decode", function()
  local function one(attribute, key)
    return decode(('{"%s":%s}'):format(key or "00211001", attribute))
  end

  local function raw(attribute, key)
    local ds, err = one(attribute, key)
    return ds and ds:raw(key or "00211001"), err
  end

  it("reads each VR", function()
    local cases = {
      { '{"vr":"CS","Value":["A",null,"C"]}', "A\\\\C" }, { '{"vr":"LT","Value":["a\\\\b"]}', "a\\b" },
      { '{"vr":"DS","Value":[1.50,"+5",null,1E5,-0]}', "1.50\\+5\\\\1E5\\-0" },
      { '{"vr":"DS","Value":[0.12345678901234567890]}', "0.12345678901235" },
      { '{"vr":"IS","Value":[5,"6",7.0,1e3]}', "5\\6\\7.0\\1e3" },
      { '{"vr":"US","Value":[1,65535,"2"]}', "\1\0\255\255\2\0" }, { '{"vr":"SS","Value":[-32768]}', "\0\128" },
      { '{"vr":"UL","Value":[4294967295]}', "\255\255\255\255" }, { '{"vr":"SL","Value":[-1.0]}', "\255\255\255\255" },
      { '{"vr":"UV","Value":["18446744073709551615",7]}', ("<i8i8"):pack(-1, 7) },
      { '{"vr":"SV","Value":[-9223372036854775808]}', ("<i8"):pack(math.mininteger) },
      { '{"vr":"FD","Value":[0.1,1e300,"-inf",Infinity]}', ("<dddd"):pack(0.1, 1e300, -1 / 0, 1 / 0) },
      { '{"vr":"FL","Value":[0.1,3.4028234663852886e38,-inf]}', ("<fff"):pack(0.1, 3.4028234663852886e38, -1 / 0) },
      { '{"vr":"AT","Value":["00181063","fffee000"]}', "\x18\0\x63\x10\xFE\xFF\x00\xE0" },
      { '{"vr":"AT","Value":["(0018,1063)"]}', "\x18\0\x63\x10" },
      { '{"vr":"OB","InlineBinary":"AQIDBAU="}', "\1\2\3\4\5" },
        { '{"vr":"UN","InlineBinary":"AQ ID\\nBA=="}', "\1\2\3\4" },
      { '{"vr":"OW","InlineBinary":"-_8"}', "\251\255" }, { '{"vr":"OF","Value":[1.5]}', ("<f"):pack(1.5) },
      { '{"vr":"PN","Value":[{"Alphabetic":"A^B","Ideographic":"C","Phonetic":"D"}]}', "A^B=C=D" },
      { '{"vr":"PN","Value":[{"Phonetic":"D"},null,{},{"Alphabetic":"E","Other":[1]}]}', "==D\\\\\\E" },
      { '{"vr":"PN","Value":["A^B=C"]}', "A^B=C" },
    }
    for _, case in ipairs(cases) do
      local got, err = raw(case[1])
      if case[1]:find "IS" then
        assert.equal("5\\6\\7\\1000", got) -- an IS has no point
      elseif case[1]:find "0.1234567890" then
        assert.is_true(math.abs(tonumber(got) - 0.12345678901234567) < 1e-14 and #got <= 16, got)
      else
        assert.equal(case[2], got, case[1] .. " " .. tostring(err))
      end
    end
    for _, v in ipairs(one '{"vr":"FD","Value":[NaN,"nan"]}':get "0021,1001") do assert.is_true(v ~= v) end
  end)

  it("reads attributes without a value as empty", function()
    for _, value in ipairs { '', ',"Value":null', ',"Value":[]', ',"Value":[null]', ',"InlineBinary":null',
      ',"BulkDataURI":null' } do
      for _, vr in ipairs { "CS", "DS", "US", "OB", "UN", "PN", "LT" } do
        assert.equal("", (raw(('{"vr":"%s"%s}'):format(vr, value))), vr .. value)
      end
    end
    assert.equal(0, #one('{"vr":"SQ"}', "00081140").ReferencedImageSequence)
    assert.equal(0, #one('{"vr":"SQ","Value":[]}', "00081140").ReferencedImageSequence)
  end)

  it("reads items, also empty and null ones", function()
    local ds = one('{"vr":"SQ","Value":[{},{"00081155":{"vr":"UI","Value":["1.2"]}},null,' ..
      '{"00081140":{"vr":"SQ","Value":[{}]}}]}', "00081140")
    local seq = ds.ReferencedImageSequence
    assert.equal(4, #seq)
    assert.equal("1.2", seq[2].ReferencedSOPInstanceUID)
    assert.equal(0, #seq[1] + #seq[3])
    assert.equal(1, #seq[4].ReferencedImageSequence)
  end)

  it("reads members in any order, the vr last", function()
    local ds = decode [[{"00100010":{"Value":[{"Phonetic":"p","Alphabetic":"a"}],"vr":"PN"},
      "00081140":{"Value":[{},{"00081155":{"Value":["1.2"],"vr":"UI"}}],"vr":"SQ"},
      "00081199":{"Value":[{},{}],"vr":"SQ"}, "00101001":{"Value":[{},{}],"vr":"PN"},
      "00080060":{"Value":["CT"],"more":{"a":[{"b":null}]},"vr":"CS"}}]]
    assert.equal("a==p", ds.PatientName)
    assert.equal("1.2", ds.ReferencedImageSequence[2].ReferencedSOPInstanceUID)
    assert.equal(2, #ds.ReferencedSOPSequence)
    assert.same({ "", "" }, ds.OtherPatientNames:copy())
    assert.equal("CT", ds.Modality)
    local tags = {}
    for e in ds:elements() do tags[#tags + 1] = e.tag end
    assert.same({ 0x00080060, 0x00081140, 0x00081199, 0x00100010, 0x00101001 }, tags)
    assert.same({}, ds.repairs)
  end)

  it("takes the VR from the dictionary where none is given, and tags as others write them", function()
    local ds = assert(decode('{"0010,0010":{"Name":"PatientName","Type":"String","Value":"A^B"},' ..
      '"Modality":{"Value":["CT"]},' ..
      '"0008,1140":{"Type":"Sequence","Value":[{"0008,1155":{"Value":"1.2"}}]},"00280010":{"Value":[5]},' ..
      '"0009,1001,ACME":{"Value":null}}'))
    assert.equal("A^B", ds.PatientName)
    assert.equal("CT", ds.Modality)
    assert.equal(5, ds.Rows)
    assert.equal("1.2", ds.ReferencedImageSequence[1].ReferencedSOPInstanceUID)
    assert.equal("UN", ds:vr "0009,1001")
  end)

  it("is UTF-8: text beyond ASCII makes the set ISO_IR 192, whatever is declared", function()
    assert.equal("é", decode '{"00104000":{"vr":"LT","Value":["\\u00e9"]}}'.PatientComments)
    assert.same({ "ISO_IR 192" }, decode '{"00104000":{"vr":"LT","Value":["é"]}}'.SpecificCharacterSet:copy())
    local ds = decode('{"00080005":{"vr":"CS","Value":["ISO_IR 100"]},' ..
      '"00104000":{"vr":"LT","Value":["\\ud83d\\ude00"]}}')
    assert.equal("\u{1F600}", ds.PatientComments)
    assert.equal("\u{1F600}", dicom.open(ds:bytes { part10 = true }).PatientComments)
    assert.is_nil(decode '{"00104000":{"vr":"LT","Value":["e"]}}'.SpecificCharacterSet)
    local item = decode('{"00081140":{"vr":"SQ","Value":[{"00080005":{"vr":"CS"},' ..
      '"00104000":{"vr":"LT","Value":["é"]}}]}}')
    assert.equal("é", item.ReferencedImageSequence[1].PatientComments)
  end)

  it("reads an array as a list, also of one and of none", function()
    assert.same({}, decode " [ ] ")
    assert.equal(1, #decode '[{}]')
    local list = decode '[{"00080060":{"vr":"CS","Value":["CT"]}},{"00080060":{"vr":"CS","Value":["MR"]}}]'
    assert.equal("CT MR", list[1].Modality .. " " .. list[2].Modality)
  end)

  it("is fed in pieces of any size", function()
    local text = '\xEF\xBB\xBF{"00100010":{"vr":"PN","Value":[{"Alphabetic":"J\\u00e9r\\ud83d\\ude00é\\n"}]},' ..
      '"00280010":{"vr":"US","Value":[12345]}}'
    for size = 1, 7 do
      local at = 1
      local ds = assert(decode(function()
        if at > #text then return nil end
        at = at + size
        return text:sub(at - size, at - 1)
      end))
      assert.equal("Jér\u{1F600}é\n", ds:raw "PatientName")
      assert.equal(12345, ds.Rows)
    end
  end)

  it("asks for bytes that lie elsewhere, or leaves them empty and says so", function()
    local text = '{"7FE00010":{"vr":"OW","BulkDataURI":"http://x/1"},"00281201":{"vr":"OW","BulkDataURI":"y"}}'
    local asked = {}
    local ds = assert(decode(text, { bulk = function(uri, tag, vr)
      asked[#asked + 1] = ("%s %08X %s"):format(uri, tag, vr)
      return uri ~= "y" and "abcd" or nil
    end }))
    assert.same({ "http://x/1 7FE00010 OW", "y 00281201 OW" }, asked)
    assert.equal("abcd", ds:raw "PixelData")
    assert.equal("", ds:raw "0028,1201")
    assert.equal(1, #ds.repairs)
    assert.equal(0x00281201, ds.repairs[1].tag)
    assert.equal(62, ds.repairs[1].offset)
    local function comments(bytes)
      return decode('{"00104000":{"vr":"LT","BulkDataURI":"x"}}', { bulk = function() return bytes end })
    end
    assert.equal("é", comments "é".PatientComments)
    local none, err = comments "\xE9"
    assert.is_nil(none)
    assert.equal("bad text", err.code)
    assert.equal(0x00104000, err.tag)
  end)

  it("keeps the first of a tag that comes twice, and says so", function()
    local ds = decode '{"00080060":{"vr":"CS","Value":["CT"]},"00080060":{"vr":"CS","Value":["MR"]}}'
    assert.equal("CT", ds.Modality)
    assert.equal(1, #ds.repairs)
  end)

  it("refuses what is no JSON, at its byte", function()
    local cases = {
      { "", 0 }, { "  ", 2 }, { "{", 1 }, { "}", 0 }, { "{]", 1 }, { "[", 1 }, { "[}", 1 }, { "{} {}", 3 },
        { "{}x", 2 }, { "{},", 2 },
      { '{"00100010"}', 11 }, { '{"00100010":}', 12 }, { '{"00100010":{},}', 15 }, { "{,}", 1 }, { "[{},]", 4 },
        { "[,{}]", 1 },
      { "nul", 0 }, { "null", 0 }, { '"x"', 0 }, { "5", 0 }, { "[5]", 1 }, { "[[]]", 1 }, { "{'a':1}", 1 },
        { "{5:1}", 1 },
      { '{"00100010":{"vr":"LO","Value":["a]}}', 37 }, { '{"00100010":{"vr":"LO","Value":["a\nb"]}}', 34 },
      { '{"00100010":{"vr":"LO","Value":["\\x"]}}', 34 }, { '{"00100010":{"vr":"LO","Value":["\\u12G4"]}}', 37 },
      { '{"00100010":{"vr":"LO","Value":[01]}}', 32 }, { '{"00100010":{"vr":"LO","Value":[1.]}}', 32 },
      { '{"00100010":{"vr":"LO","Value":[+1]}}', 32 }, { '{"00100010":{"vr":"LO","Value":[.5]}}', 32 },
      { '{"00100010":{"vr":"LO","Value":[1e]}}', 32 }, { '{"00100010":{"vr":"LO","Value":[tru]}}', 32 },
      { '{"00100010":{"vr":"LO","Value":["a" "b"]}}', 36 }, { '{"00100010":{"vr":"LO" "Value":[]}}', 23 },
      { '{"00100010":"DOE"}', 12 }, { '{"00100010":[]}', 12 }, { '{"00100010":{"vr":"LO","Value":{}}}', 31 },
      { '{"00100010":{"vr":"LO"},"00100020"', 34 }, { "{\0}", 1 }, { "// x\n{}", 0 },
    }
    for _, case in ipairs(cases) do
      local ds, err = decode(case[1])
      assert.is_nil(ds, case[1])
      assert.equal("bad json", err.code, case[1])
      assert.equal(case[2], err.offset, case[1])
    end
  end)

  it("refuses what is no DICOM, at its byte, with the tag", function()
    local cases = {
      { "bad tag", '{"0010":{"vr":"LO"}}', 1 }, { "bad tag", '{"NoSuchKeyword":{"vr":"LO"}}', 1 },
        { "bad tag", '{"0010001G":{}}', 1 },
      { "bad tag", '{"00000002":{"vr":"UI"}}', 1 }, { "bad tag", '{"FFFEE000":{"vr":"UI"}}', 1 },
        { "bad tag", '{"":{}}', 1 },
      { "bad tag", '{"00081140":{"vr":"SQ","Value":[{"00020010":{"vr":"UI"}}]}}', 33 },
      { "bad vr", '{"00100010":{"vr":"XX"}}', 18 }, { "bad vr", '{"00100010":{"vr":5}}', 18 },
        { "bad vr", '{"00100010":{"vr":"LO","vr":"LO"}}', 28 },
      { "bad vr", '{"00080005":{"vr":"LO","Value":["x"]}}', 12 },
      { "bad value", '{"00280010":{"vr":"US","Value":[65536]}}', 12 },
        { "bad value", '{"00280010":{"vr":"US","Value":[-1]}}', 12 },
      { "bad value", '{"00280010":{"vr":"US","Value":[1.5]}}', 12 },
        { "bad value", '{"00280010":{"vr":"US","Value":["a"]}}', 12 },
      { "bad value", '{"00280010":{"vr":"US","Value":[1,null]}}', 12 },
        { "bad value", '{"00280010":{"vr":"US","Value":[true]}}', 32 },
      { "bad value", '{"00280010":{"vr":"US","Value":[[1]]}}', 32 },
        { "bad value", '{"00280010":{"vr":"US","Value":[{"Alphabetic":"a"}]}}', 12 },
      { "bad value", '{"00280010":{"vr":"SV","Value":[9223372036854775808]}}', 12 },
      { "bad value", '{"00280010":{"vr":"FL","Value":[1e39]}}', 12 },
        { "bad value", '{"00280010":{"vr":"FD","Value":[1e999]}}', 12 },
      { "bad value", '{"00280010":{"vr":"AT","Value":["0010"]}}', 12 },
        { "bad value", '{"00280010":{"vr":"AT","Value":["0010001X"]}}', 12 },
      { "bad value", '{"00280010":{"vr":"IS","Value":[1.5]}}', 12 },
        { "bad value", '{"00280010":{"vr":"DS","Value":[1e999]}}', 12 },
      { "bad value", '{"00280010":{"vr":"LT","Value":["a","b"]}}', 12 },
        { "bad value", '{"00280010":{"vr":"UN","Value":["a"]}}', 12 },
      { "bad value", '{"00280010":{"vr":"SQ","Value":["a"]}}', 12 },
        { "bad value", '{"00280010":{"vr":"SQ","InlineBinary":"AA=="}}', 12 },
      { "bad value", '{"00280010":{"vr":"LO","Value":[{"00100010":{"vr":"PN"}}]}}', 12 },
      { "bad value", '{"00280010":{"vr":"SQ","Value":["a",{"00100010":{"vr":"PN"}}]}}', 36 },
      { "bad value", '{"00280010":{"vr":"SQ","Value":[{"00100010":{"vr":"PN"}},"a"]}}', 57 },
      { "bad value", '{"00280010":{"vr":"PN","Value":[{"Alphabetic":5}]}}', 46 },
      { "bad value", '{"00280010":{"vr":"OB","InlineBinary":"A"}}', 38 },
        { "bad value", '{"00280010":{"vr":"OB","InlineBinary":"A*=="}}', 38 },
      { "bad value", '{"00280010":{"vr":"OB","InlineBinary":"AA="}}', 38 },
        { "bad value", '{"00280010":{"vr":"OB","InlineBinary":"AA==AA=="}}', 38 },
      { "bad value", '{"00280010":{"vr":"OB","InlineBinary":5}}', 38 },
        { "bad value", '{"00280010":{"vr":"LO","InlineBinary":"AA=="}}', 12 },
      { "bad value", '{"00280010":{"vr":"OB","InlineBinary":"AA==","Value":[1]}}', 53 },
      { "bad text", '{"00280010":{"vr":"LO","Value":["\xE9"]}}', 32 },
        { "bad text", '{"00280010":{"vr":"LO","Value":["\\ud800"]}}', 39 },
      { "bad text", '{"00280010":{"vr":"LO","Value":["\\udc00"]}}', 39 },
        { "bad text", '{"00280010":{"vr":"LO","Value":["\\ud800\\u0041"]}}', 45 },
      { "bad text", '{"00020016":{"vr":"AE","Value":["é"]}}', 12 },
    }
    for _, case in ipairs(cases) do
      local ds, err = decode(case[2])
      assert.is_nil(ds, case[2])
      assert.equal(case[1], err.code, case[2])
      assert.equal(case[3], err.offset, case[2])
    end
    assert.equal(0x00280010, select(2, decode '{"00280010":{"vr":"US","Value":[65536]}}').tag)
  end)

  it("keeps its limits: depth, elements, length of a value", function()
    local function nested(n) return ('{"00081140":{"vr":"SQ","Value":['):rep(n) .. "{}" .. ("]}}"):rep(n) end
    assert(decode(nested(64)))
    assert.equal("too deep", select(2, decode(nested(65))).code)
    assert.equal("too deep", select(2, decode(nested(3), { limits = { depth = 2 } })).code)
    assert.equal("too deep", select(2, decode('{"00100010":{"x":' .. ("["):rep(100000))).code)
    assert.equal("too deep", select(2, decode(('{"00081140":{"Value":['):rep(100000))).code)
    assert.equal("too many elements", select(2, decode('{"00081140":{"vr":"SQ","Value":[{},{},{}]}}',
      { limits = { elements = 3 } })).code)
    assert.equal("too long", select(2, decode('{"00100010":{"vr":"LO","Value":["' .. ("a"):rep(101) .. '"]}}',
      { limits = { inflated = 100 } })).code)
  end)

  it("raises for what is no text", function()
    for _, case in ipairs { { nil }, { 5 }, { {} }, { "{}", { bulk = 1 } }, { "{}", { depth = 1 } } } do
      local ok, err = pcall(decode, case[1], case[2])
      assert.is_false(ok)
      assert.equal("usage", err.code)
    end
  end)

  it("gives back what was written: text, numbers, items, private elements", function()
    for _, style in ipairs { "implicit", "explicit", "big" } do
      local ds = read(made.sample(style), style)
      local back = assert(decode(ds:json()))
      assert.same({}, ds:diff(back, { ignore = { "SpecificCharacterSet" } }))
      assert.equal(ds:json(), back:json())
      assert.equal(ds:json(), decode(ds:json { pretty = true }):json())
    end
  end)
end)
