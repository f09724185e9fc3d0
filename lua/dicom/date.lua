-- SPDX-License-Identifier: MIT
--- Dates and times (DA, TM, DT, PS3.5 6.2), single ones and the ranges of queries (PS3.4 C.2.2.2.5).
local core = require "dicom.core"
local failure = require "dicom.error"

-- Fields in order of precision, with the digits that each has.
local FIELDS = { "year", "month", "day", "hour", "minute", "second" }
local LEAST = { year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0 }

---@class dicom.Date
---@field vr "DA"|"TM"|"DT"
---@field year? integer       absent in TM
---@field month? integer      this and what follows is absent below the precision of the text
---@field day? integer
---@field hour? integer
---@field minute? integer
---@field second? integer     60 is a leap second
---@field fraction? string    digits after the point, one to six
---@field zone? integer       minutes east of UTC (DT)
local Date = { __name = "dicom.date" }
Date.__index = Date

---@class dicom.DateRange
---@field vr "DA"|"TM"|"DT"
---@field from? dicom.Date   absent: open
---@field to? dicom.Date     absent: open; the bound itself and all that it names belongs to the range
local Range = { __name = "dicom.date_range" }
Range.__index = Range

-- What older systems wrote (PS3.5 6.2, DA and TM).
local function modern(s, vr)
  if vr ~= "TM" then s = s:gsub("^(%d%d%d%d)%.(%d%d)%.(%d%d)$", "%1%2%3") end
  if vr == "TM" then s = s:gsub("^(%d%d):(%d%d)", "%1%2"):gsub("^(%d%d%d%d):(%d%d)", "%1%2") end
  return s
end

local function read_one(s, vr)
  s = modern(s, vr)
  if s == "" or not core.value_check(vr, s) then return nil end
  local date = setmetatable({ vr = vr }, Date)
  local digits = s:match "^%d+"
  local at, first = 1, vr == "TM" and 4 or 1
  for i = first, #FIELDS do
    local width = i == 1 and 4 or 2
    date[FIELDS[i]] = tonumber(digits:sub(at, at + width - 1))
    at = at + width
  end
  date.fraction = s:match "%.(%d+)"
  local sign, hours, minutes = s:match "([+-])(%d%d)(%d%d)$"
  if sign then date.zone = (hours * 60 + minutes) * (sign == "-" and -1 or 1) // 1 end
  return date
end

-- A hyphen is a range or the sign of a zone: the whole is tried first, then each hyphen from the left.
local function read_range(s, vr)
  for at in s:gmatch "()%-" do
    local left, right = s:sub(1, at - 1), s:sub(at + 1)
    local from, to = read_one(left, vr), read_one(right, vr)
    if (from or left == "") and (to or right == "") and (from or to) then
      return setmetatable({ vr = vr, from = from, to = to }, Range)
    end
  end
end

local function guess(s)
  local digits = s:match "^%-?(%d*)"
  return (#digits == 8 and s:find "^[%d-]+$" or s:find "^%d%d%d%d%.%d%d%.%d%d") and "DA" or "DT"
end

local function zone_text(zone, colon)
  return ("%s%02d%s%02d"):format(zone < 0 and "-" or "+", math.abs(zone) // 60, colon, math.abs(zone) % 60)
end

--- The text as DICOM writes it, as precise as what was read.
function Date:__tostring()
  local out = {}
  for i, field in ipairs(FIELDS) do
    local v = self[field]
    if v then out[#out + 1] = (i == 1 and "%04d" or "%02d"):format(v) end
  end
  if self.fraction then out[#out + 1] = "." .. self.fraction end
  if self.zone then out[#out + 1] = zone_text(self.zone, "") end
  return table.concat(out)
end

--- ISO 8601: "2024-01-31T12:30:00.5+01:00", as precise as what was read. A zone needs a time there.
---@return string
function Date:iso()
  local day, time = {}, {}
  for i, field in ipairs(FIELDS) do
    local v, part = self[field], i <= 3 and day or time
    if v then part[#part + 1] = (i == 1 and "%04d" or "%02d"):format(v) end
  end
  local text = table.concat(day, "-")
  if #day > 0 and #time > 0 then text = text .. "T" end
  text = text .. table.concat(time, ":") .. (self.fraction and "." .. self.fraction or "")
  return self.zone and #time > 0 and text .. zone_text(self.zone, ":") or text
end

-- Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day comes last.
local function days_from_epoch(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local era_days = 365 * year + year // 4 - year // 100 + year // 400
  return era_days + (153 * (month - 3) + 2) // 5 + day - 1 - 719468
end

--- Seconds since 1970-01-01T00:00Z; of a TM, since midnight. The first instant that the text may mean.
---@param zone? integer  minutes east of UTC where the text names none (Timezone Offset From UTC); default 0
---@return number
function Date:time(zone)
  local v = {}
  for _, field in ipairs(FIELDS) do v[field] = self[field] or LEAST[field] end
  local days = self.year and days_from_epoch(v.year, v.month, v.day) or 0
  local seconds = days * 86400 + v.hour * 3600 + v.minute * 60 + v.second
  if self.vr == "DT" then seconds = seconds - (self.zone or zone or 0) * 60 end
  return self.fraction and seconds + tonumber("0." .. self.fraction) or seconds
end

-- The first instant after all that the text may mean.
local function past(date, zone)
  local last
  for i, field in ipairs(FIELDS) do
    if date[field] then last = i end
  end
  if date.fraction then return date:time(zone) + 10.0 ^ -#date.fraction end
  if last > 2 then return date:time(zone) + ({ [3] = 86400, [4] = 3600, [5] = 60, [6] = 1 })[last] end
  local later = setmetatable({ vr = date.vr, year = date.year, month = date.month, zone = date.zone }, Date)
  later[FIELDS[last]] = date[FIELDS[last]] + 1 -- a month 13 is January: days_from_epoch begins years in March
  return later:time(zone)
end

Date.__eq = function(a, b) return a.vr == b.vr and a:time() == b:time() end
Date.__lt = function(a, b) return a:time() < b:time() end
Date.__le = function(a, b) return a:time() <= b:time() end

function Range:__tostring()
  return (self.from and tostring(self.from) or "") .. "-" .. (self.to and tostring(self.to) or "")
end

--- Does the range hold a date of its VR? Both bounds belong to it.
---@param date dicom.Date
---@param zone? integer  as in Date:time
---@return boolean
function Range:contains(date, zone)
  local t = date:time(zone)
  return not (self.from and t < self.from:time(zone)) and not (self.to and t >= past(self.to, zone))
end

--- Reads a date, a time or a range. Eight digits are a DA; "TM" must be said, for 2024 is a year in a DT.
---@param s string
---@param vr? "DA"|"TM"|"DT"  default: DA for eight digits, else DT
---@return dicom.Date|dicom.DateRange|nil
---@return dicom.Error?
return function(s, vr)
  if type(s) ~= "string" then error("a date is a string", 2) end
  s = s:gsub("[ %z]+$", "")
  vr = vr or guess(s)
  if vr ~= "DA" and vr ~= "TM" and vr ~= "DT" then error("the VR of a date is DA, TM or DT", 2) end
  local date = read_one(s, vr) or read_range(s, vr)
  if date then return date end
  return failure.fail("bad value", "not a " .. vr .. " in the form of PS3.5 6.2")
end
