/* SPDX-License-Identifier: MIT */
/* How Pixel Data may be compressed: what the transfer syntaxes name and the codecs do. */
#ifndef DC_COMPRESSION_H
#define DC_COMPRESSION_H

typedef enum dc_compression {
    DC_COMPRESSION_NONE, DC_COMPRESSION_RLE, DC_COMPRESSION_JPEG, DC_COMPRESSION_JPEG_LOSSLESS, DC_COMPRESSION_JPEG_LS,
    DC_COMPRESSION_J2K, DC_COMPRESSION_HTJ2K, DC_COMPRESSION_JPEG_XL, DC_COMPRESSION_DEFLATED_FRAMES,
    DC_COMPRESSION_VIDEO, DC_COMPRESSION_OTHER
} dc_compression;

#endif
