/* SPDX-License-Identifier: MIT */
/* Reads the DICOM JSON Model (PS3.18 F.2): one data set, or an array of them. A machine: dc_json_next gives DC_MORE
   when it wants to be fed. It takes what others write, too: members in any order, no vr (the dictionary has it), names
   as plain strings, a value that is no array, NaN and Infinity, keywords and "gggg,eeee" for tags. */
#ifndef DC_JSON_H
#define DC_JSON_H

#include "dataset.h"

typedef struct dc_json dc_json;

typedef struct dc_json_event {
    dc_object *object; /* a data set is complete; the caller's now. NULL: a question */
    dc_span uri;       /* the question: what bytes lie there? Little endian; valid until the next call */
    uint32_t tag;
    uint8_t vr;
} dc_json_event;

DC_BEGIN
dc_json *dc_json_new(const dc_limits *limits); /* NULL: no memory; limits NULL: defaults */
void dc_json_free(dc_json *j);
void dc_json_feed(dc_json *j, dc_span bytes, bool last);          /* the bytes stay where they are until DC_MORE */
dc_status dc_json_next(dc_json *j, dc_json_event *event);         /* DC_OK with an event, DC_MORE, DC_DONE, failures */
dc_status dc_json_answer(dc_json *j, dc_span bytes);              /* without it the value is empty, with a repair noted */
bool dc_json_is_list(const dc_json *j);                           /* the text is an array */
void dc_json_place(const dc_json *j, uint64_t *offset, uint32_t *tag); /* of the failure; tag 0: none */
DC_END

#endif
