/* SPDX-License-Identifier: MIT */
/* Any bytes from a peer: events or an abort, on the side that asks and on the side that answers, before the association
   is open and after. Cut into pieces they must give the same events; and close comes last, once. */
#include <stdlib.h>

#include "../../csrc/wire/contexts.h"
#include "../../csrc/wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct side {
    dc_assoc *assoc;
    dc_message message;
    uint64_t heard, said; /* hashes: the order between the two depends on the cuts */
    bool closed, broken;
} side;

static void mix(uint64_t *hash, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *hash = (*hash ^ ((const uint8_t *)p)[i]) * UINT64_C(1099511628211);
}

static void mix_number(side *s, uint64_t v)
{
    mix(&s->heard, &v, sizeof v);
}

static dc_assoc_params params_of(dc_context *contexts, uint32_t count)
{
    dc_assoc_params p = { .called = "THEM", .calling = "US", .max_pdu = 4096, .has_window = true, .invoked = 2,
                          .contexts = contexts, .context_count = count };
    strcpy(p.implementation_uid, DC_IMPLEMENTATION_UID);
    return p;
}

static void request(dc_assoc *a)
{
    const char *syntaxes[] = { "1.2.840.10008.1.2", "1.2.840.10008.1.2.1" };
    dc_context contexts[] = { { 1, 0, -1, -1, "1.2.840.10008.1.1", syntaxes, 1 },
                              { 3, 0, 1, 1, "1.2.840.10008.5.1.4.1.1.2", syntaxes, 2 } };
    dc_assoc_params p = params_of(contexts, 2);
    if (dc_assoc_request(a, &p))
        abort();
}

static bool takes_any(const char *abstract)
{
    return abstract[0] != 0;
}

static void answer(dc_assoc *a, const dc_assoc_params *theirs)
{
    const dc_support any = { .takes = takes_any, .roles = DC_ROLE_SCU | DC_ROLE_SCP };
    dc_arena arena;
    dc_context *answers;
    dc_arena_init(&arena);
    if (dc_contexts_answer(theirs, &any, 1, &arena, &answers))
        abort();
    dc_assoc_params p = params_of(answers, theirs->context_count);
    if (dc_assoc_accept(a, &p))
        abort(); /* what contexts.c answers, assoc.c takes */
    dc_arena_free(&arena);
}

/* Bytes of a data set are heard one by one, so that pieces do not show in the trace. */
static void hear_message(side *s, const dc_message_event *e)
{
    if (e->kind != DC_MESSAGE_DATA)
        mix_number(s, (uint64_t)e->kind << 32 | e->context);
    if (e->kind == DC_MESSAGE_COMMAND)
        mix(&s->heard, e->command, sizeof *e->command);
    else
        mix(&s->heard, e->data.ptr, e->data.len);
}

static void hear_data(side *s, const dc_assoc_event *event)
{
    dc_message_event e;
    if (s->broken)
        return;
    dc_status st = dc_message_feed(&s->message, event);
    while (st == DC_OK && (st = dc_message_next(&s->message, &e)) == DC_OK)
        hear_message(s, &e);
    if (st == DC_MORE)
        return;
    s->broken = true;
    mix_number(s, (uint64_t)(int64_t)st);
    mix_number(s, s->message.offending);
}

static void hear(side *s)
{
    dc_assoc_event e;
    while (dc_assoc_next(s->assoc, &e) == DC_OK) {
        if (s->closed)
            abort();
        s->closed = e.kind == DC_EVENT_CLOSE;
        if (e.kind == DC_EVENT_DATA) {
            hear_data(s, &e);
            continue;
        }
        mix_number(s, (uint64_t)e.kind | (uint64_t)e.result << 8 | (uint64_t)e.source << 16 | (uint64_t)e.reason << 24);
        mix_number(s, (uint64_t)(int64_t)e.status ^ e.offset);
        if (e.kind == DC_EVENT_REQUESTED)
            answer(s->assoc, e.params);
        else if (e.kind == DC_EVENT_RELEASE && dc_assoc_release_reply(s->assoc))
            abort();
    }
    mix(&s->said, dc_assoc_out(s->assoc)->ptr, dc_assoc_out(s->assoc)->len);
    dc_assoc_out(s->assoc)->len = 0;
}

