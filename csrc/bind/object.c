/* SPDX-License-Identifier: MIT */
/* Where data sets come from and where they go, but for files: bytes, copies, new ones; the options of reading and writing. */
#include "core.h"
#include "values.h"

/* --- options ------------------------------------------------------------------------------------------------------- */

void dc_check_fields(lua_State *L, int table, const char *const *known, const char *what)
{
    lua_pushnil(L);
    while (lua_next(L, table)) {
        size_t i = 0;
        lua_pop(L, 1);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        while (known[i] && strcmp(known[i], name) != 0)
            i++;
        if (!known[i])
            dc_kit_usage(L, "%s has no option '%s'", what, name);
    }
}

const dc_syntax *dc_check_syntax(lua_State *L, int table)
{
    size_t n;
    const dc_syntax *syntax = NULL;
    if (lua_getfield(L, table, "syntax") != LUA_TNIL) {
        const char *s = luaL_checklstring(L, -1, &n);
        syntax = dc_syntax_find(dc_span_make(s, n));
        for (size_t i = 0; !syntax && i < dc_syntax_count; i++)
            if (strcmp(dc_syntax_rows[i].keyword, s) == 0)
                syntax = &dc_syntax_rows[i];
        if (!syntax)
            dc_kit_usage(L, "'%s' is not a transfer syntax of PS3.5 10", n <= DC_UID_SIZE ? s : "...");
    }
    lua_pop(L, 1);
    return syntax;
}

bool dc_check_flag(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
        dc_kit_usage(L, "%s is true or false, got %s", name, luaL_typename(L, -1));
    bool v = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return v;
}

static uint64_t check_limit(lua_State *L, int table, const char *name, uint64_t most, uint64_t otherwise)
{
    lua_Integer v = 0;
    if (lua_getfield(L, table, name) != LUA_TNIL) {
        v = luaL_checkinteger(L, -1);
        if (v < 1 || (uint64_t)v > most)
            dc_kit_usage(L, "limit %s is out of range", name);
    }
    lua_pop(L, 1);
    return v ? (uint64_t)v : otherwise;
}

static void check_limits(lua_State *L, int table, dc_limits *l)
{
    static const char *const known[] = { "depth", "elements", "inflated", "ratio", "held", NULL };
    luaL_checktype(L, table, LUA_TTABLE);
    dc_check_fields(L, table, known, "limits");
    l->depth = (uint32_t)check_limit(L, table, "depth", 512, l->depth);
    l->elements = (uint32_t)check_limit(L, table, "elements", UINT32_MAX, l->elements);
    l->inflated = check_limit(L, table, "inflated", INT64_MAX, l->inflated);
    l->ratio = (uint32_t)check_limit(L, table, "ratio", UINT32_MAX, l->ratio);
    l->held = check_limit(L, table, "held", INT64_MAX, l->held);
}

static uint32_t check_stop(lua_State *L, int table)
{
    dc_key key = { NULL, 0, NULL, NULL };
    size_t n;
    if (lua_getfield(L, table, "stop") == LUA_TSTRING) {
        dc_object empty = { 0 };
        const char *s = lua_tolstring(L, -1, &n);
        empty.root.object = &empty;
        if (!dc_keyword_key(s, n, &key) && !dc_tag_key(&empty.root, s, n, &key))
            dc_unknown_key(L, s, n);
    } else if (!lua_isnil(L, -1)) {
        lua_Integer tag = luaL_checkinteger(L, -1);
        if (tag < 1 || tag > UINT32_MAX)
            dc_kit_usage(L, "stop is a keyword or a tag");
        key.tag = (uint32_t)tag;
    }
    lua_pop(L, 1);
    return key.tag;
}

void dc_check_read_options(lua_State *L, int arg, dc_reader_options *options, dc_limits *limits)
{
    static const char *const known[] = { "strict", "stop", "syntax", "limits", "size", NULL };
    if (lua_isnoneornil(L, arg))
        return;
    luaL_checktype(L, arg, LUA_TTABLE);
    dc_check_fields(L, arg, known, "open");
    options->strict = dc_check_flag(L, arg, "strict");
    options->stop_tag = check_stop(L, arg);
    options->syntax = dc_check_syntax(L, arg);
    if (lua_getfield(L, arg, "limits") != LUA_TNIL)
        check_limits(L, lua_gettop(L), limits);
    lua_pop(L, 1);
}

void dc_check_write_options(lua_State *L, int arg, dc_writer_options *options)
{
    static const char *const known[] = { "syntax", "raw", "part10", "source_aet", "path", "durable", NULL };
    if (lua_isnoneornil(L, arg))
        return;
    luaL_checktype(L, arg, LUA_TTABLE);
    dc_check_fields(L, arg, known, "writing");
    options->syntax = dc_check_syntax(L, arg);
    options->raw = dc_check_flag(L, arg, "raw");
    options->part10 = dc_check_flag(L, arg, "part10");
    lua_getfield(L, arg, "source_aet");
    options->source_aet = luaL_optstring(L, -1, NULL);
    lua_pop(L, 1); /* the table still holds it */
}

/* --- from bytes, new, copies --------------------------------------------------------------------------------------- */

/* A closed view that acquires `o` and tells the collector what that costs. */
static dc_dataset_view *new_view(lua_State *L)
{
    return dc_kit_new(L, DC_DATASET, sizeof(dc_dataset_view));
}

