/* SPDX-License-Identifier: MIT */
/* The walk over elements, items and fragments, with a stack of its own: input decides how deep it goes. */
#include <stdlib.h>
#include <string.h>

#include "reading.h"

dc_frame *dc_walk_top(dc_reader *r)
{
    return &r->frames[r->depth - 1];
}

dc_frame *dc_walk_push(dc_reader *r, dc_frame_kind kind)
{
    if (r->depth == r->frame_cap) {
        uint32_t cap = r->frame_cap ? r->frame_cap * 2 : 8;
        dc_frame *list = realloc(r->frames, cap * sizeof *list);
        if (!list)
            return NULL;
        r->frames = list;
        r->frame_cap = cap;
    }
    dc_frame *f = &r->frames[r->depth++];
    memset(f, 0, sizeof *f);
    f->kind = (uint8_t)kind;
    return f;
}

dc_status dc_walk_open(dc_reader *r, dc_dataset *ds, uint64_t end)
{
    r->depth = 0;
    r->creator_block = 0;
    dc_frame *f = dc_walk_push(r, DC_FRAME_DATASET);
    if (!f)
        return DC_E_MEMORY;
    f->ds = ds;
    f->start = r->pos;
    f->end = end;
    f->explicit_vr = r->o->syntax->explicit_vr;
    f->big = r->o->syntax->big_endian;
    return DC_OK;
}

dc_status dc_walk_count(dc_reader *r, uint32_t tag)
{
    if (++r->o->elements > r->o->limits.elements)
        return dc_reader_fail(r, DC_E_COUNT, tag, r->pos);
    return DC_OK;
}

/* Ends. */

static bool is_alien(uint32_t tag)
{
    return (tag & 0xFFFD0000u) == 0;
}

/* Groups 0000 and 0002 belong to messages and to the file meta: they were noted, and are left out. */
static void drop_aliens(dc_dataset *ds)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ds->count; i++)
        if (!is_alien(ds->elements[i].tag))
            ds->elements[kept++] = ds->elements[i];
    ds->count = kept;
}

static dc_status close_dataset(dc_reader *r)
{
    dc_frame *f = dc_walk_top(r);
    f->ds->length = r->pos - f->start;
    if (f->has_aliens)
        drop_aliens(f->ds);
    uint32_t before = r->o->repair_count;
    dc_status st = dc_dataset_settle(f->ds);
    if (st == DC_OK && r->options.strict && r->o->repair_count > before)
        st = dc_reader_fail(r, DC_E_STRICT, r->o->repairs[before].tag, r->o->repairs[before].offset);
    r->creator_block = 0;
    r->depth--;
    return st == DC_OK && r->depth == 0 ? DC_DONE : st;
}

dc_status dc_walk_close_value(dc_reader *r)
{
    const dc_frame *f = dc_walk_top(r);
    dc_element *e = &f->ds->elements[f->index];
    e->length = r->pos - f->start;
    if (f->flawed)
        e->flags |= DC_EL_REPAIRED;
    if (f->kind == DC_FRAME_SEQUENCE)
        r->sequences--;
    r->creator_block = 0;
    r->depth--;
    return DC_OK;
}

/* The rest of a data set that cannot be read as elements. */
static dc_status skip_rest(dc_reader *r, const char *what, uint32_t tag)
{
    dc_frame *f = dc_walk_top(r);
    dc_status st = dc_reader_mend(r, f->ds, what, tag, r->pos);
    if (st)
        return st;
    if (r->depth > 1)
        r->pos = f->end;
    return close_dataset(r);
}

/* Values. */

static dc_vr dictionary_vr(dc_reader *r, const dc_dataset *ds, uint32_t tag)
{
    const dc_dict_entry *entry;
    if ((tag & 0x10000) == 0 || (tag & 0xFFFF) <= 0xFF) {
        entry = dc_dict_by_tag(tag);
    } else if (ds->unsettled) {
        return DC_VR_UN; /* looking for its creator would walk the list again and again */
    } else {
        uint32_t block = (tag & 0xFFFF0000u) | (tag >> 8 & 0xFF);
        if (block != r->creator_block) {
            r->creator = dc_dataset_creator(ds, tag);
            r->creator_block = block;
        }
        entry = r->creator.len ? dc_dict_private(r->creator, tag) : NULL;
    }
    dc_vr vr = !entry ? DC_VR_NONE : entry->vr >= DC_VR_COUNT ? dc_dataset_resolve_vr(ds, entry) : (dc_vr)entry->vr;
    return vr == DC_VR_NONE ? DC_VR_UN : vr;
}

