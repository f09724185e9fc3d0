/* SPDX-License-Identifier: MIT */
/* dicom.codec: the private C module over the image libraries. */
#include "../codec/codec.h"
#include "kit.h"

LUAMOD_API int luaopen_dicom_codec(lua_State *L);

static const dc_codec *const codecs[] = { &dc_codec_j2k };

/* versions() -> { [library] = version } */
static int versions(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        lua_pushstring(L, codecs[i]->version());
        lua_setfield(L, -2, codecs[i]->name);
    }
    return 1;
}

LUAMOD_API int luaopen_dicom_codec(lua_State *L)
{
    static const luaL_Reg functions[] = { { "versions", versions }, { NULL, NULL } };
    luaL_newlib(L, functions);
    return 1;
}
