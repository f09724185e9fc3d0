/* SPDX-License-Identifier: MIT */
#include "value.h"

enum { ESCAPE = 0x1B, BACKSLASH = 0x5C };

/* After an escape at `at`: does it designate a two-byte set to G0 (ESC $ B, ESC $ @, ESC $ ( D), or end that? */
static bool two_byte_after(dc_span s, size_t at, bool before)
{
    if (at + 2 < s.len && s.ptr[at + 1] == '$')
        return s.ptr[at + 2] == '(' || s.ptr[at + 2] == 'B' || s.ptr[at + 2] == '@' ? true : before;
    return at + 1 < s.len && s.ptr[at + 1] == '(' ? false : before; /* to G1: G0 stays */
}

/* The delimiter at or after `at`, or the length. */
static size_t find_delimiter(dc_span s, size_t at, dc_multibyte multibyte)
{
    if (multibyte == DC_MULTIBYTE_NONE) {
        const uint8_t *p = at < s.len ? memchr(s.ptr + at, BACKSLASH, s.len - at) : NULL;
        return p ? (size_t)(p - s.ptr) : s.len;
    }
    for (bool two = false; at < s.len; at++) {
        uint8_t c = s.ptr[at];
        if (multibyte == DC_MULTIBYTE_PAIRS) {
            at += c > 0x80; /* four-byte characters of GB18030 are two such pairs */
        } else if (c == ESCAPE) {
            two = two_byte_after(s, at, two);
            while (at + 1 < s.len && s.ptr[at + 1] >= 0x20 && s.ptr[at + 1] < 0x30)
                at++;
            at += at + 1 < s.len; /* the final byte, which may be a backslash in no known escape */
            continue;
        } else if (c < 0x20) {
            two = false; /* PS3.5 6.1.2.5.3: a control character ends it */
        } else if (two && c < 0x7F && c > 0x20) {
            at++;
            continue;
        }
        if (c == BACKSLASH)
            return at;
    }
    return s.len;
}

static dc_span trim(dc_vr vr, dc_span s)
{
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == 0))
        s.len--;
    while (dc_vr_rows[vr].trim_leading && s.len && s.ptr[0] == ' ')
        s = dc_span_make(s.ptr + 1, s.len - 1);
    return s;
}

static bool is_numbers(dc_vr vr)
{
    uint8_t kind = dc_vr_rows[vr].kind;
    return kind == DC_KIND_BINARY || kind == DC_KIND_BULK || kind == DC_KIND_TAG;
}

static size_t unit(dc_vr vr)
{
    return vr == DC_VR_AT ? 4 : dc_vr_rows[vr].width;
}

static uint32_t clamp(size_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

uint32_t dc_value_count(dc_vr vr, dc_span bytes, dc_multibyte multibyte)
{
    if (vr == DC_VR_NONE || vr >= DC_VR_COUNT || vr == DC_VR_SQ || bytes.len == 0)
        return 0;
    if (is_numbers(vr))
        return clamp(bytes.len / unit(vr));
    if (vr == DC_VR_UN)
        return 1;
    if (trim(vr, bytes).len == 0)
        return 0;
    size_t n = 1;
    if (dc_vr_rows[vr].delimited)
        for (size_t at = 0; (at = find_delimiter(bytes, at, multibyte)) < bytes.len; at++)
            n++;
    return clamp(n);
}

bool dc_value_next(dc_vr vr, dc_span bytes, dc_multibyte multibyte, size_t *at, dc_span *out)
{
    if (vr == DC_VR_NONE || vr >= DC_VR_COUNT || *at > bytes.len || is_numbers(vr) || vr == DC_VR_SQ)
        return false;
    if (*at == 0 && (bytes.len == 0 || trim(vr, bytes).len == 0))
        return false;
    if (vr == DC_VR_UN || !dc_vr_rows[vr].delimited) {
        *at = bytes.len + 1;
        *out = vr == DC_VR_UN ? bytes : trim(vr, bytes);
        return true;
    }
    size_t end = find_delimiter(bytes, *at, multibyte);
    *out = trim(vr, dc_span_make(bytes.ptr + *at, end - *at));
    *at = end + 1;
    return true;
}

bool dc_value_text(dc_vr vr, dc_span bytes, uint32_t n, dc_multibyte multibyte, dc_span *out)
{
    size_t at = 0;
    while (dc_value_next(vr, bytes, multibyte, &at, out))
        if (n-- == 0)
            return true;
    return false;
}

/* The n-th unit of `width` bytes, its bits zero-extended. */
static bool bits(dc_vr vr, dc_span bytes, uint32_t n, bool big, uint64_t *out)
{
    if (vr >= DC_VR_COUNT || (dc_vr_rows[vr].kind != DC_KIND_BINARY && dc_vr_rows[vr].kind != DC_KIND_BULK))
        return false;
    size_t width = dc_vr_rows[vr].width;
    if (n >= bytes.len / width)
        return false;
    const uint8_t *p = bytes.ptr + n * width;
    switch (width) {
    case 1: *out = *p; break;
    case 2: *out = dc_get16(p, big); break;
    case 4: *out = dc_get32(p, big); break;
    default: *out = dc_get64(p, big);
    }
    return true;
}

bool dc_value_integer(dc_vr vr, dc_span bytes, uint32_t n, bool big, int64_t *out)
{
    uint64_t v;
    if (vr >= DC_VR_COUNT || dc_vr_rows[vr].is_float || !bits(vr, bytes, n, big, &v))
        return false;
    if (dc_vr_rows[vr].is_signed && dc_vr_rows[vr].width == 2)
        *out = (int16_t)v;
    else if (dc_vr_rows[vr].is_signed && dc_vr_rows[vr].width == 4)
        *out = (int32_t)v;
    else
        *out = (int64_t)v;
    return true;
}

bool dc_value_float(dc_vr vr, dc_span bytes, uint32_t n, bool big, double *out)
{
    uint64_t v;
    if (!bits(vr, bytes, n, big, &v))
        return false;
    if (!dc_vr_rows[vr].is_float) {
        int64_t i = 0;
        dc_value_integer(vr, bytes, n, big, &i);
        *out = vr == DC_VR_UV || vr == DC_VR_OV ? (double)v : (double)i;
    } else if (dc_vr_rows[vr].width == 4) {
        uint32_t half = (uint32_t)v;
        float f;
        memcpy(&f, &half, sizeof f);
        *out = (double)f;
    } else {
        memcpy(out, &v, sizeof v);
    }
    return true;
}

bool dc_value_tag(dc_span bytes, uint32_t n, bool big, uint32_t *out)
{
    if (n >= bytes.len / 4)
        return false;
    const uint8_t *p = bytes.ptr + (size_t)n * 4;
    *out = (uint32_t)dc_get16(p, big) << 16 | dc_get16(p + 2, big);
    return true;
}
