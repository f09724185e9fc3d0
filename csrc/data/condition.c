/* SPDX-License-Identifier: MIT */
/* When an attribute is certainly required: the conditions of csrc/gen/conditions.tsv, as make/iods.lua writes them.

   "A&B|C", a term being "!^00400275/00080100[1]=X,Y": ! not, ^ here or else in a data set around, / in the first
   item, [n] the n-th value, = one of these (* any), > above this number; alone: present. */
#include <stdlib.h>

#include "iod.h"
#include "value.h"

enum { COMPARED = 1 << 10 }; /* bytes of a value that are looked at */

typedef struct term {
    const char *at, *end;
    uint32_t index; /* 0: any value */
} term;

static uint32_t take_tag(term *t)
{
    uint32_t tag = 0;
    for (int i = 0; i < 8 && t->at < t->end; i++, t->at++)
        tag = tag << 4 | (uint32_t)(*t->at <= '9' ? *t->at - '0' : *t->at - 'A' + 10);
    return tag;
}

static bool take(term *t, char c)
{
    bool is = t->at < t->end && *t->at == c;
    t->at += is;
    return is;
}

static const dc_element *find(const dc_dataset *ds, uint32_t tag, bool upwards)
{
    const dc_element *e = dc_dataset_find(ds, tag);
    for (; !e && upwards && ds->parent; e = dc_dataset_find(ds, tag))
        ds = ds->parent;
    return e;
}

static const dc_element *follow(term *t, const dc_dataset *ds, bool upwards)
{
    const dc_element *e = find(ds, take_tag(t), upwards);
    while (take(t, '/')) {
        uint32_t tag = take_tag(t);
        bool has_item = e && e->hold == DC_HOLD_ITEMS && e->u.items->count > 0;
        e = has_item ? dc_dataset_find(e->u.items->list[0], tag) : NULL;
    }
    return e;
}

/* The n-th value as text; false after the last. Numbers are written into `scratch`. */
static bool value_text(const dc_element *e, dc_span bytes, uint32_t n, char *scratch, dc_span *out)
{
    static const char digits[] = "0123456789ABCDEF";
    bool big = (e->flags & DC_EL_BIG) != 0;
    uint32_t tag;
    int64_t v;
    if (e->vr == DC_VR_AT) {
        if (!dc_value_tag(bytes, n, big, &tag))
            return false;
        for (int i = 0; i < 8; i++)
            scratch[i] = digits[tag >> (28 - 4 * i) & 15];
        *out = dc_span_make(scratch, 8);
        return true;
    }
    if (dc_vr_rows[e->vr].kind != DC_KIND_BINARY)
        return dc_value_text((dc_vr)e->vr, bytes, n, DC_MULTIBYTE_NONE, out);
    if (!dc_value_integer((dc_vr)e->vr, bytes, n, big, &v) || v < 0 || v > 999)
        return false;
    size_t length = v > 99 ? 3 : v > 9 ? 2 : 1;
    for (size_t i = length; i > 0; i--, v /= 10)
        scratch[i - 1] = digits[v % 10];
    *out = dc_span_make(scratch, length);
    return true;
}

static bool is_one_of(dc_span value, const char *list, const char *end)
{
    if (list < end && *list == '*')
        return value.len > 0;
    while (list < end) {
        const char *comma = memchr(list, ',', (size_t)(end - list));
        const char *stop = comma ? comma : end;
        if (dc_span_equal(value, dc_span_make(list, (size_t)(stop - list))))
            return true;
        list = stop + 1;
    }
    return false;
}

static bool is_above(const dc_element *e, dc_span bytes, int64_t least)
{
    int64_t v = 0;
    dc_span s;
    if (dc_vr_rows[e->vr].kind == DC_KIND_BINARY)
        return dc_value_integer((dc_vr)e->vr, bytes, 0, (e->flags & DC_EL_BIG) != 0, &v) && v > least;
    bool is_text = dc_value_text((dc_vr)e->vr, bytes, 0, DC_MULTIBYTE_NONE, &s);
    return is_text && dc_integer_parse(s, &v) == DC_OK && v > least;
}

/* What follows the path: nothing, "=...", ">n". */
static bool compare(const term *t, const dc_element *e)
{
    char scratch[8];
    dc_span value;
    if (!e)
        return false;
    if (t->at == t->end)
        return true;
    if (e->hold != DC_HOLD_BYTES || e->length > COMPARED)
        return false;
    dc_span bytes = dc_span_make(e->u.bytes, (size_t)e->length);
    if (*t->at == '>')
        return is_above(e, bytes, strtol(t->at + 1, NULL, 10));
    for (uint32_t n = t->index ? t->index - 1 : 0; value_text(e, bytes, n, scratch, &value); n++) {
        if (is_one_of(value, t->at + 1, t->end))
            return true;
        if (t->index)
            break;
    }
    return false;
}

static bool term_holds(const dc_dataset *ds, const char *at, const char *end)
{
    term t = { at, end, 0 };
    bool negated = take(&t, '!'), upwards = take(&t, '^');
    const dc_element *e = follow(&t, ds, upwards);
    if (take(&t, '[')) {
        t.index = (uint32_t)(*t.at - '0');
        t.at += 2;
    }
    return compare(&t, e) != negated;
}

bool dc_condition_holds(const dc_dataset *ds, uint16_t condition)
{
    const char *at = condition ? dc_gen_iod_text + dc_gen_iod_conditions[condition] : "";
    bool all = true;
    while (*at) {
        const char *end = at + strcspn(at, "&|");
        all = all && term_holds(ds, at, end);
        if (*end != '&') {
            if (all)
                return true;
            all = true;
        }
        at = end + (*end != 0);
    }
    return false;
}
