/* SPDX-License-Identifier: MIT */
/* dicom.engine: one side of an association in memory, bytes in and bytes out. Private: specs put two of them together;
   the network's own associations are in io/link.c. */
#include <string.h>

#include "../wire/fsm.h"
#include "core.h"
#include "params.h"

#define CLASS "dicom.engine"

typedef struct engine {
    dc_assoc *assoc;
} engine;

static dc_assoc *check(lua_State *L)
{
    engine *e = luaL_checkudata(L, 1, CLASS);
    if (!e->assoc)
        luaL_error(L, "engine is closed");
    return e->assoc;
}

static int engine_gc(lua_State *L)
{
    engine *e = luaL_checkudata(L, 1, CLASS);
    dc_assoc *a = e->assoc;
    e->assoc = NULL;
    dc_assoc_free(a);
    return 0;
}

/* core.engine(requestor [, acse_ms]) */
static int engine_new(lua_State *L)
{
    bool requestor = lua_toboolean(L, 1);
    dc_assoc_timers timers = { (uint32_t)luaL_optinteger(L, 2, 0) };
    engine *e = dc_kit_new(L, CLASS, sizeof *e);
    e->assoc = dc_assoc_new(requestor, &timers);
    return e->assoc ? 1 : dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
}

static int result(lua_State *L, dc_status st)
{
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    lua_pushboolean(L, true);
    return 1;
}

static int engine_request(lua_State *L)
{
    dc_assoc *a = check(L);
    dc_assoc_params p;
    dc_check_params(L, 2, dc_kit_arena(L), &p);
    return result(L, dc_assoc_request(a, &p));
}

static int engine_accept(lua_State *L)
{
    dc_assoc *a = check(L);
    dc_assoc_params p;
    dc_check_params(L, 2, dc_kit_arena(L), &p);
    return result(L, dc_assoc_accept(a, &p));
}

/* engine:reject(result, source, reason) */
static int engine_reject(lua_State *L)
{
    dc_assoc *a = check(L);
    return result(L, dc_assoc_reject(a, (uint8_t)luaL_checkinteger(L, 2), (uint8_t)luaL_checkinteger(L, 3),
                                     (uint8_t)luaL_checkinteger(L, 4)));
}

static int engine_release(lua_State *L)
{
    return result(L, dc_assoc_release(check(L)));
}

static int engine_release_reply(lua_State *L)
{
    return result(L, dc_assoc_release_reply(check(L)));
}

/* engine:abort([source [, reason]]) */
static int engine_abort(lua_State *L)
{
    dc_assoc_abort(check(L), (uint8_t)luaL_optinteger(L, 2, 0), (uint8_t)luaL_optinteger(L, 3, 0));
    return 0;
}

static int engine_closed(lua_State *L)
{
    dc_assoc_closed(check(L));
    return 0;
}

/* engine:data(context, command, last, bytes): a P-DATA-TF PDU with one PDV into the output */
static int engine_data(lua_State *L)
{
    dc_assoc *a = check(L);
    size_t n;
    const char *s = luaL_checklstring(L, 5, &n);
    uint8_t header[DC_DATA_HEADER];
    dc_status st = dc_assoc_data_header(a, (uint8_t)luaL_checkinteger(L, 2), lua_toboolean(L, 3), lua_toboolean(L, 4),
                                        (uint32_t)n, header);
    if (!st)
        st = dc_buf_add(dc_assoc_out(a), header, sizeof header);
    return result(L, st ? st : dc_buf_add(dc_assoc_out(a), s, n));
}

/* engine:feed(bytes): only after next gave nil */
static int engine_feed(lua_State *L)
{
    dc_assoc *a = check(L);
    size_t n;
    const char *s = luaL_checklstring(L, 2, &n);
    lua_settop(L, 2);
    lua_setiuservalue(L, 1, 1); /* data events point into it */
    dc_assoc_feed(a, dc_span_make(s, n));
    return 0;
}

