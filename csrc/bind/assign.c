/* SPDX-License-Identifier: MIT */
/* From Lua values to elements: which VR, how many values, what happens to the rest of the data set. */
#include "values.h"
#include "../data/recode.h"

enum { CHARACTER_SET = 0x00080005, BITS_ALLOCATED = 0x00280100, PIXEL_REPRESENTATION = 0x00280103 };

static dc_vr_kind kind_of(dc_vr vr)
{
    return (dc_vr_kind)dc_vr_rows[vr].kind;
}

void dc_push_failure(lua_State *L, const dc_dataset *ds, dc_status st, uint32_t tag)
{
    const dc_element *e = dc_dataset_find(ds, tag);
    bool placed = e && e->flags & DC_EL_ORIGINAL;
    const dc_source *source = ds->object->source;
    dc_kit_push_error(L, st, tag, placed ? e->at : UINT64_MAX, NULL);
    if ((st == DC_E_SYSTEM || st == DC_E_CHANGED) && source && source->path) {
        lua_pushstring(L, source->path);
        lua_setfield(L, -2, "path");
    }
}

int dc_raise_at(lua_State *L, const dc_dataset *ds, dc_status st, uint32_t tag)
{
    dc_push_failure(L, ds, st, tag);
    return lua_error(L);
}

dc_vr dc_assign_vr(lua_State *L, const dc_key *key, dc_vr vr)
{
    const dc_element *e = dc_dataset_find(key->ds, key->tag);
    const dc_dict_entry *entry = key->entry;
    if (vr != DC_VR_NONE)
        return vr;
    if (entry && entry->vr > DC_VR_UV && e && (e->vr == DC_VR_OW || (entry->vr == DC_VR_US_OW && e->vr == DC_VR_US)))
        return (dc_vr)e->vr; /* tables are words or shorts, as they came */
    if (entry && entry->vr != DC_VR_UN && entry->vr != DC_VR_NONE)
        return dc_dataset_resolve_vr(key->ds, entry);
    if (e)
        return (dc_vr)e->vr;
    dc_push_key(L, key->tag, NULL);
    dc_kit_usage(L, "%s is in no dictionary: give its VR, as in ds:set(tag, value, \"LO\")", lua_tostring(L, -1));
    return DC_VR_NONE;
}

/* Plain ASCII stands for itself in every set (ISO_IR 13 has its own backslash and tilde). */
static bool is_plain(dc_span s, bool delimited)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= '~' || s.ptr[i] == 0x1B || (s.ptr[i] == '\\' && !delimited))
            return false;
    return true;
}

void dc_store(lua_State *L, const dc_key *key, dc_vr vr, dc_span packed)
{
    dc_status st;
    if (key->tag == CHARACTER_SET)
        st = dc_dataset_set_charset(key->ds, packed.ptr ? packed : dc_span_make("", 0));
    else if (kind_of(vr) == DC_KIND_TEXT && !is_plain(packed, dc_vr_rows[vr].delimited))
        st = dc_dataset_set_text(key->ds, key->tag, vr, packed);
    else
        st = dc_dataset_set(key->ds, key->tag, vr, packed, false);
    if (st == DC_E_CHARSET && key->tag == CHARACTER_SET)
        dc_bad_value(L, key, vr, "a defined term of PS3.3 C.12.1.1.2");
    if (st)
        dc_raise_at(L, key->ds, st, key->tag);
    dc_kit_account(L, packed.len);
}

static void remove_element(lua_State *L, const dc_key *key)
{
    dc_status st = key->tag == CHARACTER_SET && dc_dataset_find(key->ds, key->tag)
                       ? dc_dataset_set_charset(key->ds, dc_span_make(NULL, 0))
                       : dc_dataset_remove(key->ds, key->tag);
    if (st)
        dc_raise_at(L, key->ds, st, key->tag);
}

static bool is_list(lua_State *L, int value)
{
    return lua_istable(L, value) || luaL_testudata(L, value, DC_LIST);
}

static void assign_list(lua_State *L, const dc_key *key, dc_vr vr, int value)
{
    uint8_t scratch[DC_PACK_SIZE];
    lua_Integer count = luaL_len(L, value);
    bool delimited = dc_vr_rows[vr].delimited;
    if (count > 1 && !delimited && kind_of(vr) <= DC_KIND_TEXT)
        dc_bad_value(L, key, vr, "one value only");
    dc_buf *b = dc_bind_buf(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, value, i);
        dc_span one = { scratch, 0 };
        if (!(delimited && lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0))
            one = dc_pack(L, key, vr, -1, scratch);
        if (i > 1 && delimited)
            dc_buf_u8(b, '\\');
        if (dc_buf_add(b, one.ptr, one.len))
            dc_kit_raise(L, DC_E_MEMORY, key->tag, UINT64_MAX, NULL);
        lua_settop(L, lua_gettop(L) - 1);
    }
    dc_store(L, key, vr, dc_buf_span(b));
    dc_buf_free(b);
    lua_pop(L, 1);
}

