/* SPDX-License-Identifier: MIT */
/* The classes dicom.model (a data set becoming text) and dicom.json (text becoming data sets). Both are driven from Lua,
   which alone asks the caller's functions. */
#include <stdio.h>

#include "../data/json.h"
#include "../data/model.h"
#include "core.h"
#include "values.h"

#define DC_MODEL "dicom.model"
#define DC_JSON_READER "dicom.json"

typedef struct model_view {
    dc_model *model;
    dc_object *object; /* one reference */
    dc_dataset *root;
} model_view;

typedef struct json_view {
    dc_json *json;
} json_view;

/* --- writing ------------------------------------------------------------------------------------------------------- */

static int model_close(lua_State *L)
{
    model_view *v = luaL_checkudata(L, 1, DC_MODEL);
    dc_object *o = v->object;
    dc_model_free(v->model);
    v->model = NULL;
    v->object = NULL;
    dc_object_unref(o);
    return 0;
}

static dc_model *check_model(lua_State *L)
{
    model_view *v = luaL_checkudata(L, 1, DC_MODEL);
    if (!v->model)
        dc_kit_usage(L, "the writer is closed");
    return v->model;
}

static bool flag(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

/* model(dataset, "json" | "xml", { pretty=, meta=, replace=, threshold= }): with a threshold it asks about bulk data. */
static int core_model(lua_State *L)
{
    static const char *const forms[] = { "json", "xml", NULL };
    dc_dataset *ds = dc_check_dataset(L, 1);
    const dc_model_form *form = luaL_checkoption(L, 2, NULL, forms) ? &dc_model_xml : &dc_model_json;
    luaL_checktype(L, 3, LUA_TTABLE);
    dc_model_options options = { .pretty = flag(L, 3, "pretty"), .meta = flag(L, 3, "meta"), .replace = flag(L, 3, "replace") };
    if (lua_getfield(L, 3, "threshold") != LUA_TNIL) {
        lua_Integer threshold = luaL_checkinteger(L, -1);
        options.ask = true;
        options.threshold = threshold < 0 ? 0 : (uint64_t)threshold;
    }
    model_view *v = dc_kit_new(L, DC_MODEL, sizeof *v);
    dc_status st = dc_model_new(form, ds, &options, &v->model);
    if (st)
        return dc_kit_raise(L, st, 0, UINT64_MAX, NULL);
    v->object = dc_object_ref(ds->object);
    v->root = ds;
    return 1;
}

static lua_Integer index_of(const dc_dataset *item)
{
    const dc_element *e = dc_dataset_find(item->parent, item->parent_tag);
    for (uint32_t i = 0; e && i < e->u.items->count; i++)
        if (e->u.items->list[i] == item)
            return (lua_Integer)i + 1;
    return 0;
}

/* Pushes what leads from the root to the element: as ds:get takes it, and as tags for an URI. */
static void push_path(lua_State *L, const dc_dataset *root, const dc_dataset *ds, uint32_t tag)
{
    char hex[9];
    dc_push_key(L, tag, dc_dataset_entry(ds, tag));
    snprintf(hex, sizeof hex, "%08X", (unsigned)tag);
    lua_pushstring(L, hex);
    for (; ds != root && ds->parent; ds = ds->parent) {
        lua_Integer i = index_of(ds);
        dc_push_key(L, ds->parent_tag, dc_dataset_entry(ds->parent, ds->parent_tag));
        lua_pushfstring(L, "%s[%I].%s", lua_tostring(L, -1), i, lua_tostring(L, -3));
        lua_replace(L, -4);
        lua_pop(L, 1);
        snprintf(hex, sizeof hex, "%08X", (unsigned)ds->parent_tag);
        lua_pushfstring(L, "%s/%I/%s", hex, i, lua_tostring(L, -1));
        lua_replace(L, -2);
    }
}

/* next(): a chunk; false, tag, path, path in tags, length, vr: where do those bytes lie?; nil at the end; nil, err. */
static int model_next(lua_State *L)
{
    dc_model_event event;
    dc_model *m = check_model(L);
    const model_view *v = lua_touserdata(L, 1);
    dc_status st = dc_model_next(m, &event);
    if (st == DC_DONE)
        return 0;
    if (st)
        return dc_kit_fail(L, st, dc_model_tag(m), UINT64_MAX, NULL);
    if (event.text.ptr) {
        lua_pushlstring(L, (const char *)event.text.ptr, event.text.len);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_pushinteger(L, event.e->tag);
    push_path(L, v->root, event.ds, event.e->tag);
    lua_pushinteger(L, (lua_Integer)event.e->length);
    lua_pushstring(L, dc_vr_rows[event.e->vr].name);
    return 6;
}

/* answer(uri), or answer(nil): inline. */
static int model_answer(lua_State *L)
{
    size_t n;
    dc_model *m = check_model(L);
    const char *s = luaL_optlstring(L, 2, NULL, &n);
    dc_span uri = dc_span_make(s, s ? n : 0);
    if (s && !dc_utf8_valid(uri))
        return dc_kit_usage(L, "an URI is text");
    dc_model_answer(m, s ? &uri : NULL);
    return 0;
}

/* replaced(): how many values hold U+FFFD now. */
static int model_replaced(lua_State *L)
{
    lua_pushinteger(L, dc_model_replaced(check_model(L)));
    return 1;
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

static int json_close(lua_State *L)
{
    json_view *v = luaL_checkudata(L, 1, DC_JSON_READER);
    dc_json_free(v->json);
    v->json = NULL;
    return 0;
}

static dc_json *check_json(lua_State *L)
{
    json_view *v = luaL_checkudata(L, 1, DC_JSON_READER);
    if (!v->json)
        dc_kit_usage(L, "the reader is closed");
    return v->json;
}

/* json_reader([{ limits= }]) */
static int core_json_reader(lua_State *L)
{
    dc_limits limits = DC_LIMITS_DEFAULT;
    dc_reader_options options = { .strict = false };
    dc_check_read_options(L, 1, &options, &limits);
    json_view *v = lua_newuserdatauv(L, sizeof *v, 1);
    v->json = NULL;
    luaL_setmetatable(L, DC_JSON_READER);
    v->json = dc_json_new(&limits);
    return v->json ? 1 : dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
}

/* feed(text), feed(nil): that was all. The reader keeps the string until the next one. */
static int json_feed(lua_State *L)
{
    size_t n = 0;
    dc_json *j = check_json(L);
    const char *s = luaL_optlstring(L, 2, "", &n);
    lua_settop(L, 2);
    dc_json_feed(j, dc_span_make(s, n), lua_isnil(L, 2));
    lua_setiuservalue(L, 1, 1);
    return 0;
}

static int push_object(lua_State *L, dc_object *o)
{
    size_t memory = dc_object_memory(o);
    lua_pushliteral(L, "data set");
    dc_push_dataset(L, o, &o->root);
    dc_object_unref(o); /* the view has its own reference */
    dc_kit_account(L, memory);
    return 2;
}

/* next(): "more"; "done"; "data set", ds; "bulk", uri, tag, vr; nil, err. */
static int json_next(lua_State *L)
{
    uint64_t offset;
    uint32_t tag;
    dc_json_event event;
    dc_json *j = check_json(L);
    luaL_checkstack(L, 8, NULL);
    dc_status st = dc_json_next(j, &event);
    if (st == DC_MORE || st == DC_DONE) {
        lua_pushstring(L, st == DC_MORE ? "more" : "done");
        return 1;
    }
    if (st) {
        dc_json_place(j, &offset, &tag);
        return dc_kit_fail(L, st, tag, offset, NULL);
    }
    if (event.object)
        return push_object(L, event.object);
    lua_pushliteral(L, "bulk");
    lua_pushlstring(L, event.uri.len ? (const char *)event.uri.ptr : "", event.uri.len);
    lua_pushinteger(L, event.tag);
    lua_pushstring(L, dc_vr_rows[event.vr].name);
    return 4;
}

/* answer(bytes): true; nil, err for text that is not UTF-8 */
static int json_answer(lua_State *L)
{
    size_t n;
    dc_json *j = check_json(L);
    const char *s = luaL_checklstring(L, 2, &n);
    dc_status st = dc_json_answer(j, dc_span_make(s, n));
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

/* is_list(): the text is an array. */
static int json_is_list(lua_State *L)
{
    lua_pushboolean(L, dc_json_is_list(check_json(L)));
    return 1;
}

void dc_open_model(lua_State *L)
{
    static const luaL_Reg model_meta[] = { { "__gc", model_close }, { "__close", model_close }, { NULL, NULL } };
    static const luaL_Reg model_methods[] = {
        { "next", model_next }, { "answer", model_answer }, { "replaced", model_replaced }, { NULL, NULL },
    };
    static const luaL_Reg json_meta[] = { { "__gc", json_close }, { "__close", json_close }, { NULL, NULL } };
    static const luaL_Reg json_methods[] = {
        { "feed", json_feed }, { "next", json_next }, { "answer", json_answer }, { "is_list", json_is_list }, { NULL, NULL },
    };
    static const luaL_Reg functions[] = { { "json_reader", core_json_reader }, { "model", core_model }, { NULL, NULL } };
    static const dc_class model = { DC_MODEL, model_meta, model_methods };
    static const dc_class json = { DC_JSON_READER, json_meta, json_methods };
    dc_kit_class(L, &model);
    dc_kit_class(L, &json);
    luaL_setfuncs(L, functions, 0);
}
