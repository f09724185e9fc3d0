-- SPDX-License-Identifier: MIT
-- Person names, PS3.5 6.2.1.
local name = require "dicom.name"

describe("a person name", function()
  it("has five components", function()
    local n = name "Adams^John Robert Quincy^^Rev.^B.A. M.Div."
    assert.same({ "Adams", "John Robert Quincy", "", "Rev.", "B.A. M.Div." },
      { n.family, n.given, n.middle, n.prefix, n.suffix })
  end)

  it("has an ideographic and a phonetic group", function()
    local n = name "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert.same({ "Yamada", "山田", "やまだ" }, { n.family, n.ideographic.family, n.phonetic.family })
    assert.same({ "Tarou", "太郎", "たろう" }, { n.given, n.ideographic.given, n.phonetic.given })
  end)

  it("gives empty strings for what is absent", function()
    local n = name ""
    assert.same({ "", "", "" }, { n.family, n.suffix, n.phonetic.given })
    assert.equal("山田", name("=山田").ideographic.family)
  end)

  it("is put together again without needless delimiters", function()
    for _, s in ipairs { "", "Doe", "Doe^Jane", "^Jane", "Doe^^^^Jr", "Wang^XiaoDong=王^小東", "==やまだ", "a=b=c" } do
      assert.equal(s, tostring(name(s)))
    end
    assert.equal("Wang^XiaoDong=王^小东", tostring(name "Wang^XiaoDong^^^=王^小东="))
    assert.equal("Doe^Jane", tostring(name " Doe ^ Jane "))
  end)

  it("changes, and is made of a table", function()
    local n = name "Doe^Jane"
    n.prefix, n.ideographic.family = "Dr", "山"
    assert.equal("Doe^Jane^^Dr=山", tostring(n))
    assert.equal("X^^^^Y==z", tostring(name { family = "X", suffix = "Y", phonetic = { family = "z" } }))
    assert.is_true(name "Doe^Jane" == name "Doe^Jane^^^")
    assert.is_false(name "Doe^Jane" == name "Doe^John")
  end)

  it("ignores what is beyond five components and three groups", function()
    assert.equal("a^b^c^d^e", tostring(name "a^b^c^d^e^f"))
    assert.equal("a=b=c", tostring(name "a=b=c=d"))
  end)

  it("raises for what is no text", function()
    assert.has_error(function() name(5) end, "a person name is a string or a table of components")
  end)
end)
