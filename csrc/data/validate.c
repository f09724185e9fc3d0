/* SPDX-License-Identifier: MIT */
/* A data set held against its IOD: the modules that it uses give the attributes that must be there, the rows of a
   sequence those of its items. Items are walked with a stack of our own: depth costs heap, never C stack. */
#include <stdlib.h>

#include "iod.h"
#include "value.h"

typedef struct scope { /* attributes that are expected in a data set */
    uint16_t list, module;
    bool unsure;       /* perhaps not these: only what is there is looked at */
} scope;

typedef struct frame {
    const dc_dataset *ds;
    uint32_t element, item;       /* the next to look into */
    uint32_t scopes, scope_count; /* in walk.scopes */
    uint32_t inner, inner_count;  /* those of the items of `element` */
} frame;

typedef struct walk {
    dc_buf frames, scopes;
    dc_buf *findings;
} walk;

static const scope *scopes_of(const walk *w, uint32_t from)
{
    return w->scopes.ptr ? (const scope *)(const void *)w->scopes.ptr + from : NULL;
}

static uint32_t scope_total(const walk *w)
{
    return (uint32_t)(w->scopes.len / sizeof(scope));
}

/* Beside those from `first` on. Each list counts once, so that nesting cannot multiply them. */
static void add_scope(walk *w, uint32_t first, uint16_t list, uint16_t module, bool unsure)
{
    scope s = { list, module, unsure }, *all = (scope *)(void *)w->scopes.ptr;
    for (uint32_t i = first; i < scope_total(w); i++)
        if (all[i].list == list) {
            all[i].unsure = all[i].unsure && unsure;
            return;
        }
    dc_buf_add(&w->scopes, &s, sizeof s);
}

/* --- what must be there -------------------------------------------------------------------------------------------- */

typedef struct level {
    walk *w;
    const dc_dataset *ds;
    const scope *scopes;
    uint32_t count;
    size_t reported; /* findings of this data set begin here */
} level;

static bool is_reported(const level *v, uint32_t tag, dc_finding_code code)
{
    const dc_finding *f = (const dc_finding *)(const void *)v->w->findings->ptr;
    for (size_t i = v->reported / sizeof *f; i < v->w->findings->len / sizeof *f; i++)
        if (f[i].tag == tag && f[i].code == code)
            return true;
    return false;
}

static void add(const level *v, uint32_t tag, dc_finding_code code, const dc_iod_row *row, uint16_t module,
                uint32_t number)
{
    dc_finding f = { v->ds, NULL, tag, number, module, row->set, (uint8_t)code, row->type & 7, row->items, 0 };
    if (!is_reported(v, tag, code))
        dc_finding_add(v->w->findings, &f);
}

/* Does a module, or another row of this one, let the attribute be there without a value? */
static bool may_be_empty(const level *v, uint32_t tag)
{
    const dc_iod_row *row;
    for (uint32_t i = 0; i < v->count; i++)
        for (uint32_t n = dc_iod_rows(v->scopes[i].list, tag, &row); n > 0; n--, row++)
            if ((row->type & 3) != 1 || (row->type & DC_TYPE_OTHERWISE))
                return true;
    return false;
}

static void check_row(const level *v, const dc_iod_row *row, uint32_t tag, uint16_t module)
{
    bool conditional = (row->type & DC_TYPE_CONDITIONAL) != 0;
    bool required = !conditional || dc_condition_holds(v->ds, row->condition);
    const dc_element *e = dc_dataset_find(v->ds, tag);
    if (!e && required)
        add(v, tag, DC_FINDING_MISSING, row, module, 0);
    if (e && (row->type & 3) == 1 && dc_element_is_empty(e) && (required || !may_be_empty(v, tag)))
        add(v, tag, DC_FINDING_EMPTY, row, module, 0);
}

/* Does this repeating group (50xx, 60xx) have an attribute that the module always asks for? */
static bool is_group_used(const dc_dataset *ds, uint16_t list, uint32_t group)
{
    for (uint32_t r = dc_gen_iod_lists[list]; r < dc_gen_iod_lists[list + 1]; r++)
        if (dc_gen_iod_rows[r].type == 1 && dc_dataset_find(ds, dc_gen_iod_rows[r].tag | group))
            return true;
    return false;
}