static void assign_bytes(lua_State *L, const dc_key *key, dc_vr vr, int value)
{
    size_t n;
    const char *s = lua_tolstring(L, value, &n);
    if (n % dc_vr_rows[vr].width)
        dc_bad_value(L, key, vr, "a string of whole numbers, little endian");
    dc_store(L, key, vr, dc_span_make(s, n));
}

/* A live list of the same attribute: its bytes as they are, the exact text of numbers included. */
static bool assign_view(lua_State *L, const dc_key *key, int value)
{
    uint32_t tag;
    const dc_dataset *from = dc_list_source(L, value, &tag);
    if (!from || tag != key->tag || tag == CHARACTER_SET)
        return false;
    dc_status st = dc_dataset_copy_element_meaning(key->ds, from, tag);
    if (st)
        dc_raise_at(L, key->ds, st, tag);
    return true;
}

static void assign_values(lua_State *L, const dc_key *key, dc_vr vr, int value, bool wrapped)
{
    uint8_t scratch[DC_PACK_SIZE];
    bool bytes = kind_of(vr) == DC_KIND_BULK || kind_of(vr) == DC_KIND_UNKNOWN;
    bool single = key->entry && dc_dict_is_single(key->entry) && !bytes && !wrapped;
    if (lua_type(L, value) == LUA_TSTRING && lua_rawlen(L, value) == 0)
        dc_store(L, key, vr, dc_span_make(NULL, 0));
    else if (bytes && lua_type(L, value) == LUA_TSTRING)
        assign_bytes(L, key, vr, value);
    else if (is_list(L, value)) {
        if (single && luaL_len(L, value) > 0)
            dc_wrong_type(L, key, vr, value);
        if (!assign_view(L, key, value))
            assign_list(L, key, vr, value);
    } else
        dc_store(L, key, vr, dc_pack(L, key, vr, value, scratch));
}

/* { vr = "LO", "A", "B" }: how a plain table tells the VR of an element that is in no dictionary. */
static dc_vr wrapped_vr(lua_State *L, int value)
{
    dc_vr vr = DC_VR_NONE;
    if (!lua_istable(L, value))
        return vr;
    lua_pushliteral(L, "vr");
    if (lua_rawget(L, value) == LUA_TSTRING)
        vr = dc_check_vr(L, -1);
    lua_pushliteral(L, "fragments");
    if (lua_rawget(L, value) != LUA_TNIL)
        dc_kit_usage(L, "fragments of encapsulated pixel data are read only");
    lua_pop(L, 2);
    return vr;
}

void dc_assign(lua_State *L, const dc_key *key, int value, dc_vr vr)
{
    value = lua_absindex(L, value);
    dc_check_group(L, key);
    if (lua_isnil(L, value)) {
        remove_element(L, key);
        return;
    }
    dc_vr given = wrapped_vr(L, value);
    vr = dc_assign_vr(L, key, given ? given : vr);
    if (vr == DC_VR_SQ) {
        dc_assign_sequence(L, key, value);
        return;
    }
    bool bytes = kind_of(vr) == DC_KIND_BULK || kind_of(vr) == DC_KIND_UNKNOWN;
    if (bytes && lua_istable(L, value) && lua_geti(L, value, 1) == LUA_TSTRING)
        value = lua_gettop(L);
    assign_values(L, key, vr, value, given != DC_VR_NONE);
}

dc_vr dc_check_vr(lua_State *L, int arg)
{
    size_t n;
    const char *s = luaL_checklstring(L, arg, &n);
    dc_vr vr = n == 2 ? dc_vr_find((const uint8_t *)s) : DC_VR_NONE;
    if (vr == DC_VR_NONE)
        dc_kit_usage(L, "'%s' is not a VR of PS3.5 6.2", n < 8 ? s : "...");
    return vr;
}

/* Elements that decide how others are written come first, as pairs of a table have no order. */
static bool comes_first(uint32_t tag)
{
    bool creator = tag & 0x10000 && (tag & 0xFFFF) >= 0x10 && (tag & 0xFFFF) <= 0xFF;
    return creator || tag == CHARACTER_SET || tag == BITS_ALLOCATED || tag == PIXEL_REPRESENTATION;
}

void dc_assign_table(lua_State *L, dc_dataset *ds, int table)
{
    table = lua_absindex(L, table);
    luaL_checkstack(L, 16, "data sets nested too deeply");
    for (int pass = 0; pass < 2; pass++) {
        lua_pushnil(L);
        while (lua_next(L, table)) {
            dc_key key;
            int top = lua_gettop(L);
            dc_check_key(L, ds, top - 1, true, &key);
            if (comes_first(key.tag) == (pass == 0))
                dc_assign_key(L, &key, top, DC_VR_NONE);
            lua_settop(L, top - 1);
        }
    }
}

/* As dc_assign; a path that ends at an item replaces the item. */
void dc_assign_key(lua_State *L, const dc_key *key, int value, dc_vr vr)
{
    if (key->tag || !key->ds)
        dc_assign(L, key, value, vr);
    else
        dc_fill_item(L, key->ds, value);
    if (key->made)
        key->made->ds = NULL;
}
