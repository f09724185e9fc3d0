-- SPDX-License-Identifier: MIT
-- Rules decide; what is wrong with them is said when they are loaded, in one line that names file and rule.
local errors = require "dicom.error"
local log = require "dicom.log"
local rule = require "dicom.rule"

local folder, lines
local ORIGIN = { calling_aet = "SCANNER3", called_aet = "ROUTER", address = "127.0.0.1" }
local DESTINATIONS = { archive = {}, research = {}, backup = {} }

local function shell(command)
  assert(os.execute(command))
end

local function put(name, text)
  local path = folder .. "/rules/" .. name
  shell("mkdir -p " .. path:match "^(.*)/")
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
end

local function load(budget)
  lines = {}
  return rule.load(folder .. "/rules/", { destinations = DESTINATIONS, budget = budget,
    log = log.new { sink = function(line) lines[#lines + 1] = line end } })
end

local function one(text, budget)
  put("a.lua", text)
  return load(budget)
end

local function refused(text, ...)
  put("a.lua", text)
  local good, err = pcall(load)
  assert.is_false(good)
  assert.is_true(errors.is(err), tostring(err))
  assert.equal("config", err.code)
  assert.is_nil(tostring(err):find "\n", tostring(err))
  for _, pattern in ipairs { ... } do assert.matches(pattern, tostring(err)) end
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  shell("mkdir -p " .. folder .. "/rules")
end)
after_each(function() shell("rm -rf " .. folder) end)

describe("rules decide", function()
  it("by match; a rule without match always applies", function()
    put("b.lua", [[
      rule "MR to research" { match = function(ds, origin)
        return ds.Modality == "MR" and origin.calling_aet == "SCANNER3" end, send = { "research" } }]])
    put("a.lua", [[rule "all" { send = { "archive", "backup" } } rule "all again" { send = { "archive" } }]])
    local rules = load()
    assert.same({ send = { "archive", "backup", "research" }, changes = {}, failures = {}, matched = true },
      rules:decide({ Modality = "MR" }, ORIGIN))
    assert.same({ "archive", "backup" }, rules:decide({ Modality = "CT" }, ORIGIN).send)
    assert.same({ "archive", "backup" }, rules:decide({ Modality = "MR" }, { calling_aet = "X" }).send)
    assert.same({ "research" }, rules:decide({ Modality = "MR" }, ORIGIN, "MR to research").send)
  end)

  it("that nothing matched", function()
    local rules = one [[rule "never" { match = function() return false end, send = { "archive" } }]]
    assert.same({ send = {}, changes = {}, failures = {}, matched = false }, rules:decide({}, ORIGIN))
  end)

  it("to refuse, with a failure status only", function()
    local rules = one [[
      rule "first" { send = { "archive" } }
      rule "no secondary captures" { match = function(ds) return ds.Modality == "SC" and reject(0xC001, "no") end }
      rule "bad" { match = function(ds) return ds.Modality == "XX" and reject(0) end }]]
    local decision = rules:decide({ Modality = "SC" }, ORIGIN)
    assert.equal(0xC001, decision.status)
    assert.equal("no", decision.comment)
    assert.equal("no secondary captures", decision.rule)
    assert.is_nil(rules:decide({ Modality = "CT" }, ORIGIN).status)
    assert.matches("failure status", rules:decide({ Modality = "XX" }, ORIGIN).failures[1].text)
  end)

  it("to refuse with what reject was told, whatever a rule does with its answer", function()
    local rules = one [[
      rule "a" { match = function()
        local r = reject(0xC001)
        r.status = 0
        setmetatable(r, { __index = function() return 0 end })
        return r
      end }]]
    assert.equal(0xC001, rules:decide({}, ORIGIN).status)
  end)

  it("on the instance that came: match cannot change it", function()
    local rules = one [[
      rule "a" { match = function(ds) ds.Modality = "XX" end, send = { "backup" } }
      rule "b" { match = function(ds) return ds.Modality == "MR" end, send = { "archive" } }]]
    local decision = rules:decide(require "dicom".dataset { Modality = "MR" }, ORIGIN)
    assert.same({ "archive" }, decision.send)
    assert.matches("match only looks", decision.failures[1].text)
  end)

  it("on; a rule that fails or overspends is noted with its place and the others go on", function()
    local rules = one([[
      rule "broken" { match = function(ds) return ds.Modality.x.y end, send = { "backup" } }
      rule "endless" { match = function() while true do end end, send = { "backup" } }
      rule "good" { send = { "archive" } }]], { instructions = 200000 })
    local decision = rules:decide({ Modality = "MR" }, ORIGIN)
    assert.same({ "archive" }, decision.send)
    assert.equal("broken", decision.failures[1].rule)
    assert.matches("rules/a.lua:1$", decision.failures[1].position)
    assert.matches("stack traceback", decision.failures[1].text)
    assert.equal("endless", decision.failures[2].rule)
    assert.equal("budget", decision.failures[2].code)
  end)

  it("with a fresh sandbox after one was filled", function()
    local rules = one([[
      kept = {}
      rule "hoards" { match = function() while true do kept[#kept + 1] = ("x"):rep(100000) .. #kept end end }
      rule "good" { send = { "archive" } }]], { memory = 16 << 20, instructions = 1e9, seconds = 20 })
    for _ = 1, 3 do
      local decision = rules:decide({}, ORIGIN)
      assert.equal("hoards", decision.failures[1].rule)
      assert.same({ "archive" }, decision.send)
    end
  end)

  it("again after a fresh sandbox could not be made", function()
    local rules = one([[
      rule "hoards" { match = function(_, origin)
        kept = {}
        while origin.calling_aet == "HOARD" do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
        return true
      end, send = { "archive" } }]], { memory = 8 << 20 })
    local text = rules.sources[1].text
    rules.sources[1].text = "while true do end"
    assert.equal("budget", rules:decide({}, { calling_aet = "HOARD" }).failures[1].code)
    assert.has_error(function() rules:decide({}, ORIGIN) end)
    rules.sources[1].text = text
    assert.same({ "archive" }, rules:decide({}, ORIGIN).send)
  end)

  it("which changes are equal", function()
    local rules = one [[
      local function blur(ds) return ds.drop ~= true end
      rule "one" { change = blur, send = { "archive" } }
      rule "two" { change = blur, send = { "research", "archive" } }
      rule "three" { change = { blur, blur }, send = { "backup" } }
      rule "four" { change = function() end, send = { "backup" } }]]
    local decision = rules:decide({}, ORIGIN)
    assert.same({
      { rules = { "one", "two" }, send = { "archive", "research" } },
      { rules = { "three" }, send = { "backup" } },
      { rules = { "four" }, send = { "backup" } },
    }, decision.changes)
    local ds = { drop = true }
    assert.is_false(rules:change("one", ds, ORIGIN))
    assert.is_false(rules:change("three", ds, ORIGIN))
    assert.equal(ds, rules:change("four", ds, ORIGIN))
    assert.is_nil((rules:change("gone", ds, ORIGIN)))
  end)

  it("what a failed change says", function()
    local rules = one [[rule "one" { change = function() error "cannot" end, send = { "archive" } }]]
    local ds, err = rules:change("one", {}, ORIGIN)
    assert.is_nil(ds)
    assert.equal("rule", err.code)
    assert.matches("cannot", err.text)
  end)

  it("with helpers for UIDs, names and dates", function()
    local rules = one [[
      rule "x" { change = function(ds)
        ds.SOPInstanceUID = uid()
        ds.PatientID = name(ds.PatientName).family
      end, send = { "archive" } }]]
    local ds = require "dicom".dataset { PatientName = "Doe^Jane" }
    assert(rules:change("x", ds, ORIGIN))
    assert.matches("^2%.25%.%d+$", ds.SOPInstanceUID)
    assert.equal("Doe", ds.PatientID)
  end)

  it("with all that data sets can do but leave the sandbox", function()
    local rules = one [[
      rule "x" { change = function(ds)
        local paths = {}
        for _, holder, path in ds:walk() do paths[#paths + 1] = path end
        ds.PatientComments = table.concat(paths, " ")
        ds:private "ACME":set(0x01, ds:totable().ContentSequence[1].TextValue, "LO")
        if pcall(function() return ds.save end) then error "has save" end
      end, send = { "archive" } }]]
    local ds = require "dicom".dataset { ContentSequence = { { TextValue = "deep" } } }
    assert(rules:change("x", ds, ORIGIN))
    assert.equal("ContentSequence ContentSequence[1].TextValue", ds.PatientComments)
    assert.equal("deep", ds:private "ACME"[0x01][1])
  end)

  it("UIDs and random numbers that hang on the seed in a change", function()
    local rules = one [[
      rule "x" { match = function() error(uid()) end, change = { function(ds)
        ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.PatientID = uid(), uid(), tostring(math.random(0))
      end, function(ds) ds.FrameOfReferenceUID = uid() end }, send = { "archive" } }]]
    local function make(seed)
      local ds = require "dicom".dataset {}
      local free = rules:decide(ds, ORIGIN).failures[1].text:match "2%.25%.%d+"
      assert(rules:change("x", ds, ORIGIN, seed))
      return { ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID, ds.PatientID }, assert(free)
    end
    local a, free = make(("0123456789ab"):rep(2))
    local b, other = make(("0123456789ab"):rep(2))
    local c = make(("1123456789ab"):rep(2))
    assert.same(a, b)
    assert.not_equal(free, other)
    local seen = {}
    for _, list in ipairs { a, c } do
      for _, value in ipairs(list) do
        assert.is_nil(seen[value])
        seen[value] = true
      end
    end
    assert.matches("^2%.25%.%d+$", a[1])
  end)

  it("and log", function()
    local rules = one [[print "loading" rule "talks" { match = function(ds, origin) log(origin.calling_aet, 7) end }]]
    assert.matches("rule says text=loading$", lines[1])
    rules:decide({}, ORIGIN)
    assert.matches('rule says rule=talks text="SCANNER3\\t7"$', lines[2])
  end)
end)

describe("rule files", function()
  it("have globals of their own and share modules of folders below", function()
    put("a.lua", [[
      wanted = require("lib.names").wanted
      rule "a" { match = function(ds) return wanted[ds.Modality] end, send = { "archive" } }]])
    put("b.lua", [[
      local names = require "lib.names"
      rule "b" { match = function(ds) return require "lib.names" == names and wanted end }]])
    put("lib/names.lua", "return { wanted = { MR = true } }")
    local rules = load()
    local decision = rules:decide({ Modality = "MR" }, ORIGIN)
    assert.same({ "archive" }, decision.send)
    assert.matches("nothing is called wanted", decision.failures[1].text)
  end)

  it("have libraries of their own, and no way around their names", function()
    put("a.lua", [[
      string.find, table.insert, string.format = nil, nil, nil
      math.random = function() error "mine" end
      rule "a" { match = function() return not getmetatable(_ENV) and not getmetatable "" end, send = { "archive" } }
      rule "loads" { match = function()
        load = nil
        return load
      end }]])
    put("b.lua", [[
      rule "b" { match = function(ds) return string.find("abc", "b") and ("x"):format() and math.random(1) == 1 end,
        send = { "backup" } }]])
    local decision = load():decide({}, ORIGIN)
    assert.same({ "archive", "backup" }, decision.send)
    assert.matches("nothing is called load", decision.failures[1].text)
    assert.is_nil(decision.failures[2])
  end)

  it("load no text whose parsing takes seconds", function()
    local rules = one [[
      rule "a" { match = function()
        local names = {}
        for i = 1, 190 do names[i] = "a" .. i end
        local head = ("local " .. table.concat(names, ",") .. " return function() "):rep(40)
        local text = head .. ("x=x "):rep(200000) .. ("end "):rep(40)
        return assert(load(text))
      end }]]
    local began = os.clock()
    assert.matches("at most 64 KiB", rules:decide({}, ORIGIN).failures[1].text)
    assert.is_true(os.clock() - began < 0.5)
    assert.equal(2, one("rule 'a' { match = function() return load('return 1+1')() == 2 end }"):decide({}, ORIGIN)
      .matched and 2)
  end)

  it("reach nothing outside their folder", function()
    local f = assert(io.open(folder .. "/outside.lua", "w"))
    f:write "return 1"
    f:close()
    for _, name in ipairs { "../outside", "..outside", "/etc/passwd", ".", "lib/../../outside", "" } do
      refused(("require(%q)"):format(name), "a.lua:1", "require takes")
    end
    refused("require 'outside'", "no file outside.lua in the folder of the rules")
    refused("require 'a'", "requires itself")
    refused("io.open('/etc/passwd')", "a.lua:1", "nothing is called io")
  end)

  it("can be a single file", function()
    put("only.lua", [[rule "x" { send = { "archive" } }]])
    put("other.lua", "error 'not loaded'")
    local rules = rule.load(folder .. "/rules/only.lua", { destinations = DESTINATIONS })
    assert.equal(1, rules.count)
  end)

  it("must exist", function()
    shell("rm -rf " .. folder .. "/rules")
    assert.has_error(load)
  end)
end)

describe("rules are refused", function()
  it("with an unknown field, the nearest named", function()
    refused([[


      rule "x" { matches = function() end, send = { "archive" } }]], "rules/a.lua:3: rule \"x\"",
      "unknown field \"matches\"", "nearest is \"match\"")
    refused([[rule "x" { needs = function() end, send = { "archive" } }]], "unknown field \"needs\"")
  end)

  it("with a field of the wrong type", function()
    refused([[rule "x" { match = true, send = { "archive" } }]], "match must be a function")
    refused([[rule "x" { send = "archive" }]], "send must be a table")
    refused([[rule "x" { change = { 1 }, send = { "archive" } }]], "change is a function")
    refused([[rule "x" { change = print }]], "change without send")
    refused([[rule "x" { }]], "neither match nor send")
    refused([[rule "x" "y"]], "a.lua:1", "takes a table")
    refused([[rule { send = { "archive" } }]], "a.lua:1", "rule takes a name")
  end)

  it("with an unknown destination, the nearest named", function()
    refused([[rule "x" { send = { "archiv" } }]], "rule \"x\"",
      "unknown destination \"archiv\"", "nearest is \"archive\"")
    refused([[rule "x" { send = {} }]], "names no destination")
  end)

  it("with a name that is taken", function()
    put("b.lua", [[rule "x" { send = { "archive" } }]])
    refused([[rule "x" { send = { "archive" } }]], "rules/b.lua:1: rule \"x\"", "taken, at .*rules/a.lua:1")
  end)

  it("with broken syntax, an error or no end", function()
    refused("rule = = 1", "a.lua:1")
    refused("\n\nerror 'at load'", "a.lua:3: at load")
    refused("while true do end", "a.lua:1", "budget")
    refused("local x = undefined_name", "a.lua:1", "nothing is called undefined_name")
  end)

  it("with a secret that is missing or written down", function()
    refused([[rule "x" { change = deid { key = secret "none" }, send = { "archive" } }]],
      "rule \"x\"", "neither .*secrets/none")
    refused([[rule "x" { change = deid { key = "0123456789abcdef" }, send = { "archive" } }]], "must be a secret")
  end)

  it("with a de-identification that is misspelt or not built", function()
    shell("mkdir -p " .. folder .. "/secrets && printf 0123456789abcdef > " .. folder .. "/secrets/research && "
      .. "chmod 600 " .. folder .. "/secrets/research")
    local text = [[rule "x" { change = deid { key = secret "research", %s }, send = { "archive" } }]]
    for wrong, pattern in pairs { ['profil = "basic"'] = "unknown field \"profil\"", ['profile = "bsaic"'] = "bsaic",
      ['options = { "retain-uids" }'] = "retain%-uids", ['pixels = "look"'] = "look" } do
      refused(text:format(wrong), "a.lua:1: rule \"x\"", pattern)
    end
    assert.has_no_error(function() one(text:format 'profile = "basic"') end)
  end)

  it("with a keyword that no dictionary has", function()
    refused("rule \"x\" { match = function(ds)\n return ds.Modalty == 'MR' end, send = { 'archive' } }", "a.lua:2",
      "no attribute is called Modalty", "nearest is Modality")
    refused([[rule "x" { change = function(ds) ds.ReferencedStudySequence[1].ReferencedSOPInstancUID = "1" end,
      send = { "archive" } }]], "ReferencedSOPInstancUID")
    refused([[rule "x" { match = function(ds) return ds["PatientNme"] end }]], "PatientNme")
  end)

  it("with a list compared to a literal", function()
    for _, text in ipairs { "ds.ImageType == 'ORIGINAL'", "'ORIGINAL' ~= ds.ImageType", "ds['ImageType'] == \"X\"",
      "ds.A and ds.PixelSpacing == 1", "ds.ReferencedStudySequence[1].ImageType == [[X]]" } do
      refused(("rule 'x' { match = function(ds) return %s end }"):format(text:gsub("ds%.A and ", "")), "a.lua:1",
        "is a list of values")
    end
  end)
end)

describe("rules are not refused", function()
  it("for what only looks like a mistake", function()
    assert.has_no_error(function()
      one [==[
        -- ds.Modalty, ds.ImageType == "X"
        --[[ ds.Modalty ]]
        local other = { Modalty = 1, ImageType = "X" }
        rule "x" { match = function(ds, origin)
          local s = "ds.Modalty" .. [[ds.ImageType == 'x']]
          return other.Modalty and other.ImageType == "X" and ds.ImageType[1] == "ORIGINAL" and ds:has "ImageType"
            and ds.Modality == "MR" and "MR" == ds.Modality and ds.ImageType == ds.ImageType and s ~= ds.Rows
            and ds.RequestAttributesSequence[1].ScheduledProcedureStepID == "1" and other.ds.Nothing
        end }]==]
    end)
  end)
end)
