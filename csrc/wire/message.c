/* SPDX-License-Identifier: MIT */
#include "pdu.h"
#include "primitive.h"

enum { TAG_GROUP_LENGTH = 0x0000, TAG_COMMAND_FIELD = 0x0100 };
enum { COMMAND_MAX = 64 << 10 }; /* the longest possible set of our fields is below 1 KiB; peers add their own */

/* ---- encoding ---- */

static dc_status put_element(dc_buf *out, uint16_t element, const void *value, size_t n, char pad)
{
    bool odd = n & 1;
    dc_buf_u16(out, 0, false);
    dc_buf_u16(out, element, false);
    dc_buf_u32(out, (uint32_t)(n + odd), false);
    dc_buf_add(out, value, n);
    return odd ? dc_buf_add(out, &pad, 1) : out->failed ? DC_E_MEMORY : DC_OK;
}

static dc_status put_number(dc_buf *out, uint16_t element, uint16_t value)
{
    uint8_t bytes[2];
    dc_put16(bytes, value, false);
    return put_element(out, element, bytes, sizeof bytes, 0);
}

static dc_status put_field(dc_buf *out, uint16_t element, const dc_field *f, const dc_command *c)
{
    const char *at = (const char *)c + f->offset;
    if (f->form == DC_FORM_NUMBER)
        return put_number(out, element, *(const uint16_t *)(const void *)at);
    return put_element(out, element, at, strlen(at), f->form == DC_FORM_UID ? 0 : ' ');
}

/* The field of this primitive whose element comes next in ascending order; -1 when there is none. */
static int field_after(const dc_primitive *p, uint32_t wanted, uint16_t element)
{
    int best = -1;
    for (int i = 0; i < DC_FIELD_COUNT; i++)
        if (wanted >> i & 1 && dc_field_element(p, i) > element &&
            (best < 0 || dc_field_element(p, i) < dc_field_element(p, best)))
            best = i;
    return best;
}

dc_status dc_command_encode(const dc_command *c, dc_buf *out)
{
    const dc_primitive *p = dc_primitive_find(c->field);
    if (!p)
        return DC_E_COMMAND;
    uint32_t wanted = p->mandatory | (p->optional & c->has);
    size_t begin = out->len;
    uint16_t element = 0;
    bool field_put = false;
    dc_buf_u32(out, 0, false); /* (0000,0000), UL: the bytes that follow it (PS3.7 6.3.1) */
    dc_buf_u32(out, 4, false);
    dc_buf_u32(out, 0, false);
    for (int i; (i = field_after(p, wanted, element)) >= 0;) {
        if (!field_put && dc_field_element(p, i) > TAG_COMMAND_FIELD) {
            put_number(out, TAG_COMMAND_FIELD, c->field);
            field_put = true;
        }
        element = dc_field_element(p, i);
        put_field(out, element, &dc_fields[i], c);
    }
    if (out->failed)
        return DC_E_MEMORY;
    dc_put32(out->ptr + begin + 8, (uint32_t)(out->len - begin - 12), false);
    return DC_OK;
}

/* ---- decoding ---- */

typedef struct element {
    uint16_t group, number;
    dc_span value;
} element;

static uint32_t tag_of(const element *e)
{
    return (uint32_t)e->group << 16 | e->number;
}

static dc_status next_element(dc_cursor *c, element *e)
{
    if (dc_cursor_left(c) == 0)
        return DC_DONE;
    e->group = dc_cursor_u16(c, false);
    e->number = dc_cursor_u16(c, false);
    e->value = dc_cursor_take(c, dc_cursor_u32(c, false));
    return c->failed ? DC_E_COMMAND : DC_OK;
}

static dc_span trimmed(dc_span s)
{
    while (s.len && (s.ptr[s.len - 1] == 0 || s.ptr[s.len - 1] == ' '))
        s.len--;
    while (s.len && *s.ptr == ' ')
        s = dc_span_make(s.ptr + 1, s.len - 1);
    return s;
}

/* US; some peers write UL, the value is the same as long as it fits. */
static bool number_of(dc_span value, uint16_t *to)
{
    if (value.len == 4 && dc_get16(value.ptr + 2, false) != 0)
        return false;
    if (value.len != 2 && value.len != 4)
        return false;
    *to = dc_get16(value.ptr, false);
    return true;
}

static bool text_of(const dc_field *f, dc_span value, char *to)
{
    if (f->form == DC_FORM_TEXT && value.len > f->size) /* a comment is for people: cut */
        value.len = f->size;
    if (value.len > f->size || (value.len && memchr(value.ptr, 0, value.len)))
        return false;
    if (value.len)
        memcpy(to, value.ptr, value.len);
    to[value.len] = 0;
    return true;
}

/* A value that is empty, or nothing but padding, is as good as none. */
static dc_status get_field(dc_command *c, int field, const element *e)
{
    const dc_field *f = &dc_fields[field];
    char *at = (char *)c + f->offset;
    dc_span value = f->form == DC_FORM_NUMBER ? e->value : trimmed(e->value);
    if (value.len == 0 || c->has >> field & 1)
        return DC_OK;
    if (!(f->form == DC_FORM_NUMBER ? number_of(value, (uint16_t *)(void *)at) : text_of(f, value, at)))
        return DC_E_COMMAND;
    c->has |= 1u << field;
    return DC_OK;
}

