/* SPDX-License-Identifier: MIT */
/* Preamble and file meta, made anew (PS3.10 7.1). */
#include <string.h>

#include "writing.h"

enum { PREAMBLE = 128, SOP_CLASS = 0x00080016, SOP_INSTANCE = 0x00080018, MEDIA_CLASS = 0x00020002,
       MEDIA_INSTANCE = 0x00020003, LAST_OF_OURS = 0x00020013, SOURCE_AET = 0x00020016 };

static dc_span trim(dc_span s)
{
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == 0))
        s.len--;
    return s;
}

static void put(dc_buf *out, uint32_t tag, dc_vr vr, dc_span value)
{
    const dc_vr_row *row = &dc_vr_rows[vr];
    uint32_t padded = (uint32_t)(value.len + (value.len & 1));
    dc_buf_u16(out, (uint16_t)(tag >> 16), false);
    dc_buf_u16(out, (uint16_t)tag, false);
    dc_buf_add(out, row->name, 2);
    dc_buf_u16(out, row->long_header ? 0 : (uint16_t)padded, false);
    if (row->long_header)
        dc_buf_u32(out, padded, false);
    dc_buf_add(out, value.ptr, value.len);
    if (value.len & 1)
        dc_buf_u8(out, (uint8_t)row->pad);
}

static void put_text(dc_buf *out, uint32_t tag, dc_vr vr, dc_span value)
{
    value = trim(value);
    if (value.len && value.len < 0xFFFE)
        put(out, tag, vr, value);
}

static dc_span text(const char *s)
{
    return dc_span_make(s, s ? strlen(s) : 0);
}

/* `more`: elements behind the Implementation Version Name, or NULL. */
static dc_status make(dc_buf *out, dc_span sop_class, dc_span sop_instance, dc_span syntax, const char *source_aet,
                      const dc_dataset *more)
{
    static const uint8_t preamble[PREAMBLE] = { 0 }, version[2] = { 0, 1 };
    dc_buf_add(out, preamble, sizeof preamble);
    dc_buf_add(out, "DICM", 4);
    size_t begin = out->len;
    put(out, 0x00020000, DC_VR_UL, dc_span_make(preamble, 4));
    put(out, 0x00020001, DC_VR_OB, dc_span_make(version, sizeof version));
    put_text(out, MEDIA_CLASS, DC_VR_UI, sop_class);
    put_text(out, MEDIA_INSTANCE, DC_VR_UI, sop_instance);
    put_text(out, 0x00020010, DC_VR_UI, syntax);
    put_text(out, 0x00020012, DC_VR_UI, text(DC_IMPLEMENTATION_UID));
    put_text(out, LAST_OF_OURS, DC_VR_SH, text(DC_IMPLEMENTATION_VERSION));
    put_text(out, SOURCE_AET, DC_VR_AE, text(source_aet));
    for (uint32_t i = 0; more && i < more->count; i++) {
        const dc_element *e = &more->elements[i];
        bool ours = e->tag <= LAST_OF_OURS || (source_aet && e->tag == SOURCE_AET);
        if (!ours && !(e->flags & DC_EL_ORIGINAL) && e->hold == DC_HOLD_BYTES && e->length < 0xFFFE)
            put(out, e->tag, (dc_vr)e->vr, dc_span_make(e->u.bytes, (size_t)e->length));
    }
    if (out->failed)
        return DC_E_MEMORY;
    dc_put32(out->ptr + begin + 8, (uint32_t)(out->len - begin - 12), false);
    return DC_OK;
}

dc_status dc_part10_head(dc_buf *out, dc_span sop_class, dc_span sop_instance, dc_span syntax, const char *source_aet)
{
    return make(out, sop_class, sop_instance, syntax, source_aet, NULL);
}

/* The data set's own UID; a DICOMDIR has none and is named by its meta alone. */
static dc_span uid_of(const dc_object *o, uint32_t tag, uint32_t meta_tag)
{
    const dc_element *e = dc_dataset_find(&o->root, tag);
    if (!e || e->hold != DC_HOLD_BYTES || e->length == 0)
        e = dc_dataset_find(&o->meta, meta_tag);
    return e && e->hold == DC_HOLD_BYTES ? dc_span_make(e->u.bytes, (size_t)e->length) : dc_span_make(NULL, 0);
}

dc_status dc_plan_head(dc_writer *w, const char *source_aet)
{
    dc_buf head;
    const dc_object *o = w->o;
    dc_buf_init(&head);
    dc_status st = make(&head, uid_of(o, SOP_CLASS, MEDIA_CLASS), uid_of(o, SOP_INSTANCE, MEDIA_INSTANCE),
                        text(w->syntax->uid), source_aet, o->meta.modified ? &o->meta : NULL);
    if (st == DC_OK)
        dc_plan_out(w, head.ptr, head.len);
    dc_buf_free(&head);
    return st;
}
