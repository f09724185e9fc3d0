-- SPDX-License-Identifier: MIT
-- make bench: rates beside DCMTK's in the same run, paired and interleaved, medians. DCMTK runs with TCP_NODELAY=1:
-- as installed Nagle's algorithm holds it at some 20 messages a second, which would flatter us.
local sh = require "spec.support.sh"
local study = require "spec.bench.study"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 5
local ENV = { env = { TCP_NODELAY = "1" } }

local function median(t)
  table.sort(t)
  return t[(#t + 1) // 2]
end

-- Runs ours and theirs in turn; prints both medians and the median of the ratios.
local function pair(what, ours, theirs)
  local a, b, ratio = {}, {}, {}
  for i = 1, ROUNDS do
    a[i], b[i] = ours(), theirs()
    ratio[i] = a[i] / b[i]
  end
  print(("%-46s %9.0f %9.0f %8.2f"):format(what, median(a), median(b), median(ratio)))
  io.stdout:flush()
end

local function folder()
  return sh.lines("mktemp -d -p /dev/shm dicom-bench.XXXXXX")[1]
end

local function rate_of(run, n)
  local begin = sh.now()
  local result = run()
  local seconds = sh.now() - begin
  assert(result.code == 0, result.err .. result.out)
  return n / seconds
end

local function count(path)
  return tonumber(sh.lines("find " .. path .. " -type f | wc -l")[1])
end

local function heads(paths, dcmtk)
  local input = table.concat(paths, "\n") .. "\n"
  local rounds = #paths < 1000 and 10 or 2
  return function()
    return tonumber(sh.lua({ "spec/bench/heads.lua", rounds }, { input = input, timeout = 600 }).out)
  end, function()
    return tonumber(sh.run({ dcmtk, rounds }, { input = input, timeout = 600 }).out)
  end
end

-- JSON of data sets that are loaded, in one process.
local function json(paths, dcmtk)
  local few = table.move(paths, 1, math.min(#paths, 200), 1, {})
  local input = table.concat(few, "\n") .. "\n"
  return function()
    return tonumber(sh.lua({ "spec/bench/json.lua", 20 }, { input = input, timeout = 600 }).out)
  end, function()
    return tonumber(sh.run({ dcmtk, 3 }, { input = input, timeout = 600 }).out)
  end
end

-- dcmsend to a receiver that is started anew each time, into an empty folder.
local function receive(from, n, argv)
  return function()
    local into, port = folder(), sh.port()
    local receiver = sh.spawn(argv(into, port), ENV)
    assert(sh.wait_port(port), "receiver did not start: " .. receiver:output())
    local rate = rate_of(function()
      return sh.run({ "dcmsend", "-aec", "BENCH", "+sd", "-nh", "127.0.0.1", port, from },
        { env = ENV.env, timeout = 600 })
    end, n)
    receiver:stop()
    assert(count(into) == n, "instances are missing: " .. count(into))
    os.execute("rm -rf " .. into)
    return rate
  end
end

local function storescp(into, port)
  return { "storescp", "+B", "-pdu", "131072", "-aet", "BENCH", "-od", into, port }
end

local function ours(into, port)
  return { sh.dicom, "receive", "--aet", "BENCH", "--port", port, into }
end

local function send(from, n, argv)
  return function()
    local into, port = folder(), sh.port()
    local receiver = sh.spawn(storescp(into, port), ENV)
    assert(sh.wait_port(port), "storescp did not start")
    local rate = rate_of(function() return sh.run(argv(port, from), { env = ENV.env, timeout = 600 }) end, n)
    receiver:stop()
    assert(count(into) == n, "instances are missing: " .. count(into))
    os.execute("rm -rf " .. into)
    return rate
  end
end

local function dcmsend(port, from)
  return { "dcmsend", "-aec", "BENCH", "+sd", "-nh", "127.0.0.1", port, from }
end

local function our_send(port, from)
  return { sh.dicom, "send", "--aec", "BENCH", "127.0.0.1", port, from }
end

local function main()
  local work = folder()
  local made <close> = setmetatable({}, { __close = function() os.execute("rm -rf " .. work) end })
  local dcmtk, json_dcmtk = work .. "/heads_dcmtk", work .. "/json_dcmtk"
  os.execute(("mkdir %s/ct %s/small"):format(work, work))
  local ct, small = study.make(work .. "/ct", 800, 512 * 512 * 2), study.make(work .. "/small", 4000, 512)
  for program, source in pairs { [dcmtk] = "heads_dcmtk", [json_dcmtk] = "json_dcmtk" } do
    assert(os.execute(("c++ -O2 -o %s spec/bench/%s.cc -ldcmdata -lofstd -loflog"):format(program, source)),
      "make deps-bench installs DCMTK's headers")
  end
  print(("%-46s %9s %9s %8s"):format("a second, median of " .. ROUNDS, "dicom", "DCMTK", "ratio"))
  pair("headers of CTs, one process", heads(ct, dcmtk))
  pair("headers of small instances, one process", heads(small, dcmtk))
  pair("JSON of loaded CTs, one process", json(ct, json_dcmtk))
  pair("JSON of loaded small instances, one process", json(small, json_dcmtk))
  for _, set in ipairs { { "CTs of 0.5 MB", work .. "/ct", #ct }, { "instances of 4 KB", work .. "/small", #small } } do
    local what, from, n = table.unpack(set)
    pair("C-STORE received, " .. what, receive(from, n, ours), receive(from, n, storescp))
    pair("C-STORE sent, " .. what, send(from, n, our_send), send(from, n, dcmsend))
  end
  return made
end

main()
