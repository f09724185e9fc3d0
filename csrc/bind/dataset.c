/* SPDX-License-Identifier: MIT */
/* The class dicom.dataset: a data set as a table. */
#include "core.h"
#include "values.h"

dc_dataset *dc_view_node(lua_State *L, const dc_dataset_view *view)
{
    if (!view->object)
        dc_kit_usage(L, "the data set is closed");
    if (view->node->generation != view->generation)
        dc_kit_raise(L, DC_E_GONE, 0, UINT64_MAX, NULL);
    return view->node;
}

dc_dataset *dc_check_dataset(lua_State *L, int arg)
{
    return dc_view_node(L, luaL_checkudata(L, arg, DC_DATASET));
}

dc_dataset_view *dc_test_dataset(lua_State *L, int arg)
{
    return luaL_testudata(L, arg, DC_DATASET);
}

enum { VIEWS = 1 }; /* key in the metatable: where the views of this state are listed, if they are */

void dc_list_views(lua_State *L, dc_dataset_view **first)
{
    luaL_getmetatable(L, DC_DATASET);
    lua_pushlightuserdata(L, first);
    lua_rawseti(L, -2, VIEWS);
    lua_pop(L, 1);
}

static void list_view(lua_State *L, dc_dataset_view *v)
{
    lua_getmetatable(L, -1);
    if (lua_rawgeti(L, -1, VIEWS) == LUA_TLIGHTUSERDATA) {
        v->back = lua_touserdata(L, -1);
        v->next = *v->back;
        if (v->next)
            v->next->back = &v->next;
        *v->back = v;
    }
    lua_pop(L, 2);
}

void dc_push_dataset(lua_State *L, dc_object *object, dc_dataset *node)
{
    dc_dataset_view *v = dc_kit_new(L, DC_DATASET, sizeof *v);
    v->node = node;
    v->generation = node->generation;
    v->object = dc_object_ref(object);
    list_view(L, v);
}

static void close_view(dc_dataset_view *v)
{
    dc_object *o = v->object;
    v->object = NULL;
    if (v->back) {
        *v->back = v->next;
        if (v->next)
            v->next->back = v->back;
        v->back = NULL;
    }
    dc_object_unref(o);
}

void dc_close_views(dc_dataset_view **first)
{
    while (*first)
        close_view(*first);
}

static int dataset_close(lua_State *L)
{
    close_view(luaL_checkudata(L, 1, DC_DATASET));
    return 0;
}

/* --- by index ------------------------------------------------------------------------------------------------------ */

