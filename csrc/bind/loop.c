/* SPDX-License-Identifier: MIT */
/* dicom.loop: what lua/dicom/task.lua waits with. */
#include "loop.h"

#include "core.h"

#define CLASS "dicom.loop"

dc_loop *dc_check_loop(lua_State *L, int arg)
{
    dc_loop **l = luaL_checkudata(L, arg, CLASS);
    if (!*l)
        luaL_error(L, "loop is closed");
    return *l;
}

static int loop_gc(lua_State *L)
{
    dc_loop **l = luaL_checkudata(L, 1, CLASS);
    dc_loop *loop = *l;
    *l = NULL;
    if (loop)
        dc_loop_disown(loop, NULL);
    return 0;
}

/* core.loop() -> loop */
static int loop_new(lua_State *L)
{
    dc_loop **l = dc_kit_new(L, CLASS, sizeof *l);
    *l = dc_loop_new();
    return *l ? 1 : dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, "event loop");
}

/* wait(seconds or nil, ids) -> number of ids put into the table, or nil: nothing can ever become ready */
static int loop_wait(lua_State *L)
{
    dc_loop *l = dc_check_loop(L, 1);
    lua_Number seconds = luaL_optnumber(L, 2, -1);
    luaL_checktype(L, 3, LUA_TTABLE);
    int64_t ms = seconds < 0 ? -1 : seconds > 1e9 ? (int64_t)1e12 : (int64_t)(seconds * 1000 + 0.999);
    if (!dc_loop_wait(l, ms))
        return 0;
    lua_Integer n = 0;
    for (uint64_t id; (id = dc_loop_take(l)) != 0;) {
        lua_pushinteger(L, (lua_Integer)id);
        lua_rawseti(L, 3, ++n);
    }
    lua_pushinteger(L, n);
    return 1;
}

/* now() -> seconds of a clock that never goes back */
static int loop_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)uv_hrtime() / 1e9);
    return 1;
}

/* signals(on) -> id to wait for */
static int loop_signals(lua_State *L)
{
    dc_loop *l = dc_check_loop(L, 1);
    dc_status st = dc_loop_signals(l, lua_toboolean(L, 2));
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, "signal handler");
    lua_pushinteger(L, (lua_Integer)l->signals.id);
    return 1;
}

/* signal() -> the number of the last signal since the last call, or nil */
static int loop_signal(lua_State *L)
{
    dc_loop *l = dc_check_loop(L, 1);
    if (l->signum == 0)
        return 0;
    lua_pushinteger(L, l->signum);
    l->signum = 0;
    return 1;
}

void dc_open_loop(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", loop_gc }, { "__close", loop_gc }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "wait", loop_wait }, { "now", loop_now }, { "signals", loop_signals },
                                        { "signal", loop_signal }, { NULL, NULL } };
    static const dc_class class = { CLASS, meta, methods };
    dc_kit_class(L, &class);
    lua_pushcfunction(L, loop_new);
    lua_setfield(L, -2, "loop");
}
