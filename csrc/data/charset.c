/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "coded.h"

typedef enum kind {
    ASCII, LATIN, PLANE, /* ISO 2022 knows what to do */
    UTF8, GB18030, GBK   /* stand alone */
} kind;

typedef struct row {
    const char *term; /* letters and digits of the defined term, without "ISO IR" and "ISO 2022 IR" */
    uint8_t kind;
    uint8_t table;
} row;

/* PS3.3 tables C.12-2 to C.12-5. */
static const row rows[] = {
    { "6", ASCII, 0 }, { "100", LATIN, DC_GEN_IR100 }, { "101", LATIN, DC_GEN_IR101 }, { "109", LATIN, DC_GEN_IR109 },
    { "110", LATIN, DC_GEN_IR110 }, { "144", LATIN, DC_GEN_IR144 }, { "127", LATIN, DC_GEN_IR127 },
    { "126", LATIN, DC_GEN_IR126 }, { "138", LATIN, DC_GEN_IR138 }, { "148", LATIN, DC_GEN_IR148 },
    { "203", LATIN, DC_GEN_IR203 }, { "166", LATIN, DC_GEN_IR166 }, { "13", LATIN, DC_GEN_IR13 },
    { "87", PLANE, DC_GEN_IR87 }, { "159", PLANE, DC_GEN_IR159 }, { "149", PLANE, DC_GEN_IR149 },
    { "58", PLANE, DC_GEN_IR58 }, { "192", UTF8, 0 }, { "GB18030", GB18030, 0 }, { "GBK", GBK, 0 },
};
enum { ROWS = sizeof rows / sizeof *rows, TERM = 24 };

/* Letters in upper case and digits: "ISO-IR 100" and "iso_ir 100" are met in files and mean ISO_IR 100. */
static size_t letters_and_digits(dc_span s, char out[TERM])
{
    size_t n = 0;
    for (size_t i = 0; i < s.len && n < TERM - 1; i++) {
        uint8_t c = s.ptr[i];
        if (c >= 'a' && c <= 'z')
            c = (uint8_t)(c - 32);
        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
            out[n++] = (char)c;
    }
    out[n] = 0;
    return n;
}

/* The row of one defined term, ROWS when unknown. */
static size_t find_row(dc_span term, bool *extension)
{
    char letters[TERM];
    const char *rest = letters;
    if (letters_and_digits(term, letters) == 0)
        return 0;
    if (strncmp(rest, "ISO2022IR", 9) == 0) {
        *extension = true;
        rest += 9;
    } else if (strncmp(rest, "ISOIR", 5) == 0) {
        rest += 5;
    }
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].term, rest) == 0)
            return i;
    return ROWS;
}

dc_charset dc_charset_parse(dc_span value)
{
    dc_charset cs = { .known = true };
    bool extension = false;
    size_t at = 0;
    for (dc_span term; cs.count < sizeof cs.sets && dc_value_next(DC_VR_CS, value, DC_MULTIBYTE_NONE, &at, &term);) {
        size_t i = find_row(term, &extension);
        cs.known = cs.known && i < ROWS;
        if (i == ROWS)
            i = 0;
        if (rows[i].kind >= UTF8 && cs.count > 0)
            continue; /* stands alone: no escape leads to it */
        cs.sets[cs.count++] = (uint8_t)i;
        if (rows[i].kind >= UTF8)
            break;
    }
    uint8_t first = cs.count ? rows[cs.sets[0]].kind : ASCII;
    if (first == GBK || first == GB18030)
        cs.multibyte = DC_MULTIBYTE_PAIRS;
    else if (first != UTF8 && (extension || cs.count > 1))
        cs.multibyte = DC_MULTIBYTE_ESCAPES;
    return cs;
}

enum { LONGEST = 4096 }; /* of an element that is to be believed to name character sets */

/* A limit of the caller may have left even this value in the source. */
static dc_charset read_charset(const dc_dataset *ds, const dc_element *e)
{
    dc_span value = dc_span_make(NULL, 0);
    uint8_t *scratch = NULL;
    if (e->length <= LONGEST && dc_element_bytes(ds->object, e, &value, &scratch) != DC_OK)
        value.len = 0;
    dc_charset cs = dc_charset_parse(value);
    free(scratch);
    return cs;
}