static int push_repairs(lua_State *L, const dc_object *o)
{
    lua_createtable(L, (int)o->repair_count, 0);
    for (uint32_t i = 0; i < o->repair_count; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, o->repairs[i].what);
        lua_setfield(L, -2, "what");
        if (o->repairs[i].tag) {
            lua_pushinteger(L, o->repairs[i].tag);
            lua_setfield(L, -2, "tag");
        }
        lua_pushinteger(L, (lua_Integer)o->repairs[i].offset);
        lua_setfield(L, -2, "offset");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* The file it was opened from, a deflated one, too; NULL: from memory. */
static const char *path_of(const dc_object *o)
{
    const dc_source *from = o->packed ? o->packed : o->source;
    return from && !o->severed ? from->path : NULL;
}

/* repairs, meta, path, syntax, iod: of the object that the data set is part of. */
static bool push_property(lua_State *L, dc_object *o, const char *name)
{
    if (strcmp(name, "repairs") == 0)
        push_repairs(L, o);
    else if (strcmp(name, "meta") == 0)
        dc_push_dataset(L, o, &o->meta);
    else if (strcmp(name, "path") == 0)
        lua_pushstring(L, path_of(o));
    else if (strcmp(name, "syntax") == 0)
        lua_pushstring(L, o->syntax->uid);
    else if (strcmp(name, "iod") == 0)
        dc_push_iod(L, o);
    else
        return false;
    return true;
}

/* Views belong to the data set that holds the element: through a path that is another one. */
static int view_of(lua_State *L, const dc_key *key, const dc_dataset *ds, int view)
{
    if (!key->ds || key->ds == ds)
        return view;
    dc_push_dataset(L, key->ds->object, key->ds);
    return lua_gettop(L);
}

static dc_status push_key_value(lua_State *L, const dc_key *key, const dc_dataset *ds)
{
    int view = view_of(L, key, ds, 1);
    if (key->tag == 0 && view != 1)
        return DC_OK; /* a path that ends at an item: its view is on the top */
    if (key->ds && key->ds != &key->ds->object->meta && (key->tag >> 16 == 0 || key->tag >> 16 == 2))
        dc_check_group(L, key);
    return dc_push_element(L, key, view);
}

static int dataset_index(lua_State *L)
{
    size_t n;
    dc_key key;
    if (lua_type(L, 2) != LUA_TSTRING) {
        dc_dataset *ds = dc_check_dataset(L, 1);
        dc_check_key(L, ds, 2, false, &key);
        dc_status st = push_key_value(L, &key, ds);
        return st ? dc_raise_at(L, ds, st, key.tag) : 1;
    }
    const char *s = lua_tolstring(L, 2, &n);
    bool keyword = dc_keyword_key(s, n, &key);
    if (!keyword) { /* methods need no living data set: ds:close() twice */
        lua_settop(L, 2);
        lua_pushvalue(L, 2);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            return 1;
        lua_settop(L, 2);
    }
    dc_dataset *ds = key.ds = dc_check_dataset(L, 1);
    if (!keyword && push_property(L, ds->object, s))
        return 1;
    if (!keyword)
        dc_check_key(L, ds, 2, false, &key);
    dc_status st = push_key_value(L, &key, ds);
    return st ? dc_raise_at(L, key.ds ? key.ds : ds, st, key.tag) : 1;
}

static bool is_method(lua_State *L, int name)
{
    if (lua_type(L, name) != LUA_TSTRING)
        return false;
    lua_pushvalue(L, name);
    bool found = lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL;
    lua_pop(L, 1);
    static const char *const properties[] = { "repairs", "meta", "path", "syntax", "iod" };
    for (size_t i = 0; !found && i < sizeof properties / sizeof *properties; i++)
        found = strcmp(lua_tostring(L, name), properties[i]) == 0;
    return found;
}

static int dataset_newindex(lua_State *L)
{
    size_t n;
    dc_key key;
    key.made = NULL;
    dc_dataset *ds = key.ds = dc_check_dataset(L, 1);
    const char *s = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &n) : NULL;
    if (!s || !dc_keyword_key(s, n, &key)) {
        if (s && is_method(L, 2))
            return dc_kit_usage(L, "'%s' cannot be assigned", s);
        dc_check_key(L, ds, 2, !lua_isnil(L, 3), &key);
    }
    if (!key.ds && lua_isnil(L, 3))
        return 0;
    dc_assign_key(L, &key, 3, DC_VR_NONE);
    return 0;
}

/* --- methods by key ------------------------------------------------------------------------------------------------ */

static dc_dataset *check_self_key(lua_State *L, bool create, dc_key *key)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    dc_check_key(L, ds, 2, create, key);
    return ds;
}

static int fail(lua_State *L, const dc_dataset *ds, dc_status st, const dc_key *key)
{
    lua_pushnil(L);
    dc_push_failure(L, key->ds ? key->ds : ds, st, key->tag);
    return 2;
}

static int dataset_get(lua_State *L)
{
    dc_key key;
    dc_dataset *ds = check_self_key(L, false, &key);
    dc_status st = push_key_value(L, &key, ds);
    return st ? fail(L, ds, st, &key) : 1;
}

static int dataset_has(lua_State *L)
{
    dc_key key;
    check_self_key(L, false, &key);
    lua_pushboolean(L, key.ds && (key.tag == 0 || dc_dataset_find(key.ds, key.tag)));
    return 1;
}

