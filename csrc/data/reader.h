/* SPDX-License-Identifier: MIT */
/* Parses a Part 10 file or a bare data set into an object. A machine: it never reads by itself.

   dc_reader_next gives DC_MORE with `need`: feed it the bytes of the source from need.offset, at least need.length of
   them unless the source ends before; more are welcome. The bytes must stay where they are as long as the object
   lives (allocate them with dc_arena_alloc(&object->arena, ...)). DC_OK: the object is complete. Failures: see
   object->status. A need that says `transient` is for headers only (fragments, a deflated stream): those bytes may be
   thrown away after the next call of dc_reader_next. Values above limits.held are left in the source, so that a file costs one or two reads. A deflated
   data set is fed whole; its inflated bytes become a memory source of the object. */
#ifndef DC_READER_H
#define DC_READER_H

#include "dataset.h"

typedef struct dc_reader dc_reader;

typedef struct dc_reader_options {
    const dc_syntax *syntax; /* of a bare data set (network); NULL: Part 10, or guess */
    bool strict;             /* refuse what would need a repair */
    uint32_t stop_tag;       /* stop before this tag at the top level; 0: read all */
    size_t window;           /* ask for windows of this size instead of growing ones; 0: grow. For specs */
} dc_reader_options;

typedef struct dc_need {
    uint64_t offset;
    size_t length;
    bool transient;
} dc_need;

DC_BEGIN
/* `object` must be new; object->source must be set when values may stay in it. size: bytes of the source. */
dc_reader *dc_reader_new(dc_object *object, uint64_t size, const dc_reader_options *options);
void dc_reader_free(dc_reader *r);
void dc_reader_feed(dc_reader *r, uint64_t offset, dc_span bytes);
dc_status dc_reader_next(dc_reader *r, dc_need *need);

/* The whole source is in memory. `out` is the object also when reading fails, for the place; NULL: no memory. */
dc_status dc_read_memory(dc_source *memory, const dc_reader_options *options, const dc_limits *limits, dc_object **out);
DC_END

#endif
