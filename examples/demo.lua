-- SPDX-License-Identifier: MIT
-- The whole journey on one machine: an invented study goes from DCMTK's storescu to a router, and by its rules to an
-- archive as it is and to a research archive de-identified.
-- Run: make demo
package.path = "lua/?.lua;lua/?/init.lua;examples/?.lua;" .. package.path
package.cpath = "build/?.so;" .. package.cpath
local machine = require "demo.machine"
local show = require "demo.show"
local study = require "demo.study"

local folder <close> = machine.folder()
machine.make_folders(folder, "study", "archive", "research")

show.title "A study of an invented patient"
local made = machine.clock()
local sent = study.make(folder .. "/study")
machine.compress_mr(folder, sent)
show.study(sent, made())

show.title "Three programs start"
local archive <close> = machine.receive(folder, "ARCHIVE", "archive")
local research <close> = machine.receive(folder, "RESEARCH", "research")
local router <close> = machine.serve(folder, { ARCHIVE = archive.port, RESEARCH = research.port })
show.programs { archive, research, router }

show.title "storescu sends the study to the router"
local sending = machine.clock()
machine.storescu(router.port, sent)
show.line("%d instances acknowledged in %.0f ms: each is on disk and will not be lost", #sent, sending() * 1000)

show.title "What arrived at the archive"
local archived = machine.arrivals(folder .. "/archive", #sent)
show.archive(sent, archived, sending())

show.title "What arrived at the research archive"
local pictures = 0
for _, instance in ipairs(sent) do
  if instance.modality == "CT" or instance.modality == "MR" then pictures = pictures + 1 end
end
local de_identified = machine.arrivals(folder .. "/research", pictures)
show.research(sent, de_identified, sending())

show.title "What waits for a person"
show.text(machine.queue(folder))

show.title "What the rules changed in the first CT"
show.changes(sent, de_identified, "CT", 1)

show.title "That was examples/gateway.lua with the rules of examples/rules"
show.line "For your own images edit its two nodes, then run"
show.line('DICOM_SECRET_RESEARCH="$(openssl rand -hex 32)" build/bin/dicom serve examples/gateway.lua')
