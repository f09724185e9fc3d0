/* SPDX-License-Identifier: MIT */
/* The data set: a tree of elements in one arena.

   An object owns everything: the bytes as they were read, the arena, the root data set and the file meta. It is
   reference-counted (within one thread), so that two Lua states may hold it. Sequence items are data sets of the same
   object. An item that was removed goes to the object's free list with its generation raised, which is how a view of
   it finds out. */
#ifndef DC_DATASET_H
#define DC_DATASET_H

#include "../base/arena.h"
#include "../base/status.h"
#include "dict.h"
#include "syntax.h"

/* Where ranges are read from: a file (io/file fills this) or memory. Reference-counted, no descriptor held. */
typedef struct dc_source dc_source;
struct dc_source {
    uint32_t refs;
    uint64_t size;
    const char *path;                                                               /* NULL for memory */
    dc_status (*read_at)(dc_source *s, uint64_t offset, void *to, size_t n);        /* all of n, or an error */
    void (*release)(dc_source *s);                                                  /* called at the last unref */
};

typedef struct dc_object dc_object;
typedef struct dc_dataset dc_dataset;

/* How the value of an element is held. */
typedef enum dc_hold {
    DC_HOLD_BYTES,    /* u.bytes, length bytes, in the element's byte order */
    DC_HOLD_RANGE,    /* length bytes of the object's source, from u.offset */
    DC_HOLD_ITEMS,    /* u.items */
    DC_HOLD_FRAGMENTS /* u.fragments: encapsulated Pixel Data */
} dc_hold;

enum {
    DC_EL_ORIGINAL = 1,   /* header and value stand unchanged in the source, at .. at + raw size */
    DC_EL_BIG = 2,        /* the bytes are big endian */
    DC_EL_UNDEFINED = 4,  /* undefined length in the source (sequences, fragments, UN) */
    DC_EL_OWNED = 8,      /* u.bytes is a block of this element alone (dc_object frees it) */
    DC_EL_DICT_VR = 16,   /* implicit VR: vr is the dictionary's */
    DC_EL_REPAIRED = 32,  /* ORIGINAL bytes exist (raw saving copies them) but are not what we write */
    DC_EL_IMPLICIT = 64,  /* header in the source is implicit VR (8 bytes) */
    DC_EL_UN = 128,       /* VR in the source is UN, vr is the dictionary's; what is inside is implicit little endian */
    DC_EL_LONG = 256,     /* header in the source has a 32-bit length after a VR (12 bytes) */
    DC_EL_TAKEN = 512     /* with OWNED: the block was made by the caller */
};

#define DC_TAG_ITEM 0xFFFEE000u      /* PS3.5 7.5 */
#define DC_TAG_ITEM_END 0xFFFEE00Du
#define DC_TAG_SEQUENCE_END 0xFFFEE0DDu
#define DC_TAG_PIXEL_DATA 0x7FE00010u

typedef struct dc_fragment {
    uint64_t offset; /* of the first byte: in the source, or of bytes when bytes is not NULL */
    uint32_t length;
    bool owned;           /* bytes are a block of this fragment alone */
    const uint8_t *bytes; /* NULL: in the source */
} dc_fragment;

typedef struct dc_fragments { /* fragment 0 is the Basic Offset Table (PS3.5 A.4) */
    dc_fragment *list;
    uint32_t count, cap;
} dc_fragments;

typedef struct dc_items {
    dc_dataset **list;
    uint32_t count, cap;
} dc_items;

typedef struct dc_element {
    uint32_t tag;
    uint8_t vr;   /* dc_vr, never an ambiguous one */
    uint8_t hold; /* dc_hold */
    uint16_t flags;
    uint64_t length; /* bytes of the value as held; items and fragments: as in the source, between header and next */
    union {
        const uint8_t *bytes;
        uint64_t offset;
        dc_items *items;
        dc_fragments *fragments;
    } u;
    uint64_t at; /* offset of the header in the source; errors and raw copies use it */
} dc_element;

