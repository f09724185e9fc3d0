-- SPDX-License-Identifier: MIT
-- The command line: help for people, one clear line for what is wrong, exit codes 0 (done), 1 (failed), 2 (misused).
local cli = require "dicom.cli"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local function dicom(...)
  return sh.run { sh.dicom, ... }
end

-- A failure: nothing on standard output, one line on standard error that holds `text`.
local function one_line(r, code, text)
  assert.same({ code, "" }, { r.code, r.out })
  assert.matches("^dicom[^\n]*\n$", r.err)
  assert(r.err:find(text, 1, true), r.err)
end

-- A receiver on a free port, once it listens.
local function receiver(folder)
  local p = sh.spawn { sh.dicom, "receive", "--aet", "KEEPER", "--port", "0", folder }
  local port = sh.eventually(function() return tonumber(p:output():match "listens at port (%d+)") end)
  return p, assert(port, p:output())
end

local function sample(folder, name)
  local ds = require "dicom".dataset {
    SOPClassUID = "1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID = require "dicom".uid.new(), Modality = "OT",
    PatientName = "Doe^Jane", RequestAttributesSequence = { { RequestedProcedureID = "RP1" } },
  }
  assert(ds:save(folder .. "/" .. name))
  return folder .. "/" .. name, ds
end

describe("dicom", function()
  it("lists its commands, each with a summary, and tells all about one", function()
    local r = dicom "--help"
    assert.same({ 0, "" }, { r.code, r.err })
    for _, name in ipairs(cli.commands) do
      assert(r.out:find("\n  " .. name .. " +%l"), name .. " is not listed")
      local one = dicom(name, "--help")
      assert.same({ 0, "" }, { one.code, one.err })
      assert.matches("Usage: dicom " .. name, one.out)
    end
  end)

  it("names the versions of all that it is linked with", function()
    local out = dicom "--version".out
    for _, name in ipairs { "dicom", "Lua", "libuv", "OpenJPEG", "OpenSSL", "zlib" } do
      assert(("\n" .. out):find("\n" .. name .. " %d"), name .. " has no version")
    end
  end)

  it("says in one line how it was misused", function()
    one_line(dicom(), 2, "a command is missing")
    one_line(dicom "fetch", 2, [[there is no command "fetch"]])
    one_line(dicom "dump", 2, "missing argument")
    one_line(dicom("dump", "--colour", "x"), 2, "unknown option '--colour'")
    one_line(dicom("dump", "--al", "x"), 2, "unknown option '--al', did you mean '--all'?")
    one_line(dicom("echo", "127.0.0.1", "70000"), 2, [["70000" is not a port]])
    one_line(dicom("echo", "127.0.0.1", "0"), 2, [["0" is not a port: a number from 1]])
    for _, wrong in ipairs { "", "  ", "A\\B", "SEVENTEEN LETTERS" } do
      one_line(dicom("echo", "--aec", wrong, "127.0.0.1", "104"), 2, "is not an AE title")
      one_line(dicom("receive", "--aet", wrong, "--port", "0", "in"), 2, "is not an AE title")
    end
  end)

  it("loads the command asked for and no other", function()
    local r = sh.lua { "-e", [[require "dicom.cli".main { "dump", "/nonexistent" }
      for name in pairs(package.loaded) do if name:find "^dicom%.cli%." then print(name) end end]] }
    assert.equal("dicom.cli.dump\n", r.out)
  end)
end)

describe("dicom dump", function()
  it("prints tag, VR, length, name and value at every depth", function()
    local r = dicom("dump", (sample(sh.folder(), "a.dcm")))
    assert.same({ 0, "" }, { r.code, r.err })
    assert.matches("%(0002,0010%) UI %d+ TransferSyntaxUID: 1%.2%.840", r.out)
    assert.matches("%(0010,0010%) PN 8 PatientName: Doe%^Jane\n", r.out)
    assert.matches("RequestAttributesSequence: 1 item\n  item 1\n    %(0040,1001%) SH 4 RequestedProcedureID: RP1\n",
      r.out)
  end)

  it("lets no escape sequence of a file reach the terminal", function()
    local folder = sh.folder()
    local path = sample(folder, "a.dcm")
    sh.write(path, (sh.read(path):gsub("Doe%^Jane", "Doe\27[2Je")))
    local r = dicom("dump", path)
    assert.is_nil(r.out:find("\27", 1, true))
    assert(r.out:find("Doe\\x1B[2Je", 1, true), r.out)
  end)

  it("goes on after a file that it cannot read", function()
    local good = sample(sh.folder(), "a.dcm")
    local r = dicom("dump", "/nonexistent", good)
    assert.equal(1, r.code)
    assert.matches("^dicom dump: /nonexistent: [^\n]*\n$", r.err)
    assert.matches("PatientName", r.out)
  end)

  it("starts, prints and ends in under 10 ms", function()
    need.release_build()
    local path, best = sample(sh.folder(), "a.dcm"), math.huge
    for _ = 1, 50 do -- the best of many: other programs of the machine are not what is measured
      local start = sh.now()
      os.execute(("%s dump %s >/dev/null"):format(sh.dicom, path))
      best = math.min(best, sh.now() - start)
    end
    assert(best < 0.010, ("%.1f ms"):format(best * 1000))
  end)
end)

