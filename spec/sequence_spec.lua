-- SPDX-License-Identifier: MIT
-- Sequences as lists of data sets, and paths through them.
local dicom = require "dicom"

local function raises(what, f)
  local ok, err = pcall(f)
  assert.is_false(ok, "did not raise")
  assert.is_truthy(tostring(err):find(what, 1, true), tostring(err))
  return err
end

local function ids(seq)
  local t = {}
  for i, item in ipairs(seq) do t[i] = item.PatientID end
  return table.concat(t, " ")
end

describe("a sequence", function()
  local ds
  before_each(function()
    ds = dicom.dataset { ReferencedStudySequence = { { PatientID = "1" }, { PatientID = "2" }, { PatientID = "3" } } }
  end)

  it("is a 1-based list of data sets", function()
    local seq = ds.ReferencedStudySequence
    assert.equal(3, #seq)
    assert.equal("2", seq[2].PatientID)
    assert.is_nil(seq[0])
    assert.is_nil(seq[4])
    assert.equal("1 2 3", ids(seq))
    assert.is_true(seq[1] == seq[1])
    assert.is_false(seq[1] == seq[2])
    assert.is_true(seq == ds.ReferencedStudySequence)
    assert.equal("sequence: 3 items", tostring(seq))
    raises("seq[1].PatientID", function() return seq.PatientID end)
  end)

  it("takes tables and data sets; each is copied", function()
    local seq, other = ds.ReferencedStudySequence, dicom.dataset { PatientID = "5" }
    seq[#seq + 1] = { PatientID = "4" }
    seq[#seq + 1] = other
    other.PatientID = "6"
    seq[1] = seq[5]
    assert.equal("5 2 3 4 5", ids(seq))
    seq[1] = seq[1]
    assert.equal("5", seq[1].PatientID)
    for _, bad in ipairs { 1, "x", true } do raises("an item is", function() seq[1] = bad end) end
    raises("from 1 to #sequence + 1", function() seq[7] = {} end)
    raises("from 1 to #sequence + 1", function() seq[0] = {} end)
    assert.equal("5 2 3 4 5", ids(seq))
  end)

  it("nil removes and closes the gap", function()
    local seq = ds.ReferencedStudySequence
    local third = seq[3]
    seq[2] = nil
    assert.equal("1 3", ids(seq))
    assert.equal("3", third.PatientID)
    seq[3] = nil
    assert.equal(2, #seq)
  end)

  it("table.insert and table.remove work on it; insert moves no item", function()
    local seq = ds.ReferencedStudySequence
    table.insert(seq, { PatientID = "4" })
    table.insert(seq, 1, { PatientID = "0" })
    assert.equal("0 1 2 3 4", ids(seq))
    table.remove(seq, 2)
    assert.equal("0 2 3 4", ids(seq))
    local second = seq[2]
    seq:insert(1, { PatientID = "9" })
    assert.equal("9 0 2 3 4", ids(seq))
    assert.equal("2", second.PatientID)
  end)

  it("is assigned as a whole, from a list or from another sequence, and emptied by {}", function()
    ds.ReferencedStudySequence = { ds.ReferencedStudySequence[3], ds.ReferencedStudySequence[1] }
    assert.equal("3 1", ids(ds.ReferencedStudySequence))
    ds.ReferencedPatientSequence = ds.ReferencedStudySequence
    assert.equal("3 1", ids(ds.ReferencedPatientSequence))
    ds.ReferencedStudySequence = ds.ReferencedStudySequence
    assert.equal("3 1", ids(ds.ReferencedStudySequence))
    ds.ReferencedStudySequence = {}
    assert.equal(0, #ds.ReferencedStudySequence)
    assert.is_true(ds:has "ReferencedStudySequence")
    assert.equal("3 1", ids(ds.ReferencedPatientSequence))
  end)

  it("is whole or unchanged when one of the items is wrong", function()
    raises("Modality", function() ds.ReferencedStudySequence = { { PatientID = "8" }, { Modality = 1 } } end)
    raises("Modality", function() ds.ReferencedStudySequence[2] = { PatientID = "8", Modality = 1 } end)
    raises("Modality", function() ds.ReferencedStudySequence[4] = { Modality = 1 } end)
    assert.equal("1 2 3", ids(ds.ReferencedStudySequence))
  end)

  it("is no scalar, and no single data set", function()
    raises("a list of data sets", function() ds.ReferencedStudySequence = 1 end)
    raises("a list of data sets", function() ds.ReferencedStudySequence = { PatientID = "1" } end)
    raises("a list of data sets", function() ds.ReferencedStudySequence = dicom.dataset() end)
  end)

  it("is nested as deeply as the limit, no deeper", function()
    local t = {}
    t.ContentSequence = { t }
    assert.equal("too deep", raises("deeper than the limit", function() dicom.dataset(t) end).code)
    local deep = {}
    for _ = 1, 60 do deep = { ContentSequence = { deep } } end
    assert.is_truthy(dicom.dataset(deep):bytes())
  end)

  it("keeps its object alive", function()
    local item = dicom.dataset { ReferencedStudySequence = { { PatientID = "1" } } }.ReferencedStudySequence[1]
    collectgarbage() collectgarbage()
    assert.equal("1", item.PatientID)
  end)

  it("of a closed data set raises", function()
    local seq, list = ds.ReferencedStudySequence, dicom.dataset { ImageType = { "A" } }.ImageType
    ds:close()
    raises("closed", function() return #seq end)
    raises("closed", function() return ds.PatientID end)
    ds:close()
    assert.equal("data set: closed", tostring(ds))
    assert.equal("A", list[1])
  end)
end)

describe("a path", function()
  local ds
  before_each(function()
    ds = dicom.dataset { ConceptNameCodeSequence = { { CodeValue = "A", CodeMeaning = "first" },
      { CodeValue = "B", CodeMeaning = "second" } } }
  end)

  it("selects by number and by value", function()
    assert.equal("second", ds:get "ConceptNameCodeSequence[2].CodeMeaning")
    assert.equal("second", ds:get "ConceptNameCodeSequence[CodeValue='B'].CodeMeaning")
    assert.equal("first", ds:get [[ConceptNameCodeSequence[CodeValue="A"].CodeMeaning]])
    assert.equal("first", ds["0040,A043[0008,0100='A'].00080104"])
    assert.is_nil((ds:get "ConceptNameCodeSequence[CodeValue='C'].CodeMeaning"))
    assert.is_nil((ds:get "ConceptNameCodeSequence[3].CodeMeaning"))
    assert.is_nil((ds:get "ContentSequence[1].ContentSequence[1].CodeValue"))
  end)

  it("may end at an item or at a sequence", function()
    assert.equal("second", ds:get("ConceptNameCodeSequence[2]").CodeMeaning)
    assert.is_true(ds:has "ConceptNameCodeSequence[2]")
    assert.is_false(ds:has "ConceptNameCodeSequence[3]")
    assert.equal(2, #ds:get "ConceptNameCodeSequence")
    ds:set("ConceptNameCodeSequence[2]", { CodeValue = "C" })
    assert.equal("C", ds.ConceptNameCodeSequence[2].CodeValue)
    ds:remove "ConceptNameCodeSequence[1]"
    assert.equal(1, #ds.ConceptNameCodeSequence)
  end)

  it("gives live views of what it leads to", function()
    ds:set("ConceptNameCodeSequence[1].ImageType", { "A", "B" })
    local v = ds:get "ConceptNameCodeSequence[1].ImageType"
    v[1] = "C"
    assert.equal("C\\B", ds:text "ConceptNameCodeSequence[1].ImageType")
  end)

  it("creates what is missing when it is set", function()
    ds:set("RequestAttributesSequence[1].ScheduledProtocolCodeSequence[CodeValue='X'].CodeMeaning", "made")
    assert.equal("X", ds.RequestAttributesSequence[1].ScheduledProtocolCodeSequence[1].CodeValue)
    assert.equal("made", ds.RequestAttributesSequence[1].ScheduledProtocolCodeSequence[1].CodeMeaning)
    raises("before this one is missing", function() ds:set("RequestAttributesSequence[3].PatientID", "1") end)
    ds:set("ContentSequence[1].CodeValue", nil)
    assert.is_false(ds:has "ContentSequence")
  end)

  it("leaves nothing behind when the value is refused", function()
    raises("Modality", function() ds:set("RequestAttributesSequence[1].ContentSequence[1].Modality", 5) end)
    assert.is_false(ds:has "RequestAttributesSequence")
    raises("Modality", function() ds["ConceptNameCodeSequence[CodeValue='C'].Modality"] = 5 end)
    assert.equal(2, #ds.ConceptNameCodeSequence)
    raises("CodeValue", function()
      ds:set("ContentSequence[CodeValue='more than sixteen characters'].Modality", "CT")
    end)
    assert.is_false(ds:has "ContentSequence")
  end)

  it("is checked", function()
    for path, what in pairs {
      ["ConceptNameCodeSequence[0].CodeValue"] = "count from 1",
        ["ConceptNameCodeSequence[1]CodeValue"] = "'.' is missing",
      ["ConceptNameCodeSequence[1.CodeValue"] = "']' is missing",
        ["ConceptNameCodeSequence.CodeValue"] = "needs an index",
      ["ConceptNameCodeSequence[CodeValue=B]"] = "selector", ["ConceptNameCodeSequence[CodeValue='B]"] = "quote",
      ["[1]"] = "keyword is missing", ["ConceptNameCodeSequence[1]."] = "keyword is missing",
        ["Seq[1].X"] = "unknown keyword",
    } do
      raises(what, function() return ds:get(path) end)
    end
    raises("needs a sequence", function() ds:set("PatientName[1].CodeValue", "x") end)
  end)
end)
