/* SPDX-License-Identifier: MIT */
/* What ds:elements() gives: each element as a plain table, as it stands in its source. */
#include "values.h"

static void set_text(lua_State *L, const char *field, const char *text)
{
    if (*text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, field);
    }
}

static void set_integer(lua_State *L, const char *field, uint64_t v)
{
    lua_pushinteger(L, (lua_Integer)v);
    lua_setfield(L, -2, field);
}

static void set_fragments(lua_State *L, const dc_fragments *f)
{
    lua_createtable(L, (int)f->count, 0);
    for (uint32_t i = 0; i < f->count; i++) {
        lua_pushinteger(L, f->list[i].length);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "fragments");
}

static void set_creator(lua_State *L, const dc_dataset *ds, uint32_t tag)
{
    dc_span creator = dc_dataset_creator(ds, tag);
    if (creator.len) {
        lua_pushlstring(L, (const char *)creator.ptr, creator.len);
        lua_setfield(L, -2, "creator");
    }
}

void dc_push_description(lua_State *L, const dc_dataset *ds, const dc_element *e)
{
    static const char *const holds[] = { "bytes", "range", "items", "fragments" };
    const dc_dict_entry *entry = dc_dataset_entry(ds, e->tag);
    bool unknown = (e->flags & DC_EL_UN) != 0;
    lua_createtable(L, 0, 10);
    dc_push_key(L, e->tag, entry);
    lua_setfield(L, -2, "key");
    set_integer(L, "tag", e->tag);
    set_text(L, "vr", dc_vr_rows[unknown ? DC_VR_UN : e->vr].name);
    if (unknown)
        set_text(L, "read_as", dc_vr_rows[e->vr].name);
    set_integer(L, "length", e->flags & DC_EL_UNDEFINED ? DC_UNDEFINED_LENGTH : e->length);
    set_text(L, "hold", holds[e->hold]);
    if (e->flags & DC_EL_ORIGINAL)
        set_integer(L, "offset", e->at);
    if (entry) {
        set_text(L, "keyword", dc_dict_keyword(entry));
        set_text(L, "name", dc_dict_name(entry));
    }
    if (e->tag & 0x10000)
        set_creator(L, ds, e->tag);
    if (e->hold == DC_HOLD_FRAGMENTS)
        set_fragments(L, e->u.fragments);
    if (e->hold == DC_HOLD_ITEMS)
        set_integer(L, "items", e->u.items->count);
}
