/* SPDX-License-Identifier: MIT */
/* dicom.link: an association as Lua sees it. dicom.listener: a listening socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../io/link.h"
#include "../io/listener.h"
#include "core.h"
#include "dataset.h"
#include "loop.h"
#include "params.h"

#define CLASS "dicom.link"
#define LISTENER "dicom.listener"

static dc_link *check_link(lua_State *L)
{
    dc_link **k = luaL_checkudata(L, 1, CLASS);
    if (!*k)
        luaL_error(L, "association is closed");
    return *k;
}

static int link_gc(lua_State *L)
{
    dc_link **k = luaL_checkudata(L, 1, CLASS);
    dc_link *link = *k;
    *k = NULL;
    if (link)
        dc_link_release(link);
    return 0;
}

/* ---- tables to C ---- */

static lua_Integer integer_field(lua_State *L, int table, const char *name, lua_Integer absent)
{
    lua_getfield(L, table, name);
    lua_Integer v = lua_isnil(L, -1) ? absent : luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return v;
}

static const char *text_field(lua_State *L, int table, const char *name) /* stays owned by the table; "" when absent */
{
    lua_getfield(L, table, name);
    const char *s = lua_isnil(L, -1) ? "" : luaL_checkstring(L, -1);
    lua_pop(L, 1);
    return s;
}

static uint32_t milliseconds(lua_State *L, int table, const char *name, lua_Number seconds)
{
    lua_getfield(L, table, name);
    lua_Number s = lua_isnil(L, -1) ? seconds : luaL_checknumber(L, -1);
    lua_pop(L, 1);
    if (!(s > 0 && s <= 1e6))
        luaL_error(L, "timeout '%s' is not from 0 to 1000000 seconds", name);
    return s < 0.001 ? 1 : (uint32_t)(s * 1000);
}

static dc_link_timeouts check_timeouts(lua_State *L, int table)
{
    dc_link_timeouts t = { milliseconds(L, table, "connect", 10), milliseconds(L, table, "acse", 30),
                           milliseconds(L, table, "dimse", 60), milliseconds(L, table, "idle", 60) };
    return t;
}

/* Leaves an arena on the stack that the parameters lie in. */
static void check_params(lua_State *L, int table, dc_assoc_params *p)
{
    dc_check_params(L, table, dc_kit_arena(L), p);
    strcpy(p->implementation_uid, DC_IMPLEMENTATION_UID);
    strcpy(p->implementation_version, DC_IMPLEMENTATION_VERSION);
}

/* ---- C to tables ---- */

static void push_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void push_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void push_system_error(lua_State *L, dc_status status, int error)
{
    if (status == DC_E_SYSTEM && error) {
        dc_kit_fail_errno(L, error, NULL);
        lua_remove(L, -2);
    } else {
        dc_kit_push_error(L, status, 0, UINT64_MAX, error ? strerror(error) : NULL);
    }
}

/* The data set of a message in memory, as the field "dataset", or why it cannot be read, as "unreadable". */
static void push_dataset(lua_State *L, dc_arrival *a, const char *syntax)
{
    dc_object *object = NULL;
    dc_reader_options options = { .syntax = dc_syntax_find(dc_span_make(syntax, strlen(syntax))) };
    dc_source *source = dc_source_memory_take(a->sink.bytes.ptr, a->sink.bytes.len);
    if (source)
        dc_buf_init(&a->sink.bytes); /* taken */
    dc_status st = source ? dc_read_memory(source, &options, NULL, &object) : DC_E_MEMORY;
    if (source)
        dc_source_unref(source);
    if (st == DC_OK) {
        dc_push_dataset(L, object, &object->root);
        lua_setfield(L, -2, "dataset");
    } else {
        dc_kit_push_error(L, st, object ? object->status_tag : 0, object ? object->status_offset : UINT64_MAX, NULL);
        lua_setfield(L, -2, "unreadable");
    }
    if (object)
        dc_object_unref(object);
}

