/* SPDX-License-Identifier: MIT */
/* Library functions of the sandbox whose loops or copies a rule can make as long as it likes. Lua's own run in C, where
   no count hook looks; these charge the budget by the work they do. */
#include <string.h>

#include "sandbox.h"
#include "values.h"

enum { BYTES_PER_STEP = 64 }; /* of text that C code reads or copies in the time of one instruction */

/* ---- string, utf8 ---- */

/* Upvalue 1: the library's function, whose work grows with its first argument. */
static int charged_string(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        dc_box_charge(L, 1 + lua_rawlen(L, 1) / BYTES_PER_STEP);
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    dc_box_call(L, n, LUA_MULTRET);
    return lua_gettop(L);
}

/* rep(s, n [, separator]): nothing, repeated, would be a loop without an allocation. */
static int string_rep(lua_State *L)
{
    size_t len, separator;
    luaL_checklstring(L, 1, &len);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separator);
    if (n <= 0 || len + separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    dc_box_charge(L, (uint64_t)n);
    lua_settop(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    dc_box_call(L, 3, 1);
    return 1;
}

/* The library's function goes to where Lua looks for the name that a "bad argument" has. */
static void keep_name(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    luaL_getsubtable(L, -1, LUA_GNAME);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, name);
    lua_pop(L, 2);
}

static void wrap_field(lua_State *L, const char *name, lua_CFunction with)
{
    if (lua_getfield(L, -1, name) == LUA_TFUNCTION) {
        keep_name(L, name);
        lua_pushcclosure(L, with, 1);
        lua_setfield(L, -2, name);
    } else {
        lua_pop(L, 1);
    }
}

void dc_box_strings(lua_State *L)
{
    static const char *const long_work[] = { "byte", "format", "lower", "upper", "reverse", "sub", "unpack", "pack",
                                             "packsize", "len", "codepoint", "offset", NULL };
    for (const char *const *name = long_work; *name; name++)
        wrap_field(L, *name, charged_string);
    wrap_field(L, "rep", string_rep);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
}

void dc_box_numbers(lua_State *L)
{
    wrap_field(L, "tonumber", charged_string);
}

/* ---- lists of values ---- */

/* Upvalue 1: what looks at the values one by one; of pixel data there are millions. */
static int all_values(lua_State *L)
{
    if (luaL_testudata(L, 1, DC_LIST))
        dc_box_charge(L, 2 * (uint64_t)luaL_len(L, 1));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    dc_box_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

void dc_box_lists(lua_State *L)
{
    wrap_field(L, "__eq", all_values);
    lua_getfield(L, -1, "methods");
    wrap_field(L, "has", all_values);
    lua_pop(L, 1);
}

/* ---- table ---- */

static void check_tablelike(lua_State *L, int arg)
{
    int top = lua_gettop(L);
    if (lua_type(L, arg) != LUA_TTABLE && !(luaL_getmetafield(L, arg, "__index") && luaL_getmetafield(L, arg, "__len")))
        luaL_typeerror(L, arg, "table");
    lua_settop(L, top);
}

/* The steps from first to last, which may be any two integers. */
static uint64_t steps(lua_Integer first, lua_Integer last)
{
    return last < first ? 0 : (uint64_t)last - (uint64_t)first + 1;
}

static int table_insert(lua_State *L)
{
    check_tablelike(L, 1);
    int n = lua_gettop(L);
    lua_Integer after = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1);
    lua_Integer at = after;
    if (n == 3) {
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)after, 2, "position out of bounds");
    } else if (n != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    for (lua_Integer i = after; i > at; i--) {
        dc_box_charge(L, 1);
        lua_geti(L, 1, i - 1);
        lua_seti(L, 1, i);
    }
    lua_seti(L, 1, at); /* the value is on the top */
    return 0;
}

static int table_remove(lua_State *L)
{
    check_tablelike(L, 1);
    lua_Integer size = luaL_len(L, 1);
    lua_Integer at = luaL_optinteger(L, 2, size);
    if (at != size)
        luaL_argcheck(L, (lua_Unsigned)at - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
    lua_geti(L, 1, at);
    for (; at < size; at++) {
        dc_box_charge(L, 1);
        lua_geti(L, 1, at + 1);
        lua_seti(L, 1, at);
    }
    lua_pushnil(L);
    lua_seti(L, 1, at);
    return 1;
}

static int table_move(lua_State *L)
{
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    check_tablelike(L, 1);
    check_tablelike(L, target);
    lua_settop(L, 5);
    uint64_t n = steps(first, last);
    if (n) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        luaL_argcheck(L, to <= LUA_MAXINTEGER - (lua_Integer)n + 1, 4, "destination wrap around");
    }
    bool down = to > last || to <= first || target != 1; /* else the ranges overlap: from the end */
    for (uint64_t k = 0; k < n; k++) {
        lua_Integer i = (lua_Integer)(down ? k : n - 1 - k);
        dc_box_charge(L, 1);
        lua_geti(L, 1, first + i);
        lua_seti(L, target, to + i);
    }
    lua_pushvalue(L, target);
    return 1;
}

