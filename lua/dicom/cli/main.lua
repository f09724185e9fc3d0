#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- The program that LuaRocks installs as `dicom`.
os.exit(require "dicom.cli".main(arg))
