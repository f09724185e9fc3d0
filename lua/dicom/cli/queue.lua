-- SPDX-License-Identifier: MIT
--- dicom queue: what a router has not delivered yet, and why. Safe while the router runs.
local cli = require "dicom.cli"

local M = { summary = "list what waits or is parked in a router's queue" }

function M.parser(p)
  p:option("--retry", "try the parked parts of this message again; \"all\" for every message"):argname "ID"
  p:option("--drop", "forget the parked parts of this message"):argname "ID"
  p:argument("folder", "the queue's folder: spool:FOLDER in the router's file")
end

local function what(part)
  if part.kind == "change" then
    return ("change for %s (%s)"):format(table.concat(part.send, ", "), table.concat(part.rules, "; "))
  end
  return part.kind .. " " .. part.name
end

local function state(part)
  if part.state == "parked" then return "parked: " .. (part.error or "no reason kept") end
  if part.tries == 0 then return "waiting" end
  local seconds = math.max(0, math.ceil(part.next - os.time()))
  return ("tried %d times, next in %d s: %s"):format(part.tries, seconds, part.error or "no reason kept")
end

-- Prints a message. Counts its parts by state.
local function show(message, counts)
  local _, class = require "dicom.uid".name(message.sop_class)
  print(("%s  from %s at %s  %s, %d bytes"):format(message.id, message.origin.calling_aet, message.received,
    class or message.sop_class, message.size))
  for _, part in ipairs(message.parts) do
    if part.state ~= "done" then
      counts[part.state] = counts[part.state] + 1
      print(("    %s\n        %s"):format(what(part), state(part)))
    end
  end
end

local function list(folder)
  local spool = require "dicom.queue.spool"
  local counts = { waiting = 0, parked = 0 }
  for message in spool.list(folder) do show(message, counts) end
  print(counts.waiting + counts.parked == 0 and "nothing waits" or
    ("%d waiting, %d parked"):format(counts.waiting, counts.parked))
  return 0
end

local function is_parked(message)
  for _, part in ipairs(message.parts) do
    if part.state == "parked" then return true end
  end
end

-- Messages to be retried: the one named, or all with something parked.
local function chosen(folder, id)
  if id ~= "all" then return { id } end
  local ids = {}
  for message in require "dicom.queue.spool".list(folder) do
    if is_parked(message) then ids[#ids + 1] = message.id end
  end
  return ids
end

local function order(folder, verb, ids)
  for _, id in ipairs(ids) do
    local ok, err = require "dicom.queue.spool".order(folder, verb, id)
    if not ok then return cli.fail("queue", err) end
  end
  if #ids == 0 then
    print "nothing is parked"
    return 0
  end
  print(("%s: %d message%s; the router does it when it next looks"):format(verb, #ids, #ids == 1 and "" or "s"))
  return 0
end

function M.run(args)
  if args.retry then return order(args.folder, "retry", chosen(args.folder, args.retry)) end
  if args.drop then return order(args.folder, "drop", { args.drop }) end
  return list(args.folder)
end

return M