struct dc_dataset {
    dc_object *object;
    dc_dataset *parent; /* NULL: root or file meta */
    uint32_t parent_tag;
    uint32_t generation; /* raised when the item is removed */
    dc_element *elements; /* ascending by tag, no duplicates */
    uint32_t count, cap;
    uint64_t at, length;  /* of the item in the source: its header's offset, bytes after the 8-byte header */
    uint8_t undefined;    /* item of undefined length in the source */
    uint8_t modified;     /* something in here or below changed since reading */
    uint8_t repaired;     /* reading mended something in here or below: the source's bytes are not what we write */
    uint8_t unsettled;    /* appended out of order: dc_dataset_settle is due */
};

/* One thing that reading mended. */
typedef struct dc_repair {
    const char *what; /* constant text */
    uint32_t tag;
    uint64_t offset;
} dc_repair;

/* Bytes of the source that were fed while reading: they stay in memory as long as the object. */
typedef struct dc_window {
    uint64_t offset;
    dc_span bytes;
} dc_window;

typedef struct dc_block dc_block; /* a value set after reading: malloc'd, linked, freed with its element */

struct dc_object {
    uint32_t refs;
    dc_arena arena;
    dc_source *source;       /* NULL: made in memory */
    const dc_syntax *syntax; /* of the bytes in the source; explicit little endian for a made one */
    dc_dataset root, meta;   /* meta: group 0002 (PS3.10 7.1); count 0 where the source had none */
    uint64_t begin, end;     /* the data set in the source, before and after (end: after its last element) */
    uint64_t tail;           /* bytes after end that belong to nothing; after a stop: that were not read */
    bool recoded;            /* the data set's encoding is not that of `syntax`: no byte of it is written as it is */
    bool severed;            /* see dc_object_sever */
    bool converted;          /* see dc_object_set_syntax */
    uint32_t stopped;        /* the tag reading stopped before (options.stop_tag): what follows `end` was not read */
    dc_source *packed;       /* deflated: where the file is; `source` then holds the inflated data set, from offset 0 */
    uint64_t packed_begin, packed_end; /* the deflated bytes in `packed` */
    dc_window *windows;
    uint32_t window_count, window_cap;
    dc_object *origin;       /* a clone: the object whose windows hold the bytes */
    dc_repair *repairs;
    uint32_t repair_count, repair_cap;
    uint32_t elements;       /* in total, against the limit */
    dc_limits limits;
    dc_block *blocks;
    dc_dataset *free_items;
    dc_items *free_lists;
    uint32_t changes;        /* raised by each change: what was remembered about positions in values is void then */
    size_t held;             /* bytes allocated besides the arena, for the collector */
    dc_status status;        /* of the last failure, with the place */
    uint32_t status_tag;
    uint64_t status_offset;
};

DC_BEGIN
dc_object *dc_object_new(const dc_limits *limits); /* refs 1, empty; NULL when out of memory; limits NULL: defaults */
dc_object *dc_object_ref(dc_object *o);
void dc_object_unref(dc_object *o);
size_t dc_object_memory(const dc_object *o); /* bytes it holds, for the collector */
dc_status dc_object_fail(dc_object *o, dc_status st, uint32_t tag, uint64_t offset); /* remembers and returns st */
/* Forgets what stands beside the data set in its source: preamble, file meta, bytes after the end, repairs. Raw saving
   is then like any other, so that none of it comes back. DC_E_TRUNCATED when the data set was read only in part: the
   rest would be copied unseen. */
dc_status dc_object_sever(dc_object *o);

/* From now on the data set is one of this syntax; its own Pixel Data is about to be replaced. DC_E_CONVERT when an item
   holds fragments. Raw saving is then like any other. */
dc_status dc_object_set_syntax(dc_object *o, const dc_syntax *syntax);

dc_status dc_object_repair(dc_object *o, const char *what, uint32_t tag, uint64_t offset);

dc_source *dc_source_ref(dc_source *s);
void dc_source_unref(dc_source *s);
dc_source *dc_source_memory(const void *bytes, size_t n);             /* keeps a copy */
dc_source *dc_source_memory_take(uint8_t *bytes, size_t n);           /* takes a malloc'd block */
const uint8_t *dc_source_bytes(const dc_source *s);                   /* of a memory source, else NULL */

