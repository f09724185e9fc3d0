/* SPDX-License-Identifier: MIT */
/* Keys of data sets: keywords, tags, and paths such as Seq[2].CodeValue or Seq[CodeValue='X'].CodeMeaning. */
#include <ctype.h>
#include "values.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool hex16(const char *s, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(s[i]);
        if (d < 0)
            return false;
        v = v << 4 | (uint32_t)d;
    }
    *out = v;
    return true;
}

bool dc_keyword_key(const char *s, size_t n, dc_key *key)
{
    key->entry = dc_dict_by_keyword(s, n);
    if (!key->entry)
        return false;
    key->tag = key->entry->tag;
    return true;
}

bool dc_tag_key(const dc_dataset *ds, const char *s, size_t n, dc_key *key)
{
    uint32_t group, element;
    if (n == 11 && s[0] == '(' && s[10] == ')') {
        s++;
        n = 9;
    }
    bool comma = n == 9 && s[4] == ',';
    if (!(comma || n == 8) || !hex16(s, &group) || !hex16(s + (comma ? 5 : 4), &element))
        return false;
    key->tag = DC_TAG(group, element);
    key->entry = dc_dataset_entry(ds, key->tag);
    return true;
}

/* Told back only what looks like a keyword: a key that was computed may be a patient's name, and errors are logged. */
static bool is_word(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '_')
            return false;
    return n > 0 && n <= 64;
}

int dc_unknown_key(lua_State *L, const char *s, size_t n)
{
    if (!is_word(s, n))
        return dc_kit_usage(L, "neither a keyword nor a tag: a key is PatientName, 0x00100010, \"0010,0010\" or a path");
    lua_pushlstring(L, s, n > 64 ? 64 : n);
    return dc_kit_usage(L, "unknown keyword '%s'; the nearest is '%s'", lua_tostring(L, -1), dc_dict_nearest(s, n));
}

void dc_check_group(lua_State *L, const dc_key *key)
{
    uint32_t group = key->tag >> 16;
    bool meta = key->ds == &key->ds->object->meta;
    if (meta && group != 2)
        dc_kit_usage(L, "the file meta holds group 0002 alone");
    if (meta)
        return;
    if (group == 2)
        dc_kit_usage(L, "group 0002 is the file meta: use ds.meta");
    if (group == 0)
        dc_kit_usage(L, "group 0000 belongs to messages, not to data sets (PS3.7 6.3)");
    if (group == 1 || group == 3 || group == 5 || group == 7 || group >= 0xFFFE)
        dc_kit_usage(L, "group %s is not one of a data set (PS3.5 7.1, 7.8)", group >= 0xFFFE ? "FFFE or FFFF" : "0001 to 0007");
}

const char *dc_keyword_of(uint32_t tag, const dc_dict_entry *entry)
{
    if (!entry || entry->tag != tag)
        return "";
    const char *keyword = dc_dict_keyword(entry);
    return dc_dict_by_keyword(keyword, strlen(keyword)) == entry ? keyword : "";
}

static void push_tag(lua_State *L, uint32_t tag)
{
    char text[10];
    static const char digits[] = "0123456789ABCDEF";
    for (int i = 0, at = 0; i < 8; i++, at++) {
        if (i == 4)
            text[at++] = ',';
        text[at] = digits[tag >> (28 - 4 * i) & 15];
    }
    lua_pushlstring(L, text, 9);
}

void dc_push_key(lua_State *L, uint32_t tag, const dc_dict_entry *entry)
{
    const char *keyword = dc_keyword_of(tag, entry);
    if (*keyword)
        lua_pushstring(L, keyword);
    else
        push_tag(L, tag);
}

/* --- paths --------------------------------------------------------------------------------------------------------- */

typedef struct path {
    lua_State *L;
    const char *at, *end, *whole;
    bool create;
    dc_guard *made; /* the outermost creation holds the others */
} path;

static int bad_path(const path *p, const char *what)
{
    return dc_kit_usage(p->L, "path '%s': %s", p->whole, what);
}

/* The name at the front: up to one of the stop characters. */
static void take_name(path *p, const dc_dataset *ds, dc_key *key)
{
    const char *s = p->at;
    while (p->at < p->end && !strchr(".[]=", *p->at))
        p->at++;
    size_t n = (size_t)(p->at - s);
    if (n == 0)
        bad_path(p, "a keyword is missing");
    if (!dc_keyword_key(s, n, key) && !dc_tag_key(ds, s, n, key))
        dc_unknown_key(p->L, s, n);
}

static dc_items *items_of(const dc_dataset *ds, uint32_t tag)
{
    const dc_element *e = ds ? dc_dataset_find(ds, tag) : NULL;
    return e && e->hold == DC_HOLD_ITEMS ? e->u.items : NULL;
}

