-- SPDX-License-Identifier: MIT
-- Everything goes to the archive, byte for byte as it came.
rule "everything to the archive" {
  match = function() return true end,
  send = { "archive" },
}
