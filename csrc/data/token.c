/* SPDX-License-Identifier: MIT */
#include "token.h"

#include "coded.h"

enum { BETWEEN, IN_STRING, ESCAPED, UNICODE, IN_WORD };
enum { LONGEST_WORD = 1024, KEPT = 1 << 20 };

void dc_lexer_init(dc_lexer *l, uint64_t longest)
{
    memset(l, 0, sizeof *l);
    l->longest = longest;
}

void dc_lexer_free(dc_lexer *l)
{
    dc_buf_free(&l->text);
}

void dc_lexer_feed(dc_lexer *l, dc_span bytes, bool last)
{
    l->rest = bytes;
    l->last = last;
}

static void skip(dc_lexer *l, size_t n)
{
    l->rest.ptr += n;
    l->rest.len -= n;
    l->offset += n;
}

/* --- strings ------------------------------------------------------------------------------------------------------- */

static dc_status take_plain(dc_lexer *l)
{
    size_t n = 0;
    while (n < l->rest.len && l->rest.ptr[n] != '"' && l->rest.ptr[n] != '\\' && l->rest.ptr[n] >= ' ')
        n++;
    if (l->text.len + n > l->longest)
        return DC_E_TOO_LONG;
    dc_status st = n ? dc_buf_add(&l->text, l->rest.ptr, n) : DC_OK;
    skip(l, n);
    return st;
}

