/* SPDX-License-Identifier: MIT */
/* Any bytes from a peer, in pieces of any size: events or an abort, on the side that asks and on the side that answers. */
#include <stdlib.h>

#include "../../csrc/wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void request(dc_assoc *a)
{
    const char *syntaxes[] = { "1.2.840.10008.1.2" };
    dc_context context = { 1, 0, -1, -1, "1.2.840.10008.1.1", syntaxes, 1 };
    dc_assoc_params params = { .called = "THEM", .calling = "US", .max_pdu = 16384, .contexts = &context,
                               .context_count = 1 };
    strcpy(params.implementation_uid, DC_IMPLEMENTATION_UID);
    (void)dc_assoc_request(a, &params);
}

/* Accepts what was asked for: each context with its first transfer syntax. */
static void answer(dc_assoc *a, const dc_assoc_params *theirs)
{
    dc_assoc_params ours = *theirs;
    dc_context *contexts = calloc(theirs->context_count + 1u, sizeof *contexts);
    if (!contexts)
        abort();
    for (uint32_t i = 0; i < theirs->context_count; i++) {
        contexts[i] = theirs->contexts[i];
        contexts[i].transfer_count = contexts[i].transfer_count ? 1 : 0;
        contexts[i].result = contexts[i].transfer_count ? DC_CONTEXT_ACCEPTED : DC_CONTEXT_TRANSFER;
    }
    ours.contexts = contexts;
    ours.item_count = 0;
    (void)dc_assoc_accept(a, &ours);
    free(contexts);
}

static bool take(dc_assoc *a, dc_message *m)
{
    dc_assoc_event event;
    dc_message_event part;
    while (dc_assoc_next(a, &event) == DC_OK) {
        if (event.kind == DC_EVENT_REQUESTED)
            answer(a, event.params);
        else if (event.kind == DC_EVENT_RELEASE)
            (void)dc_assoc_release_reply(a);
        else if (event.kind == DC_EVENT_CLOSE)
            return false;
        if (event.kind != DC_EVENT_DATA)
            continue;
        dc_status st = dc_message_feed(m, &event);
        while (st == DC_OK)
            st = dc_message_next(m, &part);
        if (st != DC_MORE)
            dc_assoc_abort(a, 0, 0);
    }
    dc_assoc_out(a)->len = 0;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    dc_assoc *a = dc_assoc_new(data[0] & 1, NULL);
    dc_message m;
    if (!a)
        abort();
    dc_message_init(&m);
    if (data[0] & 1)
        request(a);
    size_t step = (size_t)data[1] + 1;
    for (size_t at = 2; at < size && take(a, &m); at += step)
        dc_assoc_feed(a, dc_span_make(data + at, size - at < step ? size - at : step));
    (void)take(a, &m);
    dc_message_reset(&m);
    dc_assoc_free(a);
    return 0;
}
