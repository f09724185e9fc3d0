/* SPDX-License-Identifier: MIT */
/* The elements of one data set: found by halving, appended while reading, changed afterwards. */
#include <stdlib.h>
#include <string.h>

#include "tree.h"

uint32_t dc_dataset_lower(const dc_dataset *ds, uint32_t tag)
{
    uint32_t low = 0, high = ds->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (ds->elements[mid].tag < tag)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

dc_element *dc_dataset_find(const dc_dataset *ds, uint32_t tag)
{
    uint32_t i = dc_dataset_lower(ds, tag);
    return i < ds->count && ds->elements[i].tag == tag ? &ds->elements[i] : NULL;
}

/* Element lists live in the arena. The newest allocation there grows in place; others leave their old list behind,
   less than the new one. */
dc_status dc_dataset_reserve(dc_dataset *ds, uint32_t cap)
{
    if (cap <= ds->cap)
        return DC_OK;
    if (cap > UINT32_MAX / 2)
        return DC_E_COUNT;
    dc_arena *a = &ds->object->arena;
    if (ds->cap && (uint8_t *)(ds->elements + ds->cap) == a->at) {
        size_t more = (cap - ds->cap) * sizeof *ds->elements;
        if (more <= (size_t)(a->end - a->at)) {
            a->at += more;
            ds->cap = cap;
            return DC_OK;
        }
    }
    dc_element *list = dc_arena_alloc(a, cap * sizeof *list);
    if (!list)
        return DC_E_MEMORY;
    if (ds->count)
        memcpy(list, ds->elements, ds->count * sizeof *list);
    ds->elements = list;
    ds->cap = cap;
    return DC_OK;
}

static dc_status make_room(dc_dataset *ds)
{
    if (ds->count < ds->cap)
        return DC_OK;
    return dc_dataset_reserve(ds, ds->cap ? ds->cap * 2 : ds->parent ? 4 : 64);
}

dc_status dc_dataset_append(dc_dataset *ds, const dc_element *e)
{
    dc_status st = make_room(ds);
    if (st)
        return st;
    if (ds->count && ds->elements[ds->count - 1].tag >= e->tag)
        ds->unsettled = 1;
    ds->elements[ds->count++] = *e;
    return DC_OK;
}

/* Settling: a merge sort of the runs that are there, so that nearly sorted input costs nearly nothing, and input in
   descending order is one run turned round. Stable, so that the first of equal tags stays first. */

static uint32_t run_end(dc_element *list, uint32_t from, uint32_t count)
{
    uint32_t end = from + 1;
    if (end < count && list[end].tag < list[from].tag) {
        while (end < count && list[end].tag < list[end - 1].tag)
            end++;
        for (uint32_t i = from, j = end - 1; i < j; i++, j--) {
            dc_element e = list[i];
            list[i] = list[j];
            list[j] = e;
        }
        return end;
    }
    while (end < count && list[end].tag >= list[end - 1].tag)
        end++;
    return end;
}

static void merge(dc_element *list, uint32_t from, uint32_t middle, uint32_t end, dc_element *scratch)
{
    uint32_t n = middle - from, i = 0, j = middle, to = from;
    memcpy(scratch, list + from, n * sizeof *list);
    while (i < n && j < end)
        list[to++] = list[j].tag < scratch[i].tag ? list[j++] : scratch[i++];
    memcpy(list + to, scratch + i, (n - i) * sizeof *list);
}

/* One pass merges neighbouring runs in pairs; each pass at least halves their number. */
static uint32_t merge_pass(dc_element *list, uint32_t count, dc_element *scratch)
{
    uint32_t runs = 0;
    for (uint32_t at = 0; at < count; runs++) {
        uint32_t middle = run_end(list, at, count);
        uint32_t end = middle < count ? run_end(list, middle, count) : middle;
        if (end > middle)
            merge(list, at, middle, end, scratch);
        at = end;
    }
    return runs;
}

static dc_status drop_duplicates(dc_dataset *ds)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ds->count; i++) {
        dc_element *e = &ds->elements[i];
        if (kept && ds->elements[kept - 1].tag == e->tag) {
            const char *what = "the same tag twice: the first is kept (PS3.5 7.1)";
            dc_status st = dc_object_repair(ds->object, what, e->tag, e->at);
            if (st)
                return st;
            dc_element_release(ds, e);
        } else {
            ds->elements[kept++] = *e;
        }
    }
    ds->count = kept;
    return DC_OK;
}

dc_status dc_dataset_settle(dc_dataset *ds)
{
    if (!ds->unsettled)
        return DC_OK;
    ds->unsettled = 0;
    dc_dataset_flaw(ds);
    if (ds->count == 0)
        return DC_OK;
    dc_element *scratch = malloc(ds->count * sizeof *scratch);
    if (!scratch)
        return DC_E_MEMORY;
    uint32_t last = ds->elements[0].tag, at = 0;
    while (at < ds->count && ds->elements[at].tag >= last)
        last = ds->elements[at++].tag;
    dc_status st = DC_OK;
    if (at < ds->count)
        st = dc_object_repair(ds->object, "tags are not in ascending order (PS3.5 7.1)", ds->elements[at].tag,
                              ds->elements[at].at);
    while (merge_pass(ds->elements, ds->count, scratch) > 1)
        ;
    free(scratch);
    return st ? st : drop_duplicates(ds);
}

