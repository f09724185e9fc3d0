/* SPDX-License-Identifier: MIT */
/* What the files of the data set share among themselves: blocks, items, lists. */
#ifndef DC_TREE_H
#define DC_TREE_H

#include "dataset.h"

DC_BEGIN
/* A value of its own, to be put into an element with DC_EL_OWNED. NULL when out of memory. */
uint8_t *dc_block_new(dc_object *o, size_t n);
/* The same bytes with room for `size`, at least doubled when they move; NULL: out of memory, and they stay. */
uint8_t *dc_block_grow(dc_object *o, const uint8_t *bytes, size_t used, size_t size);
dc_status dc_block_take(dc_object *o, uint8_t *malloced, size_t n); /* frees it when it fails */
void dc_block_free(dc_object *o, const uint8_t *bytes, bool taken);
void dc_block_free_all(dc_object *o);

/* An empty item, from the free list or the arena. NULL when out of memory. */
dc_dataset *dc_item_new(dc_object *o, dc_dataset *parent, uint32_t parent_tag);
void dc_item_release(dc_dataset *item); /* with all below; raises generations */
dc_items *dc_items_new(dc_object *o);
dc_status dc_items_insert(dc_object *o, dc_items *items, uint32_t index, dc_dataset *item);
void dc_items_release(dc_object *o, dc_items *items);

dc_status dc_dataset_reserve(dc_dataset *ds, uint32_t cap);
void dc_element_release(dc_dataset *ds, dc_element *e); /* what its value owns */
void dc_dataset_clear(dc_dataset *ds);                  /* all elements; does not touch */
uint32_t dc_dataset_depth(const dc_dataset *ds);        /* root: 0 */
void dc_dataset_flaw(dc_dataset *ds);                   /* marks repaired up to the root */

/* The slot of a tag, made when absent, its old value released: the caller fills hold, u, length and vr. */
dc_status dc_dataset_slot(dc_dataset *ds, uint32_t tag, dc_element **out);
DC_END

#endif
