/* SPDX-License-Identifier: MIT */
/* What the DICOM JSON Model's reader makes: data sets, items, elements. */
#include <stdlib.h>

#include "charset.h"
#include "jsoning.h"
#include "tree.h"

enum { CHARACTER_SET = 0x00080005, TRANSFER_SYNTAX = 0x00020010, ARENA_MOST = 4096 };

dc_status dc_json_push(dc_json *j, dc_json_frame_kind kind, bool array)
{
    if (j->depth >= j->limits.depth * 3 + 8) /* a sequence opens three */
        return DC_E_DEPTH;
    if (j->depth == j->cap) {
        uint32_t cap = j->cap ? j->cap * 2 : 16;
        dc_json_frame *frames = realloc(j->frames, cap * sizeof *frames);
        if (!frames)
            return DC_E_MEMORY;
        j->frames = frames;
        j->cap = cap;
    }
    j->frames[j->depth++] = (dc_json_frame){ .kind = (uint8_t)kind, .array = array, .at = j->lexer.start };
    return DC_OK;
}

/* --- data sets and items ------------------------------------------------------------------------------------------- */

dc_status dc_json_begin_object(dc_json *j)
{
    j->object = dc_object_new(&j->limits);
    if (!j->object)
        return DC_E_MEMORY;
    j->limits = j->object->limits; /* with the defaults filled in */
    j->unicode = false;
    dc_status st = dc_json_push(j, DC_JSON_DATASET, false);
    if (!st)
        dc_json_top(j)->ds = &j->object->root;
    return st;
}

/* JSON knows no order of members: only a tag that comes twice is worth a note. */
dc_status dc_json_settle(dc_object *o, dc_dataset *ds)
{
    uint32_t notes = o->repair_count, count = ds->count;
    dc_status st = dc_dataset_settle(ds);
    if (ds->count == count)
        o->repair_count = notes;
    return st;
}

static dc_status declare_unicode(dc_object *o)
{
    const dc_element *e = dc_dataset_find(&o->root, CHARACTER_SET);
    if (e && e->length)
        return DC_OK;
    return dc_dataset_set(&o->root, CHARACTER_SET, DC_VR_CS, dc_span_make("ISO_IR 192", 10), false);
}

static void adopt_syntax(dc_object *o)
{
    const dc_element *e = dc_dataset_find(&o->meta, TRANSFER_SYNTAX);
    const dc_syntax *syntax = e && e->hold == DC_HOLD_BYTES ? dc_syntax_find(dc_span_make(e->u.bytes, (size_t)e->length)) : NULL;
    if (syntax)
        o->syntax = syntax;
}

dc_status dc_json_end_object(dc_json *j)
{
    dc_object *o = j->object;
    dc_status st = dc_json_settle(o, &o->root);
    if (!st)
        st = dc_json_settle(o, &o->meta);
    if (!st && j->unicode)
        st = declare_unicode(o);
    if (st)
        return st;
    adopt_syntax(o);
    dc_dataset_touch(&o->root);
    j->object = NULL;
    j->event = (dc_json_event){ .object = o };
    j->ready = true;
    return DC_OK;
}

static dc_status count_one(dc_json *j)
{
    return ++j->object->elements > j->limits.elements ? DC_E_COUNT : DC_OK;
}

dc_status dc_json_add_item(dc_json *j, dc_json_frame *attribute, dc_dataset **out)
{
    dc_status st = count_one(j);
    dc_dataset *item = st ? NULL : dc_item_new(j->object, attribute->ds, attribute->tag);
    if (!item)
        return st ? st : DC_E_MEMORY;
    item->modified = 1;
    *out = item;
    return dc_items_insert(j->object, attribute->items, attribute->items->count, item);
}

/* The values turn out to be items: what was null or {} so far is an empty one. */
dc_status dc_json_become_sequence(dc_json *j, dc_json_frame *attribute)
{
    dc_dataset *item;
    dc_status st = DC_OK;
    if (attribute->items)
        return DC_OK;
    if (j->values.scalars)
        return DC_E_VALUE;
    attribute->items = dc_items_new(j->object);
    if (!attribute->items)
        return DC_E_MEMORY;
    for (uint32_t i = 0; i < j->values.count && !st; i++)
        st = dc_json_add_item(j, attribute, &item);
    dc_json_clear(&j->values);
    return st;
}

/* The frame on the top becomes the item that it is. Below it are its array and its attribute. */
dc_status dc_json_become_item(dc_json *j)
{
    dc_json_frame *attribute = &j->frames[j->depth - 3];
    dc_status st = dc_json_become_sequence(j, attribute);
    if (!st && j->nested >= j->limits.depth)
        st = DC_E_DEPTH;
    if (!st)
        st = dc_json_add_item(j, attribute, &dc_json_top(j)->ds);
    dc_json_top(j)->kind = DC_JSON_DATASET;
    j->nested++;
    return st;
}

/* --- attributes ---------------------------------------------------------------------------------------------------- */

static bool is_item_stream(dc_span s, uint32_t *count)
{
    *count = 0;
    for (size_t at = 0; at < s.len; ++*count) {
        if (s.len - at < 8 || dc_get32(s.ptr + at, false) != (uint32_t)(DC_TAG_ITEM << 16 | DC_TAG_ITEM >> 16))
            return false;
        size_t length = dc_get32(s.ptr + at + 4, false);
        if (length > s.len - at - 8)
            return false;
        at += 8 + length;
    }
    return *count > 0;
}

