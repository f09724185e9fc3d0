/* SPDX-License-Identifier: MIT */
/* The 34 value representations of PS3.5 6.2, one row each. */
#ifndef DC_VR_H
#define DC_VR_H

#include "../base/span.h"

typedef enum dc_vr {
    DC_VR_NONE, /* no VR: only in rows and calls that say so */
    DC_VR_AE, DC_VR_AS, DC_VR_AT, DC_VR_CS, DC_VR_DA, DC_VR_DS, DC_VR_DT, DC_VR_FD, DC_VR_FL, DC_VR_IS, DC_VR_LO,
    DC_VR_LT, DC_VR_OB, DC_VR_OD, DC_VR_OF, DC_VR_OL, DC_VR_OV, DC_VR_OW, DC_VR_PN, DC_VR_SH, DC_VR_SL, DC_VR_SQ,
    DC_VR_SS, DC_VR_ST, DC_VR_SV, DC_VR_TM, DC_VR_UC, DC_VR_UI, DC_VR_UL, DC_VR_UN, DC_VR_UR, DC_VR_US, DC_VR_UT,
    DC_VR_UV,
    DC_VR_COUNT,
    /* only in dictionary rows, resolved against the data set (PS3.5 A.1, PS3.6) */
    DC_VR_US_SS = DC_VR_COUNT, DC_VR_OB_OW, DC_VR_US_OW, DC_VR_US_SS_OW
} dc_vr;

/* What a value is made of. */
typedef enum dc_vr_kind {
    DC_KIND_STRING,  /* default repertoire: AE AS CS DA DT TM UI UR */
    DC_KIND_TEXT,    /* Specific Character Set: LO LT PN SH ST UC UT */
    DC_KIND_DECIMAL, /* DS */
    DC_KIND_INTEGER, /* IS */
    DC_KIND_BINARY,  /* numbers of fixed width, few: FD FL SL SS SV UL US UV */
    DC_KIND_TAG,     /* AT */
    DC_KIND_BULK,    /* numbers of fixed width, many: OB OD OF OL OV OW */
    DC_KIND_UNKNOWN, /* UN */
    DC_KIND_SEQUENCE /* SQ */
} dc_vr_kind;

typedef struct dc_vr_row {
    char name[3];
    uint8_t kind;         /* dc_vr_kind */
    uint8_t width;        /* bytes of one number (AT: 2, its byte order unit); 1 elsewhere */
    uint8_t is_signed;    /* SL SS SV; floats: 0 */
    uint8_t is_float;     /* FD FL OD OF */
    uint8_t long_header;  /* 32-bit length field in explicit VR (PS3.5 7.1.2) */
    uint8_t delimited;    /* several values are separated by a backslash */
    uint8_t trim_leading; /* leading spaces are not significant (PS3.5 6.2) */
    char pad;             /* the byte that makes the length even */
    uint32_t longest;     /* characters of one value, 0: no limit below the length field (PN: of a component group) */
} dc_vr_row;

DC_BEGIN
extern const dc_vr_row dc_vr_rows[DC_VR_COUNT]; /* [DC_VR_NONE] is all zero with the name "??" */
dc_vr dc_vr_find(const uint8_t name[2]);        /* DC_VR_NONE when it is none */
DC_END

#endif
