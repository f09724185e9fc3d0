-- SPDX-License-Identifier: MIT
-- Images go to the research archive as well, de-identified. The key maps a patient and a study to the same new identity
-- for ever; it lies in the file secrets/research beside the folder of rules, or in DICOM_SECRET_RESEARCH. Pictures that
-- may show a name (here: ultrasound) are refused by the profile: they are parked until a person has decided
-- (dicom queue FOLDER).
local wanted = { CT = true, MR = true, US = true }

rule "images to research, de-identified" {
  match = function(ds) return wanted[ds.Modality] end,
  change = {
    deid { profile = "basic", pixels = "refuse", key = secret "research" },
    function(ds) ds.ClinicalTrialProtocolID = "TRIAL-7" end,
  },
  send = { "research" },
}
