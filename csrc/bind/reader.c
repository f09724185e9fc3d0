/* SPDX-License-Identifier: MIT */
/* The reader as a machine for Lua: whoever has bytes that come in pieces feeds them as they are asked for.

   core.reader(bytes [, window [, options]]) -> reader    window: bytes to ask for, 0: growing ones; options of open
   reader:next() -> data set                   complete
                 -> false, offset, n, passing  wants n bytes from offset; passing: they are only looked at
                 -> nil, err
   reader:feed(offset, bytes) */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "dataset.h"

#define READER "dicom.reader"

typedef struct reader {
    dc_reader *machine;
    dc_object *object;
    uint8_t *passing; /* what was fed and need not stay */
    size_t passing_size;
    dc_need need;
    bool asked;
} reader;

/* Where values stay that are above limits.held: unlike dc_source_memory the reader does not see through it. */
typedef struct far_source {
    dc_source base;
    uint8_t bytes[];
} far_source;

static dc_status far_read_at(dc_source *s, uint64_t offset, void *to, size_t n)
{
    if (offset > s->size || n > s->size - offset)
        return DC_E_TRUNCATED;
    if (n)
        memcpy(to, ((far_source *)s)->bytes + offset, n);
    return DC_OK;
}

static void far_release(dc_source *s)
{
    free(s);
}

static dc_source *far_new(const char *bytes, size_t n)
{
    far_source *s = malloc(sizeof *s + n);
    if (!s)
        return NULL;
    s->base = (dc_source){ .refs = 1, .size = n, .read_at = far_read_at, .release = far_release };
    if (n)
        memcpy(s->bytes, bytes, n);
    return &s->base;
}

static int reader_gc(lua_State *L)
{
    reader *r = luaL_checkudata(L, 1, READER);
    dc_reader_free(r->machine);
    dc_object_unref(r->object);
    free(r->passing);
    memset(r, 0, sizeof *r);
    return 0;
}

static reader *check(lua_State *L)
{
    reader *r = luaL_checkudata(L, 1, READER);
    if (!r->machine)
        dc_kit_usage(L, "reader is closed");
    return r;
}

static int core_reader(lua_State *L)
{
    size_t n;
    dc_limits limits = DC_LIMITS_DEFAULT;
    dc_reader_options options = { .strict = false };
    const char *bytes = luaL_checklstring(L, 1, &n);
    lua_Integer window = luaL_optinteger(L, 2, 0);
    dc_check_read_options(L, 3, &options, &limits);
    if (window < 0 || window > 1 << 20)
        return dc_kit_usage(L, "window is 0 to 1048576 bytes");
    options.window = (size_t)window;
    reader *r = dc_kit_new(L, READER, sizeof *r);
    r->object = dc_object_new(&limits);
    if (!r->object || !(r->object->source = far_new(bytes, n)) || !(r->machine = dc_reader_new(r->object, n, &options)))
        return dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
    return 1;
}

/* What was only looked at goes, and visibly so: a pointer into it would show in any spec. */
static void forget(reader *r)
{
    if (r->passing)
        memset(r->passing, 0xDD, r->passing_size);
    free(r->passing);
    r->passing = NULL;
}

static int reader_next(lua_State *L)
{
    reader *r = check(L);
    dc_status st = dc_reader_next(r->machine, &r->need);
    forget(r);
    r->asked = st == DC_MORE;
    if (st == DC_OK) {
        dc_push_dataset(L, r->object, &r->object->root);
        return 1;
    }
    if (st != DC_MORE)
        return dc_kit_fail(L, st, r->object->status_tag, r->object->status_offset, NULL);
    lua_pushboolean(L, false);
    lua_pushinteger(L, (lua_Integer)r->need.offset);
    lua_pushinteger(L, (lua_Integer)r->need.length);
    lua_pushboolean(L, r->need.transient);
    return 4;
}

static int reader_feed(lua_State *L)
{
    size_t n;
    reader *r = check(L);
    lua_Integer offset = luaL_checkinteger(L, 2);
    const char *bytes = luaL_checklstring(L, 3, &n);
    if (!r->asked)
        return dc_kit_usage(L, "feed comes after next has asked");
    uint8_t *p;
    if (r->need.transient) {
        p = r->passing = malloc(n ? n : 1);
        r->passing_size = n;
    } else {
        p = dc_arena_alloc(&r->object->arena, n ? n : 1);
    }
    if (!p)
        return dc_kit_raise(L, DC_E_MEMORY, 0, UINT64_MAX, NULL);
    memcpy(p, bytes, n);
    r->asked = false;
    dc_reader_feed(r->machine, (uint64_t)offset, dc_span_make(p, n));
    return 0;
}

void dc_open_reader(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", reader_gc }, { "__close", reader_gc }, { NULL, NULL } };
    static const luaL_Reg methods[] = { { "next", reader_next }, { "feed", reader_feed }, { NULL, NULL } };
    static const dc_class class = { READER, meta, methods };
    dc_kit_class(L, &class);
    lua_pushcfunction(L, core_reader);
    lua_setfield(L, -2, "reader");
}
