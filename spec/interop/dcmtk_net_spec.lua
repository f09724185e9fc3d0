-- SPDX-License-Identifier: MIT
-- C-ECHO and C-STORE with DCMTK's programs, both ways:
-- as they are installed (Nagle's algorithm on) and with TCP_NODELAY.
local dcmdump = require "spec.support.dcmdump"
local dicom = require "dicom"
local need = require "spec.support.need"
local net = require "spec.support.net"
local sh = require "spec.support.sh"

-- storescu's option that proposes a transfer syntax.
local OPTIONS = {
  ["1.2.840.10008.1.2"] = "-xi", ["1.2.840.10008.1.2.1"] = "-xe", ["1.2.840.10008.1.2.2"] = "-xb",
  ["1.2.840.10008.1.2.1.99"] = "-xd", ["1.2.840.10008.1.2.4.50"] = "-xy", ["1.2.840.10008.1.2.4.51"] = "-xx",
  ["1.2.840.10008.1.2.4.70"] = "-xs", ["1.2.840.10008.1.2.4.80"] = "-xt", ["1.2.840.10008.1.2.4.81"] = "-xu",
  ["1.2.840.10008.1.2.4.90"] = "-xv", ["1.2.840.10008.1.2.4.91"] = "-xw", ["1.2.840.10008.1.2.5"] = "-xr",
  ["1.2.840.10008.1.2.4.100"] = "-xm",
}

-- Codes of errors that are no failure to send: the peer does not take it, or it names no instance.
local THEIRS = { ["unknown context"] = true, ["bad value"] = true, ["bad uid"] = true }

local NODELAY = { env = { TCP_NODELAY = "1" } }

-- Our receiver in a process of its own, as a person starts it.
local function receiver(folder)
  local port = sh.port()
  local p = sh.spawn { sh.dicom, "receive", "--aet", "US", "--port", port, folder }
  assert(sh.wait_port(port), p:output())
  return port
end

local function archive(folder, ...)
  local port = sh.port()
  local argv = { "storescp", "-aet", "THEM", "-od", folder, ... }
  argv[#argv + 1] = port
  sh.spawn(argv, NODELAY)
  assert(sh.wait_port(port), "storescp did not start")
  return port
end

local function files(folder)
  return sh.lines(("find %s -type f"):format(sh.quote(folder)))
end

-- Paths of the test files that DCMTK and we can open, with their transfer syntax.
local function corpus()
  local list, read = {}, 0
  for line in io.lines(need.data() .. "/MANIFEST.tsv") do
    local path = need.folder .. "/" .. line:match "^[^\t]*"
    local ds = dicom.open(path, { stop = 0x00080020 })
    if ds then
      read = read + 1
      list[#list + 1] = { path = path, syntax = ds.syntax, uid = ds:text "SOPInstanceUID" }
    end
  end
  assert(read > 100, "hardly any test file could be opened")
  return list
end

describe("DCMTK asks us:", function()
  before_each(function() need.peer "storescu" end)

  it("echoscu", function()
    local port = receiver(sh.folder())
    assert.equal(0, sh.run({ "echoscu", "-aec", "US", "127.0.0.1", port }).code)
    assert.equal(0, sh.run({ "echoscu", "-aec", "US", "--repeat", "20", "127.0.0.1", port }, NODELAY).code)
    local r = sh.run { "echoscu", "-aec", "THEM", "127.0.0.1", port }
    assert.not_equal(0, r.code)
    assert.matches("Called AE Title Not Recognized", r.err)
  end)

  for name, options in pairs { ["as installed"] = {}, ["with TCP_NODELAY"] = NODELAY } do
    it("storescu and dcmsend " .. name, function()
      local folder, kept = sh.folder(), sh.folder()
      local port = receiver(kept)
      local paths = {}
      for i = 1, 20 do
        paths[i] = ("%s/%02d.dcm"):format(folder, i)
        assert(net.instance(i * 10000):save(paths[i]))
      end
      local r = sh.run({ "storescu", "-aec", "US", "127.0.0.1", port, table.unpack(paths) }, options)
      assert.same({ 0, "" }, { r.code, r.err })
      assert.equal(20, #files(kept))
      r = sh.run({ "dcmsend", "-aec", "US", "127.0.0.1", port, table.unpack(paths) }, options)
      assert.equal(0, r.code)
      assert.equal(40, #files(kept))
      for _, path in ipairs(paths) do
        local uid = dicom.open(path).SOPInstanceUID
        assert.equal(dcmdump.of(path), dcmdump.of(kept .. "/" .. uid .. ".dcm"))
      end
    end)
  end

  it("storescu as installed, which waits for our acknowledgement in every message, without 40 ms for each", function()
    local folder, paths = sh.folder(), {}
    local port = receiver(sh.folder())
    assert(net.instance(20000):save(folder .. "/a.dcm"))
    for i = 1, 150 do paths[i] = folder .. "/a.dcm" end
    local began = sh.now()
    local r = sh.run { "storescu", "-aec", "US", "127.0.0.1", port, table.unpack(paths) }
    assert.equal(0, r.code, r.err)
    assert.is_true(sh.now() - began < 3) -- 6 s and more with delayed acknowledgements
  end)

  it("every test file that storescu can send arrives unchanged", function()
    need.data()
    local kept = sh.folder()
    local port, theirs = receiver(kept), archive(sh.folder(), "+B", "+xa")
    local arrived, different = 0, {}
    local function sent(file, option, to)
      local r = sh.run({ "storescu", "-R", option, "-aec", "US", "127.0.0.1", to, file.path }, NODELAY)
      return r.code == 0 and not r.err:find "No Acceptable Presentation"
    end
    for _, file in ipairs(corpus()) do
      local option = OPTIONS[file.syntax]
      local arrives = option and sent(file, option, port)
      if option and not arrives and sent(file, option, theirs) then
        different[#different + 1] = file.path .. ": storescp takes it"
      elseif arrives then
        local got = files(kept)
        if #got ~= 1 then
          different[#different + 1] = file.path .. ": " .. #got .. " files kept"
        elseif dcmdump.of(got[1]) ~= dcmdump.of(file.path) then
          different[#different + 1] = file.path .. ": data sets differ"
        end
        arrived = arrived + 1
      end
      for _, path in ipairs(files(kept)) do os.remove(path) end
    end
    assert.same({}, different)
    assert(arrived > 200, ("only %d files were sent"):format(arrived))
  end)
end)

describe("we ask DCMTK:", function()
  before_each(function()
    need.peer "storescp"
    net.begin()
  end)
  after_each(net.finish)

  it("an echo", function()
    local port = archive(sh.folder())
    assert.equal(0, net.peer(port, { aet = "THEM" }).echo())
  end)

  it("to store, in the syntax that it is in and converted", function()
    local folder = sh.folder()
    local kept, implicit = sh.folder(), sh.folder()
    local path = folder .. "/a.dcm"
    assert(net.instance(3000000):save(path))
    assert.equal(0, (net.peer(archive(kept, "+xa"), { aet = "THEM" }).store(path)))
    local status, detail = net.peer(archive(implicit, "+xi"), { aet = "THEM" }).store(path)
    assert.same({ 0, "1.2.840.10008.1.2" }, { status, detail.syntax })
    for _, where in ipairs { kept, implicit } do
      local got = files(where)
      assert.equal(1, #got)
      assert.equal(dcmdump.of(path), dcmdump.of(got[1]))
    end
    assert.equal("1.2.840.10008.1.2", dicom.open(files(implicit)[1]).syntax)
  end)

  it("to store every test file that it takes; they arrive unchanged", function()
    need.data()
    local kept = sh.folder()
    local port = archive(kept, "+B", "+xa", "-uf")
    local paths = {}
    for _, file in ipairs(corpus()) do
      if OPTIONS[file.syntax] and dcmdump.of(file.path) then
        paths[#paths + 1] = file.path
      end
    end
    local i, stored, different = 0, 0, {}
    local peer = net.peer(port, { aet = "THEM" })
    for status, detail in peer.store(paths) do
      i = i + 1
      -- what it does not take, or what names no instance, is no failure of ours; an abort in the middle is
      if not status and not THEIRS[detail.code] then
        different[#different + 1] = paths[i] .. ": " .. tostring(detail)
      end
      local got = files(kept)
      if status == 0 then
        stored = stored + 1
        if #got ~= 1 or dcmdump.of(got[1]) ~= dcmdump.of(paths[i]) then different[#different + 1] = paths[i] end
      end
      for _, path in ipairs(got) do os.remove(path) end
    end
    assert.equal(#paths, i)
    assert.same({}, different)
    assert(stored > 200, ("only %d files were stored"):format(stored))
  end)
end)
