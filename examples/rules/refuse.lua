-- SPDX-License-Identifier: MIT
-- What cannot be filed is refused: the sender gets a failure status, and keeps its copy. A rule with a match alone
-- decides nothing but that.
rule "no image without a Patient ID" {
  match = function(ds, origin)
    if origin.calling_aet ~= "EMERGENCY" and (ds.PatientID or "") == "" then
      return reject(0xC001, "Patient ID is missing")
    end
  end,
}
