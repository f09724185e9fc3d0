# SPDX-License-Identifier: MIT
LUA ?= lua5.4
BUILD ?= build
ROCKSPEC := rockspec/dicom-scm-1.rockspec
CC ?= cc
CFLAGS ?= -O2
WARN := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla
INC := -I/usr/include/lua5.4

# "module: source source ... -- library library", one line a C module of the rockspec
.DEFAULT_GOAL := all
-include $(BUILD)/rock.mk
$(BUILD)/rock.mk: $(ROCKSPEC) Makefile spec/support/rock.lua
	@mkdir -p $(BUILD)
	@$(LUA) spec/support/rock.lua $(BUILD) > $@

all: $(MODULES)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -fPIC $(INC) -MMD -MP -c $< -o $@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

gen:
	$(LUA) csrc/gen/make.lua

clean:
	rm -rf $(BUILD)
.PHONY: all gen clean
