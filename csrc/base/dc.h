/* SPDX-License-Identifier: MIT */
/* What every C file shares: visibility, the limits with their reasons. Include system headers first. */
#ifndef DC_H
#define DC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Declarations between DC_BEGIN and DC_END stay inside the shared library. LuaRocks passes no -fvisibility. */
#define DC_BEGIN _Pragma("GCC visibility push(hidden)")
#define DC_END _Pragma("GCC visibility pop")

#define DC_UNDEFINED_LENGTH 0xFFFFFFFFu /* PS3.5 7.1.1 */
#define DC_AE_SIZE 16                   /* PS3.5 6.2: AE, 16 characters at most */
#define DC_UID_SIZE 64                  /* PS3.5 9.1: 64 characters at most */

/* One fixed Implementation Class UID, of the UUID-derived root 2.25 (PS3.5 B.2), for ever. */
#define DC_IMPLEMENTATION_UID "2.25.302806017415867233868271826190422361229"
#define DC_IMPLEMENTATION_VERSION "DICOM_LUA_0" /* SH, 16 characters at most */
#define DC_VERSION "0.1.0"

/* Limits on what input may claim. A caller may pass its own; 0 in a field means the default. */
typedef struct dc_limits {
    uint32_t depth;       /* nested sequences; deepest real structured reports stay below 20 */
    uint32_t elements;    /* elements and items of one object; the largest multi-frame headers have some 2 million */
    uint64_t inflated;    /* bytes a deflated data set may become */
    uint32_t ratio;       /* inflated bytes per deflated byte; zlib's own maximum is about 1,030 */
    uint64_t held;        /* values up to this many bytes (64 at least) are in memory, larger ones in their source */
} dc_limits;

#define DC_LIMITS_DEFAULT { 64, 4000000, UINT64_C(2) << 30, 1100, 64 << 10 }

#endif