/* n bytes at `offset` of the object's source, when they are in memory; else NULL. */
const uint8_t *dc_object_at(const dc_object *o, uint64_t offset, uint64_t n);
dc_status dc_object_window(dc_object *o, uint64_t offset, dc_span bytes); /* remembers fed bytes */

/* Elements. Pointers to elements stay valid until the data set is next changed. */
dc_element *dc_dataset_find(const dc_dataset *ds, uint32_t tag);      /* NULL when absent */
uint32_t dc_dataset_lower(const dc_dataset *ds, uint32_t tag);        /* index of the first element with tag >= this */

/* Appends while reading or building: amortised O(1) for ascending tags; others are sorted by dc_dataset_settle.
   Values are not copied. Of duplicate tags the first stays (a repair is noted). */
dc_status dc_dataset_append(dc_dataset *ds, const dc_element *e);
dc_status dc_dataset_settle(dc_dataset *ds);

/* Changes; each marks the way up to the root as modified. The value is copied. It is padded to even length by the
   writer, not here. `vr` may not be SQ. */
dc_status dc_dataset_set(dc_dataset *ds, uint32_t tag, dc_vr vr, dc_span value, bool big);
/* The same, taking a malloc'd block; freed also on failure. */
dc_status dc_dataset_set_owned(dc_dataset *ds, uint32_t tag, dc_vr vr, uint8_t *malloced, size_t n);
dc_status dc_dataset_remove(dc_dataset *ds, uint32_t tag); /* DC_OK also when absent */
dc_status dc_dataset_remove_range(dc_dataset *ds, uint32_t first, uint32_t last);
void dc_dataset_touch(dc_dataset *ds);                     /* marks modified up to the root */

/* Sequences. Making one replaces what was there. Indices from 0; an index equal to count appends. */
dc_status dc_dataset_set_sequence(dc_dataset *ds, uint32_t tag); /* empty */
dc_status dc_dataset_insert_item(dc_dataset *ds, uint32_t tag, uint32_t index, dc_dataset **item);
dc_status dc_dataset_remove_item(dc_dataset *ds, uint32_t tag, uint32_t index);

/* Bytes of the element's header in the source. */
static inline uint32_t dc_element_header(const dc_element *e)
{
    return e->flags & DC_EL_LONG ? 12 : 8;
}

/* Deep copies, also between objects. DC_E_CYCLE for an item into its own descendant. Values held as ranges are read
   into memory when `to` belongs to an object with another source (up to the limit `inflated`), shared otherwise. */
dc_status dc_dataset_copy(dc_dataset *to, const dc_dataset *from);    /* replaces all elements of `to` */
dc_status dc_dataset_copy_element(dc_dataset *to, const dc_dataset *from, uint32_t tag);
dc_status dc_dataset_copy_element_as(dc_dataset *to, const dc_dataset *from, uint32_t tag, uint32_t as);
dc_status dc_object_clone(const dc_object *from, dc_object **to);     /* shares source and original bytes: cheap */

/* The value's bytes, from memory or read from the source into `scratch` (a malloc'd block that the caller frees). */
dc_status dc_element_bytes(const dc_object *o, const dc_element *e, dc_span *out, uint8_t **scratch);

/* The VR an absent or ambiguous element should have: US or SS by Pixel Representation (searched upwards), OB or OW
   by Bits Allocated and transfer syntax (PS3.5 A.1, A.2). */
dc_vr dc_dataset_resolve_vr(const dc_dataset *ds, const dc_dict_entry *entry);

/* The dictionary row of a tag in this data set: public, or private by the creator in (gggg,00bb). NULL if unknown. */
const dc_dict_entry *dc_dataset_entry(const dc_dataset *ds, uint32_t tag);

/* The creator that reserves the block of a private tag (PS3.5 7.8.1), trimmed; empty when there is none. */
dc_span dc_dataset_creator(const dc_dataset *ds, uint32_t tag);
DC_END

#endif
