-- SPDX-License-Identifier: MIT
-- Memory does not grow with the instance: 1 GiB is received, routed and forwarded.
local dicom = require "dicom"
local flow = require "spec.support.flow"
local need = require "spec.support.need"
local sh = require "spec.support.sh"

local GIB, LIMIT_KB = 1 << 30, 64 * 1024

-- A file whose Pixel Data is a hole of n bytes.
local function huge(path, n)
  local ds = assert(dicom.open(flow.study(path .. ".d", 1, function() return 0 end)[1].path))
  ds.PixelData = nil
  local f <close> = assert(io.open(path, "wb"))
  f:write(ds:bytes { part10 = true }, string.pack("<I2I2c2I2I4", 0x7FE0, 0x0010, "OB", 0, n))
  f:seek("cur", n - 1)
  f:write "\0"
  return path
end

describe("an instance of 1 GiB", function()
  it("goes through the router in less than 64 MiB of memory", function()
    need.peer "storescp"
    need.peer "/usr/bin/time"
    need.release_build()
    local folder = sh.folder()
    assert(os.execute("mkdir " .. folder .. "/in.dcm.d"))
    local path = huge(folder .. "/in.dcm", GIB)
    local gateway = flow.gateway(folder)
    sh.write(folder .. "/rules/flow.lua", 'rule "all" { send = { "archive" } }')
    local usage = folder .. "/usage"
    local router = gateway:start(nil, { "/usr/bin/time", "-f", "%M", "-o", usage })
    local sent = sh.run({ sh.dicom, "send", "--aec", "ROUTER", "127.0.0.1", gateway.port, path }, { timeout = 300 })
    assert.equal(0, sent.code, sent.err)
    assert.is_truthy(sh.eventually(function() return gateway:waiting() == 0 end, 300), "not forwarded")
    os.execute("pkill -TERM -P " .. router.pid)
    assert.is_truthy(router:wait(30))
    local kb = tonumber((sh.read(usage) or ""):match "(%d+)%s*$")
    assert.is_true(kb < LIMIT_KB, ("peak %d KiB"):format(kb))
    local arrived = sh.lines("find " .. gateway.archive .. " -type f")
    assert.equal(1, #arrived)
    local length
    for e in assert(dicom.open(arrived[1])):elements() do length = e.tag == 0x7FE00010 and e.length or length end
    assert.equal(GIB, length)
  end)
end)
