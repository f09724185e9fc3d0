/* SPDX-License-Identifier: MIT */
/* Command sets as tables, and dicom.message: reassembly of messages. Private; specs look at the protocol through it. */
#include <string.h>

#include "../wire/primitive.h"
#include "core.h"
#include "params.h"

#define CLASS "dicom.message"

static const char *const field_names[DC_FIELD_COUNT] = {
    [DC_FIELD_SOP_CLASS] = "sop_class", [DC_FIELD_MESSAGE_ID] = "message_id",
    [DC_FIELD_DATA_SET_TYPE] = "data_set_type", [DC_FIELD_STATUS] = "status", [DC_FIELD_PRIORITY] = "priority",
    [DC_FIELD_SOP_INSTANCE] = "sop_instance", [DC_FIELD_MOVE_DESTINATION] = "move_destination",
    [DC_FIELD_MOVE_ORIGINATOR] = "move_originator", [DC_FIELD_MOVE_ORIGINATOR_ID] = "move_originator_id",
    [DC_FIELD_REMAINING] = "remaining", [DC_FIELD_COMPLETED] = "completed", [DC_FIELD_FAILED] = "failed",
    [DC_FIELD_WARNING] = "warning", [DC_FIELD_EVENT_TYPE] = "event_type", [DC_FIELD_ACTION_TYPE] = "action_type",
    [DC_FIELD_ERROR_ID] = "error_id", [DC_FIELD_ERROR_COMMENT] = "error_comment",
};

static void check_field(lua_State *L, int i, dc_command *to)
{
    const dc_field *f = &dc_fields[i];
    char *at = (char *)to + f->offset;
    if (f->form == DC_FORM_NUMBER) {
        lua_Integer v = luaL_checkinteger(L, -1);
        luaL_argcheck(L, v >= 0 && v <= 0xFFFF, 1, field_names[i]);
        *(uint16_t *)(void *)at = (uint16_t)v;
    } else {
        size_t n;
        const char *s = luaL_checklstring(L, -1, &n);
        luaL_argcheck(L, n <= f->size && strlen(s) == n, 1, field_names[i]);
        memcpy(at, s, n + 1);
    }
    to->has |= 1u << i;
}

