/* SPDX-License-Identifier: MIT */
/* What the header says of frames, and native frames: their place is computed. grouping.c finds encapsulated ones. */
#include <stdlib.h>
#include <string.h>

#include "../data/value.h"
#include "grouping.h"

enum { SAMPLES = 0x00280002, PHOTOMETRIC = 0x00280004, ROWS = 0x00280010, COLUMNS = 0x00280011, ALLOCATED = 0x00280100 };

/* Attributes. */

static bool integer_of(const dc_element *e, dc_span bytes, int64_t *v)
{
    dc_span text;
    if (dc_vr_rows[e->vr].kind == DC_KIND_BINARY)
        return dc_value_integer((dc_vr)e->vr, bytes, 0, (e->flags & DC_EL_BIG) != 0, v);
    return dc_value_text((dc_vr)e->vr, bytes, 0, DC_MULTIBYTE_NONE, &text) && dc_integer_parse(text, v) == DC_OK;
}

/* `otherwise` where the attribute is absent or empty; negative: it has to be there. */
static dc_status attribute(dc_frames *f, const dc_dataset *ds, uint32_t tag, int64_t otherwise, uint64_t *out)
{
    uint8_t *scratch = NULL;
    dc_span bytes;
    int64_t v = otherwise;
    const dc_element *e = dc_dataset_find(ds, tag);
    bool good = true;
    if (e && e->length) {
        dc_status st = dc_element_bytes(ds->object, e, &bytes, &scratch);
        good = st == DC_OK && integer_of(e, bytes, &v);
        free(scratch);
    }
    if (!good || v < 0) {
        f->wrong_tag = tag;
        return DC_E_VALUE;
    }
    *out = (uint64_t)v;
    return DC_OK;
}

static bool has_text(const dc_dataset *ds, uint32_t tag, const char *text)
{
    dc_span s;
    const dc_element *e = dc_dataset_find(ds, tag);
    return e && e->hold == DC_HOLD_BYTES &&
           dc_value_text(DC_VR_CS, dc_span_make(e->u.bytes, (size_t)e->length), 0, DC_MULTIBYTE_NONE, &s) &&
           s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

dc_status dc_frames_note(dc_dataset *ds, const dc_element *e, const char *what)
{
    const dc_object *o = ds->object;
    for (uint32_t i = 0; i < o->repair_count; i++)
        if (o->repairs[i].what == what && o->repairs[i].offset == e->at)
            return DC_OK;
    return dc_object_repair(ds->object, what, e->tag, e->at);
}

/* Native frames. */

static bool multiply(uint64_t *product, uint64_t by)
{
    return !__builtin_mul_overflow(*product, by, product);
}

/* Two pixels of 4:2:2 share their two chrominance samples (PS3.3 C.7.6.3.1.2). Some writers say so and do not share:
   the length of the value tells. */
static dc_status share_samples(dc_frames *f, dc_dataset *ds, const dc_element *e, uint64_t samples)
{
    uint64_t all = f->bits;
    bool shared = samples == 3 && (has_text(ds, PHOTOMETRIC, "YBR_FULL_422") || has_text(ds, PHOTOMETRIC, "YBR_PARTIAL_422"));
    if (!shared)
        return DC_OK;
    if (multiply(&all, f->count) && e->length == (all / 8 + 1) / 2 * 2)
        return dc_frames_note(ds, e, "4:2:2 pixel data is as long as if it were not (PS3.3 C.7.6.3.1.2)");
    f->bits = f->bits / 3 * 2;
    return DC_OK;
}

static dc_status measure(dc_frames *f, dc_dataset *ds, const dc_element *e)
{
    uint64_t rows = 0, columns = 0, samples = 0, allocated = 0;
    dc_status st = attribute(f, ds, ROWS, -1, &rows);
    if (st == DC_OK)
        st = attribute(f, ds, COLUMNS, -1, &columns);
    if (st == DC_OK)
        st = attribute(f, ds, SAMPLES, 1, &samples);
    if (st == DC_OK)
        st = attribute(f, ds, ALLOCATED, e->tag == DC_TAG_FLOAT_PIXELS ? 32 : e->tag == DC_TAG_DOUBLE_PIXELS ? 64 : -1,
                       &allocated);
    if (st)
        return st;
    f->bits = rows;
    if (!multiply(&f->bits, columns) || !multiply(&f->bits, samples) || !multiply(&f->bits, allocated)) {
        f->wrong_tag = ROWS;
        return DC_E_VALUE;
    }
    f->is_native = true;
    f->width = e->flags & DC_EL_BIG ? dc_vr_rows[e->vr].width : 1;
    return share_samples(f, ds, e, samples);
}

/* Number of Frames is at least 1 (PS3.3 C.7.6.6.1.1); 0 is taken for it, as absence is. */
dc_status dc_frames_init(dc_frames *f, dc_dataset *ds)
{
    static const uint32_t tags[] = { DC_TAG_PIXEL_DATA, DC_TAG_FLOAT_PIXELS, DC_TAG_DOUBLE_PIXELS };
    const dc_element *e = NULL;
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < sizeof tags / sizeof *tags && !e; i++)
        e = dc_dataset_find(ds, tags[i]);
    if (!e)
        return DC_E_NO_PIXELS;
    f->tag = e->tag;
    dc_status st = attribute(f, ds, DC_TAG_NUMBER_OF_FRAMES, 1, &f->count);
    if (st)
        return st;
    f->count += f->count == 0;
    if (e->hold == DC_HOLD_FRAGMENTS)
        return dc_grouping_find(f, ds, e);
    f->wrong_tag = f->tag;
    return e->hold == DC_HOLD_ITEMS ? DC_E_VALUE : measure(f, ds, e);
}

