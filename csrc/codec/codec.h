/* SPDX-License-Identifier: MIT */
/* One compression each. A codec knows an image format, not data sets. */
#ifndef DC_CODEC_H
#define DC_CODEC_H

#include "../base/dc.h"
#include "compression.h"

typedef struct dc_codec {
    dc_compression compression;
    const char *name;                /* of the library that does it, as versions are printed */
    const char *(*version)(void);    /* of the library as linked */
} dc_codec;

DC_BEGIN
extern const dc_codec dc_codec_j2k;
DC_END

#endif
