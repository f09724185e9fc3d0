/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "charset.h"
#include "same.h"

enum { PIECE = 64 << 10 };

/* One of the two sides. */
typedef struct side {
    const dc_dataset *ds;
    const dc_element *e;
    uint8_t *block;
} side;

/* --- bytes --------------------------------------------------------------------------------------------------------- */

static dc_status piece_of(side *s, const uint8_t *bytes, uint64_t offset, uint64_t at, size_t n, const uint8_t **out)
{
    *out = bytes ? bytes + at : s->block;
    if (bytes)
        return DC_OK;
    if (!s->block && !(s->block = malloc(PIECE)))
        return DC_E_MEMORY;
    *out = s->block;
    return s->ds->object->source->read_at(s->ds->object->source, offset + at, s->block, n);
}

/* The same bytes, those of one side swapped when the byte orders differ? */
static bool equal(const uint8_t *p, const uint8_t *q, size_t n, size_t width)
{
    if (width < 2)
        return n == 0 || memcmp(p, q, n) == 0;
    for (size_t i = 0; i < n; i++)
        if (p[i] != q[i - i % width + (width - 1 - i % width)])
            return false;
    return true;
}

static dc_status compare(side *x, const uint8_t *p, uint64_t from, side *y, const uint8_t *q, uint64_t to, uint64_t length,
                         size_t width, bool *same)
{
    dc_status st = DC_OK;
    uint64_t whole = length - length % (width ? width : 1);
    for (uint64_t at = 0; at < length && *same && !st;) {
        const uint8_t *a, *b;
        uint64_t left = at < whole ? whole - at : length - at;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        st = piece_of(x, p, from, at, n, &a);
        if (!st)
            st = piece_of(y, q, to, at, n, &b);
        if (!st)
            *same = equal(a, b, n, at < whole ? width : 1);
        at += n;
    }
    return st;
}

static const uint8_t *held(const dc_element *e)
{
    return e->hold == DC_HOLD_BYTES ? e->u.bytes : NULL;
}

static uint64_t where(const dc_element *e)
{
    return e->hold == DC_HOLD_BYTES ? 0 : e->u.offset;
}

static dc_status same_bytes(side *x, side *y, size_t width, bool *same)
{
    bool swapped = ((x->e->flags ^ y->e->flags) & DC_EL_BIG) != 0;
    *same = x->e->length == y->e->length;
    if (!*same || x->e->length == 0)
        return DC_OK;
    return compare(x, held(x->e), where(x->e), y, held(y->e), where(y->e), x->e->length, swapped ? width : 1, same);
}

static dc_status same_fragments(side *x, side *y, bool *same)
{
    const dc_fragments *f = x->e->u.fragments, *g = y->e->u.fragments;
    dc_status st = DC_OK;
    *same = f->count == g->count;
    for (uint32_t i = 0; i < f->count && *same && !st; i++) {
        const dc_fragment *a = &f->list[i], *b = &g->list[i];
        *same = a->length == b->length;
        if (*same)
            st = compare(x, a->bytes, a->offset, y, b->bytes, b->offset, a->length, 1, same);
    }
    return st;
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

/* Component groups that are empty at the end say nothing (PS3.5 6.2.1). */
static void trim_name(dc_vr vr, dc_buf *b, size_t from)
{
    while (vr == DC_VR_PN && b->len > from && (b->ptr[b->len - 1] == '=' || b->ptr[b->len - 1] == ' '))
        b->len--;
}

/* Values in UTF-8, padding gone, a backslash between them; what does not decode stays as it is. */
static dc_status add_text(const dc_dataset *ds, dc_vr vr, dc_span bytes, dc_buf *out)
{
    dc_charset cs = dc_charset_of(ds);
    dc_span s;
    size_t at = 0, bad = 0;
    dc_status st = DC_OK;
    for (bool first = true; !st && dc_value_next(vr, bytes, (dc_multibyte)cs.multibyte, &at, &s); first = false) {
        if (!first)
            st = dc_buf_u8(out, '\\');
        size_t mark = out->len;
        if (!st)
            st = dc_charset_decode(&cs, vr, s, out, &bad);
        if (st == DC_E_CHARSET) {
            out->len = mark;
            st = dc_buf_add(out, s.ptr, s.len);
        }
        trim_name(vr, out, mark);
    }
    return st;
}

static dc_status text_of(const side *s, dc_buf *out)
{
    dc_span bytes;
    uint8_t *scratch;
    dc_status st = dc_element_bytes(s->ds->object, s->e, &bytes, &scratch);
    if (!st)
        st = add_text(s->ds, (dc_vr)s->e->vr, bytes, out);
    free(scratch);
    return st;
}

static dc_status same_text(side *x, side *y, bool *same)
{
    dc_buf a, b;
    dc_buf_init(&a);
    dc_buf_init(&b);
    dc_status st = text_of(x, &a);
    if (!st)
        st = text_of(y, &b);
    *same = !st && dc_span_equal(dc_buf_span(&a), dc_buf_span(&b));
    dc_buf_free(&a);
    dc_buf_free(&b);
    return st;
}

static dc_status same_value(side *x, side *y, bool *same)
{
    const dc_vr_row *row = &dc_vr_rows[x->e->vr];
    *same = false;
    if (x->e->vr != y->e->vr)
        return DC_OK;
    if (x->e->hold == DC_HOLD_FRAGMENTS || y->e->hold == DC_HOLD_FRAGMENTS)
        return x->e->hold == y->e->hold ? same_fragments(x, y, same) : DC_OK;
    if (row->kind <= DC_KIND_INTEGER)
        return same_text(x, y, same);
    return same_bytes(x, y, row->width, same);
}

dc_status dc_element_same(const dc_dataset *a, const dc_element *x, const dc_dataset *b, const dc_element *y, bool *same)
{
    side left = { a, x, NULL }, right = { b, y, NULL };
    *same = false;
    if (x->hold == DC_HOLD_ITEMS || y->hold == DC_HOLD_ITEMS)
        return DC_OK;
    dc_status st = same_value(&left, &right, same);
    free(left.block);
    free(right.block);
    return st;
}
