/* SPDX-License-Identifier: MIT */
/* What the dictionary says of a tag in the light of the data set around it. */
#include "tree.h"

enum { BITS_ALLOCATED = 0x00280100, PIXEL_REPRESENTATION = 0x00280103 };

static bool is_private(uint32_t tag)
{
    return (tag >> 16 & 1) != 0;
}

static dc_span trim(dc_span s)
{
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == 0))
        s.len--;
    while (s.len && s.ptr[0] == ' ') {
        s.ptr++;
        s.len--;
    }
    return s;
}

dc_span dc_dataset_creator(const dc_dataset *ds, uint32_t tag)
{
    uint32_t block = tag >> 8 & 0xFF;
    if (!is_private(tag) || block < 0x10)
        return dc_span_make(NULL, 0);
    const dc_element *e = dc_dataset_find(ds, (tag & 0xFFFF0000u) | block);
    if (!e || e->hold != DC_HOLD_BYTES)
        return dc_span_make(NULL, 0);
    return trim(dc_span_make(e->u.bytes, (size_t)e->length));
}

const dc_dict_entry *dc_dataset_entry(const dc_dataset *ds, uint32_t tag)
{
    if (!is_private(tag) || (tag & 0xFFFF) <= 0xFF)
        return dc_dict_by_tag(tag);
    dc_span creator = dc_dataset_creator(ds, tag);
    return creator.len ? dc_dict_private(creator, tag) : NULL;
}

/* A US of this data set or one above it; -1 when there is none. */
static int inherited_us(const dc_dataset *ds, uint32_t tag)
{
    for (; ds; ds = ds->parent) {
        const dc_element *e = dc_dataset_find(ds, tag);
        if (e && e->hold == DC_HOLD_BYTES && e->length >= 2)
            return dc_get16(e->u.bytes, (e->flags & DC_EL_BIG) != 0);
    }
    return -1;
}

static dc_vr pixel_vr(const dc_dataset *ds)
{
    const dc_syntax *syntax = ds->object->syntax;
    if (!syntax->explicit_vr)
        return DC_VR_OW; /* PS3.5 A.1 */
    if (syntax->encapsulated)
        return DC_VR_OB; /* PS3.5 A.4 */
    return inherited_us(ds, BITS_ALLOCATED) > 8 ? DC_VR_OW : DC_VR_OB; /* PS3.5 A.2 */
}

dc_vr dc_dataset_resolve_vr(const dc_dataset *ds, const dc_dict_entry *entry)
{
    switch (entry->vr) {
    case DC_VR_US_SS:
    case DC_VR_US_SS_OW: return inherited_us(ds, PIXEL_REPRESENTATION) == 1 ? DC_VR_SS : DC_VR_US;
    case DC_VR_OB_OW: return pixel_vr(ds);
    case DC_VR_US_OW: return DC_VR_OW;
    default: return (dc_vr)entry->vr;
    }
}
