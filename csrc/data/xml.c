/* SPDX-License-Identifier: MIT */
/* The Native DICOM Model (PS3.19 A.1). */
#include "modelling.h"

static const char not_xml[] = "\xEF\xBF\xBD"; /* XML 1.0 2.2 has no control characters but three */

/* White space is part of values: only what lies between elements may be laid out. */
static void indent(dc_model *m, uint32_t more)
{
    uint32_t n = more;
    if (!m->options.pretty)
        return;
    for (uint32_t i = 0; i < m->depth; i++)
        n += m->frames[i].level != DC_LEVEL_META;
    while (n--)
        dc_model_put(m, "  ", 2);
}

static void put_character(dc_model *m, uint8_t c)
{
    switch (c) {
    case '<': DC_MODEL_SAY(m, "&lt;"); break;
    case '>': DC_MODEL_SAY(m, "&gt;"); break;
    case '&': DC_MODEL_SAY(m, "&amp;"); break;
    case '"': DC_MODEL_SAY(m, "&quot;"); break;
    case '\n': DC_MODEL_SAY(m, "&#10;"); break; /* as it stands an attribute's would become a blank */
    case '\r': DC_MODEL_SAY(m, "&#13;"); break; /* as it stands it would become a line feed */
    case '\t': DC_MODEL_SAY(m, "&#9;"); break;
    default: /* no XML can say it */
        if (m->options.replace)
            m->replaced++;
        else if (!m->status)
            m->status = DC_E_CHARSET;
        dc_model_put(m, not_xml, sizeof not_xml - 1);
    }
}

/* U+FFFE and U+FFFF are no characters of XML either. */
static bool is_noncharacter(dc_span s, size_t at)
{
    return s.ptr[at] == 0xEF && s.len - at >= 3 && s.ptr[at + 1] == 0xBF && s.ptr[at + 2] >= 0xBE;
}

static void put_text(dc_model *m, dc_span s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (is_noncharacter(s, i)) {
            dc_model_put(m, (const char *)s.ptr + from, i - from);
            put_character(m, 0);
            i += 2;
            from = i + 1;
            continue;
        }
        if (c >= ' ' && c != '<' && c != '>' && c != '&' && c != '"')
            continue;
        dc_model_put(m, (const char *)s.ptr + from, i - from);
        put_character(m, c);
        from = i + 1;
    }
    if (s.len)
        dc_model_put(m, (const char *)s.ptr + from, s.len - from);
}

static void put_count(dc_model *m, uint32_t n)
{
    char digits[10];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    dc_model_put(m, digits + at, sizeof digits - at);
}

/* --- the form ------------------------------------------------------------------------------------------------------ */

static void start(dc_model *m)
{
    DC_MODEL_SAY(m, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<NativeDicomModel xml:space=\"preserve\">\n");
}

static void finish(dc_model *m)
{
    DC_MODEL_SAY(m, "</NativeDicomModel>\n");
}

/* PS3.19 A.1.5: a private element's block is 00 and its creator stands beside it. */
static void begin_element(dc_model *m, const dc_dataset *ds, const dc_element *e, dc_vr vr)
{
    dc_span creator = dc_dataset_creator(ds, e->tag);
    const dc_dict_entry *entry = dc_dict_by_tag(e->tag);
    indent(m, 0);
    DC_MODEL_SAY(m, "<DicomAttribute tag=\"");
    dc_model_hex(m, creator.len ? e->tag & 0xFFFF00FF : e->tag);
    DC_MODEL_SAY(m, "\" vr=\"");
    dc_model_put(m, dc_vr_rows[vr].name, 2);
    DC_MODEL_SAY(m, "\"");
    if (entry && *dc_dict_keyword(entry)) {
        DC_MODEL_SAY(m, " keyword=\"");
        dc_model_put(m, dc_dict_keyword(entry), strlen(dc_dict_keyword(entry)));
        DC_MODEL_SAY(m, "\"");
    }
    if (creator.len) {
        DC_MODEL_SAY(m, " privateCreator=\"");
        dc_model_aside(m, creator, put_text);
        DC_MODEL_SAY(m, "\"");
    }
    DC_MODEL_SAY(m, ">\n");
}

