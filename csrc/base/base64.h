/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648 4), in pieces of any size. */
#ifndef DC_BASE64_H
#define DC_BASE64_H

#include "buf.h"

/* Bytes that wait for the rest of their group of three. */
typedef struct dc_base64 {
    uint8_t rest[3];
    uint8_t count;
} dc_base64;

DC_BEGIN
dc_status dc_base64_add(dc_base64 *b, dc_buf *out, const uint8_t *p, size_t n);
dc_status dc_base64_end(dc_base64 *b, dc_buf *out); /* the last group, padded */

/* Decodes in place, line ends and blanks ignored: the number of bytes, or DC_E_VALUE with *bad the offset. */
dc_status dc_base64_decode(uint8_t *text, size_t n, size_t *length, size_t *bad);
DC_END

#endif
