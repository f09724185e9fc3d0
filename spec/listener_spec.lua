-- SPDX-License-Identifier: MIT
-- Answering: both ends in this process, and peers that do not behave.
local core = require "dicom.core"
local dicom = require "dicom"
local errors = require "dicom.error"
local net = require "spec.support.net"
local raw = require "spec.support.raw"
local sh = require "spec.support.sh"
local task = require "dicom.task"

local SC, VERIFICATION = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.1.1"
local EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"

local function logged(text)
  local n = 0
  for _, line in ipairs(net.lines) do if line:find(text, 1, true) then n = n + 1 end end
  return n
end

-- The bytes of an A-ASSOCIATE-RQ, and an engine that goes on from there.
local function request(contexts)
  local e = core.engine(true)
  assert(e:request { called = "ANY-SCP", calling = "BAD", max_pdu = 16384, implementation_uid = "1.2.3",
    contexts = contexts or { { id = 1, abstract = SC, transfers = { EXPLICIT } } } })
  return e:take()
end

-- A P-DATA-TF PDU with one PDV (PS3.8 9.3.5).
local function pdata(context, control, bytes)
  return string.pack(">BBI4I4BB", 4, 0, #bytes + 6, #bytes + 2, context, control) .. bytes
end

local STORE = core.command_encode {
  field = 0x0001, sop_class = SC, sop_instance = "1.2.3", message_id = 1, priority = 0, data_set_type = 1,
}

describe("a listener", function()
  before_each(net.begin)
  after_each(net.finish)

  it("picks a port, says which, and says in one line when one is in use", function()
    local l = net.listen { aet = "US" }
    assert.is_true(l.port > 1024)
    local second, err = dicom.listen { host = "127.0.0.1", port = l.port }
    assert.is_nil(second)
    assert.equal("port in use", err.code)
    assert.equal(("port %d is in use by another program"):format(l.port), tostring(err))
    l:close()
    l:close()
    net.listen { port = l.port } -- free again at once
  end)

  it("refuses what is misspelt or of the wrong kind before it listens", function()
    for _, options in ipairs { { prot = 1 }, { port = -1 }, { port = 1.5 }, { aet = "" }, { aet = "A\\B" },
      { store = 1 }, { echo = 1 }, { timeouts = { idel = 1 } }, { timeouts = { idle = -1 } }, { folder = 1 },
      { accept = 1 } } do
      assert.has_error(function() dicom.listen(options) end)
    end
  end)

  it("rejects a called AE title that is not its own, takes any for *", function()
    assert.equal(0, net.peer(net.listen { aet = "*" }.port, { aet = "WHOEVER" }).echo())
    assert.equal(0, net.peer(net.listen {}.port, { aet = "WHOEVER" }).echo())
    local status, err = net.peer(net.listen { aet = "US" }.port, { aet = "us" }).echo()
    assert.is_nil(status)
    assert.same({ 1, 1, 7 }, { err.result, err.source, err.reason })
  end)

  it("asks its accept handler who may come in", function()
    local seen
    local l = net.listen { accept = function(a)
      seen = a
      if a.calling_aet == "RAISES" then error "boom" end
      return a.calling_aet == "FRIEND"
    end }
    assert.equal(0, net.peer(l.port, { calling_aet = "FRIEND" }).echo())
    assert.equal("FRIEND", seen.calling_aet)
    assert.equal("127.0.0.1", seen.address)
    assert.matches("^2%.25%.", seen.implementation_uid)
    assert.equal("DICOM_LUA_0", seen.implementation_version)
    local _, err = net.peer(l.port, { calling_aet = "FOE" }).echo()
    assert.same({ 1, 1, 3 }, { err.result, err.source, err.reason })
    _, err = net.peer(l.port, { calling_aet = "RAISES" }).echo()
    assert.same({ 2, 1, 1 }, { err.result, err.source, err.reason })
    assert.equal(1, logged "accept handler failed")
  end)

  it("rejects for now what is above max_associations, and takes it when there is room", function()
    local l = net.listen { max_associations = 2 }
    local a, b, c = net.peer(l.port), net.peer(l.port), net.peer(l.port)
    assert.equal(0, a.echo())
    assert.equal(0, b.echo())
    local status, err = c.echo()
    assert.is_nil(status)
    assert.same({ 2, 3, 2 }, { err.result, err.source, err.reason }) -- PS3.8 table 9-21
    assert.matches("local limit exceeded", tostring(err))
    a:close()
    assert.is_true(net.eventually(function() return c.echo() == 0 end, 3))
  end)

  it("refuses Verification with echo = false, and asks an echo handler", function()
    local status, err = net.peer(net.listen { echo = false }.port).echo()
    assert.is_nil(status)
    assert.equal("unknown context", err.code)
    local l = net.listen { echo = function(a) assert(a.calling_aet) return 0x0122 end }
    assert.equal(0x0122, net.peer(l.port).echo())
    assert.equal(0x0110, net.peer(net.listen { echo = function() error "boom" end }.port).echo())
  end)

  it("answers what the store handler says", function()
    local say
    local l = net.listen { store = function(ds, a) assert(ds and a.calling_aet) return say() end }
    local p = net.peer(l.port)
    for _, case in ipairs {
      { 0x0000, function() return true end }, { 0x0000, function() return 0 end },
      { 0xB007, function() return 0xB007 end }, { 0xA900, function() return 0xA900 end },
      { 0x0110, function() return nil, errors.new("x", "y") end },
      { 0xC000, function() return nil, errors.new("bad uid", "y") end }, { 0x0110, function() error "boom" end },
      { 0x0110, function() end }, { 0x0110, function() return "yes" end },
      { 0xA700, function() return nil, errors.new("no space", "full") end },
    } do
      say = case[2]
      assert.equal(case[1], (p.store(net.instance(8))))
    end
    assert.equal(1, logged "association accepted")
  end)

  it("takes storage SOP classes only, unless told which", function()
    local find = net.instance(8, { SOPClassUID = "1.2.840.10008.5.1.4.1.2.1.1" })
    local private = net.instance(8, { SOPClassUID = "1.2.826.0.1.3680043.9.9.1" })
    local l = net.listen { store = function() return 0 end }
    local status, err = net.peer(l.port).store(find)
    assert.is_nil(status)
    assert.equal("unknown context", err.code)
    l = net.listen { store = function() return 0 end, sop_classes = { "1.2.826.0.1.3680043.9.9.1" } }
    assert.equal(0, (net.peer(l.port).store(private)))
    assert.is_nil((net.peer(l.port).store(net.instance(8))))
  end)

  it("keeps files under their SOP Instance UID, the data set as it came, never overwriting", function()
    local folder = sh.folder()
    local l = net.listen { folder = folder }
    local p = net.peer(l.port)
    local ds = net.instance(100000)
    assert.equal(0, (p.store(ds)))
    assert.equal(0, (p.store(ds)))
    local uid = ds.SOPInstanceUID
    for _, name in ipairs { uid .. ".dcm", uid .. "-1.dcm" } do
      local kept = assert(dicom.open(folder .. "/" .. name))
      assert.equal(ds:bytes { part10 = false }, kept:bytes { part10 = false, raw = true })
      assert.equal(EXPLICIT, kept.syntax)
      assert.equal("DICOM", kept.meta.SourceApplicationEntityTitle)
    end
    assert.equal(2, #net.files(folder))
  end)

  it("lets no SOP Instance UID name a path", function()
    local folder = sh.folder()
    local l = net.listen { folder = folder }
    local ds = net.instance(8)
    ds.SOPInstanceUID = "1.2.3.4.5.6"
    local bytes = ds:bytes { part10 = false }
    for i, uid in ipairs { "../../../xx", "/tmp/dicom1", "..", "1.2/../../4" } do
      local bad = bytes:gsub("1%.2%.3%.4%.5%.6", uid .. ("\0"):rep(11 - #uid))
      raw.peer(l.port, { request(), pdata(1, 3, STORE) .. pdata(1, 2, bad) }, { pause = 0.05, hold = 0.1 })
      assert.is_true(net.eventually(function() return logged "store failed" == i end, 3))
    end
    net.eventually(function() return #net.files(folder) == 0 end, 3) -- removed after it was logged
    assert.same({}, net.files(folder))
  end)

  it("gives a handler a file in its sink, which is then its own", function()
    local folder = sh.folder()
    local seen
    local handler = setmetatable({ sink = function(_, a) assert(a.calling_aet) return folder end },
      { __call = function(_, ds) seen = ds.path return 0 end })
    local l = net.listen { store = handler }
    local ds = net.instance(300000)
    assert.equal(0, (net.peer(l.port).store(ds)))
    assert.same({ seen }, net.files(folder))
    assert.matches("%.part$", seen)
    assert.equal(ds:raw "PixelData", dicom.open(seen):raw "PixelData")
    assert.equal("600", sh.lines("stat -c %a " .. seen)[1])
  end)

  it("removes a file that the handler has not moved, whatever it answers", function()
    local folder = sh.folder()
    local moved = folder .. "/moved"
    local l = net.listen { folder = folder, store = function(ds)
      if ds.InstanceNumber == 1 then os.rename(ds.path, moved) end
      if ds.InstanceNumber == 2 then error "boom" end
      return 0
    end }
    local p = net.peer(l.port)
    for i = 1, 3 do p.store(net.instance(8, { InstanceNumber = i })) end
    assert.same({ moved }, net.files(folder))
  end)

  it("answers A700H above the limit in memory, and goes on", function()
    local l = net.listen { limit = 10000, store = function() return 0 end }
    local p = net.peer(l.port)
    local status = p.store(net.instance(20000))
    assert.equal(0xA700, status)
    assert.equal(0, (p.store(net.instance(5000))))
    assert.equal(1, logged "association accepted")
  end)

  it("names the address that it cannot listen at", function()
    local l, err = dicom.listen { port = 0, host = "192.0.2.1" }
    assert.is_nil(l)
    assert.equal("192.0.2.1, port 0: Cannot assign requested address", tostring(err))
  end)

  it("does not start when its folder cannot be written", function()
    local l, err = dicom.listen { port = 0, folder = "/dev/null/nowhere" }
    assert.is_nil(l)
    assert.equal("/dev/null/nowhere: nothing can be kept there: Not a directory", tostring(err))
  end)

  it("names the line of the caller, and the nearest word, when it is misused", function()
    for wrong, words in pairs { [{ prot = 1 }] = 'unknown field "prot"; the nearest is "port"',
      [{ port = "1" }] = "port is not a number",
      [{ aet = "SEVENTEEN LETTERS" }] = 'aet "SEVENTEEN LETTERS" is not 1 to 16' } do
      local _, err = pcall(function() return (dicom.listen(wrong)) end)
      assert.matches("^spec/listener_spec.lua:%d+: dicom.listen: ", tostring(err))
      assert(tostring(err):find(words, 1, true), tostring(err))
    end
  end)

  it("answers A700H when the folder cannot be written any more, and goes on", function()
    local folder = sh.folder()
    local l = net.listen { folder = folder }
    os.execute("rm -rf " .. folder)
    local p = net.peer(l.port)
    local status = p.store(net.instance(20000))
    assert.equal(0xA700, status)
    assert.equal(0, p.echo())
  end)

  it("answers C000H to a data set that cannot be read", function()
    local l = net.listen { store = function() return 0 end }
    local p = raw.peer(l.port, { request(), pdata(1, 3, STORE) .. pdata(1, 2, "\255\255\255\255not a data set") },
      { pause = 0.1, hold = 0.2 })
    assert.is_true(net.eventually(function() return logged "store failed" == 1 end, 3))
    assert.is_true(net.eventually(function() return not p:running() end, 3))
  end)

  it("answers A900H to a data set that is another than the command says", function()
    local asked = 0
    local l = net.listen { store = function() asked = asked + 1 return 0 end }
    for _, uid in ipairs { "1.2.3", "1.2.4" } do
      local ds = dicom.dataset { SOPClassUID = SC, SOPInstanceUID = uid, PatientID = "X" }
      local p = raw.peer(l.port, { request(), pdata(1, 3, STORE) .. pdata(1, 2, ds:bytes()) }, { pause = 0.2 })
      local answer = "\0\0\0\9\2\0\0\0" .. (uid == "1.2.3" and "\0\0" or "\0\xA9")
      assert.is_true(net.eventually(function() return p:output():find(answer, 1, true) ~= nil end, 3))
      p:kill()
    end
    assert.equal(1, asked)
  end)

  it("forwards: a peer's store is a handler", function()
    local got
    local archive = net.listen { store = function(ds) got = ds:raw "PixelData" return 0xB000 end }
    local proxy = net.listen { store = net.peer(archive.port).store }
    local ds = net.instance(200000)
    assert.equal(0xB000, (net.peer(proxy.port).store(ds)))
    assert.equal(ds:raw "PixelData", got)
    archive:close()
    assert.equal(0x0110, (net.peer(proxy.port).store(ds)))
  end)

  it("serves others while a handler waits, answers it late", function()
    local l = net.listen { store = function(ds) dicom.sleep(ds.InstanceNumber / 10) return 0 end }
    local slow = dicom.task(function() return (net.peer(l.port).store(net.instance(8, { InstanceNumber = 3 }))) end)
    local began = task.now()
    assert.equal(0, (net.peer(l.port).store(net.instance(8, { InstanceNumber = 0 }))))
    assert.is_true(task.now() - began < 0.25)
    assert.equal(0, slow:await())
  end)
end)

describe("a listener facing a bad peer", function()
  before_each(net.begin)
  after_each(net.finish)

  it("aborts at the first bytes of HTTP and garbage, and serves others", function()
    local l = net.listen {}
    for _, bytes in ipairs { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\22\3\1\2\0\1\0\1\252\3\3", ("\255"):rep(1000),
      "\1\0\255\255\255\255" .. ("x"):rep(100), "\4\0\0\0\0\6\0\0\0\2\1\3" } do
      local p = raw.peer(l.port, { bytes })
      assert.is_true(net.eventually(function() return not p:running() end, 3), "connection stays open")
      assert.equal(0, net.peer(l.port).echo())
    end
  end)

  it("ends a connection that says nothing, or half a PDU, after the ACSE time", function()
    local l = net.listen { timeouts = { acse = 0.2 } }
    local silent, half = raw.peer(l.port, {}), raw.peer(l.port, { request():sub(1, 50) })
    assert.is_true(net.eventually(function() return not silent:running() and not half:running() end, 4))
  end)

  it("ends an association that is idle, and one that stops in the middle of a message", function()
    local folder = sh.folder()
    local l = net.listen { folder = folder, timeouts = { idle = 0.3, dimse = 0.3 } }
    local idle = raw.peer(l.port, { request() })
    local stops = raw.peer(l.port, { request(), pdata(1, 3, STORE) .. pdata(1, 0, ("x"):rep(1000)) }, { pause = 0.1 })
    assert.is_true(net.eventually(function() return #net.files(folder) == 1 end, 2), "no .part file seen")
    assert.is_true(net.eventually(function() return not idle:running() and not stops:running() end, 4))
    assert.is_true(net.eventually(function() return #net.files(folder) == 0 end, 2), ".part file is left")
    assert.equal(2, logged "no progress within the time limit")
  end)

  it("removes the file of a data set whose sender goes away", function()
    local folder = sh.folder()
    local l = net.listen { folder = folder }
    local p = raw.peer(l.port, { request(), pdata(1, 3, STORE) .. pdata(1, 0, ("x"):rep(9000)) },
      { pause = 0.2, hold = 0.2 })
    assert.is_true(net.eventually(function() return #net.files(folder) == 1 end, 3), "no .part file seen")
    assert.is_true(net.eventually(function() return #net.files(folder) == 0 end, 3), ".part file is left")
    assert.is_true(net.eventually(function() return not p:running() end, 3))
    assert.equal(0, net.peer(l.port).echo())
  end)

  it("removes it when the listener is closed, too", function()
    local folder = sh.folder()
    local l = net.listen { folder = folder }
    raw.peer(l.port, { request(), pdata(1, 3, STORE) .. pdata(1, 0, ("x"):rep(9000)) }, { pause = 0.1 })
    assert.is_true(net.eventually(function() return #net.files(folder) == 1 end, 3))
    l:close()
    assert.is_true(net.eventually(function() return #net.files(folder) == 0 end, 3))
  end)

  it("answers an operation that it does not know, and a store on a context of another service", function()
    local l = net.listen { store = function() return 0 end }
    local e = core.engine(true)
    e:request { called = "ANY-SCP", calling = "BAD", max_pdu = 16384, implementation_uid = "1.2.3",
      contexts = { { id = 1, abstract = VERIFICATION, transfers = { IMPLICIT } } } }
    local find = core.command_encode { field = 0x0020, sop_class = VERIFICATION, message_id = 1, priority = 0,
      data_set_type = 1 }
    local p = raw.peer(l.port, { e:take(), pdata(1, 3, find) .. pdata(1, 2, "\8\0\82\0\0\0\0\0") },
      { pause = 0.1, hold = 0.3 })
    assert.is_true(net.eventually(function() return logged "association ended" == 1 end, 3))
    assert.is_true(net.eventually(function() return not p:running() end, 3))
  end)

  it("leaves nothing of a store on a context of another service", function()
    local folder = sh.folder()
    local l = net.listen { store = function() return 0 end, folder = folder }
    local p = raw.peer(l.port, { request { { id = 1, abstract = VERIFICATION, transfers = { IMPLICIT } } },
      pdata(1, 3, STORE) .. pdata(1, 2, "\8\0\82\0\0\0\0\0") }, { pause = 0.1, hold = 0.3 })
    assert.is_true(net.eventually(function() return logged "association ended" == 1 end, 3))
    assert.is_true(net.eventually(function() return not p:running() end, 3))
    assert.same({}, net.files(folder))
  end)

  it("serves when silent connections hold all descriptors", function()
    local port = sh.port()
    local command = ("ulimit -n 40; exec %s receive --aet X --port %d %s"):format(sh.dicom, port, sh.folder())
    local p = sh.spawn { "bash", "-c", command }
    assert(sh.wait_port(port, 10), p:output())
    local script = "for i in $(seq 60); do exec {fd}<>/dev/tcp/127.0.0.1/%d; done; echo all; sleep 15"
    local crowd = sh.spawn { "bash", "-c", script:format(port) }
    assert.is_true(net.eventually(function() return crowd:output():find "all" ~= nil end, 5))
    local status, err = net.peer(port, { aet = "X", timeouts = { acse = 10 } }).echo()
    crowd:kill "KILL"
    p:kill "KILL"
    assert.equal(0, status, tostring(err))
  end)

  it("serves while six hundred connections say nothing", function()
    local l = net.listen {}
    local script = "ulimit -n 1024; for i in $(seq 600); do exec {fd}<>/dev/tcp/127.0.0.1/%d; done; echo all; sleep 5"
    local crowd = sh.spawn { "bash", "-c", script:format(l.port) }
    assert.is_true(net.eventually(function() return crowd:output():find "all" ~= nil end, 5))
    local began = task.now()
    assert.equal(0, net.peer(l.port).echo())
    assert.is_true(task.now() - began < 1)
    crowd:kill "KILL"
  end)
end)
