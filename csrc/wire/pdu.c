/* SPDX-License-Identifier: MIT */
/* PS3.8 9.3 and annex D, PS3.7 annex D.3: what the PDUs look like. */
#include "pdu.h"

enum { ITEM_APPLICATION = 0x10, ITEM_CONTEXT_RQ = 0x20, ITEM_CONTEXT_AC = 0x21, ITEM_ABSTRACT = 0x30,
       ITEM_TRANSFER = 0x40, ITEM_USER = 0x50, ITEM_MAX_LENGTH = 0x51, ITEM_IMPLEMENTATION_UID = 0x52,
       ITEM_WINDOW = 0x53, ITEM_ROLE = 0x54, ITEM_IMPLEMENTATION_VERSION = 0x55, ITEM_RAW_FIRST = 0x56,
       ITEM_RAW_LAST = 0x59 };

enum { FIXED_PART = 68 }; /* version, reserved, two AE titles, 32 reserved bytes (PS3.8 table 9-11) */

/* ---- encoding ---- */

static size_t item_begin(dc_buf *out, uint8_t type)
{
    dc_buf_u8(out, type);
    dc_buf_u8(out, 0);
    dc_buf_u16(out, 0, true);
    return out->len;
}

static dc_status item_end(dc_buf *out, size_t begin)
{
    if (out->failed)
        return DC_E_MEMORY;
    if (out->len - begin > 0xFFFF)
        return DC_E_TOO_LONG;
    dc_put16(out->ptr + begin - 2, (uint16_t)(out->len - begin), true);
    return DC_OK;
}

static dc_status put_text(dc_buf *out, uint8_t type, const char *text)
{
    size_t begin = item_begin(out, type);
    dc_buf_add(out, text, strlen(text));
    return item_end(out, begin);
}

static void put_ae(dc_buf *out, const char *title)
{
    static const char spaces[DC_AE_SIZE + 1] = "                ";
    size_t n = strlen(title);
    dc_buf_add(out, title, n);
    dc_buf_add(out, spaces, DC_AE_SIZE - n);
}

static dc_status put_context(dc_buf *out, bool request, const dc_context *c)
{
    size_t begin = item_begin(out, request ? ITEM_CONTEXT_RQ : ITEM_CONTEXT_AC);
    dc_status st = DC_OK;
    dc_buf_u8(out, c->id);
    dc_buf_u8(out, 0);
    dc_buf_u8(out, request ? 0 : c->result);
    dc_buf_u8(out, 0);
    if (request)
        st = put_text(out, ITEM_ABSTRACT, c->abstract);
    for (uint32_t i = 0; !st && i < c->transfer_count; i++)
        st = put_text(out, ITEM_TRANSFER, c->transfers[i]);
    return st ? st : item_end(out, begin);
}

static dc_status put_role(dc_buf *out, const dc_context *c)
{
    size_t begin = item_begin(out, ITEM_ROLE), n = strlen(c->abstract);
    if (n > 0xFFFF)
        return DC_E_TOO_LONG;
    dc_buf_u16(out, (uint16_t)n, true);
    dc_buf_add(out, c->abstract, n);
    dc_buf_u8(out, c->scu == 1);
    dc_buf_u8(out, c->scp == 1);
    return item_end(out, begin);
}

/* One role item per SOP class: contexts of the same abstract syntax share it. */
static dc_status put_roles(dc_buf *out, const dc_assoc_params *p)
{
    dc_status st = DC_OK;
    for (uint32_t i = 0; !st && i < p->context_count; i++) {
        const dc_context *c = &p->contexts[i];
        bool first = c->scu >= 0 || c->scp >= 0;
        for (uint32_t k = 0; first && k < i; k++)
            first = strcmp(p->contexts[k].abstract, c->abstract) != 0 || (p->contexts[k].scu < 0 && p->contexts[k].scp < 0);
        if (first)
            st = put_role(out, c);
    }
    return st;
}

static dc_status put_raw(dc_buf *out, const dc_sub_item *item)
{
    size_t begin = item_begin(out, item->type);
    dc_buf_add(out, item->bytes.ptr, item->bytes.len);
    return item_end(out, begin);
}

