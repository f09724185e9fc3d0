-- SPDX-License-Identifier: MIT
-- The one list of what the rock is made of: the Makefile reads it from here, spec/rock_spec.lua holds it against the disk.
rockspec_format = "3.0"
package = "dicom"
version = "scm-1"
source = { url = "git+https://github.com/dicom-lua/dicom.git" }
description = {
  summary = "The DICOM toolkit for Lua: files, network, routing and de-identification",
  detailed = "DICOM data sets as Lua tables, DICOM services as callable objects, rules as short Lua scripts.",
  license = "MIT",
}
dependencies = { "lua >= 5.4", "argparse >= 0.7" }
test_dependencies = { "busted >= 2.1" }
external_dependencies = {
  ZLIB = { header = "zlib.h", library = "z" },
  UV = { header = "uv.h", library = "uv" },
  CRYPTO = { header = "openssl/evp.h", library = "crypto" },
  OPENJPEG = { library = "openjp2" },
}
build = {
  type = "builtin",
  modules = {
    ["dicom.core"] = {
      sources = {
        "csrc/base/arena.c",
        "csrc/base/buf.c",
        "csrc/base/status.c",
        "csrc/bind/bounded.c",
        "csrc/bind/core.c",
        "csrc/bind/dict.c",
        "csrc/bind/kit.c",
        "csrc/bind/loop.c",
        "csrc/bind/pattern.c",
        "csrc/bind/sandbox.c",
        "csrc/bind/version.c",
        "csrc/bind/work.c",
        "csrc/codec/deflate.c",
        "csrc/data/charset.c",
        "csrc/data/check.c",
        "csrc/data/copy.c",
        "csrc/data/dataset.c",
        "csrc/data/decimal.c",
        "csrc/data/dict.c",
        "csrc/data/gb.c",
        "csrc/data/header.c",
        "csrc/data/inflate.c",
        "csrc/data/iso2022.c",
        "csrc/data/object.c",
        "csrc/data/part10.c",
        "csrc/data/reader.c",
        "csrc/data/resolve.c",
        "csrc/data/sequence.c",
        "csrc/data/source.c",
        "csrc/data/syntax.c",
        "csrc/data/utf8.c",
        "csrc/data/value.c",
        "csrc/data/vr.c",
        "csrc/data/walk.c",
        "csrc/gen/characters.c",
        "csrc/gen/elements.c",
        "csrc/gen/private.c",
        "csrc/gen/text.c",
        "csrc/gen/uids.c",
        "csrc/io/loop.c",
        "csrc/io/version.c",
        "csrc/io/work.c",
        "csrc/wire/assoc.c",
        "csrc/wire/contexts.c",
        "csrc/wire/frame.c",
        "csrc/wire/fsm.c",
        "csrc/wire/message.c",
        "csrc/wire/params.c",
        "csrc/wire/pdu.c",
        "csrc/wire/primitive.c",
      },
      libraries = { "z", "uv" },
    },
    ["dicom.codec"] = {
      sources = { "csrc/bind/codec.c", "csrc/codec/j2k.c" }, -- openjpeg.h lies in a versioned folder: j2k.c looks
      libraries = { "openjp2" },
    },
    ["dicom.tls"] = {
      sources = {
        "csrc/base/buf.c",
        "csrc/base/status.c",
        "csrc/bind/kit.c",
        "csrc/bind/tls.c",
        "csrc/crypt/hmac.c",
      },
      libraries = { "crypto" },
    },
    ["dicom"] = "lua/dicom/init.lua",
    ["dicom.deid.pseudonym"] = "lua/dicom/deid/pseudonym.lua",
    ["dicom.cli"] = "lua/dicom/cli/init.lua",
    ["dicom.cli.dump"] = "lua/dicom/cli/dump.lua",
    ["dicom.cli.echo"] = "lua/dicom/cli/echo.lua",
    ["dicom.cli.receive"] = "lua/dicom/cli/receive.lua",
    ["dicom.cli.send"] = "lua/dicom/cli/send.lua",
    ["dicom.error"] = "lua/dicom/error.lua",
    ["dicom.file"] = "lua/dicom/file.lua",
    ["dicom.gen.confidentiality"] = "lua/dicom/gen/confidentiality.lua",
    ["dicom.gen.keywords"] = "lua/dicom/gen/keywords.lua",
    ["dicom.gen.safe_private"] = "lua/dicom/gen/safe_private.lua",
    ["dicom.task"] = "lua/dicom/task.lua",
    ["dicom.versions"] = "lua/dicom/versions.lua",
  },
  install = { bin = { dicom = "lua/dicom/cli/main.lua" } },
}
