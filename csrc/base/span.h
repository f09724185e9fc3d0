/* SPDX-License-Identifier: MIT */
/* A span is bytes that somebody else owns; a cursor reads it with bounds checked. */
#ifndef DC_SPAN_H
#define DC_SPAN_H

#include <string.h>

#include "dc.h"

typedef struct dc_span {
    const uint8_t *ptr;
    size_t len;
} dc_span;

typedef struct dc_cursor {
    const uint8_t *at, *end;
    bool failed; /* a read went past the end; all later reads give 0 */
} dc_cursor;

static inline dc_span dc_span_make(const void *ptr, size_t len)
{
    dc_span s = { (const uint8_t *)ptr, len };
    return s;
}

static inline bool dc_span_equal(dc_span a, dc_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline uint16_t dc_get16(const uint8_t *p, bool big)
{
    return big ? (uint16_t)(p[0] << 8 | p[1]) : (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t dc_get32(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
               : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t dc_get64(const uint8_t *p, bool big)
{
    return big ? (uint64_t)dc_get32(p, true) << 32 | dc_get32(p + 4, true)
               : (uint64_t)dc_get32(p + 4, false) << 32 | dc_get32(p, false);
}

static inline void dc_put16(uint8_t *p, uint16_t v, bool big)
{
    p[big ? 0 : 1] = (uint8_t)(v >> 8);
    p[big ? 1 : 0] = (uint8_t)v;
}

static inline void dc_put32(uint8_t *p, uint32_t v, bool big)
{
    dc_put16(p + (big ? 0 : 2), (uint16_t)(v >> 16), big);
    dc_put16(p + (big ? 2 : 0), (uint16_t)v, big);
}

static inline void dc_put64(uint8_t *p, uint64_t v, bool big)
{
    dc_put32(p + (big ? 0 : 4), (uint32_t)(v >> 32), big);
    dc_put32(p + (big ? 4 : 0), (uint32_t)v, big);
}

/* Turns the bytes of each number round: one byte order into the other. What is left of a number stays. */
static inline void dc_turn(uint8_t *p, size_t n, unsigned width)
{
    for (size_t i = 0; width > 1 && i + width <= n; i += width)
        for (unsigned a = 0, b = width - 1; a < b; a++, b--) {
            uint8_t c = p[i + a];
            p[i + a] = p[i + b];
            p[i + b] = c;
        }
}

static inline dc_cursor dc_cursor_of(dc_span s)
{
    dc_cursor c = { s.ptr, s.ptr + s.len, false };
    return c;
}

static inline size_t dc_cursor_left(const dc_cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* n bytes, or an empty span and failed. */
static inline dc_span dc_cursor_take(dc_cursor *c, size_t n)
{
    dc_span s = { c->at, 0 };
    if (c->failed || n > dc_cursor_left(c)) {
        c->failed = true;
        return s;
    }
    s.len = n;
    c->at += n;
    return s;
}

static inline uint8_t dc_cursor_u8(dc_cursor *c)
{
    dc_span s = dc_cursor_take(c, 1);
    return s.len ? s.ptr[0] : 0;
}

static inline uint16_t dc_cursor_u16(dc_cursor *c, bool big)
{
    dc_span s = dc_cursor_take(c, 2);
    return s.len ? dc_get16(s.ptr, big) : 0;
}

static inline uint32_t dc_cursor_u32(dc_cursor *c, bool big)
{
    dc_span s = dc_cursor_take(c, 4);
    return s.len ? dc_get32(s.ptr, big) : 0;
}

#endif