/* Changes. */

void dc_dataset_touch(dc_dataset *ds)
{
    ds->object->changes++;
    for (; ds; ds = ds->parent)
        ds->modified = 1;
}

void dc_dataset_flaw(dc_dataset *ds)
{
    for (; ds && !ds->repaired; ds = ds->parent)
        ds->repaired = 1;
}

static void release_fragments(dc_object *o, dc_fragments *fragments)
{
    for (uint32_t i = 0; i < fragments->count; i++)
        if (fragments->list[i].owned)
            dc_block_free(o, fragments->list[i].bytes, false);
    fragments->count = 0;
}

void dc_element_release(dc_dataset *ds, dc_element *e)
{
    if (e->hold == DC_HOLD_ITEMS)
        dc_items_release(ds->object, e->u.items);
    else if (e->hold == DC_HOLD_FRAGMENTS)
        release_fragments(ds->object, e->u.fragments);
    else if (e->hold == DC_HOLD_BYTES && e->flags & DC_EL_OWNED)
        dc_block_free(ds->object, e->u.bytes, (e->flags & DC_EL_TAKEN) != 0);
    e->hold = DC_HOLD_BYTES;
    e->flags = 0;
    e->length = 0;
    e->u.bytes = NULL;
}

void dc_dataset_clear(dc_dataset *ds)
{
    for (uint32_t i = 0; i < ds->count; i++)
        dc_element_release(ds, &ds->elements[i]);
    ds->count = 0;
    ds->unsettled = 0;
}

static dc_status insert_at(dc_dataset *ds, uint32_t i, uint32_t tag)
{
    dc_status st = make_room(ds);
    if (st)
        return st;
    memmove(&ds->elements[i + 1], &ds->elements[i], (ds->count - i) * sizeof *ds->elements);
    memset(&ds->elements[i], 0, sizeof *ds->elements);
    ds->elements[i].tag = tag;
    ds->count++;
    return DC_OK;
}

dc_status dc_dataset_slot(dc_dataset *ds, uint32_t tag, dc_element **out)
{
    uint32_t i = dc_dataset_lower(ds, tag);
    if (i < ds->count && ds->elements[i].tag == tag) {
        dc_element_release(ds, &ds->elements[i]);
    } else {
        dc_status st = insert_at(ds, i, tag);
        if (st)
            return st;
    }
    *out = &ds->elements[i];
    return DC_OK;
}

/* A value of at most the old block's size takes its place: setting in a loop asks for no memory. */
static bool reuse(const dc_element *old, size_t n)
{
    bool owned = old && old->hold == DC_HOLD_BYTES && old->flags & DC_EL_OWNED;
    return owned && n && n <= old->length && n >= old->length / 2;
}

dc_status dc_dataset_set(dc_dataset *ds, uint32_t tag, dc_vr vr, dc_span value, bool big)
{
    dc_element *e = dc_dataset_find(ds, tag);
    uint8_t *block;
    if (reuse(e, value.len)) {
        block = (uint8_t *)(uintptr_t)e->u.bytes;
        memmove(block, value.ptr, value.len); /* the value may be part of the old one */
        e->flags &= DC_EL_OWNED | DC_EL_TAKEN;
    } else {
        block = value.len ? dc_block_new(ds->object, value.len) : NULL;
        if (value.len && !block)
            return DC_E_MEMORY;
        if (block)
            memcpy(block, value.ptr, value.len);
        dc_status st = dc_dataset_slot(ds, tag, &e);
        if (st) {
            if (block)
                dc_block_free(ds->object, block, false);
            return st;
        }
        e->flags = block ? DC_EL_OWNED : 0;
    }
    e->vr = (uint8_t)vr;
    e->hold = DC_HOLD_BYTES;
    e->flags |= big ? DC_EL_BIG : 0;
    e->length = value.len;
    e->u.bytes = block;
    dc_dataset_touch(ds);
    return DC_OK;
}

dc_status dc_dataset_set_owned(dc_dataset *ds, uint32_t tag, dc_vr vr, uint8_t *malloced, size_t n)
{
    dc_element *e;
    dc_status st = dc_block_take(ds->object, malloced, n);
    if (st)
        return st;
    st = dc_dataset_slot(ds, tag, &e);
    if (st) {
        dc_block_free(ds->object, malloced, true);
        return st;
    }
    e->vr = (uint8_t)vr;
    e->flags = DC_EL_OWNED | DC_EL_TAKEN;
    e->length = n;
    e->u.bytes = malloced;
    dc_dataset_touch(ds);
    return DC_OK;
}

dc_status dc_dataset_remove_range(dc_dataset *ds, uint32_t first, uint32_t last)
{
    uint32_t from = dc_dataset_lower(ds, first), end = from;
    while (end < ds->count && ds->elements[end].tag <= last)
        dc_element_release(ds, &ds->elements[end++]);
    if (end == from)
        return DC_OK;
    memmove(&ds->elements[from], &ds->elements[end], (ds->count - end) * sizeof *ds->elements);
    ds->count -= end - from;
    dc_dataset_touch(ds);
    return DC_OK;
}

dc_status dc_dataset_remove(dc_dataset *ds, uint32_t tag)
{
    return dc_dataset_remove_range(ds, tag, tag);
}
