-- SPDX-License-Identifier: MIT
-- Frames of pixel data as bytes (PS3.5 8.1, A.4; PS3.3 C.7.6.3, C.7.6.6): where they are, what is said when a table
-- lies, and making pixel data frame by frame.
local core = require "dicom.core"
local dicom = require "dicom"
local made = require "spec.support.made"

local RLE, J2K, DEFLATED_FRAMES = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.8.1"

-- The header of an image; `with` adds or replaces: { [tag] = { vr, value } }.
local function header(style, with)
  local e, rows = made.encoder(style), {}
  local function put(tag, vr, value) rows[tag] = e(tag, vr, value) end
  put(0x00280002, "US", e.u16(with.samples or 1))
  put(0x00280004, "CS", with.photometric or "MONOCHROME2 ")
  if with.frames then put(0x00280008, "IS", made.even(with.frames, " ")) end
  put(0x00280010, "US", e.u16(with.rows or 2))
  put(0x00280011, "US", e.u16(with.columns or 2))
  put(0x00280100, "US", e.u16(with.bits or 8))
  for tag, value in pairs(with.more or {}) do rows[tag] = value end
  local tags, parts = {}, {}
  for tag in pairs(rows) do tags[#tags + 1] = tag end
  table.sort(tags)
  for i, tag in ipairs(tags) do parts[i] = rows[tag] end
  return table.concat(parts)
end

local SYNTAX = { implicit = made.IMPLICIT, explicit = made.EXPLICIT, big = made.BIG }

local function native(style, with, vr, value, tag)
  local body = header(style, with) .. made.encoder(style)(tag or 0x7FE00010, vr, value)
  return assert(dicom.open(made.file(SYNTAX[style], body)))
end

local function table_of(...)
  return ("<" .. ("I4"):rep(select("#", ...))):pack(...)
end

local function long(...)
  return ("<" .. ("I8"):rep(select("#", ...))):pack(...)
end

local function encapsulated(syntax, with, ...)
  return assert(dicom.open(made.file(syntax, header("explicit", with) .. made.fragments(...))))
end

local function frames(ds)
  local list = {}
  for n, bytes in ds:frames() do list[n] = bytes end
  return list
end

local function code(ds, n)
  local bytes, err = ds:frame_bytes(n)
  return bytes or err.code
end

local function noted(ds, what)
  for _, r in ipairs(ds.repairs) do
    if r.what:find(what, 1, true) then return true end
  end
  return false
end

-- A codestream of JPEG in pieces: start, end.
local function jpeg(fill) return "\255\216\255\224" .. fill .. "\255\217" end

describe("native frames", function()
  it("are where Rows, Columns, Samples per Pixel and Bits Allocated put them", function()
    for _, style in ipairs { "implicit", "explicit" } do
      local ds = native(style, { frames = "3", samples = 3, rows = 1, columns = 2 }, "OB", "abcdefABCDEF123456")
      assert.equal(3, ds:frame_count())
      assert.same({ "abcdef", "ABCDEF", "123456" }, frames(ds))
      assert.same({}, ds:fragments())
      ds = native(style, { frames = "2", bits = 16, rows = 1, columns = 1 }, "OW", "\1\2\3\4")
      assert.same({ "\1\2", "\3\4" }, frames(ds))
    end
  end)
  it("are one where Number of Frames is absent, empty or 0", function()
    for _, n in ipairs { false, "", "0" } do
      local ds = native("explicit", { frames = n or nil }, "OB", "abcd")
      assert.same({ 1, "abcd" }, { ds:frame_count(), ds:frame_bytes(1) })
    end
  end)
  it("of single bits do not begin with a byte (PS3.5 8.1.1)", function()
    -- 3 frames of 3x3: 0x1FF, 0x0AA, 0x155 one after another, first pixel in bit 0
    local all = 0x1FF | 0x0AA << 9 | 0x155 << 18
    local ds = native("explicit", { frames = "3", rows = 3, columns = 3, bits = 1 }, "OB", ("<I4"):pack(all))
    assert.same({ "\255\1", "\170\0", "\85\1" }, frames(ds))
  end)
  it("are little endian whatever the file is, by words for OW, also where frames begin in the middle of one", function()
    local ds = native("big", { frames = "2", bits = 16, rows = 1, columns = 1 }, "OW", "\1\2\3\4")
    assert.same({ "\2\1", "\4\3" }, frames(ds))
    ds = native("big", { frames = "2", bits = 8, rows = 1, columns = 3 }, "OW", "badcfe")
    assert.same({ "abc", "def" }, frames(ds))
    ds = native("big", { frames = "2", rows = 3, columns = 3, bits = 1 }, "OW", "\1\255\0\2")
    assert.same({ "\255\1", "\0\1" }, frames(ds))
  end)
  it("of 4:2:2 have two samples a pixel, unless the value is as long as three", function()
    local with = { frames = "2", samples = 3, photometric = "YBR_FULL_422", rows = 1, columns = 2 }
    assert.same({ "abcd", "efgh" }, frames(native("explicit", with, "OB", "abcdefgh")))
    local ds = native("explicit", with, "OB", "abcdefghijkl")
    assert.same({ "abcdef", "ghijkl" }, frames(ds))
    assert.is_true(noted(ds, "4:2:2"))
  end)
  it("of Float and Double Float Pixel Data have 32 and 64 bits", function()
    local one, two = ("<f"):pack(1.5), ("<f"):pack(-2)
    assert.same({ one, two }, frames(native("explicit", { frames = "2", rows = 1, columns = 1, bits = 32 }, "OF",
      one .. two, 0x7FE00008)))
    assert.equal(("<d"):pack(7), native("explicit", { rows = 1, columns = 1, bits = 64 }, "OD", ("<d"):pack(7),
      0x7FE00009):frame_bytes(1))
  end)
  it("behind the end of the value are an error, those before it are not", function()
    local ds = native("explicit", { frames = "3" }, "OB", "abcdefgh")
    assert.same({ "abcd", "efgh", "truncated" }, { code(ds, 1), code(ds, 2), code(ds, 3) })
    assert.equal("no such frame", code(ds, 4))
    assert.has_error(function() ds:frame_bytes(0) end)
  end)
  it("cannot be told without Rows, or where sizes overflow", function()
    local body = made.element(0x00280100, "US", "\8\0") .. made.element(0x7FE00010, "OB", "abcd")
    local bytes, err = assert(dicom.open(made.file(made.EXPLICIT, body))):frame_bytes(1)
    assert.same({ nil, "bad value", 0x00280010 }, { bytes, err.code, err.tag })
    local most = { frames = "2147483647", rows = 65535, columns = 65535, bits = 65535, samples = 65535 }
    local ds = native("explicit", most, "OB", "abcd")
    assert.is_nil((ds:frame_bytes(1)))
    ds = native("explicit", { frames = "many" }, "OB", "abcd")
    assert.same(0x00280008, select(2, ds:frame_count()).tag)
  end)
  it("in an item and of a data set without pixel data", function()
    local e = made.encoder "explicit"
    local icon = e.sequence(0x00880200, e.item(header("explicit", {}) .. e(0x7FE00010, "OB", "icon")))
    local ds = assert(dicom.open(made.file(made.JPEG, icon)))
    assert.equal("icon", ds.IconImageSequence[1]:frame_bytes(1))
    assert.equal("no pixel data", code(ds, 1))
  end)
  it("alone are read from the file", function()
    local e = made.encoder "explicit"
    local bytes = made.file(made.EXPLICIT, header("explicit", { frames = "100", rows = 100, columns = 100 }) ..
      e(0x7FE00010, "OB", ("x"):rep(500000) .. ("y"):rep(10000) .. ("z"):rep(490000)))
    local r = core.reader(bytes)
    local ds, offset, n = r:next()
    while ds == false do
      r:feed(offset, bytes:sub(offset + 1, offset + n))
      ds, offset, n = r:next()
    end
    assert.equal(("y"):rep(10000), ds:frame_bytes(51))
  end)
end)

describe("encapsulated frames", function()
  it("lie where the Basic Offset Table says", function()
    local ds = encapsulated(made.JPEG, { frames = "2" }, table_of(0, 20), "ab", "cd", "ef", "gh", "ij")
    assert.same({ "abcd", "efghij" }, frames(ds))
    assert.same({}, ds.repairs)
    local owners = {}
    for i, f in ipairs(ds:fragments()) do owners[i] = f.frame end
    assert.same({ 1, 1, 2, 2, 2 }, owners)
  end)
  it("lie where the Extended Offset Table says, without padding", function()
    local more = { [0x7FE00001] = made.element(0x7FE00001, "OV", long(0, 12)),
      [0x7FE00002] = made.element(0x7FE00002, "OV", long(3, 4)) }
    local ds = encapsulated(made.JPEG, { frames = "2", more = more }, "", "abc\0", "efgh")
    assert.same({ "abc", "efgh" }, frames(ds))
    assert.same({}, ds.repairs)
    more[0x7FE00001] = made.element(0x7FE00001, "OV", long(0, 20))
    more[0x7FE00002] = made.element(0x7FE00002, "OV", long(4, 2))
    ds = encapsulated(made.JPEG, { frames = "2", more = more }, "", "ab", "cd", "ef")
    assert.same({ "abcd", "ef" }, frames(ds))
    more[0x7FE00002] = nil
    ds = encapsulated(made.JPEG, { frames = "2", more = more }, table_of(0, 10), "ab", "cd", "ef")
    assert.same({ "ab", "cdef" }, frames(ds))
    assert.is_true(noted(ds, "Extended Offset Table without as many lengths"))
  end)
  it("are one fragment each where there are as many, whatever a table says", function()
    for _, basic in ipairs { "", table_of(0, 0, 0), table_of(0, 10, 999), table_of(0) } do
      local ds = encapsulated(RLE, { frames = "3" }, basic, "ab", "cd", "ef")
      assert.same({ "ab", "cd", "ef" }, frames(ds))
      assert.equal(basic ~= "", noted(ds, "offset table does not fit"))
    end
  end)
  it("are one where Number of Frames is 1, of all fragments", function()
    assert.same({ "abcdef" }, frames(encapsulated(made.JPEG, {}, "", "ab", "cd", "ef")))
    assert.same({ "abcdef" }, frames(encapsulated(made.JPEG, { frames = "1" }, table_of(0), "ab", "cd", "ef")))
  end)
  it("begin with a marker where no table helps: JPEG, JPEG 2000, JPEG XL, RLE", function()
    local soc, rle = "\255\79\255\81", ("<I4I4"):pack(1, 64) .. ("\0"):rep(56)
    for name, starts in pairs { jpeg = { made.JPEG, "\255\216\255\224aa", "bb\255\217" },
      j2k = { J2K, soc .. "aa", "bb\255\217" },
      xl = { "1.2.840.10008.1.2.4.110", "\255\10aaaa", "bbbb" }, rle = { RLE, rle .. "aa", "bbbb" },
      jp2 = { J2K, "\0\0\0\12jP  \13\10", "bb\255\217" } } do
      local syntax, a, z = table.unpack(starts)
      local ds = encapsulated(syntax, { frames = "2" }, "", a, "\1\2", z, a, z)
      assert.same({ a .. "\1\2" .. z, a .. z }, frames(ds), name)
      assert.same({}, ds.repairs)
    end
  end)
  it("begin after an end, so that a preview inside a frame begins none; padding may follow the end", function()
    local ds = encapsulated(made.JPEG, { frames = "2" }, "", "\255\216\255\225ab", jpeg "preview", "cd\255\217\0\0",
      "\255\216\255\224xx", "yy\255\217")
    -- the preview ends with a marker, too: only what follows an end counts
    assert.equal("\255\216\255\224xxyy\255\217", ds:frame_bytes(2))
  end)
  it("that no end closes still begin with a marker", function()
    local ds = encapsulated(made.JPEG, { frames = "2" }, "", "\255\216\255\224ab", "cd", "\255\216\255\224ef")
    assert.same({ "\255\216\255\224abcd", "\255\216\255\224ef" }, frames(ds))
  end)
  it("that cannot be told apart are an error, not a guess", function()
    local ds = encapsulated(J2K, { frames = "2" }, "", "ab", "cd", "ef")
    assert.same({ "unknown fragments", "unknown fragments" }, { code(ds, 1), code(ds, 2) })
    local err = select(2, ds:frame_bytes(2))
    assert.equal(0x7FE00010, err.tag)
    assert.is_truthy(err.text:find "frame 2")
  end)
  it("are fewer than Number of Frames says", function()
    local ds = encapsulated(made.JPEG, { frames = "5" }, "", jpeg "ab", jpeg "cd")
    assert.same({ jpeg "ab", jpeg "cd", "unknown fragments" }, { code(ds, 1), code(ds, 2), code(ds, 5) })
    assert.is_true(noted(ds, "Number of Frames"))
    ds = encapsulated(RLE, { frames = "2147483647" }, "", "ab", "cd")
    assert.same({ "ab", "cd", "unknown fragments" }, { code(ds, 1), code(ds, 2), code(ds, 3) })
  end)
  it("of a video are not frames; its one stream is its fragments", function()
    local video = "1.2.840.10008.1.2.4.102"
    assert.equal("video", code(encapsulated(video, { frames = "3" }, "", "abcd"), 1))
    assert.equal("abcd", code(encapsulated(video, {}, "", "abcd"), 1))
  end)
  it("of uncompressed and deflated frames are a fragment each", function()
    for _, syntax in ipairs { made.UNCOMPRESSED, DEFLATED_FRAMES } do
      assert.same({ "abcd", "efgh" }, frames(encapsulated(syntax, { frames = "2" }, table_of(0, 12), "abcd", "efgh")))
    end
  end)
end)

describe("an offset table that lies", function()
  -- Frames 1 to 4 have 2, 1, 2, 1 fragments: at 0, 20, 30, 50.
  local function lying(...)
    return encapsulated(made.JPEG, { frames = "4" }, table_of(...), "\255\216\255a", "bb", jpeg "",
      "\255\216\255c", "dd", "\255\216\255e")
  end
  local F = { "\255\216\255abb", jpeg "", "\255\216\255cdd", "\255\216\255e" }
  it("when it does not: all are read", function()
    local ds = lying(0, 22, 36, 58)
    assert.same(F, frames(ds))
    assert.same({}, ds.repairs)
  end)
  for name, case in pairs {
    ["past the end"] = { { 0, 22, 99999, 58 }, 3 }, ["inside a fragment"] = { { 0, 23, 36, 58 }, 2 },
    ["not ascending"] = { { 0, 22, 22, 58 }, 3 }, ["first not at the start"] = { { 5, 22, 36, 58 }, 1 },
    ["last behind the end"] = { { 0, 22, 36, 0xFFFFFFFF }, 4 },
  } do
    it(name .. ": an error for that frame, the others are read, and a note", function()
      local ds = lying(table.unpack(case[1]))
      for n = 1, 4 do assert.equal(n == case[2] and "bad offset table" or F[n], code(ds, n)) end
      assert.is_true(noted(ds, "offset table does not lead to every frame"))
      assert.equal(1, #ds.repairs)
      ds.PatientID = "changed"
      ds:frame_bytes(1)
      assert.equal(1, #ds.repairs)
    end)
  end
  it("too short: the frames it has", function()
    local ds = lying(0, 22)
    local bad = "bad offset table"
    assert.same({ F[1], F[2], bad, bad }, { code(ds, 1), code(ds, 2), code(ds, 3), code(ds, 4) })
  end)
end)

describe("making pixel data", function()
  local function new(with)
    local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID = "1.2.3", Rows = 2,
      Columns = 2, SamplesPerPixel = 1, BitsAllocated = 8, PhotometricInterpretation = "MONOCHROME2" }
    for k, v in pairs(with or {}) do ds[k] = v end
    return ds
  end
  local function again(ds, options)
    return assert(dicom.open(assert(ds:bytes { part10 = true }), options or { strict = true }))
  end
  it("set_frames makes fragments, even ones, with a Basic Offset Table", function()
    local ds = new()
    assert(ds:set_frames({ "abc", "defg", "h" }, { syntax = "JPEGBaseline8Bit" }))
    assert.same({ made.JPEG, 3 }, { ds.syntax, ds.NumberOfFrames })
    for e in again(ds):elements() do
      if e.keyword == "PixelData" then assert.same({ 12, 4, 4, 2 }, e.fragments) end
    end
    assert.equal(table_of(0, 12, 24), again(ds).PixelData[0])
    assert.same({ "abc\0", "defg", "h\0" }, frames(again(ds)))
    assert.same(frames(ds), frames(again(ds)))
  end)
  it("one frame needs no Number of Frames; one that is there follows", function()
    local ds = new()
    assert(ds:set_frames({ "ab" }, { syntax = made.JPEG }))
    assert.is_false(ds:has "NumberOfFrames")
    ds = new { NumberOfFrames = 7 }
    assert(ds:set_frames({ "ab" }, { syntax = made.JPEG }))
    assert.equal(1, ds.NumberOfFrames)
  end)
  it("with an Extended Offset Table when asked, the Basic one empty (PS3.3 C.7.6.3.1.8)", function()
    local ds = new()
    assert(ds:set_frames({ "abc", "defg" }, { syntax = made.JPEG, extended = true }))
    local back = again(ds)
    assert.same({ long(0, 12), long(4, 4), "" }, { back:raw "ExtendedOffsetTable",
      back:raw "ExtendedOffsetTableLengths", back.PixelData[0] })
    assert(back:append_frame "hi")
    assert.same({ long(0, 12, 24), long(4, 4, 2) }, { again(back):raw "ExtendedOffsetTable",
      again(back):raw "ExtendedOffsetTableLengths" })
    assert.same({ "abc\0", "defg", "hi" }, frames(again(back)))
    assert(back:set_frames { "xy" })
    assert.is_false(back:has "ExtendedOffsetTable")
  end)
  it("append_frame adds to what a file holds, and mends its tables", function()
    local ds = encapsulated(made.JPEG, { frames = "2" }, "", jpeg "aa", "\255\216\255\224", "bb\255\217")
    assert(ds:append_frame(jpeg "cc"))
    assert.same({ 3, table_of(0, 16, 16 + 12 + 12) }, { ds.NumberOfFrames, ds.PixelData[0] })
    assert.same({ jpeg "aa", jpeg "bb", jpeg "cc" }, frames(again(ds)))
    for i = 4, 200 do assert(ds:append_frame(jpeg(("%03d."):format(i)))) end
    local all = frames(again(ds))
    assert.same({ 200, jpeg "002.", jpeg "200." }, { #all, jpeg "002.", all[200] })
    assert.same(all, frames(ds))
  end)
  it("append_frame refuses where the frames that are there cannot be told", function()
    local ds = encapsulated(J2K, { frames = "2" }, "", "ab", "cd", "ef")
    local ok, err = ds:append_frame "gh"
    assert.same({ nil, "unknown fragments" }, { ok, err.code })
    assert.equal(2, ds.NumberOfFrames)
    assert.equal(3, #ds.PixelData)
  end)
  it("append_frame makes the first frame, too, encapsulated or native", function()
    local ds = new()
    assert(ds:append_frame "abcd")
    assert(ds:append_frame "efgh")
    assert.same({ "abcd", "efgh" }, frames(again(ds)))
    assert.equal("OB", again(ds):vr "PixelData")
  end)
  it("native frames must have their size", function()
    local ds = new()
    assert.has_error(function() ds:set_frames { "abcd", "abc" } end)
    assert.has_error(function() ds:append_frame "abcde" end)
    assert.is_false(ds:has "PixelData")
    assert.has_error(function() ds:set_frames {} end)
    assert.has_error(function() ds:set_frames { 1 } end)
    local bare = dicom.dataset { PatientID = "1" }
    local ok, err = bare:set_frames { "abcd" }
    assert.same({ nil, 0x00280010 }, { ok, err.tag })
  end)
  it("native frames of single bits are joined bit by bit", function()
    local ds = new { Rows = 3, Columns = 3, BitsAllocated = 1 }
    assert(ds:set_frames { "\255\1", "\170\0", "\85\1" })
    assert.equal(("<I4"):pack(0x1FF | 0x0AA << 9 | 0x155 << 18), again(ds):raw "PixelData")
    assert.same({ "\255\1", "\170\0", "\85\1" }, frames(again(ds)))
  end)
  it("native frames take the place of what is behind the frames of a value that is too long", function()
    local ds = native("explicit", { frames = "1" }, "OB", "abcd" .. ("trailing"):rep(10))
    assert(ds:append_frame "efgh")
    assert.same({ "abcd", "efgh" }, frames(again(ds)))
    assert.equal("abcdefgh", again(ds):raw "PixelData")
  end)
  it("native frames join a big endian value in its order", function()
    local ds = native("big", { frames = "1", bits = 16, rows = 1, columns = 1 }, "OW", "\1\2")
    assert(ds:append_frame "\4\3")
    assert.equal("\1\2\3\4", again(ds):raw "PixelData")
    assert.same({ "\2\1", "\4\3" }, frames(again(ds)))
  end)
  it("native frames join a value that is still in its file", function()
    local e = made.encoder "explicit"
    local path = os.tmpname()
    local f = assert(io.open(path, "wb"))
    f:write(made.file(made.EXPLICIT, header("explicit", { rows = 300, columns = 300 }) ..
      e(0x7FE00010, "OB", ("x"):rep(90000))))
    f:close()
    local ds = assert(dicom.open(path))
    assert(ds:append_frame(("y"):rep(90000)))
    assert(ds:save())
    assert(ds:append_frame(("z"):rep(90000)))
    assert(ds:save())
    local back = assert(dicom.open(path, { strict = true }))
    assert.same({ ("x"):rep(90000), ("y"):rep(90000), ("z"):rep(90000) }, frames(back))
    os.remove(path)
  end)
  it("a syntax of another encoding writes every byte anew, items too", function()
    for _, style in ipairs { "implicit", "big" } do
      local e = made.encoder(style)
      local file = made.file(SYNTAX[style], e.sequence(0x00081140, e.item(e(0x00081155, "UI", "1.20"))) ..
        header(style, {}) .. e(0x7FE00010, "OW", "abcd"))
      local ds = assert(dicom.open(file))
      assert(ds:set_frames({ "wxyz" }, { syntax = RLE }))
      for _, raw in ipairs { false, true } do
        local back = assert(dicom.open(assert(ds:bytes { part10 = true, raw = raw }), { strict = true }))
        assert.same({ RLE, "1.20", 2, "wxyz" }, { back.syntax, back:get "ReferencedImageSequence[1].0008,1155",
          back.Rows, back:frame_bytes(1) })
      end
      local copy = assert(dicom.open(assert(ds:copy():bytes { part10 = true, raw = true }), { strict = true }))
      assert.same({ RLE, "1.20" }, { copy.syntax, copy.ReferencedImageSequence[1].ReferencedSOPInstanceUID })
    end
  end)
  it("and back: native frames of compressed ones", function()
    local ds = encapsulated(RLE, { frames = "2" }, "", "ab", "cd")
    assert(ds:set_frames({ "abcd", "efgh" }, { syntax = made.EXPLICIT }))
    local back = again(ds)
    assert.same({ made.EXPLICIT, "abcdefgh" }, { back.syntax, back:raw "PixelData" })
  end)
  it("is refused while an item holds fragments of the old syntax", function()
    local e = made.encoder "explicit"
    local ds = assert(dicom.open(made.file(made.JPEG, e.sequence(0x00880200, e.item(made.fragments("", "ab"))) ..
      header("explicit", {}) .. made.fragments("", "cd"))))
    local ok, err = ds:set_frames({ "abcd" }, { syntax = made.EXPLICIT })
    assert.same({ nil, "cannot convert" }, { ok, err.code })
    assert.equal("cd", ds:frame_bytes(1))
  end)
  it("copies have fragments of their own", function()
    local ds = new()
    assert(ds:set_frames({ "ab", "cd" }, { syntax = RLE }))
    local copy = ds:copy()
    assert(ds:set_frames { "xx" })
    collectgarbage()
    assert.same({ "ab", "cd" }, frames(copy))
    assert.same({ "xx" }, frames(again(ds)))
    copy.PixelData = nil
    assert.equal("no pixel data", code(copy, 1))
  end)
end)
