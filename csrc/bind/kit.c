/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "core.h"

void dc_kit_class(lua_State *L, const dc_class *class)
{
    if (luaL_newmetatable(L, class->name)) {
        bool has_index = false;
        for (const luaL_Reg *m = class->meta; m && m->name; m++)
            has_index = has_index || strcmp(m->name, "__index") == 0;
        lua_newtable(L);
        if (class->methods)
            luaL_setfuncs(L, class->methods, 0);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "methods");
        if (!has_index) {
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, "__index");
        }
        luaL_setfuncs(L, class->meta, 1); /* the method table is every metamethod's first upvalue */
        lua_pushstring(L, class->name);
        lua_setfield(L, -2, "__name");
    }
    lua_pop(L, 1);
}

void *dc_kit_new(lua_State *L, const char *class, size_t size)
{
    void *p = lua_newuserdatauv(L, size, 1);
    memset(p, 0, size);
    luaL_setmetatable(L, class);
    return p;
}

/* "script.lua:7", the line of the caller's own code from which this was called, or nothing: the modules of this package,
   whose folder lua/dicom/error.lua tells, are not where the mistake is. */
static void push_where(lua_State *L)
{
    lua_Debug at;
    luaL_getmetatable(L, DC_ERROR);
    lua_getfield(L, -1, "folder");
    const char *folder = lua_tostring(L, -1);
    size_t n = folder ? strlen(folder) : 0;
    lua_pushliteral(L, "");
    for (int level = 1; level < 32 && lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline > 0 && !(n && !strncmp(at.source, folder, n))) {
            lua_pop(L, 1);
            lua_pushfstring(L, "%s:%d", at.short_src, at.currentline);
            break;
        }
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

void dc_kit_push_error(lua_State *L, dc_status status, uint32_t tag, uint64_t offset, const char *detail)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, dc_status_name(status));
    lua_setfield(L, -2, "code");
    if (detail)
        lua_pushfstring(L, "%s: %s", dc_status_text(status), detail);
    else
        lua_pushstring(L, dc_status_text(status));
    lua_setfield(L, -2, "text");
    if (tag) {
        lua_pushinteger(L, tag);
        lua_setfield(L, -2, "tag");
    }
    if (offset != UINT64_MAX) {
        lua_pushinteger(L, (lua_Integer)offset);
        lua_setfield(L, -2, "offset");
    }
    luaL_setmetatable(L, DC_ERROR);
}

int dc_kit_fail(lua_State *L, dc_status status, uint32_t tag, uint64_t offset, const char *detail)
{
    lua_pushnil(L);
    dc_kit_push_error(L, status, tag, offset, detail);
    return 2;
}

int dc_kit_raise(lua_State *L, dc_status status, uint32_t tag, uint64_t offset, const char *detail)
{
    dc_kit_push_error(L, status, tag, offset, detail);
    push_where(L);
    if (lua_rawlen(L, -1))
        lua_setfield(L, -2, "where");
    else
        lua_pop(L, 1);
    return lua_error(L);
}

int dc_kit_usage(lua_State *L, const char *format, ...)
{
    va_list args;
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "usage");
    lua_setfield(L, -2, "code");
    push_where(L);
    if (lua_rawlen(L, -1))
        lua_pushliteral(L, ": ");
    else
        lua_pushliteral(L, "");
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_concat(L, 3);
    lua_setfield(L, -2, "text");
    luaL_setmetatable(L, DC_ERROR);
    return lua_error(L);
}

int dc_kit_fail_errno(lua_State *L, int err, const char *path)
{
    lua_pushnil(L);
    lua_createtable(L, 0, 4);
    lua_pushliteral(L, "system");
    lua_setfield(L, -2, "code");
    if (path)
        lua_pushfstring(L, "%s: %s", path, strerror(err));
    else
        lua_pushstring(L, strerror(err));
    lua_setfield(L, -2, "text");
    lua_pushinteger(L, err);
    lua_setfield(L, -2, "errno");
    luaL_setmetatable(L, DC_ERROR);
    return 2;
}

void dc_kit_account(lua_State *L, size_t bytes)
{
    if (bytes >= 1024) /* a step of the collector costs more than small change is worth */
        lua_gc(L, LUA_GCSTEP, (int)(bytes >> 10 > 1 << 20 ? 1 << 20 : bytes >> 10));
}

/* error_metatable(): lua/dicom/error.lua fills it. */
static int error_metatable(lua_State *L)
{
    luaL_newmetatable(L, DC_ERROR);
    return 1;
}

void dc_open_kit(lua_State *L)
{
    lua_pushcfunction(L, error_metatable);
    lua_setfield(L, -2, "error_metatable");
}
