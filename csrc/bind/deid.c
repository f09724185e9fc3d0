/* SPDX-License-Identifier: MIT */
/* What de-identification needs of a data set beside its methods. */
#include <stdlib.h>

#include "core.h"
#include "dataset.h"

static lua_Integer length_of(const dc_element *e)
{
    switch (e->hold) {
    case DC_HOLD_ITEMS: return e->u.items->count;
    case DC_HOLD_FRAGMENTS: return -1;
    default: return (lua_Integer)e->length;
    }
}

/* survey(ds) -> { tag, vr, length, tag, vr, length, ... } in the order of the tags: a pass over all elements without a
   table for each. vr is "SQ" for whatever was read as items; length is that of the value, the number of items, or -1
   for compressed frames. */
static int survey(lua_State *L)
{
    const dc_dataset *ds = dc_check_dataset(L, 1);
    lua_createtable(L, (int)(ds->count < 1u << 20 ? ds->count * 3 : 0), 0);
    for (uint32_t i = 0; i < ds->count; i++) {
        const dc_element *e = &ds->elements[i];
        lua_Integer at = (lua_Integer)i * 3;
        lua_pushinteger(L, e->tag);
        lua_rawseti(L, -2, at + 1);
        lua_pushstring(L, e->hold == DC_HOLD_ITEMS ? "SQ" : dc_vr_rows[e->vr].name);
        lua_rawseti(L, -2, at + 2);
        lua_pushinteger(L, length_of(e));
        lua_rawseti(L, -2, at + 3);
    }
    return 1;
}

/* drop(ds, tag): removes whatever was read, groups too that nobody may write. */
static int drop(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    uint32_t tag = (uint32_t)luaL_checkinteger(L, 2);
    dc_status st = dc_dataset_remove(ds, tag);
    return st ? dc_kit_raise(L, st, tag, UINT64_MAX, NULL) : 0;
}

/* sever(ds) -> true, or false where the data set was read only in part: what stands beside it in the source is gone. */
static int sever(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    lua_pushboolean(L, dc_object_sever(ds->object) == DC_OK);
    return 1;
}

static bool has_fragments(const dc_dataset *ds)
{
    for (uint32_t i = 0; i < ds->count; i++)
        if (ds->elements[i].hold == DC_HOLD_FRAGMENTS)
            return true;
    return false;
}

/* blank(ds, tag, vr, length): the value becomes that many zero bytes. calloc takes them from the system as pages that
   cost nothing until they are written to. Once no compressed frames are left, a data set that was encapsulated goes on
   as Explicit VR Little Endian, in which its other elements already are (PS3.5 A.4). */
static int blank(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    uint32_t tag = (uint32_t)luaL_checkinteger(L, 2);
    size_t n;
    const char *name = luaL_checklstring(L, 3, &n);
    lua_Integer length = luaL_checkinteger(L, 4);
    dc_vr vr = n == 2 ? dc_vr_find((const uint8_t *)name) : DC_VR_NONE;
    luaL_argcheck(L, vr != DC_VR_NONE && dc_vr_rows[vr].kind == DC_KIND_BULK, 3, "a bulk VR is needed");
    luaL_argcheck(L, length > 0, 4, "a length is needed");
    uint8_t *zeros = calloc(1, (size_t)length);
    dc_status st = zeros ? dc_dataset_set_owned(ds, tag, vr, zeros, (size_t)length) : DC_E_MEMORY;
    if (st)
        return dc_kit_raise(L, st, tag, UINT64_MAX, NULL);
    if (!ds->parent && ds->object->syntax->encapsulated && !has_fragments(ds))
        ds->object->syntax = dc_syntax_explicit;
    return 0;
}

void dc_open_deid(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "blank", blank }, { "drop", drop }, { "sever", sever }, { "survey", survey }, { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}
