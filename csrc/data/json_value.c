/* SPDX-License-Identifier: MIT */
#include "jsoning.h"

dc_status dc_json_add(dc_json_values *v, dc_json_kind kind, dc_span s)
{
    if (s.len > UINT32_MAX)
        return DC_E_TOO_LONG;
    dc_status st = dc_buf_u8(&v->bytes, (uint8_t)kind);
    if (!st)
        st = dc_buf_u32(&v->bytes, (uint32_t)s.len, false);
    if (!st)
        st = dc_buf_add(&v->bytes, s.ptr, s.len);
    v->count++;
    v->scalars = v->scalars || (kind != DC_JSON_NULL && kind != DC_JSON_EMPTY);
    return st;
}

void dc_json_clear(dc_json_values *v)
{
    v->bytes.len = 0;
    v->count = 0;
    v->scalars = false;
}

static dc_json_kind take(dc_cursor *c, dc_span *s)
{
    dc_json_kind kind = (dc_json_kind)dc_cursor_u8(c);
    *s = dc_cursor_take(c, dc_cursor_u32(c, false));
    return kind;
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */

static bool is_word(dc_span s, const char *word)
{
    size_t n = strlen(word);
    if (s.len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((s.ptr[i] | 0x20) != word[i])
            return false;
    return true;
}

static dc_status float_of(dc_span s, double *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    dc_span size = negative ? dc_span_make(s.ptr + 1, s.len - 1) : s;
    const uint64_t nan = UINT64_C(0x7FF8) << 48, infinity = UINT64_C(0x7FF0) << 48;
    const uint64_t *bits = is_word(size, "nan") ? &nan : is_word(size, "inf") || is_word(size, "infinity") ? &infinity : NULL;
    if (!bits)
        return dc_decimal_parse(s, out);
    memcpy(out, bits, sizeof *out);
    *out = negative ? -*out : *out;
    return DC_OK;
}

/* Up to 2^64: UV. */
static bool unsigned_of(dc_span s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit = (uint64_t)s.ptr[i] - '0';
        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return s.len > 0;
}

/* An integer, however it is written: 5, 5.0, 5e0. */
static dc_status integer_of(dc_span s, int64_t *out)
{
    double d;
    if (dc_integer_parse(s, out) == DC_OK)
        return DC_OK;
    if (dc_decimal_parse(s, &d) != DC_OK || !(d >= -9007199254740992.0 && d <= 9007199254740992.0) || d != (double)(int64_t)d)
        return DC_E_VALUE;
    *out = (int64_t)d;
    return DC_OK;
}

static bool fits(dc_vr vr, int64_t v)
{
    unsigned bits = dc_vr_rows[vr].width * 8u;
    if (bits == 64)
        return dc_vr_rows[vr].is_signed || v >= 0;
    int64_t most = dc_vr_rows[vr].is_signed ? INT64_C(1) << (bits - 1) : INT64_C(1) << bits;
    return v < most && v >= (dc_vr_rows[vr].is_signed ? -most : 0);
}

static dc_status put_integer(dc_vr vr, dc_span s, dc_buf *out)
{
    uint8_t bytes[8];
    uint64_t big;
    int64_t v;
    if ((vr == DC_VR_UV || vr == DC_VR_OV) && unsigned_of(s, &big))
        v = (int64_t)big;
    else if (integer_of(s, &v) != DC_OK || !fits(vr, v))
        return DC_E_VALUE;
    dc_put64(bytes, (uint64_t)v, false);
    return dc_buf_add(out, bytes, dc_vr_rows[vr].width);
}

static dc_status put_float(dc_vr vr, dc_span s, dc_buf *out)
{
    uint8_t bytes[8];
    uint64_t bits;
    double v = 0;
    dc_status st = float_of(s, &v);
    if (st)
        return st;
    if (dc_vr_rows[vr].width == 4) {
        const double most = 3.4028235677973366e38; /* what rounds to the largest float ends below */
        bool finite = v - v == 0;
        if (finite && (v >= most || v <= -most))
            return DC_E_VALUE;
        float f = (float)v;
        uint32_t half;
        memcpy(&half, &f, sizeof half);
        bits = half;
    } else {
        memcpy(&bits, &v, sizeof bits);
    }
    dc_put64(bytes, bits, false);
    return dc_buf_add(out, bytes, dc_vr_rows[vr].width);
}

/* "00100020"; others write "(0010,0020)". */
static dc_status put_tag(dc_span s, dc_buf *out)
{
    uint32_t tag = 0, digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '(' || c == ')' || c == ',')
            continue;
        uint8_t low = c | 0x20;
        if (!(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'f'))
            return DC_E_VALUE;
        tag = tag << 4 | (uint32_t)(c <= '9' ? c - '0' : low - 'a' + 10);
        digits++;
    }
    if (digits != 8)
        return DC_E_VALUE;
    dc_status st = dc_buf_u16(out, (uint16_t)(tag >> 16), false);
    return st ? st : dc_buf_u16(out, (uint16_t)tag, false);
}