static const char *const kinds[] = { "requested", "accepted", "rejected", "data", "release", "released", "aborted",
                                     "failed", "close" };

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_boolean(lua_State *L, const char *key, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

static void push_data(lua_State *L, const dc_assoc_event *e)
{
    set_integer(L, "context", e->context);
    set_boolean(L, "command", e->command);
    set_boolean(L, "last", e->last);
    set_boolean(L, "ends", e->ends);
    lua_pushlstring(L, (const char *)e->data.ptr, e->data.len);
    lua_setfield(L, -2, "data");
}

static void push_event(lua_State *L, const dc_assoc_event *e)
{
    lua_createtable(L, 0, 8);
    lua_pushstring(L, kinds[e->kind]);
    lua_setfield(L, -2, "kind");
    if (e->kind == DC_EVENT_REQUESTED || e->kind == DC_EVENT_ACCEPTED) {
        dc_push_params(L, e->params);
        lua_setfield(L, -2, "params");
    } else if (e->kind == DC_EVENT_DATA) {
        push_data(L, e);
    } else if (e->kind == DC_EVENT_FAILED) {
        lua_pushstring(L, dc_status_name(e->status));
        lua_setfield(L, -2, "code");
        set_integer(L, "offset", (lua_Integer)e->offset);
    } else if (e->kind == DC_EVENT_REJECTED || e->kind == DC_EVENT_ABORTED) {
        set_integer(L, "result", e->result);
        set_integer(L, "source", e->source);
        set_integer(L, "reason", e->reason);
    }
}

/* engine:next() -> event | nil */
static int engine_next(lua_State *L)
{
    dc_assoc_event e;
    if (dc_assoc_next(check(L), &e) == DC_MORE)
        return 0;
    push_event(L, &e);
    return 1;
}

/* engine:take() -> what is to be sent */
static int engine_take(lua_State *L)
{
    dc_buf *out = dc_assoc_out(check(L));
    lua_pushlstring(L, out->ptr ? (const char *)out->ptr : "", out->len);
    out->len = 0;
    return 1;
}

static int engine_tick(lua_State *L)
{
    dc_assoc_tick(check(L), luaL_checkinteger(L, 2));
    return 0;
}

/* engine:deadline() -> ms | nil */
static int engine_deadline(lua_State *L)
{
    int64_t at = dc_assoc_deadline(check(L));
    if (at < 0)
        return 0;
    lua_pushinteger(L, at);
    return 1;
}

/* engine:state() -> words, number */
static int engine_state(lua_State *L)
{
    dc_assoc_state s = dc_assoc_get_state(check(L));
    lua_pushstring(L, dc_fsm_state_name(s));
    lua_pushinteger(L, s);
    return 2;
}

/* engine:context(id) -> what was agreed | nil */
static int engine_context(lua_State *L)
{
    const dc_context *c = dc_assoc_context(check(L), (uint8_t)luaL_checkinteger(L, 2));
    if (!c)
        return 0;
    dc_push_context(L, c);
    return 1;
}

static int engine_limit(lua_State *L)
{
    lua_pushinteger(L, dc_assoc_send_limit(check(L)));
    return 1;
}

/* core.fsm_cell(state, event, requestor) -> action ("" for the empty cell), next state, timer in the next state */
static int fsm_cell(lua_State *L)
{
    static const char *const timers[] = { "none", "artim", "acse" };
    lua_Integer state = luaL_checkinteger(L, 1), event = luaL_checkinteger(L, 2);
    luaL_argcheck(L, state >= 1 && state <= DC_STATE_AWAITING_CLOSE, 1, "not a state");
    luaL_argcheck(L, event >= 1 && event <= DC_FSM_EVENTS, 2, "not an event");
    dc_fsm_action action = dc_fsm_find((dc_assoc_state)state, (dc_fsm_event)event);
    dc_assoc_state after = dc_fsm_after(action, lua_toboolean(L, 3), (dc_assoc_state)state);
    lua_pushstring(L, dc_fsm_action_name(action));
    lua_pushinteger(L, after);
    lua_pushstring(L, timers[dc_fsm_timer_in(after)]);
    return 3;
}

/* core.pdu_associate(bytes after the PDU header, request) -> params, version, application | nil, err */
static int pdu_associate(lua_State *L)
{
    size_t n, offset;
    const char *s = luaL_checklstring(L, 1, &n);
    dc_associate out;
    dc_status st = dc_pdu_get_associate(dc_span_make(s, n), lua_toboolean(L, 2), NULL, dc_kit_arena(L), &out, &offset);
    if (st)
        return dc_kit_fail(L, st, 0, offset, NULL);
    dc_push_params(L, &out.params);
    lua_pushinteger(L, out.version);
    lua_pushstring(L, out.application);
    return 3;
}

/* Contexts without ids are proposals: the same fields. */
static void push_contexts(lua_State *L, const dc_context *c, uint32_t n)
{
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        dc_push_context(L, &c[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* core.contexts_propose(list of { abstract=, transfers=, scu=, scp= }) -> contexts, how many were taken | nil, err */
static int contexts_propose(lua_State *L)
{
    dc_arena *arena = dc_kit_arena(L);
    dc_assoc_params p;
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "contexts");
    dc_check_params(L, lua_gettop(L), arena, &p);
    dc_proposal *list = dc_arena_zero(arena, (p.context_count + 1) * sizeof *list);
    dc_context *contexts;
    uint32_t taken;
    for (uint32_t i = 0; list && i < p.context_count; i++)
        list[i] = (dc_proposal){ p.contexts[i].abstract, p.contexts[i].transfers, p.contexts[i].transfer_count,
                                 p.contexts[i].scu, p.contexts[i].scp };
    dc_status st = list ? dc_contexts_propose(list, p.context_count, arena, &contexts, &taken) : DC_E_MEMORY;
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    push_contexts(L, contexts, taken);
    lua_pushinteger(L, taken);
    return 2;
}

static bool takes_any(const char *abstract)
{
    return abstract[0] != 0;
}

/* A row { abstract = uid | "storage" | "any", transfers=, scu=, scp= (roles of the requestor) }; strings stay in it. */
static dc_support support_of(const dc_context *c)
{
    dc_support s = { .abstract = c->abstract, .transfers = c->transfers, .transfer_count = c->transfer_count,
                     .roles = (uint8_t)((c->scu == 1 ? DC_ROLE_SCU : 0) | (c->scp == 1 ? DC_ROLE_SCP : 0)) };
    bool any = strcmp(c->abstract, "any") == 0;
    if (any || strcmp(c->abstract, "storage") == 0) {
        s.abstract = NULL;
        s.takes = any ? takes_any : dc_contexts_is_storage;
    }
    return s;
}

/* core.contexts_answer(request params, list of rows) -> answers | nil, err */
static int contexts_answer(lua_State *L)
{
    dc_arena *arena = dc_kit_arena(L);
    dc_assoc_params request, rows;
    dc_check_params(L, 1, arena, &request);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "contexts");
    dc_check_params(L, lua_gettop(L), arena, &rows);
    dc_support *table = dc_arena_zero(arena, (rows.context_count + 1) * sizeof *table);
    dc_context *answers;
    for (uint32_t i = 0; table && i < rows.context_count; i++)
        table[i] = support_of(&rows.contexts[i]);
    dc_status st = table ? dc_contexts_answer(&request, table, rows.context_count, arena, &answers) : DC_E_MEMORY;
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    push_contexts(L, answers, request.context_count);
    return 1;
}

static int contexts_is_storage(lua_State *L)
{
    lua_pushboolean(L, dc_contexts_is_storage(luaL_checkstring(L, 1)));
    return 1;
}

/* core.ae_valid(title) -> boolean */
static int ae_valid(lua_State *L)
{
    size_t n;
    const char *s = luaL_checklstring(L, 1, &n);
    lua_pushboolean(L, strlen(s) == n && dc_ae_valid(s));
    return 1;
}

void dc_open_engine(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", engine_gc }, { "__close", engine_gc }, { NULL, NULL } };
    static const luaL_Reg methods[] = {
        { "request", engine_request }, { "accept", engine_accept }, { "reject", engine_reject },
        { "release", engine_release }, { "release_reply", engine_release_reply }, { "abort", engine_abort },
        { "closed", engine_closed }, { "data", engine_data }, { "feed", engine_feed }, { "next", engine_next },
        { "take", engine_take }, { "tick", engine_tick }, { "deadline", engine_deadline }, { "state", engine_state },
        { "context", engine_context }, { "limit", engine_limit }, { NULL, NULL },
    };
    static const luaL_Reg functions[] = {
        { "engine", engine_new }, { "fsm_cell", fsm_cell }, { "pdu_associate", pdu_associate },
        { "contexts_propose", contexts_propose }, { "contexts_answer", contexts_answer },
        { "contexts_is_storage", contexts_is_storage }, { "ae_valid", ae_valid }, { NULL, NULL },
    };
    dc_kit_class(L, &(dc_class){ CLASS, meta, methods });
    luaL_setfuncs(L, functions, 0);
}
