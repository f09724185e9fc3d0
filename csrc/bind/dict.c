/* SPDX-License-Identifier: MIT */
/* The dictionaries, and text and values as they stand in files, for Lua modules that have no data set in hand. */
#include "../data/charset.h"
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

static void set_integer(lua_State *L, const char *key, lua_Integer v)
{
    lua_pushinteger(L, v);
    lua_setfield(L, -2, key);
}

static void set_string(lua_State *L, const char *key, const char *v)
{
    lua_pushstring(L, v);
    lua_setfield(L, -2, key);
}

static void set_boolean(lua_State *L, const char *key, int v)
{
    lua_pushboolean(L, v);
    lua_setfield(L, -2, key);
}

/* { tag, mask, keyword, name, vr, vm_min, vm_max (0: no limit), vm_step, retired }, or nil */
static int push_entry(lua_State *L, const dc_dict_entry *e)
{
    if (!e)
        return 0;
    lua_createtable(L, 0, 9);
    set_integer(L, "tag", e->tag);
    set_integer(L, "mask", e->mask);
    set_string(L, "keyword", dc_dict_keyword(e));
    set_string(L, "name", dc_dict_name(e));
    set_string(L, "vr", vr_text(e->vr));
    set_integer(L, "vm_min", e->vm_min);
    set_integer(L, "vm_max", e->vm_max);
    set_integer(L, "vm_step", e->vm_step);
    set_boolean(L, "retired", e->retired);
    return 1;
}

static uint32_t check_tag(lua_State *L, int arg)
{
    lua_Integer v = luaL_checkinteger(L, arg);
    luaL_argcheck(L, v >= 0 && v <= UINT32_MAX, arg, "not a tag");
    return (uint32_t)v;
}

static dc_span check_span(lua_State *L, int arg)
{
    size_t n;
    const char *s = luaL_checklstring(L, arg, &n);
    return dc_span_make(s, n);
}

static int dict_by_tag(lua_State *L)
{
    return push_entry(L, dc_dict_by_tag(check_tag(L, 1)));
}

static int dict_by_keyword(lua_State *L)
{
    dc_span s = check_span(L, 1);
    return push_entry(L, dc_dict_by_keyword((const char *)s.ptr, s.len));
}

static int dict_nearest(lua_State *L)
{
    dc_span s = check_span(L, 1);
    lua_pushstring(L, dc_dict_nearest((const char *)s.ptr, s.len));
    return 1;
}

/* dict_private(creator, tag) */
static int dict_private(lua_State *L)
{
    return push_entry(L, dc_dict_private(check_span(L, 1), check_tag(L, 2)));
}

/* uid_by_keyword("CTImageStorage") -> uid, or nil */
static int uid_by_keyword(lua_State *L)
{
    dc_span s = check_span(L, 1);
    const dc_uid_entry *e = dc_uid_by_keyword((const char *)s.ptr, s.len);
    lua_pushstring(L, e ? e->uid : NULL);
    return 1;
}

static const char *compression_name(uint8_t compression)
{
    switch (compression) {
    case DC_COMPRESSION_RLE: return "rle";
    case DC_COMPRESSION_JPEG: return "jpeg";
    case DC_COMPRESSION_JPEG_LOSSLESS: return "jpeg lossless";
    case DC_COMPRESSION_JPEG_LS: return "jpeg-ls";
    case DC_COMPRESSION_J2K: return "jpeg 2000";
    case DC_COMPRESSION_HTJ2K: return "htj2k";
    case DC_COMPRESSION_JPEG_XL: return "jpeg xl";
    case DC_COMPRESSION_DEFLATED_FRAMES: return "deflated frames";
    case DC_COMPRESSION_VIDEO: return "video";
    case DC_COMPRESSION_OTHER: return "other";
    default: return "none";
    }
}

/* syntax(uid) -> { uid, keyword, name, explicit_vr, big_endian, deflated, encapsulated, compression, retired }, or nil */
static int syntax(lua_State *L)
{
    const dc_syntax *s = dc_syntax_find(check_span(L, 1));
    if (!s)
        return 0;
    lua_createtable(L, 0, 9);
    set_string(L, "uid", s->uid);
    set_string(L, "keyword", s->keyword);
    set_string(L, "name", s->name);
    set_boolean(L, "explicit_vr", s->explicit_vr);
    set_boolean(L, "big_endian", s->big_endian);
    set_boolean(L, "deflated", s->deflated);
    set_boolean(L, "encapsulated", s->encapsulated);
    set_string(L, "compression", compression_name(s->compression));
    set_boolean(L, "retired", s->retired);
    return 1;
}

static dc_vr check_vr(lua_State *L, int arg)
{
    dc_span s = check_span(L, arg);
    dc_vr vr = s.len == 2 ? dc_vr_find(s.ptr) : DC_VR_NONE;
    luaL_argcheck(L, vr != DC_VR_NONE, arg, "not a VR");
    return vr;
}

/* vr(name) -> the row of PS3.5 table 6.2-1 */
static int vr_row(lua_State *L)
{
    const dc_vr_row *r = &dc_vr_rows[check_vr(L, 1)];
    lua_createtable(L, 0, 8);
    set_integer(L, "kind", r->kind);
    set_integer(L, "width", r->width);
    set_boolean(L, "is_signed", r->is_signed);
    set_boolean(L, "is_float", r->is_float);
    set_boolean(L, "long_header", r->long_header);
    set_boolean(L, "delimited", r->delimited);
    set_boolean(L, "trim_leading", r->trim_leading);
    set_integer(L, "pad", r->pad);
    set_integer(L, "longest", r->longest);
    return 1;
}

