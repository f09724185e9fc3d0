-- SPDX-License-Identifier: MIT
-- DICOMDIR (PS3.10 8, PS3.3 F): records as a tree by their offsets, whatever those say; file IDs that stay inside the
-- file-set; and creating one for a folder.
local core = require "dicom.core"
local dicom = require "dicom"
local made = require "spec.support.made"
local sh = require "spec.support.sh"

local e = made.encoder "explicit"
local u32 = function(n) return ("<I4"):pack(n) end

-- One record; every element is there, so that all have sizes known beforehand.
local function record(r)
  return e.item(e(0x00041400, "UL", u32(r.next or 0)) .. e(0x00041410, "US", e.u16(r.unused and 0 or 0xFFFF)) ..
    e(0x00041420, "UL", u32(r.lower or 0)) .. e(0x00041430, "CS", made.even(r.type, " ")) ..
    (r.file and e(0x00041500, "CS", made.even(r.file, " ")) or "") ..
    (r.name and e(0x00100010, "PN", made.even(r.name, " ")) or ""))
end

-- A DICOMDIR: `first`, `next` and `lower` are numbers of records, or offsets when they are given as { offset }.
local function directory(first, records)
  local head = made.file(made.EXPLICIT, e(0x00041130, "CS", "") .. e(0x00041200, "UL", u32(0)) ..
    e(0x00041202, "UL", u32(0)) .. e(0x00041212, "US", e.u16(0)))
  local at, offsets = #head + 12, {}
  for i, r in ipairs(records) do
    offsets[i] = at
    at = at + #record { type = r.type, file = r.file, name = r.name }
  end
  local function resolve(x)
    return type(x) == "table" and x[1] or x and offsets[x] or 0
  end
  local items = {}
  for i, r in ipairs(records) do
    items[i] = record { type = r.type, file = r.file, name = r.name, unused = r.unused, next = resolve(r.next),
      lower = resolve(r.lower) }
  end
  return made.file(made.EXPLICIT, e(0x00041130, "CS", "") .. (first == nil and "" or e(0x00041200, "UL",
    u32(resolve(first)))) .. e(0x00041202, "UL", u32(0)) .. e(0x00041212, "US", e.u16(0)) ..
    e.sequence(0x00041220, table.concat(items)))
end

local function open(first, records)
  local folder = sh.folder()
  sh.write(folder .. "/DICOMDIR", directory(first, records))
  local dir = assert(dicom.dicomdir.open(folder))
  return dir, folder
end