dc_status dc_walk_append(dc_reader *r, dc_dataset *ds, const dc_element *e)
{
    dc_status st = dc_dataset_append(ds, e);
    return st ? dc_reader_fail(r, st, e->tag, e->at) : DC_OK;
}

/* Where the value stays: in memory when it is there or small, else in the source. */
static dc_status hold_value(dc_reader *r, dc_dataset *ds, dc_element *e, uint32_t header)
{
    uint64_t value = r->pos + header, window_end = r->window_at + r->window_size;
    bool here = !r->transient && r->pos >= r->window_at && value + e->length <= window_end;
    if (!here && e->length > r->o->limits.held && r->o->source) {
        e->hold = DC_HOLD_RANGE;
        e->u.offset = value;
    } else {
        if (e->length > SIZE_MAX / 2)
            return dc_reader_fail(r, DC_E_MEMORY, e->tag, e->at);
        const uint8_t *p = dc_reader_look(r, header + (size_t)e->length);
        if (!p)
            return DC_MORE;
        e->hold = DC_HOLD_BYTES;
        e->u.bytes = p + header;
    }
    dc_status st = dc_walk_append(r, ds, e);
    r->pos = value + e->length;
    return st;
}

/* Pixel Data of the top level in one piece, where the transfer syntax has fragments; an icon may be native. */
static bool should_be_fragments(const dc_reader *r, const dc_element *e)
{
    const dc_syntax *s = r->o->syntax;
    return e->tag == DC_TAG_PIXEL_DATA && r->depth == 1 && e->length && s->encapsulated &&
           s->compression != DC_COMPRESSION_OTHER;
}

static dc_status read_value(dc_reader *r, dc_element *e, const dc_header *h)
{
    const dc_frame *f = dc_walk_top(r);
    uint64_t left = f->end - r->pos - h->size;
    dc_status st = DC_OK;
    bool cut = e->length > left;
    if (cut)
        e->length = left;
    bool odd = !cut && (e->length & 1) != 0;
    if (cut || odd || h->repair)
        e->flags |= DC_EL_REPAIRED;
    uint32_t elements = r->o->elements;
    st = dc_walk_count(r, e->tag);
    if (st)
        return st;
    dc_dataset *ds = f->ds;
    st = hold_value(r, ds, e, h->size);
    if (st == DC_MORE)
        r->o->elements = elements;
    if (st == DC_OK && cut)
        st = dc_reader_mend(r, ds, "value runs past the end of its data set: it is cut (PS3.5 7.1)", e->tag, e->at);
    if (st == DC_OK && odd)
        st = dc_reader_mend(r, ds, "odd length (PS3.5 7.1)", e->tag, e->at);
    if (st == DC_OK && h->repair)
        st = dc_reader_mend(r, ds, h->repair, e->tag, e->at);
    if (st == DC_OK && should_be_fragments(r, e))
        st = dc_reader_mend(r, NULL, "pixel data in one piece in an encapsulated transfer syntax (PS3.5 A.4)", e->tag, e->at);
    return st;
}

/* Sequences. */

/* The element of a sequence, and the frame for what is inside. */
static dc_frame *push_sequence(dc_reader *r, dc_element *e, uint64_t start, uint64_t end, bool inside_un)
{
    dc_dataset *ds = dc_walk_top(r)->ds;
    e->vr = DC_VR_SQ;
    e->hold = DC_HOLD_ITEMS;
    e->u.items = dc_items_new(r->o);
    if (!e->u.items || dc_walk_append(r, ds, e))
        return NULL;
    dc_frame *s = dc_walk_push(r, DC_FRAME_SEQUENCE);
    if (!s)
        return NULL;
    const dc_frame *f = s - 1;
    s->ds = ds;
    s->index = ds->count - 1;
    s->items = e->u.items;
    s->start = start;
    s->end = end;
    s->undefined = (e->flags & DC_EL_UNDEFINED) != 0;
    s->explicit_vr = inside_un ? 0 : f->explicit_vr;
    s->big = inside_un ? 0 : f->big;
    return s;
}

