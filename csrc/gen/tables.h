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

/* Kinds of object (PS3.3). A list holds the attributes of a module, or those of the items of a sequence. */
enum { DC_TYPE_CONDITIONAL = 4, DC_TYPE_OTHERWISE = 8 }; /* 1C, 2C; "may be present otherwise" */
enum { DC_USAGE_M, DC_USAGE_C, DC_USAGE_U };             /* PS3.3 A.1.3 */

typedef struct dc_iod_row {
    uint32_t tag;       /* of a repeating group: 50000000, 60000000 and up */
    uint16_t child;     /* list of what its items hold + 1; 0: none */
    uint16_t condition; /* when it is certainly required: in dc_gen_iod_conditions; 0: cannot be judged */
    uint16_t set;       /* enumerated values: in dc_gen_iod_sets; 0: none */
    uint8_t type;       /* 1 to 3 and the bits above */
    uint8_t items;      /* least << 4 | most, most 0: no limit; 0: nothing is said */
} dc_iod_row;

typedef struct dc_iod_module {
    uint32_t name; /* offset into dc_gen_iod_text */
    uint16_t list;
} dc_iod_module;

typedef struct dc_iod_use {
    uint16_t module, condition;
    uint8_t usage;
} dc_iod_use;

typedef struct dc_iod {
    uint32_t name;
    uint32_t first; /* its uses end where those of the next begin; ascending by module */
} dc_iod;

typedef struct dc_iod_top { /* a tag at the top of a module */
    uint32_t tag;
    uint16_t module, row;
} dc_iod_top;

typedef struct dc_iod_class {
    uint32_t uid;
    uint16_t iod;
} dc_iod_class;

/* Open addressing with linear probing; a slot holds row + 1, 0 is free. Sizes are powers of two, at most half full. */
enum { DC_GEN_ELEMENT_BITS = 14, DC_GEN_UID_BITS = 10, DC_GEN_IOD_BITS = 9 };

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

extern const dc_iod_row dc_gen_iod_rows[]; /* those of a list ascending by tag */
extern const uint16_t dc_gen_iod_lists[];  /* the first row of each list; one more closes the last */
extern const dc_iod_module dc_gen_iod_modules[];
extern const dc_iod_use dc_gen_iod_uses[];
extern const dc_iod dc_gen_iods[];
extern const dc_iod_top dc_gen_iod_tops[]; /* ascending by tag, then by module */
extern const uint32_t dc_gen_iod_top_count;
extern const dc_iod_class dc_gen_iod_classes[];
extern const uint16_t dc_gen_iod_class_slots[1 << DC_GEN_IOD_BITS];
extern const uint16_t dc_gen_iod_meta;         /* the module File Meta Information */
extern const uint32_t dc_gen_iod_conditions[]; /* offsets into dc_gen_iod_text; [0] is none */
extern const uint32_t dc_gen_iod_sets[];       /* the same; values joined by a backslash */
extern const char dc_gen_iod_text[];
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
