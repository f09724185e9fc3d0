-- SPDX-License-Identifier: MIT
-- Nobody's identity is in a log line, an error, a file name or a side file: a data set whose every text is a canary
-- goes through what succeeds and what fails, and no canary is found. (A rule's own words stay with what they parked.)
local dicom = require "dicom"
local net = require "spec.support.net"
local sh = require "spec.support.sh"
local tsv = require "spec.support.tsv"

local US = "1.2.840.10008.5.1.4.1.1.6.1"
local VALUES = {
  PN = "CANARY^JANE", LO = "CANARY LO", SH = "CANARY SH", LT = "CANARY LT", ST = "CANARY ST", UT = "CANARY UT",
  UC = "CANARY UC", CS = "CANARY CS", AE = "CANARY AE", UR = "http://canary/x", UI = "1.2.777977797.7", DA = "19770717",
  DT = "19770717070707", AS = "077Y", DS = "777977797.5", IS = "777977797",
}
local FOUND = { "canary", "777977797", "19770717", "077y" }

-- No canary is in the text.
local function clean(text, what)
  for _, word in ipairs(FOUND) do
    assert(not tostring(text):lower():find(word, 1, true), ("%s: %s"):format(what, text))
  end
end

-- Every element of the dictionary that holds text, in the data set and in an item; and private ones.
local function canaries(fields)
  local ds = dicom.dataset { SOPClassUID = US, SOPInstanceUID = "1.2.777977797.8", Modality = "US" }
  for _, row in ipairs(tsv.read "csrc/gen/elements.tsv") do
    local value = VALUES[row.vr]
    local tag = not row.tag:find "x" and tonumber((row.tag:gsub(",", "")), 16)
    local own = tag and tag >> 16 > 7 and tag & 0xFFFF > 0 and row.keyword ~= "SpecificCharacterSet"
    if value and own and not ds:has(tag) then ds:set(tag, value, row.vr) end
  end
  ds:private "CANARY 1.0":set(1, "CANARY private", "LO")
  ds.ReferencedStudySequence = { { PatientName = "CANARY^ITEM", ReferencedSOPInstanceUID = "1.2.777977797.9" } }
  ds:set("PixelData", ("CANARY77"):rep(100), "OW")
  for k, v in pairs(fields or {}) do ds[k] = v end
  return ds
end

local function clean_error(err, what)
  clean(err, what)
  if type(err) ~= "table" then return end
  for k, v in pairs(err) do clean(v, what .. ", field " .. tostring(k)) end
end

local function raised(what, f, ...)
  local ok, err = pcall(f, ...)
  assert(not ok, what .. " did not raise")
  clean_error(err, what)
end

describe("identity is in no error", function()
  local bytes = canaries():bytes { part10 = true }

  it("of a file that is cut off or damaged", function()
    local seen = 0
    for at = 1, #bytes, 97 do
      for _, text in ipairs { bytes:sub(1, at), bytes:sub(1, at) .. "\255\254\255" .. bytes:sub(at + 4) } do
        for _, strict in ipairs { true, false } do
          local ds, err = dicom.open(text .. "\0", { strict = strict })
          if err then seen = seen + 1 end
          clean_error(err, "open")
          for _, r in ipairs(ds and ds.repairs or {}) do clean(r.what, "repair") end
        end
      end
    end
    assert(seen > 100, seen)
  end)

  it("of a value that may not be set", function()
    local ds = canaries()
    for _, k in ipairs { "Rows", "StudyDate", "SOPInstanceUID", "PatientAge", "StudyTime", "DoubleFloatPixelData",
                         "ReferencedStudySequence", "PixelData", "FrameIncrementPointer", "PatientWeight" } do
      local wrong = k == "PixelData" and { x = "CANARY" } or "CANARY^JANE 1.2.777977797"
      local ok, err = pcall(function() ds[k] = wrong end)
      if not ok then clean_error(err, k) end
    end
    raised("a table", function() ds.PatientName = { { "CANARY^JANE" } } end)
    raised("a function", function() ds.PatientName = function() return "CANARY" end end)
    raised("text that is not UTF-8", function() ds.PatientName = "CANARY\255" end)
    raised("control characters", function() ds.PatientID = "CANARY\0001" end)
    raised("too long", function() ds.PatientID = ("CANARY"):rep(100) ds:save { path = "/nonexistent/x", strict = true }
      error "x" end)
    raised("an index", function() return ds.PatientName[1].CANARY.x end)
  end)

  it("of a data set that cannot be written", function()
    local ds = canaries()
    ds.SpecificCharacterSet = "ISO_IR 100"
    local ok, err = pcall(function()
      ds.PatientName = "CANARY^\u{6F22}"
      return assert(ds:bytes {})
    end)
    if not ok then clean_error(err, "bytes") end
    local _, why = canaries():save(sh.folder() .. "/none/a.dcm")
    clean_error(why, "save")
  end)

  it("of de-identification", function()
    local d = require "dicom.deid".new { key = ("k"):rep(16) }
    local _, err = d:apply(canaries())
    assert.equal("refused", err.code)
    clean_error(err, "refused")
  end)
end)

describe("identity is in no log line", function()
  before_each(net.begin)
  after_each(net.finish)

  local function clean_log(count)
    require "dicom.log".default.level = "info"
    assert(#net.lines >= (count or 1), table.concat(net.lines, "\n"))
    for _, line in ipairs(net.lines) do clean(line, "log") end
  end

  it("whatever a store handler does", function()
    require "dicom.log".default.level = "info"
    local handlers = {
      function() return 0 end,
      function(ds) error(ds.PatientName) end,
      function(ds) error(ds.PatientName, 0) end,
      function(ds) error { name = ds.PatientName } end,
      function(ds) return nil, ds.PatientName end,
      function(ds) return ds:save("/nonexistent/" .. ds.PatientName .. ds.SOPInstanceUID .. ".dcm") end,
      function(ds) assert(ds:save("/nonexistent/" .. ds.PatientName .. ".dcm")) end,
      function(ds) assert(io.open("/nonexistent/" .. ds.PatientName)) end,
      function(ds) return ds.PatientName + 1 end,
      function(ds) return require(ds.PatientName) end,
      function(ds) return ds[ds.PatientName] end,
      function(ds) ds[ds.PatientName] = 1 end,
      function(ds) ds.Rows = ds.PatientName end,
      function(ds) return ds.PatientName end,
      function(ds) return ("%d"):format(ds.PatientName) end,
      function(ds) return dicom.open(ds.PatientName) end,
    }
    for i, handler in ipairs(handlers) do
      local l = net.listen { aet = "US", store = handler }
      local status, detail = net.peer(l.port, { aet = "US" }).store(canaries())
      assert.equal(i == 1, status == 0)
      clean_error(detail.comment, "comment")
    end
    clean_log(2 * #handlers - 1)
  end)

  it("when the folder of a listener cannot keep it", function()
    require "dicom.log".default.level = "info"
    local folder = sh.folder()
    local l = net.listen { aet = "US", folder = folder }
    local p = net.peer(l.port, { aet = "US" })
    assert.equal(0, (p.store(canaries())))
    os.execute("rm -rf " .. folder)
    local status = p.store(canaries())
    assert.are_not.equal(0, status)
    clean_log(2)
  end)

  it("when a task or an accept handler fails", function()
    require "dicom.log".default.level = "info"
    local l = net.listen { aet = "US", accept = function() error "CANARY^JANE" end }
    assert.is_nil((net.peer(l.port, { aet = "US" }).echo()))
    clean_log(1)
  end)

  it("but the place of a mistake is, and what Lua says of it; all of it at level debug", function()
    local log = require "dicom.log"
    local _, mistake = pcall(function() local ds = {} return ds.PatientName.x end)
    local _, words = pcall(function() error "CANARY" end)
    log.default.level = "info"
    assert.matches("^spec/identity_spec.lua:%d+: attempt to index a nil value %(field 'PatientName'%)$",
      log.reason(mistake))
    assert.matches("^spec/identity_spec.lua:%d+: an error whose words may hold a name: told at log level debug$",
      log.reason(words))
    log.default.level = "debug"
    assert.matches("CANARY$", log.reason(words))
  end)
end)

describe("identity is in nothing that a router writes beside its messages", function()
  local RULES = [[
    rule "raises" { match = function(ds) error(ds.PatientName) end, send = { "archive" } }
    rule "breaks" { match = function(ds) return ds.PatientName + 1 end, send = { "archive" } }
    rule "fails to change" { change = function(ds) error(ds.PatientID) end, send = { "archive" } }
    rule "fails to set" { change = function(ds) ds.Rows = ds.PatientName end, send = { "archive" } }
    rule "research" { change = deid { profile = "basic", key = secret "identity" }, send = { "archive" } }
    rule "all" { send = { "archive", "refuses", "nobody" } }
    rule "rejects" { match = function(ds)
      if ds.Modality == "OT" then return reject(0xC001, ds.PatientName) end end }]]

  before_each(net.begin)
  after_each(net.finish)

  it("logs, names of files, envelopes of deliveries", function()
    local folder, lines = sh.folder(), {}
    os.execute(("mkdir -p %s/rules %s/secrets"):format(folder, folder))
    sh.write(folder .. "/rules/a.lua", RULES)
    sh.write(folder .. "/secrets/identity", ("k"):rep(32))
    os.execute("chmod 600 " .. folder .. "/secrets/identity")
    local archive = net.listen { aet = "ARCHIVE", store = function() return 0 end }
    local refuses = net.listen { aet = "REFUSES", store = function(ds) return 0xC000, ds.PatientName end }
    local retry = { first = 0.05, most = 0.1, tries = 2 }
    local router = dicom.router { aet = "ROUTER", host = "127.0.0.1", port = 0, rules = folder .. "/rules",
      queue = "spool:" .. folder .. "/queue", log = { sink = function(line) lines[#lines + 1] = line end },
      destinations = { archive = { aet = "ARCHIVE", host = "127.0.0.1", port = archive.port },
        refuses = { aet = "REFUSES", host = "127.0.0.1", port = refuses.port, retry = retry },
        nobody = { aet = "NOBODY", host = "127.0.0.1", port = tonumber(sh.port()), retry = retry } } }
    assert(router:start())
    local p = net.peer(router.port, { aet = "ROUTER" })
    assert.equal(0, (p.store(canaries())))
    assert.equal(0xC001, (p.store(canaries { Modality = "OT" })))
    assert(net.eventually(function() return router:status().parked == 7 end), table.concat(lines, "\n"))
    for _, path in ipairs(sh.lines("find " .. folder .. "/queue")) do clean(path, "a file's name") end
    local reasons = 0
    for _, path in ipairs(sh.lines(("find %s/queue -name '*.log'"):format(folder))) do
      for line in io.lines(path) do
        if not line:find "rule" then clean(line, "envelope") reasons = reasons + 1 end
      end
    end
    assert(reasons > 0)
    local queued = sh.run { sh.dicom, "queue", folder .. "/queue" }
    assert.equal(0, queued.code)
    for line in queued.out:gmatch "[^\n]+" do
      if not line:find "rules/a.lua:" then clean(line, "dicom queue") end
    end
    p:close()
    router:stop()
    assert(#lines > 8)
    for _, line in ipairs(lines) do clean(line, "log") end
    for _, line in ipairs(net.lines) do clean(line, "log") end
  end)
end)

describe("identity is in nothing that a command says of a failure", function()
  it("send, anonymize, dump", function()
    local folder = sh.folder()
    assert(canaries():save(folder .. "/a.dcm"))
    assert(canaries { SOPClassUID = "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID = "1.2.777977797.12" }
      :save(folder .. "/b.dcm"))
    local whole = sh.read(folder .. "/a.dcm")
    sh.write(folder .. "/cut.dcm", whole:sub(1, 700))
    sh.write(folder .. "/bad.dcm", whole:sub(1, 500) .. ("\255"):rep(50) .. whole:sub(551))
    local key = sh.write(folder .. "/key", ("k"):rep(16))
    os.execute("chmod 600 " .. key)
    local out = folder .. "/out"
    for _, argv in ipairs { { "send", "127.0.0.1", sh.port(), folder },
      { "anonymize", "--key-file", key, folder, out }, { "anonymize", "--key-file", key, folder, out } } do
      local r = sh.run { sh.dicom, table.unpack(argv) }
      assert.equal(1, r.code)
      clean(r.out .. r.err, argv[1])
    end
    clean(sh.run { sh.dicom, "dump", folder .. "/bad.dcm" }.err, "dump")
    for _, path in ipairs(sh.lines("find " .. out)) do clean(path, "a file's name") end
    assert(#sh.lines("find " .. out .. " -type f") > 0)
  end)
end)
