/* SPDX-License-Identifier: MIT */
/* Between the files of frames: which fragments are which frame's. */
#ifndef DC_GROUPING_H
#define DC_GROUPING_H

#include "frames.h"

DC_BEGIN
dc_status dc_grouping_find(dc_frames *f, dc_dataset *ds, const dc_element *e);

/* n bytes of a value that is no sequence and has no fragments. */
dc_status dc_frames_load(const dc_object *o, const dc_element *e, uint64_t from, uint8_t *to, uint64_t n);

/* A note about the element, once. */
dc_status dc_frames_note(dc_dataset *ds, const dc_element *e, const char *what);
DC_END

#endif
