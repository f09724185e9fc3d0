-- SPDX-License-Identifier: MIT
--- C-ECHO (PS3.7 9.1.5, PS3.4 Annex A): is somebody there?
local errors = require "dicom.error"
local status = require "dicom.status"

local VERIFICATION = "1.2.840.10008.1.1"
local SYNTAXES = { "1.2.840.10008.1.2", "1.2.840.10008.1.2.1" }
local C_ECHO = 0x0030

local M = { command = C_ECHO, name = "echo" }

--- `peer.echo() -> status | nil, err`
---@param peer dicom.Peer
function M.scu(peer)
  local needed = { { abstract = VERIFICATION, transfers = SYNTAXES } }
  return function()
    return peer:use(needed, nil, function(a)
      local context = a:contexts(VERIFICATION)[1]
      if not context then
        return nil, errors.new("unknown context", peer.aet .. " does not accept Verification (PS3.8 9.3.3.2)")
      end
      local id, err = a:ask(context.id, { field = C_ECHO, sop_class = VERIFICATION })
      if not id then return nil, err end
      local message
      message, err = a:answer(id)
      if not message then return nil, err end
      return message.status
    end)
  end
end

--- Handler: `echo(association) -> status | true | nil, err`. `true` instead of a handler answers success.
---@param handler boolean|function
function M.scp(handler)
  local service = { command = C_ECHO }
  function service.transfer(context)
    if context.abstract ~= VERIFICATION then return nil end
    for _, uid in ipairs(context.transfers) do
      if uid == SYNTAXES[1] or uid == SYNTAXES[2] then return uid end
    end
    return false
  end
  function service.answer(association)
    if handler == true then return status.success end
    return handler(association)
  end
  return service
end

return M