void dc_check_command(lua_State *L, int index, dc_command *to)
{
    memset(to, 0, sizeof *to);
    luaL_checktype(L, index, LUA_TTABLE);
    lua_getfield(L, index, "field");
    to->field = (uint16_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    for (int i = 0; i < DC_FIELD_COUNT; i++) {
        if (lua_getfield(L, index, field_names[i]) != LUA_TNIL)
            check_field(L, i, to);
        lua_pop(L, 1);
    }
}

void dc_push_command(lua_State *L, const dc_command *c)
{
    lua_createtable(L, 0, 10);
    lua_pushinteger(L, c->field);
    lua_setfield(L, -2, "field");
    lua_pushstring(L, dc_command_name(c->field));
    lua_setfield(L, -2, "name");
    for (int i = 0; i < DC_FIELD_COUNT; i++) {
        const char *at = (const char *)c + dc_fields[i].offset;
        if (!(c->has >> i & 1))
            continue;
        if (dc_fields[i].form == DC_FORM_NUMBER)
            lua_pushinteger(L, *(const uint16_t *)(const void *)at);
        else
            lua_pushstring(L, at);
        lua_setfield(L, -2, field_names[i]);
    }
}

/* core.command_encode(command) -> bytes | nil, err */
static int command_encode(lua_State *L)
{
    dc_command c;
    dc_buf out;
    dc_check_command(L, 1, &c);
    dc_buf_init(&out);
    dc_status st = dc_command_encode(&c, &out);
    if (st) {
        dc_buf_free(&out);
        return dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    }
    luaL_Buffer b;
    char *to = luaL_buffinitsize(L, &b, out.len); /* a command set is short: no failure but that of Lua itself */
    memcpy(to, out.ptr, out.len);
    size_t n = out.len;
    dc_buf_free(&out);
    luaL_pushresultsize(&b, n);
    return 1;
}

static int fail_with_tag(lua_State *L, dc_status st, uint32_t tag)
{
    int n = dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    if (st == DC_E_COMMAND) { /* (0000,0000) is a place too */
        lua_pushinteger(L, tag);
        lua_setfield(L, -2, "tag");
    }
    return n;
}

/* core.command_decode(bytes) -> command | nil, err */
static int command_decode(lua_State *L)
{
    size_t n;
    const char *s = luaL_checklstring(L, 1, &n);
    dc_command c;
    uint32_t offending;
    dc_status st = dc_command_decode(dc_span_make(s, n), &c, &offending);
    if (st)
        return fail_with_tag(L, st, offending);
    dc_push_command(L, &c);
    return 1;
}

/* core.command_name(field) -> string */
static int command_name(lua_State *L)
{
    lua_pushstring(L, dc_command_name((uint16_t)luaL_checkinteger(L, 1)));
    return 1;
}

static void push_fields(lua_State *L, const dc_primitive *p, uint32_t fields)
{
    lua_newtable(L);
    for (int i = 0; i < DC_FIELD_COUNT; i++)
        if (fields >> i & 1) {
            lua_pushinteger(L, dc_field_element(p, i));
            lua_setfield(L, -2, field_names[i]);
        }
}

/* core.primitive(field) -> { mandatory = { name = element }, optional = { name = element } } | nil */
static int primitive(lua_State *L)
{
    const dc_primitive *p = dc_primitive_find((uint16_t)luaL_checkinteger(L, 1));
    if (!p)
        return 0;
    lua_createtable(L, 0, 2);
    push_fields(L, p, p->mandatory);
    lua_setfield(L, -2, "mandatory");
    push_fields(L, p, p->optional);
    lua_setfield(L, -2, "optional");
    return 1;
}

/* core.message() -> message */
static int message_new(lua_State *L)
{
    dc_message_init(dc_kit_new(L, CLASS, sizeof(dc_message)));
    return 1;
}

static int message_gc(lua_State *L)
{
    dc_message_reset(luaL_checkudata(L, 1, CLASS));
    return 0;
}

static bool flag(lua_State *L, const char *key)
{
    lua_getfield(L, 2, key);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

/* message:feed{ context=, command=, last=, ends=, data= } -> true | nil, err */
static int message_feed(lua_State *L)
{
    dc_message *m = luaL_checkudata(L, 1, CLASS);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t n;
    lua_getfield(L, 2, "context");
    dc_assoc_event e = { .kind = DC_EVENT_DATA, .context = (uint8_t)luaL_checkinteger(L, -1),
                         .command = flag(L, "command"), .last = flag(L, "last"), .ends = flag(L, "ends") };
    lua_getfield(L, 2, "data");
    const char *s = luaL_checklstring(L, -1, &n);
    e.data = dc_span_make(s, n);
    dc_status st = dc_message_feed(m, &e);
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    lua_setiuservalue(L, 1, 1); /* the bytes stay until the next feed */
    lua_pushboolean(L, true);
    return 1;
}

/* message:next() -> { kind = "command" | "data" | "end", context=, command=, data= } | nil [, err] */
static int message_next(lua_State *L)
{
    static const char *const kinds[] = { "command", "data", "end" };
    dc_message *m = luaL_checkudata(L, 1, CLASS);
    dc_message_event e;
    dc_status st = dc_message_next(m, &e);
    if (st == DC_MORE)
        return 0;
    if (st)
        return fail_with_tag(L, st, m->offending);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, kinds[e.kind]);
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, e.context);
    lua_setfield(L, -2, "context");
    dc_push_command(L, e.command);
    lua_setfield(L, -2, "command");
    if (e.kind == DC_MESSAGE_DATA) {
        lua_pushlstring(L, (const char *)e.data.ptr, e.data.len);
        lua_setfield(L, -2, "data");
    }
    return 1;
}

void dc_open_message(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", message_gc }, { "__close", message_gc }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "feed", message_feed }, { "next", message_next }, { NULL, NULL } };
    static const luaL_Reg functions[] = {
        { "command_encode", command_encode }, { "command_decode", command_decode }, { "command_name", command_name },
        { "primitive", primitive }, { "message", message_new }, { NULL, NULL },
    };
    dc_kit_class(L, &(dc_class){ CLASS, meta, methods });
    luaL_setfuncs(L, functions, 0);
}
