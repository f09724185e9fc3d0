/* SPDX-License-Identifier: MIT */
/* Single-byte sets and code extension by ISO 2022 escapes (PS3.5 6.1.2.5). */
#include "coded.h"

enum { ESCAPE = 0x1B, YEN = 0xA5, OVERLINE = 0x203E };

typedef struct designation {
    char bytes[5]; /* after ESC */
    uint8_t length;
    uint8_t is_g1;
    uint8_t set;
} designation;

#define LATIN(final, name) { "-" final, 2, 1, DC_SET_LATIN + DC_GEN_##name }
/* PS3.3 tables C.12-3 and C.12-4. Of two rows for one set the first is written. */
static const designation designations[] = {
    { "(B", 2, 0, DC_SET_ASCII }, { "(J", 2, 0, DC_SET_ROMAJI },
    { ")I", 2, 1, DC_SET_LATIN + DC_GEN_IR13 },
    LATIN("A", IR100), LATIN("B", IR101), LATIN("C", IR109), LATIN("D", IR110), LATIN("L", IR144), LATIN("G", IR127),
    LATIN("F", IR126), LATIN("H", IR138), LATIN("M", IR148), LATIN("b", IR203), LATIN("T", IR166),
    { "$B", 2, 0, DC_SET_PLANE + DC_GEN_IR87 }, { "$(D", 3, 0, DC_SET_PLANE + DC_GEN_IR159 },
    { "$)C", 3, 1, DC_SET_PLANE + DC_GEN_IR149 }, { "$)A", 3, 1, DC_SET_PLANE + DC_GEN_IR58 },
    { "$@", 2, 0, DC_SET_PLANE + DC_GEN_IR87 }, /* JIS C 6226-1978, which older systems wrote */
};
enum { DESIGNATIONS = sizeof designations / sizeof *designations };

static const designation *designation_at(dc_span s, size_t at)
{
    for (size_t i = 0; i < DESIGNATIONS; i++) {
        const designation *d = &designations[i];
        if (s.len - at > d->length && memcmp(s.ptr + at + 1, d->bytes, d->length) == 0)
            return d;
    }
    return NULL;
}

static const designation *designation_of(uint8_t set)
{
    const designation *d = designations;
    while (d->set != set)
        d++;
    return d;
}

static void designate(dc_shift *shift, const designation *d)
{
    *(d->is_g1 ? &shift->g1 : &shift->g0) = d->set;
}

/* Is this the end of a line, of a page, of a component: where the sets of value 1 return? */
static bool is_delimiter(const dc_iso2022 *how, uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\f' || c == '\r' || (how->is_name && (c == '^' || c == '='))
           || (how->is_delimited && c == '\\');
}

/* A G1 set stays where value 1 has none: what no other set claims some writers do not designate again. */
static void reset(const dc_iso2022 *how, dc_shift *shift)
{
    shift->g0 = how->initial.g0;
    if (how->initial.g1 != DC_SET_NONE)
        shift->g1 = how->initial.g1;
}

/* The character of two bytes, each from 21 to 7E after `high` is taken off; 0: none. */
static uint32_t plane_cell(uint8_t set, const uint8_t *p, uint8_t high)
{
    unsigned a = (unsigned)p[0] - high - 0x21, b = (unsigned)p[1] - high - 0x21;
    return a < 94 && b < 94 ? dc_gen_planes[((unsigned)(set - DC_SET_PLANE) * 94 + a) * 94 + b] : 0;
}

static uint32_t low_character(const dc_iso2022 *how, uint8_t g0, uint8_t c)
{
    if (g0 == DC_SET_ROMAJI && c == '~')
        return OVERLINE;
    return g0 == DC_SET_ROMAJI && c == '\\' && !how->is_delimited ? YEN : c;
}

/* The character at p and its bytes; 0 when the sets in use hold none. */
static uint32_t read_one(const dc_iso2022 *how, dc_shift shift, const uint8_t *p, size_t left, size_t *n)
{
    *n = 1;
    if (p[0] < 0x80) {
        if (shift.g0 < DC_SET_PLANE || p[0] <= 0x20 || p[0] == 0x7F)
            return low_character(how, shift.g0, p[0]);
        *n = 2;
        return left < 2 ? 0 : plane_cell(shift.g0, p, 0);
    }
    if (shift.g1 >= DC_SET_PLANE) {
        *n = 2;
        return left < 2 ? 0 : plane_cell(shift.g1, p, 0x80);
    }
    if (shift.g1 == DC_SET_NONE)
        return 0;
    return p[0] < 0xA0 ? p[0] : dc_gen_latin[(shift.g1 - DC_SET_LATIN) * 96 + p[0] - 0xA0];
}

