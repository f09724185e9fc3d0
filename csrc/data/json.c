/* SPDX-License-Identifier: MIT */
/* From tokens to a data set: a stack of what is open, no recursion. */
#include <stdlib.h>

#include "../base/base64.h"
#include "jsoning.h"
#include "tree.h"

static dc_status fail(dc_json *j, dc_status st, uint64_t offset)
{
    j->offset = offset;
    return st;
}

/* --- members ------------------------------------------------------------------------------------------------------- */

static int hex_digit(uint8_t c)
{
    uint8_t low = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* "00100010", "0010,0010" with or without what follows, or a keyword. */
static bool read_tag(dc_span s, uint32_t *tag)
{
    size_t at = 0, digits = 0;
    for (*tag = 0; at < s.len && digits < 8; at++) {
        if (digits == 4 && s.ptr[at] == ',')
            continue;
        int digit = hex_digit(s.ptr[at]);
        if (digit < 0)
            break;
        *tag = *tag << 4 | (uint32_t)digit;
        digits++;
    }
    if (digits == 8 && (at == s.len || s.ptr[at] == ','))
        return true;
    const dc_dict_entry *entry = s.len ? dc_dict_by_keyword((const char *)s.ptr, s.len) : NULL;
    *tag = entry ? entry->tag : 0;
    return entry != NULL;
}

/* Commands and delimiters are no part of a data set (PS3.5 7.5, PS3.7 6.3); file meta stands at the top level only. */
static bool is_allowed(const dc_json *j, const dc_dataset *ds, uint32_t tag)
{
    uint32_t group = tag >> 16;
    return group != 0 && group != 0xFFFE && (group != 2 || ds == &j->object->root);
}

static bool is(dc_span s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.ptr, word, s.len) == 0;
}

static dc_status read_key(dc_json *j, dc_span s)
{
    static const char *const groups[] = { "Alphabetic", "Ideographic", "Phonetic" };
    dc_json_frame *f = dc_json_top(j);
    f->member = DC_JSON_OTHER;
    for (uint8_t i = 0; i < 3 && (f->kind == DC_JSON_EITHER || f->kind == DC_JSON_PERSON); i++)
        if (is(s, groups[i])) {
            f->kind = DC_JSON_PERSON;
            f->member = DC_JSON_GROUP;
            f->group = i;
        }
    if (f->kind == DC_JSON_EITHER) {
        dc_status st = dc_json_become_item(j);
        if (st)
            return st;
        f = dc_json_top(j);
    }
    if (f->kind == DC_JSON_DATASET)
        return read_tag(s, &f->tag) && is_allowed(j, f->ds, f->tag) ? DC_OK : DC_E_TAG;
    if (f->kind == DC_JSON_ATTRIBUTE)
        f->member = is(s, "vr") ? DC_JSON_VR : is(s, "Value") ? DC_JSON_VALUE_LIST : is(s, "InlineBinary") ? DC_JSON_INLINE : is(s, "BulkDataURI") ? DC_JSON_URI : DC_JSON_OTHER;
    return DC_OK;
}

/* --- values -------------------------------------------------------------------------------------------------------- */

static dc_status begin_attribute(dc_json *j, dc_json_frame *f, dc_token token)
{
    uint32_t tag = f->tag;
    dc_dataset *ds = tag >> 16 == 2 ? &j->object->meta : f->ds;
    if (token != DC_TOKEN_OBJECT)
        return DC_E_JSON;
    bool length = (tag & 0xFFFF) == 0; /* a group length says nothing here */
    dc_status st = dc_json_push(j, length ? DC_JSON_IGNORED : DC_JSON_ATTRIBUTE, false);
    if (st)
        return st;
    f = dc_json_top(j);
    f->tag = tag;
    f->ds = ds;
    j->tag = tag;
    dc_json_clear(&j->values);
    j->packed.len = 0;
    return DC_OK;
}

static dc_status take_scalar(dc_json *j, dc_json_frame *attribute, dc_token token)
{
    dc_dataset *item;
    dc_span s = dc_buf_span(&j->lexer.text);
    if (token == DC_TOKEN_NULL && attribute->items)
        return dc_json_add_item(j, attribute, &item);
    if (token == DC_TOKEN_NULL)
        return dc_json_add(&j->values, DC_JSON_NULL, dc_span_make(NULL, 0));
    if ((token != DC_TOKEN_STRING && token != DC_TOKEN_NUMBER) || attribute->items)
        return DC_E_VALUE;
    return dc_json_add(&j->values, token == DC_TOKEN_STRING ? DC_JSON_STRING : DC_JSON_NUMBER, s);
}

/* A value member: one of the three, once. */
static dc_status begin_content(dc_json_frame *f)
{
    if (f->content != DC_JSON_OTHER)
        return DC_E_VALUE;
    f->content = f->member;
    return DC_OK;
}