static void end_element(dc_model *m)
{
    indent(m, 0);
    DC_MODEL_SAY(m, "</DicomAttribute>\n");
}

static void nothing_around(dc_model *m)
{
    (void)m;
}

static void text(dc_model *m, uint32_t n, dc_span s)
{
    indent(m, 1);
    DC_MODEL_SAY(m, "<Value number=\"");
    put_count(m, n + 1);
    DC_MODEL_SAY(m, "\">");
    put_text(m, s);
    DC_MODEL_SAY(m, "</Value>\n");
}

/* A value that is empty among others has a number and no text. */
static void nothing(dc_model *m, uint32_t n)
{
    text(m, n, dc_span_make(NULL, 0));
}

static void put_component(dc_model *m, const char *component, dc_span s)
{
    indent(m, 3);
    DC_MODEL_SAY(m, "<");
    dc_model_put(m, component, strlen(component));
    DC_MODEL_SAY(m, ">");
    put_text(m, s);
    DC_MODEL_SAY(m, "</");
    dc_model_put(m, component, strlen(component));
    DC_MODEL_SAY(m, ">\n");
}

static dc_span cut(dc_span *s, char at, bool last)
{
    const uint8_t *end = last || s->len == 0 ? NULL : memchr(s->ptr, at, s->len);
    dc_span part = dc_span_make(s->ptr, end ? (size_t)(end - s->ptr) : s->len);
    *s = end ? dc_span_make(end + 1, s->len - part.len - 1) : dc_span_make(s->ptr, 0);
    return part;
}

static void put_group(dc_model *m, const char *group, dc_span s)
{
    static const char *const components[] = { "FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix" };
    indent(m, 2);
    DC_MODEL_SAY(m, "<");
    dc_model_put(m, group, strlen(group));
    DC_MODEL_SAY(m, ">\n");
    for (int i = 0; i < 5; i++) {
        dc_span component = cut(&s, '^', i == 4);
        if (component.len)
            put_component(m, components[i], component);
    }
    indent(m, 2);
    DC_MODEL_SAY(m, "</");
    dc_model_put(m, group, strlen(group));
    DC_MODEL_SAY(m, ">\n");
}

/* No component but delimiters? */
static bool is_blank(dc_span s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] == '^')
        n++;
    return n == s.len;
}

static void name(dc_model *m, uint32_t n, dc_span s)
{
    static const char *const groups[] = { "Alphabetic", "Ideographic", "Phonetic" };
    indent(m, 1);
    DC_MODEL_SAY(m, "<PersonName number=\"");
    put_count(m, n + 1);
    DC_MODEL_SAY(m, "\">\n");
    for (int i = 0; i < 3; i++) {
        dc_span group = cut(&s, '=', i == 2);
        if (!is_blank(group))
            put_group(m, groups[i], group);
    }
    indent(m, 1);
    DC_MODEL_SAY(m, "</PersonName>\n");
}

static void open_item(dc_model *m, uint32_t n)
{
    indent(m, 0);
    DC_MODEL_SAY(m, "<Item number=\"");
    put_count(m, n + 1);
    DC_MODEL_SAY(m, "\">\n");
}

static void close_item(dc_model *m)
{
    indent(m, 0);
    DC_MODEL_SAY(m, "</Item>\n");
}

static void open_bytes(dc_model *m)
{
    indent(m, 1);
    DC_MODEL_SAY(m, "<InlineBinary>");
}

static void close_bytes(dc_model *m)
{
    DC_MODEL_SAY(m, "</InlineBinary>\n");
}

static void uri(dc_model *m, dc_span s)
{
    indent(m, 1);
    DC_MODEL_SAY(m, "<BulkData uri=\"");
    put_text(m, s);
    DC_MODEL_SAY(m, "\"/>\n");
}

const dc_model_form dc_model_xml = { start, finish, begin_element, end_element, nothing_around, nothing_around, text, text, text,
                                     name, nothing, open_item, close_item, open_bytes, close_bytes, uri };