/* Sub-items in ascending order, which is what most others write. */
static dc_status put_user(dc_buf *out, const dc_assoc_params *p)
{
    size_t begin = item_begin(out, ITEM_USER), item = item_begin(out, ITEM_MAX_LENGTH);
    dc_buf_u32(out, p->max_pdu, true);
    dc_status st = item_end(out, item);
    if (!st && p->implementation_uid[0])
        st = put_text(out, ITEM_IMPLEMENTATION_UID, p->implementation_uid);
    if (!st && p->has_window) {
        item = item_begin(out, ITEM_WINDOW);
        dc_buf_u16(out, p->invoked, true);
        dc_buf_u16(out, p->performed, true);
        st = item_end(out, item);
    }
    if (!st)
        st = put_roles(out, p);
    if (!st && p->implementation_version[0])
        st = put_text(out, ITEM_IMPLEMENTATION_VERSION, p->implementation_version);
    for (uint32_t i = 0; !st && i < p->item_count; i++)
        st = put_raw(out, &p->items[i]);
    return st ? st : item_end(out, begin);
}

static dc_status put_associate(dc_buf *out, bool request, const dc_assoc_params *p)
{
    size_t begin = out->len;
    dc_buf_u8(out, request ? DC_PDU_ASSOCIATE_RQ : DC_PDU_ASSOCIATE_AC);
    dc_buf_u8(out, 0);
    dc_buf_u32(out, 0, true);
    dc_buf_u16(out, 1, true); /* protocol version 1 */
    dc_buf_u16(out, 0, true);
    put_ae(out, p->called);
    put_ae(out, p->calling);
    dc_buf_add(out, (const uint8_t[32]){ 0 }, 32);
    dc_status st = put_text(out, ITEM_APPLICATION, DC_APPLICATION_CONTEXT);
    for (uint32_t i = 0; !st && i < p->context_count; i++)
        st = put_context(out, request, &p->contexts[i]);
    if (!st)
        st = put_user(out, p);
    if (st)
        return st;
    size_t body = out->len - begin - DC_PDU_HEADER;
    if (body > DC_PDU_ASSOCIATE_MAX)
        return DC_E_TOO_LONG;
    dc_put32(out->ptr + begin + 2, (uint32_t)body, true);
    return DC_OK;
}

dc_status dc_pdu_put_associate(dc_buf *out, bool request, const dc_assoc_params *params)
{
    size_t begin = out->len;
    dc_status st = put_associate(out, request, params);
    if (st)
        out->len = begin;
    return st;
}

dc_status dc_pdu_put_small(dc_buf *out, uint8_t type, uint8_t result, uint8_t source, uint8_t reason)
{
    const uint8_t pdu[DC_PDU_HEADER + DC_PDU_SMALL] = { type, 0, 0, 0, 0, DC_PDU_SMALL, 0, result, source, reason };
    return dc_buf_add(out, pdu, sizeof pdu);
}

void dc_pdu_data_header(uint8_t header[DC_DATA_HEADER], uint8_t context, bool command, bool last, uint32_t n)
{
    header[0] = DC_PDU_DATA;
    header[1] = 0;
    dc_put32(header + 2, n + DC_PDV_HEADER, true);
    dc_put32(header + 6, n + 2, true);
    header[10] = context;
    header[11] = (uint8_t)((command ? 1 : 0) | (last ? 2 : 0));
}

/* ---- decoding ---- */

typedef struct item {
    uint8_t type;
    dc_span value;
} item;

typedef struct parse {
    const uint8_t *base;
    dc_arena *arena;
    dc_associate *out;
    dc_span user;   /* value of the user information item */
    size_t offset;  /* of the failure */
} parse;

static dc_status fail_at(parse *p, const uint8_t *at)
{
    p->offset = (size_t)(at - p->base);
    return DC_E_PDU;
}

/* DC_DONE at the end, DC_E_PDU when an item runs past it. */
static dc_status next_item(parse *p, dc_cursor *c, item *it)
{
    const uint8_t *at = c->at;
    if (dc_cursor_left(c) == 0)
        return DC_DONE;
    it->type = dc_cursor_u8(c);
    dc_cursor_u8(c);
    it->value = dc_cursor_take(c, dc_cursor_u16(c, true));
    return c->failed ? fail_at(p, at) : DC_OK;
}

/* How many items between two types; a first pass, so that lists are allocated once. Failures show in the second. */
static uint32_t count_items(dc_span s, uint8_t first, uint8_t last)
{
    parse p = { .base = s.ptr };
    dc_cursor c = dc_cursor_of(s);
    uint32_t n = 0;
    for (item it; next_item(&p, &c, &it) == DC_OK;)
        n += it.type >= first && it.type <= last;
    return n;
}