static dc_status take_base64(dc_json *j)
{
    size_t n = 0, bad = 0;
    dc_status st = dc_base64_decode(j->lexer.text.ptr, j->lexer.text.len, &n, &bad);
    return st ? st : dc_buf_add(&j->packed, j->lexer.text.ptr, n);
}

static dc_status take_vr(dc_json *j, dc_json_frame *f, dc_token token)
{
    dc_span s = dc_buf_span(&j->lexer.text);
    if (token != DC_TOKEN_STRING || s.len != 2 || f->vr != DC_VR_NONE)
        return DC_E_VR;
    f->vr = (uint8_t)dc_vr_find(s.ptr);
    return f->vr == DC_VR_NONE ? DC_E_VR : DC_OK;
}

static dc_status ignore(dc_json *j, dc_token token)
{
    if (token == DC_TOKEN_OBJECT || token == DC_TOKEN_ARRAY)
        return dc_json_push(j, DC_JSON_IGNORED, token == DC_TOKEN_ARRAY);
    return DC_OK;
}

static dc_status take_member(dc_json *j, dc_json_frame *f, dc_token token)
{
    if (f->member == DC_JSON_OTHER)
        return ignore(j, token);
    if (f->member == DC_JSON_VR)
        return take_vr(j, f, token);
    dc_status st = begin_content(f);
    if (st)
        return st;
    if (f->member == DC_JSON_VALUE_LIST) {
        if (token == DC_TOKEN_ARRAY)
            return dc_json_push(j, DC_JSON_VALUES, true);
        return token == DC_TOKEN_OBJECT ? DC_E_JSON : take_scalar(j, f, token);
    }
    if (token == DC_TOKEN_NULL) {
        f->content = DC_JSON_OTHER;
        return DC_OK;
    }
    if (token != DC_TOKEN_STRING)
        return DC_E_VALUE;
    return f->member == DC_JSON_INLINE ? take_base64(j) : dc_buf_add(&j->packed, j->lexer.text.ptr, j->lexer.text.len);
}

/* { in a list of values: the VR tells what it is, or the first member does. */
static dc_status begin_element(dc_json *j, dc_token token)
{
    dc_json_frame *attribute = &j->frames[j->depth - 2];
    if (token != DC_TOKEN_OBJECT)
        return token == DC_TOKEN_ARRAY ? DC_E_VALUE : take_scalar(j, attribute, token);
    bool item = attribute->vr == DC_VR_SQ || attribute->items;
    dc_status st = dc_json_push(j, attribute->vr == DC_VR_PN ? DC_JSON_PERSON : DC_JSON_EITHER, false);
    for (int i = 0; i < 3; i++)
        j->names[i].len = 0;
    return !st && item ? dc_json_become_item(j) : st;
}

static dc_status take_group(dc_json *j, dc_json_frame *f, dc_token token)
{
    dc_buf *name = &j->names[f->group];
    if (f->member != DC_JSON_GROUP)
        return ignore(j, token);
    name->len = 0;
    if (token == DC_TOKEN_NULL)
        return DC_OK;
    return token == DC_TOKEN_STRING ? dc_buf_add(name, j->lexer.text.ptr, j->lexer.text.len) : DC_E_VALUE;
}

static dc_status take_value(dc_json *j, dc_token token)
{
    dc_json_frame *f = dc_json_top(j);
    f->state = DC_JSON_AFTER;
    switch (f->kind) {
    case DC_JSON_LIST: return token == DC_TOKEN_OBJECT ? dc_json_begin_object(j) : DC_E_JSON;
    case DC_JSON_DATASET: return begin_attribute(j, f, token);
    case DC_JSON_ATTRIBUTE: return take_member(j, f, token);
    case DC_JSON_VALUES: return begin_element(j, token);
    case DC_JSON_PERSON: return take_group(j, f, token);
    default: return ignore(j, token);
    }
}

/* --- ends ---------------------------------------------------------------------------------------------------------- */

static dc_status end_name(dc_json *j)
{
    dc_buf *to = &j->names[0];
    int last = j->names[2].len ? 2 : j->names[1].len ? 1 : 0;
    dc_status st = DC_OK;
    for (int i = 1; i <= last && !st; i++) {
        st = dc_buf_u8(to, '=');
        if (!st)
            st = dc_buf_add(to, j->names[i].ptr, j->names[i].len);
    }
    return st ? st : dc_json_add(&j->values, to->len ? DC_JSON_NAME : DC_JSON_EMPTY, dc_buf_span(to));
}

