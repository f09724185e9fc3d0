/* SPDX-License-Identifier: MIT */
/* Decides where each byte of a written data set comes from. Lengths of what encloses a change are known when it ends,
   and put into the header that was planned before. */
#include <stdlib.h>
#include <string.h>

#include "writing.h"

enum { SMALL = 16 << 10 }; /* up to this size bytes are gathered, so that a header leaves in one piece */

/* Pieces. */

static void fail(dc_writer *w, dc_status st, uint32_t tag, uint64_t offset)
{
    if (w->failed == DC_OK)
        w->failed = dc_object_fail(w->o, st, tag, offset);
}

static void add_piece(dc_writer *w, const dc_piece *p)
{
    if (w->count == w->cap) {
        uint32_t cap = w->cap ? w->cap * 2 : 8;
        dc_piece *list = cap > UINT32_MAX / 2 ? NULL : realloc(w->pieces, cap * sizeof *list);
        if (!list) {
            fail(w, DC_E_MEMORY, 0, 0);
            return;
        }
        w->pieces = list;
        w->cap = cap;
    }
    w->pieces[w->count++] = *p;
}

static void put(dc_writer *w, const void *p, size_t n)
{
    size_t at = w->out.len;
    if (dc_buf_add(&w->out, p, n)) {
        fail(w, DC_E_MEMORY, 0, 0);
        return;
    }
    dc_piece *last = w->count > w->body ? &w->pieces[w->count - 1] : NULL;
    if (last && last->kind == DC_PIECE_OUT) {
        last->length += n;
        return;
    }
    dc_piece piece = { .kind = DC_PIECE_OUT, .offset = at, .length = n };
    add_piece(w, &piece);
}

void dc_plan_flush(dc_writer *w)
{
    uint64_t n = w->run;
    if (n == 0)
        return;
    w->run = 0;
    const uint8_t *p = dc_object_at(w->o, w->run_at, n);
    if (p && n <= SMALL) {
        put(w, p, (size_t)n);
        return;
    }
    dc_piece piece = { .kind = p ? DC_PIECE_MEMORY : DC_PIECE_RANGE, .bytes = p, .source = w->o->source,
                       .offset = w->run_at, .length = n };
    add_piece(w, &piece);
}

/* Bytes of the source, as they are. */
static void reuse(dc_writer *w, uint64_t at, uint64_t n)
{
    if (w->run == 0 || w->run_at + w->run != at) {
        dc_plan_flush(w);
        w->run_at = at;
    }
    w->run += n;
    w->total += n;
}

void dc_plan_out(dc_writer *w, const void *p, size_t n)
{
    dc_plan_flush(w);
    put(w, p, n);
    w->total += n;
}

static void add_value(dc_writer *w, const dc_piece *p)
{
    dc_plan_flush(w);
    add_piece(w, p);
    w->total += p->length;
}

void dc_plan_range(dc_writer *w, dc_source *source, uint64_t offset, uint64_t length)
{
    dc_piece piece = { .kind = DC_PIECE_RANGE, .source = source, .offset = offset, .length = length };
    if (length)
        add_value(w, &piece);
}

/* Headers. */

static void put_tag(uint8_t *p, uint32_t tag, bool big)
{
    dc_put16(p, (uint16_t)(tag >> 16), big);
    dc_put16(p + 2, (uint16_t)tag, big);
}

/* Returns the place of the length in `out`. */
static size_t header(dc_writer *w, const dc_plan_frame *f, uint32_t tag, dc_vr vr, uint32_t length)
{
    uint8_t h[12] = { 0 };
    size_t n = 8;
    put_tag(h, tag, f->big);
    if (!f->explicit_vr || vr == DC_VR_NONE) {
        dc_put32(h + 4, length, f->big);
    } else {
        memcpy(h + 4, dc_vr_rows[vr].name, 2);
        if (dc_vr_rows[vr].long_header) {
            dc_put32(h + 8, length, f->big);
            n = 12;
        } else {
            dc_put16(h + 6, (uint16_t)length, f->big);
        }
    }
    dc_plan_out(w, h, n);
    return w->out.len - 4;
}

/* May what stands in the source be copied? For another transfer syntax each element is looked at: fragments may hide
   in any item. */

static bool is_clean(const dc_writer *w, const dc_dataset *ds)
{
    return w->syntax == w->o->syntax && !ds->modified && (w->raw || (!ds->repaired && !w->o->recoded));
}

static bool is_same_encoding(const dc_plan_frame *f, const dc_element *e)
{
    bool implicit = (e->flags & DC_EL_IMPLICIT) != 0, big = (e->flags & DC_EL_BIG) != 0;
    if (implicit == (f->explicit_vr != 0))
        return false;
    return e->vr == DC_VR_UN || e->flags & DC_EL_UN || big == (f->big != 0);
}

