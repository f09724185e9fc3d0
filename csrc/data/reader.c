/* SPDX-License-Identifier: MIT */
/* The reader as a machine: windows of the source come in, phases advance. */
#include <stdlib.h>
#include <string.h>

#include "../codec/deflate.h"
#include "reading.h"

/* The first read holds most headers whole; 64 KiB at first would halve the rate over many files. */
enum { FIRST_WINDOW = 16 << 10, LARGEST_WINDOW = 1 << 20 };

dc_reader *dc_reader_new(dc_object *object, uint64_t size, const dc_reader_options *options)
{
    dc_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->o = dc_object_ref(object);
    r->size = size;
    r->ask = FIRST_WINDOW;
    if (options)
        r->options = *options;
    return r;
}

void dc_reader_free(dc_reader *r)
{
    if (!r)
        return;
    dc_inflate_free(r->inflate);
    dc_object_unref(r->o);
    free(r->inflated);
    free(r->frames);
    free(r);
}

dc_status dc_reader_fail(dc_reader *r, dc_status st, uint32_t tag, uint64_t offset)
{
    return dc_object_fail(r->o, st, tag, offset);
}

dc_status dc_reader_mend(dc_reader *r, dc_dataset *ds, const char *what, uint32_t tag, uint64_t offset)
{
    dc_status st = dc_object_repair(r->o, what, tag, offset);
    if (st)
        return st;
    if (ds)
        dc_dataset_flaw(ds);
    return r->options.strict ? dc_reader_fail(r, DC_E_STRICT, tag, offset) : DC_OK;
}

static const uint8_t *want(dc_reader *r, size_t n, size_t window, bool transient)
{
    uint64_t left = r->size - r->pos;
    size_t length = n > window ? n : window;
    r->need.offset = r->pos;
    r->need.length = length > left ? (size_t)left : length;
    r->need.transient = transient;
    return NULL;
}

/* Windows that follow each other grow fourfold; after a gap the next one is small again. */
const uint8_t *dc_reader_ask(dc_reader *r, size_t n)
{
    bool follows = r->window_size && !r->transient && r->pos <= r->window_at + r->window_size;
    if (r->options.window)
        return want(r, n, r->options.window, false);
    r->ask = !follows ? FIRST_WINDOW : r->ask >= LARGEST_WINDOW ? LARGEST_WINDOW : r->ask * 4;
    return want(r, n, r->ask, false);
}

const uint8_t *dc_reader_ask_transient(dc_reader *r, size_t n, size_t window)
{
    if (r->pos >= r->window_at && r->pos - r->window_at <= r->window_size &&
        n <= r->window_size - (size_t)(r->pos - r->window_at))
        return r->window + (r->pos - r->window_at);
    return want(r, n, r->options.window ? r->options.window : window, true);
}

void dc_reader_feed(dc_reader *r, uint64_t offset, dc_span bytes)
{
    if (r->failed)
        return;
    if (offset > r->need.offset || r->need.offset - offset > bytes.len ||
        r->need.length > bytes.len - (r->need.offset - offset))
        r->failed = dc_reader_fail(r, DC_E_TRUNCATED, 0, offset + bytes.len); /* it ends before its size */
    r->window = bytes.ptr;
    r->window_at = offset;
    r->window_size = bytes.len;
    r->transient = r->need.transient;
    if (r->failed == DC_OK && !r->transient && !dc_source_bytes(r->o->source))
        r->failed = dc_object_window(r->o, offset, bytes);
}

static dc_status body_end(dc_reader *r)
{
    if (r->o->root.count == 0 && r->size - r->pos >= 8 && !r->o->stopped)
        return dc_reader_fail(r, DC_E_NOT_DICOM, 0, r->pos);
    r->o->end = r->pos;
    r->o->tail = r->size - r->pos;
    r->phase = DC_PHASE_DONE;
    return DC_OK;
}

static dc_status step(dc_reader *r)
{
    dc_status st;
    switch (r->phase) {
    case DC_PHASE_START: return dc_part10_start(r);
    case DC_PHASE_META:
        st = dc_walk_step(r);
        if (st == DC_DONE)
            r->phase = DC_PHASE_BEGIN;
        return st == DC_DONE ? DC_OK : st;
    case DC_PHASE_BEGIN:
    case DC_PHASE_DECLARED: return dc_part10_begin(r);
    case DC_PHASE_INFLATE: return dc_part10_inflate(r);
    case DC_PHASE_BODY:
        st = dc_walk_step(r);
        return st == DC_DONE ? body_end(r) : st;
    default: return DC_DONE;
    }
}

dc_status dc_reader_next(dc_reader *r, dc_need *need)
{
    dc_status st = r->failed;
    while (st == DC_OK)
        st = step(r);
    if (st == DC_MORE) {
        *need = r->need;
        return st;
    }
    if (st == DC_DONE)
        return DC_OK;
    r->failed = st;
    if (r->o->status == DC_OK)
        dc_object_fail(r->o, st, 0, r->pos);
    return st;
}

dc_status dc_read_memory(dc_source *memory, const dc_reader_options *options, const dc_limits *limits, dc_object **out)
{
    dc_need need;
    dc_object *o = *out = dc_object_new(limits);
    if (!o)
        return DC_E_MEMORY;
    o->source = dc_source_ref(memory);
    dc_reader *r = dc_reader_new(o, memory->size, options);
    if (!r) {
        dc_object_unref(o);
        *out = NULL;
        return DC_E_MEMORY;
    }
    r->need.length = 0;
    dc_reader_feed(r, 0, dc_span_make(dc_source_bytes(memory), (size_t)memory->size));
    dc_status st = dc_reader_next(r, &need);
    dc_reader_free(r);
    return st;
}