dc_status dc_frames_expect(dc_frames *f, dc_dataset *ds)
{
    memset(f, 0, sizeof *f);
    dc_element e = { .tag = dc_dataset_find(ds, DC_TAG_FLOAT_PIXELS) ? DC_TAG_FLOAT_PIXELS
                          : dc_dataset_find(ds, DC_TAG_DOUBLE_PIXELS) ? DC_TAG_DOUBLE_PIXELS : DC_TAG_PIXEL_DATA };
    f->tag = e.tag;
    return measure(f, ds, &e);
}

void dc_frames_reset(dc_frames *f)
{
    free(f->places);
    memset(f, 0, sizeof *f);
}

/* The bits of frame n in the value: false when they would be beyond any length. */
static bool bits_of(const dc_frames *f, uint64_t n, uint64_t *from, uint64_t *to)
{
    *to = n;
    if (!multiply(to, f->bits))
        return false;
    *from = *to - f->bits;
    return *to <= UINT64_MAX - 7;
}

static dc_status native_size(const dc_frames *f, const dc_element *e, uint64_t n, uint64_t *size)
{
    uint64_t from, to;
    if (!bits_of(f, n, &from, &to) || (to + 7) / 8 > e->length)
        return DC_E_TRUNCATED;
    *size = (f->bits + 7) / 8;
    return DC_OK;
}

dc_status dc_frames_load(const dc_object *o, const dc_element *e, uint64_t from, uint8_t *to, uint64_t n)
{
    if (e->hold == DC_HOLD_RANGE)
        return o->source->read_at(o->source, e->u.offset + from, to, (size_t)n);
    if (n)
        memcpy(to, e->u.bytes + from, (size_t)n);
    return DC_OK;
}

/* n bits of `p` from bit `shift` of its first byte; the rest of the last byte is zero. */
static void take_bits(uint8_t *to, const uint8_t *p, size_t size, unsigned shift, uint64_t bits)
{
    size_t n = (size_t)((bits + 7) / 8);
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(p[i] >> shift | (shift && i + 1 < size ? p[i + 1] << (8 - shift) : 0));
    if (bits % 8)
        to[n - 1] &= (uint8_t)((1u << bits % 8) - 1);
}

static dc_status read_native(const dc_frames *f, const dc_object *o, const dc_element *e, uint64_t n, uint8_t *to)
{
    uint64_t from = 0, end = 0, width = f->width;
    (void)bits_of(f, n, &from, &end); /* dc_frames_size has seen that it fits */
    uint64_t first = from / 8 / width * width, last = ((end + 7) / 8 + width - 1) / width * width;
    if (last > e->length)
        last = e->length;
    size_t size = (size_t)(last - first);
    if (size == 0)
        return DC_OK;
    if (from % 8 == 0 && end % 8 == 0 && first == from / 8 && last == end / 8) {
        dc_status st = dc_frames_load(o, e, first, to, size);
        dc_turn(to, st ? 0 : size, f->width);
        return st;
    }
    uint8_t *block = malloc(size);
    dc_status st = block ? dc_frames_load(o, e, first, block, size) : DC_E_MEMORY;
    if (st == DC_OK) {
        size_t skip = (size_t)(from / 8 - first);
        dc_turn(block, size, f->width);
        take_bits(to, block + skip, size - skip, (unsigned)(from % 8), f->bits);
    }
    free(block);
    return st;
}

/* Any frame. */

static dc_status place_of(const dc_frames *f, uint64_t n, const dc_frame_place **place)
{
    if (n > f->known)
        return f->known < f->count ? DC_E_GROUPING : DC_E_FRAME;
    *place = &f->places[n - 1];
    return (*place)->flaw;
}

dc_status dc_frames_size(const dc_frames *f, const dc_dataset *ds, uint64_t n, uint64_t *size)
{
    const dc_frame_place *place;
    const dc_element *e = dc_dataset_find(ds, f->tag);
    if (n < 1 || n > f->count || !e)
        return DC_E_FRAME;
    if (f->is_native)
        return native_size(f, e, n, size);
    dc_status st = place_of(f, n, &place);
    if (st == DC_OK)
        *size = place->length;
    return st;
}

static dc_status read_fragments(const dc_object *o, const dc_fragments *list, const dc_frame_place *place, uint8_t *to)
{
    uint64_t left = place->length;
    dc_status st = DC_OK;
    for (uint32_t i = 0; i < place->count && left && st == DC_OK; i++) {
        const dc_fragment *g = &list->list[place->first + i];
        size_t n = g->length < left ? g->length : (size_t)left;
        if (g->bytes && n)
            memcpy(to, g->bytes, n);
        else if (n)
            st = o->source->read_at(o->source, g->offset, to, n);
        to += n;
        left -= n;
    }
    return st;
}

dc_status dc_frames_read(const dc_frames *f, const dc_dataset *ds, uint64_t n, uint8_t *to)
{
    uint64_t size;
    const dc_element *e = dc_dataset_find(ds, f->tag);
    dc_status st = dc_frames_size(f, ds, n, &size);
    if (st)
        return st;
    if (f->is_native)
        return read_native(f, ds->object, e, n, to);
    return read_fragments(ds->object, e->u.fragments, &f->places[n - 1], to);
}
