/* SPDX-License-Identifier: MIT */
/* Making pixel data frame by frame. What may fail is done first: room for everything, then the change. */
#include <stdlib.h>
#include <string.h>

#include "../data/tree.h"
#include "../data/value.h"
#include "grouping.h"

/* The next offset in tables of 32 bits can still be this. */
#define BASIC_MOST UINT64_C(0xFFFFFFFF)

static dc_status set_count(dc_frames *f, dc_dataset *ds)
{
    char text[20], *p = text + sizeof text;
    uint64_t n = f->count + 1;
    if (n == 1 && !dc_dataset_find(ds, DC_TAG_NUMBER_OF_FRAMES))
        return DC_OK;
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    return dc_dataset_set(ds, DC_TAG_NUMBER_OF_FRAMES, DC_VR_IS, dc_span_make(p, (size_t)(text + sizeof text - p)), false);
}

/* Encapsulated: room. */

static dc_fragments *fragments_of(const dc_frames *f, const dc_dataset *ds)
{
    dc_element *e = dc_dataset_find(ds, f->tag);
    return e && e->hold == DC_HOLD_FRAGMENTS ? e->u.fragments : NULL;
}

static dc_status reserve_fragment(dc_object *o, dc_fragments *list)
{
    if (list->count < list->cap)
        return DC_OK;
    uint32_t cap = list->cap < 8 ? 16 : list->cap * 2;
    dc_fragment *more = cap > UINT32_MAX / 4 ? NULL : dc_arena_zero(&o->arena, (size_t)cap * sizeof *more);
    if (!more)
        return DC_E_MEMORY;
    if (list->count)
        memcpy(more, list->list, list->count * sizeof *more);
    list->count += list->count == 0; /* the Basic Offset Table, empty */
    list->list = more;
    list->cap = cap;
    return DC_OK;
}

static dc_status reserve_place(dc_frames *f)
{
    if (f->known < f->room)
        return DC_OK;
    if (f->room > UINT32_MAX / 4)
        return DC_E_COUNT;
    uint32_t room = f->room < 8 ? 16 : f->room * 2;
    dc_frame_place *more = realloc(f->places, room * sizeof *more);
    if (!more)
        return DC_E_MEMORY;
    f->places = more;
    f->room = room;
    return DC_OK;
}

/* Values that grow. The element stays what it is, in memory and little endian. */

static dc_status own(dc_object *o, dc_element *e, size_t size)
{
    if (e->length > SIZE_MAX / 2)
        return DC_E_MEMORY;
    uint8_t *block = dc_block_new(o, e->length > size ? (size_t)e->length : size); /* it may be too long already */
    dc_status st = block ? dc_frames_load(o, e, 0, block, e->length) : DC_E_MEMORY;
    if (st) {
        if (block)
            dc_block_free(o, block, false);
        return st;
    }
    if (e->flags & DC_EL_BIG)
        dc_turn(block, (size_t)e->length, dc_vr_rows[e->vr].width);
    if (e->hold == DC_HOLD_BYTES && e->flags & DC_EL_OWNED)
        dc_block_free(o, e->u.bytes, (e->flags & DC_EL_TAKEN) != 0);
    e->hold = DC_HOLD_BYTES;
    e->flags = DC_EL_OWNED;
    e->u.bytes = block;
    return DC_OK;
}

/* Room for `size` bytes in all. */
static dc_status grow(dc_object *o, dc_element *e, uint64_t size)
{
    if (size >= DC_UNDEFINED_LENGTH)
        return dc_object_fail(o, DC_E_TOO_LONG, e->tag, e->at);
    if (e->flags != DC_EL_OWNED || e->hold != DC_HOLD_BYTES)
        return own(o, e, (size_t)size);
    uint8_t *block = dc_block_grow(o, e->u.bytes, (size_t)e->length, (size_t)size);
    if (!block)
        return DC_E_MEMORY;
    e->u.bytes = block;
    return DC_OK;
}

