/* SPDX-License-Identifier: MIT */
/* The dictionaries of PS3.6 and PS3.7 and of private creators, as constant tables. */
#ifndef DC_DICT_H
#define DC_DICT_H

#include "../gen/tables.h" /* dc_dict_entry, dc_uid_entry */
#include "vr.h"

#define DC_TAG(g, e) ((uint32_t)(g) << 16 | (uint32_t)(e))

DC_BEGIN
/* Public tags, repeating groups (50xx, 60xx, ...), group lengths (gggg,0000) and private creators (odd,0010-00FF)
   included. NULL when unknown. */
const dc_dict_entry *dc_dict_by_tag(uint32_t tag);

/* Exact spelling. For a repeating group the tag of the first group. NULL when unknown. Constant time. */
const dc_dict_entry *dc_dict_by_keyword(const char *s, size_t n);

/* The keyword nearest in spelling, never NULL. For error texts: it may walk the whole table. */
const char *dc_dict_nearest(const char *s, size_t n);

/* A private element: creator as found in (gggg,00xx), tag with any block (gggg,xxee). NULL when unknown.
   Its keyword and name may be empty. */
const dc_dict_entry *dc_dict_private(dc_span creator, uint32_t tag);

const dc_uid_entry *dc_uid_find(dc_span uid);                        /* NULL when unknown */
const dc_uid_entry *dc_uid_by_keyword(const char *s, size_t n);      /* "CTImageStorage"; NULL when unknown */
DC_END

static inline const char *dc_dict_keyword(const dc_dict_entry *e)
{
    return dc_dict_text + e->keyword;
}

static inline const char *dc_dict_name(const dc_dict_entry *e)
{
    return dc_dict_text + e->name;
}

/* VM 1 gives Lua a scalar, any other a list: this is the one test for it. */
static inline bool dc_dict_is_single(const dc_dict_entry *e)
{
    return e->vm_min == 1 && e->vm_max == 1;
}

#endif