static dc_status open_sequence(dc_reader *r, dc_element *e, const dc_header *h, bool inside_un)
{
    const dc_frame *f = dc_walk_top(r);
    uint64_t end = f->end, content = r->pos + h->size;
    bool undefined = h->length == DC_UNDEFINED_LENGTH, cut = !undefined && h->length > end - content;
    dc_status st = dc_walk_count(r, e->tag);
    if (st)
        return st;
    if (r->sequences >= r->o->limits.depth)
        return dc_reader_fail(r, DC_E_DEPTH, e->tag, r->pos);
    if (undefined)
        e->flags |= DC_EL_UNDEFINED;
    dc_frame *s = push_sequence(r, e, content, undefined || cut ? end : content + h->length, inside_un);
    if (!s)
        return DC_E_MEMORY;
    s->flawed = cut || h->repair;
    r->sequences++;
    r->pos = content;
    if (cut)
        st = dc_reader_mend(r, s->ds, "sequence runs past the end of its data set (PS3.5 7.1)", e->tag, e->at);
    return st || !h->repair ? st : dc_reader_mend(r, s->ds, h->repair, e->tag, e->at);
}

static dc_status open_item(dc_reader *r, uint32_t length)
{
    dc_frame *s = dc_walk_top(r);
    dc_status st = dc_walk_count(r, DC_TAG_ITEM);
    if (st)
        return st;
    dc_dataset *item = dc_item_new(r->o, s->ds, s->ds->elements[s->index].tag);
    if (!item || dc_items_insert(r->o, s->items, s->items->count, item))
        return DC_E_MEMORY;
    uint64_t end = s->end, content = r->pos + 8, outer = r->frames[r->depth - 2].end;
    item->at = r->pos;
    item->undefined = length == DC_UNDEFINED_LENGTH;
    if (!item->undefined && length <= end - content) {
        end = content + length;
    } else if (!item->undefined) {
        s->flawed = 1;
        if (!s->undefined && content <= outer && length <= outer - content)
            s->end = end = content + length;
        st = dc_reader_mend(r, item, "item runs past the end of its sequence (PS3.5 7.5)", item->parent_tag, r->pos);
    }
    dc_frame *f = st ? NULL : dc_walk_push(r, DC_FRAME_DATASET);
    if (!f)
        return st ? st : DC_E_MEMORY;
    s = f - 1;
    r->creator_block = 0;
    f->ds = item;
    f->start = r->pos = content;
    f->end = end;
    f->undefined = item->undefined;
    f->explicit_vr = s->explicit_vr;
    f->big = s->big;
    return DC_OK;
}

dc_status dc_walk_flaw_value(dc_reader *r, const char *what)
{
    dc_frame *s = dc_walk_top(r);
    s->flawed = 1;
    return dc_reader_mend(r, s->ds, what, s->ds->elements[s->index].tag, r->pos);
}

dc_status dc_walk_end_flawed(dc_reader *r, const char *what, bool skip)
{
    dc_status st = dc_walk_flaw_value(r, what);
    if (st)
        return st;
    if (skip)
        r->pos = dc_walk_top(r)->end;
    return dc_walk_close_value(r);
}