static uint8_t *end_of(dc_element *e)
{
    return (uint8_t *)(uintptr_t)e->u.bytes + e->length;
}

/* Offset tables. They are made anew once, and then grow with each frame. */

static uint64_t padded(const dc_fragment *g)
{
    return g->length + (uint64_t)(g->length & 1);
}

static dc_status make_basic(dc_frames *f, dc_object *o, dc_fragments *list)
{
    uint8_t *block = dc_block_new(o, ((size_t)f->known + 4) * 4);
    if (!block)
        return DC_E_MEMORY;
    uint64_t at = 0;
    uint32_t i = 1;
    for (uint32_t n = 0; n < f->known; n++) {
        for (; i < f->places[n].first; i++)
            at += 8 + padded(&list->list[i]);
        dc_put32(block + (size_t)n * 4, (uint32_t)at, false);
    }
    if (list->list[0].owned)
        dc_block_free(o, list->list[0].bytes, false);
    list->list[0] = (dc_fragment){ .length = f->known * 4, .bytes = block, .owned = true };
    return DC_OK;
}

static void drop_basic(dc_object *o, dc_fragments *list)
{
    if (list->list[0].owned)
        dc_block_free(o, list->list[0].bytes, false);
    list->list[0] = (dc_fragment){ .length = 0 };
}

static dc_status make_element(dc_frames *f, dc_dataset *ds, uint32_t tag, const uint8_t *bytes)
{
    return dc_dataset_set(ds, tag, DC_VR_OV, dc_span_make(bytes, (size_t)f->known * 8), false);
}

static dc_status make_extended(dc_frames *f, dc_dataset *ds, const dc_fragments *list)
{
    uint64_t at = 0;
    uint8_t *bytes = malloc((size_t)f->known * 8 + 8);
    if (!bytes)
        return DC_E_MEMORY;
    for (uint32_t n = 0; n < f->known; n++) {
        dc_put64(bytes + (size_t)n * 8, at, false);
        at += 8 + padded(&list->list[n + 1]);
    }
    dc_status st = make_element(f, ds, DC_TAG_EXTENDED_OFFSETS, bytes);
    for (uint32_t n = 0; n < f->known && st == DC_OK; n++)
        dc_put64(bytes + (size_t)n * 8, f->places[n].length, false);
    if (st == DC_OK)
        st = make_element(f, ds, DC_TAG_EXTENDED_LENGTHS, bytes);
    free(bytes);
    return st;
}

static dc_status drop_extended(dc_dataset *ds)
{
    return dc_dataset_remove_range(ds, DC_TAG_EXTENDED_OFFSETS, DC_TAG_EXTENDED_LENGTHS);
}

static uint64_t end_offset(const dc_fragments *list)
{
    uint64_t at = 0;
    for (uint32_t i = 1; i < list->count; i++)
        at += 8 + padded(&list->list[i]);
    return at;
}

/* The Extended table has one fragment a frame (PS3.3 C.7.6.3.1.8). Without it, and beyond 32 bits, there is none. */
static dc_status make_tables(dc_frames *f, dc_dataset *ds, bool extended)
{
    dc_fragments *list = fragments_of(f, ds);
    uint64_t end = f->is_rebuilt ? f->end : end_offset(list);
    bool each = f->known + 1 == list->count, wants = extended || f->has_extended || end > BASIC_MOST;
    bool is_extended = wants && each, is_basic = !wants || (!each && end <= BASIC_MOST);
    if (f->is_rebuilt && is_extended == f->has_extended && is_basic == f->has_basic)
        return DC_OK;
    dc_status st = is_basic ? make_basic(f, ds->object, list) : DC_OK;
    if (st == DC_OK)
        st = is_extended ? make_extended(f, ds, list) : drop_extended(ds);
    if (st)
        return st;
    if (!is_basic)
        drop_basic(ds->object, list);
    f->has_extended = is_extended;
    f->has_basic = is_basic;
    f->is_rebuilt = true;
    f->end = end;
    return DC_OK;
}

