/* SPDX-License-Identifier: MIT */
/* DS and IS, exactly rounded, without strtod and printf: those ask the process's locale for the decimal point. */
#include "value.h"

/* 0.d1 d2 d3 ... times ten to the power `point`. 770 digits hold any double exactly; what is longer leaves `more`. */
enum { DIGITS = 800, SHIFT = 59 };

typedef struct decimal {
    int count, point;
    bool more; /* digits that are not zero were dropped at the end */
    uint8_t digits[DIGITS + 20];
} decimal;

static void trim_zeros(decimal *d)
{
    while (d->count && d->digits[d->count - 1] == 0)
        d->count--;
    if (d->count == 0)
        d->point = 0;
}

static void drop_surplus(decimal *d)
{
    while (d->count > DIGITS)
        d->more = d->digits[--d->count] != 0 || d->more;
    trim_zeros(d);
}

/* Times 2^k, k at most SHIFT. */
static void shift_left(decimal *d, int k)
{
    uint8_t out[DIGITS + 40];
    int at = (int)sizeof out;
    uint64_t carry = 0;
    for (int i = d->count; i-- > 0;) {
        carry += (uint64_t)d->digits[i] << k;
        out[--at] = (uint8_t)(carry % 10);
        carry /= 10;
    }
    int grown = 0;
    for (; carry; carry /= 10, grown++)
        out[--at] = (uint8_t)(carry % 10);
    d->count += grown;
    d->point += grown;
    memcpy(d->digits, out + at, (size_t)d->count);
    drop_surplus(d);
}

/* Divided by 2^k, k at most SHIFT. */
static void shift_right(decimal *d, int k)
{
    uint64_t rest = 0;
    int read = 0, written = 0;
    for (; rest >> k == 0; read++) {
        if (read >= d->count && rest == 0)
            return; /* zero */
        rest = rest * 10 + (read < d->count ? d->digits[read] : 0);
    }
    d->point -= read - 1;
    for (const uint64_t mask = (UINT64_C(1) << k) - 1;; read++) {
        uint8_t digit = (uint8_t)(rest >> k);
        rest &= mask;
        if (written < DIGITS)
            d->digits[written++] = digit;
        else
            d->more = d->more || digit;
        if (read >= d->count && rest == 0)
            break;
        rest = rest * 10 + (read < d->count ? d->digits[read] : 0);
    }
    d->count = written;
    trim_zeros(d);
}

static void shift(decimal *d, int k)
{
    for (; k > SHIFT; k -= SHIFT)
        shift_left(d, SHIFT);
    for (; k < -SHIFT; k += SHIFT)
        shift_right(d, SHIFT);
    if (k > 0)
        shift_left(d, k);
    else if (k < 0)
        shift_right(d, -k);
}

/* Would the digits from `n` on round the one before up? Half goes to even. */
static bool rounds_up(const decimal *d, int n)
{
    if (n < 0 || n >= d->count)
        return false;
    if (d->digits[n] == 5 && n + 1 == d->count && !d->more)
        return n > 0 && d->digits[n - 1] % 2;
    return d->digits[n] >= 5;
}

static uint64_t rounded_integer(const decimal *d)
{
    uint64_t v = 0;
    for (int i = 0; i < d->point; i++)
        v = v * 10 + (i < d->count ? d->digits[i] : 0);
    return v + rounds_up(d, d->point);
}

static double from_bits(uint64_t v)
{
    double out;
    memcpy(&out, &v, sizeof out);
    return out;
}

