/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "arena.h"

struct dc_arena_chunk {
    dc_arena_chunk *next;
    uint64_t pad; /* keeps what follows 16-byte aligned */
};

enum { CHUNK_MIN = 4096, CHUNK_MAX = 256 << 10 };

void dc_arena_init(dc_arena *a)
{
    memset(a, 0, sizeof *a);
}

void dc_arena_free(dc_arena *a)
{
    for (dc_arena_chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    dc_arena_init(a);
}

/* Chunks grow with the arena, so that their number stays logarithmic up to CHUNK_MAX. */
static size_t chunk_size(const dc_arena *a, size_t n)
{
    size_t size = a->total < CHUNK_MIN ? CHUNK_MIN : a->total > CHUNK_MAX ? CHUNK_MAX : a->total;
    return n + sizeof(dc_arena_chunk) > size ? n + sizeof(dc_arena_chunk) : size;
}

static bool grow(dc_arena *a, size_t n)
{
    size_t size = chunk_size(a, n);
    dc_arena_chunk *c = malloc(size);
    if (!c)
        return false;
    c->next = a->chunks;
    a->chunks = c;
    a->total += size;
    a->at = (uint8_t *)(c + 1);
    a->end = (uint8_t *)c + size;
    return true;
}

void *dc_arena_alloc(dc_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        return NULL;
    n = (n + 7) & ~(size_t)7;
    if (n > (size_t)(a->end - a->at) && !grow(a, n))
        return NULL;
    void *p = a->at;
    a->at += n;
    return p;
}

void *dc_arena_zero(dc_arena *a, size_t n)
{
    void *p = dc_arena_alloc(a, n);
    return p ? memset(p, 0, n) : NULL;
}

char *dc_arena_text(dc_arena *a, const void *p, size_t n)
{
    char *s = dc_arena_alloc(a, n + 1);
    if (!s)
        return NULL;
    if (n)
        memcpy(s, p, n);
    s[n] = 0;
    return s;
}
