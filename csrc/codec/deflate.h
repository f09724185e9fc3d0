/* SPDX-License-Identifier: MIT */
/* zlib's two directions as machines: feed bytes, take what comes out. Raw streams, as PS3.5 A.5 has them; when
   inflating, a zlib header is understood too. */
#ifndef DC_DEFLATE_H
#define DC_DEFLATE_H

#include "../base/span.h"
#include "../base/status.h"

typedef struct dc_inflate dc_inflate;
typedef struct dc_deflate dc_deflate;

DC_BEGIN
/* limit: bytes that may come out; ratio: of them per byte that went in. NULL: out of memory. */
dc_inflate *dc_inflate_new(uint64_t limit, uint32_t ratio);
void dc_inflate_free(dc_inflate *z);
void dc_inflate_feed(dc_inflate *z, dc_span bytes); /* stays until all of it was taken */
/* DC_OK with *n bytes in `out`, DC_MORE, DC_DONE at the stream's end, DC_E_INFLATE, DC_E_BOMB */
dc_status dc_inflate_next(dc_inflate *z, uint8_t *out, size_t room, size_t *n);
uint64_t dc_inflate_taken(const dc_inflate *z);     /* bytes of input used so far */
bool dc_inflate_has_header(const dc_inflate *z);    /* it was a zlib stream */

dc_deflate *dc_deflate_new(void);
void dc_deflate_free(dc_deflate *z);
void dc_deflate_feed(dc_deflate *z, dc_span bytes, bool last); /* stays until all of it was taken */
dc_status dc_deflate_next(dc_deflate *z, uint8_t *out, size_t room, size_t *n); /* DC_OK, DC_MORE, DC_DONE */
DC_END

#endif
