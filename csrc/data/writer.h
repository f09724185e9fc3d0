/* SPDX-License-Identifier: MIT */
/* Gives a data set as a row of segments: bytes in memory, or ranges of the object's source that io copies without
   touching them. A machine: dc_writer_next until DC_DONE. */
#ifndef DC_WRITER_H
#define DC_WRITER_H

#include "../base/buf.h"
#include "dataset.h"

typedef struct dc_writer dc_writer;

typedef struct dc_segment {
    const uint8_t *bytes; /* valid until the next call; NULL: a range of `source` */
    dc_source *source;
    uint64_t offset;
    uint64_t length;
} dc_segment;

typedef struct dc_writer_options {
    const dc_syntax *syntax; /* NULL: the object's own */
    bool part10;             /* preamble and file meta before the data set (PS3.10 7.1) */
    bool raw;                /* untouched bytes as they came, repairs and all */
    const char *source_aet;  /* (0002,0016) of the file meta; NULL: none */
} dc_writer_options;

DC_BEGIN
/* Meta is made anew with our Implementation Class UID; SOP Class and Instance UID are the data set's own. With `raw`
   and no changes the whole source is one segment. DC_E_CONVERT when compressed frames would have to be decoded. */
dc_status dc_writer_new(dc_object *object, const dc_writer_options *options, dc_writer **out);
void dc_writer_free(dc_writer *w);
dc_status dc_writer_next(dc_writer *w, dc_segment *segment); /* DC_OK with a segment, DC_DONE, or a failure */

/* Preamble, magic and meta group alone, into `out`: for a data set that arrives from the network. */
dc_status dc_part10_head(dc_buf *out, dc_span sop_class, dc_span sop_instance, dc_span syntax, const char *source_aet);
DC_END

#endif
