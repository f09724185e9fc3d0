#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- The program that LuaRocks installs as `dicom`. In a tree that is not on Lua's path the modules lie beside it.
local tree = arg[0]:match "^(.*)/lib/luarocks/"
if tree then
  package.path = ("%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua;%s"):format(tree, tree, package.path)
  package.cpath = ("%s/lib/lua/5.4/?.so;%s"):format(tree, package.cpath)
end
os.exit(require "dicom.cli".main(arg))
