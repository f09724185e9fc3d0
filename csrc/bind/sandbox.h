/* SPDX-License-Identifier: MIT */
/* What the parts of the sandbox share: the budget that C code inside it charges, and the functions that stand in for
   Lua's own where those could run for long without the count hook seeing it. */
#ifndef DC_SANDBOX_H
#define DC_SANDBOX_H

#include "kit.h"

typedef struct dc_box dc_box;

DC_BEGIN
dc_box *dc_box_of(lua_State *L); /* L is a state or coroutine of a sandbox */

/* Takes n instructions from the budget; raises once it is spent. C loops whose length a rule chooses call it. */
void dc_box_charge(lua_State *L, uint64_t n);
bool dc_box_is_spent(const dc_box *box);
void dc_box_set_running(dc_box *box, lua_State *L); /* in which coroutine code runs from now on */
lua_State *dc_box_running(const dc_box *box);

/* Each fills or mends the library table on the top of the stack. */
void dc_box_patterns(lua_State *L);   /* string: find match gmatch gsub */
void dc_box_strings(lua_State *L);    /* string, utf8: charged by the length of their first argument */
void dc_box_tables(lua_State *L);     /* table */
void dc_box_coroutines(lua_State *L); /* coroutine */
DC_END

#endif
