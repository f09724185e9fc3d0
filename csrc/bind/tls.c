/* SPDX-License-Identifier: MIT */
/* dicom.tls: the private C module over OpenSSL. */
#include "../crypt/hmac.h"
#include "kit.h"

LUAMOD_API int luaopen_dicom_tls(lua_State *L);

static dc_span check_bytes(lua_State *L, int arg)
{
    size_t n;
    const char *s = luaL_checklstring(L, arg, &n);
    return dc_span_make(s, n);
}

/* hmac_sha256(key, message) -> 32 bytes */
static int hmac_sha256(lua_State *L)
{
    uint8_t out[DC_HMAC_SHA256_SIZE];
    dc_status st = dc_hmac_sha256(check_bytes(L, 1), check_bytes(L, 2), out);
    if (st)
        return dc_kit_raise(L, st, 0, UINT64_MAX, "HMAC-SHA-256");
    lua_pushlstring(L, (const char *)out, sizeof out);
    return 1;
}

/* versions() -> { openssl } */
static int versions(lua_State *L)
{
    lua_createtable(L, 0, 1);
    lua_pushstring(L, dc_crypt_version());
    lua_setfield(L, -2, "openssl");
    return 1;
}

LUAMOD_API int luaopen_dicom_tls(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "hmac_sha256", hmac_sha256 },
        { "versions", versions },
        { NULL, NULL },
    };
    luaL_newlib(L, functions);
    return 1;
}
