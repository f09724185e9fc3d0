/* SPDX-License-Identifier: MIT */
/* Sources that are memory; io/file makes those that are files. */
#include <stdlib.h>
#include <string.h>

#include "dataset.h"

typedef struct memory_source {
    dc_source base;
    uint8_t *bytes;
} memory_source;

dc_source *dc_source_ref(dc_source *s)
{
    if (s)
        s->refs++;
    return s;
}

void dc_source_unref(dc_source *s)
{
    if (s && --s->refs == 0)
        s->release(s);
}

static dc_status memory_read_at(dc_source *s, uint64_t offset, void *to, size_t n)
{
    const memory_source *m = (const memory_source *)s;
    if (offset > s->size || n > s->size - offset)
        return DC_E_TRUNCATED;
    if (n)
        memcpy(to, m->bytes + offset, n);
    return DC_OK;
}

static void memory_release(dc_source *s)
{
    memory_source *m = (memory_source *)s;
    free(m->bytes);
    free(m);
}

dc_source *dc_source_memory_take(uint8_t *bytes, size_t n)
{
    memory_source *m = calloc(1, sizeof *m);
    if (!m) {
        free(bytes);
        return NULL;
    }
    m->base.refs = 1;
    m->base.size = n;
    m->base.read_at = memory_read_at;
    m->base.release = memory_release;
    m->bytes = bytes;
    return &m->base;
}

dc_source *dc_source_memory(const void *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        return NULL;
    if (n)
        memcpy(copy, bytes, n);
    return dc_source_memory_take(copy, n);
}

const uint8_t *dc_source_bytes(const dc_source *s)
{
    return s && s->read_at == memory_read_at ? ((const memory_source *)s)->bytes : NULL;
}