static dc_dataset *new_item(path *p, dc_dataset *ds, const dc_key *step)
{
    dc_key key = { ds, step->tag, step->entry, NULL };
    dc_dataset *item = NULL;
    dc_items *items = items_of(ds, step->tag);
    uint32_t count = items ? items->count : 0;
    dc_check_group(p->L, &key);
    if (!items && dc_assign_vr(p->L, &key, DC_VR_NONE) != DC_VR_SQ)
        bad_path(p, "an index needs a sequence");
    dc_guard *guard = p->made ? NULL : dc_push_guard(p->L, ds, step->tag, count);
    dc_status st = items ? DC_OK : dc_dataset_set_sequence(ds, step->tag);
    if (!st)
        st = dc_dataset_insert_item(ds, step->tag, count, &item);
    if (st)
        dc_raise_at(p->L, ds, st, step->tag);
    if (guard) {
        guard->count = 1;
        p->made = guard;
    }
    return item;
}

static dc_dataset *by_index(path *p, dc_dataset *ds, const dc_key *step)
{
    lua_Integer n = 0;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9' && n < UINT32_MAX; p->at++)
        n = n * 10 + (*p->at - '0');
    if (n == 0)
        bad_path(p, "items count from 1");
    dc_items *items = items_of(ds, step->tag);
    lua_Integer count = items ? items->count : 0;
    if (n <= count)
        return items->list[n - 1];
    if (!p->create || !ds)
        return NULL;
    if (n > count + 1)
        bad_path(p, "an item before this one is missing");
    return new_item(p, ds, step);
}

/* The item in which `key` has the wanted text. */
static dc_dataset *with_text(path *p, const dc_items *items, dc_key *key, const char *s, size_t n)
{
    for (uint32_t i = 0; items && i < items->count; i++) {
        size_t len;
        key->ds = items->list[i];
        if (dc_push_text(p->L, key) != DC_OK)
            continue;
        const char *text = lua_tolstring(p->L, -1, &len);
        bool same = text && len == n && memcmp(text, s, n) == 0;
        lua_pop(p->L, 1);
        if (same)
            return items->list[i];
    }
    return NULL;
}

static dc_dataset *by_selector(path *p, dc_dataset *ds, const dc_key *step)
{
    dc_key key = { NULL, 0, NULL, NULL };
    take_name(p, ds ? ds : NULL, &key);
    if (p->end - p->at < 3 || *p->at != '=' || !(p->at[1] == '\'' || p->at[1] == '"'))
        bad_path(p, "a selector is [n] or [Keyword='text']");
    const char *s = p->at + 2, *quote = memchr(s, p->at[1], (size_t)(p->end - s));
    if (!quote)
        return bad_path(p, "a quote is not closed"), NULL;
    p->at = quote + 1;
    dc_dataset *item = with_text(p, items_of(ds, step->tag), &key, s, (size_t)(quote - s));
    if (item || !p->create || !ds)
        return item;
    item = new_item(p, ds, step);
    key.ds = item;
    lua_pushlstring(p->L, s, (size_t)(quote - s));
    dc_assign(p->L, &key, lua_gettop(p->L), DC_VR_NONE);
    lua_pop(p->L, 1);
    return item;
}

static dc_dataset *take_item(path *p, dc_dataset *ds, const dc_key *step)
{
    const char *s = ++p->at;
    while (s < p->end && *s >= '0' && *s <= '9')
        s++;
    bool index = s > p->at && (s == p->end || *s == ']' || *s == '.'); /* a tag goes on: 0008,0100='A' */
    dc_dataset *item = index ? by_index(p, ds, step) : by_selector(p, ds, step);
    if (p->at >= p->end || *p->at != ']')
        bad_path(p, "']' is missing");
    p->at++;
    return item;
}

static void walk_path(path *p, dc_dataset *ds, dc_key *key)
{
    dc_dataset *root = ds; /* private creators of absent items are unknown: any data set will do for names */
    for (;;) {
        take_name(p, ds ? ds : root, key);
        key->ds = ds;
        if (p->at == p->end)
            return;
        if (*p->at != '[')
            bad_path(p, "a sequence needs an index: Sequence[1].Keyword");
        ds = take_item(p, ds, key);
        if (p->at == p->end) {
            key->ds = ds;
            key->tag = 0;
            return;
        }
        if (*p->at++ != '.')
            bad_path(p, "'.' is missing");
    }
}

void dc_check_key(lua_State *L, dc_dataset *ds, int arg, bool create, dc_key *key)
{
    size_t n;
    key->ds = ds;
    key->made = NULL;
    if (lua_isinteger(L, arg)) {
        lua_Integer tag = lua_tointeger(L, arg);
        luaL_argcheck(L, tag >= 0 && tag <= UINT32_MAX, arg, "a tag is 0xggggeeee");
        key->tag = (uint32_t)tag;
        key->entry = dc_dataset_entry(ds, key->tag);
        return;
    }
    if (lua_type(L, arg) != LUA_TSTRING)
        dc_kit_usage(L, "a key is a keyword, a tag or a path, got %s", luaL_typename(L, arg));
    const char *s = lua_tolstring(L, arg, &n);
    if (dc_keyword_key(s, n, key) || dc_tag_key(ds, s, n, key))
        return;
    if (!memchr(s, '[', n) && !memchr(s, '.', n))
        dc_unknown_key(L, s, n);
    path p = { L, s, s + n, s, create, NULL };
    walk_path(&p, ds, key);
    key->made = p.made;
}
