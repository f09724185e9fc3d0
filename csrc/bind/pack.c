/* SPDX-License-Identifier: MIT */
/* One Lua value to the bytes of one value of a VR, its form checked. Messages never hold the value: patient data. */
#include <math.h>
#include <stdio.h>

#include "values.h"

static const dc_vr_row *row_of(dc_vr vr)
{
    return &dc_vr_rows[vr];
}

/* What PS3.5 table 6.2-1 asks, in a few words. */
static const char *rule_of(dc_vr vr)
{
    switch (vr) {
    case DC_VR_AE: return "1 to 16 characters, no backslash or control character, not only spaces";
    case DC_VR_AS: return "three digits and D, W, M or Y";
    case DC_VR_CS: return "at most 16 of A-Z, 0-9, space and underscore";
    case DC_VR_DA: return "YYYYMMDD";
    case DC_VR_DS: return "a decimal number in at most 16 characters";
    case DC_VR_DT: return "YYYYMMDDHHMMSS.FFFFFF&ZZXX, right parts optional";
    case DC_VR_IS: return "an integer from -2147483648 to 2147483647";
    case DC_VR_LO: return "at most 64 characters, no control characters";
    case DC_VR_LT: return "at most 10240 characters";
    case DC_VR_PN: return "at most 3 groups of 64 characters, 5 components each, no control characters";
    case DC_VR_SH: return "at most 16 characters, no control characters";
    case DC_VR_ST: return "at most 1024 characters";
    case DC_VR_TM: return "HHMMSS.FFFFFF, right parts optional";
    case DC_VR_UI: return "at most 64 digits and dots, no component with a leading zero";
    case DC_VR_UR: return "a URI without spaces in front";
    default: return "characters of its repertoire";
    }
}

static const char *expected(dc_vr vr)
{
    switch (row_of(vr)->kind) {
    case DC_KIND_STRING:
    case DC_KIND_TEXT: return "a string";
    case DC_KIND_DECIMAL: return "a number";
    case DC_KIND_INTEGER: return "an integer";
    case DC_KIND_BINARY: return row_of(vr)->is_float ? "a number" : "an integer";
    case DC_KIND_TAG: return "a tag (0xggggeeee or a keyword)";
    case DC_KIND_BULK: return "a string of bytes or a list of numbers";
    case DC_KIND_SEQUENCE: return "a list of data sets or tables";
    default: return "a string of bytes";
    }
}

static const char *type_of(lua_State *L, int value)
{
    if (luaL_getmetafield(L, value, "__name") == LUA_TSTRING)
        return lua_tostring(L, -1);
    return luaL_typename(L, value);
}

int dc_wrong_type(lua_State *L, const dc_key *key, dc_vr vr, int value)
{
    const char *got = type_of(L, value);
    bool list = row_of(vr)->kind != DC_KIND_SEQUENCE && row_of(vr)->kind < DC_KIND_BULK &&
                !(key->entry && dc_dict_is_single(key->entry));
    dc_push_key(L, key->tag, key->entry);
    return dc_kit_usage(L, "%s (%s) takes %s%s, got %s", lua_tostring(L, -1), row_of(vr)->name, expected(vr),
                        list ? " or a list of them" : "", got);
}

int dc_bad_value(lua_State *L, const dc_key *key, dc_vr vr, const char *rule)
{
    dc_push_key(L, key->tag, key->entry);
    lua_pushfstring(L, "%s is %s: %s", lua_tostring(L, -1), row_of(vr)->name, rule ? rule : rule_of(vr));
    return dc_kit_raise(L, DC_E_VALUE, key->tag, UINT64_MAX, lua_tostring(L, -1));
}

static dc_span pack_string(lua_State *L, const dc_key *key, dc_vr vr, int value)
{
    size_t n;
    if (lua_type(L, value) != LUA_TSTRING)
        dc_wrong_type(L, key, vr, value);
    const char *s = lua_tolstring(L, value, &n);
    dc_span text = dc_span_make(s, n);
    if (row_of(vr)->delimited && memchr(s, '\\', n))
        dc_bad_value(L, key, vr, "a backslash separates values; give several values as a list: { \"A\", \"B\" }");
    if (!dc_utf8_valid(text))
        dc_bad_value(L, key, vr, "text is given in UTF-8");
    if (dc_value_check(vr, text))
        dc_bad_value(L, key, vr, NULL);
    return text;
}

/* The integer at `value`, also from a float without a fraction. */
static lua_Integer check_integer(lua_State *L, const dc_key *key, dc_vr vr, int value)
{
    int is = 0;
    lua_Integer v = lua_type(L, value) == LUA_TNUMBER ? lua_tointegerx(L, value, &is) : 0;
    if (!is && lua_type(L, value) == LUA_TNUMBER)
        dc_bad_value(L, key, vr, "a number without a fraction");
    if (!is)
        dc_wrong_type(L, key, vr, value);
    return v;
}

