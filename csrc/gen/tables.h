/* SPDX-License-Identifier: MIT */
/* The shapes of the generated tables. Integers and offsets instead of pointers: nothing to relocate at load. */
#ifndef DC_TABLES_H
#define DC_TABLES_H

#include "../base/span.h"

typedef struct dc_dict_entry {
    uint32_t tag;     /* of a repeating group: its first tag (PS3.5 7.6); 0 for the rows of group lengths and creators */
    uint32_t mask;    /* bits of a tag that must agree; 0xFFFFFFFF except for repeating groups and private elements */
    uint32_t keyword; /* offset into dc_dict_text, NUL-terminated; "" when there is none */
    uint32_t name;    /* the same */
    uint16_t vm_min;
    uint16_t vm_max;  /* 0: no limit */
    uint8_t vm_step;  /* "2-2n": 2 */
    uint8_t vr;       /* dc_vr, also DC_VR_US_SS and so on; DC_VR_NONE for items and delimiters */
    uint8_t retired;
} dc_dict_entry;

typedef struct dc_uid_entry {
    const char *uid, *keyword, *name, *type; /* type as in PS3.6 Annex A: "SOP Class", "Transfer Syntax", ... */
    uint8_t retired;
} dc_uid_entry;

/* A private creator: its rows are [first, wild) by tag, then [wild, first of the next) that repeat over groups. */
typedef struct dc_gen_creator {
    uint32_t text; /* offset into dc_dict_text */
    uint32_t first, wild;
} dc_gen_creator;

/* Open addressing with linear probing; a slot holds row + 1, 0 is free. Sizes are powers of two, at most half full. */
enum { DC_GEN_ELEMENT_BITS = 14, DC_GEN_UID_BITS = 10 };

/* Single-byte sets from A0 to FF by ISO registry number, and 94 x 94 sets; a cell is a code point, 0 is unassigned. */
enum {
    DC_GEN_IR100, DC_GEN_IR101, DC_GEN_IR109, DC_GEN_IR110, DC_GEN_IR144, DC_GEN_IR127, DC_GEN_IR126, DC_GEN_IR138,
    DC_GEN_IR148, DC_GEN_IR203, DC_GEN_IR166, DC_GEN_IR13, DC_GEN_LATINS
};
enum { DC_GEN_IR87, DC_GEN_IR159, DC_GEN_IR149, DC_GEN_IR58, DC_GEN_PLANES };

DC_BEGIN
extern const char dc_dict_text[];
extern const dc_dict_entry dc_gen_elements[]; /* ascending by tag */
extern const uint32_t dc_gen_element_count;
extern const uint16_t dc_gen_element_tags[1 << DC_GEN_ELEMENT_BITS];
extern const uint16_t dc_gen_element_keywords[1 << DC_GEN_ELEMENT_BITS];
extern const dc_dict_entry dc_gen_group_length, dc_gen_private_creator;
extern const dc_uid_entry dc_gen_uids[];
extern const uint32_t dc_gen_uid_count;
extern const uint16_t dc_gen_uid_values[1 << DC_GEN_UID_BITS];
extern const uint16_t dc_gen_uid_keywords[1 << DC_GEN_UID_BITS];
extern const dc_gen_creator dc_gen_creators[]; /* ascending by text; one more at the end closes the last */
extern const uint32_t dc_gen_creator_count;
extern const dc_dict_entry dc_gen_private[];

extern const uint16_t dc_gen_latin[DC_GEN_LATINS * 96];
extern const uint16_t dc_gen_planes[DC_GEN_PLANES * 94 * 94];
extern const uint16_t dc_gen_plane_order[]; /* cells of a plane that are assigned, by code point */
extern const uint32_t dc_gen_plane_first[DC_GEN_PLANES + 1]; /* where a plane begins in dc_gen_plane_order */
extern const uint16_t dc_gen_gb[126 * 190];                  /* two bytes of GB18030, all assigned */
extern const uint16_t dc_gen_gb_order[];
extern const uint32_t dc_gen_gb_count;
extern const uint16_t dc_gen_gb_runs[][2]; /* four bytes: code point and index of a run; one more closes the last */
extern const uint32_t dc_gen_gb_run_count;
extern const uint16_t dc_gen_not_gbk[][2]; /* two bytes that GBK does not have: first, last */
extern const uint32_t dc_gen_not_gbk_count;
DC_END

/* The two hashes, also in make.lua. */
static inline uint32_t dc_gen_hash_tag(uint32_t tag, int bits)
{
    return (tag * 0x9E3779B1u) >> (32 - bits);
}

static inline uint32_t dc_gen_hash_text(const char *s, size_t n, int bits)
{
    uint64_t h = n, tail = 0;
    const uint8_t *p = (const uint8_t *)s;
    for (; n >= 8; n -= 8, p += 8) {
        h = (h ^ dc_get64(p, false)) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    for (size_t i = 0; i < n; i++)
        tail |= (uint64_t)p[i] << (8 * i);
    h = (h ^ tail) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(h >> (64 - bits));
}

#endif
