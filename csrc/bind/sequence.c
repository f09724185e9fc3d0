/* SPDX-License-Identifier: MIT */
/* Sequences as 1-based lists of data sets. A sequence view names its element: items are looked up at each use. */
#include "../data/recode.h"
#include "core.h"
#include "values.h"

#define GUARD "dicom.guard"

typedef struct sequence {
    const dc_dataset_view *owner; /* the data set's userdata, kept by the first user value */
    uint32_t tag;
} sequence;

static int guard_close(lua_State *L)
{
    dc_guard *g = luaL_checkudata(L, 1, GUARD);
    for (; g->ds && g->count; g->count--)
        dc_dataset_remove_item(g->ds, g->tag, g->from + g->count - 1);
    if (g->ds && g->whole)
        dc_dataset_remove(g->ds, g->tag);
    g->ds = NULL;
    return 0;
}

dc_guard *dc_push_guard(lua_State *L, dc_dataset *ds, uint32_t tag, uint32_t from)
{
    dc_guard *g = lua_newuserdatauv(L, sizeof *g, 0);
    *g = (dc_guard){ ds, tag, from, 0, !dc_dataset_find(ds, tag) };
    luaL_setmetatable(L, GUARD);
    lua_toclose(L, -1);
    return g;
}

void dc_push_sequence(lua_State *L, int view, uint32_t tag)
{
    view = lua_absindex(L, view);
    sequence *s = dc_kit_new(L, DC_SEQUENCE, sizeof *s);
    s->owner = lua_touserdata(L, view);
    s->tag = tag;
    lua_pushvalue(L, view);
    lua_setiuservalue(L, -2, 1);
}

static dc_items *items_of(const dc_dataset *ds, uint32_t tag)
{
    const dc_element *e = dc_dataset_find(ds, tag);
    return e && e->hold == DC_HOLD_ITEMS ? e->u.items : NULL;
}

static uint32_t count_of(const dc_dataset *ds, uint32_t tag)
{
    const dc_items *items = items_of(ds, tag);
    return items ? items->count : 0;
}

static void check(lua_State *L, const dc_dataset *ds, uint32_t tag, dc_status st)
{
    if (st)
        dc_raise_at(L, ds, st, tag);
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static dc_dataset *insert(lua_State *L, dc_dataset *ds, uint32_t tag, uint32_t index)
{
    dc_dataset *item = NULL;
    if (!items_of(ds, tag))
        check(L, ds, tag, dc_dataset_set_sequence(ds, tag));
    check(L, ds, tag, dc_dataset_insert_item(ds, tag, index, &item));
    return item;
}

static void fill(lua_State *L, dc_dataset *item, int value)
{
    if (lua_istable(L, value)) {
        dc_assign_table(L, item, value);
        return;
    }
    if (!dc_test_dataset(L, value))
        dc_kit_usage(L, "an item is a data set or a table, got %s", luaL_typename(L, value));
    check(L, item, item->parent_tag, dc_dataset_copy_meaning(item, dc_check_dataset(L, value)));
}

/* A new item at `index`, filled, or none at all. */
static void insert_filled(lua_State *L, dc_dataset *ds, uint32_t tag, uint32_t index, int value)
{
    value = lua_absindex(L, value);
    dc_guard *g = dc_push_guard(L, ds, tag, index);
    dc_dataset *item = insert(L, ds, tag, index);
    g->count = 1;
    fill(L, item, value);
    g->ds = NULL;
    lua_pop(L, 1);
}

static bool is_node(lua_State *L, int value, const dc_dataset *node)
{
    const dc_dataset_view *v = dc_test_dataset(L, value);
    return v && v->node == node && v->generation == node->generation;
}

static void replace(lua_State *L, dc_dataset *ds, uint32_t tag, uint32_t index, int value)
{
    if (is_node(L, value, items_of(ds, tag)->list[index]))
        return;
    insert_filled(L, ds, tag, index, value); /* first, as the value may be part of what goes */
    check(L, ds, tag, dc_dataset_remove_item(ds, tag, index + 1));
}

static uint32_t index_of(const dc_dataset *item)
{
    const dc_items *items = items_of(item->parent, item->parent_tag);
    uint32_t i = 0;
    while (items->list[i] != item)
        i++;
    return i;
}

void dc_fill_item(lua_State *L, dc_dataset *item, int value)
{
    if (lua_isnil(L, value))
        dc_remove_item(L, item);
    else
        replace(L, item->parent, item->parent_tag, index_of(item), value);
}

void dc_remove_item(lua_State *L, dc_dataset *item)
{
    check(L, item->parent, item->parent_tag, dc_dataset_remove_item(item->parent, item->parent_tag, index_of(item)));
}

static bool is_item_list(lua_State *L, int value)
{
    if (luaL_testudata(L, value, DC_SEQUENCE))
        return true;
    if (!lua_istable(L, value))
        return false;
    bool empty = luaL_len(L, value) == 0;
    lua_pushnil(L);
    while (empty && lua_next(L, value)) {
        bool other = lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "vr") != 0;
        lua_pop(L, 1);
        if (other) {
            lua_pop(L, 1);
            return false;
        }
    }
    return true;
}

/* The new items come after the old ones, which go when all are there: they may be made of them. */
static void assign_items(lua_State *L, const dc_key *key, int value)
{
    dc_dataset *ds = key->ds;
    uint32_t old = count_of(ds, key->tag);
    lua_Integer count = luaL_len(L, value);
    dc_guard *g = dc_push_guard(L, ds, key->tag, old);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, value, i);
        dc_dataset *item = insert(L, ds, key->tag, old + g->count);
        g->count++;
        fill(L, item, lua_gettop(L));
        lua_pop(L, 1);
    }
    g->ds = NULL;
    lua_pop(L, 1);
    while (old > 0)
        check(L, ds, key->tag, dc_dataset_remove_item(ds, key->tag, --old));
    if (count == 0)
        check(L, ds, key->tag, dc_dataset_set_sequence(ds, key->tag));
}

