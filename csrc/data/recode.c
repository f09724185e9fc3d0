/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "recode.h"

#define CHARACTER_SET 0x00080005u

static const char unicode[] = "ISO_IR 192";

static dc_span unicode_term(void)
{
    return dc_span_make(unicode, sizeof unicode - 1);
}

static bool same_set(const dc_charset *a, const dc_charset *b)
{
    return a->known == b->known && a->count == b->count && memcmp(a->sets, b->sets, a->count) == 0;
}

/* UTF-8 values, separated by backslashes where the VR is delimited, to the set. */
static dc_status encode_values(const dc_charset *cs, dc_vr vr, dc_span utf8, dc_buf *out)
{
    if (!dc_vr_rows[vr].delimited)
        return dc_charset_encode(cs, vr, utf8, out);
    for (;;) {
        const uint8_t *end = utf8.len ? memchr(utf8.ptr, '\\', utf8.len) : NULL;
        size_t n = end ? (size_t)(end - utf8.ptr) : utf8.len;
        dc_status st = dc_charset_encode(cs, vr, dc_span_make(utf8.ptr, n), out);
        if (st || !end)
            return st;
        st = dc_buf_u8(out, '\\');
        if (st)
            return st;
        utf8 = dc_span_make(end + 1, utf8.len - n - 1);
    }
}

static dc_status decode_values(const dc_charset *cs, dc_vr vr, dc_span bytes, dc_buf *out)
{
    dc_span value;
    size_t at = 0, bad;
    dc_status st = DC_OK;
    for (bool first = true; !st && dc_value_next(vr, bytes, (dc_multibyte)cs->multibyte, &at, &value); first = false) {
        if (!first)
            st = dc_buf_u8(out, '\\');
        if (!st)
            st = dc_charset_decode(cs, vr, value, out, &bad);
    }
    return st;
}

/* --- re-encoding a tree -------------------------------------------------------------------------------------------- */

typedef struct recoder {
    const dc_charset *from, *to;
    bool apply; /* false: only asks whether everything fits */
    dc_buf utf8, bytes;
} recoder;

static dc_status recode_bytes(recoder *c, dc_dataset *ds, uint32_t tag, dc_vr vr, dc_span old)
{
    c->utf8.len = c->bytes.len = 0;
    dc_status st = decode_values(c->from, vr, old, &c->utf8);
    if (st == DC_E_CHARSET)
        return DC_OK; /* what was not text in the old set stays as it is */
    if (!st)
        st = encode_values(c->to, vr, dc_buf_span(&c->utf8), &c->bytes);
    if (st || !c->apply || dc_span_equal(dc_buf_span(&c->bytes), old))
        return st;
    return dc_dataset_set(ds, tag, vr, dc_buf_span(&c->bytes), false);
}

static dc_status recode_value(recoder *c, dc_dataset *ds, const dc_element *e)
{
    dc_span old;
    uint8_t *scratch;
    if (dc_vr_rows[e->vr].kind != DC_KIND_TEXT || (e->hold != DC_HOLD_BYTES && e->hold != DC_HOLD_RANGE))
        return DC_OK;
    dc_status st = dc_element_bytes(ds->object, e, &old, &scratch);
    bool safe = dc_charset_is_utf8_safe(c->from, old) && dc_charset_is_utf8_safe(c->to, old);
    if (!st && !safe)
        st = recode_bytes(c, ds, e->tag, (dc_vr)e->vr, old);
    free(scratch);
    return st;
}

/* Items that declare a set of their own are left alone. The depth of items is bounded by the object's limit. */
static dc_status recode_tree(recoder *c, dc_dataset *ds)
{
    dc_status st = DC_OK;
    for (uint32_t i = 0; i < ds->count && !st; i++) {
        const dc_element *e = &ds->elements[i];
        if (e->hold != DC_HOLD_ITEMS) {
            st = recode_value(c, ds, e);
            continue;
        }
        for (uint32_t j = 0; j < e->u.items->count && !st; j++)
            if (!dc_dataset_find(e->u.items->list[j], CHARACTER_SET))
                st = recode_tree(c, e->u.items->list[j]);
    }
    return st;
}

static dc_status recode(dc_dataset *ds, const dc_charset *from, const dc_charset *to, bool apply)
{
    if (same_set(from, to))
        return DC_OK;
    recoder c = { from, to, apply, { NULL, 0, 0, false }, { NULL, 0, 0, false } };
    dc_status st = recode_tree(&c, ds);
    dc_buf_free(&c.utf8);
    dc_buf_free(&c.bytes);
    return st;
}