static dc_status end_frame(dc_json *j, dc_token token)
{
    dc_json_frame f = *dc_json_top(j);
    if ((token == DC_TOKEN_ARRAY_END) != f.array)
        return DC_E_JSON;
    dc_status st = DC_OK;
    if (f.kind == DC_JSON_ATTRIBUTE && (st = dc_json_finish_attribute(j, &f)) != DC_OK)
        return fail(j, st, f.at);
    j->depth--;
    if (f.kind == DC_JSON_PERSON || f.kind == DC_JSON_EITHER)
        st = f.kind == DC_JSON_PERSON ? end_name(j) : dc_json_add(&j->values, DC_JSON_EMPTY, dc_span_make(NULL, 0));
    else if (f.kind == DC_JSON_DATASET && f.ds == &j->object->root)
        st = dc_json_end_object(j);
    else if (f.kind == DC_JSON_DATASET) {
        j->nested--;
        st = dc_json_settle(j->object, f.ds);
    }
    j->over = j->depth == 0;
    return st;
}

static dc_status begin(dc_json *j, dc_token token)
{
    if (j->over || (token != DC_TOKEN_OBJECT && token != DC_TOKEN_ARRAY))
        return DC_E_JSON;
    j->list = token == DC_TOKEN_ARRAY;
    return j->list ? dc_json_push(j, DC_JSON_LIST, true) : dc_json_begin_object(j);
}

static dc_status accept(dc_json *j, dc_token token)
{
    dc_json_frame *f = dc_json_top(j);
    bool ends = token == DC_TOKEN_OBJECT_END || token == DC_TOKEN_ARRAY_END;
    if (!f)
        return begin(j, token);
    if (ends)
        return f->state == DC_JSON_FIRST || f->state == DC_JSON_AFTER ? end_frame(j, token) : DC_E_JSON;
    switch (f->state) {
    case DC_JSON_AFTER:
        f->state = DC_JSON_NEXT;
        return token == DC_TOKEN_COMMA ? DC_OK : DC_E_JSON;
    case DC_JSON_COLON:
        f->state = DC_JSON_VALUE;
        return token == DC_TOKEN_COLON ? DC_OK : DC_E_JSON;
    case DC_JSON_FIRST:
    case DC_JSON_NEXT:
        if (f->array)
            break;
        if (token != DC_TOKEN_STRING)
            return DC_E_JSON;
        f->state = DC_JSON_COLON;
        return read_key(j, dc_buf_span(&j->lexer.text));
    default: break;
    }
    return token == DC_TOKEN_COLON || token == DC_TOKEN_COMMA ? DC_E_JSON : take_value(j, token);
}

/* --- the machine --------------------------------------------------------------------------------------------------- */

dc_json *dc_json_new(const dc_limits *limits)
{
    dc_json *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    dc_object *o = dc_object_new(limits); /* knows the defaults */
    if (!o) {
        free(j);
        return NULL;
    }
    j->limits = o->limits;
    dc_object_unref(o);
    dc_lexer_init(&j->lexer, j->limits.inflated);
    return j;
}

void dc_json_free(dc_json *j)
{
    if (!j)
        return;
    dc_object_unref(j->object);
    dc_lexer_free(&j->lexer);
    dc_buf_free(&j->values.bytes);
    dc_buf_free(&j->packed);
    for (int i = 0; i < 3; i++)
        dc_buf_free(&j->names[i]);
    free(j->frames);
    free(j);
}

void dc_json_feed(dc_json *j, dc_span bytes, bool last)
{
    dc_lexer_feed(&j->lexer, bytes, last);
}

bool dc_json_is_list(const dc_json *j)
{
    return j->list;
}

void dc_json_place(const dc_json *j, uint64_t *offset, uint32_t *tag)
{
    *offset = j->offset;
    *tag = j->tag;
}

static dc_status leave_empty(dc_json *j)
{
    const dc_element *e = &j->asked_ds->elements[j->asked_ds->count - 1];
    j->asked = false;
    return dc_object_repair(j->object, "the value lies elsewhere and is left empty (BulkDataURI, PS3.18 F.2.6)", e->tag, e->at);
}

static dc_status step(dc_json *j)
{
    dc_token token = DC_TOKEN_NULL;
    j->offset = UINT64_MAX;
    dc_status st = j->asked ? leave_empty(j) : DC_OK;
    if (!st)
        st = dc_lexer_next(&j->lexer, &token);
    if (st == DC_DONE && !j->over)
        st = DC_E_JSON;
    if (st < 0)
        j->offset = j->lexer.offset;
    if (st)
        return st;
    st = accept(j, token);
    if (st && j->offset == UINT64_MAX)
        j->offset = j->lexer.start;
    return st;
}

dc_status dc_json_next(dc_json *j, dc_json_event *event)
{
    dc_status st = j->failed;
    j->ready = false;
    while (!st && !j->ready)
        st = step(j);
    if (st < 0)
        j->failed = st;
    *event = j->event;
    return st;
}
