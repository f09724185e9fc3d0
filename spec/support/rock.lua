-- SPDX-License-Identifier: MIT
-- Reads the rockspec; prints make rules for its C modules: lua rock.lua BUILD > rock.mk
local M = {}

--- The rockspec as a table.
function M.read(path)
  local env = {}
  assert(loadfile(path or "rockspec/dicom-scm-1.rockspec", "t", env))()
  return env
end

local function rules(build)
  local targets, out = {}, {}
  for name, m in pairs(M.read().build.modules) do
    if type(m) == "table" then
      local so = build .. "/" .. name:gsub("%.", "/") .. ".so"
      local objects, libs = {}, {}
      for i, source in ipairs(m.sources) do objects[i] = build .. "/obj/" .. source:gsub("%.c$", ".o") end
      for i, lib in ipairs(m.libraries or {}) do libs[i] = "-l" .. lib end
      targets[#targets + 1] = so
      out[#out + 1] = ("%s: %s\n\t@mkdir -p $(@D)\n\t$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ %s\n")
        :format(so, table.concat(objects, " "), table.concat(libs, " "))
    end
  end
  table.sort(targets)
  table.sort(out)
  print("MODULES := " .. table.concat(targets, " "))
  print(table.concat(out, "\n"))
end

if arg and arg[0] and arg[0]:find("rock%.lua$") and arg[1] then rules(arg[1]) end

return M