static void push_message(lua_State *L, dc_link *k, dc_arrival *a)
{
    const dc_context *context = dc_assoc_context(k->assoc, a->context);
    dc_push_command(L, &a->command);
    push_integer(L, "context", a->context);
    push_text(L, "abstract", context->abstract);
    push_text(L, "syntax", context->transfers[0]);
    if (a->command.data_set_type == DC_NO_DATA_SET)
        return;
    push_integer(L, "size", (lua_Integer)a->sink.size);
    if (a->sink.status) {
        push_system_error(L, a->sink.status, a->sink.error);
        lua_setfield(L, -2, "error");
    } else if (a->sink.path) {
        push_text(L, "path", a->sink.path);
        free(a->sink.path); /* the file is the owner's now */
        a->sink.path = NULL;
    } else {
        push_dataset(L, a, context->transfers[0]);
    }
}

static int push_end(lua_State *L, const dc_link *k)
{
    if (k->end == DC_LINK_RELEASED) {
        lua_pushliteral(L, "released");
        return 1;
    }
    lua_pushnil(L);
    if (k->status == DC_E_SYSTEM)
        push_system_error(L, k->status, k->error);
    else
        dc_kit_push_error(L, k->status, 0, k->offset, NULL);
    push_integer(L, "result", k->result);
    push_integer(L, "source", k->source);
    push_integer(L, "reason", k->reason);
    lua_pushboolean(L, k->unknown_host);
    lua_setfield(L, -2, "unknown_host");
    return 2;
}

/* ---- methods ---- */

/* next() -> false: nothing yet; "requested" | "accepted", params; "message", message; "released"; nil, err */
static int link_next(lua_State *L)
{
    dc_link *k = check_link(L);
    bool requested = dc_link_take_request(k);
    if (requested || dc_link_take_accepted(k)) {
        lua_pushstring(L, requested ? "requested" : "accepted");
        dc_push_params(L, k->peer);
        push_text(L, "address", k->address_text.host);
        push_integer(L, "port", k->address_text.port);
        return 2;
    }
    if (k->first) {
        lua_pushliteral(L, "message");
        push_message(L, k, k->first);
        dc_arrival_free(dc_link_take(k));
        return 2;
    }
    if (k->end != DC_LINK_OPEN)
        return push_end(L, k);
    lua_pushboolean(L, false);
    return 1;
}

static int link_id(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_link(L)->watch.id);
    return 1;
}

static int result(lua_State *L, dc_status st)
{
    if (st != DC_OK)
        return dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    lua_pushboolean(L, true);
    return 1;
}

static dc_link **new_link(lua_State *L)
{
    return dc_kit_new(L, CLASS, sizeof(dc_link *));
}

