/* SPDX-License-Identifier: MIT */
/* The object that owns a data set: its life, its blocks of memory, what reading noted about it. */
#include <stdlib.h>
#include <string.h>

#include "tree.h"

enum { DEEPEST = 512,   /* copying and releasing recurse over items: this bounds them whatever limit is asked for */
       LEAST_HELD = 64, /* private creators, UIDs and numbers that reading asks for are looked at in memory */
       MOST_REPAIRS = 1000 }; /* notes about one object; hostile input could make one per element */

static dc_limits limits_of(const dc_limits *asked)
{
    dc_limits l = DC_LIMITS_DEFAULT;
    if (asked) {
        l.depth = asked->depth ? asked->depth : l.depth;
        l.elements = asked->elements ? asked->elements : l.elements;
        l.inflated = asked->inflated ? asked->inflated : l.inflated;
        l.ratio = asked->ratio ? asked->ratio : l.ratio;
        l.held = asked->held ? asked->held : l.held;
    }
    if (l.depth > DEEPEST)
        l.depth = DEEPEST;
    if (l.held < LEAST_HELD)
        l.held = LEAST_HELD;
    return l;
}

dc_object *dc_object_new(const dc_limits *limits)
{
    dc_object *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->refs = 1;
    dc_arena_init(&o->arena);
    o->limits = limits_of(limits);
    o->syntax = dc_syntax_explicit;
    o->root.object = o->meta.object = o;
    return o;
}

dc_object *dc_object_ref(dc_object *o)
{
    if (o)
        o->refs++;
    return o;
}

void dc_object_unref(dc_object *o)
{
    while (o && --o->refs == 0) {
        dc_object *origin = o->origin;
        dc_block_free_all(o);
        dc_source_unref(o->source);
        dc_source_unref(o->packed);
        free(o->repairs);
        dc_arena_free(&o->arena);
        free(o);
        o = origin;
    }
}

size_t dc_object_memory(const dc_object *o)
{
    size_t n = sizeof *o + o->arena.total + o->held + o->repair_cap * sizeof *o->repairs;
    return dc_source_bytes(o->source) ? n + (size_t)o->source->size : n;
}

dc_status dc_object_fail(dc_object *o, dc_status st, uint32_t tag, uint64_t offset)
{
    o->status = st;
    o->status_tag = tag;
    o->status_offset = offset;
    return st;
}

dc_status dc_object_repair(dc_object *o, const char *what, uint32_t tag, uint64_t offset)
{
    if (o->repair_count == MOST_REPAIRS)
        return DC_OK;
    if (o->repair_count == o->repair_cap) {
        uint32_t cap = o->repair_cap ? o->repair_cap * 4 : 4;
        dc_repair *list = realloc(o->repairs, cap * sizeof *list);
        if (!list)
            return dc_object_fail(o, DC_E_MEMORY, tag, offset);
        o->repairs = list;
        o->repair_cap = cap;
    }
    o->repairs[o->repair_count++] = (dc_repair){ what, tag, offset };
    return DC_OK;
}

/* Windows. */

static const uint8_t *in_window(const dc_window *w, uint64_t offset, uint64_t n)
{
    if (offset < w->offset || offset - w->offset > w->bytes.len || n > w->bytes.len - (offset - w->offset))
        return NULL;
    return w->bytes.ptr + (offset - w->offset);
}

const uint8_t *dc_object_at(const dc_object *o, uint64_t offset, uint64_t n)
{
    const uint8_t *memory = dc_source_bytes(o->source);
    if (memory)
        return offset <= o->source->size && n <= o->source->size - offset ? memory + offset : NULL;
    if (o->origin && o->origin->source == o->source) /* saved over since: its windows are of the old file */
        o = o->origin;
    for (uint32_t i = 0; i < o->window_count; i++) {
        const uint8_t *p = in_window(&o->windows[i], offset, n);
        if (p)
            return p;
    }
    return NULL;
}

dc_status dc_object_window(dc_object *o, uint64_t offset, dc_span bytes)
{
    if (o->window_count == o->window_cap) {
        uint32_t cap = o->window_cap ? o->window_cap * 2 : 4;
        dc_window *list = dc_arena_alloc(&o->arena, cap * sizeof *list);
        if (!list)
            return dc_object_fail(o, DC_E_MEMORY, 0, offset);
        if (o->window_count)
            memcpy(list, o->windows, o->window_count * sizeof *list);
        o->windows = list;
        o->window_cap = cap;
    }
    o->windows[o->window_count++] = (dc_window){ offset, bytes };
    return DC_OK;
}

