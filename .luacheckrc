-- SPDX-License-Identifier: MIT
std = "lua54"
max_line_length = 120
exclude_files = { "build*", "dicom", ".rocks", "csrc/gen", "lua/dicom/gen" }
files["spec"] = { std = "+busted" }
files["examples/rules"] = { read_globals = { "date", "deid", "log", "name", "reject", "rule", "secret", "uid" } }
files[".luacheckrc"] = { ignore = { "111", "112", "131" } }
files["rockspec"] = { ignore = { "111", "131" } }
