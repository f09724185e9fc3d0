/* SPDX-License-Identifier: MIT */
/* The DICOM JSON Model (PS3.18 F.2). */
#include "modelling.h"

/* Digits that a double always keeps. */
enum { KEPT_DIGITS = 15, INDENT = 2 };

static void new_line(dc_model *m, uint32_t levels)
{
    static const char blanks[] = "                                                                ";
    if (!m->options.pretty)
        return;
    dc_model_put(m, "\n", 1);
    for (size_t n = (size_t)levels * INDENT, part; n; n -= part) {
        part = n < sizeof blanks - 1 ? n : sizeof blanks - 1;
        dc_model_put(m, blanks, part);
    }
}

/* Braces that are open around the element at hand: a sequence's frame adds its object and its array. */
static uint32_t levels(const dc_model *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->depth; i++)
        n += m->frames[i].level == DC_LEVEL_SEQUENCE ? 2 : m->frames[i].level != DC_LEVEL_META;
    return n;
}

static void put_escaped(dc_model *m, uint8_t c)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char names[] = "btn\0fr";
    char text[6] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };
    if (c >= 8 && c <= 13 && names[c - 8]) {
        text[1] = names[c - 8];
        dc_model_put(m, text, 2);
    } else if (c >= ' ') {
        text[1] = (char)c;
        dc_model_put(m, text, 2);
    } else {
        dc_model_put(m, text, 6);
    }
}

static void put_string(dc_model *m, dc_span s)
{
    size_t from = 0;
    dc_model_put(m, "\"", 1);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        dc_model_put(m, (const char *)s.ptr + from, i - from);
        put_escaped(m, c);
        from = i + 1;
    }
    if (s.len)
        dc_model_put(m, (const char *)s.ptr + from, s.len - from);
    dc_model_put(m, "\"", 1);
}

static void before_value(dc_model *m, uint32_t n)
{
    if (n)
        dc_model_put(m, ",", 1);
    new_line(m, levels(m) + 2);
}

/* --- the form ------------------------------------------------------------------------------------------------------ */

static void start(dc_model *m)
{
    DC_MODEL_SAY(m, "{");
}

static void finish(dc_model *m)
{
    if (dc_model_top(m)->begun)
        new_line(m, 0);
    DC_MODEL_SAY(m, "}");
    if (m->options.pretty)
        DC_MODEL_SAY(m, "\n");
}

static void member(dc_model *m, const char *name, size_t n)
{
    dc_model_put(m, ",", 1);
    new_line(m, levels(m) + 1);
    dc_model_put(m, "\"", 1);
    dc_model_put(m, name, n);
    dc_model_put(m, m->options.pretty ? "\": " : "\":", m->options.pretty ? 3 : 2);
}

static void begin_element(dc_model *m, const dc_dataset *ds, const dc_element *e, dc_vr vr)
{
    (void)ds;
    if (dc_model_top(m)->begun)
        dc_model_put(m, ",", 1);
    dc_model_top(m)->begun = true;
    new_line(m, levels(m));
    dc_model_put(m, "\"", 1);
    dc_model_hex(m, e->tag);
    if (m->options.pretty) {
        DC_MODEL_SAY(m, "\": {");
        new_line(m, levels(m) + 1);
        DC_MODEL_SAY(m, "\"vr\": \"");
    } else {
        DC_MODEL_SAY(m, "\":{\"vr\":\"");
    }
    dc_model_put(m, dc_vr_rows[vr].name, 2);
    dc_model_put(m, "\"", 1);
}

static void end_element(dc_model *m)
{
    new_line(m, levels(m));
    DC_MODEL_SAY(m, "}");
}

static void open_values(dc_model *m)
{
    member(m, "Value", 5);
    DC_MODEL_SAY(m, "[");
}

static void close_values(dc_model *m)
{
    new_line(m, levels(m) + 1);
    DC_MODEL_SAY(m, "]");
}

static void text(dc_model *m, uint32_t n, dc_span s)
{
    before_value(m, n);
    put_string(m, s);
}

