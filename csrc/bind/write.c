/* SPDX-License-Identifier: MIT */
/* A data set as a string. */
#include "core.h"
#include "values.h"

static dc_status add_segment(dc_buf *b, const dc_segment *s)
{
    if (s->length > SIZE_MAX / 2)
        return DC_E_MEMORY;
    if (s->bytes)
        return dc_buf_add(b, s->bytes, (size_t)s->length);
    dc_status st = dc_buf_reserve(b, (size_t)s->length);
    if (!st)
        st = s->source->read_at(s->source, s->offset, b->ptr + b->len, (size_t)s->length);
    b->len += st ? 0 : (size_t)s->length;
    return st;
}

static dc_status write_all(dc_object *o, const dc_writer_options *options, dc_buf *b)
{
    dc_writer *w = NULL;
    dc_segment segment;
    dc_status st = dc_writer_new(o, options, &w);
    if (st)
        return st;
    while (!st) {
        st = dc_writer_next(w, &segment);
        if (!st)
            st = add_segment(b, &segment);
    }
    dc_writer_free(w);
    return st == DC_DONE ? DC_OK : st;
}

/* ds:bytes{ syntax=, part10=, raw= }: the data set as it would be written, or nil and an error. */
static int dataset_bytes(lua_State *L)
{
    dc_writer_options options = { NULL, false, false, NULL };
    dc_dataset *ds = dc_check_dataset(L, 1);
    dc_check_write_options(L, 2, &options);
    if (ds != &ds->object->root)
        return dc_kit_usage(L, "an item is written with its data set, or copied first: item:copy()");
    dc_buf *b = dc_bind_buf(L);
    dc_status st = write_all(ds->object, &options, b);
    if (st) {
        bool placed = ds->object->status == st;
        return dc_kit_fail(L, st, placed ? ds->object->status_tag : 0, placed ? ds->object->status_offset : UINT64_MAX, NULL);
    }
    lua_pushlstring(L, b->len ? (const char *)b->ptr : "", b->len);
    dc_buf_free(b);
    return 1;
}

void dc_open_write(lua_State *L)
{
    luaL_getmetatable(L, DC_DATASET);
    lua_getfield(L, -1, "methods");
    lua_pushcfunction(L, dataset_bytes);
    lua_setfield(L, -2, "bytes");
    lua_pop(L, 2);
}
