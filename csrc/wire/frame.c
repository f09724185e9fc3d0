/* SPDX-License-Identifier: MIT */
/* Cuts a stream of bytes into PDUs (PS3.8 9.3.1) and P-DATA-TF PDUs into pieces of PDVs. */
#include "pdu.h"

void dc_framer_init(dc_framer *f)
{
    memset(f, 0, sizeof *f);
    dc_buf_init(&f->body);
    f->start = f->header; /* an empty input that is not NULL */
    f->input = dc_cursor_of(dc_span_make(f->header, 0));
}

void dc_framer_free(dc_framer *f)
{
    dc_buf_free(&f->body);
}

uint64_t dc_framer_offset(const dc_framer *f)
{
    return f->before + (uint64_t)(f->input.at - f->start);
}

void dc_framer_feed(dc_framer *f, dc_span received)
{
    if (received.len == 0)
        return;
    f->before += (uint64_t)(f->input.end - f->start); /* what nobody took, after the last failure, was received too */
    f->start = received.ptr;
    f->input = dc_cursor_of(received);
}

void dc_framer_choose(dc_framer *f, dc_frame_mode mode)
{
    f->mode = (uint8_t)mode;
    f->have = 0;
    f->left = f->length;
    f->in_value = false;
    f->body.len = 0;
}

static void pdu_ends(dc_framer *f)
{
    f->mode = DC_FRAME_READ_HEADER;
    f->have = 0;
}

/* Collects `want` header bytes over as many feeds as it takes; true when they are there. */
static bool header_complete(dc_framer *f, uint8_t want)
{
    size_t n = dc_cursor_left(&f->input);
    if (n > (size_t)(want - f->have))
        n = (size_t)(want - f->have);
    if (n) {
        memcpy(f->header + f->have, dc_cursor_take(&f->input, n).ptr, n);
        f->have = (uint8_t)(f->have + n);
    }
    return f->have == want;
}

/* The type is looked at before the rest of the header is there: HTTP or TLS on this port ends at its first byte. */
static dc_status next_header(dc_framer *f, dc_frame *frame)
{
    if (f->have == 0) {
        if (!header_complete(f, 1))
            return DC_MORE;
        if (f->header[0] < DC_PDU_ASSOCIATE_RQ || f->header[0] > DC_PDU_ABORT)
            return DC_E_PDU_TYPE;
    }
    if (!header_complete(f, DC_PDU_HEADER))
        return DC_MORE;
    f->type = f->header[0];
    f->length = dc_get32(f->header + 2, true);
    *frame = (dc_frame){ .kind = DC_FRAME_HEADER, .type = f->type, .length = f->length };
    return DC_OK;
}

static dc_span take_at_most(dc_framer *f, uint32_t limit)
{
    size_t n = dc_cursor_left(&f->input);
    return dc_cursor_take(&f->input, n < limit ? n : limit);
}

static dc_status next_body(dc_framer *f, dc_frame *frame)
{
    dc_span part = take_at_most(f, f->left);
    f->left -= (uint32_t)part.len;
    if (dc_buf_add(&f->body, part.ptr, part.len))
        return DC_E_MEMORY;
    if (f->left)
        return DC_MORE;
    *frame = (dc_frame){ .kind = DC_FRAME_BODY, .type = f->type, .length = f->length, .bytes = dc_buf_span(&f->body) };
    pdu_ends(f);
    return DC_OK;
}

static dc_status skip_body(dc_framer *f)
{
    f->left -= (uint32_t)take_at_most(f, f->left).len;
    if (f->left)
        return DC_MORE;
    pdu_ends(f);
    return DC_OK;
}

static dc_status pdv_header(dc_framer *f)
{
    if (f->have == 0 && f->left < DC_PDV_HEADER)
        return DC_E_PDU;
    if (!header_complete(f, DC_PDV_HEADER))
        return DC_MORE;
    uint32_t length = dc_get32(f->header, true); /* context id and control header are counted in it */
    f->have = 0;
    f->left -= DC_PDV_HEADER;
    if (length < 2 || length - 2 > f->left)
        return DC_E_PDU;
    f->value_left = length - 2;
    f->context = f->header[4];
    f->control = f->header[5];
    f->in_value = true;
    return DC_OK;
}

static dc_status next_piece(dc_framer *f, dc_frame *frame)
{
    if (!f->in_value) {
        dc_status st = pdv_header(f);
        if (st)
            return st;
    }
    if (f->value_left && dc_cursor_left(&f->input) == 0)
        return DC_MORE;
    dc_span part = take_at_most(f, f->value_left);
    f->value_left -= (uint32_t)part.len;
    f->left -= (uint32_t)part.len;
    *frame = (dc_frame){ .kind = DC_FRAME_PIECE, .type = f->type, .length = f->length, .bytes = part,
                         .context = f->context, .command = f->control & 1, .last = f->control >> 1 & 1,
                         .ends = f->value_left == 0 };
    if (frame->ends) {
        f->in_value = false;
        if (f->left == 0)
            pdu_ends(f);
    }
    return DC_OK;
}

dc_status dc_framer_next(dc_framer *f, dc_frame *frame)
{
    dc_status st = DC_OK;
    while (st == DC_OK && f->mode == DC_FRAME_SKIP)
        st = skip_body(f);
    if (st)
        return st;
    switch (f->mode) {
    case DC_FRAME_COLLECT: return next_body(f, frame);
    case DC_FRAME_DATA: return next_piece(f, frame);
    default: return next_header(f, frame);
    }
}