static int dataset_text(lua_State *L)
{
    dc_key key;
    dc_dataset *ds = check_self_key(L, false, &key);
    dc_status st = dc_push_text(L, &key);
    return st ? fail(L, ds, st, &key) : 1;
}

static int dataset_values(lua_State *L)
{
    dc_key key;
    dc_dataset *ds = check_self_key(L, false, &key);
    dc_status st = dc_push_values(L, &key);
    return st ? fail(L, ds, st, &key) : 1;
}

static int dataset_raw(lua_State *L)
{
    dc_key key;
    dc_dataset *ds = check_self_key(L, false, &key);
    dc_status st = dc_push_raw(L, &key);
    return st ? fail(L, ds, st, &key) : 1;
}

static int dataset_vr(lua_State *L)
{
    dc_key key;
    check_self_key(L, false, &key);
    const dc_element *e = key.ds ? dc_dataset_find(key.ds, key.tag) : NULL;
    lua_pushstring(L, e ? dc_vr_rows[e->vr].name : NULL);
    return 1;
}

static int dataset_set(lua_State *L)
{
    dc_key key;
    dc_dataset *ds = dc_check_dataset(L, 1);
    luaL_checkany(L, 3);
    dc_vr vr = lua_isnoneornil(L, 4) ? DC_VR_NONE : dc_check_vr(L, 4);
    dc_check_key(L, ds, 2, !lua_isnil(L, 3), &key);
    if (!key.ds)
        return 0;
    dc_assign_key(L, &key, 3, vr);
    return 0;
}

static int dataset_remove(lua_State *L)
{
    dc_key key;
    check_self_key(L, false, &key);
    if (!key.ds)
        return 0;
    lua_settop(L, 2);
    lua_pushnil(L);
    if (key.tag)
        dc_assign(L, &key, 3, DC_VR_NONE);
    else
        dc_remove_item(L, key.ds);
    return 0;
}

/* --- walking ------------------------------------------------------------------------------------------------------- */

/* The first element after the one of the last step, whatever happened to that one since. */
static const dc_element *step(lua_State *L, const dc_dataset *ds)
{
    lua_Integer last = lua_tointeger(L, lua_upvalueindex(1));
    uint32_t i = last < 0 ? 0 : last >= UINT32_MAX ? ds->count : dc_dataset_lower(ds, (uint32_t)last + 1);
    if (i >= ds->count)
        return NULL;
    lua_pushinteger(L, ds->elements[i].tag);
    lua_replace(L, lua_upvalueindex(1));
    return &ds->elements[i];
}

static int next_pair(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    const dc_element *e = step(L, ds);
    if (!e)
        return 0;
    dc_key key = { ds, e->tag, dc_dataset_entry(ds, e->tag), NULL };
    lua_settop(L, 1);
    dc_push_key(L, key.tag, key.entry);
    dc_status st = dc_push_element(L, &key, 1);
    return st ? dc_raise_at(L, ds, st, key.tag) : 2;
}

static int next_element(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    const dc_element *e = step(L, ds);
    if (!e)
        return 0;
    dc_push_description(L, ds, e);
    return 1;
}

static int iterate(lua_State *L, lua_CFunction next)
{
    dc_check_dataset(L, 1);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, next, 1);
    lua_pushvalue(L, 1);
    return 2;
}

static int dataset_pairs(lua_State *L)
{
    return iterate(L, next_pair);
}

static int dataset_elements(lua_State *L)
{
    return iterate(L, next_element);
}

static int dataset_len(lua_State *L)
{
    lua_pushinteger(L, dc_check_dataset(L, 1)->count);
    return 1;
}

static int dataset_eq(lua_State *L)
{
    const dc_dataset_view *a = dc_test_dataset(L, 1), *b = dc_test_dataset(L, 2);
    lua_pushboolean(L, a && b && a->object && a->object == b->object && a->node == b->node && a->generation == b->generation);
    return 1;
}

