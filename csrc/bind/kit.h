/* SPDX-License-Identifier: MIT */
/* What every class of the binding shares: userdata, errors, the collector's view of C memory. */
#ifndef DC_KIT_H
#define DC_KIT_H

#include <lauxlib.h>
#include <lua.h>

#include "../base/span.h"
#include "../base/status.h"

/* Metatable name of error objects: tables { code, text, tag, offset, status, cause, path }, see lua/dicom/error.lua. */
#define DC_ERROR "dicom.error"

typedef struct dc_class {
    const char *name;         /* metatable name: "dicom.dataset" */
    const luaL_Reg *meta;     /* __gc, __close (the same function), __index (a function), __len, ... */
    const luaL_Reg *methods;  /* NULL: none. Given as __index unless meta has one; then as its first upvalue */
} dc_class;

DC_BEGIN
/* Makes the metatable once per state. Leaves nothing on the stack. */
void dc_kit_class(lua_State *L, const dc_class *class);

/* A zeroed userdata of the class, pushed: closed first, then the caller acquires. */
void *dc_kit_new(lua_State *L, const char *class, size_t size);

/* Pushes nil and an error object; returns 2, so `return dc_kit_fail(...)` ends a function. tag 0 and offset UINT64_MAX
   mean "none". `detail` is added to the text when not NULL; never patient data. */
int dc_kit_fail(lua_State *L, dc_status status, uint32_t tag, uint64_t offset, const char *detail);
void dc_kit_push_error(lua_State *L, dc_status status, uint32_t tag, uint64_t offset, const char *detail);

/* Raises the same object. */
int dc_kit_raise(lua_State *L, dc_status status, uint32_t tag, uint64_t offset, const char *detail);

/* Raises an error object with code "usage" for a misuse: the caller's position, then the text. Formats as luaL_error. */
int dc_kit_usage(lua_State *L, const char *format, ...);

/* From errno: code "system", text with strerror and the path. */
int dc_kit_fail_errno(lua_State *L, int err, const char *path);

/* Tells the collector that `bytes` were allocated outside it. */
void dc_kit_account(lua_State *L, size_t bytes);
DC_END

#endif