/* Blocks: values set after reading, linked so that each goes in constant time. One that
   was taken keeps its bytes elsewhere; there are few of those, so finding one walks. */

struct dc_block {
    dc_block *next, *prev;
    size_t size;
    uint8_t *taken;
    uint8_t bytes[];
};

static void block_link(dc_object *o, dc_block *b)
{
    b->prev = NULL;
    b->next = o->blocks;
    if (o->blocks)
        o->blocks->prev = b;
    o->blocks = b;
    o->held += b->size;
}

uint8_t *dc_block_new(dc_object *o, size_t n)
{
    dc_block *b = n > SIZE_MAX / 2 ? NULL : malloc(sizeof *b + n);
    if (!b)
        return NULL;
    b->size = n;
    b->taken = NULL;
    block_link(o, b);
    return b->bytes;
}

dc_status dc_block_take(dc_object *o, uint8_t *malloced, size_t n)
{
    dc_block *b = malloc(sizeof *b);
    if (!b) {
        free(malloced);
        return DC_E_MEMORY;
    }
    b->size = n;
    b->taken = malloced;
    block_link(o, b);
    return DC_OK;
}

static dc_block *block_of(dc_object *o, const uint8_t *bytes, bool taken)
{
    if (!taken)
        return (dc_block *)(void *)((uintptr_t)bytes - offsetof(dc_block, bytes));
    dc_block *b = o->blocks;
    while (b && b->taken != bytes)
        b = b->next;
    return b;
}

void dc_block_free(dc_object *o, const uint8_t *bytes, bool taken)
{
    dc_block *b = block_of(o, bytes, taken);
    if (!b)
        return;
    if (b->next)
        b->next->prev = b->prev;
    if (b->prev)
        b->prev->next = b->next;
    else
        o->blocks = b->next;
    o->held -= b->size;
    free(b->taken);
    free(b);
}

uint8_t *dc_block_grow(dc_object *o, const uint8_t *bytes, size_t used, size_t size)
{
    const dc_block *b = bytes ? block_of(o, bytes, false) : NULL;
    if (b && size <= b->size)
        return (uint8_t *)(uintptr_t)bytes;
    size_t twice = b && b->size < SIZE_MAX / 4 ? b->size * 2 : size;
    uint8_t *fresh = dc_block_new(o, size > twice ? size : twice);
    if (fresh && b) {
        memcpy(fresh, bytes, used);
        dc_block_free(o, bytes, false);
    }
    return fresh;
}

void dc_block_free_all(dc_object *o)
{
    for (dc_block *b = o->blocks, *next; b; b = next) {
        next = b->next;
        free(b->taken);
        free(b);
    }
    o->blocks = NULL;
}

dc_status dc_object_sever(dc_object *o)
{
    if (o->stopped)
        return DC_E_TRUNCATED;
    dc_status st = dc_dataset_remove_range(&o->meta, 0, UINT32_MAX);
    o->tail = 0;
    o->repair_count = 0;
    o->severed = true;
    return st;
}

/* As deep as the limit at most. */
static bool has_fragments(const dc_dataset *ds)
{
    bool found = false;
    for (uint32_t i = 0; i < ds->count && !found; i++) {
        const dc_element *e = &ds->elements[i];
        found = e->hold == DC_HOLD_FRAGMENTS && (ds->parent || e->tag != DC_TAG_PIXEL_DATA);
        for (uint32_t j = 0; e->hold == DC_HOLD_ITEMS && j < e->u.items->count && !found; j++)
            found = has_fragments(e->u.items->list[j]);
    }
    return found;
}

dc_status dc_object_set_syntax(dc_object *o, const dc_syntax *syntax)
{
    if (has_fragments(&o->root))
        return DC_E_CONVERT;
    if (syntax->explicit_vr != o->syntax->explicit_vr || syntax->big_endian != o->syntax->big_endian)
        o->recoded = true;
    o->converted = true;
    o->syntax = syntax;
    dc_dataset_touch(&o->root);
    return DC_OK;
}
