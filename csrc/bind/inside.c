/* SPDX-License-Identifier: MIT */
/* What in the sandbox's base library is not what it is elsewhere, and the copies of values that cross its wall. */
#include <stdio.h>
#include <string.h>

#include "sandbox.h"
#include "values.h"

/* ---- base library ---- */

static int box_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "a rule may not have finalizers (__gc)");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int box_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!lua_istable(L, 1) || !lua_getmetatable(L, 1))
        lua_pushnil(L);
    else if (luaL_getmetafield(L, 1, "__metatable") == LUA_TNIL)
        return 1;
    return 1;
}

/* load(text [, name [, mode [, env]]]): text only, whole, of bounded size. */
static int box_load(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    const char *name = luaL_optstring(L, 2, "=(load)");
    const char *mode = luaL_optstring(L, 3, "t");
    if (!strchr(mode, 't'))
        return luaL_argerror(L, 3, "a rule loads text only");
    luaL_argcheck(L, n <= DC_SOURCE_SIZE, 1, "source is too long");
    dc_box_charge(L, n + (n >> 10) * (n >> 10)); /* labels make the parser quadratic */
    if (luaL_loadbufferx(L, text, n, name, "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (lua_gettop(L) >= 5) { /* env was given, maybe nil; the function is above it */
        lua_pushvalue(L, 4);
        lua_setupvalue(L, -2, 1);
    }
    return 1;
}

static int box_collectgarbage(lua_State *L)
{
    const char *option = luaL_optstring(L, 1, "collect");
    if (strcmp(option, "count") == 0)
        lua_pushnumber(L, (lua_Number)dc_box_memory(dc_box_of(L)) / 1024);
    else
        lua_pushinteger(L, 0); /* a collection on demand would be work that no budget sees */
    return 1;
}

enum { PRINTED_SIZE = 16 << 10 }; /* bytes that print may leave in one call */

/* What rules print is kept, a line each, until the caller fetches it. */
static int box_print(lua_State *L)
{
    dc_buf *printed = dc_box_printed(dc_box_of(L));
    int n = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&line, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    if (len < PRINTED_SIZE && printed->len < PRINTED_SIZE - len && dc_buf_reserve(printed, len + 1) == DC_OK) {
        dc_buf_add(printed, text, len);
        dc_buf_u8(printed, '\0');
    }
    return 0;
}

void dc_box_position(lua_State *L, char *to, size_t size)
{
    lua_Debug ar;
    to[0] = '\0';
    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0) {
            snprintf(to, size, "%s:%d", ar.short_src, ar.currentline);
            return;
        }
    }
}

/* Errors of the C core inside: text and place as lua/dicom/error.lua gives them outside. */
static int error_text(lua_State *L)
{
    lua_settop(L, 1);
    lua_getfield(L, 1, "text");
    const char *text = lua_tostring(L, -1);
    lua_getfield(L, 1, "tag");
    lua_Integer tag = lua_tointeger(L, -1);
    char place[32];
    snprintf(place, sizeof place, " at (%04X,%04X)", (unsigned)(tag >> 16 & 0xFFFF), (unsigned)(tag & 0xFFFF));
    lua_getfield(L, 1, "where");
    const char *where = lua_tostring(L, -1);
    lua_pushfstring(L, "%s%s%s%s", where ? where : "", where ? ": " : "", text ? text : "error", tag ? place : "");
    return 1;
}

void dc_box_errors(lua_State *L)
{
    luaL_newmetatable(L, DC_ERROR);
    lua_pushcfunction(L, error_text);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}

void dc_box_base(lua_State *L)
{
    static const luaL_Reg own[] = { { "setmetatable", box_setmetatable }, { "getmetatable", box_getmetatable },
                                    { "load", box_load }, { "collectgarbage", box_collectgarbage },
                                    { "print", box_print }, { NULL, NULL } };
    static const char *const forbidden[] = { "dofile", "loadfile", "require", "warn", NULL };
    luaL_setfuncs(L, own, 0);
    dc_box_numbers(L);
    for (const char *const *name = forbidden; *name; name++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *name);
    }
}

/* ---- data sets ---- */

/* Upvalue 1: what assigns to a data set. A few large values are more than the hook would see in time. */
static int assigned(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    dc_box_may_change(L);
    dc_box_call(L, lua_gettop(L) - 1, 0);
    dc_box_weigh(L);
    return 0;
}

static void weigh(lua_State *S, const char *name)
{
    lua_getfield(S, -1, name);
    lua_pushcclosure(S, assigned, 1);
    lua_setfield(S, -2, name);
}

void dc_box_datasets(lua_State *S)
{
    static const char *const classes[] = { DC_DATASET, DC_LIST, DC_SEQUENCE };
    static const char *const setters[][2] = { { "set", "remove" }, { NULL, NULL }, { "insert", NULL } };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        luaL_getmetatable(S, classes[i]);
        weigh(S, "__newindex");
        lua_getfield(S, -1, "methods");
        for (size_t k = 0; k < 2 && setters[i][k]; k++)
            weigh(S, setters[i][k]);
        lua_pop(S, 2);
    }
    luaL_getmetatable(S, DC_DATASET);
    lua_getfield(S, -1, "methods");
    lua_pushnil(S);
    lua_setfield(S, -2, "copy");
    lua_pop(S, 2);
    luaL_getmetatable(S, DC_LIST);
    dc_box_lists(S);
    lua_pop(S, 1);
}

/* ---- crossing ---- */

static const char *copy_value(lua_State *from, int at, lua_State *to, int depth, int *nodes);

static const char *copy_table(lua_State *from, int at, lua_State *to, int depth, int *nodes)
{
    const char *problem = NULL;
    if (depth >= DC_CROSSING_DEPTH || !lua_checkstack(from, 3))
        return "a table nested too deep cannot cross";
    luaL_checkstack(to, 4, "crossing");
    lua_newtable(to);
    lua_pushnil(from);
    while (lua_next(from, at)) {
        int top = lua_gettop(from);
        problem = copy_value(from, top - 1, to, depth + 1, nodes);
        if (!problem)
            problem = copy_value(from, top, to, depth + 1, nodes);
        if (problem)
            return problem;
        lua_rawset(to, -3);
        lua_settop(from, top - 1);
    }
    return NULL;
}

/* Copies the value at an absolute index; NULL, or what cannot cross. Raises only in `to`. */
static const char *copy_value(lua_State *from, int at, lua_State *to, int depth, int *nodes)
{
    size_t n;
    const char *text;
    if (--*nodes < 0)
        return "a table with too many values cannot cross";
    luaL_checkstack(to, 4, "crossing");
    switch (lua_type(from, at)) {
    case LUA_TNIL: lua_pushnil(to); return NULL;
    case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, at)); return NULL;
    case LUA_TNUMBER:
        if (lua_isinteger(from, at))
            lua_pushinteger(to, lua_tointeger(from, at));
        else
            lua_pushnumber(to, lua_tonumber(from, at));
        return NULL;
    case LUA_TSTRING:
        text = lua_tolstring(from, at, &n);
        lua_pushlstring(to, text, n);
        return NULL;
    case LUA_TTABLE: return copy_table(from, at, to, depth, nodes);
    case LUA_TFUNCTION: return "a function inside a table cannot cross";
    default: return "only plain values and data sets can cross";
    }
}

const char *dc_box_copy(lua_State *from, int at, lua_State *to, int *nodes)
{
    return copy_value(from, at, to, 0, nodes);
}
