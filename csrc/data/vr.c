/* SPDX-License-Identifier: MIT */
#include "vr.h"

enum { STRING = DC_KIND_STRING, TEXT = DC_KIND_TEXT, BINARY = DC_KIND_BINARY, BULK = DC_KIND_BULK };

/* PS3.5 table 6.2-1. Lengths of PN, LO, ... are characters, those of DA, DT and TM are of one value outside queries. */
const dc_vr_row dc_vr_rows[DC_VR_COUNT] = {
    /*            name  kind            width signed float long delimited leading pad longest */
    [DC_VR_NONE] = { "??", 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    [DC_VR_AE] = { "AE", STRING, 1, 0, 0, 0, 1, 1, ' ', 16 },
    [DC_VR_AS] = { "AS", STRING, 1, 0, 0, 0, 1, 0, ' ', 4 },
    [DC_VR_AT] = { "AT", DC_KIND_TAG, 2, 0, 0, 0, 0, 0, 0, 0 },
    [DC_VR_CS] = { "CS", STRING, 1, 0, 0, 0, 1, 1, ' ', 16 },
    [DC_VR_DA] = { "DA", STRING, 1, 0, 0, 0, 1, 0, ' ', 8 },
    [DC_VR_DS] = { "DS", DC_KIND_DECIMAL, 1, 0, 0, 0, 1, 1, ' ', 16 },
    [DC_VR_DT] = { "DT", STRING, 1, 0, 0, 0, 1, 0, ' ', 26 },
    [DC_VR_FD] = { "FD", BINARY, 8, 0, 1, 0, 0, 0, 0, 0 },
    [DC_VR_FL] = { "FL", BINARY, 4, 0, 1, 0, 0, 0, 0, 0 },
    [DC_VR_IS] = { "IS", DC_KIND_INTEGER, 1, 0, 0, 0, 1, 1, ' ', 12 },
    [DC_VR_LO] = { "LO", TEXT, 1, 0, 0, 0, 1, 1, ' ', 64 },
    [DC_VR_LT] = { "LT", TEXT, 1, 0, 0, 0, 0, 0, ' ', 10240 },
    [DC_VR_OB] = { "OB", BULK, 1, 0, 0, 1, 0, 0, 0, 0 },
    [DC_VR_OD] = { "OD", BULK, 8, 0, 1, 1, 0, 0, 0, 0 },
    [DC_VR_OF] = { "OF", BULK, 4, 0, 1, 1, 0, 0, 0, 0 },
    [DC_VR_OL] = { "OL", BULK, 4, 0, 0, 1, 0, 0, 0, 0 },
    [DC_VR_OV] = { "OV", BULK, 8, 0, 0, 1, 0, 0, 0, 0 },
    [DC_VR_OW] = { "OW", BULK, 2, 0, 0, 1, 0, 0, 0, 0 },
    [DC_VR_PN] = { "PN", TEXT, 1, 0, 0, 0, 1, 0, ' ', 64 },
    [DC_VR_SH] = { "SH", TEXT, 1, 0, 0, 0, 1, 1, ' ', 16 },
    [DC_VR_SL] = { "SL", BINARY, 4, 1, 0, 0, 0, 0, 0, 0 },
    [DC_VR_SQ] = { "SQ", DC_KIND_SEQUENCE, 1, 0, 0, 1, 0, 0, 0, 0 },
    [DC_VR_SS] = { "SS", BINARY, 2, 1, 0, 0, 0, 0, 0, 0 },
    [DC_VR_ST] = { "ST", TEXT, 1, 0, 0, 0, 0, 0, ' ', 1024 },
    [DC_VR_SV] = { "SV", BINARY, 8, 1, 0, 1, 0, 0, 0, 0 },
    [DC_VR_TM] = { "TM", STRING, 1, 0, 0, 0, 1, 0, ' ', 14 },
    [DC_VR_UC] = { "UC", TEXT, 1, 0, 0, 1, 1, 0, ' ', 0 },
    [DC_VR_UI] = { "UI", STRING, 1, 0, 0, 0, 1, 0, 0, 64 },
    [DC_VR_UL] = { "UL", BINARY, 4, 0, 0, 0, 0, 0, 0, 0 },
    [DC_VR_UN] = { "UN", DC_KIND_UNKNOWN, 1, 0, 0, 1, 0, 0, 0, 0 },
    [DC_VR_UR] = { "UR", STRING, 1, 0, 0, 1, 0, 0, ' ', 0 },
    [DC_VR_US] = { "US", BINARY, 2, 0, 0, 0, 0, 0, 0, 0 },
    [DC_VR_UT] = { "UT", TEXT, 1, 0, 0, 1, 0, 0, ' ', 0 },
    [DC_VR_UV] = { "UV", BINARY, 8, 0, 0, 1, 0, 0, 0, 0 },
};

/* Every explicit element asks this: a table over both letters instead of a search. */
#define AT(a, b) (((a) - 'A') * 26 + (b) - 'A')
static const uint8_t by_letters[26 * 26] = {
    [AT('A', 'E')] = DC_VR_AE, [AT('A', 'S')] = DC_VR_AS, [AT('A', 'T')] = DC_VR_AT,
    [AT('C', 'S')] = DC_VR_CS, [AT('D', 'A')] = DC_VR_DA, [AT('D', 'S')] = DC_VR_DS,
    [AT('D', 'T')] = DC_VR_DT, [AT('F', 'D')] = DC_VR_FD, [AT('F', 'L')] = DC_VR_FL,
    [AT('I', 'S')] = DC_VR_IS, [AT('L', 'O')] = DC_VR_LO, [AT('L', 'T')] = DC_VR_LT,
    [AT('O', 'B')] = DC_VR_OB, [AT('O', 'D')] = DC_VR_OD, [AT('O', 'F')] = DC_VR_OF,
    [AT('O', 'L')] = DC_VR_OL, [AT('O', 'V')] = DC_VR_OV, [AT('O', 'W')] = DC_VR_OW,
    [AT('P', 'N')] = DC_VR_PN, [AT('S', 'H')] = DC_VR_SH, [AT('S', 'L')] = DC_VR_SL,
    [AT('S', 'Q')] = DC_VR_SQ, [AT('S', 'S')] = DC_VR_SS, [AT('S', 'T')] = DC_VR_ST,
    [AT('S', 'V')] = DC_VR_SV, [AT('T', 'M')] = DC_VR_TM, [AT('U', 'C')] = DC_VR_UC,
    [AT('U', 'I')] = DC_VR_UI, [AT('U', 'L')] = DC_VR_UL, [AT('U', 'N')] = DC_VR_UN,
    [AT('U', 'R')] = DC_VR_UR, [AT('U', 'S')] = DC_VR_US, [AT('U', 'T')] = DC_VR_UT,
    [AT('U', 'V')] = DC_VR_UV,
};

dc_vr dc_vr_find(const uint8_t name[2])
{
    unsigned a = (unsigned)name[0] - 'A', b = (unsigned)name[1] - 'A';
    return a < 26 && b < 26 ? (dc_vr)by_letters[a * 26 + b] : DC_VR_NONE;
}