static bool may_reuse(const dc_writer *w, const dc_plan_frame *f, const dc_element *e)
{
    if (!w->reuse || !(e->flags & DC_EL_ORIGINAL))
        return false;
    if (!w->raw && (e->flags & DC_EL_REPAIRED || !is_same_encoding(f, e)))
        return false;
    if (e->hold != DC_HOLD_ITEMS)
        return e->hold != DC_HOLD_FRAGMENTS || w->syntax == w->o->syntax;
    for (uint32_t i = 0; i < e->u.items->count; i++)
        if (!is_clean(w, e->u.items->list[i]))
            return false;
    return true;
}

/* Values. */

static void plan_bytes(dc_writer *w, const dc_element *e, uint64_t length, uint8_t swap)
{
    dc_piece p = { .kind = e->hold == DC_HOLD_RANGE ? DC_PIECE_RANGE : DC_PIECE_MEMORY, .swap = swap,
                   .source = w->o->source, .length = length };
    if (e->hold == DC_HOLD_RANGE)
        p.offset = e->u.offset;
    else
        p.bytes = e->u.bytes;
    if (p.kind == DC_PIECE_MEMORY && !swap && length <= SMALL)
        dc_plan_out(w, p.bytes, (size_t)length);
    else if (length)
        add_value(w, &p);
}

/* UN holds little endian (PS3.5 6.2.2), and so do values that are too long for their VR's length field. */
static void plan_value(dc_writer *w, const dc_plan_frame *f, const dc_element *e)
{
    bool un = e->flags & DC_EL_UN || e->vr == DC_VR_UN;
    bool big = (e->flags & DC_EL_BIG) != 0;
    uint64_t padded = e->length + (e->length & 1);
    dc_vr vr = un ? DC_VR_UN : (dc_vr)e->vr;
    if (padded >= DC_UNDEFINED_LENGTH) {
        fail(w, DC_E_TOO_LONG, e->tag, e->at);
        return;
    }
    if (f->explicit_vr && !dc_vr_rows[vr].long_header && padded > 0xFFFF)
        vr = DC_VR_UN;
    bool to_big = vr != DC_VR_UN && f->big;
    uint8_t width = dc_vr_rows[e->vr].width;
    header(w, f, e->tag, vr, (uint32_t)padded);
    plan_bytes(w, e, e->length, !un && big != to_big && width > 1 ? width : 0);
    if (e->length & 1)
        dc_plan_out(w, &dc_vr_rows[e->vr].pad, 1);
}

static void plan_fragments(dc_writer *w, const dc_plan_frame *f, const dc_element *e)
{
    static const char zero = 0;
    if (w->syntax != w->o->syntax) {
        fail(w, DC_E_CONVERT, e->tag, e->at);
        return;
    }
    header(w, f, e->tag, (dc_vr)e->vr, DC_UNDEFINED_LENGTH);
    for (uint32_t i = 0; i < e->u.fragments->count; i++) {
        const dc_fragment *g = &e->u.fragments->list[i];
        header(w, f, DC_TAG_ITEM, DC_VR_NONE, g->length + (g->length & 1));
        dc_piece p = { .kind = g->bytes ? DC_PIECE_MEMORY : DC_PIECE_RANGE, .bytes = g->bytes, .source = w->o->source,
                       .offset = g->offset, .length = g->length };
        if (g->length)
            add_value(w, &p);
        if (g->length & 1)
            dc_plan_out(w, &zero, 1);
    }
    header(w, f, DC_TAG_SEQUENCE_END, DC_VR_NONE, 0);
}

/* Nesting. */

static dc_plan_frame *push(dc_writer *w)
{
    if (w->depth == w->frame_cap) {
        uint32_t cap = w->frame_cap ? w->frame_cap * 2 : 8;
        dc_plan_frame *list = realloc(w->frames, cap * sizeof *list);
        if (!list) {
            fail(w, DC_E_MEMORY, 0, 0);
            return NULL;
        }
        w->frames = list;
        w->frame_cap = cap;
    }
    dc_plan_frame *f = &w->frames[w->depth++];
    memset(f, 0, sizeof *f);
    return f;
}

/* The header of what follows; its length is known at the end. */
static dc_plan_frame *open_frame(dc_writer *w, uint32_t tag, dc_vr vr, bool undefined)
{
    dc_plan_frame outer = w->frames[w->depth - 1];
    size_t patch = header(w, &outer, tag, vr, undefined ? DC_UNDEFINED_LENGTH : 0);
    dc_plan_frame *f = push(w);
    if (!f)
        return NULL;
    f->explicit_vr = outer.explicit_vr;
    f->big = outer.big;
    f->undefined = undefined;
    f->patch = patch;
    f->start = w->total;
    return f;
}

