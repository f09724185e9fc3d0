/* SPDX-License-Identifier: MIT */
/* What one element does against PS3.5 and PS3.6, whatever kind of object it is in. */
#include <stdlib.h>

#include "charset.h"
#include "iod.h"
#include "value.h"

enum { READ_MOST = 1 << 20 }; /* text in the source up to this many bytes is read and looked at */

void dc_finding_add(dc_buf *findings, const dc_finding *f)
{
    if (findings->len < DC_FINDINGS_MOST * sizeof *f)
        dc_buf_add(findings, f, sizeof *f);
}

static dc_finding about(const dc_dataset *ds, const dc_element *e, dc_finding_code code)
{
    dc_finding f = { ds, NULL, e->tag, 0, DC_FINDING_NO_MODULE, 0, (uint8_t)code, 0, 0, e->vr };
    return f;
}

/* --- VR ------------------------------------------------------------------------------------------------------------ */

static bool is_allowed(uint8_t vr, uint8_t wanted)
{
    switch (wanted) {
    case DC_VR_US_SS: return vr == DC_VR_US || vr == DC_VR_SS;
    case DC_VR_OB_OW: return vr == DC_VR_OB || vr == DC_VR_OW;
    case DC_VR_US_OW: return vr == DC_VR_US || vr == DC_VR_OW;
    case DC_VR_US_SS_OW: return vr == DC_VR_US || vr == DC_VR_SS || vr == DC_VR_OW;
    default: return vr == wanted;
    }
}

/* Native pixels of more than 8 bits are OW where VRs are written (PS3.5 A.2). */
static bool is_narrow(const dc_dataset *ds, const dc_element *e, const dc_dict_entry *entry)
{
    return e->tag == DC_TAG_PIXEL_DATA && e->vr == DC_VR_OB && e->hold != DC_HOLD_FRAGMENTS
           && !ds->object->syntax->encapsulated && dc_dataset_resolve_vr(ds, entry) == DC_VR_OW;
}

static void check_vr(const dc_dataset *ds, const dc_element *e, const dc_dict_entry *entry, dc_buf *findings)
{
    dc_finding f = about(ds, e, DC_FINDING_VR);
    if ((e->flags & (DC_EL_DICT_VR | DC_EL_UN)) || e->vr == DC_VR_UN || entry->vr == DC_VR_NONE)
        return;
    if (is_narrow(ds, e, entry))
        f.rule = "more than 8 bits are OW (PS3.5 A.2)";
    else if (is_allowed(e->vr, entry->vr))
        return;
    dc_finding_add(findings, &f);
}

/* --- values -------------------------------------------------------------------------------------------------------- */

typedef struct checking {
    const dc_dataset *ds;
    const dc_element *e;
    dc_buf *findings;
    dc_buf utf8;
    dc_charset cs;
    bool plain; /* the bytes are ASCII without escapes */
} checking;

static void report(checking *c, dc_status st, uint32_t number)
{
    dc_finding f = about(c->ds, c->e, st == DC_E_TOO_LONG ? DC_FINDING_LENGTH : DC_FINDING_VALUE);
    f.number = number;
    if (st == DC_E_CHARSET)
        f.rule = "its text does not fit the Specific Character Set (PS3.5 6.1)";
    dc_finding_add(c->findings, &f);
}

static dc_status check_text(checking *c, dc_span value)
{
    size_t bad;
    if (c->plain)
        return dc_value_check((dc_vr)c->e->vr, value);
    c->utf8.len = 0;
    dc_status st = dc_charset_decode(&c->cs, (dc_vr)c->e->vr, value, &c->utf8, &bad);
    if (c->utf8.failed)
        return DC_E_MEMORY;
    return st ? st : dc_value_check((dc_vr)c->e->vr, dc_buf_span(&c->utf8));
}

/* UI is padded with NUL, the others with a space. */
static void check_padding(checking *c, dc_span bytes)
{
    static const char *const rules[] = {
        "its padding is a space, where a UI has NUL (PS3.5 6.2)",
        "its padding is NUL, where text has a space (PS3.5 6.2)",
    };
    uint8_t last = bytes.len ? bytes.ptr[bytes.len - 1] : 'x';
    bool is_uid = c->e->vr == DC_VR_UI;
    if (last != (is_uid ? ' ' : 0))
        return;
    dc_finding f = about(c->ds, c->e, DC_FINDING_VALUE);
    f.rule = rules[!is_uid];
    dc_finding_add(c->findings, &f);
}

