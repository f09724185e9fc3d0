/* SPDX-License-Identifier: MIT */
/* A growing run of bytes. A failed allocation is remembered, so that a chain of appends needs one check. */
#ifndef DC_BUF_H
#define DC_BUF_H

#include "span.h"
#include "status.h"

typedef struct dc_buf {
    uint8_t *ptr;
    size_t len, cap;
    bool failed;
} dc_buf;

DC_BEGIN
void dc_buf_init(dc_buf *b);
void dc_buf_free(dc_buf *b);                              /* back to the state of init */
dc_status dc_buf_reserve(dc_buf *b, size_t more);         /* room for `more` bytes after len */
dc_status dc_buf_add(dc_buf *b, const void *p, size_t n); /* p may not point into b */
dc_status dc_buf_u8(dc_buf *b, uint8_t v);
dc_status dc_buf_u16(dc_buf *b, uint16_t v, bool big);
dc_status dc_buf_u32(dc_buf *b, uint32_t v, bool big);
DC_END

static inline dc_span dc_buf_span(const dc_buf *b)
{
    return dc_span_make(b->ptr, b->len);
}

#endif
