/* SPDX-License-Identifier: MIT */
/* Deep copies, within an object, into another, and of whole objects. Recursion is bounded by the depth limit. */
#include <stdlib.h>
#include <string.h>

#include "tree.h"

/* One copy in progress. */
typedef struct copier {
    dc_object *to;
    const dc_object *from;
    bool same;  /* within one object: bytes that reading left may be shared */
    bool clone; /* into a fresh object that keeps `from` alive: all that was read may be shared, flags and all */
} copier;

static dc_status copy_elements(const copier *c, dc_dataset *to, const dc_dataset *from);

static dc_status copy_bytes(const copier *c, dc_element *to, const uint8_t *bytes, uint64_t n)
{
    uint8_t *block = n ? dc_block_new(c->to, (size_t)n) : NULL;
    if (n && !block)
        return DC_E_MEMORY;
    if (n)
        memcpy(block, bytes, (size_t)n);
    to->u.bytes = block;
    to->flags = (uint16_t)((to->flags & ~DC_EL_TAKEN) | (block ? DC_EL_OWNED : 0));
    return DC_OK;
}

/* A range of another source has to be read. */
static dc_status read_range(const copier *c, dc_element *to, const dc_element *from)
{
    if (from->length > c->to->limits.inflated || from->length > SIZE_MAX / 2)
        return DC_E_TOO_LONG;
    uint8_t *block = dc_block_new(c->to, (size_t)from->length);
    if (!block)
        return DC_E_MEMORY;
    dc_status st = c->from->source->read_at(c->from->source, from->u.offset, block, (size_t)from->length);
    if (st) {
        dc_block_free(c->to, block, false);
        return st;
    }
    to->hold = DC_HOLD_BYTES;
    to->flags |= DC_EL_OWNED;
    to->u.bytes = block;
    return DC_OK;
}

static dc_status copy_fragment(const copier *c, dc_fragment *to, const dc_fragment *from)
{
    *to = *from;
    to->owned = false;
    if (!from->bytes && c->to->source == c->from->source)
        return DC_OK;
    uint8_t *block = dc_block_new(c->to, from->length ? from->length : 1);
    if (!block)
        return DC_E_MEMORY;
    to->bytes = block;
    to->owned = true;
    if (from->bytes) {
        memcpy(block, from->bytes, from->length);
        return DC_OK;
    }
    return c->from->source->read_at(c->from->source, from->offset, block, from->length);
}

static dc_status copy_fragments(const copier *c, dc_element *to, const dc_fragments *from)
{
    dc_fragments *list = dc_arena_zero(&c->to->arena, sizeof *list);
    if (!list)
        return DC_E_MEMORY;
    list->list = dc_arena_zero(&c->to->arena, (size_t)from->count * sizeof *list->list);
    if (!list->list)
        return DC_E_MEMORY;
    list->count = list->cap = from->count;
    for (uint32_t i = 0; i < from->count; i++) {
        dc_status st = copy_fragment(c, &list->list[i], &from->list[i]);
        if (st)
            return st;
    }
    to->u.fragments = list;
    return DC_OK;
}

static dc_status copy_items(const copier *c, dc_element *to, dc_dataset *parent, const dc_items *from)
{
    dc_items *items = dc_items_new(c->to);
    if (!items)
        return DC_E_MEMORY;
    to->u.items = items;
    to->hold = DC_HOLD_ITEMS; /* from here on releasing the element releases them */
    for (uint32_t i = 0; i < from->count; i++) {
        dc_dataset *item = dc_item_new(c->to, parent, to->tag);
        dc_status st = item ? dc_items_insert(c->to, items, items->count, item) : DC_E_MEMORY;
        if (st) {
            if (item)
                dc_item_release(item);
            return st;
        }
        st = copy_elements(c, item, from->list[i]);
        if (st)
            return st;
    }
    return DC_OK;
}

