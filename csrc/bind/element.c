/* SPDX-License-Identifier: MIT */
/* From an element to a Lua value: the type is the dictionary's, the bytes are the file's. */
#include <stdio.h>
#include <stdlib.h>

#include "values.h"

static const char several[] = "several values where the dictionary says one: the first is read";

static dc_vr_kind kind_of(dc_vr vr)
{
    return (dc_vr_kind)dc_vr_rows[vr].kind;
}

static bool is_string(dc_vr vr)
{
    return kind_of(vr) <= DC_KIND_INTEGER;
}

/* Of "US or SS" and the like: what the file says where it is one of them, else what the data set implies. */
static dc_vr resolve(const dc_dataset *ds, const dc_dict_entry *entry, dc_vr vr)
{
    bool us = vr == DC_VR_US, ss = vr == DC_VR_SS, ow = vr == DC_VR_OW;
    if (entry->vr < DC_VR_COUNT)
        return (dc_vr)entry->vr;
    if (entry->vr == DC_VR_US_SS ? us || ss : entry->vr == DC_VR_OB_OW ? ow || vr == DC_VR_OB : us || ow)
        return vr;
    if (entry->vr == DC_VR_US_SS_OW && ss)
        return vr;
    return dc_dataset_resolve_vr(ds, entry);
}

void dc_reading_init(dc_reading *r, const dc_dataset *ds, const dc_element *e, const dc_dict_entry *entry)
{
    dc_vr have = (dc_vr)e->vr, want = entry ? resolve(ds, entry, have) : have;
    if (want == DC_VR_UN || want == DC_VR_NONE)
        want = have;
    r->ds = ds;
    r->e = e;
    r->entry = entry;
    r->want = want;
    r->big = (e->flags & DC_EL_BIG) != 0;
    r->typed = entry != NULL;
    r->single = entry && dc_dict_is_single(entry);
    r->cs_known = false;
    r->bytes = dc_span_make(NULL, 0);
    bool untyped = have == DC_VR_UN || (have == DC_VR_OB && kind_of(want) != DC_KIND_BULK);
    r->vr = untyped || (is_string(want) && is_string(have)) ? want : have;
}

/* The bytes of a range as a userdata that is pushed; a Lua string would hash or copy them once more. */
static dc_status load_range(lua_State *L, const dc_object *o, uint64_t offset, uint64_t n, dc_span *out)
{
    if (n > SIZE_MAX / 2 || !o->source)
        return DC_E_MEMORY;
    uint8_t *p = lua_newuserdatauv(L, n ? (size_t)n : 1, 0);
    *out = dc_span_make(p, (size_t)n);
    return o->source->read_at(o->source, offset, p, (size_t)n);
}

dc_status dc_reading_load(lua_State *L, dc_reading *r)
{
    switch (r->e->hold) {
    case DC_HOLD_BYTES: r->bytes = dc_span_make(r->e->u.bytes, (size_t)r->e->length); return DC_OK;
    case DC_HOLD_RANGE: return load_range(L, r->ds->object, r->e->u.offset, r->e->length, &r->bytes);
    default: return DC_E_VALUE;
    }
}

static const dc_charset *charset_of(dc_reading *r)
{
    if (!r->cs_known)
        r->cs = dc_charset_of(r->ds);
    r->cs_known = true;
    return &r->cs;
}

/* No byte that a character set may read otherwise: no eighth bit, no escape, no tilde (overline in ISO_IR 13). */
static bool is_plain(dc_span s)
{
    uint8_t all = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == 0x1B || s.ptr[i] == '~')
            return false;
        all |= s.ptr[i];
    }
    return all < 0x80;
}

dc_multibyte dc_reading_multibyte(dc_reading *r)
{
    return is_plain(r->bytes) ? DC_MULTIBYTE_NONE : (dc_multibyte)charset_of(r)->multibyte;
}

