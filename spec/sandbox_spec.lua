-- SPDX-License-Identifier: MIT
-- A rule cannot take more instructions, time or memory than it was given, whatever it does; and what it has is text,
-- tables and data sets, nothing of the machine.
local core = require "dicom.core"
require "dicom.error"

local LIMITS = { instructions = 2000000, seconds = 1, memory = 16 << 20 }

local function sandbox(limits)
  return core.sandbox(setmetatable(limits or {}, { __index = LIMITS }))
end

--- Runs the text; the results, and the seconds it took.
local function run(text, limits)
  local sb = core.sandbox(limits or LIMITS)
  local handle = assert(sb:load(text, "@rule.lua"))
  local begin = os.time()
  local results = table.pack(sb:call(handle))
  return results, os.time() - begin, sb
end

local function result(text)
  local results = run(text)
  assert(results[1] ~= nil or results.n == 1, results[2] and results[2].text)
  return table.unpack(results, 1, results.n)
end

local function failure(text, limits)
  local results = run(text, limits)
  assert.is_nil(results[1])
  return results[2]
end

describe("sandbox budget", function()
  local endless = {
    ["a loop"] = "while true do end",
    ["a loop inside pcall"] = "while true do pcall(function() while true do end end) end",
    ["pcall in pcall"] = "local function f() pcall(f) while true do end end f()",
    ["a coroutine"] = "coroutine.wrap(function() while true do end end)()",
    ["a coroutine inside pcall, again and again"] =
      "local f = function() while true do end end while true do pcall(coroutine.wrap(f)) end",
    ["short coroutines that start one another"] =
      "local function f() for _ = 1, 8 do pcall(coroutine.wrap(f)) end end f()",
    ["many suspended coroutines, each resumed a little"] = [[
      local t = {}
      for i = 1, 3000 do t[i] = coroutine.create(function() while true do coroutine.yield() end end) end
      while true do for i = 1, #t do pcall(coroutine.resume, t[i]) end end]],
    ["a message handler"] = "while true do xpcall(error, function() while true do end end) end",
    ["a message handler at the moment the budget ends"] =
      "xpcall(function() while true do end end, function() while true do end end)",
    ["a closing variable at the moment the budget ends"] = [[
      local f = function()
        local x <close> = setmetatable({}, { __close = function() while true do end end })
        while true do end
      end
      pcall(f) pcall(coroutine.wrap(f)) while true do end]],
    ["tostring of an error"] = "error(setmetatable({}, { __tostring = function() while true do end end }))",
    ["a catastrophic pattern"] = "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
    ["a pattern of many stretches"] = "return ('a'):rep(30000):find(('.-'):rep(20) .. 'b')",
    ["a balanced pattern, quadratic"] = "return ('('):rep(60000):find('%b()')",
    ["a back reference on a long text"] = "return ('a'):rep(60000):find('(.-)%1b')",
    ["gsub without end"] = "return ('a'):rep(30000):gsub('.-.-.-b', '')",
    ["gmatch without end"] = "for _ in ('a'):rep(30000):gmatch('.-.-.-b') do end",
    ["plain find, again and again"] =
      "local s = ('a'):rep(1 << 20) while true do pcall(string.find, s, 'b', 1, true) end",
    ["a huge range moved"] = "table.move({}, 1, 1 << 60, 2)",
    ["an insert far from the end"] = "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 2)",
    ["a remove far from the end"] = "table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)",
    ["a sort of what is not there"] =
      "table.sort(setmetatable({}, { __len = function() return 1 << 30 end, __index = type }))",
    ["a sort that never agrees"] =
      "local t = {} for i = 1, 50000 do t[i] = i end while true do table.sort(t, function() return true end) end",
    ["a huge range joined"] = "return table.concat(setmetatable({}, { __index = type }), '', 1, 1 << 60)",
    ["a length that grows between two looks"] = [[
      local n = 1
      return table.concat(setmetatable({}, { __index = type, __len = function() n = n << 30 return n end }), '', 1)]],
    ["a huge range unpacked"] = "return table.unpack({}, 1, 1 << 60)",
    ["long strings read again and again"] = "local s = ('a'):rep(4 << 20) while true do s:byte(1) utf8.len(s) end",
    ["upper case of a long string, again and again"] = "local s = ('a'):rep(4 << 20) while true do s:upper() end",
    ["load again and again"] = "local s = ('x=1 '):rep(50000) while true do load(s) end",
    ["a table with an index chain"] = "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })"
      .. " while true do pcall(function() return t[1] end) end",
  }
  for name, text in pairs(endless) do
    it("stops " .. name, function()
      local results, seconds, sb = run(text)
      assert.is_nil(results[1])
      assert.equal("budget", results[2].code)
      assert.is_true(seconds <= 5)
      local again = assert(sb:load("return 'served'"))
      assert.equal("served", sb:call(again))
    end)
  end

  it("stops what spends memory, and says so", function()
    local grow = "local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end"
    local plenty = { instructions = 1e9, seconds = 20, memory = 8 << 20 }
    assert.equal("memory", failure(grow, plenty).which)
    assert.equal("memory", failure("while true do pcall(function() " .. grow .. " end) end", plenty).which)
    assert.equal("memory", failure("return ('x'):rep(1 << 30)", { instructions = 1 << 40 }).which)
    assert.equal("memory", failure("local s = 'x' while true do s = s .. s end", plenty).which)
    assert.equal("memory", failure("return table.concat({ ('x'):rep(5 << 20), ('y'):rep(5 << 20) })", plenty).which)
  end)

  it("counts time beside instructions", function()
    local err = failure("while true do end", { instructions = 1e12, seconds = 0.2 })
    assert.equal("time", err.which)
    assert.equal("instructions", failure("while true do end").which)
  end)

  it("is renewed for each call, in coroutines too", function()
    local sb = sandbox { instructions = 100000 }
    local handle = assert(sb:load [[
      co = co or coroutine.create(function() while true do coroutine.yield "here" end end)
      for _ = 1, 5000 do end
      return select(2, coroutine.resume(co))]])
    local loop = assert(sb:load "while true do end")
    for _ = 1, 50 do
      assert.equal("here", (sb:call(handle)))
      assert.equal("budget", select(2, sb:call(loop)).code)
    end
  end)

  it("does not close in a later call what a budget ended", function()
    local sb = sandbox()
    local first = assert(sb:load [[
      co = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = function() while true do end end })
        while true do end
      end)
      coroutine.resume(co)]])
    assert.equal("budget", select(2, sb:call(first)).code)
    local second = assert(sb:load "co = nil for i = 1, 1000 do local t = { i } end return coroutine.close == nil")
    assert.is_true(sb:call(second))
  end)

  it("ends deep recursion as an error of the rule", function()
    assert.is_not_nil(failure("local function f() return 1 + f() end return f()").code)
    assert.equal("rule", failure("return ('x'):find(('('):rep(40))").code)
    assert.equal("rule", failure("return ('x'):rep(300):find(('x?'):rep(300))").code)
    assert.equal("rule", failure("return load(('('):rep(10000) .. '1')()").code)
    assert.is_true(result "local function f() return pcall(f) end return (f())")
  end)