/* core.connect(loop, { host=, port=, called=, calling=, max_pdu=, contexts=, connect=, acse=, dimse=, idle= }) */
static int link_connect(lua_State *L)
{
    dc_loop *l = dc_check_loop(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    dc_assoc_params p;
    dc_status st;
    dc_link_timeouts t = check_timeouts(L, 2);
    check_params(L, 2, &p);
    dc_link **k = new_link(L);
    *k = dc_link_connect(l, text_field(L, 2, "host"), (int)integer_field(L, 2, "port", 104), &t, &p, &st);
    return *k ? 1 : dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
}

/* accept{ max_pdu=, contexts= } -> true or nil, err */
static int link_accept(lua_State *L)
{
    dc_link *k = check_link(L);
    dc_assoc_params p;
    luaL_checktype(L, 2, LUA_TTABLE);
    check_params(L, 2, &p);
    return result(L, dc_link_answer(k, &p));
}

static int link_reject(lua_State *L)
{
    dc_link *k = check_link(L);
    return result(L, dc_link_reject(k, (uint8_t)luaL_checkinteger(L, 2), (uint8_t)luaL_checkinteger(L, 3),
                                    (uint8_t)luaL_checkinteger(L, 4)));
}

/* send(context, command [, dataset [, options]]) -> true or nil, err */
static int link_send(lua_State *L)
{
    dc_link *k = check_link(L);
    lua_Integer context = luaL_checkinteger(L, 2);
    dc_command c;
    dc_writer_options options = { .syntax = NULL };
    dc_object *object = NULL;
    luaL_checktype(L, 3, LUA_TTABLE);
    dc_check_command(L, 3, &c);
    c.data_set_type = DC_NO_DATA_SET;
    if (!lua_isnoneornil(L, 4)) {
        object = dc_check_dataset(L, 4)->object;
        c.data_set_type = 1; /* anything but "none" */
    }
    dc_check_write_options(L, 5, &options);
    return result(L, dc_link_send(k, (uint8_t)context, &c, object, &options));
}

/* sink(folder or nil, limit) */
static int link_sink(lua_State *L)
{
    dc_link *k = check_link(L);
    const char *folder = luaL_optstring(L, 2, NULL);
    char *copy = folder ? strdup(folder) : NULL;
    if (folder && !copy)
        return dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
    dc_link_sink(k, copy, (uint64_t)luaL_checkinteger(L, 3));
    return 0;
}

static int link_is_idle(lua_State *L)
{
    lua_pushboolean(L, dc_link_is_idle(check_link(L)));
    return 1;
}

static int link_release(lua_State *L)
{
    return result(L, dc_link_close(check_link(L)));
}

static int link_abort(lua_State *L)
{
    dc_link_abort(check_link(L));
    return 0;
}

/* ---- listener ---- */

static dc_listener *check_listener(lua_State *L)
{
    dc_listener **s = luaL_checkudata(L, 1, LISTENER);
    if (!*s)
        luaL_error(L, "listener is closed");
    return *s;
}

static int listener_gc(lua_State *L)
{
    dc_listener **s = luaL_checkudata(L, 1, LISTENER);
    dc_listener *listener = *s;
    *s = NULL;
    if (listener)
        dc_listener_release(listener);
    return 0;
}

/* core.listener(loop, { host=, port=, backlog= }) -> listener or nil, err */
static int listener_new(lua_State *L)
{
    dc_loop *l = dc_check_loop(L, 1);
    int error;
    luaL_checktype(L, 2, LUA_TTABLE);
    const char *host = text_field(L, 2, "host");
    dc_listener **s = dc_kit_new(L, LISTENER, sizeof *s);
    *s = dc_listener_new(l, host[0] ? host : NULL, (int)integer_field(L, 2, "port", 104),
                         (int)integer_field(L, 2, "backlog", 128), &error);
    return *s ? 1 : dc_kit_fail_errno(L, error, NULL);
}

/* next(timeouts) -> link; false: nobody; nil, err (no descriptors left, say) */
static int listener_next(lua_State *L)
{
    dc_listener *s = check_listener(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    dc_link_timeouts t = check_timeouts(L, 2);
    dc_address peer = { .port = 0 };
    dc_link **k = new_link(L);
    int fd = dc_listener_accept(s, &peer);
    if (fd == -EAGAIN || fd == -EWOULDBLOCK || fd == -ECONNABORTED || fd == -EINTR) {
        lua_pushboolean(L, false);
        return 1;
    }
    if (fd < 0)
        return dc_kit_fail_errno(L, -fd, NULL);
    *k = dc_link_accept(s->loop, fd, &peer, &t);
    return *k ? 1 : dc_kit_fail(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
}

static int listener_port(lua_State *L)
{
    lua_pushinteger(L, check_listener(L)->port);
    return 1;
}

static int listener_id(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_listener(L)->watch.id);
    return 1;
}


void dc_open_link(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", link_gc }, { "__close", link_gc }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "next", link_next }, { "id", link_id }, { "accept", link_accept },
                                        { "reject", link_reject }, { "send", link_send }, { "sink", link_sink },
                                        { "is_idle", link_is_idle }, { "release", link_release },
                                        { "abort", link_abort }, { "close", link_gc },
                                        { NULL, NULL } };
    static const luaL_Reg listener_meta[] = { { "__gc", listener_gc }, { "__close", listener_gc }, { NULL, NULL } };
    static const luaL_Reg listener_methods[] = { { "next", listener_next }, { "id", listener_id },
                                                 { "port", listener_port }, { "close", listener_gc },
                                                 { NULL, NULL } };
    static const luaL_Reg functions[] = { { "connect", link_connect }, { "listener", listener_new },
                                          { NULL, NULL } };
    static const dc_class link = { CLASS, meta, methods };
    static const dc_class listener = { LISTENER, listener_meta, listener_methods };
    dc_kit_class(L, &link);
    dc_kit_class(L, &listener);
    luaL_setfuncs(L, functions, 0);
}
