/* SPDX-License-Identifier: MIT */
/* Frames of pixel data: ds:frame_count, frame_bytes, fragments, append_frame, set_frames. Where frames are is found once
   and kept with the view of the data set, until something in it changes. */
#include <stdio.h>

#include "../pixel/frames.h"
#include "core.h"
#include "values.h"

#define FRAMES "dicom.frames"

typedef struct index {
    dc_frames f;
    uint32_t changes; /* the object's when it was made */
    bool valid;
} frame_index;

static void forget(frame_index *x)
{
    dc_frames_reset(&x->f);
    x->valid = false;
}

static int index_gc(lua_State *L)
{
    forget(luaL_checkudata(L, 1, FRAMES));
    return 0;
}

static frame_index *index_of(lua_State *L)
{
    lua_getiuservalue(L, 1, 1);
    frame_index *x = luaL_testudata(L, -1, FRAMES);
    if (!x) {
        x = dc_kit_new(L, FRAMES, sizeof *x);
        lua_setiuservalue(L, 1, 1);
    }
    lua_pop(L, 1);
    return x;
}

static dc_status find(frame_index *x, dc_dataset *ds)
{
    if (x->valid && x->changes == ds->object->changes)
        return DC_OK;
    forget(x);
    dc_status st = dc_frames_init(&x->f, ds);
    x->changes = ds->object->changes;
    x->valid = st == DC_OK;
    return st;
}

static int fail(lua_State *L, const frame_index *x, const dc_dataset *ds, dc_status st, lua_Integer n)
{
    char frame[40] = "";
    const dc_element *e = dc_dataset_find(ds, x->f.tag);
    uint64_t at = e && e->flags & DC_EL_ORIGINAL ? e->at : UINT64_MAX;
    if (n)
        snprintf(frame, sizeof frame, "frame %lld", (long long)n);
    uint32_t tag = st == DC_E_VALUE && x->f.wrong_tag ? x->f.wrong_tag : x->f.tag;
    return dc_kit_fail(L, st, tag, tag == x->f.tag ? at : UINT64_MAX, n ? frame : NULL);
}

static lua_Integer check_frame(lua_State *L, int arg)
{
    lua_Integer n = luaL_checkinteger(L, arg);
    if (n < 1)
        dc_kit_usage(L, "frames are counted from 1");
    return n;
}

/* ds:frame_count(): what the header says, 1 where it says nothing. */
static int dataset_frame_count(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    frame_index *x = index_of(L);
    dc_status st = find(x, ds);
    if (st)
        return fail(L, x, ds, st, 0);
    lua_pushinteger(L, (lua_Integer)x->f.count);
    return 1;
}

/* ds:frame_bytes(n): only this frame is read. */
static int dataset_frame_bytes(lua_State *L)
{
    luaL_Buffer b;
    uint64_t size = 0;
    dc_dataset *ds = dc_check_dataset(L, 1);
    lua_Integer n = check_frame(L, 2);
    frame_index *x = index_of(L);
    dc_status st = find(x, ds);
    if (st == DC_OK)
        st = dc_frames_size(&x->f, ds, (uint64_t)n, &size);
    if (st == DC_OK && size > SIZE_MAX / 2)
        st = DC_E_TOO_LONG;
    if (st)
        return fail(L, x, ds, st, n);
    char *to = luaL_buffinitsize(L, &b, (size_t)size);
    st = dc_frames_read(&x->f, ds, (uint64_t)n, (uint8_t *)to);
    luaL_pushresultsize(&b, st ? 0 : (size_t)size);
    return st ? fail(L, x, ds, st, n) : 1;
}

static void push_fragment(lua_State *L, const dc_fragment *g, lua_Integer frame)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, g->length);
    lua_setfield(L, -2, "length");
    if (!g->bytes) {
        lua_pushinteger(L, (lua_Integer)g->offset);
        lua_setfield(L, -2, "offset");
    }
    if (frame) {
        lua_pushinteger(L, frame);
        lua_setfield(L, -2, "frame");
    }
}

