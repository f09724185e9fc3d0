-- SPDX-License-Identifier: MIT
-- What an editor is told: every public name of the package is annotated, and every class that is named exists.
local sh = require "spec.support.sh"

local function sources()
  return sh.lines "find lua/dicom -name '*.lua' | sort"
end

-- The lines of annotations of all sources: file, text.
local function annotations()
  local list = {}
  for _, path in ipairs(sources()) do
    for line in io.lines(path) do
      if line:find "^%s*%-%-%-[@|]" then list[#list + 1] = { path = path, text = line } end
    end
  end
  return list
end

describe("annotations", function()
  it("declare every class that they name", function()
    local declared, missing = {}, {}
    local list = annotations()
    for _, a in ipairs(list) do
      local name = a.text:match "@class ([%w_.]+)" or a.text:match "@alias ([%w_.]+)"
      if name then declared[name] = true end
    end
    for _, a in ipairs(list) do
      local types = a.text:match "@[%l]+%s+(.*)" or ""
      for name in types:gmatch "dicom%.[%u][%w_]*" do
        if not declared[name] then missing[#missing + 1] = a.path .. ": " .. name end
      end
    end
    assert(#list > 500)
    assert.same({}, missing)
  end)

  it("tell every name of the package", function()
    local text = sh.read "lua/dicom/init.lua"
    local count = 0
    for name in text:match "local lazy = {(.-)\n}":gmatch "\n  (%w+) = " do
      count = count + 1
      assert(text:find("\n---@field " .. name .. " ", 1, true), name .. " is not annotated")
    end
    assert(count > 15, count)
  end)

  it("give data sets their keywords", function()
    assert(sh.read "lua/dicom/gen/keywords.lua":find("\n---@class dicom.Dataset\n", 1, true))
    assert(sh.read "lua/dicom/dataset.lua":find("\n---@class dicom.Dataset\n", 1, true))
  end)
end)
