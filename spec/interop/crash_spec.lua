-- SPDX-License-Identifier: MIT
-- Nothing that was acknowledged is lost: the router is killed 50 times, 20 of them with the loss of all that was not
-- synced, while instances flow to two destinations.
local dicom = require "dicom"
local flow = require "spec.support.flow"
local need = require "spec.support.need"
local powerloss = require "spec.support.powerloss"
local sh = require "spec.support.sh"

local INSTANCES, KILLS, POWER_LOSSES = 2000, 50, 20

local function body(path)
  return assert(dicom.open(path)):bytes { part10 = false, raw = true }
end

local function files(folder)
  return sh.lines("find " .. folder .. " -type f")
end

describe("a router that dies", function()
  it("loses nothing, damages nothing and changes once", function()
    need.peer "storescp"
    need.release_build()
    math.randomseed(os.time())
    local folder = sh.folder()
    assert(os.execute("mkdir " .. folder .. "/in"))
    local list = flow.study(folder .. "/in", INSTANCES, function(i) return i % 10 == 0 and 200000 or 1000 + i * 2 end)
    local gateway = flow.gateway(folder)
    local so = powerloss.build(folder)
    local store = folder .. "/store"
    local shim = powerloss.environment(so, gateway.spool, store)
    local router = gateway:start(shim)
    local sender = gateway:send(list)
    local killed_in_flow, losses = 0, 0
    for i = 1, KILLS do
      local loses_power = i % 5 < 2
      sh.sleep(0.02 + math.random() * 0.15)
      killed_in_flow = killed_in_flow + (sender:running() and 1 or 0)
      router:kill "KILL"
      assert.is_truthy(router:wait(10))
      if loses_power then
        powerloss.recover(gateway.spool, store)
        losses = losses + 1
      else
        os.execute("rm -rf " .. store)
      end
      router = gateway:start(shim)
    end
    assert.equal(POWER_LOSSES, losses)
    assert.equal(KILLS, killed_in_flow, "the flow ended before the last kill")
    assert.equal(0, sender:wait(300), sender:output())
    assert.is_truthy(sh.eventually(function() return gateway:waiting() == 0 end, 120), "messages wait for ever")
    router:stop()

    local sent, arrived = {}, {}
    for _, file in ipairs(list) do sent[file.uid] = body(file.path) end
    for _, path in ipairs(files(gateway.archive)) do
      local uid = assert(dicom.open(path)).SOPInstanceUID
      assert.is_true(body(path) == sent[uid], "an instance arrived changed: " .. path)
      arrived[uid] = true
    end
    local made = {}
    for _, path in ipairs(files(gateway.research)) do
      local ds = assert(dicom.open(path))
      -- Kept but not acknowledged, an instance comes again as another message; what its change makes is the same.
      local original, uid = ds.ImageComments:match "^%S+", ds.SOPInstanceUID
      assert.is_true((made[original] or uid) == uid, "a change was made twice")
      made[original] = uid
    end
    local acknowledged = sh.lines("cat " .. gateway.acknowledged)
    assert.equal(INSTANCES, #acknowledged)
    for _, file in ipairs(list) do
      assert.is_true(arrived[file.uid], "lost on the way to the archive: " .. file.path)
      assert.is_truthy(made[file.uid], "lost on the way to research: " .. file.path)
    end
  end)
end)
