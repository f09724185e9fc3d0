/* SPDX-License-Identifier: MIT */
/* Many small allocations that end together. Chunks never move, so pointers into them stay valid until reset. */
#ifndef DC_ARENA_H
#define DC_ARENA_H

#include "dc.h"

typedef struct dc_arena_chunk dc_arena_chunk;

typedef struct dc_arena {
    dc_arena_chunk *chunks; /* newest first */
    uint8_t *at, *end;      /* free part of the newest chunk */
    size_t total;           /* bytes allocated from the system */
} dc_arena;

DC_BEGIN
void dc_arena_init(dc_arena *a);
void dc_arena_free(dc_arena *a);
void *dc_arena_alloc(dc_arena *a, size_t n); /* 8-byte aligned, not zeroed; NULL when out of memory */
void *dc_arena_zero(dc_arena *a, size_t n);
char *dc_arena_text(dc_arena *a, const void *p, size_t n); /* a copy with a NUL after it */
DC_END

#endif
