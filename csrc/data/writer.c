/* SPDX-License-Identifier: MIT */
/* The writer as a machine: it plans at once, then hands out segment after segment; deflating happens on the way. */
#include <stdlib.h>
#include <string.h>

#include "../codec/deflate.h"
#include "writing.h"

enum { DIRECTORY_RECORDS = 0x00041220 };

static bool is_clean(const dc_writer *w)
{
    return !w->o->root.modified && (w->raw || (!w->o->root.repaired && !w->o->recoded));
}

static bool is_own(const dc_writer *w)
{
    return w->syntax == w->o->syntax || strcmp(w->syntax->uid, w->o->syntax->uid) == 0;
}

static dc_source *file_of(const dc_object *o)
{
    return o->packed ? o->packed : o->source;
}

/* With raw and no change the file is one range. */
static void plan_whole(dc_writer *w, uint64_t from)
{
    dc_source *s = file_of(w->o);
    dc_plan_range(w, s, from, s->size - from);
}

static dc_status plan_raw(dc_writer *w, const dc_writer_options *options)
{
    dc_object *o = w->o;
    uint64_t head = o->packed ? o->packed_begin : o->begin;
    if (options->part10 && is_clean(w) && !o->meta.modified && !o->stopped && (head || !o->meta.count)) {
        plan_whole(w, 0);
        w->body = w->count;
        return DC_DONE;
    }
    if (options->part10 && head && !o->meta.modified) {
        dc_plan_range(w, file_of(o), 0, head);
        return DC_OK;
    }
    return options->part10 ? dc_plan_head(w, options->source_aet) : DC_OK;
}

/* The records of a DICOMDIR point at each other by offsets from the start of the file (PS3.3 F.3.2.2): an unchanged one
   keeps its file meta, or all of them would be wrong. */
static bool keeps_head(const dc_writer *w)
{
    const dc_object *o = w->o;
    return dc_dataset_find(&o->root, DIRECTORY_RECORDS) && o->source && !o->packed && o->begin && o->meta.count &&
           !o->meta.modified && !o->stopped && is_own(w) && is_clean(w);
}

static dc_status plan_body(dc_writer *w)
{
    const dc_object *o = w->o;
    w->body = w->count;
    if (w->syntax->deflated && o->packed && is_own(w) && is_clean(w)) {
        dc_plan_range(w, o->packed, o->packed_begin, (w->raw ? o->packed->size : o->packed_end) - o->packed_begin);
        return w->failed;
    }
    if (w->syntax->deflated) {
        w->deflate = dc_deflate_new();
        w->packed = malloc(DC_WRITER_BLOCK);
        if (!w->deflate || !w->packed)
            return DC_E_MEMORY;
    }
    return dc_plan_dataset(w);
}

static dc_status plan(dc_writer *w, const dc_writer_options *options)
{
    dc_object *o = w->o;
    if (w->syntax->encapsulated && !is_own(w))
        return dc_object_fail(o, DC_E_CONVERT, DC_TAG_PIXEL_DATA, 0);
    w->raw = options->raw && o->source && is_own(w) && !o->severed && !o->converted;
    w->reuse = o->source && w->syntax->explicit_vr == o->syntax->explicit_vr &&
               w->syntax->big_endian == o->syntax->big_endian;
    dc_status st = DC_OK;
    if (w->raw)
        st = plan_raw(w, options);
    else if (options->part10 && keeps_head(w))
        dc_plan_range(w, o->source, 0, o->begin);
    else if (options->part10)
        st = dc_plan_head(w, options->source_aet);
    if (st)
        return st == DC_DONE ? DC_OK : st;
    return plan_body(w);
}

dc_status dc_writer_new(dc_object *object, const dc_writer_options *options, dc_writer **out)
{
    dc_writer *w = *out = calloc(1, sizeof *w);
    if (!w)
        return DC_E_MEMORY;
    w->o = dc_object_ref(object);
    w->syntax = options->syntax ? options->syntax : object->syntax;
    if (strcmp(w->syntax->uid, object->syntax->uid) == 0)
        w->syntax = object->syntax;
    dc_buf_init(&w->out);
    dc_status st = plan(w, options);
    if (st == DC_OK)
        st = w->failed;
    if (st) {
        if (object->status == DC_OK || st == DC_E_MEMORY)
            dc_object_fail(object, st, 0, 0);
        dc_writer_free(w);
        *out = NULL;
    }
    return st;
}

