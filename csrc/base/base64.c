/* SPDX-License-Identifier: MIT */
#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static inline uint8_t *put_group(uint8_t *to, const uint8_t *p)
{
    uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    to[0] = (uint8_t)digits[v >> 18];
    to[1] = (uint8_t)digits[v >> 12 & 63];
    to[2] = (uint8_t)digits[v >> 6 & 63];
    to[3] = (uint8_t)digits[v & 63];
    return to + 4;
}

dc_status dc_base64_add(dc_base64 *b, dc_buf *out, const uint8_t *p, size_t n)
{
    dc_status st = dc_buf_reserve(out, (n / 3 + 2) * 4);
    if (st)
        return st;
    uint8_t *to = out->ptr + out->len;
    for (; b->count && n; n--) {
        b->rest[b->count++] = *p++;
        if (b->count == 3) {
            to = put_group(to, b->rest);
            b->count = 0;
        }
    }
    for (; n >= 3; n -= 3, p += 3)
        to = put_group(to, p);
    for (; n; n--)
        b->rest[b->count++] = *p++;
    out->len = (size_t)(to - out->ptr);
    return DC_OK;
}

dc_status dc_base64_end(dc_base64 *b, dc_buf *out)
{
    uint8_t group[4];
    unsigned count = b->count;
    b->count = 0;
    if (count == 0)
        return DC_OK;
    for (unsigned i = count; i < 3; i++)
        b->rest[i] = 0;
    put_group(group, b->rest);
    if (count == 1)
        group[2] = '=';
    group[3] = '=';
    return dc_buf_add(out, group, sizeof group);
}

/* The value of a digit; -1: none. '-' and '_' are those of RFC 4648 5, which web software likes. */
static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

dc_status dc_base64_decode(uint8_t *text, size_t n, size_t *length, size_t *bad)
{
    uint32_t v = 0;
    unsigned count = 0, pads = 0;
    uint8_t *to = text;
    for (size_t i = 0; i < n; i++) {
        int digit = value_of(text[i]);
        if (is_blank(text[i]))
            continue;
        *bad = i;
        if (text[i] == '=' && ++pads <= 2)
            continue;
        if (digit < 0 || pads)
            return DC_E_VALUE;
        v = v << 6 | (uint32_t)digit;
        if (++count % 4 == 0) {
            *to++ = (uint8_t)(v >> 16);
            *to++ = (uint8_t)(v >> 8);
            *to++ = (uint8_t)v;
        }
    }
    count %= 4;
    *bad = n;
    if (count == 1 || (pads && count + pads != 4))
        return DC_E_VALUE;
    if (count >= 2)
        *to++ = (uint8_t)(v >> (count == 2 ? 4 : 10));
    if (count == 3)
        *to++ = (uint8_t)(v >> 2);
    *length = (size_t)(to - text);
    return DC_OK;
}