void dc_assign_sequence(lua_State *L, const dc_key *key, int value)
{
    const sequence *from = luaL_testudata(L, value, DC_SEQUENCE);
    if (lua_type(L, value) == LUA_TSTRING && lua_rawlen(L, value) == 0) {
        check(L, key->ds, key->tag, dc_dataset_set_sequence(key->ds, key->tag));
        return;
    }
    if (!is_item_list(L, value))
        dc_wrong_type(L, key, DC_VR_SQ, value);
    if (from && from->tag == key->tag && dc_view_node(L, from->owner) == key->ds)
        return;
    assign_items(L, key, value);
}

/* --- the view ------------------------------------------------------------------------------------------------------ */

static sequence *self(lua_State *L, dc_dataset **ds)
{
    sequence *s = luaL_checkudata(L, 1, DC_SEQUENCE);
    *ds = dc_view_node(L, s->owner);
    return s;
}

static int sequence_index(lua_State *L)
{
    dc_dataset *ds;
    if (!lua_isinteger(L, 2)) {
        lua_settop(L, 2);
        lua_pushvalue(L, 2);
        if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING)
            return dc_kit_usage(L, "a sequence has no '%s': items are data sets, as in seq[1].%s", lua_tostring(L, 2),
                                lua_tostring(L, 2));
        return 1;
    }
    sequence *s = self(L, &ds);
    const dc_items *items = items_of(ds, s->tag);
    lua_Integer i = lua_tointeger(L, 2);
    if (!items || i < 1 || i > items->count)
        return 0;
    dc_push_dataset(L, ds->object, items->list[i - 1]);
    return 1;
}

static int sequence_newindex(lua_State *L)
{
    dc_dataset *ds;
    sequence *s = self(L, &ds);
    lua_Integer count = count_of(ds, s->tag), i = 0;
    if (lua_isinteger(L, 2))
        i = lua_tointeger(L, 2);
    if (i < 1 || i > count + 1)
        return dc_kit_usage(L, "items are set from 1 to #sequence + 1, here %I", (LUAI_UACINT)(count + 1));
    if (!lua_isnil(L, 3) && i <= count)
        replace(L, ds, s->tag, (uint32_t)i - 1, 3);
    else if (!lua_isnil(L, 3))
        insert_filled(L, ds, s->tag, (uint32_t)i - 1, 3);
    else if (i <= count)
        check(L, ds, s->tag, dc_dataset_remove_item(ds, s->tag, (uint32_t)i - 1));
    return 0;
}

static int sequence_len(lua_State *L)
{
    dc_dataset *ds;
    sequence *s = self(L, &ds);
    lua_pushinteger(L, count_of(ds, s->tag));
    return 1;
}

static int sequence_eq(lua_State *L)
{
    const sequence *a = luaL_testudata(L, 1, DC_SEQUENCE), *b = luaL_testudata(L, 2, DC_SEQUENCE);
    bool same = a && b && a->tag == b->tag && a->owner->node == b->owner->node;
    lua_pushboolean(L, same && a->owner->generation == b->owner->generation);
    return 1;
}

static int sequence_tostring(lua_State *L)
{
    const sequence *s = luaL_checkudata(L, 1, DC_SEQUENCE);
    const dc_dataset_view *v = s->owner;
    if (!v->object || v->node->generation != v->generation)
        lua_pushliteral(L, "sequence: no longer part of its data set");
    else
        lua_pushfstring(L, "sequence: %d items", (int)count_of(v->node, s->tag));
    return 1;
}

static int next_item(lua_State *L)
{
    dc_dataset *ds;
    sequence *s = self(L, &ds);
    const dc_items *items = items_of(ds, s->tag);
    lua_Integer i = lua_tointeger(L, 2) + 1;
    if (!items || i < 1 || i > items->count)
        return 0;
    lua_pushinteger(L, i);
    dc_push_dataset(L, ds->object, items->list[i - 1]);
    return 2;
}

static int sequence_pairs(lua_State *L)
{
    lua_pushcfunction(L, next_item);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* insert(i, item): at i, later items move up; unlike table.insert it copies nothing but the item. */
static int sequence_insert(lua_State *L)
{
    dc_dataset *ds;
    sequence *s = self(L, &ds);
    lua_Integer count = count_of(ds, s->tag), i = lua_isnoneornil(L, 3) ? count + 1 : luaL_checkinteger(L, 2);
    if (i < 1 || i > count + 1)
        return dc_kit_usage(L, "items are inserted from 1 to #sequence + 1, here %I", (LUAI_UACINT)(count + 1));
    insert_filled(L, ds, s->tag, (uint32_t)i - 1, lua_isnoneornil(L, 3) ? 2 : 3);
    return 0;
}

void dc_open_sequence(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__index", sequence_index }, { "__newindex", sequence_newindex }, { "__len", sequence_len },
        { "__eq", sequence_eq }, { "__tostring", sequence_tostring }, { "__pairs", sequence_pairs }, { NULL, NULL },
    };
    static const luaL_Reg methods[] = { { "insert", sequence_insert }, { NULL, NULL } };
    static const luaL_Reg guards[] = { { "__close", guard_close }, { NULL, NULL } };
    static const dc_class class = { DC_SEQUENCE, meta, methods }, guarding = { GUARD, guards, NULL };
    dc_kit_class(L, &class);
    dc_kit_class(L, &guarding);
}
