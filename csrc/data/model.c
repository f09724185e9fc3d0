/* SPDX-License-Identifier: MIT */
/* The walk over a data set that is to become text. Iterative; what is bulky goes by in pieces. */
#include <stdlib.h>

#include "modelling.h"

enum { CHUNK = 64 << 10, BLOCK = 48 << 10, /* of whole groups of three and of whole numbers */
       CHARACTER_SET = 0x00080005 };

static const char replacement[] = "\xEF\xBF\xBD";

void dc_model_hex(dc_model *m, uint32_t tag)
{
    static const char digits[] = "0123456789ABCDEF";
    char text[8];
    for (int i = 0; i < 8; i++)
        text[i] = digits[tag >> (28 - 4 * i) & 15];
    dc_model_put(m, text, sizeof text);
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

static const dc_charset *charset_of(dc_model *m)
{
    dc_model_frame *f = dc_model_top(m);
    if (!f->cs_known)
        f->cs = dc_charset_of(f->ds);
    f->cs_known = true;
    return &f->cs;
}

/* No byte that a character set may read otherwise: no eighth bit, no escape, no tilde, no backslash (ISO_IR 13). */
static bool is_plain(dc_vr vr, dc_span s)
{
    uint8_t all = 0;
    bool odd = false;
    for (size_t i = 0; i < s.len; i++) {
        all |= s.ptr[i];
        odd |= s.ptr[i] == 0x1B || s.ptr[i] == '~';
    }
    return all < 0x80 && !odd && (dc_vr_rows[vr].delimited || s.len == 0 || !memchr(s.ptr, '\\', s.len));
}

/* Decodes what can be decoded; U+FFFD stands for each byte that cannot. */
static dc_status add_lossy(const dc_charset *cs, dc_span s, dc_buf *b)
{
    dc_status st = DC_OK;
    while (s.len && !st) {
        size_t bad = 0, ignored, mark = b->len;
        if (dc_charset_decode(cs, DC_VR_LO, s, b, &bad) == DC_OK)
            break;
        b->len = mark;
        bad = bad < s.len ? bad : s.len - 1;
        if (bad && dc_charset_decode(cs, DC_VR_LO, dc_span_make(s.ptr, bad), b, &ignored))
            b->len = mark;
        st = dc_buf_add(b, replacement, sizeof replacement - 1);
        s = dc_span_make(s.ptr + bad + 1, s.len - bad - 1);
    }
    return b->failed ? DC_E_MEMORY : st;
}

/* One value in UTF-8, valid until the next one. What is no text of its VR's repertoire may still be text of the set: software writes
   names into CS and AE, too. */
static dc_status decode(dc_model *m, dc_vr vr, dc_span s, dc_span *out)
{
    size_t bad = 0;
    const dc_charset *cs = charset_of(m);
    m->utf8.len = 0;
    dc_status st = dc_charset_decode(cs, vr, s, &m->utf8, &bad);
    if (st == DC_E_CHARSET && dc_vr_rows[vr].kind != DC_KIND_TEXT) {
        m->utf8.len = 0;
        st = dc_charset_decode(cs, DC_VR_LO, s, &m->utf8, &bad);
    }
    if (st == DC_E_CHARSET && m->options.replace) {
        m->utf8.len = 0;
        m->replaced++;
        st = add_lossy(cs, s, &m->utf8);
    }
    *out = dc_buf_span(&m->utf8);
    return st;
}

void dc_model_aside(dc_model *m, dc_span bytes, void (*put)(dc_model *m, dc_span s))
{
    if (!is_plain(DC_VR_LO, bytes)) {
        dc_status st = decode(m, DC_VR_LO, bytes, &bytes);
        m->status = m->status ? m->status : st;
        if (st)
            return;
    }
    put(m, bytes);
}

/* --- values -------------------------------------------------------------------------------------------------------- */

static void say_value(dc_model *m, dc_vr vr, uint32_t n, dc_span s)
{
    uint8_t kind = dc_vr_rows[vr].kind;
    if (s.len == 0)
        m->form->nothing(m, n);
    else if (vr == DC_VR_PN)
        m->form->name(m, n, s);
    else if (kind == DC_KIND_DECIMAL || kind == DC_KIND_INTEGER)
        m->form->decimal(m, n, s);
    else
        m->form->text(m, n, s);
}

/* A name of nothing but = is empty. */
static bool is_nobody(dc_vr vr, dc_span s)
{
    size_t n = 0;
    while (n < s.len && (s.ptr[n] == '=' || s.ptr[n] == ' ' || s.ptr[n] == 0))
        n++;
    return vr == DC_VR_PN && n == s.len;
}

static dc_status say_strings(dc_model *m, dc_vr vr, dc_span bytes)
{
    dc_span s;
    size_t at = 0;
    dc_status st = DC_OK;
    bool plain = is_plain(vr, bytes);
    dc_multibyte multibyte = plain || !dc_vr_rows[vr].delimited ? DC_MULTIBYTE_NONE : (dc_multibyte)charset_of(m)->multibyte;
    uint32_t n = 0;
    if (is_nobody(vr, bytes))
        return DC_OK;
    for (; !st && dc_value_next(vr, bytes, multibyte, &at, &s); n++) {
        if (n == 0)
            m->form->open_values(m);
        if (!plain)
            st = decode(m, vr, s, &s);
        if (!st)
            say_value(m, vr, n, s);
    }
    if (n)
        m->form->close_values(m);
    return st;
}

/* PS3.18 F.2.2: what follows is UTF-8, and says so. */
static dc_status say_charset(dc_model *m, dc_span bytes)
{
    dc_span s;
    size_t at = 0;
    if (!dc_value_next(DC_VR_CS, bytes, DC_MULTIBYTE_NONE, &at, &s))
        return DC_OK;
    m->form->open_values(m);
    m->form->text(m, 0, dc_span_make("ISO_IR 192", 10));
    m->form->close_values(m);
    return DC_OK;
}

static size_t put_unsigned(char *to, uint64_t v)
{
    char digits[20];
    size_t n = 0, length;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    length = n;
    while (n)
        *to++ = digits[--n];
    return length;
}

static size_t put_integer(char *to, dc_vr vr, int64_t v)
{
    bool negative = dc_vr_rows[vr].is_signed && v < 0;
    if (negative)
        *to++ = '-';
    return put_unsigned(to, negative ? 0 - (uint64_t)v : (uint64_t)v) + negative;
}

/* NaN and infinity have no number in JSON; integers beyond a double's 53 bits are text, too (PS3.18 F.2.3). */
static void say_number(dc_model *m, dc_vr vr, dc_span bytes, uint32_t n, bool big)
{
    const int64_t most = INT64_C(1) << 53;
    char text[DC_FLOAT_SIZE];
    bool plain;
    size_t length;
    if (dc_vr_rows[vr].is_float) {
        double d = 0;
        dc_value_float(vr, bytes, n, big, &d);
        plain = d - d == 0;
        length = dc_float_format(d, dc_vr_rows[vr].width == 4, text);
    } else {
        int64_t i = 0;
        dc_value_integer(vr, bytes, n, big, &i);
        plain = i < most && i > (dc_vr_rows[vr].is_signed ? -most : -1);
        length = put_integer(text, vr, i);
    }
    (plain ? m->form->number : m->form->text)(m, n, dc_span_make(text, length));
}

static dc_status say_tag(dc_model *m, dc_span bytes, uint32_t n, bool big)
{
    static const char digits[] = "0123456789ABCDEF";
    uint32_t tag = 0;
    char text[8];
    dc_value_tag(bytes, n, big, &tag);
    for (int i = 0; i < 8; i++)
        text[i] = digits[tag >> (28 - 4 * i) & 15];
    m->form->text(m, n, dc_span_make(text, sizeof text));
    return DC_OK;
}

static dc_status say_numbers(dc_model *m, dc_vr vr, dc_span bytes, bool big)
{
    uint32_t count = dc_value_count(vr, bytes, DC_MULTIBYTE_NONE);
    if (count == 0)
        return DC_OK;
    m->form->open_values(m);
    for (uint32_t n = 0; n < count && !m->out.failed; n++) {
        if (vr == DC_VR_AT)
            say_tag(m, bytes, n, big);
        else
            say_number(m, vr, bytes, n, big);
    }
    m->form->close_values(m);
    return DC_OK;
}

/* --- bulk ---------------------------------------------------------------------------------------------------------- */

static void begin_bytes(dc_model *m)
{
    m->at = 0;
    m->fragment = 0;
    m->asked = false;
    m->form->open_bytes(m);
}

static void end_bulk(dc_model *m)
{
    m->bulk = NULL;
    m->form->end(m);
}

/* The bytes of one piece, in memory or read into the block. */
static dc_status piece_of(dc_model *m, const uint8_t *bytes, uint64_t offset, uint64_t length, dc_span *out)
{
    size_t n = length - m->at > BLOCK ? BLOCK : (size_t)(length - m->at);
    if (bytes) {
        *out = dc_span_make(bytes + m->at, n);
        return DC_OK;
    }
    if (!m->block && !(m->block = malloc(BLOCK)))
        return DC_E_MEMORY;
    dc_source *source = m->root->object->source;
    *out = dc_span_make(m->block, n);
    return source->read_at(source, offset + m->at, m->block, n);
}

/* Numbers are little endian in both models (PS3.18 F.2.7, PS3.19 A.1.5). */
static dc_status swap(dc_model *m, size_t width, dc_span *piece)
{
    if (!m->block && !(m->block = malloc(BLOCK)))
        return DC_E_MEMORY;
    if (piece->ptr != m->block)
        memcpy(m->block, piece->ptr, piece->len);
    for (size_t i = 0; i + width <= piece->len; i += width)
        for (size_t j = 0; j < width / 2; j++) {
            uint8_t byte = m->block[i + j];
            m->block[i + j] = m->block[i + width - 1 - j];
            m->block[i + width - 1 - j] = byte;
        }
    piece->ptr = m->block;
    return DC_OK;
}

/* Fragments go as they stand in a file: items with their headers, offset table first (PS3.5 A.4). */
static dc_status next_fragment_piece(dc_model *m, const dc_fragments *f)
{
    dc_span piece;
    if (m->fragment == f->count) {
        m->at = m->bulk->length;
        return DC_DONE;
    }
    const dc_fragment *one = &f->list[m->fragment];
    if (m->at == 0) {
        uint8_t header[8];
        dc_put16(header, DC_TAG_ITEM >> 16, false);
        dc_put16(header + 2, DC_TAG_ITEM & 0xFFFF, false);
        dc_put32(header + 4, one->length, false);
        dc_base64_add(&m->base64, &m->out, header, sizeof header);
    }
    dc_status st = piece_of(m, one->bytes, one->offset, one->length, &piece);
    if (!st)
        st = dc_base64_add(&m->base64, &m->out, piece.ptr, piece.len);
    m->at += piece.len;
    if (!st && m->at == one->length) {
        m->at = 0;
        m->fragment++;
    }
    return st;
}

static dc_status next_piece(dc_model *m)
{
    dc_span piece;
    const dc_element *e = m->bulk;
    if (e->hold == DC_HOLD_FRAGMENTS)
        return next_fragment_piece(m, e->u.fragments);
    if (m->at == e->length)
        return DC_DONE;
    size_t width = e->flags & DC_EL_BIG && dc_vr_rows[e->vr].kind == DC_KIND_BULK ? dc_vr_rows[e->vr].width : 1;
    dc_status st = piece_of(m, e->hold == DC_HOLD_BYTES ? e->u.bytes : NULL, e->u.offset, e->length, &piece);
    if (!st && width > 1)
        st = swap(m, width, &piece);
    if (!st)
        st = dc_base64_add(&m->base64, &m->out, piece.ptr, piece.len);
    m->at += piece.len;
    return st;
}

static dc_status step_bulk(dc_model *m)
{
    dc_status st = next_piece(m);
    if (st != DC_DONE)
        return st;
    st = dc_base64_end(&m->base64, &m->out);
    m->form->close_bytes(m);
    end_bulk(m);
    return st;
}

/* What was handed out goes when the next thing is written. */
static void drop(dc_model *m)
{
    if (m->given)
        m->out.len = 0;
    m->given = false;
}

void dc_model_answer(dc_model *m, const dc_span *uri)
{
    if (!m->asked)
        return;
    drop(m);
    if (!uri) {
        begin_bytes(m);
        return;
    }
    m->asked = false;
    if (uri->len)
        m->form->uri(m, *uri);
    end_bulk(m);
}

/* --- elements and items -------------------------------------------------------------------------------------------- */

static dc_status push(dc_model *m, uint8_t level, const dc_dataset *ds, const dc_items *items)
{
    if (m->depth == m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : 8;
        dc_model_frame *frames = realloc(m->frames, cap * sizeof *frames);
        if (!frames)
            return DC_E_MEMORY;
        m->frames = frames;
        m->cap = cap;
    }
    m->frames[m->depth++] = (dc_model_frame){ .level = level, .ds = ds, .items = items };
    return DC_OK;
}

static dc_status say_bytes(dc_model *m, const dc_dataset *ds, const dc_element *e, dc_vr vr)
{
    dc_span bytes;
    uint8_t *scratch;
    dc_status st = dc_element_bytes(ds->object, e, &bytes, &scratch);
    if (st)
        return st;
    if (e->tag == CHARACTER_SET)
        st = say_charset(m, bytes);
    else if (dc_vr_rows[vr].kind <= DC_KIND_INTEGER)
        st = say_strings(m, vr, bytes);
    else
        st = say_numbers(m, vr, bytes, (e->flags & DC_EL_BIG) != 0);
    free(scratch);
    return st;
}

static dc_vr vr_of(const dc_element *e)
{
    if (e->hold == DC_HOLD_ITEMS)
        return DC_VR_SQ;
    return e->vr == DC_VR_NONE || (e->vr == DC_VR_SQ && e->length) ? DC_VR_UN : (dc_vr)e->vr;
}

static dc_status say_element(dc_model *m, const dc_dataset *ds, const dc_element *e)
{
    dc_vr vr = vr_of(e);
    uint8_t kind = dc_vr_rows[vr].kind;
    m->tag = e->tag;
    m->form->begin(m, ds, e, vr);
    if (e->hold == DC_HOLD_ITEMS && e->u.items->count) {
        m->form->open_values(m);
        return push(m, DC_LEVEL_SEQUENCE, ds, e->u.items);
    }
    if (e->hold == DC_HOLD_FRAGMENTS || (e->hold != DC_HOLD_ITEMS && e->length && (kind == DC_KIND_BULK || kind == DC_KIND_UNKNOWN))) {
        m->bulk = e;
        m->bulk_ds = ds;
        m->asked = m->options.ask && (e->hold == DC_HOLD_FRAGMENTS || e->length > m->options.threshold);
        if (!m->asked)
            begin_bytes(m);
        return DC_OK;
    }
    dc_status st = e->hold == DC_HOLD_ITEMS || e->length == 0 ? DC_OK : say_bytes(m, ds, e, vr);
    m->form->end(m);
    return st;
}

static void end_frame(dc_model *m)
{
    dc_model_frame f = *dc_model_top(m);
    m->depth--;
    if (f.level == DC_LEVEL_SEQUENCE) {
        m->form->close_values(m);
        m->form->end(m);
    } else if (f.level == DC_LEVEL_ITEM) {
        m->form->close_item(m);
    } else if (f.level == DC_LEVEL_META) {
        dc_model_top(m)->begun = f.begun;
    } else {
        m->depth++; /* the form may ask how deep it is */
        m->form->finish(m);
        m->finished = true;
    }
}

static dc_status step(dc_model *m)
{
    if (!m->started) {
        m->started = true;
        m->form->start(m);
        if (m->options.meta && m->root == &m->root->object->root)
            return push(m, DC_LEVEL_META, &m->root->object->meta, NULL);
        return DC_OK;
    }
    if (m->bulk)
        return step_bulk(m);
    dc_model_frame *f = dc_model_top(m);
    if (f->level == DC_LEVEL_SEQUENCE && f->index < f->items->count) {
        uint32_t n = f->index++;
        m->form->open_item(m, n);
        f->begun = true;
        return push(m, DC_LEVEL_ITEM, f->items->list[n], NULL);
    }
    if (f->level == DC_LEVEL_SEQUENCE || f->index >= f->ds->count) {
        end_frame(m);
        return DC_OK;
    }
    const dc_element *e = &f->ds->elements[f->index++];
    if ((e->tag & 0xFFFF) == 0) /* group lengths: PS3.18 F.2.2 leaves them out */
        return DC_OK;
    return say_element(m, f->ds, e);
}

dc_status dc_model_next(dc_model *m, dc_model_event *event)
{
    dc_status st = m->status;
    drop(m);
    *event = (dc_model_event){ .ds = NULL };
    if (!st && m->root->object->changes != m->changes)
        st = DC_E_GONE;
    if (!st && m->asked) { /* asked, and not answered */
        *event = (dc_model_event){ .ds = m->bulk_ds, .e = m->bulk };
        return DC_OK;
    }
    while (!st && !m->finished && !m->asked && m->out.len < CHUNK) {
        st = step(m);
        st = st ? st : m->status; /* a form cannot return it */
    }
    if (m->out.failed)
        st = DC_E_MEMORY;
    m->status = st;
    if (st)
        return st;
    if (m->out.len == 0 && m->asked)
        return dc_model_next(m, event);
    event->text = dc_buf_span(&m->out);
    m->given = true;
    return m->out.len ? DC_OK : DC_DONE;
}

dc_status dc_model_new(const dc_model_form *form, const dc_dataset *ds, const dc_model_options *options, dc_model **out)
{
    dc_model *m = calloc(1, sizeof *m);
    if (!m)
        return DC_E_MEMORY;
    m->form = form;
    m->root = ds;
    m->options = *options;
    m->changes = ds->object->changes;
    dc_status st = push(m, DC_LEVEL_ROOT, ds, NULL);
    if (st) {
        dc_model_free(m);
        return st;
    }
    *out = m;
    return DC_OK;
}

void dc_model_free(dc_model *m)
{
    if (!m)
        return;
    dc_buf_free(&m->out);
    dc_buf_free(&m->utf8);
    free(m->frames);
    free(m->block);
    free(m);
}

uint32_t dc_model_tag(const dc_model *m)
{
    return m->tag;
}

uint32_t dc_model_replaced(const dc_model *m)
{
    return m->replaced;
}
