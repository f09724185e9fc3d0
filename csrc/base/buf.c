/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "buf.h"

void dc_buf_init(dc_buf *b)
{
    memset(b, 0, sizeof *b);
}

void dc_buf_free(dc_buf *b)
{
    free(b->ptr);
    dc_buf_init(b);
}

dc_status dc_buf_reserve(dc_buf *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return DC_E_MEMORY;
    }
    if (more <= b->cap - b->len)
        return DC_OK;
    size_t cap = b->cap ? b->cap * 2 : 256;
    while (cap < b->len + more)
        cap *= 2;
    uint8_t *ptr = realloc(b->ptr, cap);
    if (!ptr) {
        b->failed = true;
        return DC_E_MEMORY;
    }
    b->ptr = ptr;
    b->cap = cap;
    return DC_OK;
}

dc_status dc_buf_add(dc_buf *b, const void *p, size_t n)
{
    dc_status st = dc_buf_reserve(b, n);
    if (st || n == 0)
        return st;
    memcpy(b->ptr + b->len, p, n);
    b->len += n;
    return DC_OK;
}

dc_status dc_buf_u8(dc_buf *b, uint8_t v)
{
    return dc_buf_add(b, &v, 1);
}

dc_status dc_buf_u16(dc_buf *b, uint16_t v, bool big)
{
    uint8_t p[2];
    dc_put16(p, v, big);
    return dc_buf_add(b, p, sizeof p);
}

dc_status dc_buf_u32(dc_buf *b, uint32_t v, bool big)
{
    uint8_t p[4];
    dc_put32(p, v, big);
    return dc_buf_add(b, p, sizeof p);
}
