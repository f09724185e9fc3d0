-- SPDX-License-Identifier: MIT
-- 0000H is sent only when message, envelopes and every folder that got a new name are on the disk (house.md, journey
-- 2, step 3). Recorded from outside with strace; then each fsync is taken out of the recording, and must be missed.
local flow = require "spec.support.flow"
local need = require "spec.support.need"
local sh = require "spec.support.sh"
local trace = require "spec.support.trace"

local INSTANCES = 20

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

    local last, missed, needed = 0, {}, 0
    for i, e in ipairs(events) do if e.kind == "response" then last = i end end
    for i = 1, last do
      local e = events[i]
      if e.kind == "fsync" and e.path:find(gateway.spool, 1, true) == 1 and not e.path:find "%.log$" then
        table.remove(events, i)
        if #trace.judge(events, gateway.spool) == 0 then missed[#missed + 1] = e.path else needed = needed + 1 end
        table.insert(events, i, e)
      end
    end
    assert.is_true(needed >= 2 * INSTANCES, "fewer than two needed fsyncs an instance: " .. needed)
    for _, path in ipairs(missed) do -- a name that stays in incoming/ is only cleared at the next start; derived
      -- messages are committed after the response
      assert.is_truthy(path:find "/incoming" or path:find "/messages", "an idle fsync: " .. path)
    end
  end)
end)