dc_status dc_iso2022_decode(const dc_iso2022 *how, dc_span text, dc_buf *out, size_t *bad)
{
    dc_shift shift = how->initial;
    for (size_t at = 0, n; at < text.len; at += n) {
        uint8_t byte = text.ptr[at];
        const designation *d = NULL;
        if (byte == ESCAPE && how->escapes && (d = designation_at(text, at)) != NULL) {
            designate(&shift, d);
            n = 1u + d->length;
            continue;
        }
        uint32_t c = read_one(how, shift, text.ptr + at, text.len - at, &n);
        if ((c == 0 && byte != 0) || (byte == ESCAPE && how->escapes)) {
            *bad = at;
            return DC_E_CHARSET;
        }
        dc_utf8_put(out, c);
        if (n == 1 && is_delimiter(how, byte))
            reset(how, &shift);
    }
    return out->failed ? DC_E_MEMORY : DC_OK;
}

static void put_designation(dc_shift *shift, uint8_t set, dc_buf *out)
{
    const designation *d = designation_of(set);
    dc_buf_u8(out, ESCAPE);
    dc_buf_add(out, d->bytes, d->length);
    designate(shift, d);
}

/* Before a delimiter and at the end. */
static void put_reset(const dc_iso2022 *how, dc_shift *shift, dc_buf *out)
{
    if (shift->g0 != how->initial.g0)
        put_designation(shift, how->initial.g0, out);
    if (shift->g1 != how->initial.g1 && how->initial.g1 != DC_SET_NONE)
        put_designation(shift, how->initial.g1, out);
    *shift = how->initial;
}

/* The code of c in a set, 0 when it has none. Two bytes for planes. */
static uint32_t code_in(const dc_iso2022 *how, uint8_t set, uint32_t c)
{
    if (set == DC_SET_ASCII)
        return c < 0x80 ? c : 0;
    if (set == DC_SET_ROMAJI) {
        if (c == OVERLINE || (c == YEN && !how->is_delimited))
            return c == YEN ? '\\' : '~';
        return c < 0x80 && c != '~' && (c != '\\' || how->is_delimited) ? c : 0;
    }
    if (set >= DC_SET_PLANE) {
        const uint32_t *first = dc_gen_plane_first + (set - DC_SET_PLANE);
        int cell = c < 0x80 || c > 0xFFFF ? -1 : dc_cell_of(dc_gen_planes + (set - DC_SET_PLANE) * 94 * 94,
                                                           dc_gen_plane_order + first[0], first[1] - first[0], c);
        uint32_t high = designation_of(set)->is_g1 ? 0x8080 : 0;
        return cell < 0 ? 0 : (((uint32_t)cell / 94 + 0x21) << 8 | ((uint32_t)cell % 94 + 0x21)) | high;
    }
    if (set == DC_SET_NONE || c < 0x80)
        return 0;
    for (uint32_t i = 0; i < 96; i++)
        if (dc_gen_latin[(set - DC_SET_LATIN) * 96 + i] == c)
            return 0xA0 + i;
    return c < 0xA0 ? c : 0;
}

/* The set to write c in: what is designated already, else by the order of (0008,0005). DC_SET_NONE: no set has c. */
static uint8_t choose(const dc_iso2022 *how, dc_shift shift, uint32_t c, uint32_t *code)
{
    if ((*code = code_in(how, shift.g0, c)) != 0)
        return shift.g0;
    if ((*code = code_in(how, shift.g1, c)) != 0)
        return shift.g1;
    if (!how->escapes)
        return DC_SET_NONE;
    if ((*code = code_in(how, how->initial.g0, c)) != 0)
        return how->initial.g0;
    for (uint8_t i = 0; i < how->count; i++)
        if ((*code = code_in(how, how->sets[i], c)) != 0)
            return how->sets[i];
    return DC_SET_NONE;
}

static dc_status put_one(const dc_iso2022 *how, dc_shift *shift, uint32_t c, dc_buf *out)
{
    uint32_t code;
    if (is_delimiter(how, c))
        put_reset(how, shift, out);
    if (c < 0x20 || (c == ' ' && shift->g0 < DC_SET_PLANE))
        return c == ESCAPE && how->escapes ? DC_E_CHARSET : dc_buf_u8(out, (uint8_t)c);
    uint8_t set = choose(how, *shift, c, &code);
    if (set == DC_SET_NONE)
        return DC_E_CHARSET;
    if (set != shift->g0 && set != shift->g1)
        put_designation(shift, set, out);
    return set >= DC_SET_PLANE ? dc_buf_u16(out, (uint16_t)code, true) : dc_buf_u8(out, (uint8_t)code);
}

dc_status dc_iso2022_encode(const dc_iso2022 *how, dc_span utf8, dc_buf *out)
{
    dc_shift shift = how->initial;
    for (size_t at = 0, n; at < utf8.len; at += n) {
        uint32_t c = 0;
        n = dc_utf8_next(utf8, at, &c);
        dc_status st = n ? put_one(how, &shift, c, out) : DC_E_CHARSET;
        if (st)
            return st;
    }
    put_reset(how, &shift, out);
    return out->failed ? DC_E_MEMORY : DC_OK;
}