static void check_groups(const level *v, const dc_iod_row *row, const scope *s)
{
    for (uint32_t group = 0; group <= 0x00FE0000; group += 0x00020000)
        if (is_group_used(v->ds, s->list, group))
            check_row(v, row, row->tag | group, s->module);
}

/* The strictest module is named: Type 1 before Type 2. */
static void check_required(const level *v, int type)
{
    for (uint32_t i = 0; i < v->count; i++) {
        uint16_t list = v->scopes[i].list;
        if (v->scopes[i].unsure)
            continue;
        for (uint32_t r = dc_gen_iod_lists[list]; r < dc_gen_iod_lists[list + 1]; r++)
            if ((dc_gen_iod_rows[r].type & 3) == type) {
                const dc_iod_row *row = &dc_gen_iod_rows[r];
                if (dc_iod_is_repeating(row->tag))
                    check_groups(v, row, &v->scopes[i]);
                else
                    check_row(v, row, row->tag, v->scopes[i].module);
            }
    }
}

/* --- what is there ------------------------------------------------------------------------------------------------- */

static void check_items(const level *v, const dc_element *e, const dc_iod_row *row, uint16_t module)
{
    uint32_t n = e->u.items->count, least = row->items >> 4, most = row->items & 15;
    if (n > 0 && row->items && (n < least || (most && n > most)))
        add(v, e->tag, DC_FINDING_ITEMS, row, module, n);
}

static bool is_in_set(dc_span value, uint16_t set)
{
    const char *at = dc_iod_set(set);
    for (;;) {
        size_t n = strcspn(at, "\\");
        if (dc_span_equal(value, dc_span_make(at, n)))
            return true;
        if (at[n] == 0)
            return false;
        at += n + 1;
    }
}

/* Only of attributes with one value: which of several values a set means is not in the tables. */
static void check_enumerated(const level *v, const dc_element *e, const dc_iod_row *row, uint16_t module)
{
    const dc_dict_entry *entry = dc_dict_by_tag(e->tag);
    dc_span value;
    if (e->vr != DC_VR_CS || e->hold != DC_HOLD_BYTES || !entry || !dc_dict_is_single(entry))
        return;
    dc_span bytes = dc_span_make(e->u.bytes, (size_t)e->length);
    if (dc_value_text(DC_VR_CS, bytes, 0, DC_MULTIBYTE_NONE, &value) && value.len && !is_in_set(value, row->set))
        add(v, e->tag, DC_FINDING_ENUMERATED, row, module, 1);
}

/* Of several rows for a tag (the macros of content items) those count whose condition holds. */
static bool is_meant(const dc_dataset *ds, const dc_iod_row *row, uint32_t rows)
{
    return rows == 1 || !(row->type & DC_TYPE_CONDITIONAL) || dc_condition_holds(ds, row->condition);
}

static void check_present(const level *v, const dc_element *e)
{
    const dc_iod_row *row;
    for (uint32_t i = 0; i < v->count; i++) {
        uint32_t n = v->scopes[i].unsure ? 0 : dc_iod_rows(v->scopes[i].list, e->tag, &row);
        for (uint32_t r = 0; r < n; r++) {
            if (row[r].set && is_meant(v->ds, &row[r], n))
                check_enumerated(v, e, &row[r], v->scopes[i].module);
            if (e->hold == DC_HOLD_ITEMS && is_meant(v->ds, &row[r], n))
                check_items(v, e, &row[r], v->scopes[i].module);
        }
    }
}

static dc_status check_dataset(walk *w, const frame *f)
{
    level v = { w, f->ds, scopes_of(w, f->scopes), f->scope_count, w->findings->len };
    check_required(&v, 1);
    check_required(&v, 2);
    for (uint32_t i = 0; i < f->ds->count; i++) {
        dc_status st = dc_validate_element(f->ds, &f->ds->elements[i], w->findings);
        if (st)
            return st;
        check_present(&v, &f->ds->elements[i]);
    }
    return w->findings->failed ? DC_E_MEMORY : DC_OK;
}

/* --- the way down -------------------------------------------------------------------------------------------------- */

/* What a sequence's items hold. Of several rows those count whose condition holds; else all are possible. */
static void add_rows(walk *w, uint32_t first, const dc_dataset *ds, const scope *from, const dc_iod_row *row, uint32_t n)
{
    bool chosen = false;
    for (uint32_t i = 0; i < n; i++)
        if (is_meant(ds, &row[i], n)) {
            chosen = true;
            if (row[i].child)
                add_scope(w, first, (uint16_t)(row[i].child - 1), from->module, from->unsure);
        }
    for (uint32_t i = 0; !chosen && i < n; i++)
        if (row[i].child)
            add_scope(w, first, (uint16_t)(row[i].child - 1), from->module, true);
}

