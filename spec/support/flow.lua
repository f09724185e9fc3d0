-- SPDX-License-Identifier: MIT
-- A gateway under test: instances, a configuration with rules, two storescp as destinations, a sender.
local dicom = require "dicom"
local sh = require "spec.support.sh"

local M = {}

local RULES = [[
rule "all to the archive" { send = { "archive" } }

rule "renamed to research" {
  change = function(ds, origin)
    ds.ImageComments = ds.SOPInstanceUID .. " " .. origin.id
    ds.SOPInstanceUID = uid()
  end,
  send = { "research" },
}
]]

local GATEWAY = [[
return require "dicom".router {
  aet = "ROUTER", host = "127.0.0.1", port = %d, rules = %q, queue = %q,
  destinations = {
    archive = { aet = "ARCHIVE", host = "127.0.0.1", port = %d, retry = { first = 0.05, most = 0.5 } },
    research = { aet = "RESEARCH", host = "127.0.0.1", port = %d, retry = { first = 0.05, most = 0.5 } },
  },
}
]]

--- Makes n instances in `folder`, `size(i)` bytes of pixel data each; returns their paths and UIDs in order.
---@param folder string
---@param n integer
---@param size fun(i: integer): integer
---@return { path: string, uid: string }[]
function M.study(folder, n, size)
  local list = {}
  local study, series = dicom.uid.new(), dicom.uid.new()
  for i = 1, n do
    local uid = dicom.uid.new()
    local ds = dicom.dataset {
      SOPClassUID = "1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID = uid, StudyInstanceUID = study,
      SeriesInstanceUID = series,
      PatientName = "Flow^Test", PatientID = "F" .. i, Modality = "OT", InstanceNumber = i, SamplesPerPixel = 1,
      PhotometricInterpretation = "MONOCHROME2", BitsAllocated = 8, BitsStored = 8, HighBit = 7,
      PixelRepresentation = 0,
      Rows = 1, Columns = math.min(size(i), 65535), BurnedInAnnotation = "NO",
    }
    ds:set("PixelData", string.rep(string.char(i % 251), size(i)), "OB")
    list[i] = { path = ("%s/%05d.dcm"):format(folder, i), uid = uid }
    assert(ds:save(list[i].path))
  end
  return list
end

--- Writes gateway.lua and rules/ into `folder` and starts the two destinations (storescp, one file per arrival).
---@param folder string
---@return table flow
function M.gateway(folder)
  local f = { folder = folder, spool = folder .. "/spool", port = sh.port(), archive = folder .. "/archive",
    research = folder .. "/research", file = folder .. "/gateway.lua" }
  for _, name in ipairs { f.spool, f.archive, f.research, folder .. "/rules" } do
    assert(os.execute("mkdir -p " .. name))
  end
  sh.write(folder .. "/rules/flow.lua", RULES)
  local ports = {}
  for _, name in ipairs { "archive", "research" } do
    ports[name] = sh.port()
    sh.spawn({ "storescp", "-uf", "-fe", ".dcm", "-aet", name:upper(), "-od", f[name], ports[name] },
      { env = { TCP_NODELAY = "1" } })
    assert(sh.wait_port(ports[name]), "storescp did not start")
  end
  sh.write(f.file, GATEWAY:format(f.port, folder .. "/rules", "spool:" .. f.spool, ports.archive, ports.research))
  return setmetatable(f, { __index = M })
end

--- Starts the router of the flow; `set` is put before its command.
---@param set? string
---@param around? string[] a command that runs the router: strace ...
---@return sh.Process
function M:start(set, around)
  local argv = { sh.dicom, "serve", self.file }
  if around then table.move(argv, 1, #argv, #around + 1, around) end
  local p = sh.spawn(around or argv, { set = set })
  assert(sh.wait_port(self.port, 20), "router did not start: " .. p:output())
  return p
end

--- Starts a sender of the listed files; each acknowledged one is a line of `acknowledged`.
---@param list { path: string }[]
---@return sh.Process
function M:send(list)
  local names = {}
  for i, file in ipairs(list) do names[i] = file.path end
  sh.write(self.folder .. "/list", table.concat(names, "\n") .. "\n")
  self.acknowledged = self.folder .. "/acknowledged"
  return sh.spawn_lua { "spec/support/sender.lua", self.port, self.folder .. "/list", self.acknowledged }
end

--- Number of messages that the queue still holds.
---@return integer
function M:waiting()
  return #sh.lines(("find %s/messages -type f 2>/dev/null"):format(self.spool))
end

return M