/* unpack(list [, i [, j]]) and concat(list [, separator [, i [, j]]]): the bounds are fixed here, since __len could
   answer anew; then the library's own, in upvalue 1. */
static int ranged(lua_State *L, int first_arg)
{
    lua_settop(L, first_arg + 1);
    lua_Integer first = luaL_optinteger(L, first_arg, 1);
    lua_Integer last = lua_isnil(L, first_arg + 1) ? luaL_len(L, 1) : luaL_checkinteger(L, first_arg + 1);
    dc_box_charge(L, steps(first, last));
    lua_pushinteger(L, first);
    lua_replace(L, first_arg);
    lua_pushinteger(L, last);
    lua_replace(L, first_arg + 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    dc_box_call(L, first_arg + 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int table_unpack(lua_State *L)
{
    return ranged(L, 2);
}

static int table_concat(lua_State *L)
{
    check_tablelike(L, 1);
    return ranged(L, 3);
}

/* Is list[i] before list[k]? Charged by the texts it may have to compare. */
static bool before(lua_State *L, lua_Integer i, lua_Integer k)
{
    bool answer;
    lua_settop(L, 2);
    lua_geti(L, 1, i);
    lua_geti(L, 1, k);
    uint64_t longest = lua_type(L, 3) == LUA_TSTRING ? lua_rawlen(L, 3) : 0;
    dc_box_charge(L, 1 + longest / BYTES_PER_STEP);
    if (lua_isnil(L, 2)) {
        answer = lua_compare(L, 3, 4, LUA_OPLT);
    } else {
        lua_pushvalue(L, 2);
        lua_insert(L, 3);
        dc_box_call(L, 2, 1);
        answer = lua_toboolean(L, -1);
    }
    lua_settop(L, 2);
    return answer;
}

static void swap(lua_State *L, lua_Integer i, lua_Integer k)
{
    lua_geti(L, 1, i);
    lua_geti(L, 1, k);
    lua_seti(L, 1, i);
    lua_seti(L, 1, k);
}

static void sink(lua_State *L, lua_Integer root, lua_Integer size)
{
    for (lua_Integer child; (child = root * 2) <= size; root = child) {
        if (child < size && before(L, child, child + 1))
            child++;
        if (!before(L, root, child))
            return;
        swap(L, root, child);
    }
}

/* sort(list [, before]): a heap, whose work is bounded whatever `before` answers. */
static int table_sort(lua_State *L)
{
    check_tablelike(L, 1);
    lua_Integer size = luaL_len(L, 1);
    luaL_argcheck(L, size < INT32_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    for (lua_Integer root = size / 2; root >= 1; root--)
        sink(L, root, size);
    for (lua_Integer last = size; last > 1; last--) {
        swap(L, 1, last);
        sink(L, 1, last - 1);
    }
    return 0;
}

void dc_box_tables(lua_State *L)
{
    static const luaL_Reg own[] = { { "insert", table_insert }, { "remove", table_remove }, { "move", table_move },
                                    { "sort", table_sort }, { NULL, NULL } };
    luaL_setfuncs(L, own, 0);
    wrap_field(L, "unpack", table_unpack);
    wrap_field(L, "concat", table_concat);
}

/* ---- coroutine ---- */

/* Many coroutines that each end before the hook counts to its number would not be counted at all. */
enum { COROUTINE_COST = 100 };

static int coroutine_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    dc_box_charge(L, COROUTINE_COST);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

/* Moves n arguments over and runs co; the number of results on L, or -1 with the error on L. */
static int resume(lua_State *L, lua_State *co, int n)
{
    int results = 0;
    dc_box_charge(L, COROUTINE_COST);
    if (!lua_checkstack(co, n)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, n);
    int status = dc_box_resume(L, co, n, &results);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static int coroutine_resume(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    int n = resume(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, n >= 0);
    n = n < 0 ? 1 : n;
    lua_insert(L, -(n + 1));
    return n + 1;
}

static int wrapped(lua_State *L)
{
    int n = resume(L, lua_tothread(L, lua_upvalueindex(1)), lua_gettop(L));
    return n < 0 ? lua_error(L) : n;
}

static int coroutine_wrap(lua_State *L)
{
    coroutine_create(L);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

void dc_box_coroutines(lua_State *L)
{
    static const luaL_Reg own[] = { { "create", coroutine_create }, { "resume", coroutine_resume },
                                    { "wrap", coroutine_wrap }, { NULL, NULL } };
    luaL_setfuncs(L, own, 0);
    lua_pushnil(L);
    lua_setfield(L, -2, "close");
}
