-- SPDX-License-Identifier: MIT
--- Versions of this package, of Lua, and of every library that it is linked with.

---@class dicom.Versions
---@field dicom string
---@field lua string
---@field zlib string
---@field libuv string
---@field openssl string
---@field openjpeg string

local modules = { "dicom.core", "dicom.tls", "dicom.codec" }

--- What is linked, as it says of itself at run time. Loads all C modules.
---@return dicom.Versions
return function()
  local all = { lua = _VERSION:match "[%d.]+$" }
  for _, name in ipairs(modules) do
    for library, version in pairs(require(name).versions()) do all[library] = version end
  end
  return all
end
