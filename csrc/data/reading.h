/* SPDX-License-Identifier: MIT */
/* The reader inside: windows and phases (reader.c), the start of a file (part10.c), the walk over elements and items
   (walk.c) and fragments (fragments.c), and one element's header (header.c). */
#ifndef DC_READING_H
#define DC_READING_H

#include "reader.h"
#include "tree.h"

typedef enum dc_frame_kind { DC_FRAME_DATASET, DC_FRAME_SEQUENCE, DC_FRAME_FRAGMENTS } dc_frame_kind;

/* One level of nesting that is open. */
typedef struct dc_frame {
    uint8_t kind;
    uint8_t undefined;
    uint8_t explicit_vr, big;
    uint8_t flawed;          /* a sequence whose bytes were mended */
    uint8_t has_aliens;      /* data set: with elements of groups 0000 and 0002 */
    uint8_t is_meta;         /* ends where group 0002 ends */
    uint32_t index;          /* sequence, fragments: the element's place in `ds` */
    dc_dataset *ds;          /* data set: what is filled; sequence, fragments: where its element is */
    dc_items *items;         /* sequence */
    dc_fragments *fragments;
    uint64_t start;          /* first byte of the content */
    uint64_t end;            /* content ends here at the latest */
} dc_frame;

typedef enum dc_phase { DC_PHASE_START, DC_PHASE_META, DC_PHASE_BEGIN, DC_PHASE_DECLARED, DC_PHASE_INFLATE,
                        DC_PHASE_BODY, DC_PHASE_DONE } dc_phase;

struct dc_reader {
    dc_object *o;
    dc_reader_options options;
    dc_phase phase;
    dc_status failed;
    uint64_t size, pos;
    const uint8_t *window;   /* bytes of the source, window_at .. window_at + window_size */
    uint64_t window_at;
    size_t window_size;
    size_t ask;              /* the size of the next window */
    bool transient;          /* the window may not be pointed into */
    dc_need need;
    uint32_t creator_block;  /* the private block (gggg00bb) whose creator was looked up last, 0: none */
    dc_span creator;
    dc_frame *frames;
    uint32_t depth, frame_cap; /* open frames */
    uint32_t sequences;        /* open sequences, against the limit */
    struct dc_inflate *inflate; /* deflated: what it gave so far, where it began */
    uint8_t *inflated;
    size_t inflated_size, inflated_cap;
    uint64_t inflate_begin;
};

/* What an element's header says. */
typedef struct dc_header {
    uint32_t tag, length;
    uint8_t vr;              /* of the source; DC_VR_NONE when it has none */
    uint8_t size;            /* 8 or 12 */
    uint16_t flags;          /* DC_EL_IMPLICIT, _LONG, _BIG, _UN, _REPAIRED */
    const char *repair;      /* NULL: well formed */
} dc_header;

DC_BEGIN
/* n bytes at pos, or NULL: return DC_MORE, r->need is set. `more` is what to ask for beyond n when it is cheap. */
const uint8_t *dc_reader_ask(dc_reader *r, size_t n);
const uint8_t *dc_reader_ask_transient(dc_reader *r, size_t n, size_t window);
dc_status dc_reader_fail(dc_reader *r, dc_status st, uint32_t tag, uint64_t offset);

/* Notes a repair; DC_E_STRICT when reading is strict. `ds` (may be NULL) is then written anew. */
dc_status dc_reader_mend(dc_reader *r, dc_dataset *ds, const char *what, uint32_t tag, uint64_t offset);

/* The header at p, where `left` bytes of the data set are left and min(left, 12) can be read. False: there is none. */
bool dc_header_read(const dc_frame *f, const uint8_t *p, uint64_t left, dc_header *h);

dc_status dc_walk_open(dc_reader *r, dc_dataset *ds, uint64_t end); /* the outermost frame */
dc_status dc_walk_step(dc_reader *r);                               /* DC_OK, DC_DONE at the end, DC_MORE, failures */

/* What the files of the walk share. */
dc_frame *dc_walk_top(dc_reader *r);
dc_frame *dc_walk_push(dc_reader *r, dc_frame_kind kind);              /* NULL: out of memory; frames move */
dc_status dc_walk_count(dc_reader *r, uint32_t tag);                   /* one more element, item or fragment */
dc_status dc_walk_append(dc_reader *r, dc_dataset *ds, const dc_element *e);
dc_status dc_walk_close_value(dc_reader *r);                           /* the top frame's element ends at pos */
dc_status dc_walk_flaw_value(dc_reader *r, const char *what);          /* notes a repair of it */
dc_status dc_walk_end_flawed(dc_reader *r, const char *what, bool skip); /* both; `skip`: to its end */
dc_status dc_fragments_open(dc_reader *r, dc_element *e, const dc_header *h);
dc_status dc_fragments_step(dc_reader *r);

dc_status dc_part10_start(dc_reader *r);  /* preamble, or none */
dc_status dc_part10_begin(dc_reader *r);  /* after the meta: which transfer syntax is it? */
dc_status dc_part10_inflate(dc_reader *r);
DC_END

static inline const uint8_t *dc_reader_look(dc_reader *r, size_t n)
{
    uint64_t in = r->pos - r->window_at;
    if (r->window && r->pos >= r->window_at && in <= r->window_size && n <= r->window_size - in && !r->transient)
        return r->window + in;
    return dc_reader_ask(r, n);
}

#endif