static int acquire(lua_State *L, dc_dataset_view *v, dc_object *o)
{
    v->node = &o->root;
    v->generation = o->root.generation;
    v->object = o;
    dc_kit_account(L, dc_object_memory(o));
    return 1;
}

static bool has_several(dc_dataset *ds, const dc_element *e)
{
    dc_reading r;
    const dc_dict_entry *entry = dc_dataset_entry(ds, e->tag);
    if (!entry || !dc_dict_is_single(entry) || e->hold != DC_HOLD_BYTES)
        return false;
    dc_reading_init(&r, ds, e, entry);
    r.bytes = dc_span_make(e->u.bytes, (size_t)e->length);
    dc_vr_kind kind = (dc_vr_kind)dc_vr_rows[r.want].kind;
    return kind < DC_KIND_BULK && dc_reading_count(&r) > 1;
}

/* What strict reading refuses beyond the bytes: several values where the dictionary says one. Depth is limited. */
dc_status dc_check_strictly(dc_dataset *ds)
{
    for (uint32_t i = 0; i < ds->count; i++) {
        const dc_element *e = &ds->elements[i];
        if (has_several(ds, e))
            return dc_object_fail(ds->object, DC_E_STRICT, e->tag, e->at);
        for (uint32_t j = 0; e->hold == DC_HOLD_ITEMS && j < e->u.items->count; j++) {
            dc_status st = dc_check_strictly(e->u.items->list[j]);
            if (st)
                return st;
        }
    }
    return DC_OK;
}

/* parse(bytes [, options]): a data set, or nil and an error. */
int dc_core_parse(lua_State *L)
{
    size_t n;
    dc_limits limits = DC_LIMITS_DEFAULT;
    dc_reader_options options = { .strict = false };
    dc_object *o = NULL;
    const char *bytes = luaL_checklstring(L, 1, &n);
    dc_check_read_options(L, 2, &options, &limits);
    dc_dataset_view *v = new_view(L);
    dc_source *source = dc_source_memory(bytes, n);
    dc_status st = source ? dc_read_memory(source, &options, &limits, &o) : DC_E_MEMORY;
    dc_source_unref(source);
    if (!st && options.strict)
        st = dc_check_strictly(&o->root);
    if (!st)
        return acquire(L, v, o);
    uint32_t tag = o ? o->status_tag : 0;
    uint64_t offset = o ? o->status_offset : UINT64_MAX;
    dc_object_unref(o);
    return dc_kit_fail(L, st, tag, offset, NULL);
}

/* An item leaves its data set with the character set that governed it. */
static dc_status copy_item(const dc_dataset *item, dc_object **out)
{
    dc_object *o = *out = dc_object_new(&item->object->limits);
    if (!o)
        return DC_E_MEMORY;
    dc_status st = dc_dataset_copy(&o->root, item);
    for (const dc_dataset *ds = item; ds && !st; ds = ds->parent) {
        const dc_element *e = dc_dataset_find(ds, 0x00080005);
        if (!e || e->hold != DC_HOLD_BYTES)
            continue;
        if (ds != item)
            st = dc_dataset_set(&o->root, e->tag, DC_VR_CS, dc_span_make(e->u.bytes, (size_t)e->length), false);
        break;
    }
    return st;
}

/* ds:copy(): a deep copy of its own; of a whole data set it shares what was read. */
int dc_dataset_method_copy(lua_State *L)
{
    dc_object *o = NULL;
    dc_dataset *ds = dc_check_dataset(L, 1);
    dc_dataset_view *v = new_view(L);
    bool whole = ds == &ds->object->root;
    dc_status st = whole ? dc_object_clone(ds->object, &o) : copy_item(ds, &o);
    if (!st)
        return acquire(L, v, o);
    if (!whole)
        dc_object_unref(o);
    return dc_raise_at(L, ds, st, 0);
}

/* new_dataset([table or data set]) */
int dc_core_new(lua_State *L)
{
    if (dc_test_dataset(L, 1))
        return dc_dataset_method_copy(L);
    if (!lua_isnoneornil(L, 1) && !lua_istable(L, 1))
        return dc_kit_usage(L, "a data set is made from a table, got %s", luaL_typename(L, 1));
    dc_dataset_view *v = new_view(L);
    dc_object *o = dc_object_new(NULL);
    if (!o)
        return dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
    acquire(L, v, o);
    if (lua_istable(L, 1))
        dc_assign_table(L, &o->root, 1);
    return 1;
}

/* --- the buffer ---------------------------------------------------------------------------------------------------- */

#define BUFFER "dicom.buffer"

static int buffer_gc(lua_State *L)
{
    dc_buf_free(luaL_checkudata(L, 1, BUFFER));
    return 0;
}

dc_buf *dc_bind_buf(lua_State *L)
{
    dc_buf *b = lua_newuserdatauv(L, sizeof *b, 0);
    dc_buf_init(b);
    luaL_setmetatable(L, BUFFER);
    return b;
}

void dc_open_object(lua_State *L)
{
    static const luaL_Reg buffer[] = { { "__gc", buffer_gc }, { "__close", buffer_gc }, { NULL, NULL } };
    static const dc_class class = { BUFFER, buffer, NULL };
    dc_kit_class(L, &class);
}