/* The Command Field decides what the others mean, so it is sought first. */
static const dc_primitive *find_primitive(dc_span bytes, dc_command *c)
{
    dc_cursor at = dc_cursor_of(bytes);
    for (element e; next_element(&at, &e) == DC_OK;)
        if (e.group == 0 && e.number == TAG_COMMAND_FIELD)
            return number_of(e.value, &c->field) ? dc_primitive_find(c->field) : NULL;
    return NULL;
}

/* By the element that the primitive has for it, or, in a second pass, by the one that other primitives have: some
   peers answer with Requested UIDs, or with (0000,0110). */
static int field_of(const dc_primitive *p, uint16_t number, bool second)
{
    for (int i = 0; i < DC_FIELD_COUNT; i++)
        if (second ? dc_fields[i].element == number || dc_fields[i].other == number : dc_field_element(p, i) == number)
            return i;
    return -1;
}

static dc_status get_fields(dc_span bytes, const dc_primitive *p, bool second, dc_command *c, uint32_t *offending)
{
    dc_cursor at = dc_cursor_of(bytes);
    element e = { 0, 0, { NULL, 0 } };
    dc_status st;
    while ((st = next_element(&at, &e)) == DC_OK) {
        int field = e.group == 0 ? field_of(p, e.number, second) : -1;
        if (field >= 0 && (st = get_field(c, field, &e)) != DC_OK)
            break;
    }
    *offending = st == DC_DONE ? 0 : tag_of(&e);
    return st == DC_DONE ? DC_OK : st;
}

/* A missing Priority is 0000H, medium: it decides nothing that we do. */
static dc_status check_mandatory(const dc_primitive *p, const dc_command *c, uint32_t *offending)
{
    uint32_t missing = p->mandatory & ~c->has & ~(1u << DC_FIELD_PRIORITY);
    int field = 0;
    if (!missing)
        return DC_OK;
    while (!(missing >> field & 1))
        field++;
    *offending = dc_field_element(p, field);
    return DC_E_COMMAND;
}

dc_status dc_command_decode(dc_span bytes, dc_command *c, uint32_t *offending)
{
    memset(c, 0, sizeof *c);
    *offending = TAG_COMMAND_FIELD;
    if (bytes.len == 0)
        return DC_E_COMMAND;
    const dc_primitive *p = find_primitive(bytes, c);
    if (!p)
        return DC_E_COMMAND;
    dc_status st = get_fields(bytes, p, false, c, offending);
    if (!st)
        st = get_fields(bytes, p, true, c, offending);
    return st ? st : check_mandatory(p, c, offending);
}

/* ---- reassembly (PS3.8 E.1, PS3.7 6.3.1) ---- */

enum { IDLE, IN_COMMAND, IN_DATA, AT_END };

void dc_message_init(dc_message *m)
{
    memset(m, 0, sizeof *m);
    dc_buf_init(&m->command_bytes);
}

void dc_message_reset(dc_message *m)
{
    dc_buf_free(&m->command_bytes);
    dc_message_init(m);
}

dc_status dc_message_feed(dc_message *m, const dc_assoc_event *data)
{
    if (m->has_piece || data->kind != DC_EVENT_DATA)
        return DC_E_STATE;
    m->piece = *data;
    m->has_piece = true;
    return DC_OK;
}

/* Commands and data sets of one message come in order, on one context, and are not mixed with another's. */
static bool in_order(const dc_message *m)
{
    if (m->state == IDLE)
        return m->piece.command;
    return m->piece.context == m->context && m->piece.command == (m->state == IN_COMMAND);
}

static dc_status add_command(dc_message *m, dc_message_event *event)
{
    const dc_assoc_event *piece = &m->piece;
    if (m->state == IDLE)
        m->command_bytes.len = 0;
    m->state = IN_COMMAND;
    m->context = piece->context;
    if (piece->data.len > COMMAND_MAX - m->command_bytes.len)
        return DC_E_COMMAND;
    if (dc_buf_add(&m->command_bytes, piece->data.ptr, piece->data.len))
        return DC_E_MEMORY;
    if (!piece->ends || !piece->last)
        return DC_MORE;
    dc_status st = dc_command_decode(dc_buf_span(&m->command_bytes), &m->command, &m->offending);
    if (st)
        return st;
    m->state = m->command.data_set_type == DC_NO_DATA_SET ? AT_END : IN_DATA;
    *event = (dc_message_event){ .kind = DC_MESSAGE_COMMAND, .context = m->context, .command = &m->command };
    return DC_OK;
}

static dc_status add_data(dc_message *m, dc_message_event *event)
{
    if (m->piece.ends && m->piece.last)
        m->state = AT_END;
    if (m->piece.data.len == 0)
        return DC_MORE;
    *event = (dc_message_event){ .kind = DC_MESSAGE_DATA, .context = m->context, .command = &m->command,
                                 .data = m->piece.data };
    return DC_OK;
}

static dc_status take_piece(dc_message *m, dc_message_event *event)
{
    if (!in_order(m))
        return DC_E_FRAGMENT;
    m->has_piece = false;
    return m->piece.command ? add_command(m, event) : add_data(m, event);
}

dc_status dc_message_next(dc_message *m, dc_message_event *event)
{
    dc_status st = DC_MORE;
    m->offending = 0;
    if (m->state != AT_END && m->has_piece)
        st = take_piece(m, event);
    if (st != DC_MORE || m->state != AT_END)
        return st;
    m->state = IDLE;
    *event = (dc_message_event){ .kind = DC_MESSAGE_END, .context = m->context, .command = &m->command };
    return DC_OK;
}
