-- SPDX-License-Identifier: MIT
-- Everything goes to the archive, byte for byte as it came: no change, no match that could say no.
rule "everything to the archive" {
  send = { "archive" },
}