/* A number of RFC 8259 6 that no reader loses a digit of? */
static bool is_number(dc_span s)
{
    dc_cursor c = dc_cursor_of(s);
    int digits = 0, zeros = 0;
    if (c.at < c.end && *c.at == '-')
        c.at++;
    const uint8_t *first = c.at;
    for (bool point = false; c.at < c.end && ((*c.at >= '0' && *c.at <= '9') || (*c.at == '.' && !point)); c.at++) {
        if (*c.at == '.') {
            point = true;
            if (c.at == first || c.at + 1 == c.end || c.at[1] < '0' || c.at[1] > '9')
                return false;
            continue;
        }
        zeros = *c.at == '0' ? zeros + 1 : 0;
        digits += digits || *c.at != '0';
    }
    if (c.at == first || (*first == '0' && c.at - first > 1 && first[1] != '.') || digits - zeros > KEPT_DIGITS)
        return false;
    if (c.at < c.end && (*c.at == 'e' || *c.at == 'E')) {
        c.at++;
        if (c.at < c.end && (*c.at == '+' || *c.at == '-'))
            c.at++;
        if (c.end - c.at < 1 || c.end - c.at > 2) /* 1E300 and beyond: not every reader's double */
            return false;
        while (c.at < c.end && *c.at >= '0' && *c.at <= '9')
            c.at++;
    }
    return c.at == c.end;
}

/* "007", "+5" and ".5" are numbers in DICOM, not in JSON, and a reader has to shorten what is longer than a DS may be:
   F.2.3 allows a string, which keeps them as they are. */
static void decimal(dc_model *m, uint32_t n, dc_span s)
{
    if (s.len > DC_DECIMAL_SIZE || !is_number(s)) {
        text(m, n, s);
        return;
    }
    before_value(m, n);
    dc_model_put(m, (const char *)s.ptr, s.len);
}

static void number(dc_model *m, uint32_t n, dc_span s)
{
    before_value(m, n);
    dc_model_put(m, (const char *)s.ptr, s.len);
}

static void nothing(dc_model *m, uint32_t n)
{
    before_value(m, n);
    DC_MODEL_SAY(m, "null");
}

/* A component group without the = after it. */
static dc_span group_of(dc_span *s, bool last)
{
    const uint8_t *end = last || s->len == 0 ? NULL : memchr(s->ptr, '=', s->len);
    dc_span group = dc_span_make(s->ptr, end ? (size_t)(end - s->ptr) : s->len);
    *s = end ? dc_span_make(end + 1, s->len - group.len - 1) : dc_span_make(s->ptr, 0);
    return group;
}

static void name(dc_model *m, uint32_t n, dc_span s)
{
    static const char *const groups[] = { "Alphabetic", "Ideographic", "Phonetic" };
    bool begun = false;
    for (int i = 0; i < 3; i++) {
        dc_span group = group_of(&s, i == 2);
        if (group.len == 0)
            continue;
        if (!begun)
            before_value(m, n);
        dc_model_put(m, begun ? "," : "{", 1);
        begun = true;
        new_line(m, levels(m) + 3);
        dc_model_put(m, "\"", 1);
        dc_model_put(m, groups[i], strlen(groups[i]));
        dc_model_put(m, m->options.pretty ? "\": " : "\":", m->options.pretty ? 3 : 2);
        put_string(m, group);
    }
    if (!begun) {
        nothing(m, n);
        return;
    }
    new_line(m, levels(m) + 2);
    DC_MODEL_SAY(m, "}");
}

static void open_item(dc_model *m, uint32_t n)
{
    if (n)
        dc_model_put(m, ",", 1);
    new_line(m, levels(m));
    DC_MODEL_SAY(m, "{");
}

static void close_item(dc_model *m)
{
    new_line(m, levels(m));
    DC_MODEL_SAY(m, "}");
}

static void open_bytes(dc_model *m)
{
    member(m, "InlineBinary", 12);
    DC_MODEL_SAY(m, "\"");
}

static void close_bytes(dc_model *m)
{
    DC_MODEL_SAY(m, "\"");
}

static void uri(dc_model *m, dc_span s)
{
    member(m, "BulkDataURI", 11);
    put_string(m, s);
}

const dc_model_form dc_model_json = { start, finish, begin_element, end_element, open_values, close_values, text, decimal, number,
                                      name, nothing, open_item, close_item, open_bytes, close_bytes, uri };