void dc_writer_free(dc_writer *w)
{
    if (!w)
        return;
    dc_buf_free(&w->out);
    dc_deflate_free(w->deflate);
    free(w->packed);
    free(w->pieces);
    free(w->frames);
    free(w->block);
    dc_object_unref(w->o);
    free(w);
}

/* Handing out. */

/* A part of a piece in the writer's block: turned, or read for deflating. */
static dc_status into_block(dc_writer *w, const dc_piece *p, dc_segment *s)
{
    uint64_t left = p->length - w->gone;
    size_t n = left < DC_WRITER_BLOCK ? (size_t)left : DC_WRITER_BLOCK;
    if (!w->block && !(w->block = malloc(DC_WRITER_BLOCK)))
        return DC_E_MEMORY;
    if (p->bytes) {
        memcpy(w->block, p->bytes + w->gone, n);
    } else {
        dc_status st = p->source->read_at(p->source, p->offset + w->gone, w->block, n);
        if (st)
            return st;
    }
    if (p->swap)
        dc_turn(w->block, n, p->swap); /* the block is a multiple of every width */
    w->gone += n;
    *s = (dc_segment){ .bytes = w->block, .length = n };
    return DC_OK;
}

static dc_status give(dc_writer *w, dc_segment *s)
{
    while (w->next < w->count) {
        const dc_piece *p = &w->pieces[w->next];
        bool packing = w->deflate && w->next >= w->body;
        if (w->gone == p->length) {
            w->next++;
            w->gone = 0;
            continue;
        }
        if (p->swap || (packing && p->kind == DC_PIECE_RANGE))
            return into_block(w, p, s);
        *s = (dc_segment){ .bytes = p->bytes, .source = p->source, .offset = p->offset, .length = p->length };
        if (p->kind == DC_PIECE_OUT)
            *s = (dc_segment){ .bytes = w->out.ptr + p->offset, .length = p->length };
        w->gone = p->length;
        return DC_OK;
    }
    return DC_DONE;
}

/* PS3.5 A.5: a deflated data set of odd length is followed by one zero byte. */
static dc_status pad(dc_writer *w, dc_segment *s)
{
    static const uint8_t zero = 0;
    if (w->padded || !(w->packed_size & 1))
        return DC_DONE;
    w->padded = true;
    *s = (dc_segment){ .bytes = &zero, .length = 1 };
    return DC_OK;
}

static dc_status give_deflated(dc_writer *w, dc_segment *s)
{
    for (;;) {
        size_t n;
        dc_segment plain;
        dc_status st = dc_deflate_next(w->deflate, w->packed, DC_WRITER_BLOCK, &n);
        w->packed_size += n;
        if (st == DC_OK) {
            *s = (dc_segment){ .bytes = w->packed, .length = n };
            return DC_OK;
        }
        if (st == DC_DONE)
            return pad(w, s);
        st = give(w, &plain);
        if (st == DC_OK)
            dc_deflate_feed(w->deflate, dc_span_make(plain.bytes, (size_t)plain.length), false);
        else if (st == DC_DONE && !w->fed_last)
            dc_deflate_feed(w->deflate, dc_span_make(NULL, 0), w->fed_last = true);
        else
            return st == DC_DONE ? DC_E_INFLATE : st;
    }
}

dc_status dc_writer_next(dc_writer *w, dc_segment *segment)
{
    bool in_head = w->next < w->body && !(w->next + 1 == w->body && w->gone == w->pieces[w->next].length);
    if (w->failed)
        return w->failed;
    dc_status st = w->deflate && !in_head ? give_deflated(w, segment) : give(w, segment);
    if (st < 0)
        w->failed = dc_object_fail(w->o, st, 0, 0);
    return st;
}
