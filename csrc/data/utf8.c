/* SPDX-License-Identifier: MIT */
#include "coded.h"

size_t dc_utf8_next(dc_span s, size_t at, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = s.ptr[at];
    size_t n = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (n == 0 || n > s.len - at)
        return 0;
    uint32_t v = n == 1 ? first : first & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s.ptr[at + i] & 0xC0) != 0x80)
            return 0;
        v = v << 6 | (s.ptr[at + i] & 0x3F);
    }
    if (v < least[n] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
        return 0;
    *c = v;
    return n;
}

void dc_utf8_put(dc_buf *out, uint32_t c)
{
    uint8_t p[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        p[i] = (uint8_t)(0x80 | (c & 0x3F));
    p[0] = (uint8_t)(n == 1 ? c : (0xF00u >> n & 0xFF) | c);
    dc_buf_add(out, p, n);
}

static size_t valid_length(dc_span s)
{
    size_t at = 0;
    for (uint32_t c; at < s.len;) {
        size_t n = s.ptr[at] < 0x80 ? 1 : dc_utf8_next(s, at, &c);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

bool dc_utf8_valid(dc_span s)
{
    return valid_length(s) == s.len;
}

int dc_cell_of(const uint16_t *cells, const uint16_t *order, uint32_t count, uint32_t c)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (cells[order[middle]] < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && cells[order[low]] == c ? order[low] : -1;
}
