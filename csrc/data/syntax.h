/* SPDX-License-Identifier: MIT */
/* The transfer syntaxes of PS3.5 Annex A, one row each. */
#ifndef DC_SYNTAX_H
#define DC_SYNTAX_H

#include "../base/span.h"
#include "../codec/compression.h"

typedef struct dc_syntax {
    const char *uid;
    const char *keyword; /* PS3.6 Annex A */
    const char *name;
    uint8_t explicit_vr;
    uint8_t big_endian;
    uint8_t deflated;     /* the whole data set is deflated (PS3.5 A.5) */
    uint8_t encapsulated; /* Pixel Data in fragments (PS3.5 A.4) */
    uint8_t compression;  /* dc_compression */
    uint8_t retired;
} dc_syntax;

DC_BEGIN
extern const dc_syntax dc_syntax_rows[];
extern const size_t dc_syntax_count;
extern const dc_syntax *const dc_syntax_implicit;     /* 1.2.840.10008.1.2 */
extern const dc_syntax *const dc_syntax_explicit;     /* 1.2.840.10008.1.2.1 */
extern const dc_syntax *const dc_syntax_explicit_big; /* 1.2.840.10008.1.2.2 */
extern const dc_syntax *const dc_syntax_deflated;     /* 1.2.840.10008.1.2.1.99 */
const dc_syntax *dc_syntax_find(dc_span uid);         /* trailing NUL and space ignored; NULL when unknown */
DC_END

#endif
