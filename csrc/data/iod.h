/* SPDX-License-Identifier: MIT */
/* Kinds of object: which attributes PS3.3 asks of a SOP class, and where a data set does not give them. */
#ifndef DC_IOD_H
#define DC_IOD_H

#include "../base/buf.h"
#include "dataset.h"

enum { DC_IOD_DEPTH = 64 }; /* tags of a path that a look-up follows */

typedef struct dc_iod_answer {
    uint8_t type;    /* 1 to 3, with DC_TYPE_CONDITIONAL */
    uint8_t usage;   /* of the module */
    uint16_t module; /* index for dc_iod_module_name */
} dc_iod_answer;

/* What an element, or its absence, does against the standard. */
typedef enum dc_finding_code {
    DC_FINDING_MISSING, DC_FINDING_EMPTY, DC_FINDING_ITEMS, /* PS3.3, PS3.5 7.4 */
    DC_FINDING_VR, DC_FINDING_VM,                           /* PS3.6 */
    DC_FINDING_LENGTH, DC_FINDING_VALUE,                    /* PS3.5 6.2 */
    DC_FINDING_ENUMERATED,                                  /* PS3.3 */
    DC_FINDING_REPAIR,                                      /* reading mended it: `rule` says what */
    DC_FINDING_UNKNOWN                                      /* the SOP class is none of PS3.4 */
} dc_finding_code;

enum { DC_FINDING_NO_MODULE = 0xFFFF, DC_FINDINGS_MOST = 10000 };

typedef struct dc_finding {
    const dc_dataset *ds; /* holds the element, or should */
    const char *rule;     /* constant text; NULL: the code says all */
    uint32_t tag;
    uint32_t number;      /* VALUE, LENGTH, ENUMERATED: which value, from 1. VM, ITEMS: how many there are */
    uint16_t module;      /* DC_FINDING_NO_MODULE: no module is concerned */
    uint16_t set;         /* ENUMERATED: for dc_iod_set */
    uint8_t code;         /* dc_finding_code */
    uint8_t type;         /* as in dc_iod_answer; 0: none */
    uint8_t items;        /* ITEMS: as in dc_iod_row */
    uint8_t vr;           /* VR: what is found */
} dc_finding;

DC_BEGIN
const dc_iod *dc_iod_find(dc_span sop_class);   /* NULL when unknown */
const dc_iod *dc_iod_of(const dc_object *o);    /* by SOP Class UID; of a DICOMDIR by its file meta */
const char *dc_iod_name(const dc_iod *iod);
const char *dc_iod_module_name(uint16_t module);
const char *dc_iod_set(uint16_t set);           /* enumerated values, joined by a backslash */
const char *dc_iod_type_name(uint8_t type);     /* "1", "1C", ... */

/* The type of the attribute that a path of tags leads to. The strictest one where several modules have it; with a data
   set (a root) modules that it uses come before those that it does not. False: the IOD does not know it. */
bool dc_iod_type(const dc_iod *iod, const dc_dataset *root, const uint32_t *tags, size_t n, dc_iod_answer *out);

/* Mandatory modules; others when their condition holds, or when of the attributes that no other module of the IOD has
   one of those is there that it asks for most strictly. */
bool dc_iod_uses_module(const dc_iod *iod, const dc_iod_use *use, const dc_dataset *root);

/* Is an attribute in this data set certainly required? False also when the condition cannot be judged (0). */
bool dc_condition_holds(const dc_dataset *ds, uint16_t condition);

/* The rows of a list with this tag: their number, *first the first of them. */
uint32_t dc_iod_rows(uint16_t list, uint32_t tag, const dc_iod_row **first);


/* Appends dc_finding structures, DC_FINDINGS_MOST at most, in the order of the data set. What cannot be judged is no
   finding. Fails when memory or reading does. */
dc_status dc_validate(const dc_object *o, dc_buf *findings);

/* The part of it that is one element's own: VR, VM, length and form of its values. */
dc_status dc_validate_element(const dc_dataset *ds, const dc_element *e, dc_buf *findings);
void dc_finding_add(dc_buf *findings, const dc_finding *f);
bool dc_element_is_empty(const dc_element *e);
DC_END

/* 50xx and 60xx: the tables know the first group (PS3.5 7.6). */
static inline bool dc_iod_is_repeating(uint32_t tag)
{
    return (tag >> 24 == 0x50 || tag >> 24 == 0x60) && !(tag & 0x10000);
}

#endif
