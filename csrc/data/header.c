/* SPDX-License-Identifier: MIT */
/* One element's header, also when it is not in the encoding that was declared. */
#include "reading.h"

/* A length that the data set can hold. */
static bool fits(uint32_t length, uint32_t header, uint64_t left)
{
    return length == DC_UNDEFINED_LENGTH || (left >= header && length <= left - header);
}

static uint16_t order_flag(const dc_frame *f)
{
    return f->big ? DC_EL_BIG : 0;
}

static void set_short(const dc_frame *f, const uint8_t *p, dc_header *h)
{
    h->length = dc_get16(p + 6, f->big);
    h->size = 8;
    h->flags = order_flag(f);
}

static void set_long(const dc_frame *f, const uint8_t *p, dc_header *h)
{
    h->length = dc_get32(p + 8, f->big);
    h->size = 12;
    h->flags = (uint16_t)(DC_EL_LONG | order_flag(f));
}

static void set_implicit(const dc_frame *f, const uint8_t *p, dc_header *h)
{
    h->vr = DC_VR_NONE;
    h->length = dc_get32(p + 4, f->big);
    h->size = 8;
    h->flags = (uint16_t)(DC_EL_IMPLICIT | order_flag(f));
}

/* A VR with a 32-bit length. Some writers gave OB, UN or UT a 16-bit one: then the reserved bytes are not zero. */
static bool read_long(const dc_frame *f, const uint8_t *p, uint64_t left, dc_header *h)
{
    if (left < 12 || (dc_get16(p + 6, false) && !fits(dc_get32(p + 8, f->big), 12, left))) {
        set_short(f, p, h);
        h->flags |= DC_EL_REPAIRED;
        h->repair = "16-bit length where the VR has one of 32 bits (PS3.5 7.1.2)";
        return fits(h->length, 8, left);
    }
    set_long(f, p, h);
    return true;
}

static bool is_letter(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

/* Explicit VR was expected and there is none: the element is implicit, or its VR is from another world. Two letters
   are a VR that a later standard may have added, with a 32-bit length (PS3.5 6.2.2). */
static bool read_unknown(const dc_frame *f, const uint8_t *p, uint64_t left, dc_header *h)
{
    bool letters = is_letter(p[4]) && is_letter(p[5]);
    if (!letters && fits(dc_get32(p + 4, f->big), 8, left)) {
        set_implicit(f, p, h);
        h->flags |= DC_EL_REPAIRED;
        h->repair = "element without VR among elements with one (PS3.5 7.1)";
        return true;
    }
    h->repair = "VR is none of PS3.5 6.2: the dictionary's is taken";
    if (left >= 12 && dc_get16(p + 6, false) == 0 && fits(dc_get32(p + 8, f->big), 12, left))
        set_long(f, p, h);
    else
        set_short(f, p, h);
    h->flags |= DC_EL_REPAIRED;
    return fits(h->length, h->size, left);
}

static bool read_explicit(const dc_frame *f, const uint8_t *p, uint64_t left, dc_header *h)
{
    h->vr = (uint8_t)dc_vr_find(p + 4);
    if (h->vr == DC_VR_NONE)
        return read_unknown(f, p, left, h);
    if (dc_vr_rows[h->vr].long_header)
        return read_long(f, p, left, h);
    set_short(f, p, h);
    return true;
}

/* Implicit VR was expected. A length that cannot be is often a VR and a length. */
static bool read_implicit(const dc_frame *f, const uint8_t *p, uint64_t left, dc_header *h)
{
    set_implicit(f, p, h);
    if (fits(h->length, 8, left) || dc_vr_find(p + 4) == DC_VR_NONE)
        return true;
    dc_header other = *h;
    if (!read_explicit(f, p, left, &other) || !fits(other.length, other.size, left))
        return true;
    *h = other;
    h->flags |= DC_EL_REPAIRED;
    h->repair = "element with VR among elements without one (PS3.5 7.1)";
    return true;
}

bool dc_header_read(const dc_frame *f, const uint8_t *p, uint64_t left, dc_header *h)
{
    h->tag = (uint32_t)dc_get16(p, f->big) << 16 | dc_get16(p + 2, f->big);
    h->repair = NULL;
    return f->explicit_vr ? read_explicit(f, p, left, h) : read_implicit(f, p, left, h);
}
