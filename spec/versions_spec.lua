-- SPDX-License-Identifier: MIT
-- `dicom --version` prints what is linked: each library must say a version of its own.
local versions = require "dicom.versions"

describe("versions", function()
  for _, name in ipairs { "dicom", "lua", "zlib", "libuv", "openssl", "openjpeg" } do
    it("names " .. name, function()
      assert.matches("^%d+%.%d+", versions()[name])
    end)
  end

  it("is part of the public face", function()
    assert.same(versions(), require "dicom".versions())
  end)
end)
