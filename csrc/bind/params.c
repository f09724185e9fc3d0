/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core.h"
#include "params.h"

#define ARENA "dicom.arena"

static int arena_gc(lua_State *L)
{
    dc_arena_free(luaL_checkudata(L, 1, ARENA));
    return 0;
}

dc_arena *dc_kit_arena(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", arena_gc }, { "__close", arena_gc }, { NULL, NULL } };
    dc_kit_class(L, &(dc_class){ ARENA, meta, NULL });
    dc_arena *a = dc_kit_new(L, ARENA, sizeof *a);
    dc_arena_init(a);
    return a;
}

static void *need(lua_State *L, dc_arena *arena, size_t n)
{
    void *p = dc_arena_zero(arena, n ? n : 1);
    if (!p)
        dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
    return p;
}

/* A string field of the table on top, "" when absent; it stays alive with the table. */
static dc_span string_field(lua_State *L, const char *key)
{
    int type = lua_getfield(L, -1, key);
    size_t n = 0;
    const char *s = "";
    if (type == LUA_TSTRING)
        s = lua_tolstring(L, -1, &n);
    else if (type != LUA_TNIL)
        luaL_error(L, "%s must be a string", key);
    lua_pop(L, 1);
    return dc_span_make(s, n);
}

static void fixed_field(lua_State *L, const char *key, char *to, size_t size, dc_status status)
{
    dc_span s = string_field(L, key);
    if (s.len > size || (s.len && memchr(s.ptr, 0, s.len)))
        dc_kit_raise(L, status, 0, UINT64_MAX, key);
    memcpy(to, s.ptr, s.len);
    to[s.len] = 0;
}

static lua_Integer integer_field(lua_State *L, const char *key, lua_Integer max)
{
    lua_getfield(L, -1, key);
    lua_Integer v = luaL_optinteger(L, -1, 0);
    if (v < 0 || v > max)
        luaL_error(L, "%s is out of range", key);
    lua_pop(L, 1);
    return v;
}

static int8_t role_field(lua_State *L, const char *key)
{
    int8_t v = lua_getfield(L, -1, key) == LUA_TNIL ? -1 : (int8_t)lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

/* Pushes the list in the field; its length, 0 and an empty table when absent. */
static uint32_t list_field(lua_State *L, const char *key)
{
    if (lua_getfield(L, -1, key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    return (uint32_t)(lua_rawlen(L, -1) & 0xFFFFFF);
}

static void check_context(lua_State *L, dc_arena *arena, dc_context *to)
{
    to->id = (uint8_t)integer_field(L, "id", 255);
    to->result = (uint8_t)integer_field(L, "result", 255);
    to->scu = role_field(L, "scu");
    to->scp = role_field(L, "scp");
    to->abstract = (const char *)string_field(L, "abstract").ptr;
    to->transfer_count = list_field(L, "transfers");
    to->transfers = need(L, arena, to->transfer_count * sizeof *to->transfers);
    for (uint32_t i = 0; i < to->transfer_count; i++) {
        if (lua_rawgeti(L, -1, i + 1) != LUA_TSTRING)
            luaL_error(L, "transfers must be a list of strings");
        to->transfers[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void check_contexts(lua_State *L, dc_arena *arena, dc_assoc_params *to)
{
    to->context_count = list_field(L, "contexts");
    to->contexts = need(L, arena, to->context_count * sizeof *to->contexts);
    for (uint32_t i = 0; i < to->context_count; i++) {
        lua_rawgeti(L, -1, i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        check_context(L, arena, &to->contexts[i]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void check_items(lua_State *L, dc_arena *arena, dc_assoc_params *to)
{
    to->item_count = list_field(L, "items");
    to->items = need(L, arena, to->item_count * sizeof *to->items);
    for (uint32_t i = 0; i < to->item_count; i++) {
        lua_rawgeti(L, -1, i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        to->items[i].type = (uint8_t)integer_field(L, "type", 255);
        to->items[i].bytes = string_field(L, "bytes");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void check_window(lua_State *L, dc_assoc_params *to)
{
    to->has_window = lua_getfield(L, -1, "window") == LUA_TTABLE;
    if (to->has_window) {
        to->invoked = (uint16_t)integer_field(L, "invoked", 0xFFFF);
        to->performed = (uint16_t)integer_field(L, "performed", 0xFFFF);
    }
    lua_pop(L, 1);
}

void dc_check_params(lua_State *L, int index, dc_arena *arena, dc_assoc_params *to)
{
    memset(to, 0, sizeof *to);
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushvalue(L, index);
    fixed_field(L, "called", to->called, DC_AE_SIZE, DC_E_AE_TITLE);
    fixed_field(L, "calling", to->calling, DC_AE_SIZE, DC_E_AE_TITLE);
    fixed_field(L, "implementation_uid", to->implementation_uid, DC_UID_SIZE, DC_E_UID);
    fixed_field(L, "implementation_version", to->implementation_version, DC_AE_SIZE, DC_E_VALUE);
    to->max_pdu = (uint32_t)integer_field(L, "max_pdu", UINT32_MAX);
    check_window(L, to);
    check_contexts(L, arena, to);
    check_items(L, arena, to);
    lua_pop(L, 1);
}

static void set_string(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_role(lua_State *L, const char *key, int8_t role)
{
    if (role < 0)
        return;
    lua_pushboolean(L, role);
    lua_setfield(L, -2, key);
}

void dc_push_context(lua_State *L, const dc_context *c)
{
    lua_createtable(L, 0, 6);
    set_integer(L, "id", c->id);
    set_integer(L, "result", c->result);
    set_string(L, "abstract", c->abstract);
    set_role(L, "scu", c->scu);
    set_role(L, "scp", c->scp);
    lua_createtable(L, (int)c->transfer_count, 0);
    for (uint32_t i = 0; i < c->transfer_count; i++) {
        lua_pushstring(L, c->transfers[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "transfers");
}

static void push_items(lua_State *L, const dc_assoc_params *p)
{
    lua_createtable(L, (int)p->item_count, 0);
    for (uint32_t i = 0; i < p->item_count; i++) {
        lua_createtable(L, 0, 2);
        set_integer(L, "type", p->items[i].type);
        lua_pushlstring(L, (const char *)p->items[i].bytes.ptr, p->items[i].bytes.len);
        lua_setfield(L, -2, "bytes");
        lua_rawseti(L, -2, i + 1);
    }
}

void dc_push_params(lua_State *L, const dc_assoc_params *p)
{
    lua_createtable(L, 0, 8);
    set_string(L, "called", p->called);
    set_string(L, "calling", p->calling);
    set_string(L, "implementation_uid", p->implementation_uid);
    set_string(L, "implementation_version", p->implementation_version);
    set_integer(L, "max_pdu", p->max_pdu);
    if (p->has_window) {
        lua_createtable(L, 0, 2);
        set_integer(L, "invoked", p->invoked);
        set_integer(L, "performed", p->performed);
        lua_setfield(L, -2, "window");
    }
    lua_createtable(L, (int)p->context_count, 0);
    for (uint32_t i = 0; i < p->context_count; i++) {
        dc_push_context(L, &p->contexts[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "contexts");
    push_items(L, p);
    lua_setfield(L, -2, "items");
}
