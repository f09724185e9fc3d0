-- SPDX-License-Identifier: MIT
-- Frames of every encapsulated test file against pydicom's, and frames of files beyond 4 GiB in bounded memory.
local dicom = require "dicom"
local need = require "spec.support.need"
local made = require "spec.support.made"
local sh = require "spec.support.sh"

-- Per file and frame: its length and how its bytes sum up (Adler 32, RFC 1950).
local SCRIPT = [[
import sys, zlib, warnings
warnings.simplefilter("ignore")
import pydicom
from pydicom.encaps import generate_pixel_data_frame
for path in sys.stdin.read().split("\0"):
    try:
        ds = pydicom.dcmread(path, force=True)
        n = int(ds.get("NumberOfFrames", 1) or 1)
        frames = ["%d:%d" % (len(f), zlib.adler32(f)) for f in generate_pixel_data_frame(ds.PixelData, n)]
        print(path + "\t" + " ".join(frames))
    except Exception as e:
        print(path + "\tERROR " + str(e).replace("\n", " "))
]]

local function adler(s)
  local a, b = 1, 0
  for at = 1, #s, 4096 do
    for i = at, math.min(at + 4095, #s) do
      a = a + s:byte(i)
      b = b + a
    end
    a, b = a % 65521, b % 65521
  end
  return b << 16 | a
end

-- Files whose pixel data pydicom does not read.
local REASONS = { ["emri_small_jpeg_2k_lossless_too_short.dcm"] = "cut in the middle of its last fragment" }

local function ours(ds)
  local list = {}
  for n = 1, ds:frame_count() do
    local bytes, err = ds:frame_bytes(n)
    list[n] = bytes and ("%d:%d"):format(#bytes, adler(bytes)) or "ERROR " .. tostring(err)
  end
  return table.concat(list, " ")
end

local function encapsulated_files()
  local files = {}
  for line in io.lines(need.data() .. "/MANIFEST.tsv") do
    local name = line:match "^[^#][^\t]*"
    local ds = name and dicom.open(need.folder .. "/" .. name)
    local fragments = ds and ds:fragments()
    if fragments and #fragments > 0 then files[#files + 1] = need.folder .. "/" .. name end
  end
  return files
end

describe("frames of encapsulated test files", function()
  it("are pydicom's", function()
    need.data()
    local python = need.python "pydicom"
    local files, theirs, wrong, frames = encapsulated_files(), {}, {}, 0
    local folder = sh.folder()
    sh.write(folder .. "/list", table.concat(files, "\0"))
    sh.write(folder .. "/frames.py", SCRIPT)
    for _, line in ipairs(sh.lines(("%s %s/frames.py < %s/list"):format(python, folder, folder))) do
      local path, rest = line:match "^(.-)\t(.*)$"
      theirs[path] = rest
    end
    for _, path in ipairs(files) do
      local mine = ours(assert(dicom.open(path)))
      frames = frames + select(2, mine:gsub(":", ""))
      if theirs[path] ~= mine and not REASONS[path:match "[^/]*$"] then
        wrong[#wrong + 1] = ("%s: pydicom %s, we %s"):format(path, tostring(theirs[path]):sub(1, 200), mine:sub(1, 200))
      end
    end
    assert.same({}, wrong)
    assert.is_true(#files > 100 and frames > 300, #files .. " files, " .. frames .. " frames")
  end)
end)

-- 9216 frames of 512 KiB as fragments, their bytes holes of the file but for the last frame.
local FRAMES, SIZE = 9216, 512 << 10

local function huge(path)
  local e = made.encoder "explicit"
  local f <close> = assert(io.open(path, "wb"))
  f:write(made.file(made.UNCOMPRESSED, e(0x00080018, "UI", made.even "1.2.3.4") .. e(0x00100010, "PN", "DOE^JANE")
    .. e(0x00280002, "US", e.u16(1)) .. e(0x00280008, "IS", made.even(tostring(FRAMES), " "))
    .. e(0x00280010, "US", e.u16(512)) .. e(0x00280011, "US", e.u16(512)) .. e(0x00280100, "US", e.u16(16))
    .. made.element(0x7FE00010, "OB", "", false, made.UNDEFINED) .. made.element(0xFFFEE000, nil, "")))
  for n = 1, FRAMES do
    f:write(("<I2I2I4"):pack(0xFFFE, 0xE000, SIZE))
    f:seek("cur", SIZE - 8)
    f:write(("<I8"):pack(n))
  end
  f:write(made.element(0xFFFEE0DD, nil, ""))
end

local JOURNEY = [[
local dicom = require "dicom"
local ds = assert(dicom.open(arg[1]))
local n = ds:frame_count()
local last = assert(ds:frame_bytes(n))
assert(#last == 512 << 10 and ("<I8"):unpack(last, #last - 7) == n)
ds.PatientName = "ROE^RICHARD"
assert(ds:save(arg[2]))
]]

local APPEND = [[
local dicom = require "dicom"
local ds = assert(dicom.open(arg[1]))
assert(ds:append_frame(("a"):rep(512 << 10)))
assert(ds:save(arg[2]))
]]

describe("a multi-frame file of 4.5 GiB", function()
  local folder
  local function run(script)
    local usage = folder .. "/usage"
    sh.write(folder .. "/run.lua", script)
    local command = ("LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='%s/?.so;;' /usr/bin/time -f %%M -o %s " ..
      "lua5.4 %s/run.lua %s/in %s/out"):format(sh.build, usage, folder, folder, folder)
    assert.is_true(os.execute(command), command)
    return tonumber((sh.read(usage)):match "(%d+)%s*$")
  end
  local function prepare()
    need.peer "/usr/bin/time"
    need.release_build()
    folder = sh.folder()
    huge(folder .. "/in")
  end
  it("is opened, a frame read, its header changed and saved in less than 32 MiB", function()
    prepare()
    local kb = run(JOURNEY)
    assert.is_true(kb < 32 * 1024, ("peak %d KiB"):format(kb))
    local back = assert(dicom.open(folder .. "/out", { strict = true }))
    assert.same({ "ROE^RICHARD", FRAMES }, { back.PatientName, #back:fragments() })
    assert.equal(4000, (("<I8"):unpack(back:frame_bytes(4000), SIZE - 7)))
  end)
  it("gets an Extended Offset Table when a frame is appended: 32 bits do not reach it", function()
    prepare()
    assert.is_true(run(APPEND) < 32 * 1024)
    local back = assert(dicom.open(folder .. "/out", { strict = true }))
    assert.same({ FRAMES + 1, "" }, { back:frame_count(), back.PixelData[0] })
    assert.equal(FRAMES * (SIZE + 8), back.ExtendedOffsetTable[FRAMES + 1])
    assert.equal(("a"):rep(SIZE), back:frame_bytes(FRAMES + 1))
    assert.equal(FRAMES, (("<I8"):unpack(back:frame_bytes(FRAMES), SIZE - 7)))
    assert.same({}, back.repairs)
  end)
end)
