-- SPDX-License-Identifier: MIT
-- Writing: what is untouched stands byte for byte, what changed is encoded anew, and lengths above it are right.
local dicom = require "dicom"
local made = require "spec.support.made"
local element, even = made.element, made.even

local STYLES = {
  { "implicit", made.IMPLICIT }, { "explicit", made.EXPLICIT }, { "big", made.BIG },
}
local e, i = made.encoder "explicit", made.encoder "implicit"
local OT = e(0x00080060, "CS", "OT")

local function open(body, syntax)
  return assert(dicom.open(body, { syntax = syntax or made.EXPLICIT, strict = true }))
end

local function bytes(ds, options)
  return assert(ds:bytes(options))
end

-- Compares bytes; a failure shows where they part.
local function same_bytes(want, got)
  if want == got then return end
  local n = 1
  while want:byte(n) == got:byte(n) do n = n + 1 end
  local function hex(s) return (s:sub(n, n + 23):gsub(".", function(c) return ("%02X "):format(c:byte()) end)) end
  error(("bytes differ at %d (of %d, %d):\n%s\n%s"):format(n - 1, #want, #got, hex(want), hex(got)), 2)
end

describe("without a change", function()
  for _, s in ipairs(STYLES) do
    it("bytes stay: " .. s[1], function()
      local body = made.sample(s[1])
      same_bytes(body, bytes(open(body, s[2])))
      same_bytes(made.file(s[2], body), bytes(assert(dicom.open(made.file(s[2], body))), { part10 = true,
      raw = true }))
    end)
  end
  it("a deflated stream stays, whatever made it", function()
    local body = even(made.deflate(made.sample "explicit"))
    same_bytes(body, bytes(open(body, made.DEFLATED)))
  end)
  it("fragments stay", function()
    local body = OT .. made.fragments("\0\0\0\0", "abcd", "ef")
    same_bytes(body, bytes(open(body, made.JPEG)))
  end)
  it("group lengths stay (PS3.5 7.2)", function()
    local body = e(0x00080000, "UL", "\10\0\0\0") .. OT
    same_bytes(body, bytes(open(body)))
  end)
end)

describe("a change", function()
  for _, s in ipairs(STYLES) do
    it("leaves everything else as it stood: " .. s[1], function()
      local enc = made.encoder(s[1])
      local body = made.sample(s[1])
      local ds = open(body, s[2])
      ds.PatientName = "ROE^RICHARD"
      local from, to = body:find(enc(0x00100010, "PN", "DOE^JANE"), 1, true)
      same_bytes(body:sub(1, from - 1) .. enc(0x00100010, "PN", "ROE^RICHARD ") .. body:sub(to + 1), bytes(ds))
    end)
    it("deep inside puts the lengths above it right, each in its own form: " .. s[1], function()
      local enc = made.encoder(s[1])
      local function body(code)
        local inner = enc(0x00080100, "SH", code)
        return enc(0x00080060, "CS", "OT") ..
          enc.sequence(0x00081140, enc.item(enc(0x00081155, "UI", "1.20")), enc.item(enc.open_sequence(0x0040A170,
            enc.item(inner), enc.open_item ""))) ..
          enc.open_sequence(0x00082112, enc.open_item(enc.sequence(0x0040A170, enc.item(inner))))
      end
      local ds = open(body "CODE", s[2])
      ds.ReferencedImageSequence[2].PurposeOfReferenceCodeSequence[1].CodeValue = "LONGER"
      ds.SourceImageSequence[1].PurposeOfReferenceCodeSequence[1].CodeValue = "LONGER"
      same_bytes(body "LONGER", bytes(ds))
    end)
  end
  it("drops group lengths of its own data set alone", function()
    local function body(mark, name)
      return mark .. e.sequence(0x00081140, e.item(e(0x00080000, "UL", "\10\0\0\0") .. OT)) .. e(0x00100010, "PN",
      name)
    end
    local ds = open(body(e(0x00080000, "UL", "\10\0\0\0"), "DOE^JANE"))
    ds.PatientName = "ROE^JOHN"
    same_bytes(body("", "ROE^JOHN"), bytes(ds))
  end)
  it("adding and removing items keeps the others' bytes", function()
    local a, b, c = e.open_item(e(0x00081155, "UI", "1.20")), e.item(e(0x00081155, "UI", "1.21")), e.item ""
    local ds = open(e.sequence(0x00081140, a, b, c))
    ds.ReferencedImageSequence[2] = nil
    ds.ReferencedImageSequence[3] = { ReferencedSOPInstanceUID = "1.22" }
    same_bytes(e.sequence(0x00081140, a, c, e.item(e(0x00081155, "UI", "1.22"))), bytes(ds))
  end)
  it("new sequences have defined lengths", function()
    local ds = dicom.dataset { Modality = "OT", ReferencedImageSequence = { { ReferencedSOPInstanceUID = "1.20" },
    {} } }
    same_bytes(OT .. e.sequence(0x00081140, e.item(e(0x00081155, "UI", "1.20")), e.item ""), bytes(ds))
  end)
  it("is kept apart from the copy it was made in", function()
    local body = made.sample "explicit"
    local ds = open(body)
    local copy = ds:copy()
    copy.SourceImageSequence[1].ReferencedSOPInstanceUID = "9.9"
    copy.PatientName = nil
    same_bytes(body, bytes(ds))
    assert.equal("9.9", open(bytes(copy)).SourceImageSequence[1].ReferencedSOPInstanceUID)
    same_bytes(body, bytes(ds:copy()))
  end)
end)

describe("values", function()
  it("are padded as their VR says (PS3.5 6.2)", function()
    local ds = dicom.dataset { SOPInstanceUID = "1.2.3", Modality = "CTX" }
    ds:set("PixelData", "abc", "OB")
    same_bytes(e(0x00080018, "UI", "1.2.3\0") .. e(0x00080060, "CS", "CTX ") .. e(0x7FE00010, "OB", "abc\0"),
    bytes(ds))
  end)
  it("too long for a 16-bit length become UN (PS3.5 6.2.2)", function()
    local long = ("12345678\\"):rep(8000) .. "12345678"
    local body = i(0x30060050, "DS", long)
    local ds = open(body, made.IMPLICIT)
    same_bytes(e(0x30060050, "UN", long), bytes(ds, { syntax = made.EXPLICIT }))
    same_bytes(made.element(0x30060050, "UN", long, true), bytes(ds, { syntax = made.BIG }))
    local back = open(bytes(ds, { syntax = made.EXPLICIT }))
    assert.equal(8001, #back.ContourData)
    same_bytes(body, bytes(back, { syntax = made.IMPLICIT }))
  end)
  it("of numbers too long for a 16-bit length are little endian in UN", function()
    local words = ("\1\2"):rep(33000)
    local ds = open(made.element(0x00283006, "OW", words, true) .. element(0x00660016, "OF", "", true), made.BIG)
    same_bytes(e(0x00283006, "OW", ("\2\1"):rep(33000)) .. e(0x00660016, "OF", ""), bytes(ds,
    { syntax = made.EXPLICIT }))
    local numbers = {}
    for n = 1, 33000 do numbers[n] = 0x0201 end
    local us = dicom.dataset {}
    us:set(0x00283006, numbers, "US")
    same_bytes(element(0x00283006, "UN", words, true), bytes(us, { syntax = made.BIG }))
  end)
end)

describe("conversion", function()
  local want = made.lines(open(made.sample "explicit"))
  for _, from in ipairs { { "implicit", made.IMPLICIT }, STYLES[2], STYLES[3], { "deflated", made.DEFLATED } } do
    for _, to in ipairs { { "implicit", made.IMPLICIT }, STYLES[2], STYLES[3], { "deflated", made.DEFLATED } } do
      it(from[1] .. " to " .. to[1], function()
        local body = from[1] == "deflated" and even(made.deflate(made.sample "explicit")) or made.sample(from[1])
        local out = bytes(open(body, from[2]), { syntax = to[2] })
        if to[1] ~= "deflated" then
          same_bytes(made.sample(to[1]), out)
        else
          assert.equal(0, #out % 2)
          assert.same(want, made.lines(open(out, made.DEFLATED)))
        end
      end)
    end
  end
  it("turns every width of number", function()
    local numbers = { US = 2, SS = 2, AT = 2, OW = 2, UL = 4, SL = 4, FL = 4, OL = 4, OF = 4, FD = 8, OD = 8,
    UV = 8, SV = 8,
      OV = 8, OB = 1, LO = 1 }
    local order = { "US", "SS", "AT", "OW", "UL", "SL", "FL", "OL", "OF", "FD", "OD", "UV", "SV", "OV", "OB", "LO" }
    local source = "ABCDEFGHIJKLMNOP"
    local little, big = e(0x00090010, "LO", "MADE"), element(0x00090010, "LO", "MADE", true)
    for n, vr in ipairs(order) do
      local width = numbers[vr]
      local turned = source:gsub(("."):rep(width), string.reverse)
      little = little .. e(0x00091000 + n, vr, source)
      big = big .. element(0x00091000 + n, vr, turned, true)
    end
    same_bytes(big, bytes(open(little), { syntax = made.BIG }))
    same_bytes(little, bytes(open(big, made.BIG), { syntax = made.EXPLICIT }))
  end)
  it("leaves UN as UN, and what is inside in implicit little endian", function()
    local inside = i.open_item(i(0x00280010, "US", "\2\1")) .. element(0xFFFEE0DD, nil, "")
    local function body(big)
      return element(0x00090010, "LO", "MADE", big) ..
        element(0x00091001, "UN", inside, big, made.UNDEFINED) .. element(0x00280010, "UN", "\2\1", big)
    end
    same_bytes(body(true), bytes(open(body(false)), { syntax = made.BIG }))
    same_bytes(body(false), bytes(open(body(true), made.BIG), { syntax = made.EXPLICIT }))
    local ds = open(body(true), made.BIG)
    ds[0x00091001][1].Rows = 259
    local back = open(bytes(ds), made.BIG)
    assert.equal(259, back[0x00091001][1].Rows)
    local vrs = {}
    for el in back:elements() do vrs[#vrs + 1] = el.vr end
    assert.same({ "LO", "UN", "UN" }, vrs)
  end)
  it("keeps private sequences readable without VRs", function()
    local body = e(0x00090010, "LO", "NOBODY KNOWS") .. e.sequence(0x00091001, e.item(OT))
    local out = bytes(open(body), { syntax = made.IMPLICIT })
    assert.equal("OT", open(out, made.IMPLICIT)[0x00091001][1].Modality)
  end)
  it("of fragments needs a codec", function()
    local ds = open(OT .. made.fragments("", "ab"), made.JPEG)
    for _, to in ipairs { made.EXPLICIT, made.IMPLICIT, made.DEFLATED, "1.2.840.10008.1.2.4.90" } do
      local out, err = ds:bytes { syntax = to }
      assert.is_nil(out)
      assert.equal("cannot convert", err.code)
      assert.equal(0x7FE00010, err.tag)
    end
    local nested = open(OT .. e.sequence(0x00880200, e.item(made.fragments("", "ab"))), made.JPEG)
    assert.equal("cannot convert", select(2, nested:bytes { syntax = made.EXPLICIT }).code)
    assert.equal("cannot convert", select(2, open(made.sample "explicit"):bytes { syntax = made.JPEG }).code)
  end)
  it("of an encapsulated data set without fragments needs none", function()
    same_bytes(OT, bytes(open(OT, made.JPEG), { syntax = made.EXPLICIT }))
  end)
end)

describe("file meta (PS3.10 7.1)", function()
  local function head(syntax, sop_class, instance, aet)
    local body = element(0x00020001, "OB", "\0\1") .. (sop_class and element(0x00020002, "UI",
    even(sop_class)) or "") ..
      (instance and element(0x00020003, "UI", even(instance)) or "") .. element(0x00020010, "UI", even(syntax)) ..
      element(0x00020012, "UI", even "2.25.302806017415867233868271826190422361229") ..
      element(0x00020013, "SH", even("DICOM_LUA_0", " ")) .. (aet and element(0x00020016, "AE", even(aet, " ")) or "")
    return ("\0"):rep(128) .. "DICM" .. element(0x00020000, "UL", ("<I4"):pack(#body)) .. body
  end
  it("is made anew, from the data set's own UIDs", function()
    local ds = assert(dicom.open(made.file(made.EXPLICIT, made.sample "explicit")))
    ds.SOPInstanceUID = "1.2.77"
    local out = bytes(ds, { part10 = true, source_aet = "SENDER" })
    same_bytes(head(made.EXPLICIT, "1.2.840.10008.5.1.4.1.1.7", "1.2.77", "SENDER"), out:sub(1, #out - #bytes(ds)))
    out = bytes(ds, { part10 = true, syntax = made.IMPLICIT })
    assert.equal(head(made.IMPLICIT, "1.2.840.10008.5.1.4.1.1.7", "1.2.77"), out:sub(1, #head(made.IMPLICIT,
      "1.2.840.10008.5.1.4.1.1.7", "1.2.77")))
  end)
  it("takes from the old meta what a data set without UIDs does not say", function()
    local ds = assert(dicom.open(made.file(made.EXPLICIT, e(0x00041130, "CS", "DIR1"))))
    local want = head(made.EXPLICIT, "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4")
    same_bytes(want, bytes(ds, { part10 = true }):sub(1, #want))
  end)
  it("the preamble is not carried along, but by raw", function()
    local file = "MZ" .. made.file(made.EXPLICIT, OT):sub(3)
    local ds = assert(dicom.open(file))
    assert.equal(("\0"):rep(128), bytes(ds, { part10 = true }):sub(1, 128))
    same_bytes(file, bytes(ds, { part10 = true, raw = true }))
  end)
  it("stays in front of an unchanged DICOMDIR, whose records point at offsets in the file (PS3.3 F.3.2.2)", function()
    local file = made.file(made.EXPLICIT, e(0x00041200, "UL", ("<I4"):pack(300)) .. e.sequence(0x00041220, e.item ""))
    same_bytes(file, bytes(assert(dicom.open(file)), { part10 = true }))
    assert.is_false(file == bytes(assert(dicom.open(file)), { part10 = true, syntax = made.IMPLICIT }))
  end)
  it("what was set in ds.meta goes along", function()
    local ds = assert(dicom.open(made.file(made.EXPLICIT, made.sample "explicit")))
    ds.meta.SendingApplicationEntityTitle = "GATE"
    local back = assert(dicom.open(bytes(ds, { part10 = true }), { strict = true }))
    assert.equal("GATE", back.meta.SendingApplicationEntityTitle)
  end)
end)

describe("raw", function()
  it("with a change keeps the flaws of the rest", function()
    local odd = e(0x00080070, "LO", "ODD")
    local file = made.file(made.EXPLICIT, OT .. odd .. e(0x00100010, "PN", "DOE^JANE"))
    local ds = assert(dicom.open(file))
    ds.PatientName = "ROE^JOHN"
    same_bytes(made.file(made.EXPLICIT, OT .. odd .. e(0x00100010, "PN", "ROE^JOHN")), bytes(ds, { part10 = true,
    raw = true }))
    local mended = bytes(ds, { part10 = false })
    same_bytes(OT .. e(0x00080070, "LO", "ODD ") .. e(0x00100010, "PN", "ROE^JOHN"), mended)
  end)
end)

describe("large values", function()
  local folder
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
  end)
  teardown(function() os.execute("rm -rf " .. folder) end)
  it("are copied and turned block by block from their file", function()
    local size = 1000000 -- not a multiple of a block
    local words = ("\1\2\3\4"):rep(size // 4)
    local path = folder .. "/big.dcm"
    local f = assert(io.open(path, "wb"))
    f:write(made.file(made.EXPLICIT, made.sample "explicit":sub(1, -25) .. e(0x7FE00010, "OW", words)))
    f:close()
    local ds = assert(dicom.open(path, { strict = true }))
    ds.PatientName = "ROE^RICHARD"
    for _, syntax in ipairs { made.EXPLICIT, made.IMPLICIT, made.BIG, made.DEFLATED } do
      assert(ds:save(folder .. "/out.dcm", { syntax = syntax }))
      local back = assert(dicom.open(folder .. "/out.dcm", { strict = true }))
      assert.equal("ROE^RICHARD", back.PatientName)
      local expected = syntax == made.BIG and ("\2\1\4\3"):rep(size // 4) or words
      assert.is_true(expected == back:raw "PixelData", syntax)
    end
  end)
end)

describe("random changes", function()
  local KEYS = { "PatientName", "PatientID", "StudyDescription", "Manufacturer", "ImageComments" }
  local function change(ds, depth)
    local what = math.random(6)
    if what <= 2 then
      ds[KEYS[math.random(#KEYS)]] = ("x"):rep(math.random(0, 40))
    elseif what == 3 then
      ds[KEYS[math.random(#KEYS)]] = nil
    elseif what == 4 and depth < 4 then
      ds.ReferencedImageSequence = { { PatientID = "new" } }
    elseif what == 5 and ds.SourceImageSequence and #ds.SourceImageSequence > 0 then
      ds.SourceImageSequence[math.random(#ds.SourceImageSequence)] = nil
    elseif ds.ReferencedImageSequence and #ds.ReferencedImageSequence > 0 then
      change(ds.ReferencedImageSequence[1], depth + 1)
    end
  end
  for _, s in ipairs(STYLES) do
    it("read back as they were made: " .. s[1], function()
      math.randomseed(7)
      for _ = 1, 60 do
        local ds = open(made.sample(s[1]), s[2])
        for _ = 1, math.random(1, 12) do change(ds, 0) end
        local out = bytes(ds)
        assert.same(ds:totable(), open(out, s[2]):totable())
        same_bytes(out, bytes(open(out, s[2])))
        same_bytes(out, bytes(ds:copy()))
      end
    end)
  end
end)