static dc_status step_sequence(dc_reader *r)
{
    dc_frame *s = dc_walk_top(r);
    uint64_t left = s->end - r->pos;
    if (left == 0)
        return !s->undefined ? dc_walk_close_value(r)
                             : dc_walk_end_flawed(r, "sequence has no delimiter (PS3.5 7.5)", false);
    if (left < 8)
        return dc_walk_end_flawed(r, "bytes after the last item (PS3.5 7.5)", !s->undefined);
    const uint8_t *p = dc_reader_look(r, 8);
    if (!p)
        return DC_MORE;
    uint32_t tag = (uint32_t)dc_get16(p, s->big) << 16 | dc_get16(p + 2, s->big);
    if (tag == DC_TAG_ITEM)
        return open_item(r, dc_get32(p + 4, s->big));
    if (tag == DC_TAG_SEQUENCE_END || tag == DC_TAG_ITEM_END) {
        bool ends = tag == DC_TAG_SEQUENCE_END && s->undefined;
        dc_status st = ends ? DC_OK : dc_walk_flaw_value(r, "delimiter without need (PS3.5 7.5)");
        r->pos += 8;
        return st || !ends ? st : dc_walk_close_value(r);
    }
    return dc_walk_end_flawed(r, s->undefined ? "sequence has no delimiter (PS3.5 7.5)"
                                      : "sequence is longer than its items (PS3.5 7.5)", false);
}

/* Elements. */

static bool is_item_at(const uint8_t *p, bool big)
{
    return dc_get16(p, big) == 0xFFFE && dc_get16(p + 2, big) == 0xE000;
}

/* What the first bytes of a value say: DC_OK with `items`, or DC_MORE. */
static dc_status peek_items(dc_reader *r, const dc_header *h, uint64_t left, bool big, bool *items)
{
    *items = false;
    if (left < (uint64_t)h->size + 8 || h->length < 8)
        return DC_OK;
    const uint8_t *p = dc_reader_look(r, h->size + 8u);
    if (!p)
        return DC_MORE;
    *items = is_item_at(p + h->size, big);
    return DC_OK;
}

/* UN holds implicit little endian (PS3.5 6.2.2); the dictionary says what, unless the bytes disagree. */
static dc_status read_un(dc_reader *r, dc_element *e, dc_header *h, uint64_t left)
{
    bool items;
    dc_vr vr = dictionary_vr(r, dc_walk_top(r)->ds, e->tag);
    e->flags = (uint16_t)((e->flags | DC_EL_UN) & ~DC_EL_BIG);
    e->vr = DC_VR_UN;
    if (h->length == DC_UNDEFINED_LENGTH || (vr == DC_VR_SQ && h->length == 0))
        return open_sequence(r, e, h, true);
    if (vr == DC_VR_SQ) {
        dc_status st = peek_items(r, h, left, false, &items);
        if (st)
            return st;
        if (items)
            return open_sequence(r, e, h, true);
    } else if (h->length % dc_vr_rows[vr].width == 0) {
        e->vr = (uint8_t)vr;
    }
    return read_value(r, e, h);
}

static dc_status read_undefined(dc_reader *r, dc_element *e, dc_header *h, uint64_t left)
{
    bool items, bulk = e->vr == DC_VR_OB || e->vr == DC_VR_OW;
    if (e->tag == DC_TAG_PIXEL_DATA || (bulk && !(h->flags & DC_EL_IMPLICIT)))
        return dc_fragments_open(r, e, h);
    dc_status st = peek_items(r, h, left, (h->flags & DC_EL_BIG) != 0, &items);
    if (st)
        return st;
    if (!items && !(h->flags & DC_EL_IMPLICIT))
        return dc_reader_fail(r, DC_E_LENGTH, e->tag, e->at);
    if (!(h->flags & DC_EL_IMPLICIT) && !h->repair)
        h->repair = "undefined length where the VR has none (PS3.5 7.1)";
    return open_sequence(r, e, h, false);
}

static dc_status read_sequence(dc_reader *r, dc_element *e, dc_header *h, uint64_t left)
{
    bool items;
    if (h->length == 0 || h->length == DC_UNDEFINED_LENGTH)
        return open_sequence(r, e, h, false);
    dc_status st = peek_items(r, h, left, dc_walk_top(r)->big, &items);
    if (st)
        return st;
    if (items)
        return open_sequence(r, e, h, false);
    e->vr = DC_VR_UN;
    if (!h->repair)
        h->repair = "sequence without items: kept as bytes (PS3.5 7.5)";
    return read_value(r, e, h);
}

