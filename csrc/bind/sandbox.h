/* SPDX-License-Identifier: MIT */
/* What the parts of the sandbox share: the budget that C code inside it charges, and the functions that stand in for
   Lua's own where those could run for long without the count hook seeing it. */
#ifndef DC_SANDBOX_H
#define DC_SANDBOX_H

#include "../base/buf.h"
#include "kit.h"

typedef struct dc_box dc_box;

enum {
    DC_CROSSING_DEPTH = 16,    /* nested tables that may cross the wall */
    DC_CROSSING_NODES = 10000, /* keys and values that may cross in one call */
    DC_SOURCE_SIZE = 1 << 20   /* bytes of one chunk: the parser runs without hooks */
};

DC_BEGIN
dc_box *dc_box_of(lua_State *L); /* L is a state or coroutine of a sandbox */

/* Takes n instructions from the budget; raises once it is spent. C loops whose length a rule chooses call it. */
void dc_box_charge(lua_State *L, uint64_t n);
void dc_box_may_change(lua_State *L); /* raises when the call may only look at its data sets */
void dc_box_weigh(lua_State *L);      /* raises when the data sets of the call have grown beyond its memory */
bool dc_box_is_spent(const dc_box *box);
size_t dc_box_memory(const dc_box *box);
dc_buf *dc_box_printed(dc_box *box); /* lines, each with a zero behind it */

/* Copies the value at an absolute index of `from`, on which 3 slots a level are free. Takes what it copies from *nodes.
   NULL, or what cannot cross. Raises only in `to`. */
const char *dc_box_copy(lua_State *from, int at, lua_State *to, int *nodes);

void dc_box_position(lua_State *L, char *to, size_t size); /* file:line of the innermost Lua function, or nothing */

/* lua_call and lua_resume: only sandbox.c calls Lua. */
void dc_box_call(lua_State *L, int arguments, int results);
int dc_box_resume(lua_State *L, lua_State *co, int arguments, int *results);

void dc_box_errors(lua_State *L);   /* how errors of the C core are told inside */
void dc_box_datasets(lua_State *L); /* every data set belongs to the call: no copies; assignments are weighed */

/* Each fills or mends the library table on the top of the stack. */
void dc_box_base(lua_State *L);       /* the global table */
void dc_box_patterns(lua_State *L);   /* string: find match gmatch gsub */
void dc_box_strings(lua_State *L);    /* string, utf8: charged by the length of their first argument */
void dc_box_numbers(lua_State *L);    /* the global table: tonumber, as well */
void dc_box_lists(lua_State *L);      /* the metatable of lists of values: what looks at all of them */
void dc_box_tables(lua_State *L);     /* table */
void dc_box_coroutines(lua_State *L); /* coroutine */
DC_END

#endif
