-- SPDX-License-Identifier: MIT
--- Secrets: keys that configuration names and never holds. `secret "research"` is the file `secrets/research` beside
--- the rules (mode 0600 or 0400, owned by the user that runs this), else the environment's DICOM_SECRET_RESEARCH.
local errors = require "dicom.error"
local file = require "dicom.file"

local M = {}

local SHORTEST, LONGEST = 16, 4096

local function refuse(name, text, ...)
  return errors.fail("config", ("secret %q: "):format(name) .. text:format(...))
end

local function variable_of(name)
  return "DICOM_SECRET_" .. name:upper():gsub("[^%w]", "_")
end

local function read_all(path)
  local f, problem = io.open(path, "rb")
  if not f then return nil, problem end
  local text
  text, problem = f:read(LONGEST + 1)
  f:close()
  return text or "", problem
end

local function from_file(name, path, stat)
  if stat.type ~= "file" then return refuse(name, "%s is no file", path) end
  if stat.mode & 0x3F ~= 0 then -- 077
    return refuse(name, "%s may be read by others: chmod 600 it", path)
  end
  if not stat.mine then return refuse(name, "%s belongs to another user", path) end
  local text, problem = read_all(path)
  if not text then return refuse(name, "%s", problem) end
  if #text > LONGEST then return refuse(name, "%s is longer than %d bytes", path, LONGEST) end
  return text
end

--- The bytes of a secret, without the newline at the end.
---@param name string    letters, digits, "-" and "_"
---@param folder string  where the folder `secrets` is
---@return string|nil, dicom.Error?
function M.read(name, folder)
  if type(name) ~= "string" or not name:find "^[%w_-]+$" or #name > 64 then
    return refuse(tostring(name), "a name has letters, digits, - and _ only")
  end
  local path = folder .. "/secrets/" .. name
  local stat, err = file.stat(path)
  local text, where
  if stat then
    where = path
    text, err = from_file(name, path, stat)
    if not text then return nil, err end
  else
    where = variable_of(name)
    text = os.getenv(where)
    if not text then
      local why = err.missing and "neither %s nor %s exists" or "%s cannot be read (%s is not set)"
      return refuse(name, why, path, where)
    end
  end
  text = text:gsub("\r?\n$", "")
  if #text < SHORTEST then return refuse(name, "%s holds %d bytes, at least %d are needed", where, #text, SHORTEST) end
  return text
end

return M