/* UIDs and version names end in NULs or spaces where a peer made their length even. */
static dc_span trimmed(dc_span s)
{
    while (s.len && (s.ptr[s.len - 1] == 0 || s.ptr[s.len - 1] == ' '))
        s.len--;
    return s;
}

static dc_status get_text(parse *p, dc_span value, const char **to)
{
    value = trimmed(value);
    *to = dc_arena_text(p->arena, value.ptr, value.len);
    return *to ? DC_OK : DC_E_MEMORY;
}

/* Into an array of `size` characters and a NUL: longer ones are cut, they only serve logs. */
static void get_name(dc_span value, char *to, size_t size)
{
    value = trimmed(value);
    size_t n = value.len < size ? value.len : size;
    if (n)
        memcpy(to, value.ptr, n);
    to[n] = 0;
}

static void get_ae(dc_span value, char to[DC_AE_SIZE + 1])
{
    while (value.len && *value.ptr == ' ')
        value = dc_span_make(value.ptr + 1, value.len - 1);
    get_name(value, to, DC_AE_SIZE);
}

static dc_status get_transfers(parse *p, dc_span sub, dc_context *out)
{
    dc_cursor c = dc_cursor_of(sub);
    dc_status st;
    uint32_t n = count_items(sub, ITEM_TRANSFER, ITEM_TRANSFER);
    out->abstract = "";
    out->transfers = dc_arena_zero(p->arena, (n ? n : 1) * sizeof *out->transfers);
    if (!out->transfers)
        return DC_E_MEMORY;
    for (item it; (st = next_item(p, &c, &it)) == DC_OK;) {
        dc_status got = DC_OK;
        if (it.type == ITEM_ABSTRACT)
            got = get_text(p, it.value, &out->abstract);
        else if (it.type == ITEM_TRANSFER)
            got = get_text(p, it.value, &out->transfers[out->transfer_count++]);
        if (got)
            return got;
    }
    return st == DC_DONE ? DC_OK : st;
}

/* Ids are odd (PS3.8 9.3.2.2) and answers go by them, so none may come twice. */
static bool id_is_new(const dc_assoc_params *params, uint8_t id)
{
    for (uint32_t i = 0; i < params->context_count; i++)
        if (params->contexts[i].id == id)
            return false;
    return id & 1;
}

static dc_status get_context(parse *p, dc_span value)
{
    dc_assoc_params *params = &p->out->params;
    if (value.len < 4 || !id_is_new(params, value.ptr[0]))
        return fail_at(p, value.ptr);
    dc_context *c = &params->contexts[params->context_count++];
    c->id = value.ptr[0];
    c->result = value.ptr[2];
    c->scu = c->scp = -1;
    return get_transfers(p, dc_span_make(value.ptr + 4, value.len - 4), c);
}

static dc_status get_items(parse *p, dc_span body, bool request)
{
    uint8_t wanted = request ? ITEM_CONTEXT_RQ : ITEM_CONTEXT_AC;
    uint32_t n = count_items(body, wanted, wanted);
    dc_cursor c = dc_cursor_of(body);
    dc_status st;
    if (n > DC_CONTEXT_MAX) /* id_is_new refuses the next one */
        n = DC_CONTEXT_MAX;
    p->out->params.contexts = dc_arena_zero(p->arena, (n ? n : 1) * sizeof(dc_context));
    if (!p->out->params.contexts)
        return DC_E_MEMORY;
    for (item it; (st = next_item(p, &c, &it)) == DC_OK;) {
        dc_status got = DC_OK;
        if (it.type == ITEM_APPLICATION)
            got = get_text(p, it.value, &p->out->application);
        else if (it.type == wanted)
            got = get_context(p, it.value);
        else if (it.type == ITEM_USER)
            p->user = it.value;
        if (got)
            return got;
    }
    return st == DC_DONE ? DC_OK : st;
}

static void name_contexts(dc_assoc_params *answer, const dc_assoc_params *asked)
{
    for (uint32_t i = 0; i < answer->context_count; i++)
        for (uint32_t k = 0; k < asked->context_count; k++)
            if (answer->contexts[i].id == asked->contexts[k].id)
                answer->contexts[i].abstract = asked->contexts[k].abstract;
}