static dc_status take_escape(dc_lexer *l, uint8_t c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = c ? strchr(from, c) : NULL;
    if (c == 'u') {
        l->state = UNICODE;
        l->unit = l->digits = 0;
        return DC_OK;
    }
    if (!at || l->high)
        return DC_E_JSON;
    l->state = IN_STRING;
    return dc_buf_u8(&l->text, (uint8_t)to[at - from]);
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static dc_status take_unit(dc_lexer *l)
{
    uint32_t c = l->unit;
    l->state = IN_STRING;
    if (l->high) {
        if (c < 0xDC00 || c > 0xDFFF)
            return DC_E_CHARSET;
        c = 0x10000 + ((l->high - 0xD800) << 10) + (c - 0xDC00);
        l->high = 0;
    } else if (c >= 0xDC00 && c <= 0xDFFF) {
        return DC_E_CHARSET;
    } else if (c >= 0xD800 && c <= 0xDBFF) {
        l->high = c;
        return DC_OK;
    }
    dc_utf8_put(&l->text, c);
    return l->text.failed ? DC_E_MEMORY : DC_OK;
}

static dc_status end_string(dc_lexer *l)
{
    l->state = BETWEEN;
    if (dc_utf8_valid(dc_buf_span(&l->text)))
        return DC_OK;
    l->offset = l->start;
    return DC_E_CHARSET;
}

/* DC_DONE at its end. */
static dc_status step_string(dc_lexer *l)
{
    uint8_t c = l->rest.ptr[0];
    if (l->state == UNICODE) {
        int digit = hex_digit(c);
        if (digit < 0)
            return DC_E_JSON;
        skip(l, 1);
        l->unit = l->unit << 4 | (uint32_t)digit;
        return ++l->digits < 4 ? DC_OK : take_unit(l);
    }
    if (l->state == ESCAPED) {
        dc_status st = take_escape(l, c);
        if (!st)
            skip(l, 1);
        return st;
    }
    if (l->high && c != '\\') /* half a character */
        return DC_E_CHARSET;
    if (c < ' ')
        return DC_E_JSON;
    if (c != '"' && c != '\\')
        return take_plain(l);
    skip(l, 1);
    if (c == '\\')
        l->state = ESCAPED;
    return c == '"' ? DC_DONE : DC_OK;
}

/* --- numbers, true, false, null ------------------------------------------------------------------------------------ */

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

static bool skip_digits(dc_cursor *c)
{
    const uint8_t *from = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > from;
}

static bool is_number(dc_span s)
{
    dc_cursor c = dc_cursor_of(s);
    if (c.at < c.end && *c.at == '-')
        c.at++;
    const uint8_t *first = c.at;
    if (!skip_digits(&c) || (*first == '0' && c.at - first > 1))
        return false;
    if (c.at < c.end && *c.at == '.') {
        c.at++;
        if (!skip_digits(&c))
            return false;
    }
    if (c.at < c.end && (*c.at == 'e' || *c.at == 'E')) {
        c.at++;
        if (c.at < c.end && (*c.at == '-' || *c.at == '+'))
            c.at++;
        if (!skip_digits(&c))
            return false;
    }
    return c.at == c.end;
}

static bool is_special(dc_span s)
{
    static const char *const words[] = { "NaN", "nan", "Infinity", "inf", "-Infinity", "-inf", "-nan" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (dc_span_equal(s, dc_span_make(words[i], strlen(words[i]))))
            return true;
    return false;
}

static dc_status end_word(dc_lexer *l, dc_token *token)
{
    dc_span s = dc_buf_span(&l->text);
    l->state = BETWEEN;
    *token = DC_TOKEN_NUMBER;
    if (is_number(s) || is_special(s))
        return DC_OK;
    if (dc_span_equal(s, dc_span_make("null", 4)))
        *token = DC_TOKEN_NULL;
    else if (dc_span_equal(s, dc_span_make("true", 4)))
        *token = DC_TOKEN_TRUE;
    else if (dc_span_equal(s, dc_span_make("false", 5)))
        *token = DC_TOKEN_FALSE;
    else {
        l->offset = l->start;
        return DC_E_JSON;
    }
    return DC_OK;
}

static dc_status step_word(dc_lexer *l)
{
    size_t n = 0;
    while (n < l->rest.len && is_word(l->rest.ptr[n]))
        n++;
    if (n == 0)
        return DC_DONE;
    if (l->text.len + n > LONGEST_WORD)
        return DC_E_JSON;
    dc_status st = dc_buf_add(&l->text, l->rest.ptr, n);
    skip(l, n);
    return st;
}

/* --- tokens -------------------------------------------------------------------------------------------------------- */

static void begin(dc_lexer *l, uint8_t state)
{
    if (l->text.cap > KEPT) /* one large value does not keep its memory */
        dc_buf_free(&l->text);
    l->text.len = 0;
    l->start = l->offset;
    l->state = state;
    l->high = 0;
}

/* DC_MORE: blanks, or a token has begun. */
static dc_status step_between(dc_lexer *l, dc_token *token)
{
    static const char marks[] = "{}[]:,";
    static const uint8_t order[] = { 0xEF, 0xBB, 0xBF }; /* a byte order mark: RFC 8259 8.1 lets it be ignored */
    uint8_t c = l->rest.ptr[0];
    if (l->offset < sizeof order && c == order[l->offset]) {
        skip(l, 1);
        return DC_MORE;
    }
    const char *mark = c ? strchr(marks, c) : NULL;
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        skip(l, 1);
        return DC_MORE;
    }
    if (c == '"') {
        begin(l, IN_STRING);
        skip(l, 1);
        return DC_MORE;
    }
    if (is_word(c)) {
        begin(l, IN_WORD);
        return DC_MORE;
    }
    if (!mark)
        return DC_E_JSON;
    l->start = l->offset;
    skip(l, 1);
    *token = (dc_token)(DC_TOKEN_OBJECT + (mark - marks));
    return DC_OK;
}

static dc_status at_end(dc_lexer *l, dc_token *token)
{
    if (!l->last)
        return DC_MORE;
    if (l->state == IN_WORD)
        return end_word(l, token);
    return l->state == BETWEEN ? DC_DONE : DC_E_JSON;
}

dc_status dc_lexer_next(dc_lexer *l, dc_token *token)
{
    while (l->rest.len) {
        dc_status st;
        if (l->state == BETWEEN) {
            st = step_between(l, token);
            if (st != DC_MORE)
                return st;
            continue;
        }
        st = l->state == IN_WORD ? step_word(l) : step_string(l);
        if (st == DC_DONE && l->state == IN_WORD)
            return end_word(l, token);
        if (st == DC_DONE) {
            *token = DC_TOKEN_STRING;
            return end_string(l);
        }
        if (st)
            return st;
    }
    return at_end(l, token);
}
