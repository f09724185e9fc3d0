/* SPDX-License-Identifier: MIT */
/* The writer inside: plan.c decides what each byte comes from, writer.c hands it out, head.c makes the file meta. */
#ifndef DC_WRITING_H
#define DC_WRITING_H

#include "tree.h"
#include "writer.h"

typedef enum dc_piece_kind { DC_PIECE_OUT, DC_PIECE_MEMORY, DC_PIECE_RANGE } dc_piece_kind;

/* A stretch of the output. */
typedef struct dc_piece {
    uint8_t kind;
    uint8_t swap;         /* width of the numbers whose bytes change order, 0: as they are */
    const uint8_t *bytes; /* memory */
    dc_source *source;    /* range */
    uint64_t offset;      /* range: in the source; out: in dc_writer.out */
    uint64_t length;
} dc_piece;

/* A data set or a sequence that is being planned. */
typedef struct dc_plan_frame {
    const dc_dataset *ds;    /* data set: its elements are due */
    const dc_items *items;   /* sequence: its items are due */
    uint32_t index;
    uint8_t explicit_vr, big;
    uint8_t undefined;
    size_t patch;            /* where in dc_writer.out the length goes */
    uint64_t start;          /* dc_writer.total at the first byte of the content */
} dc_plan_frame;

struct dc_writer {
    dc_object *o;
    const dc_syntax *syntax;
    bool raw;
    bool reuse;              /* bytes of the source may be copied: the encoding is the same */
    dc_status failed;
    dc_buf out;              /* what is encoded anew */
    dc_piece *pieces;
    uint32_t count, cap;
    uint32_t body;           /* the first piece after the file meta */
    uint64_t run_at, run;    /* bytes of the source that are due, not yet a piece */
    uint64_t total;          /* bytes planned */
    dc_plan_frame *frames;
    uint32_t depth, frame_cap;
    uint32_t next;           /* handing out: the piece, how much of it is gone */
    uint64_t gone;
    uint8_t *block;          /* for bytes that are converted */
    struct dc_deflate *deflate;
    uint8_t *packed;
    uint64_t packed_size;
    bool fed_last, padded;
};

enum { DC_WRITER_BLOCK = 256 << 10 };

DC_BEGIN
void dc_plan_out(dc_writer *w, const void *p, size_t n);
void dc_plan_range(dc_writer *w, dc_source *source, uint64_t offset, uint64_t length);
void dc_plan_flush(dc_writer *w);                /* what is due becomes a piece */
dc_status dc_plan_dataset(dc_writer *w);         /* the root data set */
dc_status dc_plan_head(dc_writer *w, const char *source_aet); /* preamble and file meta */
DC_END

#endif