static void enter_sequence(walk *w, frame *f)
{
    const dc_iod_row *row;
    uint32_t tag = f->ds->elements[f->element].tag;
    f->inner = scope_total(w);
    for (uint32_t i = 0; i < f->scope_count; i++) {
        scope from = scopes_of(w, f->scopes)[i]; /* a copy: the buffer may move */
        uint32_t n = dc_iod_rows(from.list, tag, &row);
        add_rows(w, f->inner, f->ds, &from, row, n);
    }
    f->inner_count = scope_total(w) - f->inner;
}

static void push(walk *w, const dc_dataset *ds, uint32_t scopes, uint32_t count)
{
    frame f = { ds, 0, 0, scopes, count, 0, 0 };
    dc_buf_add(&w->frames, &f, sizeof f);
}

static frame *top(walk *w)
{
    return w->frames.len ? (frame *)(void *)(w->frames.ptr + w->frames.len - sizeof(frame)) : NULL;
}

/* The next item to look into, or NULL when this data set is done. */
static const dc_dataset *next_item(walk *w, frame *f)
{
    for (; f->element < f->ds->count; f->element++) {
        const dc_element *e = &f->ds->elements[f->element];
        if (e->hold != DC_HOLD_ITEMS)
            continue;
        if (f->item == 0)
            enter_sequence(w, f);
        if (f->item < e->u.items->count)
            return e->u.items->list[f->item++];
        w->scopes.len = f->inner * sizeof(scope);
        f->item = 0;
    }
    return NULL;
}

static dc_status run(walk *w)
{
    dc_status st = w->frames.failed || w->scopes.failed ? DC_E_MEMORY : check_dataset(w, top(w));
    while (!st && w->frames.len) {
        frame *f = top(w);
        const dc_dataset *item = next_item(w, f);
        if (!item) {
            w->frames.len -= sizeof *f;
            continue;
        }
        push(w, item, f->inner, f->inner_count);
        st = w->frames.failed || w->scopes.failed ? DC_E_MEMORY : check_dataset(w, top(w));
    }
    return st;
}

static dc_status check_from(const dc_dataset *ds, const dc_iod *iod, bool meta, dc_buf *findings)
{
    walk w = { { NULL, 0, 0, false }, { NULL, 0, 0, false }, findings };
    if (meta)
        add_scope(&w, 0, dc_gen_iod_modules[dc_gen_iod_meta].list, dc_gen_iod_meta, false);
    for (uint32_t i = iod ? iod->first : 0; iod && i < iod[1].first; i++) {
        const dc_iod_use *use = &dc_gen_iod_uses[i];
        if (use->module != dc_gen_iod_meta && dc_iod_uses_module(iod, use, ds))
            add_scope(&w, 0, dc_gen_iod_modules[use->module].list, use->module, false);
    }
    push(&w, ds, 0, scope_total(&w));
    dc_status st = run(&w);
    dc_buf_free(&w.frames);
    dc_buf_free(&w.scopes);
    return st;
}

static void add_repairs(const dc_object *o, dc_buf *findings)
{
    for (uint32_t i = 0; i < o->repair_count; i++) {
        const dc_repair *r = &o->repairs[i];
        dc_finding f = { &o->root, r->what, r->tag, 0, DC_FINDING_NO_MODULE, 0, DC_FINDING_REPAIR, 0, 0, 0 };
        dc_finding_add(findings, &f);
    }
}

dc_status dc_validate(const dc_object *o, dc_buf *findings)
{
    const dc_iod *iod = dc_iod_of(o);
    dc_status st = DC_OK;
    add_repairs(o, findings);
    if (!iod) {
        dc_finding f = { &o->root, NULL, 0x00080016, 0, DC_FINDING_NO_MODULE, 0, DC_FINDING_UNKNOWN, 0, 0, 0 };
        dc_finding_add(findings, &f);
    }
    if (o->meta.count)
        st = check_from(&o->meta, NULL, true, findings);
    return st ? st : check_from(&o->root, iod, false, findings);
}
