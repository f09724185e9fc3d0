/* SPDX-License-Identifier: MIT */
/* What dicom.core is linked with. */
#include <zlib.h>

#include "../io/version.h"
#include "core.h"

/* versions() -> { dicom, zlib, libuv } */
static int versions(lua_State *L)
{
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, DC_VERSION);
    lua_setfield(L, -2, "dicom");
    lua_pushstring(L, zlibVersion());
    lua_setfield(L, -2, "zlib");
    lua_pushstring(L, dc_loop_version());
    lua_setfield(L, -2, "libuv");
    return 1;
}

void dc_open_version(lua_State *L)
{
    lua_pushcfunction(L, versions);
    lua_setfield(L, -2, "versions");
}
