/* SPDX-License-Identifier: MIT */
/* The form of one value (PS3.5 6.2). */
#include "value.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* UTF-8: bytes that do not continue a character. */
static size_t characters(dc_span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += (s.ptr[i] & 0xC0) != 0x80;
    return n;
}

static dc_status check_length(dc_span s, uint32_t longest)
{
    return longest && s.len > longest && characters(s) > longest ? DC_E_TOO_LONG : DC_OK;
}

/* n digits, or -1. */
static int digits(dc_cursor *c, size_t n)
{
    int v = 0;
    dc_span s = dc_cursor_take(c, n);
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i]))
            return -1;
        v = v * 10 + (s.ptr[i] - '0');
    }
    return c->failed ? -1 : v;
}

static bool has_digit(const dc_cursor *c)
{
    return c->at < c->end && is_digit(*c->at);
}

static bool is_between(int v, int low, int high)
{
    return v >= low && v <= high;
}

static int days_of(int year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* ".ffffff": one to six digits. */
static bool take_fraction(dc_cursor *c)
{
    if (c->at == c->end || *c->at != '.')
        return true;
    c->at++;
    int n = 0;
    for (; has_digit(c); c->at++)
        n++;
    return is_between(n, 1, 6);
}

/* HH, HHMM, HHMMSS, HHMMSS.ffffff; 60 is a leap second. */
static bool take_time(dc_cursor *c)
{
    if (!is_between(digits(c, 2), 0, 23))
        return false;
    if (!has_digit(c))
        return true;
    if (!is_between(digits(c, 2), 0, 59))
        return false;
    if (!has_digit(c))
        return true;
    return is_between(digits(c, 2), 0, 60) && take_fraction(c);
}

/* "+0130": from -1200 to +1400, and -0000 is none. */
static bool take_zone(dc_cursor *c)
{
    if (c->at == c->end)
        return true;
    bool west = *c->at == '-';
    if (!west && *c->at != '+')
        return false;
    c->at++;
    int hours = digits(c, 2), minutes = digits(c, 2), offset = hours * 60 + minutes;
    return hours >= 0 && is_between(minutes, 0, 59) && offset <= (west ? 720 : 840) && !(west && offset == 0);
}

static bool is_time(dc_cursor c)
{
    return take_time(&c) && c.at == c.end;
}

static bool is_date(dc_cursor c)
{
    int year = digits(&c, 4), month = digits(&c, 2), day = digits(&c, 2);
    return year >= 0 && is_between(month, 1, 12) && is_between(day, 1, days_of(year, month)) && c.at == c.end;
}

static bool is_date_time(dc_cursor c)
{
    int year = digits(&c, 4), month = has_digit(&c) ? digits(&c, 2) : 1;
    if (year < 0 || !is_between(month, 1, 12))
        return false;
    if (has_digit(&c) && !is_between(digits(&c, 2), 1, days_of(year, month)))
        return false;
    return (!has_digit(&c) || take_time(&c)) && take_zone(&c) && c.at == c.end;
}

static bool is_age(dc_cursor c)
{
    return digits(&c, 3) >= 0 && dc_cursor_left(&c) == 1 && *c.at && strchr("DWMY", *c.at);
}

/* Components of digits with dots between, none empty, no leading zeros (PS3.5 9.1). */
static bool is_uid(dc_span s)
{
    size_t start = 0;
    for (size_t i = 0; i <= s.len; i++) {
        if (i < s.len && is_digit(s.ptr[i]))
            continue;
        if ((i < s.len && s.ptr[i] != '.') || i == start || (s.ptr[start] == '0' && i - start > 1))
            return false;
        start = i + 1;
    }
    return true;
}

static bool is_code(dc_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (!is_digit(c) && !(c >= 'A' && c <= 'Z') && c != ' ' && c != '_')
            return false;
    }
    return true;
}

/* Graphic characters of the default repertoire; a space only where it is allowed. */
static bool is_graphic(dc_span s, uint8_t least)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < least || s.ptr[i] > 0x7E || s.ptr[i] == '\\')
            return false;
    return true;
}

/* Controls: only an escape in one line; TAB LF FF CR too in paragraphs (PS3.5 6.1.3). A backslash delimits lines. */
static bool is_text(dc_span s, bool paragraphs)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool layout = c == '\t' || c == '\n' || c == '\f' || c == '\r';
        if ((c < 0x20 && c != 0x1B && !(paragraphs && layout)) || c == 0x7F || (!paragraphs && c == '\\'))
            return false;
    }
    return true;
}

/* Up to three component groups of up to five components, each group of at most 64 characters (PS3.5 6.2.1). */
static dc_status check_name(dc_span s)
{
    size_t groups = 1, carets = 0, start = 0;
    if (!is_text(s, false))
        return DC_E_VALUE;
    for (size_t i = 0; i <= s.len; i++) {
        carets += i < s.len && s.ptr[i] == '^';
        if (i < s.len && s.ptr[i] != '=')
            continue;
        if (check_length(dc_span_make(s.ptr + start, i - start), dc_vr_rows[DC_VR_PN].longest))
            return DC_E_TOO_LONG;
        if (carets > 4 || groups > 3)
            return DC_E_VALUE;
        start = i + 1;
        carets = 0;
        groups++;
    }
    return DC_OK;
}

static bool is_integer(dc_span s)
{
    int64_t v;
    return dc_integer_parse(s, &v) == DC_OK && v >= INT32_MIN && v <= INT32_MAX;
}

static bool is_decimal(dc_span s)
{
    double v;
    return !memchr(s.ptr, 0, s.len) && dc_decimal_parse(s, &v) == DC_OK;
}

static bool has_form(dc_vr vr, dc_span s)
{
    switch (vr) {
    case DC_VR_AE: return is_graphic(s, ' ');
    case DC_VR_AS: return is_age(dc_cursor_of(s));
    case DC_VR_CS: return is_code(s);
    case DC_VR_DA: return is_date(dc_cursor_of(s));
    case DC_VR_DS: return is_decimal(s);
    case DC_VR_DT: return is_date_time(dc_cursor_of(s));
    case DC_VR_IS: return is_integer(s);
    case DC_VR_TM: return is_time(dc_cursor_of(s));
    case DC_VR_UI: return is_uid(s);
    case DC_VR_UR: return is_graphic(s, '!');
    case DC_VR_LO: case DC_VR_SH: case DC_VR_UC: return is_text(s, false);
    case DC_VR_LT: case DC_VR_ST: case DC_VR_UT: return is_text(s, true);
    case DC_VR_AT: return s.len % 4 == 0;
    case DC_VR_SQ: return false;
    default: return s.len % dc_vr_rows[vr].width == 0;
    }
}

dc_status dc_value_check(dc_vr vr, dc_span text)
{
    if (vr == DC_VR_NONE || vr >= DC_VR_COUNT)
        return DC_E_VR;
    if (text.len == 0)
        return DC_OK;
    if (vr == DC_VR_PN)
        return check_name(text);
    if (check_length(text, dc_vr_rows[vr].longest))
        return DC_E_TOO_LONG;
    return has_form(vr, text) ? DC_OK : DC_E_VALUE;
}