/* --- strings ------------------------------------------------------------------------------------------------------- */

/* A DS or IS of a JSON number: as it is written where it fits, else the nearest that does. */
static dc_status put_decimal(dc_vr vr, dc_span s, dc_buf *out)
{
    char text[DC_DECIMAL_SIZE + 1];
    double d;
    int64_t i;
    if (vr == DC_VR_IS && dc_integer_parse(s, &i) == DC_OK)
        return dc_buf_add(out, s.ptr, s.len);
    if (vr == DC_VR_IS && integer_of(s, &i))
        return DC_E_VALUE;
    if (dc_decimal_parse(s, &d))
        return DC_E_VALUE;
    if (vr == DC_VR_DS && s.len <= DC_DECIMAL_SIZE)
        return dc_buf_add(out, s.ptr, s.len);
    return dc_buf_add(out, text, dc_decimal_format(d, text));
}

static dc_status put_string(dc_vr vr, dc_json_kind kind, dc_span s, dc_buf *out)
{
    uint8_t of = dc_vr_rows[vr].kind;
    if (kind == DC_JSON_NULL || kind == DC_JSON_EMPTY)
        return DC_OK;
    if (kind == DC_JSON_NAME && vr != DC_VR_PN)
        return DC_E_VALUE;
    if (kind == DC_JSON_NUMBER && (of == DC_KIND_DECIMAL || of == DC_KIND_INTEGER))
        return put_decimal(vr, s, out);
    return dc_buf_add(out, s.ptr, s.len);
}

static dc_status put_binary(dc_vr vr, dc_json_kind kind, dc_span s, dc_buf *out)
{
    if (kind != DC_JSON_NUMBER && kind != DC_JSON_STRING)
        return DC_E_VALUE;
    if (vr == DC_VR_AT)
        return put_tag(s, out);
    return dc_vr_rows[vr].is_float ? put_float(vr, s, out) : put_integer(vr, s, out);
}

dc_status dc_json_pack(const dc_json_values *v, dc_vr vr, dc_buf *out)
{
    uint8_t kind = dc_vr_rows[vr].kind;
    dc_status st = DC_OK;
    bool strings = kind <= DC_KIND_INTEGER;
    if (!v->scalars && (!strings || v->count < 2))
        return DC_OK; /* [null] says no more than nothing */
    if (kind == DC_KIND_UNKNOWN || kind == DC_KIND_SEQUENCE || (v->count > 1 && strings && !dc_vr_rows[vr].delimited))
        return DC_E_VALUE;
    dc_cursor c = dc_cursor_of(dc_buf_span(&v->bytes));
    for (uint32_t i = 0; i < v->count && !st; i++) {
        dc_span s;
        dc_json_kind one = take(&c, &s);
        if (strings && i)
            st = dc_buf_u8(out, '\\');
        if (!st)
            st = strings ? put_string(vr, one, s, out) : put_binary(vr, one, s, out);
    }
    return st;
}
