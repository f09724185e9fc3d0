/* SPDX-License-Identifier: MIT */
/* Items: data sets below an element. What is removed is kept for the next one that is made, its generation raised. */
#include <string.h>

#include "tree.h"

dc_dataset *dc_item_new(dc_object *o, dc_dataset *parent, uint32_t parent_tag)
{
    dc_dataset *item = o->free_items;
    if (item) {
        o->free_items = item->parent;
    } else {
        item = dc_arena_zero(&o->arena, sizeof *item);
        if (!item)
            return NULL;
        item->object = o;
    }
    item->parent = parent;
    item->parent_tag = parent_tag;
    return item;
}

void dc_item_release(dc_dataset *item)
{
    dc_dataset_clear(item);
    item->generation++;
    item->at = item->length = 0;
    item->undefined = item->modified = item->repaired = 0;
    item->parent = item->object->free_items;
    item->object->free_items = item;
}

/* A free list's first slot links to the next free one. */
dc_items *dc_items_new(dc_object *o)
{
    dc_items *items = o->free_lists;
    if (!items)
        return dc_arena_zero(&o->arena, sizeof *items);
    memcpy(&o->free_lists, items->list, sizeof o->free_lists);
    return items;
}

void dc_items_release(dc_object *o, dc_items *items)
{
    for (uint32_t i = 0; i < items->count; i++)
        dc_item_release(items->list[i]);
    items->count = 0;
    if (items->cap) {
        memcpy(items->list, &o->free_lists, sizeof o->free_lists);
        o->free_lists = items;
    }
}

dc_status dc_items_insert(dc_object *o, dc_items *items, uint32_t index, dc_dataset *item)
{
    if (items->count == items->cap) {
        uint32_t cap = items->cap ? items->cap * 2 : 1;
        dc_dataset **list = cap > UINT32_MAX / 2 ? NULL : dc_arena_alloc(&o->arena, cap * sizeof *list);
        if (!list)
            return DC_E_MEMORY;
        if (items->count)
            memcpy(list, items->list, items->count * sizeof *list);
        items->list = list;
        items->cap = cap;
    }
    memmove(&items->list[index + 1], &items->list[index], (items->count - index) * sizeof *items->list);
    items->list[index] = item;
    items->count++;
    return DC_OK;
}

uint32_t dc_dataset_depth(const dc_dataset *ds)
{
    uint32_t depth = 0;
    while ((ds = ds->parent))
        depth++;
    return depth;
}

dc_status dc_dataset_set_sequence(dc_dataset *ds, uint32_t tag)
{
    dc_element *e;
    if (dc_dataset_depth(ds) >= ds->object->limits.depth)
        return DC_E_DEPTH;
    dc_status st = dc_dataset_slot(ds, tag, &e);
    if (st)
        return st;
    dc_dataset_touch(ds);
    e->vr = DC_VR_SQ;
    e->u.items = dc_items_new(ds->object);
    if (!e->u.items)
        return DC_E_MEMORY; /* the element is there, empty */
    e->hold = DC_HOLD_ITEMS;
    return DC_OK;
}

static dc_items *items_of(dc_dataset *ds, uint32_t tag, dc_element **e)
{
    *e = dc_dataset_find(ds, tag);
    return *e && (*e)->hold == DC_HOLD_ITEMS ? (*e)->u.items : NULL;
}

dc_status dc_dataset_insert_item(dc_dataset *ds, uint32_t tag, uint32_t index, dc_dataset **item)
{
    dc_element *e;
    dc_items *items = items_of(ds, tag, &e);
    if (!items || index > items->count)
        return DC_E_VALUE;
    dc_dataset *made = dc_item_new(ds->object, ds, tag);
    if (!made)
        return DC_E_MEMORY;
    dc_status st = dc_items_insert(ds->object, items, index, made);
    if (st) {
        dc_item_release(made);
        return st;
    }
    e->flags &= (uint16_t)~DC_EL_ORIGINAL;
    made->modified = 1;
    dc_dataset_touch(ds);
    *item = made;
    return DC_OK;
}

dc_status dc_dataset_remove_item(dc_dataset *ds, uint32_t tag, uint32_t index)
{
    dc_element *e;
    dc_items *items = items_of(ds, tag, &e);
    if (!items || index >= items->count)
        return DC_E_VALUE;
    dc_item_release(items->list[index]);
    memmove(&items->list[index], &items->list[index + 1], (items->count - index - 1) * sizeof *items->list);
    items->count--;
    e->flags &= (uint16_t)~DC_EL_ORIGINAL;
    dc_dataset_touch(ds);
    return DC_OK;
}