/* Without a VR only the dictionary or an undefined length tells that this is a sequence. */
static bool must_be_undefined(const dc_plan_frame *f, const dc_element *e)
{
    const dc_dict_entry *entry = f->explicit_vr ? NULL : dc_dataset_entry(f->ds, e->tag);
    return !f->explicit_vr && (!entry || entry->vr != DC_VR_SQ);
}

static void open_sequence(dc_writer *w, const dc_plan_frame *outer, const dc_element *e)
{
    bool un = (e->flags & DC_EL_UN) != 0, undefined = e->flags & DC_EL_UNDEFINED || must_be_undefined(outer, e);
    dc_plan_frame *f = open_frame(w, e->tag, un ? DC_VR_UN : DC_VR_SQ, undefined);
    if (!f)
        return;
    f->items = e->u.items;
    if (un)
        f->explicit_vr = f->big = 0;
}

static void open_item(dc_writer *w, const dc_dataset *item)
{
    if (w->reuse && is_clean(w, item) && item->at) {
        reuse(w, item->at, item->length + 8);
        return;
    }
    dc_plan_frame *f = open_frame(w, DC_TAG_ITEM, DC_VR_NONE, item->undefined != 0);
    if (f)
        f->ds = item;
}

/* The delimiter or the length. What is too long for a length gets a delimiter instead. The header stands in the byte
   order of what is around it, UN being the one inner order that differs. */
static void close_frame(dc_writer *w)
{
    dc_plan_frame f = w->frames[--w->depth];
    uint64_t length = w->total - f.start;
    if (w->depth == 0)
        return;
    const dc_plan_frame *outer = &w->frames[w->depth - 1];
    bool undefined = f.undefined || length >= DC_UNDEFINED_LENGTH;
    if (w->failed == DC_OK)
        dc_put32(w->out.ptr + f.patch, undefined ? DC_UNDEFINED_LENGTH : (uint32_t)length, outer->big);
    if (undefined)
        header(w, f.ds ? outer : &f, f.ds ? DC_TAG_ITEM_END : DC_TAG_SEQUENCE_END, DC_VR_NONE, 0);
}

static void plan_element(dc_writer *w, const dc_plan_frame *f, const dc_element *e)
{
    bool group_length = (e->tag & 0xFFFF) == 0;
    if (may_reuse(w, f, e) && (!group_length || is_clean(w, f->ds))) {
        reuse(w, e->at, dc_element_header(e) + e->length);
        return;
    }
    if (group_length) /* it counts bytes that are no longer these (PS3.5 7.2: retired) */
        return;
    switch (e->hold) {
    case DC_HOLD_ITEMS: open_sequence(w, f, e); break;
    case DC_HOLD_FRAGMENTS: plan_fragments(w, f, e); break;
    default: plan_value(w, f, e);
    }
}

static void step(dc_writer *w)
{
    dc_plan_frame *f = &w->frames[w->depth - 1];
    if (f->items) {
        if (f->index < f->items->count)
            open_item(w, f->items->list[f->index++]);
        else
            close_frame(w);
    } else if (f->index < f->ds->count) {
        const dc_plan_frame copy = *f;
        f->index++;
        plan_element(w, &copy, &copy.ds->elements[copy.index]);
    } else {
        close_frame(w);
    }
}

/* What a reader that stopped left unread goes along; elements that would have to come after its start do not. */
static void plan_unread(dc_writer *w)
{
    const dc_object *o = w->o;
    const dc_element *last = o->root.count ? &o->root.elements[o->root.count - 1] : NULL;
    if (!o->stopped)
        return;
    if (!w->reuse)
        fail(w, DC_E_CONVERT, o->stopped, o->end);
    else if (last && last->tag >= o->stopped)
        fail(w, DC_E_TAG, last->tag, o->end);
    else
        reuse(w, o->end, o->tail);
}

dc_status dc_plan_dataset(dc_writer *w)
{
    const dc_object *o = w->o;
    if (w->reuse && is_clean(w, &o->root)) {
        reuse(w, o->begin, o->end - o->begin);
    } else {
        dc_plan_frame *f = push(w);
        if (!f)
            return w->failed;
        f->ds = &o->root;
        f->explicit_vr = w->syntax->explicit_vr;
        f->big = w->syntax->big_endian;
        while (w->depth && w->failed == DC_OK)
            step(w);
    }
    plan_unread(w);
    if (w->raw && !o->stopped)
        reuse(w, o->end, o->tail);
    dc_plan_flush(w);
    return w->failed;
}