/* One short line without patient data. */
static int dataset_tostring(lua_State *L)
{
    const dc_dataset_view *v = luaL_checkudata(L, 1, DC_DATASET);
    if (!v->object || v->node->generation != v->generation) {
        lua_pushfstring(L, "data set: %s", v->object ? "no longer part of its data set" : "closed");
        return 1;
    }
    const dc_element *e = dc_dataset_find(v->node, 0x00080016);
    const dc_uid_entry *uid = NULL;
    dc_span s;
    if (e && e->hold == DC_HOLD_BYTES)
        if (dc_value_text(DC_VR_UI, dc_span_make(e->u.bytes, (size_t)e->length), 0, DC_MULTIBYTE_NONE, &s))
            uid = dc_uid_find(s);
    const char *what = v->node->parent ? "item" : v->node == &v->object->meta ? "file meta" : uid ? uid->name : "";
    lua_pushfstring(L, "data set: %s%s%d element%s", what, *what ? ", " : "", (int)v->node->count, v->node->count == 1 ? "" : "s");
    return 1;
}

/* --- private blocks ------------------------------------------------------------------------------------------------ */

/* blocks(dataset, creator): the first tag of each block that the creator reserves (PS3.5 7.8.1), 0xggggbb00. */
static int core_blocks(lua_State *L)
{
    size_t n;
    dc_dataset *ds = dc_check_dataset(L, 1);
    const char *creator = luaL_checklstring(L, 2, &n);
    lua_Integer found = 0;
    lua_newtable(L);
    for (uint32_t i = 0; i < ds->count; i++) {
        uint32_t tag = ds->elements[i].tag, element = tag & 0xFFFF;
        if (!(tag & 0x10000) || element < 0x10 || element > 0xFF)
            continue;
        uint32_t base = (tag & 0xFFFF0000u) | element << 8;
        if (dc_span_equal(dc_dataset_creator(ds, base), dc_span_make(creator, n))) {
            lua_pushinteger(L, base);
            lua_rawseti(L, -2, ++found);
        }
    }
    return 1;
}

/* item_offset(item): of its header in the source, or nil; what DICOMDIR records refer to one another by. */
static int core_item_offset(lua_State *L)
{
    const dc_dataset *ds = dc_check_dataset(L, 1);
    if (!ds->parent || ds->at == 0)
        return 0;
    lua_pushinteger(L, (lua_Integer)ds->at);
    return 1;
}

/* dataset_methods(): the table where lua/dicom/dataset.lua adds the methods that are written in Lua. */
static int core_methods(lua_State *L)
{
    luaL_getmetatable(L, DC_DATASET);
    lua_getfield(L, -1, "methods");
    return 1;
}

void dc_open_dataset(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__index", dataset_index }, { "__newindex", dataset_newindex }, { "__pairs", dataset_pairs },
        { "__len", dataset_len }, { "__eq", dataset_eq }, { "__tostring", dataset_tostring },
        { "__gc", dataset_close }, { "__close", dataset_close }, { NULL, NULL },
    };
    static const luaL_Reg methods[] = {
        { "get", dataset_get }, { "has", dataset_has }, { "text", dataset_text }, { "values", dataset_values },
        { "raw", dataset_raw }, { "vr", dataset_vr }, { "set", dataset_set }, { "remove", dataset_remove },
        { "elements", dataset_elements }, { "copy", dc_dataset_method_copy }, { "close", dataset_close },
        { "type_of", dc_dataset_method_type_of }, { "validate", dc_dataset_method_validate }, { NULL, NULL },
    };
    static const luaL_Reg functions[] = {
        { "parse", dc_core_parse }, { "new_dataset", dc_core_new }, { "blocks", core_blocks }, { "item_offset", core_item_offset },
        { "dataset_methods", core_methods }, { NULL, NULL },
    };
    static const dc_class class = { DC_DATASET, meta, methods };
    dc_kit_class(L, &class);
    luaL_setfuncs(L, functions, 0);
}
