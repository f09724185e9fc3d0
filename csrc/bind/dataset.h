/* SPDX-License-Identifier: MIT */
/* What the rest of the binding needs of the class dicom.dataset. */
#ifndef DC_BIND_DATASET_H
#define DC_BIND_DATASET_H

#include "../data/reader.h"
#include "../data/writer.h"
#include "kit.h"

#define DC_DATASET "dicom.dataset"

typedef struct dc_dataset_view {
    dc_object *object;   /* one reference; NULL: closed */
    dc_dataset *node;
    uint32_t generation; /* the node's when the view was made */
    struct dc_dataset_view *next, **back; /* in a sandbox: the views of the call; back is NULL when in no list */
} dc_dataset_view;

DC_BEGIN
/* Raises when the argument is no data set, is closed, or is no longer part of its data set. */
dc_dataset *dc_check_dataset(lua_State *L, int arg);

/* Pushes a view of the node, with a reference of its own. */
void dc_push_dataset(lua_State *L, dc_object *object, dc_dataset *node);

/* From now on the views of this state are listed at *first; closes those that are. */
void dc_list_views(lua_State *L, dc_dataset_view **first);
void dc_close_views(dc_dataset_view **first);

/* Reads { strict=, stop=, syntax=, limits={depth=, elements=, inflated=, ratio=, held=} } at `arg` (nil: defaults);
   raises on unknown fields. `size` and `durable` are left to the caller. */
void dc_check_read_options(lua_State *L, int arg, dc_reader_options *options, dc_limits *limits);

/* Reads { syntax=, raw=, part10=, source_aet= }. The strings stay owned by the table. */
void dc_check_write_options(lua_State *L, int arg, dc_writer_options *options);

/* The function parse(bytes [, options]). */
int dc_core_parse(lua_State *L);

/* What options.strict refuses beyond what the reader sees: several values where the dictionary says one. */
dc_status dc_check_strictly(dc_dataset *ds);
DC_END

#endif
