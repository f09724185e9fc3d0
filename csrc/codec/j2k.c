/* SPDX-License-Identifier: MIT */
/* JPEG 2000 by OpenJPEG. */
#include "codec.h"

/* The header lies in a folder named by the version, which LuaRocks cannot look for. */
#if __has_include(<openjpeg.h>)
#include <openjpeg.h>
#elif __has_include(<openjpeg-2.5/openjpeg.h>)
#include <openjpeg-2.5/openjpeg.h>
#elif __has_include(<openjpeg-2.4/openjpeg.h>)
#include <openjpeg-2.4/openjpeg.h>
#elif __has_include(<openjpeg-2.3/openjpeg.h>)
#include <openjpeg-2.3/openjpeg.h>
#else
#error "openjpeg.h not found: install OpenJPEG's development files (Debian: libopenjp2-7-dev)"
#endif

const dc_codec dc_codec_j2k = { DC_COMPRESSION_J2K, "openjpeg", opj_version };