dc_charset dc_charset_of(const dc_dataset *ds)
{
    for (; ds; ds = ds->parent) {
        const dc_element *e = dc_dataset_find(ds, DC_TAG(0x0008, 0x0005));
        if (e && (e->hold == DC_HOLD_BYTES || e->hold == DC_HOLD_RANGE))
            return read_charset(ds, e);
    }
    return dc_charset_parse(dc_span_make(NULL, 0));
}

static kind first_kind(const dc_charset *cs)
{
    return cs->count ? (kind)rows[cs->sets[0]].kind : ASCII;
}

static bool is_romaji(const dc_charset *cs)
{
    return first_kind(cs) == LATIN && rows[cs->sets[0]].table == DC_GEN_IR13;
}

bool dc_charset_is_utf8_safe(const dc_charset *cs, dc_span text)
{
    bool escapes = cs->multibyte == DC_MULTIBYTE_ESCAPES, romaji = is_romaji(cs);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c >= 0x80 || (c == 0x1B && escapes) || (romaji && (c == '\\' || c == '~')))
            return false;
    }
    return true;
}

/* PS3.5 6.2: only these VRs use Specific Character Set; the rest is the default repertoire. */
static bool uses_charset(dc_vr vr)
{
    return vr < DC_VR_COUNT && dc_vr_rows[vr].kind == DC_KIND_TEXT;
}

static dc_iso2022 iso2022_of(const dc_charset *cs, dc_vr vr)
{
    dc_iso2022 how = { .initial = { DC_SET_ASCII, DC_SET_NONE } };
    how.is_name = vr == DC_VR_PN;
    how.is_delimited = vr < DC_VR_COUNT && dc_vr_rows[vr].delimited;
    if (!uses_charset(vr))
        return how;
    how.escapes = cs->multibyte == DC_MULTIBYTE_ESCAPES;
    for (uint8_t i = 0; i < cs->count; i++) {
        const row *r = &rows[cs->sets[i]];
        uint8_t set = (uint8_t)(r->kind == ASCII ? DC_SET_ASCII : r->kind == LATIN ? DC_SET_LATIN + r->table
                                                                                   : DC_SET_PLANE + r->table);
        how.sets[how.count++] = set;
        if (i == 0 && (r->kind == LATIN || set == DC_SET_PLANE + DC_GEN_IR149 || set == DC_SET_PLANE + DC_GEN_IR58))
            how.initial.g1 = set;
    }
    if (is_romaji(cs))
        how.initial.g0 = DC_SET_ROMAJI;
    return how;
}

/* Valid UTF-8 stands as it is. */
static dc_status decode_utf8(dc_span text, dc_buf *out, size_t *bad)
{
    uint32_t c;
    for (size_t at = 0, n; at < text.len; at += n) {
        n = dc_utf8_next(text, at, &c);
        if (n == 0) {
            *bad = at;
            return DC_E_CHARSET;
        }
    }
    return dc_buf_add(out, text.ptr, text.len);
}

dc_status dc_charset_decode(const dc_charset *cs, dc_vr vr, dc_span text, dc_buf *out, size_t *bad)
{
    kind k = uses_charset(vr) ? first_kind(cs) : ASCII;
    if (dc_charset_is_utf8_safe(cs, text))
        return dc_buf_add(out, text.ptr, text.len);
    if (k == UTF8)
        return decode_utf8(text, out, bad);
    if (k == GB18030 || k == GBK)
        return dc_gb_decode(k == GB18030, text, out, bad);
    dc_iso2022 how = iso2022_of(cs, vr);
    return dc_iso2022_decode(&how, text, out, bad);
}

dc_status dc_charset_encode(const dc_charset *cs, dc_vr vr, dc_span utf8, dc_buf *out)
{
    kind k = uses_charset(vr) ? first_kind(cs) : ASCII;
    if (k == UTF8)
        return dc_utf8_valid(utf8) ? dc_buf_add(out, utf8.ptr, utf8.len) : DC_E_CHARSET;
    if (k == GB18030 || k == GBK)
        return dc_gb_encode(k == GB18030, utf8, out);
    dc_iso2022 how = iso2022_of(cs, vr);
    return dc_iso2022_encode(&how, utf8, out);
}
