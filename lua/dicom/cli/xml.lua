-- SPDX-License-Identifier: MIT
--- dicom xml: files as the Native DICOM Model.
local M = { summary = "print DICOM files as XML" }

function M.parser(p)
  p:flag("-p --pretty", "indent it for people")
  p:flag("-m --meta", "with the file meta, which the standard leaves out")
  p:option("-b --bulk", "where pixels and other bytes go: inline (as Base64), uri, or none of them")
    :choices { "inline", "uri", "none" }:default "inline"
  p:argument("file", "DICOM files"):args "+"
end

function M.run(args)
  return require "dicom.cli.json".print("xml", args)
end

return M
