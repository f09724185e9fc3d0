/* SPDX-License-Identifier: MIT */
/* GB18030 and GBK: one, two, and (GB18030) four bytes a character. */
#include "coded.h"

enum { TRAILS = 190, BMP = 39420, ASTRAL = 189000 }; /* indices of four bytes: what is left of the BMP, from U+10000 */

static int trail_index(uint8_t t)
{
    return t < 0x40 || t == 0x7F || t == 0xFF ? -1 : t - 0x40 - (t > 0x7F);
}

static uint32_t from_index(uint32_t index)
{
    if (index >= ASTRAL)
        return index - ASTRAL <= 0xFFFFF ? index - ASTRAL + 0x10000 : 0;
    if (index >= BMP)
        return 0;
    uint32_t run = 0;
    for (uint32_t step = 128; step; step /= 2)
        if (run + step < dc_gen_gb_run_count && dc_gen_gb_runs[run + step][1] <= index)
            run += step;
    return dc_gen_gb_runs[run][0] + index - dc_gen_gb_runs[run][1];
}

/* c is in no two-byte code. */
static uint32_t index_of(uint32_t c)
{
    if (c >= 0x10000)
        return c - 0x10000 + ASTRAL;
    uint32_t run = 0;
    for (uint32_t step = 128; step; step /= 2)
        if (run + step < dc_gen_gb_run_count && dc_gen_gb_runs[run + step][0] <= c)
            run += step;
    return dc_gen_gb_runs[run][1] + c - dc_gen_gb_runs[run][0];
}

/* The character at p; its bytes in *n. 0: none. */
static uint32_t read_one(bool gb18030, const uint8_t *p, size_t left, size_t *n)
{
    *n = 1;
    if (p[0] < 0x80)
        return p[0];
    if (p[0] == 0x80 || p[0] == 0xFF || left < 2)
        return 0;
    int trail = trail_index(p[1]);
    *n = 2;
    if (trail >= 0)
        return dc_gen_gb[(p[0] - 0x81) * TRAILS + trail];
    *n = 4;
    if (!gb18030 || left < 4 || p[1] < 0x30 || p[1] > 0x39 || p[2] < 0x81 || p[2] > 0xFE || p[3] < 0x30 || p[3] > 0x39)
        return 0;
    return from_index((((uint32_t)p[0] - 0x81) * 10 + p[1] - 0x30) * 1260 + ((uint32_t)p[2] - 0x81) * 10 + p[3] - 0x30);
}

dc_status dc_gb_decode(bool gb18030, dc_span text, dc_buf *out, size_t *bad)
{
    for (size_t at = 0, n; at < text.len; at += n) {
        uint32_t c = read_one(gb18030, text.ptr + at, text.len - at, &n);
        if (c == 0 && text.ptr[at] != 0) {
            *bad = at;
            return DC_E_CHARSET;
        }
        dc_utf8_put(out, c);
    }
    return out->failed ? DC_E_MEMORY : DC_OK;
}

static bool in_gbk(uint32_t code)
{
    for (uint32_t i = 0; i < dc_gen_not_gbk_count; i++)
        if (code >= dc_gen_not_gbk[i][0] && code <= dc_gen_not_gbk[i][1])
            return false;
    return true;
}

static dc_status put_one(bool gb18030, uint32_t c, dc_buf *out)
{
    if (c < 0x80)
        return dc_buf_u8(out, (uint8_t)c);
    int cell = c < 0x10000 ? dc_cell_of(dc_gen_gb, dc_gen_gb_order, dc_gen_gb_count, c) : -1;
    if (cell >= 0) {
        uint32_t trail = (uint32_t)cell % TRAILS + 0x40;
        uint32_t code = ((uint32_t)cell / TRAILS + 0x81) << 8 | (trail + (trail > 0x7E));
        return gb18030 || in_gbk(code) ? dc_buf_u16(out, (uint16_t)code, true) : DC_E_CHARSET;
    }
    if (!gb18030)
        return DC_E_CHARSET;
    uint32_t index = index_of(c);
    dc_buf_u16(out, (uint16_t)((index / 12600 + 0x81) << 8 | (index / 1260 % 10 + 0x30)), true);
    return dc_buf_u16(out, (uint16_t)((index / 10 % 126 + 0x81) << 8 | (index % 10 + 0x30)), true);
}

dc_status dc_gb_encode(bool gb18030, dc_span utf8, dc_buf *out)
{
    for (size_t at = 0, n; at < utf8.len; at += n) {
        uint32_t c = 0;
        n = dc_utf8_next(utf8, at, &c);
        dc_status st = n ? put_one(gb18030, c, out) : DC_E_CHARSET;
        if (st)
            return st;
    }
    return DC_OK;
}