/* Compressed frames come as the items that a file has (PS3.5 A.4). */
static dc_status split_fragments(dc_object *o, dc_element *e, uint32_t count)
{
    const uint8_t *p = e->u.bytes;
    dc_fragments *f = dc_arena_zero(&o->arena, sizeof *f);
    dc_fragment *list = dc_arena_zero(&o->arena, count * sizeof *list);
    if (!f || !list)
        return DC_E_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        list[i].length = dc_get32(p + 4, false);
        list[i].bytes = p + 8;
        p += 8 + list[i].length;
    }
    f->list = list;
    f->count = f->cap = count;
    e->hold = DC_HOLD_FRAGMENTS;
    e->flags = DC_EL_UNDEFINED;
    e->u.fragments = f;
    return DC_OK;
}

static dc_status keep(dc_object *o, dc_element *e, dc_span bytes)
{
    uint32_t count = 0;
    bool fragments = e->tag == DC_TAG_PIXEL_DATA && bytes.len && is_item_stream(bytes, &count);
    bool owned = bytes.len > ARENA_MOST;
    uint8_t *p = bytes.len == 0 ? NULL : owned ? dc_block_new(o, bytes.len) : dc_arena_alloc(&o->arena, bytes.len);
    e->hold = DC_HOLD_BYTES;
    e->length = bytes.len;
    e->u.bytes = p;
    if (bytes.len == 0)
        return DC_OK;
    if (!p)
        return DC_E_MEMORY;
    memcpy(p, bytes.ptr, bytes.len);
    e->flags = owned ? DC_EL_OWNED : 0;
    return fragments ? split_fragments(o, e, count) : DC_OK;
}

static bool is_text(dc_vr vr)
{
    return dc_vr_rows[vr].kind <= DC_KIND_INTEGER;
}

/* Text is UTF-8 here; file meta has the default repertoire (PS3.10 7.1). */
static dc_status check_text(dc_json *j, const dc_dataset *ds, dc_vr vr, dc_span s)
{
    uint8_t all = 0;
    for (size_t i = 0; i < s.len; i++)
        all |= s.ptr[i];
    if (!is_text(vr) || all < 0x80)
        return DC_OK;
    j->unicode = true;
    return ds == &j->object->meta || !dc_utf8_valid(s) ? DC_E_CHARSET : DC_OK;
}

/* JSON is UTF-8, whatever the data set was before (PS3.18 F.2.2); an item that declares nothing would be ASCII. */
static dc_span charset_bytes(const dc_json_frame *f, dc_span bytes)
{
    return bytes.len || f->ds->parent ? dc_span_make("ISO_IR 192", 10) : bytes;
}

static dc_status pack(dc_json *j, const dc_json_frame *f, dc_vr vr, dc_element *e)
{
    dc_status st = DC_OK;
    dc_span bytes = dc_span_make(NULL, 0);
    if (f->content == DC_JSON_VALUE_LIST) {
        j->packed.len = 0;
        st = dc_json_pack(&j->values, vr, &j->packed);
        bytes = dc_buf_span(&j->packed);
    } else if (f->content == DC_JSON_INLINE) {
        bytes = dc_buf_span(&j->packed);
        st = is_text(vr) ? DC_E_VALUE : DC_OK; /* in which character set? */
    }
    if (!st)
        st = check_text(j, f->ds, vr, bytes);
    if (!st && f->tag == CHARACTER_SET && vr != DC_VR_CS)
        st = DC_E_VR;
    if (f->tag == CHARACTER_SET)
        bytes = charset_bytes(f, bytes);
    return st ? st : keep(j->object, e, bytes);
}

/* Without a "vr" the dictionary has it. */
static dc_vr vr_of(const dc_json_frame *f)
{
    if (f->vr != DC_VR_NONE)
        return (dc_vr)f->vr;
    if (f->items)
        return DC_VR_SQ;
    const dc_dict_entry *entry = f->ds->unsettled ? dc_dict_by_tag(f->tag) : dc_dataset_entry(f->ds, f->tag);
    return entry ? dc_dataset_resolve_vr(f->ds, entry) : DC_VR_UN;
}

dc_status dc_json_finish_attribute(dc_json *j, dc_json_frame *f)
{
    dc_vr vr = vr_of(f);
    j->tag = f->tag;
    dc_element e = { .tag = f->tag, .at = f->at };
    dc_status st = count_one(j);
    if (!st && vr == DC_VR_SQ && !f->items)
        st = f->content == DC_JSON_INLINE || f->content == DC_JSON_URI ? DC_E_VALUE : dc_json_become_sequence(j, f);
    if (f->items && vr == DC_VR_UN)
        vr = DC_VR_SQ;
    if (f->items && vr != DC_VR_SQ)
        st = st ? st : DC_E_VALUE;
    if (st)
        return st;
    e.vr = (uint8_t)vr;
    if (vr == DC_VR_SQ) {
        e.hold = DC_HOLD_ITEMS;
        e.u.items = f->items;
    } else {
        st = pack(j, f, vr, &e);
    }
    dc_dataset *ds = f->ds;
    if (!st)
        st = dc_dataset_append(ds, &e);
    if (!st && f->content == DC_JSON_URI && f->tag != CHARACTER_SET) {
        j->event = (dc_json_event){ .uri = dc_buf_span(&j->packed), .tag = f->tag, .vr = (uint8_t)vr };
        j->ready = j->asked = true;
        j->asked_ds = ds;
    }
    return st;
}

dc_status dc_json_answer(dc_json *j, dc_span bytes)
{
    if (!j->asked)
        return DC_OK;
    dc_element *e = &j->asked_ds->elements[j->asked_ds->count - 1];
    dc_status st = check_text(j, j->asked_ds, (dc_vr)e->vr, bytes);
    j->asked = st != DC_OK;
    return st ? st : keep(j->object, e, bytes);
}