dc_status dc_dataset_set_charset(dc_dataset *ds, dc_span terms)
{
    bool inherits = !terms.ptr && ds->parent;
    dc_charset from = dc_charset_of(ds), to = inherits ? dc_charset_of(ds->parent) : dc_charset_parse(terms);
    if (!inherits && !to.known)
        return DC_E_CHARSET;
    dc_status st = recode(ds, &from, &to, false);
    if (st == DC_E_CHARSET) {
        terms = unicode_term();
        to = dc_charset_parse(terms);
        st = DC_OK;
    }
    if (!st)
        st = recode(ds, &from, &to, true);
    if (st)
        return st;
    return terms.ptr ? dc_dataset_set(ds, CHARACTER_SET, DC_VR_CS, terms, false) : dc_dataset_remove(ds, CHARACTER_SET);
}

/* The data set whose declaration governs this one: the nearest with (0008,0005), else the root. */
static dc_dataset *governor(dc_dataset *ds)
{
    while (ds->parent && !dc_dataset_find(ds, CHARACTER_SET))
        ds = ds->parent;
    return ds;
}

static dc_status switch_to_unicode(dc_dataset *ds)
{
    dc_dataset *top = governor(ds);
    if (top == &top->object->meta)
        return DC_E_CHARSET;
    return dc_dataset_set_charset(top, unicode_term());
}

dc_status dc_dataset_set_text(dc_dataset *ds, uint32_t tag, dc_vr vr, dc_span utf8)
{
    dc_buf bytes;
    dc_charset cs = dc_charset_of(ds);
    if (dc_charset_is_utf8_safe(&cs, utf8))
        return dc_dataset_set(ds, tag, vr, utf8, false);
    dc_buf_init(&bytes);
    dc_status st = encode_values(&cs, vr, utf8, &bytes);
    if (st == DC_E_CHARSET) {
        bytes.len = 0;
        st = switch_to_unicode(ds);
        cs = dc_charset_of(ds);
        if (!st)
            st = encode_values(&cs, vr, utf8, &bytes);
    }
    if (!st)
        st = dc_dataset_set(ds, tag, vr, dc_buf_span(&bytes), false);
    dc_buf_free(&bytes);
    return st;
}

/* --- copies -------------------------------------------------------------------------------------------------------- */

static dc_dataset *writable(const dc_dataset *ds)
{
    return (dc_dataset *)(uintptr_t)ds; /* asking whether text fits changes nothing */
}

/* Makes the place where the copy goes able to hold its text. */
static dc_status prepare(dc_dataset *to, const dc_dataset *from, const dc_charset *set)
{
    dc_charset there = dc_charset_of(to);
    dc_status st = recode(writable(from), set, &there, false);
    return st == DC_E_CHARSET ? switch_to_unicode(to) : st;
}

dc_status dc_dataset_copy_meaning(dc_dataset *to, const dc_dataset *from)
{
    dc_charset set = dc_charset_of(from);
    bool own = dc_dataset_find(from, CHARACTER_SET) != NULL;
    dc_status st = own ? DC_OK : prepare(to->parent ? to->parent : to, from, &set);
    if (!st)
        st = dc_dataset_copy(to, from);
    if (st || own)
        return st;
    dc_charset there = dc_charset_of(to);
    return recode(to, &set, &there, true);
}

static dc_status recode_element(dc_dataset *ds, uint32_t tag, const dc_charset *from, const dc_charset *to, bool apply)
{
    recoder c = { from, to, apply, { NULL, 0, 0, false }, { NULL, 0, 0, false } };
    dc_element *e = dc_dataset_find(ds, tag);
    dc_status st = e && e->hold != DC_HOLD_ITEMS ? recode_value(&c, ds, e) : DC_OK;
    for (uint32_t i = 0; e && e->hold == DC_HOLD_ITEMS && i < e->u.items->count && !st; i++)
        if (!dc_dataset_find(e->u.items->list[i], CHARACTER_SET))
            st = recode_tree(&c, e->u.items->list[i]);
    dc_buf_free(&c.utf8);
    dc_buf_free(&c.bytes);
    return st;
}

dc_status dc_dataset_copy_element_meaning_as(dc_dataset *to, const dc_dataset *from, uint32_t tag, uint32_t as)
{
    dc_charset set = dc_charset_of(from), there = dc_charset_of(to);
    if (same_set(&set, &there))
        return dc_dataset_copy_element_as(to, from, tag, as);
    dc_status st = recode_element(writable(from), tag, &set, &there, false);
    if (st == DC_E_CHARSET)
        st = switch_to_unicode(to);
    if (!st)
        st = dc_dataset_copy_element_as(to, from, tag, as);
    there = dc_charset_of(to);
    return st ? st : recode_element(to, as, &set, &there, true);
}

dc_status dc_dataset_copy_element_meaning(dc_dataset *to, const dc_dataset *from, uint32_t tag)
{
    return dc_dataset_copy_element_meaning_as(to, from, tag, tag);
}
