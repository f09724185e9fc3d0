/* SPDX-License-Identifier: MIT */
/* core.open, core.save, core.moved: data sets and files. */
#include <errno.h>
#include <string.h>

#include "../io/file.h"
#include "core.h"
#include "dataset.h"

static int push_failure(lua_State *L, dc_status st, const dc_object *o, const char *path, const dc_file_error *error)
{
    if (st == DC_E_SYSTEM || st == DC_E_FULL) {
        dc_kit_fail_errno(L, error->number, error->call);
        lua_pushstring(L, dc_status_name(st));
        lua_setfield(L, -2, "code");
    } else {
        bool placed = o && o->status == st;
        dc_kit_fail(L, st, placed ? o->status_tag : 0, placed ? o->status_offset : UINT64_MAX, NULL);
    }
    lua_pushstring(L, path);
    lua_setfield(L, -2, "path");
    return 2;
}

/* open(path or bytes [, options]): a data set, or nil and an error. A string with a NUL byte is bytes. Options: see
   dc_check_read_options, and size. */
static int open_file(lua_State *L)
{
    dc_limits limits = DC_LIMITS_DEFAULT;
    dc_file_open_options options = { .limits = &limits };
    dc_file_error error = { 0, NULL };
    dc_object *o = NULL;
    size_t n;
    const char *path = luaL_checklstring(L, 1, &n);
    if (memchr(path, 0, n))
        return dc_core_parse(L);
    dc_check_read_options(L, 2, &options.read, &limits);
    if (lua_istable(L, 2) && lua_getfield(L, 2, "size") != LUA_TNIL)
        options.size = (uint64_t)luaL_checkinteger(L, -1);
    dc_status st = dc_file_open(path, &options, &o, &error);
    if (!st && options.read.strict)
        st = dc_check_strictly(&o->root);
    if (st) {
        int results = push_failure(L, st, o, path, &error);
        dc_object_unref(o);
        return results;
    }
    dc_push_dataset(L, o, &o->root);
    dc_object_unref(o);
    return 1;
}

/* save(dataset, path, options): true, or nil and an error. Options: see dc_check_write_options, and durable. */
static int save_file(lua_State *L)
{
    dc_file_save_options options = { { NULL, true, false, NULL }, false };
    dc_file_error error = { 0, NULL };
    dc_dataset *ds = dc_check_dataset(L, 1);
    const char *path = luaL_checkstring(L, 2);
    luaL_argcheck(L, !ds->parent, 1, "an item is saved with its data set, or copied first: dicom.dataset(item)");
    dc_check_write_options(L, 3, &options.write);
    options.write.part10 = true;
    if (lua_istable(L, 3)) {
        lua_getfield(L, 3, "durable");
        options.durable = lua_toboolean(L, -1);
    }
    dc_status st = dc_file_save(ds->object, path, &options, &error);
    if (st)
        return push_failure(L, st, ds->object, path, &error);
    lua_pushboolean(L, 1);
    return 1;
}

/* moved(dataset, path): the file it reads from was renamed by us. */
static int moved(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    const char *path = luaL_checkstring(L, 2);
    dc_source *source = ds->object->source;
    dc_status st = source && source->path ? dc_file_moved(source, path) : DC_OK;
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, path);
    lua_pushboolean(L, 1);
    return 1;
}

void dc_open_file(lua_State *L)
{
    static const luaL_Reg functions[] = { { "open", open_file }, { "save", save_file }, { "moved", moved }, { NULL, NULL } };
    luaL_setfuncs(L, functions, 0);
}