static dc_status copy_value(const copier *c, dc_dataset *ds, dc_element *to, const dc_element *from)
{
    switch (from->hold) {
    case DC_HOLD_BYTES:
        if ((c->same || c->clone) && !(from->flags & DC_EL_OWNED))
            return DC_OK;
        return copy_bytes(c, to, from->u.bytes, from->length);
    case DC_HOLD_RANGE: return c->to->source == c->from->source ? DC_OK : read_range(c, to, from);
    case DC_HOLD_ITEMS: return copy_items(c, to, ds, from->u.items);
    default: return copy_fragments(c, to, from->u.fragments);
    }
}

/* `to` has room and no value yet: until its own is there it holds nothing, so that a failure leaves a whole tree. */
static dc_status copy_element(const copier *c, dc_dataset *ds, dc_element *slot, const dc_element *from)
{
    dc_element e = *from;
    if (!c->clone)
        e.flags &= (uint16_t)~(DC_EL_ORIGINAL | DC_EL_REPAIRED);
    e.flags &= (uint16_t)~(DC_EL_OWNED | DC_EL_TAKEN);
    dc_status st = copy_value(c, ds, &e, from);
    if (st == DC_OK) {
        *slot = e;
        return DC_OK;
    }
    if (from->hold == DC_HOLD_ITEMS && e.u.items && e.u.items != from->u.items)
        dc_items_release(c->to, e.u.items);
    return st;
}

static dc_status copy_elements(const copier *c, dc_dataset *to, const dc_dataset *from)
{
    dc_status st = dc_dataset_reserve(to, from->count);
    for (uint32_t i = 0; i < from->count && st == DC_OK; i++) {
        st = copy_element(c, to, &to->elements[to->count], &from->elements[i]);
        if (st == DC_OK)
            to->count++;
    }
    to->modified = 1;
    if (c->clone) {
        to->at = from->at;
        to->length = from->length;
        to->undefined = from->undefined;
        to->modified = from->modified;
        to->repaired = from->repaired;
    }
    return st;
}

static bool is_within(const dc_dataset *ds, const dc_dataset *top)
{
    while (ds && ds != top)
        ds = ds->parent;
    return ds != NULL;
}

static uint32_t height(const dc_dataset *ds)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < ds->count; i++) {
        const dc_items *items = ds->elements[i].hold == DC_HOLD_ITEMS ? ds->elements[i].u.items : NULL;
        if (items && most == 0)
            most = 1;
        for (uint32_t j = 0; items && j < items->count; j++) {
            uint32_t h = height(items->list[j]) + 1;
            most = h > most ? h : most;
        }
    }
    return most;
}

static copier copier_of(dc_dataset *to, const dc_dataset *from)
{
    copier c = { to->object, from->object, to->object == from->object, false };
    return c;
}

/* Gives `to` what `made` holds; `made` ends. */
static void move_elements(dc_dataset *to, dc_dataset *made)
{
    dc_dataset_clear(to);
    dc_element *elements = to->elements;
    uint32_t cap = to->cap;
    to->elements = made->elements;
    to->count = made->count;
    to->cap = made->cap;
    made->elements = elements;
    made->cap = cap;
    made->count = 0;
    for (uint32_t i = 0; i < to->count; i++) {
        const dc_items *items = to->elements[i].hold == DC_HOLD_ITEMS ? to->elements[i].u.items : NULL;
        for (uint32_t j = 0; items && j < items->count; j++)
            items->list[j]->parent = to;
    }
    dc_item_release(made);
}

dc_status dc_dataset_copy(dc_dataset *to, const dc_dataset *from)
{
    if (to == from)
        return DC_OK;
    if (is_within(to, from))
        return DC_E_CYCLE;
    if (dc_dataset_depth(to) + height(from) > to->object->limits.depth)
        return DC_E_DEPTH;
    dc_dataset *made = dc_item_new(to->object, NULL, 0);
    if (!made)
        return DC_E_MEMORY;
    copier c = copier_of(to, from);
    dc_status st = copy_elements(&c, made, from);
    if (st)
        dc_item_release(made);
    else
        move_elements(to, made);
    dc_dataset_touch(to);
    return st;
}

