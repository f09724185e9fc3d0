/* SPDX-License-Identifier: MIT */
/* The codings behind charset.c, one value at a time. `bad` is the offset of what does not fit. */
#ifndef DC_CODED_H
#define DC_CODED_H

#include "charset.h"

/* What G0 and G1 may hold (ISO 2022). */
enum {
    DC_SET_NONE, DC_SET_ASCII, DC_SET_ROMAJI,   /* romaji: ISO-IR 14, yen and overline where ASCII has \ and ~ */
    DC_SET_LATIN,                               /* + DC_GEN_IR...: single byte, in G1 */
    DC_SET_PLANE = DC_SET_LATIN + DC_GEN_LATINS /* + DC_GEN_IR...: two bytes, 87 and 159 in G0, 149 and 58 in G1 */
};

typedef struct dc_shift { /* what is designated where */
    uint8_t g0, g1;
} dc_shift;

typedef struct dc_iso2022 {
    dc_shift initial;  /* from value 1 of (0008,0005); again after each delimiter (PS3.5 6.1.2.5.3) */
    bool escapes;      /* code extensions are in use */
    uint8_t sets[8];   /* that text may be written in */
    uint8_t count;
    bool is_name;      /* ^ and = are delimiters */
    bool is_delimited; /* the backslash is one */
} dc_iso2022;

DC_BEGIN
dc_status dc_iso2022_decode(const dc_iso2022 *how, dc_span text, dc_buf *out, size_t *bad);
dc_status dc_iso2022_encode(const dc_iso2022 *how, dc_span utf8, dc_buf *out);
dc_status dc_gb_decode(bool gb18030, dc_span text, dc_buf *out, size_t *bad);
dc_status dc_gb_encode(bool gb18030, dc_span utf8, dc_buf *out);

size_t dc_utf8_next(dc_span s, size_t at, uint32_t *c); /* bytes of the character at `at`; 0: not valid */
void dc_utf8_put(dc_buf *out, uint32_t c);              /* failure stays in out */

/* Index in `order` (cell numbers ascending by code point) of the cell that holds c, as a cell number; -1: none. */
int dc_cell_of(const uint16_t *cells, const uint16_t *order, uint32_t count, uint32_t c);
DC_END

#endif