uint32_t dc_reading_count(dc_reading *r)
{
    bool delimited = dc_vr_rows[r->vr].delimited;
    return dc_value_count(r->vr, r->bytes, delimited ? dc_reading_multibyte(r) : DC_MULTIBYTE_NONE);
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

static bool stands_as_it_is(dc_reading *r, dc_span s)
{
    bool text = kind_of(r->vr) == DC_KIND_TEXT;
    if (!text) {
        uint8_t all = 0;
        for (size_t i = 0; i < s.len; i++)
            all |= s.ptr[i];
        return all < 0x80;
    }
    if (is_plain(s) && (dc_vr_rows[r->vr].delimited || !memchr(s.ptr ? (const char *)s.ptr : "", '\\', s.len)))
        return true;
    return dc_charset_is_utf8_safe(charset_of(r), s);
}

static dc_status push_decoded(lua_State *L, dc_reading *r, dc_span s)
{
    if (stands_as_it_is(r, s)) {
        lua_pushlstring(L, s.len ? (const char *)s.ptr : "", s.len);
        return DC_OK;
    }
    size_t bad = 0;
    dc_buf *b = dc_bind_buf(L);
    dc_status st = dc_charset_decode(charset_of(r), r->vr, s, b, &bad);
    if (!st)
        lua_pushlstring(L, b->len ? (const char *)b->ptr : "", b->len);
    dc_buf_free(b);
    lua_remove(L, st ? -1 : -2);
    return st;
}

/* Decodes what can be decoded; U+FFFD stands for each byte that cannot. */
static void add_lossy(lua_State *L, dc_reading *r, dc_span s, dc_buf *b)
{
    while (s.len) {
        size_t bad = 0, ignored, mark = b->len;
        if (dc_charset_decode(charset_of(r), r->vr, s, b, &bad) == DC_OK || b->failed)
            break;
        bad = bad < s.len ? bad : s.len - 1;
        b->len = mark;
        if (bad && dc_charset_decode(charset_of(r), r->vr, dc_span_make(s.ptr, bad), b, &ignored))
            b->len = mark;
        dc_buf_add(b, "\xEF\xBF\xBD", 3);
        s = dc_span_make(s.ptr + bad + 1, s.len - bad - 1);
    }
    if (b->failed)
        luaL_error(L, "not enough memory");
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */

static bool wants_float(dc_vr want)
{
    return want == DC_VR_DS || dc_vr_rows[want].is_float;
}

static dc_status push_float(lua_State *L, dc_vr want, double v)
{
    lua_Integer i;
    if (wants_float(want)) {
        lua_pushnumber(L, v);
        return DC_OK;
    }
    if (!lua_numbertointeger(v, &i) || (double)i != v)
        return DC_E_VALUE;
    lua_pushinteger(L, i);
    return DC_OK;
}

static dc_status push_integer(lua_State *L, dc_vr want, int64_t v)
{
    if (wants_float(want))
        lua_pushnumber(L, (lua_Number)v);
    else
        lua_pushinteger(L, v);
    return DC_OK;
}

static dc_status push_parsed(lua_State *L, dc_reading *r, dc_span s)
{
    int64_t i;
    double d;
    if (s.len == 0) {
        lua_pushliteral(L, "");
        return DC_OK;
    }
    if (wants_float(r->want)) {
        dc_status st = dc_decimal_parse(s, &d);
        return st ? st : push_float(L, r->want, d);
    }
    dc_status st = dc_integer_parse(s, &i);
    return st ? st : push_integer(L, r->want, i);
}

static dc_status push_number(lua_State *L, dc_reading *r, uint32_t n)
{
    int64_t i;
    uint32_t tag;
    double d;
    if (r->vr == DC_VR_AT) {
        if (!dc_value_tag(r->bytes, n, r->big, &tag))
            return DC_E_VALUE;
        return push_integer(L, r->want, tag);
    }
    if (dc_vr_rows[r->vr].is_float)
        return dc_value_float(r->vr, r->bytes, n, r->big, &d) ? push_float(L, r->want, d) : DC_E_VALUE;
    return dc_value_integer(r->vr, r->bytes, n, r->big, &i) ? push_integer(L, r->want, i) : DC_E_VALUE;
}

/* Can bytes of r->vr become what the dictionary wants at all? */
static bool converts(const dc_reading *r)
{
    switch (kind_of(r->want)) {
    case DC_KIND_STRING:
    case DC_KIND_TEXT: return is_string(r->vr);
    case DC_KIND_TAG: return r->vr == DC_VR_AT || r->vr == DC_VR_UL;
    case DC_KIND_SEQUENCE: return false;
    default: return r->vr != DC_VR_AT;
    }
}

/* One value of a string VR, already found among the others. */
dc_status dc_reading_push_text(lua_State *L, dc_reading *r, dc_span s)
{
    if (!converts(r))
        return DC_E_VALUE;
    return kind_of(r->want) <= DC_KIND_TEXT ? push_decoded(L, r, s) : push_parsed(L, r, s);
}

dc_status dc_reading_push(lua_State *L, dc_reading *r, uint32_t n)
{
    dc_span s = { NULL, 0 };
    if (kind_of(r->want) == DC_KIND_UNKNOWN) {
        lua_pushlstring(L, r->bytes.len ? (const char *)r->bytes.ptr : "", r->bytes.len);
        return DC_OK;
    }
    if (!is_string(r->vr))
        return converts(r) ? push_number(L, r, n) : DC_E_VALUE;
    dc_value_text(r->vr, r->bytes, n, dc_reading_multibyte(r), &s);
    return dc_reading_push_text(L, r, s);
}

/* --- one element --------------------------------------------------------------------------------------------------- */

/* Drops what lies between `top` and the value on the top of the stack. */
static dc_status settle(lua_State *L, int top, dc_status st)
{
    if (st)
        lua_settop(L, top);
    else if (lua_gettop(L) > top + 1) {
        lua_replace(L, top + 1);
        lua_settop(L, top + 1);
    }
    return st;
}

static void note_several(const dc_reading *r)
{
    dc_object *o = r->ds->object;
    for (uint32_t i = 0; i < o->repair_count; i++)
        if (o->repairs[i].what == several && o->repairs[i].tag == r->e->tag && o->repairs[i].offset == r->e->at)
            return;
    dc_object_repair(o, several, r->e->tag, r->e->at);
}

static bool is_several(dc_reading *r)
{
    if (dc_vr_rows[r->vr].delimited)
        return r->bytes.len && memchr(r->bytes.ptr, '\\', r->bytes.len) && dc_reading_count(r) > 1;
    return !is_string(r->vr) && dc_reading_count(r) > 1;
}

/* Empty text is "", an empty number nil; a number that is only blanks is empty, too. */
static dc_status push_single(lua_State *L, dc_reading *r)
{
    int top = lua_gettop(L);
    bool text = kind_of(r->want) <= DC_KIND_TEXT;
    dc_status st = dc_reading_load(L, r);
    if (!st && r->bytes.len && is_several(r))
        note_several(r);
    if (!st && r->bytes.len == 0)
        lua_pushstring(L, text ? "" : NULL);
    else if (!st)
        st = dc_reading_push(L, r, 0);
    if (!st && !text && lua_type(L, -1) == LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    return settle(L, top, st);
}

dc_status dc_push_element(lua_State *L, const dc_key *key, int view)
{
    dc_reading r;
    const dc_element *e = key->ds ? dc_dataset_find(key->ds, key->tag) : NULL;
    if (!e) {
        lua_pushnil(L);
        return DC_OK;
    }
    dc_reading_init(&r, key->ds, e, key->entry);
    dc_vr_kind kind = kind_of(r.want);
    if (kind == DC_KIND_SEQUENCE || e->hold == DC_HOLD_ITEMS) {
        if (kind != DC_KIND_SEQUENCE || (e->hold != DC_HOLD_ITEMS && e->length))
            return DC_E_VALUE;
        dc_push_sequence(L, view, key->tag);
        return DC_OK;
    }
    if (kind == DC_KIND_UNKNOWN)
        return dc_push_raw(L, key);
    if (kind == DC_KIND_BULK || e->hold == DC_HOLD_FRAGMENTS || !r.single) {
        if (e->length && e->hold != DC_HOLD_FRAGMENTS && !converts(&r))
            return DC_E_VALUE;
        dc_push_list(L, view, key->tag, key->entry);
        return DC_OK;
    }
    return push_single(L, &r);
}

/* --- characters, all values, bytes --------------------------------------------------------------------------------- */

static void add_number(lua_State *L, dc_reading *r, uint32_t n, dc_buf *b)
{
    char text[48];
    int64_t i = 0;
    double d = 0;
    uint32_t tag = 0;
    if (r->vr == DC_VR_AT) {
        dc_value_tag(r->bytes, n, r->big, &tag);
        snprintf(text, sizeof text, "(%04X,%04X)", (unsigned)(tag >> 16), (unsigned)(tag & 0xFFFF));
    } else if (dc_vr_rows[r->vr].is_float) {
        dc_value_float(r->vr, r->bytes, n, r->big, &d);
        bool narrow = dc_vr_rows[r->vr].width == 4;
        for (int digits = narrow ? 6 : 15; digits <= (narrow ? 9 : 17); digits++) {
            snprintf(text, sizeof text, "%.*g", digits, d);
            double back = strtod(text, NULL);
            if (narrow ? (float)back == (float)d : back == d)
                break;
        }
    } else {
        dc_value_integer(r->vr, r->bytes, n, r->big, &i);
        snprintf(text, sizeof text, dc_vr_rows[r->vr].is_signed ? "%lld" : "%llu", (long long)i);
    }
    if (dc_buf_add(b, text, strlen(text)))
        luaL_error(L, "not enough memory");
}

static void add_string(lua_State *L, dc_reading *r, dc_span s, dc_buf *b)
{
    if (!stands_as_it_is(r, s))
        add_lossy(L, r, s, b);
    else if (dc_buf_add(b, s.ptr, s.len))
        luaL_error(L, "not enough memory");
}

static void add_all(lua_State *L, dc_reading *r, dc_buf *b)
{
    dc_span s;
    size_t at = 0;
    if (is_string(r->vr)) {
        dc_multibyte mb = dc_reading_multibyte(r);
        for (uint32_t i = 0; dc_value_next(r->vr, r->bytes, mb, &at, &s); i++) {
            if (i)
                dc_buf_u8(b, '\\');
            add_string(L, r, s, b);
        }
        return;
    }
    uint32_t count = dc_reading_count(r);
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            dc_buf_u8(b, '\\');
        add_number(L, r, i, b);
    }
}

dc_status dc_push_text(lua_State *L, const dc_key *key)
{
    dc_reading r;
    int top = lua_gettop(L);
    const dc_element *e = key->ds ? dc_dataset_find(key->ds, key->tag) : NULL;
    if (!e) {
        lua_pushnil(L);
        return DC_OK;
    }
    dc_reading_init(&r, key->ds, e, key->entry);
    dc_status st = kind_of(r.vr) >= DC_KIND_UNKNOWN ? DC_E_VALUE : dc_reading_load(L, &r);
    if (st)
        return settle(L, top, st);
    dc_buf *b = dc_bind_buf(L);
    add_all(L, &r, b);
    if (b->failed)
        luaL_error(L, "not enough memory");
    lua_pushlstring(L, b->len ? (const char *)b->ptr : "", b->len);
    dc_buf_free(b);
    return settle(L, top, DC_OK);
}

static void push_items(lua_State *L, const dc_key *key, const dc_element *e)
{
    lua_createtable(L, (int)e->u.items->count, 0);
    for (uint32_t i = 0; i < e->u.items->count; i++) {
        dc_push_dataset(L, key->ds->object, e->u.items->list[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

dc_status dc_reading_push_all(lua_State *L, dc_reading *r)
{
    dc_span s;
    size_t at = 0;
    bool strings = is_string(r->vr);
    uint32_t count = r->want == DC_VR_UN ? r->bytes.len > 0 : dc_reading_count(r);
    dc_multibyte mb = strings ? dc_reading_multibyte(r) : DC_MULTIBYTE_NONE;
    dc_status st = DC_OK;
    lua_createtable(L, count < INT32_MAX ? (int)count : 0, 0);
    for (uint32_t i = 0; i < count && !st; i++) {
        if (!strings)
            st = dc_reading_push(L, r, i);
        else if (dc_value_next(r->vr, r->bytes, mb, &at, &s))
            st = dc_reading_push_text(L, r, s);
        else
            break;
        if (!st)
            lua_rawseti(L, -2, i + 1);
    }
    return st;
}

dc_status dc_push_values(lua_State *L, const dc_key *key)
{
    dc_reading r;
    int top = lua_gettop(L);
    const dc_element *e = key->ds ? dc_dataset_find(key->ds, key->tag) : NULL;
    if (!e) {
        lua_pushnil(L);
        return DC_OK;
    }
    if (e->hold == DC_HOLD_ITEMS) {
        push_items(L, key, e);
        return DC_OK;
    }
    dc_reading_init(&r, key->ds, e, key->entry);
    dc_status st = dc_reading_load(L, &r);
    if (!st)
        st = dc_reading_push_all(L, &r);
    return settle(L, top, st);
}

dc_status dc_push_raw(lua_State *L, const dc_key *key)
{
    luaL_Buffer b;
    dc_status st = DC_OK;
    const dc_element *e = key->ds ? dc_dataset_find(key->ds, key->tag) : NULL;
    if (!e)
        lua_pushnil(L);
    else if (e->hold == DC_HOLD_BYTES)
        lua_pushlstring(L, e->length ? (const char *)e->u.bytes : "", (size_t)e->length);
    else if (e->hold == DC_HOLD_RANGE && e->length <= SIZE_MAX / 2) {
        int top = lua_gettop(L);
        char *to = luaL_buffinitsize(L, &b, (size_t)e->length);
        st = key->ds->object->source->read_at(key->ds->object->source, e->u.offset, to, (size_t)e->length);
        luaL_pushresultsize(&b, st ? 0 : (size_t)e->length);
        if (st)
            lua_settop(L, top);
    } else
        st = DC_E_VALUE;
    return st;
}