static bool is_within_element(const dc_dataset *ds, const dc_dataset *top, uint32_t tag)
{
    for (; ds; ds = ds->parent)
        if (ds->parent == top && ds->parent_tag == tag)
            return true;
    return false;
}

dc_status dc_dataset_copy_element_as(dc_dataset *to, const dc_dataset *from, uint32_t tag, uint32_t as)
{
    const dc_element *e = dc_dataset_find(from, tag);
    if (!e)
        return dc_dataset_remove(to, as);
    if (to == from && tag == as)
        return DC_OK;
    if (is_within_element(to, from, tag))
        return DC_E_CYCLE;
    dc_element source = *e, made, *slot;
    source.tag = as;
    copier c = copier_of(to, from);
    if (dc_dataset_depth(to) + (e->hold == DC_HOLD_ITEMS ? height(from) : 0) > to->object->limits.depth)
        return DC_E_DEPTH;
    dc_status st = copy_element(&c, to, &made, &source);
    if (st)
        return st;
    st = dc_dataset_slot(to, as, &slot);
    if (st) {
        dc_element_release(to, &made);
        return st;
    }
    *slot = made;
    dc_dataset_touch(to);
    return DC_OK;
}

dc_status dc_dataset_copy_element(dc_dataset *to, const dc_dataset *from, uint32_t tag)
{
    return dc_dataset_copy_element_as(to, from, tag, tag);
}

static dc_status copy_repairs(dc_object *to, const dc_object *from)
{
    dc_status st = DC_OK;
    for (uint32_t i = 0; i < from->repair_count && st == DC_OK; i++)
        st = dc_object_repair(to, from->repairs[i].what, from->repairs[i].tag, from->repairs[i].offset);
    return st;
}

dc_status dc_object_clone(const dc_object *from, dc_object **out)
{
    dc_object *o = dc_object_new(&from->limits);
    if (!o)
        return DC_E_MEMORY;
    o->origin = dc_object_ref(from->origin ? from->origin : (dc_object *)(uintptr_t)from);
    o->source = dc_source_ref(from->source);
    o->packed = dc_source_ref(from->packed);
    o->packed_begin = from->packed_begin;
    o->packed_end = from->packed_end;
    o->syntax = from->syntax;
    o->begin = from->begin;
    o->end = from->end;
    o->tail = from->tail;
    o->stopped = from->stopped;
    o->severed = from->severed;
    o->recoded = from->recoded;
    o->converted = from->converted;
    o->elements = from->elements;
    copier c = { o, from, false, true };
    dc_status st = copy_elements(&c, &o->root, &from->root);
    if (st == DC_OK)
        st = copy_elements(&c, &o->meta, &from->meta);
    if (st == DC_OK)
        st = copy_repairs(o, from);
    if (st) {
        dc_object_unref(o);
        return st;
    }
    *out = o;
    return DC_OK;
}

dc_status dc_element_bytes(const dc_object *o, const dc_element *e, dc_span *out, uint8_t **scratch)
{
    *scratch = NULL;
    *out = dc_span_make(NULL, 0);
    if (e->hold == DC_HOLD_BYTES) {
        *out = dc_span_make(e->u.bytes, (size_t)e->length);
        return DC_OK;
    }
    if (e->hold != DC_HOLD_RANGE)
        return DC_E_VALUE;
    if (e->length > SIZE_MAX / 2)
        return DC_E_MEMORY;
    uint8_t *bytes = malloc((size_t)e->length);
    if (!bytes)
        return DC_E_MEMORY;
    dc_status st = o->source->read_at(o->source, e->u.offset, bytes, (size_t)e->length);
    if (st) {
        free(bytes);
        return st;
    }
    *scratch = bytes;
    *out = dc_span_make(bytes, (size_t)e->length);
    return DC_OK;
}
