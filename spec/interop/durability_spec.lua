-- SPDX-License-Identifier: MIT
-- 0000H is sent only when message, envelopes and every folder that got a new name are on the disk (house.md, journey
-- 2, step 3). Recorded from outside with strace; then each fsync is taken out of the recording, and must be missed.
local flow = require "spec.support.flow"
local need = require "spec.support.need"
local sh = require "spec.support.sh"
local trace = require "spec.support.trace"

local INSTANCES = 20

local function without(events, matches)
  local t = {}
  for _, e in ipairs(events) do
    if not matches(e) then t[#t + 1] = e end
  end
  return t
end

describe("the response to a C-STORE", function()
  it("is written after every fsync, and no fsync is idle", function()
    need.peer "storescu"
    need.peer "strace"
    need.release_build()
    local folder = sh.folder()
    assert(os.execute("mkdir " .. folder .. "/in"))
    flow.study(folder .. "/in", INSTANCES, function(i) return i * 5000 end)
    local gateway = flow.gateway(folder)
    local record = folder .. "/strace"
    local around = { "strace", "-o", record }
    for word in trace.OPTIONS:gmatch "%S+" do around[#around + 1] = word end
    local router = gateway:start(nil, around)
    local sent = sh.run({ "storescu", "-aec", "ROUTER", "127.0.0.1", gateway.port, "+sd", folder .. "/in" },
      { env = { TCP_NODELAY = "1" } })
    assert.equal(0, sent.code, sent.err)
    assert.is_truthy(sh.eventually(function() return gateway:waiting() == 0 end, 30), "messages wait for ever")
    os.execute("pkill -TERM -P " .. router.pid .. " 2>/dev/null")
    router:wait(10)

    local events = trace.read(record, gateway.port)
    local wrong, responses = trace.judge(events, gateway.spool)
    assert.same({}, wrong)
    assert.equal(INSTANCES, responses)

    -- Without any one fsync of a received file, and without those of the folder, the recording must be judged wrong.
    local files = 0
    for i = 1, #events do
      local e = events[i]
      if e.kind == "fsync" and e.path:find "/incoming/%x+%.part$" then
        files = files + 1
        assert.is_true(#trace.judge(without(events, function(other) return other == e end), gateway.spool) > 0,
          "an idle fsync: " .. e.path)
      end
    end
    assert.equal(INSTANCES, files)
    local folder_fsync = function(e) return e.kind == "fsync" and e.path == gateway.spool .. "/messages" end
    assert.is_true(#trace.judge(without(events, folder_fsync), gateway.spool) >= INSTANCES)
  end)
end)
