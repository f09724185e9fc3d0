-- SPDX-License-Identifier: MIT
--- dicom anonymize: files and folders by the basic profile. Names of outputs are made from new UIDs: file names of
--- hospitals hold names of patients.
local cli = require "dicom.cli"
local file = require "dicom.file"
local files_of = require "dicom.cli.files"

local M = { summary = "de-identify files and folders (PS3.15 Basic Profile)" }

function M.parser(p)
  p:option("--key-file", "file with the secret key: 16 bytes or more, readable by its owner only (mode 0600); the same "
    .. "key gives the same new UIDs and Patient IDs"):args(1)
  p:option("--pixels", "pixels that may show a name: refuse the file, trust them, or blank all of its pixels")
    :choices { "refuse", "trust", "blank" }:default "refuse"
  p:argument("input", "a file, or a folder with files at any depth")
  p:argument("output", "a folder, which is made; for a single file also the name of a new file")
end

-- The key, or nil and what is wrong with its file.
local function read_key(path)
  if not path then return nil, "--key-file is missing: the pseudonyms are made with a secret key" end
  local stat, err = file.stat(path)
  if not stat then return nil, tostring(err) end
  if stat.type ~= "file" then return nil, path .. ": is not a file" end
  if stat.mode & 0x3F ~= 0 then -- 077: group and others
    return nil, path .. ": others may read or change the key; chmod 600 " .. path
  end
  if not stat.mine then return nil, path .. ": belongs to another user" end
  local key, why = file.read(path)
  if not key then return nil, tostring(why) end
  key = key:gsub("\r?\n$", "") -- what an editor adds
  if #key < 16 then return nil, path .. ": the key must have at least 16 bytes" end
  return key
end

-- Where a result goes: into a folder under the name of its new UID, or to the one file that was named.
local function target(output, is_folder, ds)
  if not is_folder then return output end
  local uid = ds:text "SOPInstanceUID" or ""
  if not uid:find "^[%d.]+$" then return nil, "it has no SOP Instance UID to name the output by" end
  return ("%s/%s.dcm"):format(output, uid)
end

local function anonymize(d, path, output, is_folder)
  local dicom = require "dicom"
  local ds, err = dicom.open(path)
  if not ds then return nil, err end
  local clean, why = d:apply(ds)
  if not clean then return nil, why end
  local to, nameless = target(output, is_folder, clean)
  if not to then return nil, nameless end
  if file.stat(to) then return nil, to .. " exists already" end
  local ok
  ok, err = clean:save(to)
  return ok, ok and #ds.repairs > 0 or err
end

local function output_is_folder(input, output)
  local is, from = file.stat(output), file.stat(input)
  return is ~= nil and is.type == "folder" or is == nil and from ~= nil and from.type == "folder"
end

function M.run(args)
  local key, wrong = read_key(args.key_file)
  if not key then return cli.fail("anonymize", wrong) end
  local d = require "dicom.deid".new { key = key, pixels = args.pixels }
  local found, err = file.stat(args.input)
  if not found then return cli.fail("anonymize", err) end
  local files, failed, repaired = {}, 0, 0
  local skipped = files_of(args.input, files)
  local is_folder = output_is_folder(args.input, args.output)
  if found.type == "folder" and not is_folder then
    return cli.fail("anonymize", args.output .. ": a folder is needed for the files of a folder")
  end
  if #files == 0 then return cli.fail("anonymize", args.input .. ": no DICOM files are in this folder") end
  if is_folder then
    local made, why = file.make_folder(args.output)
    if not made then return cli.fail("anonymize", why) end
  end
  for _, path in ipairs(files) do
    local ok, why = anonymize(d, path, args.output, is_folder)
    if ok and why then repaired = repaired + 1 end
    if not ok then
      failed = failed + 1
      io.stderr:write(("dicom anonymize: %s: %s\n"):format(path, cli.reason(path, why)))
    end
  end
  print(("%d written%s, %d failed%s"):format(#files - failed,
    repaired > 0 and (" (%d of files with faults: dicom dump tells them)"):format(repaired) or "", failed,
    skipped > 0 and (", %d left out: not DICOM"):format(skipped) or ""))
  return failed == 0 and 0 or 1
end

return M
