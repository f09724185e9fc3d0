-- SPDX-License-Identifier: MIT
-- DIMSE statuses by name, both ways (PS3.7 Annex C, PS3.4 B.2.3 and C.4).
local dicom = require "dicom"
local status = dicom.status

describe("statuses", function()
  it("by name", function()
    assert.equal(0x0000, status.success)
    assert.equal(0xFF00, status.pending)
    assert.equal(0xFE00, status.cancel)
    assert.equal(0x0110, status.processing_failure)
    assert.equal(0x0122, status.sop_class_not_supported)
    assert.equal(0xA700, status.out_of_resources)
    assert.equal(0xA700, status["out of resources"])
    assert.equal(0xA900, status.data_set_does_not_match_sop_class)
    assert.equal(0xC000, status.cannot_understand)
    assert.equal(0xA801, status.move_destination_unknown)
  end)

  it("by value, whole families too; each name leads back", function()
    assert.equal("out of resources", status[0xA700])
    assert.equal("out of resources", status[0xA7FF])
    assert.equal("cannot understand", status[0xC123])
    assert.equal("success", status[0])
    for value = 0, 0xFFFF do
      local name = status[value]
      if name and value & 0xFF == 0 then assert.equal(name, status[status[name]]) end
    end
  end)

  it("unknown: nil for numbers, raises with the nearest for names", function()
    assert.is_nil(status[0x1234])
    local ok, err = pcall(function() return status.out_of_ressources end)
    assert.is_false(ok)
    assert.equal("usage", err.code)
    assert.is_truthy(tostring(err):find("'out_of_resources'", 1, true))
    assert.is_false(pcall(function() status.success = 1 end))
  end)

  it("have a kind (PS3.7 C)", function()
    local kinds = { [0] = "success", [0xFF00] = "pending", [0xFF01] = "pending", [0xFE00] = "cancel",
      [0xB000] = "warning",
      [0x0107] = "warning", [0x0116] = "warning", [0x0001] = "warning", [0xA700] = "failure", [0xC001] = "failure",
      [0x0110] = "failure", [0x1234] = "failure" }
    for value, kind in pairs(kinds) do assert.equal(kind, status.kind(value)) end
  end)
end)
