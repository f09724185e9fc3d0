-- SPDX-License-Identifier: MIT
--- Files, for what must be durable. Operations that may block run on the thread pool and wait as a task does.
--- World errors give nil, err with err.code "system" (and err.errno), "no space" or "locked".
local core = require "dicom.core"
local task = require "dicom.task"

local M = {}

local ENOENT, EEXIST, ENOSPC, EDQUOT = 2, 17, 28, 122

local function named(value, err, ...)
  if value == nil and err and (err.errno == ENOSPC or err.errno == EDQUOT) then err.code = "no space" end
  if value == nil and err and err.errno == ENOENT then err.missing = true end
  if value == nil and err and err.errno == EEXIST then err.exists = true end
  return value, err, ...
end

local function work(...)
  return named(task.await(core.work(task.loop, ...)))
end

--- Makes `from` durable under the name `to`: syncs the file, renames it, syncs the folder of `to`, and that of `from`
--- when it is another. One item of work. Any sync that fails is an error.
---@param from string
---@param to string
---@return true|nil, dicom.Error?
function M.commit(from, to) return work("commit", from, to) end

--- Renames without syncing. An existing `to` is replaced.
---@param from string
---@param to string
---@return true|nil, dicom.Error?
function M.rename(from, to) return work("rename", from, to) end

--- Renames without syncing and never replaces: err.exists is true when `to` is there. Does not wait.
---@param from string
---@param to string
---@return true|nil, dicom.Error?
function M.move(from, to) return named(core.move(from, to)) end

--- fsync of a file.
---@param path string
---@return true|nil, dicom.Error?
function M.sync(path) return work("sync", path) end

--- fsync of a folder: makes names created, renamed or removed in it durable.
---@param path string
---@return true|nil, dicom.Error?
function M.sync_folder(path) return work("sync_folder", path) end

--- Appends; creates the file with mode 0600.
---@param path string
---@param text string
---@param options? {sync?: boolean}
---@return true|nil, dicom.Error?
function M.append(path, text, options)
  return work("append", path, nil, text, options and options.sync or false)
end

--- Writes a whole file (mode 0600) through a temporary name: readers see the old or the new one.
---@param path string
---@param text string
---@param options? {durable?: boolean}  durable: syncs file and folder
---@return true|nil, dicom.Error?
function M.write(path, text, options)
  return work("write", path, nil, text, options and options.durable or false)
end

--- The whole file.
---@param path string
---@return string|nil, dicom.Error?
function M.read(path) return work("read", path) end

local types = { f = "file", d = "folder", o = "other" }

--- Names in a folder in byte order, and their types by name ("file", "folder", "other").
---@param folder string
---@return string[]|nil names, table<string, string>|dicom.Error types
function M.list(folder)
  local list, err = work("list", folder)
  if not list then return nil, err end
  local kinds = {}
  for i, entry in ipairs(list) do
    local name = entry:sub(2)
    list[i], kinds[name] = name, types[entry:sub(1, 1)]
  end
  table.sort(list)
  return list, kinds
end

--- Makes a folder (mode 0700) and those above it. One that exists is well.
---@param path string
---@return true|nil, dicom.Error?
function M.make_folder(path)
  local ok, err = work("make_folder", path)
  if not ok and err.exists then err.text = path .. ": is there already and is not a folder" end
  return ok, err
end

--- Removes a file or an empty folder. err.missing is true when there was none.
---@param path string
---@return true|nil, dicom.Error?
function M.remove(path) return work("remove", path) end

--- type ("file", "folder", "other"), size, mtime (seconds), inode, mode, mine (this user owns it). Does
--- not wait.
---@param path string
---@return {type: string, size: integer, mtime: number, inode: integer, mode: integer, mine: boolean}|nil, dicom.Error?
function M.stat(path) return named(core.stat(path)) end

--- Takes the only lock on a file, which is created if need be; held until `lock:close()` or the process ends.
--- err.code is "locked" when another process (or another lock of this one) has it. Does not wait.
---@param path string
---@return userdata|nil, dicom.Error?
function M.lock(path)
  local lock, err, held = core.lock(path)
  if not lock and held then err.code = "locked" end
  return named(lock, err)
end

--- n random bytes of the system's generator as 2n hexadecimal digits.
---@param n integer  1 to 64
---@return string
function M.random(n) return core.random(n) end

return M