/* The nearest double; infinity when there is none. */
static double to_double(decimal *d)
{
    if (d->count == 0 || d->point < -330)
        return 0;
    if (d->point > 310)
        return from_bits(UINT64_C(0x7FF) << 52);
    int exponent = 0;
    while (d->point > 0) { /* down to [1/2, 1) */
        int k = d->point > 18 ? SHIFT : d->point * 3;
        shift(d, -k);
        exponent += k;
    }
    while (d->point < 0 || d->digits[0] < 5) {
        int k = d->point < -17 ? SHIFT : d->point < 0 ? -d->point * 3 : 1;
        shift(d, k);
        exponent -= k;
    }
    exponent--; /* now in [1, 2) times 2^exponent */
    int lost = exponent < -1022 ? -1022 - exponent : 0;
    shift(d, 53 - lost);
    uint64_t mantissa = rounded_integer(d);
    exponent += lost;
    if (mantissa == UINT64_C(1) << 53) {
        mantissa >>= 1;
        exponent++;
    }
    if (exponent > 1023)
        return from_bits(UINT64_C(0x7FF) << 52);
    bool normal = mantissa >> 52;
    return from_bits((mantissa & ((UINT64_C(1) << 52) - 1)) | (uint64_t)(normal ? exponent + 1023 : 0) << 52);
}

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static dc_span trim(dc_span s)
{
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == 0))
        s.len--;
    while (s.len && s.ptr[0] == ' ')
        s = dc_span_make(s.ptr + 1, s.len - 1);
    return s;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* What a DS says, before it is rounded to a double. */
typedef struct reading {
    uint64_t mantissa; /* of at most 19 digits */
    int count, point;  /* digits without leading zeros; the decimal point comes after so many of them */
    bool negative, any;
} reading;

/* Takes digits and a point; the digits go to d as well when it is given. */
static void read_digits(dc_cursor *c, reading *r, decimal *d)
{
    bool after_point = false;
    for (; c->at < c->end && (is_digit(*c->at) || (*c->at == '.' && !after_point)); c->at++) {
        if (*c->at == '.') {
            after_point = true;
            continue;
        }
        uint8_t digit = (uint8_t)(*c->at - '0');
        r->any = true;
        if (digit == 0 && r->count == 0) {
            r->point -= after_point;
            continue;
        }
        if (r->count < 19)
            r->mantissa = r->mantissa * 10 + digit;
        if (d && r->count < DIGITS)
            d->digits[d->count++] = digit;
        else if (d)
            d->more = d->more || digit;
        r->count++;
        r->point += !after_point;
    }
}

static bool read_sign(dc_cursor *c)
{
    bool negative = c->at < c->end && *c->at == '-';
    c->at += c->at < c->end && (*c->at == '-' || *c->at == '+');
    return negative;
}

/* "E-5"; an exponent beyond any double stops growing. */
static bool read_exponent(dc_cursor *c, int *exponent)
{
    *exponent = 0;
    if (c->at == c->end)
        return true;
    if (*c->at != 'E' && *c->at != 'e')
        return false;
    c->at++;
    bool negative = read_sign(c);
    if (c->at == c->end)
        return false;
    for (; c->at < c->end && is_digit(*c->at); c->at++)
        *exponent = *exponent < 100000 ? *exponent * 10 + (*c->at - '0') : *exponent;
    *exponent = negative ? -*exponent : *exponent;
    return c->at == c->end;
}

/* Digits that a double holds times or over a power of ten that it holds: one rounding (Clinger). */
static bool is_exact(const reading *r, int exponent, double *out)
{
    int ten = r->point - r->count + exponent;
    if (r->count > 19 || r->mantissa >> 53 || ten < -22 || ten > 22)
        return false;
    *out = ten < 0 ? (double)r->mantissa / powers[-ten] : (double)r->mantissa * powers[ten];
    return true;
}

static double exactly_rounded(dc_span text, int exponent)
{
    decimal d = { .count = 0 };
    reading r = { 0 };
    dc_cursor c = dc_cursor_of(text);
    read_sign(&c);
    read_digits(&c, &r, &d);
    d.point = r.point + exponent;
    trim_zeros(&d);
    return to_double(&d);
}

dc_status dc_decimal_parse(dc_span text, double *out)
{
    text = trim(text);
    dc_cursor c = dc_cursor_of(text);
    reading r = { 0 };
    int exponent;
    if (text.len > 1 << 20)
        return DC_E_VALUE;
    r.negative = read_sign(&c);
    read_digits(&c, &r, NULL);
    if (!r.any || !read_exponent(&c, &exponent))
        return DC_E_VALUE;
    double v;
    if (!is_exact(&r, exponent, &v))
        v = exactly_rounded(text, exponent);
    if (v > 1.7976931348623157e308)
        return DC_E_VALUE;
    *out = r.negative ? -v : v;
    return DC_OK;
}