/* ds:fragments(): { { length=, offset=, frame= }, ... }, without the Basic Offset Table; empty for native pixel data. */
static int dataset_fragments(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    frame_index *x = index_of(L);
    dc_status st = find(x, ds);
    const dc_element *e = dc_dataset_find(ds, DC_TAG_PIXEL_DATA);
    const dc_fragments *list = e && e->hold == DC_HOLD_FRAGMENTS ? e->u.fragments : NULL;
    if (st && (list || !e)) /* native ones need no header that makes sense */
        return fail(L, x, ds, st, 0);
    lua_newtable(L);
    uint32_t n = 0;
    for (uint32_t i = 1; list && i < list->count; i++) {
        while (n < x->f.known && (x->f.places[n].flaw || x->f.places[n].first + x->f.places[n].count <= i))
            n++;
        bool own = n < x->f.known && x->f.places[n].first <= i;
        push_fragment(L, &list->list[i], own ? (lua_Integer)n + 1 : 0);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

static dc_status append(lua_State *L, frame_index *x, dc_dataset *ds, int value, bool extended)
{
    size_t n;
    const char *s = lua_tolstring(L, value, &n);
    size_t held = ds->object->held;
    dc_status st = dc_frames_append(&x->f, ds, dc_span_make(s, n), extended);
    x->changes = ds->object->changes;
    if (ds->object->held > held)
        dc_kit_account(L, ds->object->held - held);
    return st;
}

static int wrong_size(lua_State *L, const frame_index *x, lua_Integer frame)
{
    return dc_kit_usage(L, "frame %I has not the size of a frame of this header, %I bytes", frame,
                        (lua_Integer)((x->f.bits + 7) / 8));
}

static dc_dataset *check_changeable(lua_State *L)
{
    dc_dataset *ds = dc_check_dataset(L, 1);
    if (ds == &ds->object->meta)
        dc_kit_usage(L, "file meta has no frames");
    return ds;
}

static bool check_options(lua_State *L, int arg, const dc_syntax **syntax)
{
    static const char *const known[] = { "extended", "syntax", NULL }, *const append_known[] = { "extended", NULL };
    if (lua_isnoneornil(L, arg))
        return false;
    luaL_checktype(L, arg, LUA_TTABLE);
    dc_check_fields(L, arg, syntax ? known : append_known, "frames");
    if (syntax)
        *syntax = dc_check_syntax(L, arg);
    return dc_check_flag(L, arg, "extended");
}

/* ds:append_frame(bytes [, { extended = }]) -> true, or nil and an error. Without pixel data it is the first frame. */
static int dataset_append_frame(lua_State *L)
{
    dc_dataset *ds = check_changeable(L);
    luaL_checktype(L, 2, LUA_TSTRING);
    bool extended = check_options(L, 3, NULL);
    frame_index *x = index_of(L);
    dc_status st = find(x, ds);
    bool first = st == DC_E_NO_PIXELS;
    if (first)
        st = ds->object->syntax->encapsulated ? DC_OK : dc_frames_expect(&x->f, ds);
    if (st == DC_OK && x->f.is_native && lua_rawlen(L, 2) != (x->f.bits + 7) / 8)
        return wrong_size(L, x, (lua_Integer)x->f.count + 1);
    if (st == DC_OK && first) {
        st = dc_frames_clear(&x->f, ds);
        x->valid = st == DC_OK;
    }
    if (st == DC_OK)
        st = append(L, x, ds, 2, extended);
    if (st) {
        int results = fail(L, x, ds, st, 0);
        forget(x);
        return results;
    }
    lua_pushboolean(L, 1);
    return 1;
}

static lua_Integer check_list(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    lua_Integer n = (lua_Integer)lua_rawlen(L, arg);
    if (n == 0)
        dc_kit_usage(L, "pixel data has one frame at least");
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, arg, i) != LUA_TSTRING)
            dc_kit_usage(L, "frame %I is a %s, not a string of bytes", i, luaL_typename(L, -1));
        lua_pop(L, 1);
    }
    return n;
}

/* Native frames have one size. */
static dc_status check_sizes(lua_State *L, frame_index *x, dc_dataset *ds, lua_Integer count)
{
    dc_status st = dc_frames_expect(&x->f, ds);
    for (lua_Integer i = 1; i <= count && st == DC_OK; i++) {
        lua_rawgeti(L, 2, i);
        size_t n = lua_rawlen(L, -1);
        lua_pop(L, 1);
        if (n != (x->f.bits + 7) / 8)
            wrong_size(L, x, i);
    }
    return st;
}

static dc_status set_frames(lua_State *L, frame_index *x, dc_dataset *ds, const dc_syntax *syntax, bool extended)
{
    lua_Integer count = check_list(L, 2);
    dc_status st = syntax->encapsulated ? DC_OK : check_sizes(L, x, ds, count);
    if (st == DC_OK && syntax != ds->object->syntax)
        st = dc_object_set_syntax(ds->object, syntax);
    if (st == DC_OK)
        st = dc_frames_clear(&x->f, ds);
    for (lua_Integer i = 1; i <= count && st == DC_OK; i++) {
        lua_rawgeti(L, 2, i);
        st = append(L, x, ds, -1, extended);
        lua_pop(L, 1);
    }
    return st;
}

/* ds:set_frames(list [, { syntax =, extended = }]) -> true, or nil and an error: the whole pixel data. With a syntax the
   data set is from then on one of that syntax. */
static int dataset_set_frames(lua_State *L)
{
    const dc_syntax *syntax = NULL;
    dc_dataset *ds = check_changeable(L);
    bool extended = check_options(L, 3, &syntax);
    if (syntax && ds->parent)
        return dc_kit_usage(L, "an item has the transfer syntax of its data set");
    frame_index *x = index_of(L);
    forget(x);
    dc_status st = set_frames(L, x, ds, syntax ? syntax : ds->object->syntax, extended);
    if (st) {
        int results = fail(L, x, ds, st, 0);
        forget(x);
        return results;
    }
    x->changes = ds->object->changes;
    x->valid = true;
    lua_pushboolean(L, 1);
    return 1;
}

void dc_open_frames(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", index_gc }, { "__close", index_gc }, { NULL, NULL } };
    static const luaL_Reg methods[] = {
        { "frame_count", dataset_frame_count }, { "frame_bytes", dataset_frame_bytes },
        { "fragments", dataset_fragments }, { "append_frame", dataset_append_frame },
        { "set_frames", dataset_set_frames }, { NULL, NULL },
    };
    static const dc_class class = { FRAMES, meta, NULL };
    dc_kit_class(L, &class);
    luaL_getmetatable(L, DC_DATASET);
    lua_getfield(L, -1, "methods");
    luaL_setfuncs(L, methods, 0);
    lua_pop(L, 2);
}
