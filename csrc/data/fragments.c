/* SPDX-License-Identifier: MIT */
/* Fragments of encapsulated Pixel Data (PS3.5 A.4): their bytes stay in the source, only headers are looked at. */
#include <string.h>

#include "reading.h"

enum { FIRST_FRAGMENTS = 16 << 10 };

dc_status dc_fragments_open(dc_reader *r, dc_element *e, const dc_header *h)
{
    dc_dataset *ds = dc_walk_top(r)->ds;
    uint64_t end = dc_walk_top(r)->end;
    dc_fragments *list = dc_arena_zero(&r->o->arena, sizeof *list);
    dc_status st = list ? dc_walk_count(r, e->tag) : DC_E_MEMORY;
    if (st)
        return st;
    e->hold = DC_HOLD_FRAGMENTS;
    e->flags |= DC_EL_UNDEFINED;
    e->u.fragments = list;
    st = dc_walk_append(r, ds, e);
    dc_frame *f = st ? NULL : dc_walk_push(r, DC_FRAME_FRAGMENTS);
    if (!f)
        return st ? st : DC_E_MEMORY;
    f->ds = ds;
    f->index = ds->count - 1;
    f->fragments = list;
    f->start = r->pos = r->pos + h->size;
    f->end = end;
    f->undefined = 1;
    f->big = (f - 1)->big;
    if (r->o->syntax->encapsulated)
        return DC_OK;
    return dc_reader_mend(r, NULL, "encapsulated pixel data in a native transfer syntax (PS3.5 A.4)", e->tag, e->at);
}

static dc_status add_fragment(dc_reader *r, dc_fragments *list, const dc_fragment *f)
{
    if (list->count == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 2;
        dc_fragment *more = cap > UINT32_MAX / 2 ? NULL : dc_arena_alloc(&r->o->arena, (size_t)cap * sizeof *more);
        if (!more)
            return DC_E_MEMORY;
        if (list->count)
            memcpy(more, list->list, list->count * sizeof *more);
        list->list = more;
        list->cap = cap;
    }
    list->list[list->count++] = *f;
    return DC_OK;
}

/* The next header is looked for a fragment further on. Small fragments share a window, large ones are stepped over. */
static size_t fragment_window(const dc_reader *r, const dc_fragments *list)
{
    uint32_t last = list->count ? list->list[list->count - 1].length : 0;
    size_t size = last > 16 << 10 ? 16 : last > 2 << 10 ? 64 << 10 : 256 << 10;
    return list->count < 4 && size > FIRST_FRAGMENTS ? FIRST_FRAGMENTS : r->o->source ? size : 0;
}

static const uint8_t *look_fragment(dc_reader *r, const dc_fragments *list, size_t n)
{
    return r->o->source ? dc_reader_ask_transient(r, n, fragment_window(r, list)) : dc_reader_look(r, n);
}

static dc_status read_fragment(dc_reader *r, dc_frame *f, uint32_t length)
{
    uint64_t left = f->end - r->pos - 8;
    dc_fragment made = { r->pos + 8, length, false, NULL };
    dc_status st = dc_walk_count(r, DC_TAG_ITEM);
    if (st)
        return st;
    if (length > left) {
        made.length = (uint32_t)left;
        st = dc_walk_flaw_value(r, "fragment runs past the end: it is cut (PS3.5 A.4)");
        if (st)
            return st;
    }
    if (!r->o->source) {
        const uint8_t *p = dc_reader_look(r, (size_t)made.length + 8);
        if (!p) {
            r->o->elements--;
            return DC_MORE;
        }
        made.bytes = p + 8;
    }
    r->pos += 8 + (uint64_t)made.length;
    return add_fragment(r, f->fragments, &made);
}

dc_status dc_fragments_step(dc_reader *r)
{
    dc_frame *f = dc_walk_top(r);
    uint64_t left = f->end - r->pos;
    if (left < 8)
        return dc_walk_end_flawed(r, "pixel data has no delimiter (PS3.5 A.4)", true);
    const uint8_t *p = look_fragment(r, f->fragments, 8);
    if (!p)
        return DC_MORE;
    uint32_t tag = (uint32_t)dc_get16(p, f->big) << 16 | dc_get16(p + 2, f->big), length = dc_get32(p + 4, f->big);
    if (tag == DC_TAG_ITEM && length != DC_UNDEFINED_LENGTH)
        return read_fragment(r, f, length);
    if (tag != DC_TAG_SEQUENCE_END)
        return dc_walk_end_flawed(r, "pixel data has no delimiter (PS3.5 A.4)", false);
    r->pos += 8;
    return dc_walk_close_value(r);
}