static void feed(side *s, dc_span bytes, size_t step)
{
    for (size_t at = 0; at < bytes.len; at += step) {
        size_t n = bytes.len - at < step ? bytes.len - at : step;
        uint8_t *piece = malloc(n); /* of its own, so that the sanitizer sees what is read beyond it or kept */
        if (!piece)
            abort();
        memcpy(piece, bytes.ptr + at, n);
        dc_assoc_feed(s->assoc, dc_span_make(piece, n));
        hear(s);
        free(piece);
    }
}

static void act(side *s, unsigned what, int64_t now)
{
    uint8_t header[DC_DATA_HEADER];
    switch (what & 7) {
    case 0: (void)dc_assoc_release(s->assoc); break;
    case 1: dc_assoc_abort(s->assoc, 0, 0); break;
    case 2: (void)dc_assoc_data_header(s->assoc, 1, true, true, 4, header); break;
    case 3: (void)dc_assoc_reject(s->assoc, 1, 1, 1); break;
    case 4: dc_assoc_closed(s->assoc); break;
    default: dc_assoc_tick(s->assoc, now);
    }
    hear(s);
}

/* The other half of a handshake, so that the bytes meet an open association. */
static void open_up(side *s, bool requestor)
{
    dc_assoc *peer = dc_assoc_new(!requestor, NULL);
    if (!peer)
        abort();
    if (!requestor)
        request(peer);
    dc_buf *out = dc_assoc_out(requestor ? s->assoc : peer);
    if (requestor) {
        dc_assoc_event e;
        dc_assoc_feed(peer, dc_buf_span(out));
        while (dc_assoc_next(peer, &e) == DC_OK)
            answer(peer, e.params);
        out->len = 0;
        out = dc_assoc_out(peer);
    }
    feed(s, dc_buf_span(out), SIZE_MAX / 2);
    if (dc_assoc_get_state(s->assoc) != DC_STATE_OPEN)
        abort();
    dc_assoc_free(peer);
}

static uint64_t run(uint8_t mode, unsigned local, dc_span bytes, size_t step)
{
    bool requestor = mode & 1;
    side s = { .assoc = dc_assoc_new(requestor, NULL), .heard = 1, .said = 1 };
    if (!s.assoc)
        abort();
    dc_message_init(&s.message);
    if (requestor)
        request(s.assoc);
    if (mode & 2)
        open_up(&s, requestor);
    if (mode & 4)
        (void)dc_assoc_release(s.assoc);
    size_t half = local ? bytes.len / 2 : bytes.len;
    feed(&s, dc_span_make(bytes.ptr, half), step);
    for (unsigned i = 0; local && i < 4; i++) /* four calls, chosen by overlapping bits of `local` */
        act(&s, local >> (2 * i), (int64_t)i * 40000);
    feed(&s, dc_span_make(bytes.ptr + half, bytes.len - half), step);
    dc_assoc_closed(s.assoc);
    hear(&s);
    if (!s.closed || dc_assoc_get_state(s.assoc) != DC_STATE_IDLE)
        abort();
    dc_message_reset(&s.message);
    dc_assoc_free(s.assoc);
    return s.heard * 31 + s.said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    dc_span bytes = dc_span_make(data + 3, size - 3);
    unsigned local = data[0] & 8 ? data[1] : 0;
    uint64_t whole = run(data[0], local, bytes, SIZE_MAX / 2), cut = run(data[0], local, bytes, (size_t)data[2] + 1);
    if (whole != cut)
        abort();
    return 0;
}
