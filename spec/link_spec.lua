-- SPDX-License-Identifier: MIT
-- The link alone: what it promises to services, and that a loop may end with links in every state.
local association = require "dicom.association"
local core = require "dicom.core"
local net = require "spec.support.net"
local need = require "spec.support.need"
local sh = require "spec.support.sh"
local task = require "dicom.task"

local VERIFICATION, IMPLICIT = "1.2.840.10008.1.1", "1.2.840.10008.1.2"

local function options(port, more)
  local o = { host = "127.0.0.1", port = port, called = "THEM", calling = "US", max_pdu = 16384,
    contexts = { { id = 1, abstract = VERIFICATION, transfers = { IMPLICIT } } } }
  for k, v in pairs(more or {}) do o[k] = v end
  return o
end

describe("a link", function()
  before_each(net.begin)
  after_each(net.finish)

  it("gives its events in order, and the end for ever after", function()
    local l = net.listen {}
    local link <close> = assert(core.connect(task.loop, options(l.port)))
    local kind, params = task.await(link)
    assert.equal("accepted", kind)
    assert.equal("2.25", params.implementation_uid:sub(1, 4))
    assert.is_true(link:is_idle())
    assert(link:send(1, { field = 0x0030, message_id = 7, sop_class = VERIFICATION }))
    assert.is_false(link:is_idle())
    local message
    kind, message = task.await(link)
    assert.same({ "message", 0x8030, 7, 0 }, { kind, message.field, message.message_id, message.status })
    assert.is_false(link:next())
    assert(link:release())
    assert.equal("released", (task.await(link)))
    assert.equal("released", (link:next()))
    assert.is_false(link:is_idle())
    local ok, err = link:send(1, { field = 0x0030, message_id = 8, sop_class = VERIFICATION })
    assert.is_nil(ok)
    assert.equal("wrong state", err.code)
  end)

  it("refuses what cannot be sent and stays open", function()
    local l = net.listen {}
    local a = assert(association.request(options(l.port)))
    local ok, err = a:send(3, { field = 0x0030, message_id = 1, sop_class = VERIFICATION })
    assert.is_nil(ok)
    assert.equal("unknown context", err.code)
    assert.is_true(a:is_idle())
    assert.is_true(a:release())
  end)

  it("refuses wrong parameters before it connects", function()
    for _, more in ipairs { { called = "" }, { calling = "A\\B" }, { connect = 0 }, { idle = -1 },
      { contexts = { { id = 2, abstract = VERIFICATION, transfers = { IMPLICIT } } } } } do
      local ok, link, err = pcall(core.connect, task.loop, options(1, more))
      assert.is_true(not ok or link == nil and err ~= nil)
    end
  end)

  it("tries every address of a name", function()
    if not os.execute "getent hosts localhost >/dev/null" then
      return need.skip "localhost has no address here: /etc/hosts is missing"
    end
    local l = net.listen {} -- 127.0.0.1 only; localhost is ::1, too
    local link <close> = assert(core.connect(task.loop, options(l.port, { host = "localhost" })))
    assert.equal("accepted", (task.await(link)))
  end)

  it("limits the time to connect", function()
    local began = task.now()
    local nowhere = options(9, { host = "192.0.2.1", connect = 0.1 }) -- TEST-NET-1, RFC 5737
    local link <close> = assert(core.connect(task.loop, nowhere))
    local kind, err = task.await(link)
    assert.is_nil(kind)
    assert.is_true(err.code == "timeout" or err.code == "system") -- system: this machine has no route at all
    assert.is_true(task.now() - began < 5)
  end)

  it("ends a wait at once when its time is over already", function()
    local socket <close> = assert(core.listener(task.loop, { host = "127.0.0.1", port = 0 }))
    local link <close> = assert(core.connect(task.loop, options(socket:port(), { acse = 0.1 })))
    task.sleep(0.02) -- connected
    local began = task.now()
    repeat until task.now() - began > 0.2 -- a program that computes
    began = task.now()
    local kind, err = task.await(link)
    assert.is_nil(kind)
    assert.equal("timeout", err.code)
    assert.is_true(task.now() - began < 0.5)
  end)

  it("may be dropped in any state", function()
    local l = net.listen {}
    assert(core.connect(task.loop, options(l.port))):close()
    local link = assert(core.connect(task.loop, options(l.port)))
    assert.equal("accepted", (task.await(link)))
    link:close()
    link:close()
    assert.has_error(function() link:next() end)
    local lost = assert(core.connect(task.loop, options(l.port)))
    assert(lost)
    lost = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
  end)

  it("ends with its process whatever is open", function()
    local port = net.listen {}.port
    local script = [[
      local core, task = require "dicom.core", require "dicom.task"
      local o = { host = "127.0.0.1", port = %d, called = "THEM", calling = "US", max_pdu = 16384,
        contexts = { { id = 1, abstract = "1.2.840.10008.1.1", transfers = { "1.2.840.10008.1.2" } } } }
      open = assert(core.connect(task.loop, o))
      begun = assert(core.connect(task.loop, o))
      listener = assert(core.listener(task.loop, { host = "127.0.0.1", port = 0 }))
      work = core.work(task.loop, "read", "/etc/passwd")
      if arg[1] then
        task.await(open)
        open:send(1, { field = 0x0030, message_id = 1, sop_class = "1.2.840.10008.1.1" })
      end
      io.write "end"]]
    for _, more in ipairs { {}, { "x" } } do
      local p = sh.spawn_lua { "-e", "arg = {" .. (more[1] and "'x'" or "") .. "} " .. script:format(port) }
      assert.is_true(net.eventually(function() return not p:running() end, 5) == true)
      assert.same({ "end", 0 }, { p:output(), p:code() })
    end
  end)
end)

describe("a sink on a full disk", function()
  before_each(net.begin)
  after_each(net.finish)

  it("leaves nothing, answers A700H, and the association goes on", function()
    need.peer "strace"
    local folder, port = sh.folder(), sh.port()
    -- the third gathered write of the process fails, as on a full disk, and those until the fifth
    local p = sh.spawn({ "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=writev", "-e",
      "inject=writev:error=ENOSPC:when=3..5", "env", "LUA_PATH=lua/?.lua;lua/?/init.lua;;",
      "LUA_CPATH=build/?.so;;", "lua5.4", "-e", ([[
        local dicom = require "dicom"
        assert(dicom.listen { host = "127.0.0.1", port = %d, folder = %q })
        dicom.run()]]):format(port, folder) })
    assert(sh.wait_port(port), p:output())
    local peer = net.peer(port)
    local statuses = {}
    for i = 1, 6 do statuses[i] = peer.store(net.instance(100)) end
    assert.equal(0xA700, statuses[2])
    assert.equal(0, statuses[6])
    assert.equal(0, peer.echo())
    for _, path in ipairs(net.files(folder)) do assert.matches("%.dcm$", path) end
  end)
end)