static dc_status get_role(parse *p, dc_span value)
{
    dc_cursor c = dc_cursor_of(value);
    dc_span uid = trimmed(dc_cursor_take(&c, dc_cursor_u16(&c, true)));
    int8_t scu = dc_cursor_u8(&c) != 0, scp = dc_cursor_u8(&c) != 0;
    if (c.failed)
        return fail_at(p, value.ptr);
    for (uint32_t i = 0; i < p->out->params.context_count; i++) {
        dc_context *x = &p->out->params.contexts[i];
        if (dc_span_equal(uid, dc_span_make(x->abstract, strlen(x->abstract)))) {
            x->scu = scu;
            x->scp = scp;
        }
    }
    return DC_OK;
}

static dc_status get_raw(parse *p, const item *it)
{
    dc_assoc_params *params = &p->out->params;
    char *bytes = dc_arena_text(p->arena, it->value.ptr, it->value.len);
    if (!bytes)
        return DC_E_MEMORY;
    params->items[params->item_count++] = (dc_sub_item){ it->type, dc_span_make(bytes, it->value.len) };
    return DC_OK;
}

static dc_status get_max_pdu(parse *p, dc_span value)
{
    if (value.len < 4)
        return fail_at(p, value.ptr);
    p->out->params.max_pdu = dc_get32(value.ptr, true);
    /* below a PDV header and two bytes nothing could ever be sent */
    bool possible = p->out->params.max_pdu == 0 || p->out->params.max_pdu >= DC_PDV_HEADER + 2;
    return possible ? DC_OK : fail_at(p, value.ptr);
}

static dc_status get_window(parse *p, dc_span value)
{
    if (value.len < 4)
        return fail_at(p, value.ptr);
    p->out->params.has_window = true;
    p->out->params.invoked = dc_get16(value.ptr, true);
    p->out->params.performed = dc_get16(value.ptr + 2, true);
    return DC_OK;
}

static dc_status get_user_item(parse *p, const item *it)
{
    dc_assoc_params *params = &p->out->params;
    switch (it->type) {
    case ITEM_MAX_LENGTH: return get_max_pdu(p, it->value);
    case ITEM_WINDOW: return get_window(p, it->value);
    case ITEM_ROLE: return get_role(p, it->value);
    case ITEM_IMPLEMENTATION_UID: get_name(it->value, params->implementation_uid, DC_UID_SIZE); return DC_OK;
    case ITEM_IMPLEMENTATION_VERSION: get_name(it->value, params->implementation_version, DC_AE_SIZE); return DC_OK;
    default: return it->type >= ITEM_RAW_FIRST && it->type <= ITEM_RAW_LAST ? get_raw(p, it) : DC_OK;
    }
}

static dc_status get_user(parse *p)
{
    uint32_t n = count_items(p->user, ITEM_RAW_FIRST, ITEM_RAW_LAST);
    dc_cursor c = dc_cursor_of(p->user);
    dc_status st;
    p->out->params.items = dc_arena_zero(p->arena, (n ? n : 1) * sizeof(dc_sub_item));
    if (!p->out->params.items)
        return DC_E_MEMORY;
    for (item it; (st = next_item(p, &c, &it)) == DC_OK;) {
        dc_status got = get_user_item(p, &it);
        if (got)
            return got;
    }
    return st == DC_DONE ? DC_OK : st;
}

dc_status dc_pdu_get_associate(dc_span body, bool request, const dc_assoc_params *asked, dc_arena *arena,
                               dc_associate *out, size_t *offset)
{
    parse p = { .base = body.ptr, .arena = arena, .out = out, .user = { body.ptr, 0 } };
    memset(out, 0, sizeof *out);
    *offset = 0;
    if (body.len < FIXED_PART)
        return DC_E_PDU;
    out->version = dc_get16(body.ptr, true);
    out->params.max_pdu = DC_PDU_DEFAULT_MAX;
    get_ae(dc_span_make(body.ptr + 4, DC_AE_SIZE), out->params.called);
    get_ae(dc_span_make(body.ptr + 20, DC_AE_SIZE), out->params.calling);
    dc_status st = get_items(&p, dc_span_make(body.ptr + FIXED_PART, body.len - FIXED_PART), request);
    if (!st && asked)
        name_contexts(&out->params, asked);
    if (!st)
        st = get_user(&p); /* after the contexts: roles are given to them */
    *offset = p.offset;
    return st;
}