-- "PATIENT(STUDY(SERIES(IMAGE IMAGE)))"
local function shape(dir)
  local out, last = {}, 0
  for r, level in dir:walk() do
    out[#out + 1] = level > last and "(" or (")"):rep(last - level) .. " "
    out[#out + 1] = r.type
    last = level
  end
  return table.concat(out) .. (")"):rep(last)
end

local GOOD = {
  { type = "PATIENT", name = "DOE^JANE", lower = 2, next = 6 }, { type = "STUDY", lower = 3 },
  { type = "SERIES", lower = 4 }, { type = "IMAGE", file = "A\\B\\IM1", next = 5 }, { type = "IMAGE", file = "A\\IM2" },
  { type = "PATIENT", name = "ROE^RICHARD" },
}

local function changed(i, with)
  local list = {}
  for n, r in ipairs(GOOD) do list[n] = setmetatable(n == i and with or {}, { __index = r }) end
  return list
end

describe("reading a DICOMDIR", function()
  it("gives patients, studies, series and instances", function()
    local dir, folder = open(1, GOOD)
    assert.equal("(PATIENT(STUDY(SERIES(IMAGE IMAGE))) PATIENT)", shape(dir))
    assert.same({}, dir.problems)
    local series = dir.patients[1].studies[1].series[1]
    assert.same({ "DOE^JANE", 2, "A/B/IM1" }, { dir.patients[1].record.PatientName, #series.instances,
      series.instances[1].file_id })
    assert.equal(series, series.instances[2].parent)
    local paths = {}
    for r in dir:instances() do paths[#paths + 1] = r.path end
    assert.same({ folder .. "/A/B/IM1", folder .. "/A/IM2" }, paths)
  end)
  it("leaves out records that are not in use, and what is below them", function()
    local dir = open(1, changed(2, { unused = true }))
    assert.equal("(PATIENT PATIENT)", shape(dir))
  end)
  for name, case in pairs {
    ["a next that leads back"] = { changed(5, { next = 4 }), "(PATIENT(STUDY(SERIES(IMAGE IMAGE))) PATIENT)",
      "second time" },
    ["a next that leads to itself"] = { changed(6, { next = 6 }), "(PATIENT(STUDY(SERIES(IMAGE IMAGE))) PATIENT)",
      "second time" },
    ["a lower that leads up"] = { changed(4, { lower = 1 }), "(PATIENT(STUDY(SERIES(IMAGE IMAGE))) PATIENT)",
      "second time" },
    ["an offset outside"] = { changed(6, { next = { 0xFFFFFFFE } }), "(PATIENT(STUDY(SERIES(IMAGE IMAGE))) PATIENT)",
      "offset 4294967294 is not that of a record" },
    ["an offset into a record"] = { changed(3, { lower = { 300 } }), "(PATIENT(STUDY(SERIES(IMAGE IMAGE))) PATIENT)",
      "offset 300 is not that of a record" },
  } do
    it("goes on after " .. name, function()
      local dir = open(1, case[1])
      assert.equal(case[2], shape(dir))
      assert.is_truthy(dir.problems[1]:find(case[3], 1, true), dir.problems[1])
    end)
  end
  it("keeps records that no offset leads to, apart", function()
    local dir = open(1, changed(4, { next = { 0 } }))
    assert.equal("(PATIENT(STUDY(SERIES(IMAGE))) PATIENT)", shape(dir))
    assert.equal("A/IM2", dir.orphans[1].file_id)
    assert.is_truthy(dir.problems[1]:find "no offset leads to it")
  end)
  it("takes the order of the records where offsets are useless", function()
    for _, first in ipairs { { 7 }, { 0 }, false } do
      local dir = open(first or nil, GOOD)
      assert.equal("(PATIENT(STUDY(SERIES(IMAGE IMAGE))) PATIENT)", shape(dir))
      assert.is_true(#dir.problems > 0)
      assert.same({}, dir.orphans)
    end
  end)
  it("does not grow its stack with the depth of the records", function()
    local deep = {}
    for i = 1, 30000 do deep[i] = { type = "IMAGE", lower = i < 30000 and i + 1 or nil } end
    local dir = open(1, deep)
    local n = 0
    for _ in dir:walk() do n = n + 1 end
    assert.equal(30000, n)
  end)
  it("refuses file IDs that lead out of the file-set", function()
    for _, id in ipairs { "..\\..\\etc\\passwd", "A\\..\\..\\B", "\\etc\\passwd", "A\\\\B", ".", "/etc/passwd",
      "A/B\\C", "A\0B", "A\nB", ("A\\"):rep(20) .. "B" } do
      local dir = open(1, { { type = "PATIENT", lower = 2 }, { type = "IMAGE", file = id } })
      local r = dir.patients[1].children[1]
      assert.is_nil(r.path, id)
      assert.is_string(r.refused, id)
      assert.equal(1, #dir.problems)
    end
  end)
  it("finds files of media whose names turn up in small letters", function()
    local dir, folder = open(1, GOOD)
    assert(os.execute(("mkdir -p %s/a && touch %s/a/im2"):format(folder, folder)))
    local r = dir.patients[1].studies[1].series[1].instances[2]
    assert.equal(folder .. "/a/im2", r.path)
  end)
  it("refuses what is no DICOMDIR", function()
    local folder = sh.folder()
    local dir, err = dicom.dicomdir.open(folder)
    assert.same({ nil, "system" }, { dir, err.code })
    sh.write(folder .. "/DICOMDIR", made.file(made.EXPLICIT, e(0x00100010, "PN", "DOE^JANE")))
    dir, err = dicom.dicomdir.open(folder)
    assert.same({ nil, "not a dicomdir" }, { dir, err.code })
    dir, err = dicom.dicomdir.open(folder .. "/none")
    assert.same({ nil, "system" }, { dir, err.code })
  end)
  it("survives any change of its bytes", function()
    local folder = sh.folder()
    local good = directory(1, GOOD)
    math.randomseed(7)
    for _ = 1, 500 do
      local bytes = good
      for _ = 1, math.random(1, 4) do
        local at = math.random(133, #bytes)
        bytes = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + math.random(0, 2))
      end
      sh.write(folder .. "/DICOMDIR", bytes)
      local dir = dicom.dicomdir.open(folder)
      if dir then
        local n = 0
        for r in dir:walk() do
          n = n + 1
          assert.is_true(r.path == nil or r.path:sub(1, #folder) == folder and not r.path:find("..", 1, true))
        end
        local items = dir.dataset:get "DirectoryRecordSequence"
        assert.is_true(n <= (items and #items or 0))
      end
    end
  end)
end)

-- A small instance; `with` adds to it.
local function instance(path, with)
  local ds = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID = dicom.uid.new(),
    StudyInstanceUID = "1.2.3", SeriesInstanceUID = "1.2.3.4", PatientID = "P1", PatientName = "DOE^JANE",
    StudyDate = "20240101", StudyTime = "120000", StudyID = "S", Modality = "CT", SeriesNumber = 1,
    InstanceNumber = 1 }
  for k, v in pairs(with or {}) do ds[k] = v end
  for k, v in pairs(with or {}) do
    if v == "" then ds[k] = nil end
  end
  assert(os.execute("mkdir -p " .. sh.quote(path:match "^(.*)/")))
  assert(ds:save(path))
  return ds
end

describe("creating a DICOMDIR", function()
  it("has patients, studies and series once, and every offset right", function()
    local folder = sh.folder()
    instance(folder .. "/D/IM1", { InstanceNumber = 1 })
    instance(folder .. "/D/IM2", { InstanceNumber = 2 })
    instance(folder .. "/D/IM3", { SeriesInstanceUID = "1.2.3.5", Modality = "MR" })
    instance(folder .. "/D/IM4", { StudyInstanceUID = "1.2.4", SeriesInstanceUID = "1.2.4.1" })
    instance(folder .. "/E/IM5", { PatientID = "P2", StudyInstanceUID = "1.2.5", SeriesInstanceUID = "1.2.5.1" })
    sh.write(folder .. "/README", "no DICOM")
    local report = assert(dicom.dicomdir.create(folder, { id = "DISC 1" }))
    assert.same({ 5, 1, 0, 0 }, { report.count, #report.left_out, #report.invented, #report.renamed })
    local dir = assert(dicom.dicomdir.open(folder, { strict = true }))
    assert.equal("(PATIENT(STUDY(SERIES(IMAGE IMAGE) SERIES(IMAGE)) STUDY(SERIES(IMAGE))) " ..
      "PATIENT(STUDY(SERIES(IMAGE))))", shape(dir))
    assert.same({}, dir.problems)
    assert.same({ "DISC 1", "1.2.840.10008.1.3.10" }, { dir.dataset.FileSetID,
      dir.dataset.meta.MediaStorageSOPClassUID })
    assert.equal(dir.records[#dir.records].offset,
      dir.dataset.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity)
    for r in dir:instances() do
      local ds = assert(dicom.open(r.path))
      assert.same({ ds.SOPInstanceUID, ds.SOPClassUID, ds.syntax }, { r.record.ReferencedSOPInstanceUIDInFile,
        r.record.ReferencedSOPClassUIDInFile, r.record.ReferencedTransferSyntaxUIDInFile })
    end
    -- again: the DICOMDIR itself is not among the files, and is replaced
    report = assert(dicom.dicomdir.create(folder))
    assert.same({ 5, { { path = folder .. "/README", reason = "not a DICOM file (PS3.10 7.1)" } } },
      { report.count, report.left_out })
  end)
  it("has the record type and its keys for each kind of instance (PS3.3 F.5)", function()
    local code = { { CodeValue = "1", CodingSchemeDesignator = "99", CodeMeaning = "x" } }
    local CLASSES = {
      { "481.2", "RT DOSE", { DoseSummationType = "PLAN" } },
      { "481.3", "RT STRUCTURE SET", { StructureSetLabel = "L" } },
      { "481.5", "RT PLAN", { RTPlanLabel = "L" } }, { "11.1", "PRESENTATION", { ContentLabel = "L" } },
      { "9.1.2", "WAVEFORM", { ContentDate = "20240101" } }, { "88.33", "SR DOCUMENT",
        { ConceptNameCodeSequence = code } }, { "88.59", "KEY OBJECT DOC", { ConceptNameCodeSequence = code } },
      { "66", "RAW DATA", { ContentDate = "20240101" } }, { "66.1", "REGISTRATION", { ContentLabel = "L" } },
      { "66.2", "FIDUCIAL", {} }, { "66.4", "IMAGE", {} }, { "104.1", "ENCAP DOC",
        { MIMETypeOfEncapsulatedDocument = "application/pdf" } }, { "67", "VALUE MAP", {} }, { "481.4",
        "RT TREAT RECORD", {} }, { "77.1.5.3", "STEREOMETRIC", {} }, { "7", "IMAGE", {} },
    }
    local folder = sh.folder()
    for i, c in ipairs(CLASSES) do
      c[3].SOPClassUID = "1.2.840.10008.5.1.4.1.1." .. c[1]
      instance(("%s/IM%d"):format(folder, 10 + i), c[3])
    end
    assert.equal(#CLASSES, assert(dicom.dicomdir.create(folder)).count)
    local i = 0
    for r in assert(dicom.dicomdir.open(folder)):instances() do
      i = i + 1
      assert.equal(CLASSES[i][2], r.type)
      for keyword in pairs(CLASSES[i][3]) do
        assert.is_true(keyword == "SOPClassUID" or r.record:has(keyword), r.type .. " " .. keyword)
      end
    end
    assert.equal(#CLASSES, i)
  end)
  it("makes up what the standard requires and a file lacks, and says so", function()
    local folder = sh.folder()
    instance(folder .. "/IM1", { PatientID = "", StudyDate = "", StudyID = "", InstanceNumber = "" })
    local report = assert(dicom.dicomdir.create(folder))
    local keywords = {}
    for i, x in ipairs(report.invented) do keywords[i] = x.keyword end
    table.sort(keywords)
    assert.same({ "InstanceNumber", "PatientID", "StudyDate", "StudyID" }, keywords)
    local patient = assert(dicom.dicomdir.open(folder)).patients[1]
    assert.equal("UNNAMED1", patient.record.PatientID)
  end)
  it("leaves out what cannot be in it, with the reason", function()
    local folder = sh.folder()
    local one = instance(folder .. "/IM1")
    instance(folder .. "/IM2", { SOPInstanceUID = one.SOPInstanceUID })
    instance(folder .. "/IM3", { StudyInstanceUID = "" })
    instance(folder .. "/IM4", { SOPClassUID = "1.2.840.10008.5.1.4.34.6.1" })
    instance(folder .. "/IM5", { SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11" })
    sh.write(folder .. "/IM6", directory(1, GOOD))
    local report = assert(dicom.dicomdir.create(folder))
    local reasons = {}
    for _, x in ipairs(report.left_out) do reasons[x.path:match "[^/]*$"] = x.reason end
    assert.equal(1, report.count)
    for name, reason in pairs { IM2 = "the same instance", IM3 = "StudyInstanceUID is missing",
      IM4 = "no directory record", IM5 = "ConceptNameCodeSequence is missing", IM6 = "no SOP Class" } do
      assert.is_truthy(reasons[name] and reasons[name]:find(reason, 1, true), name .. ": " .. tostring(reasons[name]))
    end
  end)
  it("refuses names that PS3.10 8.2 does not allow, or gives new ones", function()
    local folder = sh.folder()
    instance(folder .. "/one.dcm")
    instance(folder .. "/LONGERTHAN8/IM1")
    instance(folder .. "/A/B/C/D/E/F/G/H/IM1")
    instance(folder .. "/OK/IM1")
    local report, err = dicom.dicomdir.create(folder)
    assert.same({ nil, "bad file id" }, { report, err.code })
    assert.is_nil(sh.read(folder .. "/DICOMDIR"))
    local before = {}
    for _, p in ipairs(sh.lines("find " .. folder .. " -type f")) do before[sh.read(p)] = true end
    report = assert(dicom.dicomdir.create(folder, { rename = true }))
    assert.same({ 4, 3 }, { report.count, #report.renamed })
    for r in assert(dicom.dicomdir.open(folder)):instances() do
      assert.is_true(before[sh.read(r.path)], r.path)
      for c in r.file_id:gmatch "[^/]+" do assert.is_truthy(c:find "^[A-Z0-9_]+$" and #c <= 8) end
    end
    assert.equal(0, #sh.lines("find " .. folder .. " -name '*.dcm'"))
  end)
  it("copies files from elsewhere into the folder, byte by byte", function()
    local from, folder = sh.folder(), sh.folder()
    instance(from .. "/any name.dcm")
    local report, err = dicom.dicomdir.create(folder, { files = { from .. "/any name.dcm" } })
    assert.same({ nil, "bad file id" }, { report, err.code })
    assert(dicom.dicomdir.create(folder, { files = { from .. "/any name.dcm" }, rename = true }))
    local r = assert(dicom.dicomdir.open(folder)):instances()()
    assert.equal(sh.read(from .. "/any name.dcm"), sh.read(r.path))
  end)
  it("keeps the character set of names", function()
    local folder = sh.folder()
    instance(folder .. "/IM1", { SpecificCharacterSet = { "ISO_IR 144" }, PatientName = "Люкceмбypг" })
    assert(dicom.dicomdir.create(folder))
    local r = assert(dicom.dicomdir.open(folder)).patients[1].record
    assert.same({ "Люкceмбypг", "ISO_IR 144" }, { r.PatientName, r.SpecificCharacterSet[1] })
  end)
  it("of an empty folder has no records", function()
    local folder = sh.folder()
    assert.equal(0, assert(dicom.dicomdir.create(folder)).count)
    local dir = assert(dicom.dicomdir.open(folder, { strict = true }))
    assert.same({ 0, 0, {} }, { #dir.records, dir.dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity,
      dir.problems })
  end)
  it("raises on options that are none", function()
    assert.has_error(function() dicom.dicomdir.create("/tmp", { name = 1 }) end)
    assert.has_error(function() dicom.dicomdir.create("/tmp", { id = "small letters" }) end)
    assert.is_nil((dicom.dicomdir.create("/nowhere/at/all")))
  end)
end)

describe("dicom dicomdir", function()
  it("creates and lists", function()
    local folder = sh.folder()
    instance(folder .. "/IM1")
    local r = sh.run { sh.dicom, "dicomdir", folder }
    assert.same({ 0, folder .. "/DICOMDIR: 1 instances\n" }, { r.code, r.out })
    r = sh.run { sh.dicom, "dicomdir", "--list", folder }
    local want = "PATIENT DOE^JANE P1\n  STUDY 20240101\n    SERIES CT 1\n      IMAGE 1 -> %s/IM1\n"
    assert.equal(want:format(folder), r.out)
    instance(folder .. "/two.dcm")
    r = sh.run { sh.dicom, "dicomdir", folder }
    assert.same({ 1, "" }, { r.code, r.out })
    assert.is_truthy(r.err:find "rename")
    assert.equal(0, sh.run({ sh.dicom, "dicomdir", "--rename", folder }).code)
  end)
end)

it("the offset of an item is that in its source", function()
  local ds = assert(dicom.open(directory(1, GOOD)))
  local items = ds.DirectoryRecordSequence
  assert.equal(ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, core.item_offset(items[1]))
  items:insert(1, {})
  assert.is_nil(core.item_offset(items[1]))
end)
