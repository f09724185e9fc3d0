-- SPDX-License-Identifier: MIT
-- Images of a study go to the research archive as well, de-identified. The key maps a patient and a study to the same
-- new identity for ever; it lies in secrets/research or in DICOM_SECRET_RESEARCH. Pictures that may show a name (here:
-- ultrasound) are refused by the profile and wait, parked, for somebody to look at them: dicom queue FOLDER.
local wanted = { CT = true, MR = true, US = true }

rule "images to research, de-identified" {
  match = function(ds) return wanted[ds.Modality] end,
  change = deid { profile = "basic", pixels = "refuse", key = secret "research" },
  send = { "research" },
}