describe("dicom echo, send and receive", function()
  it("talk to one another", function()
    local from, to = sh.folder(), sh.folder()
    os.execute("mkdir " .. from .. "/deep")
    local _, one = sample(from, "1.dcm")
    local _, two = sample(from, "deep/2.dcm")
    sh.write(from .. "/notes.txt", "no image")
    local keeper, port = receiver(to)
    local echo = dicom("echo", "--aec", "KEEPER", "127.0.0.1", port)
    assert.same({ 0, "" }, { echo.code, echo.err })
    assert.matches("answers with status 0000H", echo.out)
    local sent = dicom("send", "--aec", "KEEPER", "127.0.0.1", port, from)
    assert.same({ 0, "2 sent, 0 failed, 1 left out: not DICOM\n", "" }, { sent.code, sent.out, sent.err })
    for _, ds in ipairs { one, two } do
      local kept = assert(require "dicom".open(to .. "/" .. ds.SOPInstanceUID .. ".dcm"))
      assert.same(ds:totable(), kept:totable())
    end
    keeper:stop()
  end)

  it("say in one line that nobody is there", function()
    local path = sample(sh.folder(), "a.dcm")
    one_line(dicom("echo", "127.0.0.1", sh.port()), 1, "refused")
    local r = dicom("send", "127.0.0.1", sh.port(), path)
    assert.equal(1, r.code)
    assert.matches("0 sent, 1 failed", r.out)
    assert.matches("refused", r.err)
  end)

  it("say once what is wrong with all of them", function()
    local folder = sh.folder()
    for i = 1, 5 do sample(folder, i .. ".dcm") end
    local r = dicom("send", "127.0.0.1", sh.port(), folder)
    assert.same({ 1, "0 sent, 5 failed\n" }, { r.code, r.out })
    assert.matches("^dicom send: [^\n]+/1%.dcm: [^\n]+ refused [^\n]+\ndicom send: 4 more: [^\n]+ refused [^\n]+\n$",
      r.err)
  end)

  it("name every file that the other side refuses", function()
    local folder = sh.folder()
    local keeper, port = receiver(folder .. "/kept")
    for i = 1, 3 do sample(folder, i .. ".dcm") end
    os.execute("rm -rf " .. folder .. "/kept")
    local r = dicom("send", "--aec", "KEEPER", "127.0.0.1", port, folder)
    keeper:stop()
    assert.same({ 1, "0 sent, 3 failed\n" }, { r.code, r.out })
    for i = 1, 3 do assert(r.err:find(("/%d.dcm: answered with status "):format(i), 1, true), r.err) end
  end)

  it("name a file once", function()
    local r = dicom("send", "127.0.0.1", "1", "/nonexistent")
    assert.equal("dicom send: /nonexistent: open: No such file or directory\n", r.err)
  end)

  it("leave out what would never end, and say that a folder has nothing to send", function()
    local folder = sh.folder()
    os.execute("mkfifo " .. folder .. "/pipe")
    one_line(dicom("send", "127.0.0.1", "1", folder), 1, folder .. ": no DICOM files are in this folder")
  end)

  it("make the folder to receive into, and say in one line that they cannot", function()
    local folder = sh.folder()
    local keeper = receiver(folder .. "/a/b")
    keeper:stop()
    assert.same({ "" }, sh.lines(("ls -d %s/a/b >/dev/null && echo"):format(folder)))
    sh.write(folder .. "/file", "x")
    one_line(dicom("receive", "--port", "0", folder .. "/file"), 1, "/file: is there already and is not a folder")
    one_line(dicom("receive", "--port", "0", "/proc/none"), 1, "/proc/none")
  end)

  it("say in one line that the port is in use", function()
    local keeper, port = receiver(sh.folder())
    one_line(dicom("receive", "--port", port, sh.folder()), 1, "in use")
    keeper:stop()
  end)
end)

