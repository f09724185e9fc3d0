-- SPDX-License-Identifier: MIT
-- A key is read from a file that only its owner can read, or from the environment; what is missing, open to others or
-- short is refused with a line that says so and never shows the key.
local secret = require "dicom.secret"

local folder

local function shell(command)
  assert(os.execute(command))
end

local function put(name, text, mode)
  local f = assert(io.open(folder .. "/secrets/" .. name, "wb"))
  f:write(text)
  f:close()
  shell(("chmod %s %s/secrets/%s"):format(mode or "600", folder, name))
end

local KEY = "0123456789abcdef"

describe("secret", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    shell("mkdir -p " .. folder .. "/secrets")
  end)
  after_each(function() shell("rm -rf " .. folder) end)

  it("is the file's bytes without the newline at its end", function()
    put("research", KEY .. "\n")
    assert.equal(KEY, secret.read("research", folder))
    put("research", KEY .. "\r\n", "400")
    assert.equal(KEY, secret.read("research", folder))
    put("binary", ("\0\1\2\3"):rep(8))
    assert.equal(("\0\1\2\3"):rep(8), secret.read("binary", folder))
  end)

  local function refused(name, pattern)
    local bytes, err = secret.read(name, folder)
    assert.is_nil(bytes)
    assert.equal("config", err.code)
    assert.matches(pattern, err.text)
    assert.is_nil(err.text:find("0123", 1, true))
    assert.is_nil(err.text:find "\n")
  end

  it("is refused when others may read it", function()
    for _, mode in ipairs { "640", "604", "660", "601" } do
      put("research", KEY, mode)
      refused("research", "chmod 600")
    end
  end)

  it("is refused when it is short, long, missing or no file", function()
    put("short", "0123456789abcde\n")
    refused("short", "holds 15 bytes, at least 16")
    put("long", ("x"):rep(5000))
    refused("long", "longer")
    refused("missing", "neither .*/secrets/missing nor DICOM_SECRET_MISSING exists")
    shell("mkdir -m 700 " .. folder .. "/secrets/folder")
    refused("folder", "no file")
  end)

  it("is refused when it belongs to another user", function()
    if io.popen("id -u"):read "l" ~= "0" then pending "only root can give a file away" return end
    put("research", KEY)
    shell("chown 12345 " .. folder .. "/secrets/research")
    refused("research", "another user")
  end)

  it("has a name without paths", function()
    for _, name in ipairs { "../x", "a/b", "", "a b", "a\0b", ("x"):rep(65) } do refused(name, "letters, digits") end
  end)

  it("comes from the environment where there is no file", function()
    local script = [[
      local secret = require "dicom.secret"
      local text, err = secret.read("my-key", "]] .. folder .. [[")
      print(text or err.text)]]
    local path = folder .. "/x.lua"
    local f = assert(io.open(path, "w"))
    f:write(script)
    f:close()
    local command = ("LUA_PATH='%s' LUA_CPATH='%s' DICOM_SECRET_MY_KEY=%s lua5.4 %s")
    local function ask(value)
      local pipe = assert(io.popen(command:format(package.path, package.cpath, value, path)))
      local answer = pipe:read "a"
      pipe:close()
      return answer
    end
    assert.equal(KEY .. "\n", ask(KEY))
    assert.matches("DICOM_SECRET_MY_KEY holds 5 bytes", ask "01234")
    put("my-key", "from the file 0123456")
    assert.equal("from the file 0123456\n", ask(KEY))
  end)
end)