static dc_status read_element(dc_reader *r, const uint8_t *p, uint64_t left)
{
    const dc_frame *f = dc_walk_top(r);
    dc_header h;
    if (!dc_header_read(f, p, left, &h))
        return skip_rest(r, "bytes that are no element (PS3.5 7.1)", h.tag);
    dc_element e = { .tag = h.tag, .vr = h.vr, .flags = (uint16_t)(h.flags | DC_EL_ORIGINAL), .length = h.length,
                     .at = r->pos };
    if (is_alien(h.tag) && !f->is_meta) {
        dc_walk_top(r)->has_aliens = 1;
        h.repair = "group 0000 or 0002 inside a data set: left out (PS3.10 7.1)";
    }
    if (h.vr == DC_VR_NONE) {
        e.vr = (uint8_t)dictionary_vr(r, f->ds, h.tag);
        e.flags |= DC_EL_DICT_VR;
    }
    if (h.vr == DC_VR_UN)
        return read_un(r, &e, &h, left);
    if (e.vr == DC_VR_SQ)
        return read_sequence(r, &e, &h, left);
    if (h.length == DC_UNDEFINED_LENGTH)
        return read_undefined(r, &e, &h, left);
    return read_value(r, &e, &h);
}

/* A delimiter, or an item, where an element should be. */
static dc_status read_delimiter(dc_reader *r, uint32_t tag)
{
    dc_frame *f = dc_walk_top(r);
    if (tag == DC_TAG_ITEM_END && f->undefined) {
        r->pos += 8;
        return close_dataset(r);
    }
    if (r->depth > 1 && f->undefined) {
        dc_walk_top(r)[-1].flawed = 1;
        dc_status st = dc_reader_mend(r, f->ds, "item has no delimiter (PS3.5 7.5)", f->ds->parent_tag, r->pos);
        return st ? st : close_dataset(r);
    }
    if (tag == DC_TAG_ITEM)
        return skip_rest(r, "item outside of a sequence (PS3.5 7.5)", tag);
    dc_status st = dc_reader_mend(r, f->ds, "delimiter without need (PS3.5 7.5)", tag, r->pos);
    r->pos += 8;
    return st;
}

static dc_status end_dataset(dc_reader *r, uint64_t left)
{
    dc_frame *f = dc_walk_top(r);
    if (left)
        return skip_rest(r, "bytes after the last element (PS3.5 7.1)", 0);
    if (f->undefined) {
        f[-1].flawed = 1;
        dc_status st = dc_reader_mend(r, f->ds, "item has no delimiter (PS3.5 7.5)", f->ds->parent_tag, r->pos);
        if (st)
            return st;
    }
    return close_dataset(r);
}

/* Ends that only the outermost data set has: of the file meta, before the tag to stop at, padding with zeros. */
static bool ends_here(dc_reader *r, const dc_frame *f, uint32_t tag)
{
    if (f->is_meta)
        return tag >> 16 != 2;
    if (r->options.stop_tag && tag >= r->options.stop_tag && tag < DC_TAG_ITEM) {
        r->o->stopped = r->options.stop_tag;
        return true;
    }
    return false;
}

static dc_status step_dataset(dc_reader *r)
{
    const dc_frame *f = dc_walk_top(r);
    uint64_t left = f->end - r->pos;
    if (left < 8)
        return f->is_meta ? close_dataset(r) : end_dataset(r, left);
    const uint8_t *p = dc_reader_look(r, left < 12 ? 8 : 12);
    if (!p)
        return DC_MORE;
    uint32_t tag = (uint32_t)dc_get16(p, f->big) << 16 | dc_get16(p + 2, f->big);
    if (r->depth == 1 && ends_here(r, f, tag))
        return close_dataset(r);
    if (tag >> 16 == 0xFFFE && (tag == DC_TAG_ITEM || tag == DC_TAG_ITEM_END || tag == DC_TAG_SEQUENCE_END))
        return read_delimiter(r, tag);
    if (tag == 0 && dc_get32(p + 4, false) == 0)
        return skip_rest(r, "bytes after the last element (PS3.5 7.1)", 0);
    return read_element(r, p, left);
}

dc_status dc_walk_step(dc_reader *r)
{
    switch (dc_walk_top(r)->kind) {
    case DC_FRAME_DATASET: return step_dataset(r);
    case DC_FRAME_SEQUENCE: return step_sequence(r);
    default: return dc_fragments_step(r);
    }
}
