/* SPDX-License-Identifier: MIT */
/* Several values as a live list: it names its element and looks at the bytes at each use. Bulk data is the same list
   over numbers of fixed width; nothing of it is ever boxed but the value asked for. */
#include "core.h"
#include "values.h"

enum { WINDOW = 64 << 10 }; /* what is read of a value that stays in its file */

typedef struct list {
    const dc_dataset_view *owner; /* the data set's userdata, kept by the first user value */
    const dc_dict_entry *entry;
    uint32_t tag;
    /* The value found last in delimited text: walking a list is linear. Void when the object has changed. */
    uint32_t changes, next; /* next: number of the value that starts at `at`; 0: nothing remembered */
    dc_multibyte multibyte;
    size_t at, before; /* before: where the value in front of it starts, as one is often asked for twice */
    /* A part of a range, in the second user value. */
    uint64_t window_at, window_offset;
    size_t window_length;
} list;

void dc_push_list(lua_State *L, int view, uint32_t tag, const dc_dict_entry *entry)
{
    view = lua_absindex(L, view);
    list *l = lua_newuserdatauv(L, sizeof *l, 2);
    memset(l, 0, sizeof *l);
    l->owner = lua_touserdata(L, view);
    l->tag = tag;
    l->entry = entry;
    lua_pushvalue(L, view);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, DC_LIST);
}

static list *self(lua_State *L, dc_dataset **ds)
{
    list *l = luaL_checkudata(L, 1, DC_LIST);
    *ds = dc_view_node(L, l->owner);
    return l;
}

const dc_dataset *dc_list_source(lua_State *L, int arg, uint32_t *tag)
{
    const list *l = luaL_testudata(L, arg, DC_LIST);
    if (!l)
        return NULL;
    *tag = l->tag;
    return dc_view_node(L, l->owner);
}

static bool is_string(dc_vr vr)
{
    return dc_vr_rows[vr].kind <= DC_KIND_INTEGER;
}

static int fail(lua_State *L, const dc_reading *r, dc_status st)
{
    return dc_raise_at(L, r->ds, st, r->e->tag);
}

/* False when there is no element, or it holds no list of values. */
static bool start(const list *l, const dc_dataset *ds, dc_reading *r)
{
    const dc_element *e = dc_dataset_find(ds, l->tag);
    if (!e || e->hold == DC_HOLD_ITEMS)
        return false;
    dc_reading_init(r, ds, e, l->entry);
    return true;
}

/* The bytes of a text, from its file only once. */
static void load_text(lua_State *L, list *l, dc_reading *r)
{
    const dc_element *e = r->e;
    if (e->hold == DC_HOLD_RANGE && l->window_length == e->length && l->window_offset == e->u.offset && l->window_at == 0) {
        lua_getiuservalue(L, 1, 2);
        r->bytes = dc_span_make(lua_touserdata(L, -1), l->window_length);
        return;
    }
    dc_status st = dc_reading_load(L, r);
    if (st)
        fail(L, r, st);
    if (e->hold != DC_HOLD_RANGE)
        return;
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, 2);
    l->window_at = 0;
    l->window_offset = e->u.offset;
    l->window_length = (size_t)e->length;
}

/* --- fragments of encapsulated pixel data -------------------------------------------------------------------------- */

