-- SPDX-License-Identifier: MIT
--- Pixels that may show who it is: reasons to refuse them, and how to blank them.
local core = require "dicom.core"

local M = {}

local BURNED_IN, IMAGE_TYPE, MODALITY, SOP_CLASS = 0x00280301, 0x00080008, 0x00080060, 0x00080016
local LABEL_IN_IMAGE = 0x00480010

--- Blank pixels of an instance may take this many bytes; pages of zeros cost nothing until they are written out.
M.most = 1 << 30

--- Pixel Data, Float Pixel Data, Double Float Pixel Data.
M.tags = { [0x7FE00010] = true, [0x7FE00008] = true, [0x7FE00009] = true }

-- Families of SOP classes below 1.2.840.10008.5.1.4.1.1 whose images often have writing in them.
local families = {
  ["7"] = "a secondary capture", ["3"] = "an ultrasound image", ["6"] = "an ultrasound image",
  ["77"] = "a visible light image",
}

local function text(ds, tag)
  return (ds:text(tag) or ""):upper()
end

--- Is there anything to look at?
---@param ds dicom.Dataset
---@return boolean
function M.has_pixels(ds)
  for tag in pairs(M.tags) do
    if ds:has(tag) then return true end
  end
  return false
end

-- An overlay without Overlay Data lies in bits of the pixels that the samples do not use (retired, PS3.5 8.1.2):
-- removing its group leaves it there.
local function has_overlay_in_pixels(ds)
  local all, plane = core.survey(ds), {}
  for i = #all - 2, 1, -3 do
    local tag = all[i]
    if tag < 0x60000000 then break end
    if tag < 0x61000000 and tag & 0xFFFF == 0x3000 then plane[tag >> 16] = true end
    if tag < 0x61000000 and tag & 0xFFFF == 0x0102 and not plane[tag >> 16] then return true end
  end
  return false
end

local function kind_of_image(ds)
  local type_of_image, modality = text(ds, IMAGE_TYPE), text(ds, MODALITY)
  if type_of_image:find("SCREEN", 1, true) then return "a screen save" end
  if type_of_image:find("DERIVED\\SECONDARY", 1, true) and (modality == "OT" or modality == "SC") then
    return "a derived secondary image of modality " .. modality
  end
  return families[(ds:text(SOP_CLASS) or ""):match "^1%.2%.840%.10008%.5%.1%.4%.1%.1%.(%d+)"]
end

--- Why the pixels may not leave as they are; nil when nothing speaks against it.
---@param ds dicom.Dataset
---@return string?
function M.reason(ds)
  local burned_in = text(ds, BURNED_IN)
  if burned_in == "YES" then return "Burned In Annotation is YES" end
  if text(ds, LABEL_IN_IMAGE) == "YES" then return "Specimen Label in Image is YES" end
  if has_overlay_in_pixels(ds) then return "an overlay lies in unused bits of the pixels" end
  local kind = burned_in ~= "NO" and kind_of_image(ds)
  return kind and kind .. " without Burned In Annotation NO" or nil
end

-- A factor of the size of the pixels, or the default where it is absent.
local function factor(ds, keyword, default)
  local n = ds:get(keyword) or default
  return math.type(n) == "integer" and n > 0 and n or nil
end

-- Bytes of all frames, uncompressed. Nil when an attribute is missing or the product cannot be counted.
local function native_size(ds)
  local bits = 1.0
  for keyword, default in pairs { Rows = 0, Columns = 0, SamplesPerPixel = 1, NumberOfFrames = 1, BitsAllocated = 0 } do
    local n = factor(ds, keyword, default)
    if not n then return nil end
    bits = bits * n
  end
  return bits <= 2^52 and math.ceil(bits / 8) or math.huge
end

-- What described the old pixels or their fragments.
local gone = { "SmallestImagePixelValue", "LargestImagePixelValue", "ExtendedOffsetTable",
               "ExtendedOffsetTableLengths", "EncapsulatedPixelDataValueTotalLength" }

-- Compressed frames become native ones: color is then RGB, sample by sample (PS3.3 C.7.6.3.1.2).
local function describe_native(ds)
  if ds:get "SamplesPerPixel" == 3 then
    ds:set("PhotometricInterpretation", "RGB")
    ds:set("PlanarConfiguration", 0)
  end
end

local function blank(ds, tag, vr, length)
  local is_encapsulated = length < 0
  if is_encapsulated then length = native_size(ds) end
  if not length then return "pixels to be blanked whose size cannot be told" end
  if length > M.most then return "pixels to be blanked of more than " .. M.most .. " bytes" end
  if length == 0 then return nil end
  if is_encapsulated then
    describe_native(ds)
    vr = ds:get "BitsAllocated" > 8 and "OW" or "OB"
  end
  core.blank(ds, tag, vr, math.tointeger(length + length % 2))
end

--- Replaces all pixels by zeros, compressed ones by native ones, and says that nothing is burned in.
---@param ds dicom.Dataset
---@return string? reason why that cannot be done
function M.blank(ds)
  local all = core.survey(ds)
  for i = 1, #all, 3 do
    if M.tags[all[i]] then
      local reason = blank(ds, all[i], all[i + 1], all[i + 2])
      if reason then return reason end
    end
  end
  for _, keyword in ipairs(gone) do ds:remove(keyword) end
  ds:set("BurnedInAnnotation", "NO")
end

return M