describe("dicom queue", function()
  -- A queue that holds what a router left: an instance for two destinations, one of them given up.
  local function spool()
    local folder = sh.folder()
    local q = require "dicom.queue".new("spool:" .. folder)
    assert(q:open())
    sample(q:sink(), "1.part")
    local ds = assert(require "dicom".open(q:sink() .. "/1.part"))
    local message = assert(q:accept(ds, { { kind = "to", name = "archive" }, { kind = "to", name = "research" } },
      { calling_aet = "SCANNER3", called_aet = "ROUTER", address = "10.0.0.7", received = "2026-01-02T03:04:05Z" }))
    assert(q:note(message, message.parts[2], "parked", "rejected the association for good"))
    q:close()
    return folder, message.id
  end

  it("lists what waits and what is parked, with the reason", function()
    local folder, id = spool()
    local r = dicom("queue", folder)
    assert.same({ 0, "" }, { r.code, r.err })
    assert(r.out:find(id .. "  from SCANNER3 at 2026-01-02T03:04:05Z  SecondaryCaptureImageStorage, ", 1, true), r.out)
    local parts = "\n    to archive\n        waiting\n" ..
      "    to research\n        parked: rejected the association for good\n"
    assert(r.out:find(parts .. "1 waiting, 1 parked\n", 1, true), r.out)
  end)

  it("says that nothing waits", function()
    local folder = sh.folder()
    local q = require "dicom.queue".new("spool:" .. folder)
    assert(q:open())
    q:close()
    assert.equal("nothing waits\n", dicom("queue", folder).out)
  end)

  it("orders a retry of what is parked", function()
    local folder, id = spool()
    local r = dicom("queue", "--retry", "all", folder)
    assert.same({ 0, "retry: 1 message; the router does it when it next looks\n" }, { r.code, r.out })
    local q = require "dicom.queue".new("spool:" .. folder)
    assert(q:open())
    assert.same({ { what = "retry", id = id } }, q:orders_given())
    q:close()
  end)

  it("says in one line what is no queue, and what is not in it", function()
    one_line(dicom("queue", "/nonexistent"), 1, "/nonexistent is no queue's folder")
    one_line(dicom("queue", sh.folder()), 1, "is no queue's folder")
    local folder = spool()
    one_line(dicom("queue", "--drop", "nothing", folder), 1, "holds no message nothing")
  end)
end)

describe("dicom serve", function()
  -- A gateway with its rule, some words of it replaced.
  local function gateway(replace, rule)
    local folder = sh.folder()
    os.execute("mkdir " .. folder .. "/rules")
    sh.write(folder .. "/rules/all.lua", rule or 'rule "all" { send = { "archive" } }')
    local text = ([[
      return require "dicom".router { aet = "ROUTER", port = 0, rules = "FOLDER/rules", queue = "spool:FOLDER/queue",
        destinations = { archive = { aet = "KEEPER", host = "127.0.0.1", port = 1 } } }]]):gsub("FOLDER", folder)
    for from, to in pairs(replace or {}) do text = text:gsub(from, to) end
    return sh.write(folder .. "/gateway.lua", text)
  end

  it("runs the router that a file returns until it is told to stop", function()
    local to = sh.folder()
    local keeper, port = receiver(to)
    local router = sh.spawn { sh.dicom, "serve", gateway { ["port = 1 "] = "port = " .. port .. " " } }
    local own = sh.eventually(function() return tonumber(router:output():match "ROUTER listens at port (%d+)") end)
    local path, ds = sample(sh.folder(), "a.dcm")
    local sent = dicom("send", "--aec", "ROUTER", "127.0.0.1", assert(own, router:output()), path)
    assert.same({ 0, "" }, { sent.code, sent.err })
    assert(sh.eventually(function() return sh.read(to .. "/" .. ds.SOPInstanceUID .. ".dcm") end), router:output())
    assert.equal(0, router:stop())
    keeper:stop()
  end)

  it("says in one line what is wrong, before anything starts", function()
    local function refused(path, text)
      one_line(dicom("serve", path), 1, text)
    end
    refused("/nonexistent.lua", "/nonexistent.lua")
    refused(sh.write(sh.folder() .. "/x.lua", "return 1"), "does not return a router")
    refused(sh.write(sh.folder() .. "/x.lua", "return }"), "x.lua:1: unexpected symbol")
    refused(gateway { ["queue ="] = "quueue =" }, "quueue")
    refused(gateway { ["%.router"] = ".ruter" }, 'gateway.lua:1: dicom has no "ruter"; the nearest is "router"')
    refused(gateway { ["return"] = "string.rep() return" }, "gateway.lua:1: bad argument #1 to 'rep'")
    refused(gateway { ['aet = "ROUTER"'] = '"ROUTER"' }, "value 1 has no name")
    refused(gateway { ["port = 0"] = 'port = "0"' }, "port must be a whole number, not a string")
    refused(gateway({}, 'rule "all" { send = { "archve" } }'), 'unknown destination "archve"; the nearest is "archive"')
    refused(gateway({}, 'rule "x" { change = deid { profile = "basic", key = secret "none" }, send = { "archive" } }'),
      "none")
    local keeper, port = receiver(sh.folder())
    refused(gateway { ["port = 0"] = "port = " .. port }, "in use")
    keeper:stop()
  end)
end)
