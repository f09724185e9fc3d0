-- SPDX-License-Identifier: MIT
--- The identity mapping: which pseudonym stands for which identity. Fixed for ever; another scheme gets another number.
---
--- A pseudonym is made from HMAC-SHA-256(key, "dicom-deid/1" 00 kind 00 value), 00 being one zero byte:
---
---   kind     value                                     gives
---   uid      the UID                                   2.25.(first 128 bits, as a UUID of version 8, in decimal)
---   patient  Patient ID 00 Issuer of Patient ID        "P" and the first 80 bits in upper-case hexadecimal
---   study    Study Instance UID                        the same; stands in where there is no Patient ID
---   date     as patient or study                       (days of date shifting: comes with its option)
---
--- Texts are UTF-8, without the spaces around them; UIDs without their padding. An absent issuer is an empty text.
--- The same key gives the same pseudonyms in every run and at every site; without the key they cannot be computed, so
--- that a list of all possible Patient IDs tells nothing (PS3.15 E.1.1 warns of hashes without a key).
local Error = require "dicom.error"
local tls = require "dicom.tls"
local uids = require "dicom.uid"

local byte, concat, format, unpack = string.byte, table.concat, string.format, string.unpack

local SCHEME = "dicom-deid/1"
local SHORTEST_KEY = 16

---@class dicom.deid.Mapping
---@field private key string
---@field private registered fun(uid: string): boolean
local Mapping = {}
Mapping.__index = Mapping

local M = {}

--- The UID of the first 16 bytes: a UUID of version 8, variant 2 (RFC 9562), under 2.25 (PS3.5 B.2).
---@param bytes string 16 bytes or more
---@return string
function M.uuid_uid(bytes)
  local a, b, c, d = unpack(">I4I4I4I4", bytes)
  return uids.from_bits(a, b & 0xFFFF0FFF | 0x8000, c & 0x3FFFFFFF | 0x80000000, d)
end

-- By bytes: a pattern for the end would try every run of spaces in between.
local function trim(s)
  local first, last = s:find "[^\0 ]", #s
  if not first then return "" end
  while byte(s, last) == 0 or byte(s, last) == 32 do last = last - 1 end
  return s:sub(first, last)
end

--- Does PS3.6 Annex A register this UID? Its table A-3, the context groups, is an arc. What else lies under DICOM's
--- root is somebody's instance: planning systems are known to append a time to a SOP class.
---@param uid string
---@return boolean
function M.registered(uid)
  if uid:sub(1, 14) ~= "1.2.840.10008." then return false end
  return uids.name(uid) ~= nil or uid:find "^1%.2%.840%.10008%.6%.1%.%d%d?%d?%d?$" ~= nil
end

--- HMAC-SHA-256 of one value of one kind.
---@param kind "uid"|"patient"|"study"|"date"
---@param value string
---@return string bytes 32
function Mapping:mac(kind, value)
  return tls.hmac_sha256(self.key, concat({ SCHEME, kind, value }, "\0"))
end

--- The UID that stands for this one. What PS3.6 registers (SOP classes, well-known frames of reference and
--- instances, coding schemes, context groups) names no instance of anybody's and is given back.
---@param uid string
---@return string
function Mapping:uid(uid)
  uid = trim(uid)
  if self.registered(uid) then return uid end
  return M.uuid_uid(self:mac("uid", uid))
end

local function hexadecimal(bytes)
  return format("P%08X%08X%04X", unpack(">I4I4I2", bytes))
end

--- The pseudonym of a patient, as Patient ID and as Patient's Name.
---@param id string Patient ID, not empty
---@param issuer? string Issuer of Patient ID (0010,0021)
---@return string
function Mapping:patient(id, issuer)
  return hexadecimal(self:mac("patient", trim(id) .. "\0" .. trim(issuer or "")))
end

--- The pseudonym of a patient of whom only a study is known.
---@param study_uid string
---@return string
function Mapping:study(study_uid)
  return hexadecimal(self:mac("study", trim(study_uid)))
end

--- A mapping under one key. Raises when the key is too short to keep the pseudonyms from being guessed.
---@param key string bytes, at least 16
---@param registered? fun(uid: string): boolean whether a UID is one of PS3.6; by default from the dictionary
---@return dicom.deid.Mapping
function M.new(key, registered)
  if type(key) ~= "string" or #key < SHORTEST_KEY then
    error(Error.new("config", ("the key must have at least %d bytes"):format(SHORTEST_KEY)), 2)
  end
  return setmetatable({ key = key, registered = registered or M.registered }, Mapping)
end

return M