static void push_fragment(lua_State *L, const dc_reading *r, uint32_t i)
{
    luaL_Buffer b;
    const dc_fragment *f = &r->e->u.fragments->list[i];
    const dc_object *o = r->ds->object;
    if (f->bytes || f->length == 0) {
        lua_pushlstring(L, f->length ? (const char *)f->bytes : "", f->length);
        return;
    }
    char *to = luaL_buffinitsize(L, &b, f->length);
    dc_status st = o->source->read_at(o->source, f->offset, to, f->length);
    luaL_pushresultsize(&b, st ? 0 : f->length);
    if (st)
        fail(L, r, st);
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

static uint64_t count_values(lua_State *L, list *l, dc_reading *r)
{
    int top = lua_gettop(L);
    if (r->e->hold == DC_HOLD_FRAGMENTS)
        return r->e->u.fragments->count ? r->e->u.fragments->count - 1 : 0;
    if (!is_string(r->vr))
        return r->e->length / (r->vr == DC_VR_AT ? 4 : dc_vr_rows[r->vr].width);
    load_text(L, l, r);
    uint64_t n = dc_reading_count(r);
    lua_settop(L, top);
    return n;
}

/* Bytes around the n-th number of a range: `r` then sees the window alone. */
static uint64_t look_through_window(lua_State *L, list *l, dc_reading *r, uint64_t n)
{
    const dc_element *e = r->e;
    dc_source *source = r->ds->object->source;
    unsigned width = r->vr == DC_VR_AT ? 4 : dc_vr_rows[r->vr].width;
    uint64_t at = n * width - n * width % WINDOW;
    size_t length = e->length - at < WINDOW ? (size_t)(e->length - at) : WINDOW;
    bool seen = l->window_length == length && l->window_at == at && l->window_offset == e->u.offset;
    if (!seen) {
        l->window_length = 0;
        void *p = lua_newuserdatauv(L, WINDOW, 0);
        dc_status st = source->read_at(source, e->u.offset + at, p, length);
        if (st)
            fail(L, r, st);
        lua_setiuservalue(L, 1, 2);
        l->window_at = at;
        l->window_offset = e->u.offset;
        l->window_length = length;
    }
    lua_getiuservalue(L, 1, 2);
    r->bytes = dc_span_make(lua_touserdata(L, -1), length);
    return n - at / width;
}

static dc_status push_number(lua_State *L, list *l, dc_reading *r, uint64_t n)
{
    if (r->e->hold == DC_HOLD_RANGE)
        n = look_through_window(L, l, r, n);
    else
        r->bytes = dc_span_make(r->e->u.bytes, (size_t)r->e->length);
    return n > UINT32_MAX ? DC_E_VALUE : dc_reading_push(L, r, (uint32_t)n);
}

/* Walks on from where the last read ended. */
static dc_status push_string(lua_State *L, list *l, dc_reading *r, uint32_t n)
{
    dc_span s = { NULL, 0 };
    load_text(L, l, r);
    if (l->changes != r->ds->object->changes || l->next == 0) {
        l->changes = r->ds->object->changes;
        l->multibyte = dc_reading_multibyte(r);
        l->next = 0;
    }
    if (l->next == n + 1) {
        l->next = n;
        l->at = l->before;
    } else if (l->next > n) {
        l->next = 0;
    }
    if (l->next == 0)
        l->at = 0;
    while (l->next <= n) {
        l->before = l->at;
        if (!dc_value_next(r->vr, r->bytes, l->multibyte, &l->at, &s)) {
            l->next = 0;
            return DC_DONE;
        }
        l->next++;
    }
    return dc_reading_push_text(L, r, s);
}

/* Pushes the i-th value, counted from 1, or nothing. */
static bool push_value(lua_State *L, list *l, dc_dataset *ds, lua_Integer i)
{
    dc_reading r;
    dc_status st;
    if (i < 0 || !start(l, ds, &r))
        return false;
    if (r.e->hold == DC_HOLD_FRAGMENTS) {
        if ((uint64_t)i >= r.e->u.fragments->count)
            return false;
        push_fragment(L, &r, (uint32_t)i);
        return true;
    }
    if (i < 1 || i > UINT32_MAX)
        return false;
    if (is_string(r.vr))
        st = push_string(L, l, &r, (uint32_t)i - 1);
    else if ((uint64_t)i > count_values(L, l, &r))
        return false;
    else
        st = push_number(L, l, &r, (uint64_t)i - 1);
    if (st < 0)
        fail(L, &r, st);
    return st == DC_OK;
}

static int list_index(lua_State *L)
{
    dc_dataset *ds;
    if (lua_isinteger(L, 2)) {
        list *l = self(L, &ds);
        return push_value(L, l, ds, lua_tointeger(L, 2));
    }
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING)
        return dc_kit_usage(L, "a list of values has no '%s'", lua_tostring(L, 2));
    return 1;
}

static int list_len(lua_State *L)
{
    dc_dataset *ds;
    dc_reading r;
    list *l = self(L, &ds);
    lua_pushinteger(L, start(l, ds, &r) ? (lua_Integer)count_values(L, l, &r) : 0);
    return 1;
}

static int next_value(lua_State *L)
{
    dc_dataset *ds;
    list *l = self(L, &ds);
    lua_Integer i = lua_tointeger(L, 2) + 1;
    lua_settop(L, 1);
    if (!push_value(L, l, ds, i))
        return 0;
    lua_pushinteger(L, i);
    lua_insert(L, -2);
    return 2;
}

