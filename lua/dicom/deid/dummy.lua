-- SPDX-License-Identifier: MIT
--- Dummy values for action D of PS3.15 table E.1-1: the same for every instance, of the form of their VR, nobody's.
local M = {}

local TEXT = "ANONYMIZED"

--- By VR. Numbers and bulk never have action D alone, but a table of a later edition may say so.
M.values = {
  AE = TEXT, AS = "000Y", AT = 0, CS = TEXT, DA = "19000101", DS = 0, DT = "19000101000000", FD = 0, FL = 0, IS = 0,
  LO = TEXT, LT = TEXT, OB = "\0\0", OD = ("\0"):rep(8), OF = ("\0"):rep(4), OL = ("\0"):rep(4), OV = ("\0"):rep(8),
  OW = "\0\0", PN = TEXT, SH = TEXT, SL = 0, SS = 0, ST = TEXT, SV = 0, TM = "000000", UC = TEXT, UL = 0, UN = "\0\0",
  UR = "about:blank", US = 0, UT = TEXT, UV = 0,
}

M.TEXT = TEXT

--- A code that says nothing, of a private coding scheme (PS3.3 8.2: "99" and more).
local function code()
  return { CodeValue = "0", CodingSchemeDesignator = "99ANON", CodeMeaning = "Anonymized" }
end

local function dcm(value, meaning)
  return { CodeValue = value, CodingSchemeDesignator = "DCM", CodeMeaning = meaning }
end
M.dcm = dcm

local function coded_person()
  return { PersonIdentificationCodeSequence = { code() }, InstitutionName = TEXT }
end

-- A text of no content. What the document said is gone: that is what D asks where Clean Structured Content is not.
local function content()
  return { RelationshipType = "CONTAINS", ValueType = "TEXT", ConceptNameCodeSequence = { dcm("121106", "Comment") },
           TextValue = TEXT }
end

-- One dot in the corner, on the layer that the first annotation named: the list of layers is kept.
local function graphic(first)
  return { GraphicLayer = first and first:get "GraphicLayer" or TEXT,
           GraphicObjectSequence = { { GraphicAnnotationUnits = "PIXEL", GraphicDimensions = 2,
             NumberOfGraphicPoints = 1, GraphicData = { 1, 1 }, GraphicType = "POINT", GraphicFilled = "N" } } }
end

local function observer()
  return { VerifyingObserverName = TEXT, VerifyingObserverIdentificationCodeSequence = {},
           VerifyingOrganization = TEXT, VerificationDateTime = M.values.DT }
end

local function annotation()
  return { UnformattedTextValue = TEXT, ReferencedWaveformChannels = { 1, 0 } }
end

local function flow()
  return { FlowIdentifier = M.values.OB, FlowTransferSyntaxUID = "1.2.840.10008.1.2.1" }
end

--- The one item that replaces all items of a sequence with action D; `first` is the first of those.
---@type table<integer, fun(first?: dicom.Dataset): table>
M.items = {
  [0x00080082] = code,         -- Institution Code Sequence
  [0x00081072] = coded_person, -- Operator Identification Sequence
  [0x00340001] = flow,         -- Flow Identifier Sequence
  [0x00401101] = code,         -- Person Identification Code Sequence
  [0x0040A073] = observer,     -- Verifying Observer Sequence
  [0x0040A730] = content,      -- Content Sequence
  [0x0040B020] = annotation,   -- Waveform Annotation Sequence
  [0x00700001] = graphic,      -- Graphic Annotation Sequence
}

-- One empty page. The cross-reference table needs the offset of each object.
local function pdf()
  local objects = {
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << >> >>",
  }
  local text, entries = "%PDF-1.4\n", { "0000000000 65535 f \n" }
  for i, object in ipairs(objects) do
    entries[#entries + 1] = ("%010d 00000 n \n"):format(#text)
    text = text .. ("%d 0 obj\n%s\nendobj\n"):format(i, object)
  end
  return text .. ("xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n")
    :format(#entries, table.concat(entries), #entries, #text)
end

-- Every part that CDA's schema asks for, masked (HL7 null flavor MSK).
local function cda()
  local masked = ' nullFlavor="MSK"/>'
  local id = "<id" .. masked
  return table.concat {
    '<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3">',
    '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>', id, "<code", masked, "<effectiveTime", masked,
    "<confidentialityCode", masked, "<recordTarget><patientRole>", id, "</patientRole></recordTarget><author><time",
    masked, "<assignedAuthor>", id, "</assignedAuthor></author><custodian><assignedCustodian>",
    "<representedCustodianOrganization>", id, "</representedCustodianOrganization></assignedCustodian></custodian>",
    "<component><nonXMLBody><text", masked, "</nonXMLBody></component></ClinicalDocument>",
  }
end

local documents = {
  ["application/pdf"] = pdf,
  ["text/xml"] = cda,
  ["model/stl"] = function() return ("\0"):rep(84) end, -- binary STL: 80 bytes of header, then no triangles
  ["model/obj"] = function() return "v 0 0 0\n" end,
  ["model/mtl"] = function() return "newmtl anonymized\n" end,
}

--- What replaces an Encapsulated Document: the smallest valid document of its type, else two zero bytes.
---@param mime? string MIME Type of Encapsulated Document (0042,0012)
---@return string
function M.document(mime)
  local make = documents[(mime or ""):lower():match "^%s*([%w/.+-]*)"]
  return make and make() or M.values.OB
end

return M
