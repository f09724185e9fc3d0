/* SPDX-License-Identifier: MIT */
/* Two data sets beside each other. */
#include "../data/recode.h"
#include "../data/same.h"
#include "core.h"
#include "values.h"

static uint32_t check_tag(lua_State *L, int arg)
{
    lua_Integer tag = luaL_checkinteger(L, arg);
    luaL_argcheck(L, tag >= 0 && tag <= UINT32_MAX, arg, "not a tag");
    return (uint32_t)tag;
}

/* same(a, b, tag): do both elements say the same?; nil, err when they cannot be read. */
static int core_same(lua_State *L)
{
    const dc_dataset *a = dc_check_dataset(L, 1), *b = dc_check_dataset(L, 2);
    uint32_t tag = check_tag(L, 3);
    const dc_element *x = dc_dataset_find(a, tag), *y = dc_dataset_find(b, tag);
    bool same = !x && !y;
    dc_status st = x && y ? dc_element_same(a, x, b, y, &same) : DC_OK;
    if (st)
        return dc_kit_fail(L, st, tag, UINT64_MAX, NULL);
    lua_pushboolean(L, same);
    return 1;
}

/* take(to, from, tag, as): the element of `from` under the tag `as`; true, or nil and an error. */
static int core_take(lua_State *L)
{
    dc_dataset *to = dc_check_dataset(L, 1);
    const dc_dataset *from = dc_check_dataset(L, 2);
    uint32_t tag = check_tag(L, 3), as = check_tag(L, 4);
    size_t before = dc_object_memory(to->object);
    dc_status st = dc_dataset_copy_element_meaning_as(to, from, tag, as);
    size_t after = dc_object_memory(to->object);
    if (st)
        return dc_kit_fail(L, st, tag, UINT64_MAX, NULL);
    dc_kit_account(L, after > before ? after - before : 0);
    lua_pushboolean(L, 1);
    return 1;
}

void dc_open_diff(lua_State *L)
{
    static const luaL_Reg functions[] = { { "same", core_same }, { "take", core_take }, { NULL, NULL } };
    luaL_setfuncs(L, functions, 0);
}