static dc_status grow_tables(dc_frames *f, dc_dataset *ds)
{
    dc_fragment *basic = &fragments_of(f, ds)->list[0];
    if (f->has_basic) {
        uint8_t *block = dc_block_grow(ds->object, basic->bytes, basic->length, (size_t)basic->length + 4);
        if (!block)
            return DC_E_MEMORY;
        basic->bytes = block;
        return DC_OK;
    }
    if (!f->has_extended)
        return DC_OK;
    dc_element *offsets = dc_dataset_find(ds, DC_TAG_EXTENDED_OFFSETS), *lengths = dc_dataset_find(ds, DC_TAG_EXTENDED_LENGTHS);
    if (!offsets || !lengths)
        return DC_E_GONE;
    dc_status st = grow(ds->object, offsets, offsets->length + 8);
    return st ? st : grow(ds->object, lengths, lengths->length + 8);
}

static void put_entry(dc_dataset *ds, uint32_t tag, uint64_t v)
{
    dc_element *e = dc_dataset_find(ds, tag);
    dc_put64(end_of(e), v, false);
    e->length += 8;
}

static void extend_tables(dc_frames *f, dc_dataset *ds, uint64_t length)
{
    dc_fragment *basic = &fragments_of(f, ds)->list[0];
    if (f->has_basic) {
        dc_put32((uint8_t *)(uintptr_t)basic->bytes + basic->length, (uint32_t)f->end, false);
        basic->length += 4;
    } else if (f->has_extended) {
        put_entry(ds, DC_TAG_EXTENDED_OFFSETS, f->end);
        put_entry(ds, DC_TAG_EXTENDED_LENGTHS, length);
    }
}

/* Appending. */

static dc_status check_known(const dc_frames *f)
{
    dc_status st = f->known < f->count ? DC_E_GROUPING : DC_OK;
    for (uint32_t n = 0; n < f->known && st == DC_OK && !f->is_rebuilt; n++)
        st = f->places[n].flaw;
    return st;
}

static void add_fragment(dc_frames *f, dc_dataset *ds, const uint8_t *block, dc_span frame)
{
    dc_element *e = dc_dataset_find(ds, f->tag);
    dc_fragments *list = e->u.fragments;
    dc_fragment made = { .length = (uint32_t)(frame.len + (frame.len & 1)), .bytes = block, .owned = true };
    extend_tables(f, ds, made.length);
    f->places[f->known++] = (dc_frame_place){ .first = list->count, .count = 1, .length = made.length };
    list->list[list->count++] = made;
    f->end += 8 + (uint64_t)made.length;
    e->flags &= (uint16_t) ~(DC_EL_ORIGINAL | DC_EL_REPAIRED);
}

static dc_status append_fragment(dc_frames *f, dc_dataset *ds, dc_span frame, bool extended)
{
    size_t size = frame.len + (frame.len & 1);
    dc_status st = size >= DC_UNDEFINED_LENGTH ? DC_E_TOO_LONG : check_known(f);
    if (st)
        return st;
    uint8_t *block = dc_block_new(ds->object, size ? size : 1);
    st = block ? reserve_fragment(ds->object, fragments_of(f, ds)) : DC_E_MEMORY;
    if (st == DC_OK)
        st = reserve_place(f);
    if (st == DC_OK)
        st = make_tables(f, ds, extended);
    if (st == DC_OK)
        st = grow_tables(f, ds);
    if (st == DC_OK)
        st = set_count(f, ds);
    if (st) {
        if (block)
            dc_block_free(ds->object, block, false);
        return st;
    }
    if (frame.len)
        memcpy(block, frame.ptr, frame.len);
    if (size > frame.len)
        block[frame.len] = 0;
    add_fragment(f, ds, block, frame);
    return DC_OK;
}

