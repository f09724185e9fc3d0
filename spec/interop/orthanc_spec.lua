-- SPDX-License-Identifier: MIT
-- C-ECHO and C-STORE with Orthanc, both ways.
local dcmdump = require "spec.support.dcmdump"
local dicom = require "dicom"
local need = require "spec.support.need"
local net = require "spec.support.net"
local sh = require "spec.support.sh"

local CONFIG = [[{ "Name": "spec", "StorageDirectory": "%s/db", "IndexDirectory": "%s/db", "DicomPort": %d,
  "HttpPort": %d,
  "DicomAet": "ORTHANC", "DicomCheckCalledAet": true, "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
  "DicomModalities": { "us": ["US", "127.0.0.1", %d] }, "Plugins": [], "StoreDicom": true }]]

local function program()
  return sh.has "Orthanc" and "Orthanc" or sh.has "/usr/sbin/Orthanc" and "/usr/sbin/Orthanc" or nil
end

-- Orthanc in a temporary folder, with us as its modality "us".
local function orthanc(our_port)
  local folder = sh.folder()
  local port, http = sh.port(), sh.port()
  sh.write(folder .. "/orthanc.json", CONFIG:format(folder, folder, port, http, our_port))
  local p = sh.spawn { program(), folder .. "/orthanc.json" }
  assert(sh.wait_port(port, 20) and sh.wait_port(http, 20), p:output())
  return port, "http://127.0.0.1:" .. http
end

local function get(url, path, ...)
  return sh.run { "curl", "-sf", url .. path, ... }
end

describe("Orthanc", function()
  before_each(function()
    if not program() then need.skip "Orthanc is not installed: make deps-peers" end
    need.peer "curl"
    net.begin()
  end)
  after_each(net.finish)

  it("answers our echo, keeps what we store unchanged, and sends it back to us", function()
    local kept, ours = sh.folder(), sh.port()
    local receiver = sh.spawn { sh.dicom, "receive", "--aet", "US", "--port", ours, kept }
    assert(sh.wait_port(ours), receiver:output())
    local port, url = orthanc(ours)
    local peer = net.peer(port, { aet = "ORTHANC", calling_aet = "US" })
    assert.equal(0, peer.echo())

    local folder, paths = sh.folder(), {}
    for i = 1, 10 do
      paths[i] = ("%s/%d.dcm"):format(folder, i)
      assert(net.instance(i * 50000, { InstanceNumber = i }):save(paths[i]))
    end
    local n = 0
    for status in peer.store(paths) do
      assert.equal(0, status)
      n = n + 1
    end
    assert.equal(10, n)
    peer:close()

    assert.equal(0, get(url, "/modalities/us/echo", "-d", "{}").code)
    for id in get(url, "/instances").out:gmatch '"([%x-]+)"' do
      local file = sh.write(folder .. "/got.dcm", get(url, "/instances/" .. id .. "/file").out)
      local i = dicom.open(file).InstanceNumber
      assert.equal(dcmdump.of(paths[i]), dcmdump.of(file))
      assert.equal(0, get(url, "/modalities/us/store", "-d", id).code)
      local back = kept .. "/" .. dicom.open(file).SOPInstanceUID .. ".dcm"
      assert.equal(dcmdump.of(paths[i]), dcmdump.of(back))
      n = n - 1
    end
    assert.equal(0, n)
  end)

  it("rejects us under a name that is not its own, and we say so", function()
    local port = orthanc(sh.port())
    local status, err = net.peer(port, { aet = "NOBODY" }).echo()
    assert.is_nil(status)
    assert.equal("rejected", err.code)
    assert.matches("called AE title not recognized", tostring(err))
  end)
end)
