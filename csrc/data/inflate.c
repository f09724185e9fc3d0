/* SPDX-License-Identifier: MIT */
/* A deflated data set (PS3.5 A.5): it is inflated as its bytes come, and then read from memory. */
#include <stdlib.h>

#include "../codec/deflate.h"
#include "reading.h"

enum { BLOCK = 256 << 10, FIRST = 64 << 10 };

static dc_status grow(dc_reader *r)
{
    if (r->inflated_size < r->inflated_cap)
        return DC_OK;
    size_t cap = r->inflated_cap ? r->inflated_cap * 2 : FIRST;
    uint8_t *more = cap > SIZE_MAX / 4 ? NULL : realloc(r->inflated, cap);
    if (!more)
        return dc_reader_fail(r, DC_E_MEMORY, 0, r->pos);
    r->inflated = more;
    r->inflated_cap = cap;
    return DC_OK;
}

/* All that the fed bytes give. DC_MORE, DC_DONE or a failure. */
static dc_status drain(dc_reader *r)
{
    for (;;) {
        size_t n;
        dc_status st = grow(r);
        if (st)
            return st;
        st = dc_inflate_next(r->inflate, r->inflated + r->inflated_size, r->inflated_cap - r->inflated_size, &n);
        r->inflated_size += n;
        if (st)
            return st;
    }
}

/* The rest of the walk reads the inflated bytes; the deflated ones stay known for writing them unchanged. */
static dc_status change_over(dc_reader *r, uint64_t begin)
{
    dc_object *o = r->o;
    dc_source *memory = dc_source_memory_take(r->inflated, r->inflated_size);
    r->inflated = NULL;
    if (!memory)
        return DC_E_MEMORY;
    o->packed = o->source;
    o->packed_begin = begin;
    o->packed_end = begin + dc_inflate_taken(r->inflate);
    if (r->size - o->packed_end == 1)
        o->packed_end = r->size; /* the byte that makes the length even */
    o->source = memory;
    r->window = dc_source_bytes(memory);
    r->window_at = 0;
    r->window_size = r->inflated_size;
    r->transient = false;
    r->size = r->inflated_size;
    r->pos = 0;
    r->phase = DC_PHASE_DECLARED;
    return DC_OK;
}

static dc_status finish(dc_reader *r, bool complete)
{
    uint64_t begin = r->inflate_begin, end = begin + dc_inflate_taken(r->inflate), left = r->size - end;
    dc_status st = DC_OK;
    if (!complete)
        st = dc_reader_mend(r, &r->o->root, "deflated data set ends early (PS3.5 A.5)", 0, r->size);
    if (st == DC_OK && dc_inflate_has_header(r->inflate))
        st = dc_reader_mend(r, &r->o->root, "deflated data set with a zlib header (PS3.5 A.5)", 0, begin);
    if (st == DC_OK && complete && left > 1) /* one byte makes the length even */
        st = dc_reader_mend(r, &r->o->root, "bytes after the deflated data set (PS3.5 A.5)", 0, end);
    return st ? st : change_over(r, begin);
}

dc_status dc_part10_inflate(dc_reader *r)
{
    if (!r->inflate) {
        r->inflate_begin = r->pos;
        r->inflate = dc_inflate_new(r->o->limits.inflated, r->o->limits.ratio);
        if (!r->inflate)
            return DC_E_MEMORY;
    }
    while (r->pos < r->size) {
        uint64_t left = r->size - r->pos;
        const uint8_t *p = dc_reader_ask_transient(r, 1, left < BLOCK ? (size_t)left : BLOCK);
        if (!p)
            return DC_MORE;
        size_t n = r->window_size - (size_t)(r->pos - r->window_at);
        dc_inflate_feed(r->inflate, dc_span_make(p, n));
        dc_status st = drain(r);
        r->pos += n;
        if (st == DC_DONE)
            return finish(r, true);
        if (st != DC_MORE)
            return dc_reader_fail(r, st, 0, r->inflate_begin + dc_inflate_taken(r->inflate));
    }
    return finish(r, false);
}