/* n bits of `from` behind the first `at` bits of `to`, whose other bits are zero. */
static void put_bits(uint8_t *to, uint64_t at, const uint8_t *from, uint64_t n)
{
    unsigned shift = (unsigned)(at % 8);
    size_t size = (size_t)((n + 7) / 8), end = (size_t)((at + n + 7) / 8);
    for (size_t i = 0, k = (size_t)(at / 8); i < size; i++, k++) {
        uint8_t c = i + 1 == size && n % 8 ? from[i] & (uint8_t)((1u << n % 8) - 1) : from[i];
        to[k] |= (uint8_t)(c << shift);
        if (shift && k + 1 < end)
            to[k + 1] |= (uint8_t)(c >> (8 - shift));
    }
}

static dc_status append_native(dc_frames *f, dc_dataset *ds, dc_span frame)
{
    uint64_t before, after;
    dc_element *e = dc_dataset_find(ds, f->tag);
    if (frame.len != (f->bits + 7) / 8)
        return DC_E_LENGTH;
    if (__builtin_mul_overflow(f->count, f->bits, &before) || before > UINT64_MAX / 2 || f->bits > UINT64_MAX / 2)
        return DC_E_TOO_LONG;
    after = before + f->bits;
    if (e->length < (before + 7) / 8)
        return DC_E_TRUNCATED;
    dc_status st = grow(ds->object, e, (after + 7) / 8);
    if (st == DC_OK)
        st = set_count(f, ds);
    if (st)
        return st;
    e = dc_dataset_find(ds, f->tag);
    uint8_t *to = (uint8_t *)(uintptr_t)e->u.bytes;
    size_t first = (size_t)(before / 8), end = (size_t)((after + 7) / 8);
    if (before % 8 == 0 && f->bits % 8 == 0) {
        if (frame.len)
            memcpy(to + first, frame.ptr, frame.len);
    } else {
        to[first] &= (uint8_t)((1u << before % 8) - 1);
        memset(to + first + 1, 0, end - first - 1);
        put_bits(to, before, frame.ptr, f->bits);
    }
    f->width = 1;
    e->length = end;
    return DC_OK;
}

dc_status dc_frames_append(dc_frames *f, dc_dataset *ds, dc_span frame, bool extended)
{
    dc_status st = f->is_native ? append_native(f, ds, frame) : append_fragment(f, ds, frame, extended);
    if (st)
        return st;
    f->count++;
    dc_dataset_touch(ds);
    return DC_OK;
}

/* Emptying. */

static dc_status clear_fragments(dc_frames *f, dc_dataset *ds)
{
    dc_element *e;
    dc_fragments *list = dc_arena_zero(&ds->object->arena, sizeof *list);
    dc_status st = list ? reserve_fragment(ds->object, list) : DC_E_MEMORY;
    if (st == DC_OK)
        st = drop_extended(ds);
    if (st == DC_OK)
        st = dc_dataset_remove_range(ds, DC_TAG_FLOAT_PIXELS, DC_TAG_PIXEL_DATA);
    if (st == DC_OK)
        st = dc_dataset_slot(ds, DC_TAG_PIXEL_DATA, &e);
    if (st)
        return st;
    e->vr = DC_VR_OB;
    e->hold = DC_HOLD_FRAGMENTS;
    e->flags = DC_EL_UNDEFINED;
    e->u.fragments = list;
    return dc_frames_init(f, ds);
}

static dc_status clear_native(dc_frames *f, dc_dataset *ds)
{
    dc_status st = dc_frames_expect(f, ds);
    if (st == DC_OK)
        st = drop_extended(ds);
    if (st)
        return st;
    return dc_dataset_set(ds, f->tag, dc_dataset_resolve_vr(ds, dc_dict_by_tag(f->tag)), dc_span_make(NULL, 0), false);
}

dc_status dc_frames_clear(dc_frames *f, dc_dataset *ds)
{
    dc_status st = ds->object->syntax->encapsulated ? clear_fragments(f, ds) : clear_native(f, ds);
    f->count = 0;
    dc_dataset_touch(ds);
    return st;
}
