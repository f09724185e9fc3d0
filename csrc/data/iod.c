/* SPDX-License-Identifier: MIT */
#include "iod.h"
#include "value.h"

enum { SOP_CLASS = 0x00080016, MEDIA_SOP_CLASS = 0x00020002 };

const dc_iod *dc_iod_find(dc_span uid)
{
    const uint32_t last = (1u << DC_GEN_IOD_BITS) - 1;
    while (uid.len && (uid.ptr[uid.len - 1] == 0 || uid.ptr[uid.len - 1] == ' '))
        uid.len--;
    if (uid.len == 0 || memchr(uid.ptr, 0, uid.len))
        return NULL;
    for (uint32_t at = dc_gen_hash_text((const char *)uid.ptr, uid.len, DC_GEN_IOD_BITS);; at = (at + 1) & last) {
        uint32_t row = dc_gen_iod_class_slots[at];
        if (row == 0)
            return NULL;
        const dc_iod_class *c = &dc_gen_iod_classes[row - 1];
        const char *text = dc_gen_iod_text + c->uid;
        if (strncmp(text, (const char *)uid.ptr, uid.len) == 0 && text[uid.len] == 0)
            return &dc_gen_iods[c->iod];
    }
}

static const dc_iod *find_by(const dc_dataset *ds, uint32_t tag)
{
    const dc_element *e = dc_dataset_find(ds, tag);
    return e && e->hold == DC_HOLD_BYTES ? dc_iod_find(dc_span_make(e->u.bytes, (size_t)e->length)) : NULL;
}

const dc_iod *dc_iod_of(const dc_object *o)
{
    if (dc_dataset_find(&o->root, SOP_CLASS))
        return find_by(&o->root, SOP_CLASS);
    return find_by(&o->meta, MEDIA_SOP_CLASS); /* PS3.10 8.1: a DICOMDIR has no SOP Common Module */
}

const char *dc_iod_name(const dc_iod *iod)
{
    return dc_gen_iod_text + iod->name;
}

const char *dc_iod_module_name(uint16_t module)
{
    return dc_gen_iod_text + dc_gen_iod_modules[module].name;
}

const char *dc_iod_set(uint16_t set)
{
    return dc_gen_iod_text + dc_gen_iod_sets[set];
}

const char *dc_iod_type_name(uint8_t type)
{
    static const char *const names[] = { "", "1", "2", "3", "", "1C", "2C", "3" };
    return names[type & 7];
}

static uint32_t first_of_group(uint32_t tag)
{
    return dc_iod_is_repeating(tag) ? tag & 0xFF00FFFF : tag;
}

/* Is the element of a row there, of repeating groups in any group? */
static bool has(const dc_dataset *ds, uint32_t tag)
{
    if (!dc_iod_is_repeating(tag))
        return dc_dataset_find(ds, tag) != NULL;
    for (uint32_t i = dc_dataset_lower(ds, tag); i < ds->count && ds->elements[i].tag >> 24 == tag >> 24; i++)
        if (first_of_group(ds->elements[i].tag) == tag)
            return true;
    return false;
}

uint32_t dc_iod_rows(uint16_t list, uint32_t tag, const dc_iod_row **first)
{
    uint32_t low = dc_gen_iod_lists[list], end = dc_gen_iod_lists[list + 1], high = end, n = 0;
    tag = first_of_group(tag);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (dc_gen_iod_rows[middle].tag < tag)
            low = middle + 1;
        else
            high = middle;
    }
    *first = &dc_gen_iod_rows[low];
    while (low + n < end && dc_gen_iod_rows[low + n].tag == tag)
        n++;
    return n;
}

/* --- modules ------------------------------------------------------------------------------------------------------- */

static const dc_iod_use *find_use(const dc_iod *iod, uint16_t module)
{
    uint32_t low = iod->first, end = iod[1].first, high = end;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (dc_gen_iod_uses[middle].module < module)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && dc_gen_iod_uses[low].module == module ? &dc_gen_iod_uses[low] : NULL;
}

