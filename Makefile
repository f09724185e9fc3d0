# SPDX-License-Identifier: MIT
# make            builds into build/: the C modules and build/bin/dicom
# make demo       the whole journey on invented patients      make test   the specs
# make deps       installs what both need (Debian, Ubuntu)    make deps-peers, deps-lint   for the rest of spec/, for lint
# make lint asan bench gen    make fuzz TIME=60    make install PREFIX=/usr/local    make clean
LUA ?= lua5.4
BUILD ?= build
PREFIX ?= /usr/local
TIME ?= 60
CC ?= cc
# LuaRocks compiles with -O2 -fPIC: the same here, so that specs and bench see what users install.
CFLAGS ?= -O2
WARN := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla
INC := -I/usr/include/lua5.4
ROCKSPEC := rockspec/dicom-scm-1.rockspec
SUB := $(MAKE) --no-print-directory
# A line for each file that is made; none with make -s.
SAY := @$(if $(findstring s,$(filter-out -%,$(firstword $(MAKEFLAGS)))),:,echo)

all:

# Lists and link rules come from the rockspec; reading it takes Lua, which `make deps` may be about to install.
ifneq ($(shell command -v $(LUA)),)
ifneq ($(MAKECMDGOALS),clean)
include $(BUILD)/rock.mk
endif
endif
$(BUILD)/rock.mk: $(ROCKSPEC) Makefile spec/support/rock.lua
	@mkdir -p $(BUILD)
	@$(LUA) spec/support/rock.lua $(BUILD) > $@.new && mv $@.new $@

all: has-lua $(MODULES) $(BUILD)/bin/dicom

has-lua:
	@command -v $(LUA) >/dev/null || { echo "$(LUA) is not installed; this installs all that is needed: make deps" >&2; exit 1; }

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(SAY) "  CC $<"
	@$(CC) $(CFLAGS) $(WARN) -fPIC $(INC) -MMD -MP -c $< -o $@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# The launcher finds the checkout from its own name, else (a link to it) where it was built.
define LAUNCHER
#!$(shell command -v $(LUA))
local top = arg[0]:match "^(.*/)$(BUILD)/bin/dicom$$" or arg[0] == "$(BUILD)/bin/dicom" and "./" or "$(CURDIR)/"
package.path = top .. "lua/?.lua;" .. top .. "lua/?/init.lua;" .. package.path
package.cpath = top .. "$(BUILD)/?.so;" .. package.cpath
os.exit(require("dicom.cli").main(arg))
endef
export LAUNCHER

# An ASan build needs the library in the process before Lua starts.
define ASAN_LAUNCHER
#!/bin/sh
LD_PRELOAD=$$(gcc -print-file-name=libasan.so) exec $(LUA) "$(CURDIR)/$(BUILD)/bin/dicom.lua" "$$@"
endef
export ASAN_LAUNCHER

ifeq ($(findstring sanitize,$(CFLAGS)),)
$(BUILD)/bin/dicom: Makefile
	@mkdir -p $(@D)
	@printf '%s\n' "$$LAUNCHER" > $@ && chmod +x $@
else
$(BUILD)/bin/dicom: Makefile
	@mkdir -p $(@D)
	@printf '%s\n' "$$LAUNCHER" > $@.lua
	@printf '%s\n' "$$ASAN_LAUNCHER" > $@ && chmod +x $@
endif

# Debian's names. DEPS: to build, to run the demo and the specs. Installing happens only when something is missing.
DEPS := gcc libc6-dev lua5.4 liblua5.4-dev libuv1-dev zlib1g-dev libssl-dev openssl libopenjp2-7-dev lua-argparse lua-busted \
  lua-filesystem lua-system dcmtk
DEPS_PEERS := curl orthanc python3-pydicom dicom3tools libgdcm-tools strace time luarocks locales procps
DEPS_BENCH := g++ libdcmtk-dev
DEPS_LINT := lua-check cppcheck
DEPS_FUZZ := clang libclang-rt-14-dev
INSTALL_PACKAGES = @spec/support/packages.sh

deps:
	$(INSTALL_PACKAGES) $(DEPS)
deps-peers:
	$(INSTALL_PACKAGES) $(DEPS_PEERS)
deps-lint:
	$(INSTALL_PACKAGES) $(DEPS_LINT)
