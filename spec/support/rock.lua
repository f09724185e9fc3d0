-- SPDX-License-Identifier: MIT
-- The rockspec, read: the Makefile's and the specs' view of what the rock is made of.
-- As a program it prints what the Makefile includes: lua rock.lua BUILD > BUILD/rock.mk
local M = {}

---@param path? string
---@return table # the rockspec
function M.read(path)
  local env = {}
  assert(loadfile(path or "rockspec/dicom-scm-1.rockspec", "t", env))()
  return env
end

local LINK = [[
%s: %s $(BUILD)/rock.mk
	@mkdir -p $(@D)
	$(SAY) '  LD $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $(filter %%.o,$^) %s
]]

-- The rule that links one C module.
local function link_rule(build, name, module)
  local so = build .. "/" .. name:gsub("%.", "/") .. ".so"
  local objects, libraries = {}, {}
  for i, source in ipairs(module.sources) do objects[i] = build .. "/obj/" .. source:gsub("%.c$", ".o") end
  for i, library in ipairs(module.libraries or {}) do libraries[i] = "-l" .. library end
  return so, LINK:format(so, table.concat(objects, " "), table.concat(libraries, " "))
end

---@param build string folder
---@return string # make rules for the C modules, and the lists MODULES, C_SOURCES, LUA_SOURCES
function M.make(build)
  local targets, rules, c, lua = {}, {}, {}, {}
  for name, module in pairs(M.read().build.modules) do
    if type(module) == "table" then
      targets[#targets + 1], rules[#rules + 1] = link_rule(build, name, module)
      table.move(module.sources, 1, #module.sources, #c + 1, c)
    else
      lua[#lua + 1] = module
    end
  end
  local lists = {}
  for name, list in pairs { MODULES = targets, C_SOURCES = c, LUA_SOURCES = lua } do
    table.sort(list)
    lists[#lists + 1] = name .. " := " .. table.concat(list, " ")
  end
  table.sort(lists)
  table.sort(rules)
  return table.concat(lists, "\n") .. "\n" .. table.concat(rules, "\n")
end

if arg and arg[0] and arg[0]:find "rock%.lua$" and arg[1] then io.write(M.make(arg[1])) end

return M