/* The first row of the tag among the tops of modules. */
static uint32_t lower_top(uint32_t tag)
{
    uint32_t low = 0, high = dc_gen_iod_top_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (dc_gen_iod_tops[middle].tag < tag)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* By a module of another name: some are in several parts. */
static bool is_shared(const dc_iod *iod, uint16_t module, uint32_t tag)
{
    uint32_t name = dc_gen_iod_modules[module].name;
    for (uint32_t i = lower_top(tag); i < dc_gen_iod_top_count && dc_gen_iod_tops[i].tag == tag; i++)
        if (dc_gen_iod_modules[dc_gen_iod_tops[i].module].name != name && find_use(iod, dc_gen_iod_tops[i].module))
            return true;
    return false;
}

/* 1, 2, 1C, 2C, 3: how much the presence of an attribute says of its module. */
static int weight(const dc_iod_row *row)
{
    return (row->type & 3) + ((row->type & 3) < 3 && (row->type & DC_TYPE_CONDITIONAL) ? 2 : 0);
}

/* An attribute of Type 3 may be there without its module (PS3.2: a Standard Extended SOP Class), and one that is
   required under conditions says less than one that always is. */
bool dc_iod_uses_module(const dc_iod *iod, const dc_iod_use *use, const dc_dataset *root)
{
    if (use->usage == DC_USAGE_M || dc_condition_holds(root, use->condition))
        return true;
    uint16_t list = dc_gen_iod_modules[use->module].list;
    int heaviest = 5, found = 5;
    for (uint32_t i = dc_gen_iod_lists[list]; i < dc_gen_iod_lists[list + 1]; i++) {
        const dc_iod_row *row = &dc_gen_iod_rows[i];
        int w = weight(row);
        if (w >= 5 || (w >= heaviest && w >= found) || is_shared(iod, use->module, row->tag))
            continue;
        heaviest = w < heaviest ? w : heaviest;
        if (has(root, row->tag))
            found = w < found ? w : found;
    }
    return found < 5 && found == heaviest;
}

/* --- the type of an attribute -------------------------------------------------------------------------------------- */

enum { CANDIDATES = 64 };

typedef struct candidate {
    uint16_t list, module;
    uint8_t usage;
    bool absent; /* the data set does not use the module */
} candidate;

typedef struct search {
    candidate list[CANDIDATES]; /* what the items at this point of the path hold */
    size_t count;
    bool found, absent;         /* at the last tag: an answer, and whether its module is absent */
    dc_iod_answer answer;
} search;

/* 1, 1C, 2, 2C, 3 */
static int rank(uint8_t type)
{
    return (type & 3) * 2 + ((type & DC_TYPE_CONDITIONAL) != 0);
}

static void consider(search *s, const dc_iod_row *row, const candidate *from)
{
    bool better = !s->found || (s->absent && !from->absent)
                  || (s->absent == from->absent && rank(row->type) < rank(s->answer.type));
    if (!better)
        return;
    s->found = true;
    s->absent = from->absent;
    s->answer.type = row->type & (3 | DC_TYPE_CONDITIONAL);
    s->answer.usage = from->usage;
    s->answer.module = from->module;
}

static void descend(search *s, const dc_iod_row *row, const candidate *from)
{
    if (row->child == 0)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].list == row->child - 1 && s->list[i].absent <= from->absent)
            return;
    if (s->count == CANDIDATES)
        return;
    s->list[s->count] = *from;
    s->list[s->count++].list = (uint16_t)(row->child - 1);
}

static void search_tops(search *s, const dc_iod *iod, const dc_dataset *root, uint32_t tag, bool last)
{
    tag = first_of_group(tag);
    for (uint32_t i = lower_top(tag); i < dc_gen_iod_top_count && dc_gen_iod_tops[i].tag == tag; i++) {
        const dc_iod_use *use = find_use(iod, dc_gen_iod_tops[i].module);
        if (!use)
            continue;
        candidate from = { 0, use->module, use->usage, root && !dc_iod_uses_module(iod, use, root) };
        (last ? consider : descend)(s, &dc_gen_iod_rows[dc_gen_iod_tops[i].row], &from);
    }
}

static void search_items(search *s, uint32_t tag, bool last)
{
    candidate lists[CANDIDATES];
    const dc_iod_row *row;
    size_t count = s->count;
    memcpy(lists, s->list, count * sizeof *lists);
    s->count = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t n = dc_iod_rows(lists[i].list, tag, &row); n > 0; n--, row++)
            (last ? consider : descend)(s, row, &lists[i]);
}

bool dc_iod_type(const dc_iod *iod, const dc_dataset *root, const uint32_t *tags, size_t n, dc_iod_answer *out)
{
    search s;
    s.count = 0;
    s.found = s.absent = false;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n;
        if (i == 0)
            search_tops(&s, iod, root, tags[0], last);
        else
            search_items(&s, tags[i], last);
    }
    if (s.found)
        *out = s.answer;
    return s.found;
}