static int list_pairs(lua_State *L)
{
    lua_pushcfunction(L, next_value);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* --- all values ---------------------------------------------------------------------------------------------------- */

static dc_key key_of(const list *l, dc_dataset *ds)
{
    dc_key key = { ds, l->tag, l->entry, NULL };
    return key;
}

/* A plain table; the list is at index 1. */
static void push_copy(lua_State *L, list *l, dc_dataset *ds)
{
    dc_reading r;
    if (!start(l, ds, &r)) {
        lua_newtable(L);
        return;
    }
    if (r.e->hold == DC_HOLD_FRAGMENTS) {
        lua_createtable(L, (int)r.e->u.fragments->count, 0);
        for (uint32_t i = 1; i < r.e->u.fragments->count; i++) {
            push_fragment(L, &r, i);
            lua_rawseti(L, -2, i);
        }
        return;
    }
    dc_status st = dc_reading_load(L, &r);
    if (!st)
        st = dc_reading_push_all(L, &r);
    if (st)
        fail(L, &r, st);
}

static int list_copy(lua_State *L)
{
    dc_dataset *ds;
    list *l = self(L, &ds);
    lua_settop(L, 1);
    push_copy(L, l, ds);
    return 1;
}

/* has(value): is it one of them? */
static int list_has(lua_State *L)
{
    dc_dataset *ds;
    list *l = self(L, &ds);
    luaL_checkany(L, 2);
    for (lua_Integer i = 1;; i++) {
        lua_settop(L, 2);
        if (!push_value(L, l, ds, i)) {
            lua_pushboolean(L, 0);
            return 1;
        }
        if (lua_rawequal(L, 2, -1) || (lua_type(L, 2) == LUA_TNUMBER && lua_compare(L, 2, -1, LUA_OPEQ))) {
            lua_pushboolean(L, 1);
            return 1;
        }
    }
}

/* Equal when all values are: the other list is looked at through its own metamethods. */
static int list_eq(lua_State *L)
{
    if (!luaL_testudata(L, 1, DC_LIST) || !luaL_testudata(L, 2, DC_LIST)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    lua_Integer n = luaL_len(L, 1);
    bool same = n == luaL_len(L, 2);
    for (lua_Integer i = 1; i <= n && same; i++) {
        lua_geti(L, 1, i);
        lua_geti(L, 2, i);
        same = lua_compare(L, -1, -2, LUA_OPEQ);
        lua_pop(L, 2);
    }
    lua_pushboolean(L, same);
    return 1;
}

static int list_tostring(lua_State *L)
{
    dc_dataset *ds;
    list *l = self(L, &ds);
    dc_key key = key_of(l, ds);
    const dc_element *e = dc_dataset_find(ds, l->tag);
    if (e && e->hold == DC_HOLD_FRAGMENTS) {
        lua_pushfstring(L, "%d fragments", (int)e->u.fragments->count - 1);
        return 1;
    }
    dc_status st = dc_push_text(L, &key);
    if (st)
        return dc_raise_at(L, ds, st, l->tag);
    if (lua_isnil(L, -1))
        lua_pushliteral(L, "");
    return 1;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

/* A number into a block that is this element's alone: in place. */
static bool write_in_place(dc_dataset *ds, dc_element *e, dc_vr vr, uint64_t i, dc_span packed)
{
    if (!e || e->vr != vr || e->hold != DC_HOLD_BYTES || !(e->flags & DC_EL_OWNED) || e->flags & DC_EL_BIG)
        return false;
    if (dc_vr_rows[vr].kind < DC_KIND_BINARY || (i + 1) * packed.len > e->length)
        return false;
    memcpy((uint8_t *)(uintptr_t)e->u.bytes + i * packed.len, packed.ptr, packed.len);
    dc_dataset_touch(ds);
    return true;
}

/* What is written: value i, one more than there are to append, or none to leave the last one out. */
typedef struct change {
    const dc_key *key;
    dc_vr vr;
    uint32_t i, count;
    bool remove;
} change;

/* The others keep their text as it is, whether it has the form of its VR or not. */
static void splice_strings(lua_State *L, dc_reading *r, const change *c)
{
    uint8_t scratch[DC_PACK_SIZE];
    dc_span s, one = { NULL, 0 };
    size_t at = 0;
    bool text = dc_vr_rows[c->vr].kind == DC_KIND_TEXT, given = !(lua_type(L, 3) == LUA_TSTRING && lua_rawlen(L, 3) == 0);
    dc_status st = dc_reading_load(L, r);
    if (st)
        fail(L, r, st);
    if (!c->remove && given)
        one = dc_pack(L, c->key, c->vr, 3, scratch);
    dc_multibyte mb = dc_reading_multibyte(r);
    dc_buf *b = dc_bind_buf(L);
    for (uint32_t n = 1; n <= c->count + (c->i > c->count) - c->remove; n++) {
        int top = lua_gettop(L);
        bool found = dc_value_next(r->vr, r->bytes, mb, &at, &s);
        if (n == c->i)
            s = one;
        else if (found && text) {
            st = dc_reading_push_text(L, r, s);
            if (st)
                fail(L, r, st);
            s.ptr = (const uint8_t *)lua_tolstring(L, -1, &s.len);
        }
        if (n > 1)
            dc_buf_u8(b, '\\');
        if (dc_buf_add(b, s.ptr, s.len))
            dc_kit_raise(L, DC_E_MEMORY, c->key->tag, UINT64_MAX, NULL);
        lua_settop(L, top);
    }
    dc_store(L, c->key, c->vr, dc_buf_span(b));
    dc_buf_free(b);
}

static void splice_numbers(lua_State *L, dc_reading *r, const change *c)
{
    uint8_t scratch[DC_PACK_SIZE];
    dc_status st = dc_reading_load(L, r);
    if (st)
        fail(L, r, st);
    dc_span one = { scratch, c->vr == DC_VR_AT ? 4 : dc_vr_rows[c->vr].width };
    if (!c->remove)
        one = dc_pack(L, c->key, c->vr, 3, scratch);
    dc_buf *b = dc_bind_buf(L);
    size_t whole = c->count * one.len, from = (c->i - 1) * one.len;
    dc_buf_add(b, r->bytes.ptr, c->remove ? from : whole);
    if (!c->remove && c->i <= c->count)
        memcpy(b->ptr + from, one.ptr, one.len);
    else if (!c->remove)
        dc_buf_add(b, one.ptr, one.len);
    if (b->failed)
        dc_kit_raise(L, DC_E_MEMORY, c->key->tag, UINT64_MAX, NULL);
    dc_store(L, c->key, c->vr, dc_buf_span(b));
    dc_buf_free(b);
}

static void rewrite(lua_State *L, list *l, dc_reading *r, const change *c)
{
    if (r && is_string(r->vr) && is_string(c->vr) && dc_vr_rows[c->vr].delimited) {
        splice_strings(L, r, c);
    } else if (r && r->vr == c->vr && !r->big && r->e->length) {
        splice_numbers(L, r, c);
    } else {
        push_copy(L, l, c->key->ds);
        lua_pushvalue(L, 3);
        lua_rawseti(L, -2, c->i);
        dc_assign(L, c->key, -1, c->vr);
    }
}

static int list_newindex(lua_State *L)
{
    uint8_t scratch[DC_PACK_SIZE];
    dc_dataset *ds;
    dc_reading r;
    list *l = self(L, &ds);
    dc_key key = key_of(l, ds);
    bool present = start(l, ds, &r);
    lua_Integer count = present ? (lua_Integer)count_values(L, l, &r) : 0, i = 0;
    if (lua_isinteger(L, 2))
        i = lua_tointeger(L, 2);
    if (present && r.e->hold == DC_HOLD_FRAGMENTS)
        return dc_kit_usage(L, "fragments are read only: set the whole of the pixel data");
    if (lua_isnil(L, 3) && i == count + 1)
        return 0;
    if (count >= UINT32_MAX || i < 1 || i > count + 1)
        return dc_kit_usage(L, "values are set from 1 to #list + 1, here %I", (LUAI_UACINT)(count + 1));
    if (lua_isnil(L, 3) && i < count)
        return dc_kit_usage(L, "only the last value can be removed; table.remove moves the others up");
    dc_check_group(L, &key);
    dc_vr vr = dc_assign_vr(L, &key, DC_VR_NONE);
    if (!lua_isnil(L, 3) && dc_vr_rows[vr].kind >= DC_KIND_BINARY && dc_vr_rows[vr].kind <= DC_KIND_BULK)
        if (write_in_place(ds, dc_dataset_find(ds, l->tag), vr, (uint64_t)i - 1, dc_pack(L, &key, vr, 3, scratch)))
            return 0;
    change c = { &key, vr, (uint32_t)i, (uint32_t)count, lua_isnil(L, 3) };
    lua_settop(L, 3);
    rewrite(L, l, present ? &r : NULL, &c);
    return 0;
}

void dc_open_list(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__index", list_index }, { "__newindex", list_newindex }, { "__len", list_len }, { "__eq", list_eq },
        { "__tostring", list_tostring }, { "__pairs", list_pairs }, { NULL, NULL },
    };
    static const luaL_Reg methods[] = { { "has", list_has }, { "copy", list_copy }, { NULL, NULL } };
    static const dc_class class = { DC_LIST, meta, methods };
    dc_kit_class(L, &class);
}