static uint32_t check_values(checking *c, dc_span bytes)
{
    dc_multibyte multibyte = c->plain ? DC_MULTIBYTE_NONE : (dc_multibyte)c->cs.multibyte;
    uint32_t n = 0;
    size_t at = 0;
    dc_span value;
    while (dc_value_next((dc_vr)c->e->vr, bytes, multibyte, &at, &value)) {
        n++;
        dc_status st = check_text(c, value);
        if (st)
            report(c, st, n);
    }
    return n;
}

static bool is_string(uint8_t vr)
{
    uint8_t kind = dc_vr_rows[vr].kind;
    return kind == DC_KIND_STRING || kind == DC_KIND_TEXT || kind == DC_KIND_DECIMAL || kind == DC_KIND_INTEGER;
}

static bool is_text(uint8_t vr)
{
    return dc_vr_rows[vr].kind == DC_KIND_TEXT;
}

/* How many values; UINT32_MAX when it was not counted. */
static dc_status check_string(const dc_dataset *ds, const dc_element *e, dc_buf *findings, uint32_t *count)
{
    checking c = { ds, e, findings, { NULL, 0, 0, false }, { { 0 }, 0, 0, false }, true };
    uint8_t *scratch = NULL;
    dc_span bytes;
    if (e->length > READ_MOST)
        return DC_OK;
    dc_status st = dc_element_bytes(ds->object, e, &bytes, &scratch);
    if (st)
        return st;
    static const dc_charset ascii;
    c.cs = ascii;
    c.plain = !is_text(e->vr) || dc_charset_is_utf8_safe(&ascii, bytes);
    if (!c.plain)
        c.cs = dc_charset_of(ds);
    check_padding(&c, bytes);
    *count = check_values(&c, bytes);
    st = c.utf8.failed ? DC_E_MEMORY : DC_OK;
    dc_buf_free(&c.utf8);
    free(scratch);
    return st;
}

static uint32_t check_numbers(const dc_dataset *ds, const dc_element *e, dc_buf *findings)
{
    uint32_t width = e->vr == DC_VR_AT ? 4 : dc_vr_rows[e->vr].width;
    if (e->length % width) {
        dc_finding f = about(ds, e, DC_FINDING_LENGTH);
        f.rule = "its length is no multiple of the size of a number (PS3.5 6.2)";
        dc_finding_add(findings, &f);
    }
    uint64_t n = e->length / width;
    return dc_vr_rows[e->vr].kind == DC_KIND_BULK ? (n > 0) : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void check_vm(const dc_dataset *ds, const dc_element *e, const dc_dict_entry *entry, uint32_t n,
                     dc_buf *findings)
{
    dc_finding f = about(ds, e, DC_FINDING_VM);
    f.number = n;
    bool fits = n >= entry->vm_min && (entry->vm_max == 0 || n <= entry->vm_max)
                && (n - entry->vm_min) % (entry->vm_step ? entry->vm_step : 1) == 0;
    if (n > 0 && !fits)
        dc_finding_add(findings, &f);
}

bool dc_element_is_empty(const dc_element *e)
{
    if (e->hold == DC_HOLD_ITEMS)
        return e->u.items->count == 0;
    if (e->hold != DC_HOLD_BYTES || e->length == 0)
        return e->hold == DC_HOLD_BYTES;
    dc_span bytes = dc_span_make(e->u.bytes, (size_t)e->length);
    return is_string(e->vr) && dc_value_count((dc_vr)e->vr, bytes, DC_MULTIBYTE_NONE) == 0;
}

static bool is_private(uint32_t tag)
{
    return (tag & 0x10000) != 0;
}

dc_status dc_validate_element(const dc_dataset *ds, const dc_element *e, dc_buf *findings)
{
    const dc_dict_entry *entry = is_private(e->tag) ? NULL : dc_dict_by_tag(e->tag);
    uint32_t count = UINT32_MAX;
    if ((e->tag & 0xFFFF) == 0 && e->tag != 0x00020000)
        return DC_OK; /* group lengths are retired, and nobody reads them */
    if (entry)
        check_vr(ds, e, entry, findings);
    if (e->hold == DC_HOLD_ITEMS || e->hold == DC_HOLD_FRAGMENTS || dc_element_is_empty(e) || e->vr == DC_VR_SQ)
        return DC_OK;
    if (is_string(e->vr)) {
        dc_status st = check_string(ds, e, findings, &count);
        if (st)
            return st;
    } else if (e->vr != DC_VR_UN) {
        count = check_numbers(ds, e, findings);
    }
    if (entry && count != UINT32_MAX && e->vr != DC_VR_UN && is_allowed(e->vr, entry->vr))
        check_vm(ds, e, entry, count, findings);
    return DC_OK;
}
