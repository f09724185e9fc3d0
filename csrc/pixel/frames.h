/* SPDX-License-Identifier: MIT */
/* Pixel data as frames, nothing decoded: which bytes are those of frame n (PS3.5 8 and A.4, PS3.3 C.7.6.3, C.7.6.6). */
#ifndef DC_FRAMES_H
#define DC_FRAMES_H

#include "../base/buf.h"
#include "../data/dataset.h"

#define DC_TAG_EXTENDED_OFFSETS 0x7FE00001u
#define DC_TAG_EXTENDED_LENGTHS 0x7FE00002u
#define DC_TAG_FLOAT_PIXELS 0x7FE00008u
#define DC_TAG_DOUBLE_PIXELS 0x7FE00009u
#define DC_TAG_NUMBER_OF_FRAMES 0x00280008u

/* Where an encapsulated frame is. */
typedef struct dc_frame_place {
    uint32_t first, count; /* fragments, 1 being the one after the Basic Offset Table */
    uint64_t length;       /* bytes of them all, or what the Extended Offset Table says */
    dc_status flaw;        /* why it cannot be told; DC_OK: it can */
} dc_frame_place;

/* Void once the object's `changes` is another number. */
typedef struct dc_frames {
    uint32_t tag;          /* of the pixel data */
    uint32_t wrong_tag;    /* of the attribute that made init fail */
    uint64_t count;        /* Number of Frames; 1 where it says nothing */
    bool is_native;
    uint8_t width;         /* native: bytes of a number whose order is turned to little endian */
    uint64_t bits;         /* native: of one frame */
    dc_frame_place *places; /* encapsulated */
    uint32_t known, room;  /* how many places there are (never more than fragments), and may be */
    bool has_basic, has_extended; /* a table that leads to every frame */
    bool is_rebuilt;       /* the tables are those that appending made */
    uint64_t end;          /* rebuilt: the offset of the next fragment's item */
} dc_frames;

DC_BEGIN
/* Looks at `ds` (a root or an item). Notes about tables that are wrong go to the object's repairs. What init made goes
   with reset, also when it failed. */
dc_status dc_frames_init(dc_frames *f, dc_dataset *ds);
void dc_frames_reset(dc_frames *f);

/* Bytes of frame n, from 1, without padding where that is known; as they are in little endian, and beginning with bit 0
   where frames of single bits do not begin with a byte (PS3.5 8.1.1). */
dc_status dc_frames_size(const dc_frames *f, const dc_dataset *ds, uint64_t n, uint64_t *size);
dc_status dc_frames_read(const dc_frames *f, const dc_dataset *ds, uint64_t n, uint8_t *to);

/* One more frame, its bytes copied. Encapsulated: a fragment, and both offset tables follow: the Extended one when the
   other's 32 bits do not suffice, when it is there, or when it is asked for. Native: the size must be that of a frame,
   little endian. The index stays valid. Nothing has changed when it fails. */
dc_status dc_frames_append(dc_frames *f, dc_dataset *ds, dc_span frame, bool extended);

/* What native frames of this header are: f->bits each, none yet. */
dc_status dc_frames_expect(dc_frames *f, dc_dataset *ds);

/* Empties the pixel data, for what append gives: encapsulated as the object's syntax is. `f` must be fresh or reset.
   Number of Frames stays what it was until then. */
dc_status dc_frames_clear(dc_frames *f, dc_dataset *ds);
DC_END

#endif
