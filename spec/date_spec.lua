-- SPDX-License-Identifier: MIT
-- DA, TM and DT of PS3.5 6.2 and the ranges of PS3.4 C.2.2.2.5.
local date = require "dicom.date"

describe("a date", function()
  it("has the fields that the text names and no others", function()
    local d = date "20240131"
    assert.same({ "DA", 2024, 1, 31 }, { d.vr, d.year, d.month, d.day })
    assert.is_nil(d.hour)
    local t = date("123045.120", "TM")
    assert.same({ 12, 30, 45, "120" }, { t.hour, t.minute, t.second, t.fraction })
    assert.is_nil(t.year)
    local dt = date "202401"
    assert.same({ "DT", 2024, 1 }, { dt.vr, dt.year, dt.month })
    assert.is_nil(dt.day)
  end)

  it("is written as precise as it was read", function()
    for _, s in ipairs { "2024", "202401", "20240131", "2024013112", "20240131123045.5", "20240131123045.500-0330" } do
      assert.equal(s, tostring(date(s, "DT")))
    end
    assert.equal("0900", tostring(date("0900", "TM")))
    assert.equal("20240131", tostring(date "20240131 "))
  end)

  it("reads what older systems wrote", function()
    assert.equal("20240131", tostring(date "2024.01.31"))
    assert.equal("123045.5", tostring(date("12:30:45.5", "TM")))
    assert.equal("1230", tostring(date("12:30", "TM")))
  end)

  it("is ISO 8601 on demand", function()
    assert.equal("2024-01-31", date "20240131":iso())
    assert.equal("2024-01-31T12:30:45.5+01:30", date "20240131123045.5+0130":iso())
    assert.equal("2024", date "2024-0500":iso())
    assert.equal("12:30", date("1230", "TM"):iso())
  end)

  it("counts seconds as the C library does", function()
    math.randomseed(3)
    for _ = 1, 2000 do
      local t = math.random(-62135596800, 253402300799)
      local c = os.date("!*t", t)
      local text = ("%04d%02d%02d%02d%02d%02d"):format(c.year, c.month, c.day, c.hour, c.min, c.sec)
      assert.equal(t, date(text, "DT"):time())
    end
    assert.equal(0, date "19700101":time())
    assert.equal(45045.25, date("123045.25", "TM"):time())
  end)

  it("knows zones: its own, else the one given, else UTC", function()
    assert.equal(-3600, date "19700101000000+0100":time())
    assert.equal(12 * 3600, date "19700101000000-1200":time())
    assert.equal(-7200, date "19700101000000":time(120))
    assert.equal(-3600, date "19700101000000+0100":time(120))
    assert.equal(12600, date "19700101000000-0330":time())
  end)

  it("compares by instant", function()
    assert.is_true(date "20240131" < date "20240201")
    assert.is_true(date "20240131" == date "2024.01.31")
    assert.is_true(date "20240131120000+0100" == date "20240131110000+0000")
    assert.is_true(date "20240131120000+0100" <= date "20240131110000+0000")
  end)

  it("is nil with an error when it is none", function()
    for _, s in ipairs { "", "abc", "20230229", "20241301", "2024013124", "20240131-20240132", "-", "20240101-x" } do
      local d, err = date(s)
      assert.is_nil(d, s)
      assert.equal("bad value", err.code)
    end
    assert.is_nil(date("2500", "TM"))
    assert.has_error(function() date(20240131) end, "a date is a string")
    assert.has_error(function() date("20240131", "LO") end, "the VR of a date is DA, TM or DT")
  end)
end)

describe("a range", function()
  it("has one bound or two", function()
    local r = date "20240101-20240131"
    assert.same({ "DA", "20240101", "20240131" }, { r.vr, tostring(r.from), tostring(r.to) })
    assert.is_nil(date "20240101-".to)
    assert.is_nil(date "-20240131".from)
    for _, s in ipairs { "20240101-20240131", "20240101-", "-20240131", "2024-2025",
      "20240101120000-0500-20240102-0500" } do
      assert.equal(s, tostring(date(s)))
    end
    assert.equal("1200-1300", tostring(date("1200-1300", "TM")))
  end)

  it("does not take the sign of a zone for its hyphen", function()
    assert.equal(-300, date "2024-0500".zone)
    local r = date("2024-0500-", "DT")
    assert.same({ -300, 2024 }, { r.from.zone, r.from.year })
    assert.is_nil(r.to)
    r = date "20240101120000-0500-20240102+0100"
    assert.same({ -300, 60 }, { r.from.zone, r.to.zone })
  end)

  it("contains both bounds, each with all that it names", function()
    local r = date("202401-202402", "DT")
    assert.is_true(r:contains(date "20240101000000"))
    assert.is_true(r:contains(date "20240229235959.999999"))
    assert.is_false(r:contains(date "20240301000000"))
    assert.is_false(r:contains(date "20231231235959"))
    assert.is_true(date "20240101-20240131":contains(date "20240131"))
    assert.is_false(date "20240101-20240131":contains(date "20240201"))
    assert.is_true(date("-2024", "DT"):contains(date "20241231235959"))
    assert.is_true(date("-202412", "DT"):contains(date "20241231235959"))
    assert.is_false(date("-202412", "DT"):contains(date "20250101"))
    assert.is_true(date("10-1130", "TM"):contains(date("113059.9", "TM")))
    assert.is_false(date("10-1130", "TM"):contains(date("1131", "TM")))
    assert.is_true(date "20240101-":contains(date "29990101"))
  end)
end)
