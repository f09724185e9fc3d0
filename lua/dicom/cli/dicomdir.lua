-- SPDX-License-Identifier: MIT
--- dicom dicomdir: creates the directory of a folder, or prints one.
local cli = require "dicom.cli"

local M = { summary = "create the DICOMDIR of a folder, or list one" }

function M.parser(p)
  p:flag("-l --list", "print the records of a DICOMDIR instead")
  p:flag("--rename", "give files whose names a DICOMDIR cannot refer to a new one")
  p:option("--id", "File-set ID: up to 16 capitals, digits, spaces and _")
  p:argument("path", "the folder; with --list a DICOMDIR, or the folder that it is in")
end

-- What people know the record by.
local NAMES = { PATIENT = { "PatientName", "PatientID" }, STUDY = { "StudyDate", "StudyDescription" },
  SERIES = { "Modality", "SeriesNumber", "SeriesDescription" } }

local function line(r, level)
  local words = { r.type }
  for _, keyword in ipairs(NAMES[r.type] or { "InstanceNumber" }) do
    local text = r.record:text(keyword) or ""
    if text ~= "" then words[#words + 1] = text:gsub("%c", "?") end
  end
  local where = r.refused and "refused: " .. r.refused or r.path
  return ("%s%s%s\n"):format(("  "):rep(level - 1), table.concat(words, " "), where and " -> " .. where or "")
end

local function list(path)
  local dir, err = require "dicom.dicomdir".open(path)
  if not dir then return cli.fail("dicomdir", err) end
  for r, level in dir:walk() do io.write(line(r, level)) end
  for _, text in ipairs(dir.problems) do io.stderr:write("dicom dicomdir: ", text, "\n") end
  return #dir.problems == 0 and 0 or 1
end

local function create(args)
  local made, err = require "dicom.dicomdir".create(args.path, { id = args.id, rename = args.rename })
  if not made then return cli.fail("dicomdir", err) end
  for _, x in ipairs(made.left_out) do io.stderr:write(("left out: %s: %s\n"):format(x.path, x.reason)) end
  for _, x in ipairs(made.notes) do io.stderr:write(("note: %s: %s\n"):format(x.path, x.text)) end
  for _, x in ipairs(made.invented) do io.stderr:write(("made up: %s of %s\n"):format(x.keyword, x.path)) end
  for _, x in ipairs(made.renamed) do io.stderr:write(("renamed: %s to %s\n"):format(x.from, x.to)) end
  print(("%s: %d instances"):format(made.path, made.count))
  return 0
end

function M.run(args)
  if args.list then return list(args.path) end
  return create(args)
end

return M