deps-fuzz:
	$(INSTALL_PACKAGES) $(DEPS_FUZZ)

demo: deps
	@$(SUB) all
	@$(LUA) examples/demo.lua

test: deps
	@$(SUB) all
	@DICOM_BUILD=$(BUILD) busted

# The specs again, with every C file under AddressSanitizer and UndefinedBehaviorSanitizer. Lua itself keeps what it has
# until it ends, so leaks are the allocation counters' job (spec/memory_spec.lua), not the leak checker's.
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
asan: deps
	@$(SUB) all BUILD=build-asan CFLAGS="-O1 -g $(ASAN)"
	@LD_PRELOAD=$$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	  DICOM_BUILD=build-asan $(LUA) "$$(command -v busted)" --ignore-lua

lint: deps-lint
	luacheck --quiet .
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
	  --suppress=missingIncludeSystem --suppress=preprocessorErrorDirective -D_GNU_SOURCE -D__GNUC__ -i csrc/gen csrc
	@! grep -rnE '\b(TODO|FIXME)\b' csrc lua examples spec --include='*.[ch]' --include='*.lua'

deps-bench:
	$(INSTALL_PACKAGES) $(DEPS_BENCH)

# ROUNDS=5: how often each pair is run
bench: deps deps-bench
	@$(SUB) all
	@LUA_PATH='lua/?.lua;lua/?/init.lua;./?.lua;;' LUA_CPATH='$(BUILD)/?.so;;' $(LUA) spec/bench/run.lua

# One program per file of spec/fuzz, TIME seconds each. What it finds it leaves in build/fuzz; mended, the input goes to
# spec/regress. Seeds: the test files, cut to what a mutation can still cover.
FUZZERS := $(patsubst spec/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard spec/fuzz/*.c))
$(BUILD)/fuzz/%: spec/fuzz/%.c $(C_SOURCES) $(wildcard csrc/*/*.h)
	@mkdir -p $(@D)/$*.corpus
	$(SAY) "  FUZZ $@"
	@clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $@ $< \
	  $(sort $(filter-out csrc/bind/% csrc/io/% csrc/crypt/% csrc/codec/j2k.c,$(C_SOURCES))) -lz
fuzz-seeds: all $(FUZZERS)
	@find ../shared/data -name '*.dcm' -size -8k 2>/dev/null | head -100 | while read -r f; do \
	  for c in frames reader; do \
	    { printf '\0'; cat "$$f"; } > $(BUILD)/fuzz/$$c.corpus/$$(echo "$$f" | cksum | cut -d' ' -f1); done; done
	@find ../shared/data -name '*.dcm' -size -5k 2>/dev/null | head -60 | while read -r f; do \
	  $(BUILD)/bin/dicom json "$$f" > $(BUILD)/fuzz/json.corpus/$$(echo "$$f" | cksum | cut -d' ' -f1) 2>/dev/null; done
fuzz: deps-fuzz fuzz-seeds
	@for f in $(FUZZERS); do echo "$$f: $(TIME) s"; \
	  $$f -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=1024 -max_len=16384 -print_funcs=0 -reduce_inputs=1 \
	    -artifact_prefix=$$f- $$f.corpus >$$f.log 2>&1 || { tail -40 $$f.log; exit 1; }; tail -1 $$f.log; done

gen:
	$(LUA) csrc/gen/make.lua

install: all
	@for f in $(LUA_SOURCES); do install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/lua/5.4/$${f#lua/}; done
	@for f in $(MODULES); do install -D -m 755 $$f $(DESTDIR)$(PREFIX)/lib/lua/5.4/$${f#$(BUILD)/}; done
	@sed -e 's|^local top.*|local top = "$(PREFIX)/"|' -e 's|lua/?|share/lua/5.4/?|g' -e 's|$(BUILD)/?.so|lib/lua/5.4/?.so|' \
	  $(BUILD)/bin/dicom > $(BUILD)/bin/dicom.installed
	@install -D -m 755 $(BUILD)/bin/dicom.installed $(DESTDIR)$(PREFIX)/bin/dicom

clean:
	rm -rf build build-* dicom $(BUILD)

.PHONY: all has-lua deps deps-peers deps-lint deps-fuzz deps-bench demo test asan lint bench fuzz fuzz-seeds gen install clean
.DELETE_ON_ERROR:
