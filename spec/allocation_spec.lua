-- SPDX-License-Identifier: MIT
-- Out of memory at any allocation of reading, changing, copying and writing is an error, never a crash or a leak:
-- spec/support/allocations.c refuses the first, the second, ... under ASan.
local made = require "spec.support.made"
local sh = require "spec.support.sh"

it("each allocation may fail", function()
  local folder = sh.folder()
  local e = made.encoder "explicit"
  local files = {
    sh.write(folder .. "/explicit", made.file(made.EXPLICIT, made.sample "explicit")),
    sh.write(folder .. "/implicit", made.file(made.IMPLICIT, made.sample "implicit")),
    sh.write(folder .. "/big", made.file(made.BIG, made.sample "big")),
    sh.write(folder .. "/deflated", made.file(made.DEFLATED, made.deflate(made.sample "explicit"))),
    sh.write(folder .. "/jpeg", made.file(made.JPEG, e(0x00080060, "CS", "OT") .. made.fragments("", "abcd", "e"))),
    sh.write(folder .. "/odd", made.file(made.EXPLICIT, e(0x00080060, "CS", "O") .. e(0x00100020, "LO", "I") ..
      e(0x00100010, "PN", "N") .. e(0x7FE00010, "OW", ("x"):rep(100000)))),
  }
  local program = folder .. "/allocations"
  local built = sh.run("cc -std=c11 -D_GNU_SOURCE -g -fsanitize=address,undefined -fno-sanitize-recover=undefined " ..
    "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc -o " .. sh.quote(program) .. " spec/support/allocations.c " ..
    "csrc/base/*.c csrc/data/*.c csrc/gen/*.c csrc/codec/deflate.c -lz", { timeout = 120 })
  assert.equal(0, built.code, built.err)
  local run = sh.run({ program, table.unpack(files) }, { timeout = 60 })
  assert.equal(0, run.code, run.err)
  local counts = 0
  for n in run.out:gmatch "[^\n]+" do
    assert.is_true(tonumber(n) > 20, run.out)
    counts = counts + 1
  end
  assert.equal(#files, counts)
end)
