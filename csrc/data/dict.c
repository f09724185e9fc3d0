/* SPDX-License-Identifier: MIT */
#include "dict.h"

_Static_assert(DC_VR_UV == 34 && DC_VR_US_SS == 35 && DC_VR_US_SS_OW == 38, "make.lua numbers VRs in this order");

/* The row of exactly this (first) tag. */
static const dc_dict_entry *find(uint32_t tag)
{
    const uint32_t last = (1u << DC_GEN_ELEMENT_BITS) - 1;
    for (uint32_t at = dc_gen_hash_tag(tag, DC_GEN_ELEMENT_BITS);; at = (at + 1) & last) {
        uint32_t row = dc_gen_element_tags[at];
        if (row == 0)
            return NULL;
        if (dc_gen_elements[row - 1].tag == tag)
            return &dc_gen_elements[row - 1];
    }
}

/* Repeating groups and elements (PS3.5 7.6, and what PS3.6 retired): where they are, which bits of a tag count. */
typedef struct family {
    uint16_t group, group_mask;
    uint32_t mask;
} family;

static const family families[] = {
    { 0x6000, 0xFF01, 0xFF01FFFF }, { 0x5000, 0xFF01, 0xFF01FFFF }, { 0x7F00, 0xFF01, 0xFF01FFFF },
    { 0x0020, 0xFFFF, 0xFFFFFF00 }, { 0x0028, 0xFFFF, 0xFFFFFF0F }, { 0x1000, 0xFFFF, 0xFFFF000F },
    { 0x1010, 0xFFFF, 0xFFFF0000 },
};

static const dc_dict_entry *find_repeating(uint32_t tag)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const family *f = &families[i];
        if ((tag >> 16 & f->group_mask) != f->group)
            continue;
        const dc_dict_entry *e = find(tag & f->mask);
        if (e && e->mask == f->mask)
            return e;
        e = find((tag & f->mask) | 0x10); /* 0028,04x0: x = 0 is an element of its own */
        return e && e->mask == f->mask ? e : NULL;
    }
    return NULL;
}

const dc_dict_entry *dc_dict_by_tag(uint32_t tag)
{
    const dc_dict_entry *e = find(tag);
    if (e)
        return e;
    uint32_t element = tag & 0xFFFF;
    if (element == 0)
        return &dc_gen_group_length;
    if (tag & 0x10000)
        return element >= 0x10 && element <= 0xFF ? &dc_gen_private_creator : NULL;
    return find_repeating(tag);
}

static bool is_text(const char *z, const char *s, size_t n)
{
    return strncmp(z, s, n) == 0 && z[n] == 0;
}

const dc_dict_entry *dc_dict_by_keyword(const char *s, size_t n)
{
    const uint32_t last = (1u << DC_GEN_ELEMENT_BITS) - 1;
    if (n == 0 || memchr(s, 0, n))
        return NULL;
    for (uint32_t at = dc_gen_hash_text(s, n, DC_GEN_ELEMENT_BITS);; at = (at + 1) & last) {
        uint32_t row = dc_gen_element_keywords[at];
        if (row == 0)
            return NULL;
        if (is_text(dc_dict_keyword(&dc_gen_elements[row - 1]), s, n))
            return &dc_gen_elements[row - 1];
    }
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

enum { NEAREST_MAX = 96 };

/* Changes of a letter that turn a into b, case ignored, a swap of neighbours being one; `limit` when it is no fewer. */
static unsigned distance(const char *a, size_t an, const char *b, size_t bn, unsigned limit)
{
    unsigned rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= bn; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= an; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        unsigned best = now[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            unsigned d = before[j - 1] + !same;
            d = before[j] + 1 < d ? before[j] + 1 : d;
            d = now[j - 1] + 1 < d ? now[j - 1] + 1 : d;
            bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped && earlier[j - 2] + 1 < d)
                d = earlier[j - 2] + 1;
            now[j] = d;
            best = d < best ? d : best;
        }
        if (best >= limit)
            return limit;
    }
    return rows[an % 3][bn] < limit ? rows[an % 3][bn] : limit;
}

const char *dc_dict_nearest(const char *s, size_t n)
{
    const char *nearest = dc_dict_keyword(find(0x00080005));
    unsigned best = 2 * NEAREST_MAX;
    n = n > NEAREST_MAX ? NEAREST_MAX : n;
    for (uint32_t i = 0; i < dc_gen_element_count && best > 0; i++) {
        const char *keyword = dc_dict_keyword(&dc_gen_elements[i]);
        size_t length = strlen(keyword), apart = length > n ? length - n : n - length;
        if (length == 0 || length > NEAREST_MAX || apart >= best)
            continue;
        unsigned d = distance(s, n, keyword, length, best);
        if (d < best) {
            best = d;
            nearest = keyword;
        }
    }
    return nearest;
}

static int compare_text(const char *z, dc_span s)
{
    int c = strncmp(z, (const char *)s.ptr, s.len);
    return c ? c : z[s.len] != 0;
}

static const dc_gen_creator *find_creator(dc_span creator)
{
    uint32_t low = 0, high = dc_gen_creator_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int c = compare_text(dc_dict_text + dc_gen_creators[middle].text, creator);
        if (c == 0)
            return &dc_gen_creators[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static dc_span trim(dc_span s)
{
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == 0))
        s.len--;
    while (s.len && s.ptr[0] == ' ')
        s = dc_span_make(s.ptr + 1, s.len - 1);
    return s;
}

const dc_dict_entry *dc_dict_private(dc_span creator, uint32_t tag)
{
    creator = trim(creator);
    const dc_gen_creator *c = creator.len && !memchr(creator.ptr, 0, creator.len) ? find_creator(creator) : NULL;
    if (!c)
        return NULL;
    uint32_t low = c->first, high = c->wild, wanted = tag & 0xFFFF00FF;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (dc_gen_private[middle].tag < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < c->wild && dc_gen_private[low].tag == wanted)
        return &dc_gen_private[low];
    for (uint32_t i = c->wild; i < c[1].first; i++)
        if (dc_gen_private[i].tag == (tag & dc_gen_private[i].mask))
            return &dc_gen_private[i];
    return NULL;
}

static const dc_uid_entry *find_uid(const uint16_t *slots, size_t field, const char *s, size_t n)
{
    const uint32_t last = (1u << DC_GEN_UID_BITS) - 1;
    if (n == 0 || memchr(s, 0, n))
        return NULL;
    for (uint32_t at = dc_gen_hash_text(s, n, DC_GEN_UID_BITS);; at = (at + 1) & last) {
        if (slots[at] == 0)
            return NULL;
        const dc_uid_entry *e = &dc_gen_uids[slots[at] - 1];
        if (is_text(*(const char *const *)(const void *)((const char *)e + field), s, n))
            return e;
    }
}

const dc_uid_entry *dc_uid_find(dc_span uid)
{
    uid = trim(uid);
    return find_uid(dc_gen_uid_values, offsetof(dc_uid_entry, uid), (const char *)uid.ptr, uid.len);
}

const dc_uid_entry *dc_uid_by_keyword(const char *s, size_t n)
{
    return find_uid(dc_gen_uid_keywords, offsetof(dc_uid_entry, keyword), s, n);
}
