/* SPDX-License-Identifier: MIT */
/* The dictionary, for Lua modules that ask by tag or by UID. */
#include "../data/dict.h"
#include "core.h"

static const char *vr_text(uint8_t vr)
{
    switch (vr) {
    case DC_VR_US_SS: return "US or SS";
    case DC_VR_OB_OW: return "OB or OW";
    case DC_VR_US_OW: return "US or OW";
    case DC_VR_US_SS_OW: return "US or SS or OW";
    default: return dc_vr_rows[vr].name;
    }
}

/* dict_entry(tag) -> vr ("US or SS" as PS3.6 prints it), keyword ("" when it has none), retired; nil when unknown */
static int dict_entry(lua_State *L)
{
    const dc_dict_entry *e = dc_dict_by_tag((uint32_t)luaL_checkinteger(L, 1));
    if (!e)
        return 0;
    lua_pushstring(L, vr_text(e->vr));
    lua_pushstring(L, dc_dict_keyword(e));
    lua_pushboolean(L, e->retired);
    return 3;
}

/* uid_entry(uid) -> name, keyword, type ("SOP Class", ... as PS3.6 Annex A prints it); nil when not registered */
static int uid_entry(lua_State *L)
{
    size_t n;
    const char *s = luaL_checklstring(L, 1, &n);
    const dc_uid_entry *e = dc_uid_find(dc_span_make(s, n));
    if (!e)
        return 0;
    lua_pushstring(L, e->name);
    lua_pushstring(L, e->keyword);
    lua_pushstring(L, e->type);
    return 3;
}

void dc_open_dict(lua_State *L)
{
    static const luaL_Reg functions[] = { { "dict_entry", dict_entry }, { "uid_entry", uid_entry }, { NULL, NULL } };
    luaL_setfuncs(L, functions, 0);
}