dc_status dc_integer_parse(dc_span text, int64_t *out)
{
    text = trim(text);
    dc_cursor c = dc_cursor_of(text);
    bool negative = read_sign(&c);
    const uint64_t limit = (uint64_t)INT64_MAX + negative;
    uint64_t v = 0;
    if (c.at == c.end)
        return DC_E_VALUE;
    for (; c.at < c.end; c.at++) {
        uint64_t digit = (uint64_t)*c.at - '0';
        if (!is_digit(*c.at) || v > (limit - digit) / 10)
            return DC_E_VALUE;
        v = v * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return DC_OK;
}

/* Rounds to n digits; up to the next power of ten if need be. `down`: only cuts. */
static void round_to(decimal *d, int n, bool down)
{
    if (n >= d->count)
        return;
    bool up = !down && rounds_up(d, n);
    d->count = n;
    if (up) {
        while (n && d->digits[n - 1] == 9)
            n--;
        d->count = n ? n : 1;
        d->point += n == 0;
        d->digits[d->count - 1] = (uint8_t)(n ? d->digits[n - 1] + 1 : 1);
    }
    trim_zeros(d);
}

/* The exact digits of a positive double. */
static void from_double(decimal *d, double v)
{
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    int exponent = (int)(b >> 52);
    uint64_t mantissa = (b & ((UINT64_C(1) << 52) - 1)) | (uint64_t)(exponent ? 1 : 0) << 52;
    d->count = d->point = 0;
    d->more = false;
    for (uint64_t rest = mantissa; rest; rest /= 10)
        d->count++;
    for (int i = d->count; i-- > 0; mantissa /= 10)
        d->digits[i] = (uint8_t)(mantissa % 10);
    d->point = d->count;
    trim_zeros(d);
    shift(d, (exponent ? exponent : 1) - 1075);
}

static size_t put_digits(char *out, size_t at, const decimal *d, int from, int to)
{
    for (int i = from; i < to; i++)
        out[at++] = (char)('0' + (i < d->count ? d->digits[i] : 0));
    return at;
}

static size_t put_plain(char *out, const decimal *d)
{
    size_t at = put_digits(out, 0, d, 0, d->point);
    if (d->point <= 0)
        out[at++] = '0';
    if (d->point < d->count) {
        out[at++] = '.';
        for (int i = d->point; i < 0; i++)
            out[at++] = '0';
        at = put_digits(out, at, d, d->point > 0 ? d->point : 0, d->count);
    }
    return at;
}

static size_t put_exponent(char *out, const decimal *d)
{
    size_t at = put_digits(out, 0, d, 0, 1);
    if (d->count > 1) {
        out[at++] = '.';
        at = put_digits(out, at, d, 1, d->count);
    }
    int e = d->point - 1;
    out[at++] = 'E';
    if (e < 0)
        out[at++] = '-';
    e = e < 0 ? -e : e;
    for (int unit = e >= 100 ? 100 : e >= 10 ? 10 : 1; unit; unit /= 10)
        out[at++] = (char)('0' + e / unit % 10);
    return at;
}

/* Plain where that fits and is not mostly zeros, else the shorter form. At most 17 digits. */
static size_t put(char *out, const decimal *d, size_t room)
{
    size_t plain = d->point > -20 && d->point < 24 ? put_plain(out, d) : 64;
    if (plain <= room && d->point > -6)
        return plain;
    char with[32];
    size_t n = put_exponent(with, d);
    if (n >= plain)
        return plain;
    memcpy(out, with, n);
    return n;
}

/* The first digits of d, rounded to n of them. Forty are enough to round at 17. */
static decimal rounded(const decimal *exact, int n, bool down)
{
    decimal d;
    d.count = exact->count < 40 ? exact->count : 40;
    d.point = exact->point;
    d.more = exact->more || exact->count > 40;
    memcpy(d.digits, exact->digits, (size_t)d.count);
    round_to(&d, n, down);
    return d;
}

/* Digits enough to tell v from every other double, in `text`; their count. */
static int shortest(const decimal *exact, double v, size_t room, char *text, size_t *length)
{
    for (int n = 1;; n++) {
        decimal d = rounded(exact, n, false);
        *length = put(text, &d, room);
        double back;
        if (n >= 17 || (dc_decimal_parse(dc_span_make(text, *length), &back) == DC_OK && back == v))
            return n;
    }
}

/* As many digits as fit in `room`. Cut instead of rounded where that would go beyond the largest double. */
static size_t longest(const decimal *exact, int n, size_t room, char *text)
{
    for (;; n--) {
        double back;
        decimal d = rounded(exact, n, false);
        size_t length = put(text, &d, room);
        if (length <= room && dc_decimal_parse(dc_span_make(text, length), &back) != DC_OK) {
            d = rounded(exact, n, true);
            length = put(text, &d, room);
        }
        if (length <= room)
            return length;
    }
}

size_t dc_decimal_format(double v, char *out)
{
    double size = v < 0 ? -v : v;
    if (!(size <= 1.7976931348623157e308))
        return 0;
    size_t sign = v < 0, room = DC_DECIMAL_SIZE - sign, length = 1;
    char text[64] = "0";
    if (size > 0) {
        decimal exact;
        from_double(&exact, size);
        int n = shortest(&exact, size, room, text, &length);
        if (length > room)
            length = longest(&exact, n - 1, room, text);
    }
    if (sign)
        out[0] = '-';
    memcpy(out + sign, text, length);
    out[sign + length] = 0;
    return sign + length;
}

/* --- floats -------------------------------------------------------------------------------------------------------- */

static bool reads_back(double back, double v, bool narrow)
{
    return narrow ? (float)back == (float)v : back == v;
}

/* v as `digits` digits and a power of ten that a double holds: found and proved with one rounding each way. */
static bool is_short(double v, bool narrow, int digits, decimal *d)
{
    int whole = 0;
    while (whole < 15 && v >= powers[whole])
        whole++;
    while (whole > -7 && whole <= 0 && v * powers[-whole] < 0.1)
        whole--;
    int k = digits - whole;
    if (k < 0 || k > 22 || v * powers[k] >= 9007199254740991.0)
        return false;
    uint64_t m = (uint64_t)(v * powers[k] + 0.5);
    if (m == 0 || !reads_back((double)m / powers[k], v, narrow))
        return false;
    d->count = 0;
    d->more = false;
    for (uint64_t rest = m; rest; rest /= 10)
        d->count++;
    for (int i = d->count; i-- > 0; m /= 10)
        d->digits[i] = (uint8_t)(m % 10);
    d->point = d->count - k;
    trim_zeros(d);
    return true;
}

/* The fewest digits that read back, of a positive number. */
static size_t put_float(double v, bool narrow, char *out)
{
    decimal d;
    for (int digits = narrow ? 6 : 15; digits <= (narrow ? 9 : 15); digits++)
        if (is_short(v, narrow, digits, &d))
            return put(out, &d, DC_FLOAT_SIZE - 8);
    decimal exact;
    from_double(&exact, v);
    for (int n = narrow || v < 1e-300 ? 1 : 15;; n++) { /* subnormal numbers have few */
        double back;
        d = rounded(&exact, n, false);
        size_t length = put(out, &d, DC_FLOAT_SIZE - 8);
        if (n >= 17 || (dc_decimal_parse(dc_span_make(out, length), &back) == DC_OK && reads_back(back, v, narrow)))
            return length;
    }
}

size_t dc_float_format(double v, bool narrow, char *out)
{
    char text[64];
    size_t n;
    bool negative = v < 0 || (v == 0 && 1 / v < 0);
    double size = negative ? -v : v;
    if (v != v || size > 1.7976931348623157e308) {
        memcpy(text, v != v ? "NaN" : "inf", n = 3);
    } else if (size > 0) {
        n = put_float(size, narrow, text);
    } else {
        text[0] = '0';
        n = 1;
    }
    out[0] = '-';
    memcpy(out + negative, text, n);
    return n + negative;
}