static dc_span pack_decimal(lua_State *L, const dc_key *key, dc_vr vr, int value, uint8_t *scratch)
{
    if (lua_type(L, value) == LUA_TSTRING)
        return pack_string(L, key, vr, value);
    if (lua_type(L, value) != LUA_TNUMBER)
        dc_wrong_type(L, key, vr, value);
    size_t n = dc_decimal_format(lua_tonumber(L, value), (char *)scratch);
    if (n == 0)
        dc_bad_value(L, key, vr, "a finite number");
    return dc_span_make(scratch, n);
}

static dc_span pack_integer(lua_State *L, const dc_key *key, dc_vr vr, int value, uint8_t *scratch)
{
    if (lua_type(L, value) == LUA_TSTRING)
        return pack_string(L, key, vr, value);
    lua_Integer v = check_integer(L, key, vr, value);
    if (v < INT32_MIN || v > INT32_MAX)
        dc_bad_value(L, key, vr, NULL);
    return dc_span_make(scratch, (size_t)snprintf((char *)scratch, DC_PACK_SIZE, "%d", (int)v));
}

static dc_span pack_float(lua_State *L, const dc_key *key, dc_vr vr, int value, uint8_t *scratch)
{
    uint64_t bits;
    uint32_t half;
    if (lua_type(L, value) != LUA_TNUMBER)
        dc_wrong_type(L, key, vr, value);
    double v = lua_tonumber(L, value);
    float narrow = (float)v;
    if (row_of(vr)->width == 8) {
        memcpy(&bits, &v, sizeof bits);
        dc_put64(scratch, bits, false);
        return dc_span_make(scratch, 8);
    }
    if (isfinite(v) && !isfinite(narrow))
        dc_bad_value(L, key, vr, "a number that 32 bits can hold");
    memcpy(&half, &narrow, sizeof half);
    dc_put32(scratch, half, false);
    return dc_span_make(scratch, 4);
}

static dc_span pack_fixed(lua_State *L, const dc_key *key, dc_vr vr, int value, uint8_t *scratch)
{
    unsigned width = row_of(vr)->width, bits = width * 8;
    lua_Integer v = check_integer(L, key, vr, value);
    if (width < 8) {
        lua_Integer low = row_of(vr)->is_signed ? -((lua_Integer)1 << (bits - 1)) : 0;
        lua_Integer high = low + ((lua_Integer)1 << bits) - 1;
        if (v < low || v > high) {
            lua_pushfstring(L, "an integer from %I to %I", (LUAI_UACINT)low, (LUAI_UACINT)high);
            dc_bad_value(L, key, vr, lua_tostring(L, -1));
        }
    }
    uint8_t all[8];
    dc_put64(all, (uint64_t)v, false);
    memcpy(scratch, all, width);
    return dc_span_make(scratch, width);
}

static dc_span pack_tag(lua_State *L, const dc_key *key, int value, uint8_t *scratch)
{
    dc_key named = { key->ds, 0, NULL, NULL };
    lua_Integer v = 0;
    if (lua_type(L, value) == LUA_TSTRING) {
        size_t n;
        const char *s = lua_tolstring(L, value, &n);
        if (!dc_keyword_key(s, n, &named) && !dc_tag_key(key->ds, s, n, &named))
            dc_unknown_key(L, s, n);
        v = named.tag;
    } else {
        v = check_integer(L, key, DC_VR_AT, value);
        if (v < 0 || v > UINT32_MAX)
            dc_bad_value(L, key, DC_VR_AT, "a tag is 0xggggeeee");
    }
    dc_put16(scratch, (uint16_t)(v >> 16), false);
    dc_put16(scratch + 2, (uint16_t)v, false);
    return dc_span_make(scratch, 4);
}

dc_span dc_pack(lua_State *L, const dc_key *key, dc_vr vr, int value, uint8_t *scratch)
{
    size_t n;
    value = lua_absindex(L, value);
    const dc_vr_row *row = row_of(vr);
    switch (row->kind) {
    case DC_KIND_STRING:
    case DC_KIND_TEXT: return pack_string(L, key, vr, value);
    case DC_KIND_DECIMAL: return pack_decimal(L, key, vr, value, scratch);
    case DC_KIND_INTEGER: return pack_integer(L, key, vr, value, scratch);
    case DC_KIND_TAG: return pack_tag(L, key, value, scratch);
    case DC_KIND_BINARY:
    case DC_KIND_BULK:
        if (lua_type(L, value) != LUA_TNUMBER)
            dc_wrong_type(L, key, vr, value);
        return row->is_float ? pack_float(L, key, vr, value, scratch) : pack_fixed(L, key, vr, value, scratch);
    default:
        if (lua_type(L, value) != LUA_TSTRING)
            dc_wrong_type(L, key, vr, value);
        const char *s = lua_tolstring(L, value, &n);
        return dc_span_make(s, n);
    }
}