end)

describe("sandbox walls", function()
  it("has nothing of the machine", function()
    for _, name in ipairs { "io", "os", "debug", "package", "require", "dofile", "loadfile", "warn", "string.dump",
      "coroutine.close" } do
      local found = result("return tostring(" .. name .. ")")
      assert.equal("nil", found, name)
    end
  end)

  it("refuses finalizers, which run without hooks", function()
    local err = failure "setmetatable({}, { __gc = function() while true do end end })"
    assert.equal("rule", err.code)
    assert.matches("finalizers", err.text)
    assert.equal("rule", failure("local t = setmetatable({}, { __metatable = 1 }) setmetatable(t, {})").code)
  end)

  it("loads text only", function()
    local bytecode = string.dump(function() end)
    local sb = sandbox()
    assert.is_nil((sb:load(bytecode)))
    assert.matches("binary", result("return select(2, load(" .. ("%q"):format(bytecode) .. "))"))
    assert.equal("rule", failure("load(function() return 'x' end)").code)
    assert.equal(3, result "return load('return a', 'x', 't', { a = 3 })()")
  end)

  it("keeps metatables of strings to itself", function()
    assert.is_true(result "return getmetatable('') == nil")
  end)

  it("prints to its caller", function()
    local _, _, sb = run "print('a', 1) print() print(nil)"
    assert.same({ "a\t1", "", "nil" }, sb:printed())
    assert.same({}, sb:printed())
    local _, _, loud = run "for i = 1, 10000 do print(('x'):rep(100)) end"
    local lines = loud:printed()
    assert.is_true(#lines > 0 and #lines < 200)
  end)

  it("answers collectgarbage 'count' only", function()
    assert.is_true(result "return collectgarbage('count') > 1")
    assert.equal(0, result "return collectgarbage()")
  end)
end)

describe("sandbox values", function()
  it("cross as copies", function()
    local sb = sandbox()
    local echo = assert(sb:load "return ...")
    local given = { 1, "two", { three = 3.5 }, [false] = true }
    local r = table.pack(sb:call(echo, nil, true, 7, 7.5, "a\0b", given))
    assert.equal(6, r.n)
    assert.same({ nil, true, 7, 7.5, "a\0b", given, n = 6 }, r)
    assert.equal("integer", math.type(r[3]))
    assert.not_equal(given, r[6])
  end)

  it("do not cross when they are functions in tables, threads, endless or too many", function()
    local sb = sandbox()
    local echo = assert(sb:load "return ...")
    local loop = {}
    loop.loop = loop
    local many = {}
    for i = 1, 20000 do many[i] = i end
    for _, v in ipairs { loop, many, { print }, coroutine.create(print) } do
      local r, err = sb:call(echo, v)
      assert.is_nil(r)
      assert.matches("cross", err.text)
    end
    assert.matches("cross", failure("return { print }").text)
    assert.matches("cross", failure("local t = {} t.t = t return t").text)
    assert.matches("cross", failure("return coroutine.create(print)").text)
    assert.equal(1, sb:call(echo, 1))
  end)

  it("become numbers outside when they are functions", function()
    local sb = sandbox()
    local chunk = assert(sb:load "local n = 0 return function(by) n = n + by return n end")
    local count = sb:call(chunk)
    assert.equal("integer", math.type(count))
    assert.equal(2, sb:call(count, 2))
    assert.equal(5, sb:call(count, 3))
    assert.equal("rule", select(2, sb:call(99999)).code)
  end)
end)

describe("sandbox data sets", function()
  local dicom = require "dicom"

  local function call(text, ds, limits)
    local sb = sandbox(limits)
    return sb:call(assert(sb:load(text, "@rule.lua")), ds)
  end

  it("are the same object on both sides", function()
    local ds = dicom.dataset { PatientName = "A^B", ImageType = { "ORIGINAL", "PRIMARY" } }
    local text = "local ds = ... ds.PatientID = '12' ds.ImageType[1] = 'DERIVED' return ds.PatientName"
    assert.equal("A^B", call(text, ds))
    assert.equal("12", ds.PatientID)
    assert.equal("DERIVED", ds.ImageType[1])
  end)

  it("outlive the side that let go first", function()
    local sb = sandbox()
    local keep = assert(sb:load "kept = ...")
    local ds = dicom.dataset { PatientID = "8" }
    sb:call(keep, ds)
    sb:close()
    assert.equal("8", ds.PatientID)
  end)

  it("do not outlive the call inside, nor does anything of them", function()
    local sb = sandbox()
    local ds = dicom.dataset { PatientID = "7", ImageType = { "A", "B" }, ReferencedStudySequence = { {} } }
    sb:call(assert(sb:load [[kept = ... kept = { kept, kept.ImageType, kept.ReferencedStudySequence,
      kept.ReferencedStudySequence[1], kept.meta }]]), ds)
    for i, text in ipairs { "[1].PatientID", "[2][1]", "[3][1]", "[4].ReferencedSOPInstanceUID", "[5][0x00020010]" } do
      local r, err = sb:call(assert(sb:load("return kept" .. text)))
      assert.is_nil(r)
      assert.matches("is closed", err.text, i)
    end
    local gone = setmetatable({ ds }, { __mode = "v" })
    assert.equal("7", ds.PatientID)
    ds = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(gone[1])
  end)

  it("cannot be changed by who only looks", function()
    local sb = sandbox()
    local ds = dicom.dataset { PatientID = "7", ImageType = { "A", "B" }, ReferencedStudySequence = { {} } }
    for _, text in ipairs { "ds.PatientID = 'x'", "ds.PatientID = nil", "ds:set('PatientID', 'x')",
      "ds:remove 'PatientID'", "ds.ImageType[1] = 'C'", "table.insert(ds.ImageType, 'C')",
      "ds.ReferencedStudySequence[1].PatientID = 'x'",
      "ds.ReferencedStudySequence[2] = {}", "ds.ReferencedStudySequence:insert(1, {})", "ds.meta[0x00020016] = 'X'",
      "ds.ReferencedStudySequence[1] = nil", "ds.ReferencedStudySequence = nil" } do
      local handle = assert(sb:load("local ds = ... " .. text))
      local r, err = sb:look(handle, ds)
      assert.is_nil(r)
      assert.matches("match only looks", err and err.text or text)
    end
    assert.same({ "7", 2, 1 }, { ds.PatientID, #ds.ImageType, #ds.ReferencedStudySequence })
    assert.equal("7", (sb:look(assert(sb:load "return (...).PatientID"), ds)))
    assert(sb:call(assert(sb:load "(...).PatientID = '9' return true"), ds))
    assert.equal("9", ds.PatientID)
  end)

  it("are charged for looking at all values of a long list", function()
    local ds = dicom.dataset { BitsAllocated = 8 }
    ds:set("PixelData", ("\1"):rep(20 << 20), "OB")
    for _, text in ipairs { "return ds.PixelData:has(2)", "return ds.PixelData == ds.PixelData" } do
      local began = os.clock()
      local r, err = call("local ds = ... " .. text, ds, { instructions = 1e6, seconds = 60 })
      assert.is_nil(r)
      assert.equal("instructions", err.which)
      assert.is_true(os.clock() - began < 0.3)
    end
    assert.is_true((call("return (...).PixelData:has(1)", ds, { instructions = 1e9, seconds = 60 })))
  end)

  it("tell a misspelt keyword and where it stands", function()
    local r, err = call("local ds = ...\nreturn ds.PatientNmae", dicom.dataset {})
    assert.is_nil(r)
    assert.equal("rule.lua:2", err.position)
    assert.matches("PatientName", err.text)
  end)

  it("do not grow beyond the memory of the call", function()
    local plenty = { instructions = 1e9, seconds = 2, memory = 16 << 20 }
    for _, text in ipairs {
      "local s = ('x'):rep(1 << 20) for i = 1, 200 do ds:set(0x00111000 + i, s, 'UN') end",
      "local s = ('x'):rep(1 << 20) for i = 1, 1e9 do ds.ReferencedStudySequence[i] = { TextValue = s } end",
      "for i = 1, 1e9 do ds.ReferencedStudySequence[i] = {} end",
      "for i = 1, 1e9 do ds.OtherPatientIDs[i] = 'x' end",
    } do
      local ds = dicom.dataset { ReferencedStudySequence = {}, OtherPatientIDs = {} }
      local r, err = call("ds = ... ds:set(0x00110010, 'ACME', 'LO') " .. text, ds, plenty)
      assert.is_nil(r, text)
      assert.equal("budget", err.code, err.text)
    end
  end)

  it("give no more of a large value than the memory of the call", function()
    local path = os.tmpname()
    local made = dicom.dataset { SOPClassUID = "1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID = "1.2.3" }
    made.BitsAllocated = 8
    made:set("PixelData", ("x"):rep(20 << 20), "OB")
    assert(made:save(path))
    local ds = assert(dicom.open(path))
    for _, text in ipairs { "raw 'PixelData'", "text 'PixelData'", "values 'PixelData'" } do
      local r, err = call("return #(...):" .. text, ds, { memory = 4 << 20 })
      assert.is_nil(r)
      assert.equal("memory", err.which)
    end
    assert.equal(20 << 20, (call("return #(...).PixelData", ds, { memory = 4 << 20 })))
    os.remove(path)
  end)

  it("have no files and no copies inside", function()
    local ds = dicom.dataset {}
    for _, method in ipairs { "save", "bytes", "copy", "open" } do
      assert.is_nil((call(("return (...):%s('x')"):format(method), ds)), method)
    end
  end)

  it("are the only userdata that crosses", function()
    local sb = sandbox()
    local echo = assert(sb:load "return ...")
    assert.has_error(function() sb:call(echo, io.stdout) end)
    assert.matches("cross", select(2, sb:call(echo, dicom.dataset {})).text)
  end)
end)

describe("sandbox errors", function()
  it("say where, and carry a traceback", function()
    local err = failure "local function f()\n  error('no such luck')\nend\nf()"
    assert.equal("rule", err.code)
    assert.equal("rule.lua:2", err.position)
    assert.matches("no such luck", err.text)
    assert.matches("stack traceback", err.text)
  end)

  it("are short, however much a rule has to say", function()
    assert.is_true(#failure("error(('x'):rep(100000))").text < 5000)
    local name = ("x"):rep(900)
    local deep = ("local function %s() error() end "):format(name) .. name .. "()"
    assert.is_true(#failure(deep).text <= 16 << 10)
  end)

  it("name the function of a bad argument", function()
    assert.matches("to 'format'", failure("('%d'):format('x')").text)
    assert.matches("to 'concat'", failure("table.concat({}, 1, 'x')").text)
  end)

  it("of any type are errors", function()
    assert.equal("rule", failure("error()").code)
    assert.equal("rule", failure("error({})").code)
    assert.matches("mine", failure("error(setmetatable({}, { __tostring = function() return 'mine' end }))").text)
    assert.equal("rule", failure("error(setmetatable({}, { __tostring = function() error 'x' end }))").code)
  end)

  it("in the text to load are told", function()
    local handle, err = sandbox():load("x = = 1", "@broken.lua")
    assert.is_nil(handle)
    assert.matches("broken.lua:1", err.text)
  end)

  it("are raised for misuse", function()
    assert.has_error(function() core.sandbox { memory = -1 } end)
    assert.has_error(function() core.sandbox { seconds = "x" } end)
    local sb = sandbox()
    sb:close()
    sb:close()
    assert.has_error(function() sb:load "return 1" end)
  end)
end)

describe("sandbox libraries", function()
  it("give what Lua's own give", function()
    local text = [[
      local t = { 5, 3, 9, 1 }
      table.insert(t, 7) table.insert(t, 1, 8) table.insert(t, 3, 6)
      local out = { table.concat(t, ","), table.remove(t), table.remove(t, 1), table.remove({}), #t }
      table.sort(t) out[#out + 1] = table.concat(t, " ")
      table.sort(t, function(a, b) return a > b end) out[#out + 1] = table.concat(t, " ", 2, 3)
      out[#out + 1] = table.concat(table.move(t, 1, 3, 2), "-")
      out[#out + 1] = table.concat(table.move(t, 2, 4, 1), "-")
      out[#out + 1] = table.concat(table.move({ 1, 2, 3 }, 1, 3, 3, { 9, 9 }), "-")
      out[#out + 1] = select("#", table.unpack({ 1, nil, 3 }, 1, 3))
      out[#out + 1] = ("ab"):rep(3, "-") .. ("x"):rep(-1) .. (""):rep(5) .. (""):rep(3, "y")
      out[#out + 1] = table.remove({ [0] = "zero" }, 0)
      local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
      out[#out + 1] = co(1) out[#out + 1] = co(21)
      out[#out + 1] = select(2, coroutine.resume(coroutine.create(error), "gone"))
      out[#out + 1] = select(2, coroutine.resume(coroutine.running()))
      out[#out + 1] = select(2, xpcall(error, function(m) return m .. "!" end, "x"))
      out[#out + 1] = select(2, xpcall(function(...) return select("#", ...) end, print, 1, nil, 3))
      out[#out + 1] = coroutine.wrap(function()
        return select(2, xpcall(function() return coroutine.yield() end, print)) end)() == nil
      return out]]
    local sb = sandbox()
    assert.same(assert(load(text))(), (sb:call(assert(sb:load(text)))))
  end)

  it("sort as Lua's own does, of any length", function()
    local sb = sandbox()
    local sorted = assert(sb:load "local t = ... table.sort(t) return t")
    for n = 0, 60 do
      local t = {}
      for i = 1, n do t[i] = math.random(1, 20) end
      local theirs = sb:call(sorted, t)
      table.sort(t)
      assert.same(t, theirs)
    end
  end)
end)