/* Pushes what a coding gave, or nil and an error. Frees the buffer either way. */
static int push_text(lua_State *L, dc_status st, dc_buf *out, uint64_t offset)
{
    if (st == DC_OK)
        lua_pushlstring(L, out->ptr ? (const char *)out->ptr : "", out->len);
    dc_buf_free(out);
    return st == DC_OK ? 1 : dc_kit_fail(L, st, 0, offset, NULL);
}

/* text_decode(specific_character_set, vr, bytes) -> UTF-8 | nil, err. One value. */
static int text_decode(lua_State *L)
{
    dc_charset cs = dc_charset_parse(check_span(L, 1));
    dc_vr vr = check_vr(L, 2);
    dc_span text = check_span(L, 3);
    dc_buf out;
    size_t bad = 0;
    dc_buf_init(&out);
    dc_status st = dc_charset_decode(&cs, vr, text, &out, &bad);
    return push_text(L, st, &out, bad);
}

/* text_encode(specific_character_set, vr, utf8) -> bytes | nil, err */
static int text_encode(lua_State *L)
{
    dc_charset cs = dc_charset_parse(check_span(L, 1));
    dc_vr vr = check_vr(L, 2);
    dc_span text = check_span(L, 3);
    dc_buf out;
    dc_buf_init(&out);
    dc_status st = dc_charset_encode(&cs, vr, text, &out);
    return push_text(L, st, &out, UINT64_MAX);
}

/* charset_known(specific_character_set) -> every term is a defined one */
static int charset_known(lua_State *L)
{
    lua_pushboolean(L, dc_charset_parse(check_span(L, 1)).known);
    return 1;
}

/* value_split(specific_character_set, vr, bytes) -> { bytes of each value, trimmed } */
static int value_split(lua_State *L)
{
    dc_charset cs = dc_charset_parse(check_span(L, 1));
    dc_vr vr = check_vr(L, 2);
    dc_span bytes = check_span(L, 3), value;
    size_t at = 0;
    lua_newtable(L);
    for (lua_Integer i = 1; dc_value_next(vr, bytes, (dc_multibyte)cs.multibyte, &at, &value); i++) {
        lua_pushlstring(L, (const char *)value.ptr, value.len);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

/* value_numbers(vr, bytes, big) -> { numbers } of a binary VR or AT */
static int value_numbers(lua_State *L)
{
    dc_vr vr = check_vr(L, 1);
    dc_span bytes = check_span(L, 2);
    bool big = lua_toboolean(L, 3);
    uint32_t count = dc_value_count(vr, bytes, DC_MULTIBYTE_NONE);
    lua_newtable(L);
    for (uint32_t i = 0; i < count; i++) {
        int64_t v;
        double f;
        uint32_t tag;
        if (vr == DC_VR_AT && dc_value_tag(bytes, i, big, &tag))
            lua_pushinteger(L, tag);
        else if (dc_value_integer(vr, bytes, i, big, &v))
            lua_pushinteger(L, v);
        else if (dc_value_float(vr, bytes, i, big, &f))
            lua_pushnumber(L, f);
        else
            break;
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* value_count(specific_character_set, vr, bytes) */
static int value_count(lua_State *L)
{
    dc_charset cs = dc_charset_parse(check_span(L, 1));
    dc_vr vr = check_vr(L, 2);
    lua_pushinteger(L, dc_value_count(vr, check_span(L, 3), (dc_multibyte)cs.multibyte));
    return 1;
}

/* value_check(vr, text) -> true | nil, err */
static int value_check(lua_State *L)
{
    dc_vr vr = check_vr(L, 1);
    dc_status st = dc_value_check(vr, check_span(L, 2));
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, dc_vr_rows[vr].name);
    lua_pushboolean(L, 1);
    return 1;
}

/* decimal_format(number) -> text of a DS; nil for inf and nan */
static int decimal_format(lua_State *L)
{
    char text[DC_DECIMAL_SIZE + 1];
    size_t n = dc_decimal_format(luaL_checknumber(L, 1), text);
    lua_pushstring(L, n ? text : NULL);
    return 1;
}

/* decimal_parse(text) -> number | nil, err */
static int decimal_parse(lua_State *L)
{
    double v;
    dc_status st = dc_decimal_parse(check_span(L, 1), &v);
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, "DS");
    lua_pushnumber(L, v);
    return 1;
}

/* integer_parse(text) -> integer | nil, err */
static int integer_parse(lua_State *L)
{
    int64_t v;
    dc_status st = dc_integer_parse(check_span(L, 1), &v);
    if (st)
        return dc_kit_fail(L, st, 0, UINT64_MAX, "IS");
    lua_pushinteger(L, v);
    return 1;
}

void dc_open_dict(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "charset_known", charset_known }, { "decimal_format", decimal_format }, { "decimal_parse", decimal_parse },
        { "dict_by_keyword", dict_by_keyword }, { "dict_by_tag", dict_by_tag }, { "dict_entry", dict_entry },
        { "dict_nearest", dict_nearest }, { "dict_private", dict_private }, { "integer_parse", integer_parse },
        { "syntax", syntax }, { "text_decode", text_decode }, { "text_encode", text_encode },
        { "uid_by_keyword", uid_by_keyword }, { "uid_entry", uid_entry }, { "value_check", value_check },
        { "value_count", value_count }, { "value_numbers", value_numbers }, { "value_split", value_split },
        { "vr", vr_row }, { NULL, NULL }
    };
    luaL_setfuncs(L, functions, 0);
}
