/* SPDX-License-Identifier: MIT */
/* The receiving half of a link: bytes to events, data sets to their sink. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "halves.h"

void dc_arrival_free(dc_arrival *a)
{
    dc_sink_drop(&a->sink);
    free(a);
}

void dc_link_drop_arrivals(dc_link *k)
{
    for (dc_arrival *a; (a = k->first);) {
        k->first = a->next;
        dc_arrival_free(a);
    }
    k->last = NULL;
    k->arrivals = 0;
}

static dc_status message_begins(dc_link *k, const dc_message_event *e)
{
    const dc_command *c = e->command;
    const dc_context *context = dc_assoc_context(k->assoc, e->context);
    if (!context)
        return DC_E_CONTEXT;
    k->receiving = true;
    if (c->data_set_type == DC_NO_DATA_SET)
        return DC_OK;
    if (c->field != DC_C_STORE || !k->folder) {
        dc_sink_open(&k->sink, NULL, dc_span_make(NULL, 0), k->limit);
        return DC_OK;
    }
    dc_buf head;
    dc_buf_init(&head);
    const char *syntax = context->transfers[0];
    dc_status st = dc_part10_head(&head, dc_span_make(c->sop_class, strlen(c->sop_class)),
                                  dc_span_make(c->sop_instance, strlen(c->sop_instance)),
                                  dc_span_make(syntax, strlen(syntax)), dc_assoc_peer(k->assoc)->calling);
    if (st == DC_OK)
        dc_sink_open(&k->sink, k->folder, dc_buf_span(&head), k->limit);
    dc_buf_free(&head);
    return st;
}

static dc_status message_ends(dc_link *k, const dc_message_event *e)
{
    dc_arrival *a = calloc(1, sizeof *a);
    if (!a)
        return DC_E_MEMORY;
    if (k->sink.open)
        dc_sink_end(&k->sink);
    a->command = *e->command;
    a->context = e->context;
    a->sink = k->sink;
    memset(&k->sink, 0, sizeof k->sink);
    k->receiving = false;
    if (k->last)
        k->last->next = a;
    else
        k->first = a;
    k->last = a;
    k->arrivals++;
    if (!(a->command.field & DC_RESPONSE) && a->command.field != DC_C_CANCEL)
        k->unanswered++;
    else if (k->outstanding && (a->command.field & DC_RESPONSE) && (a->command.status & 0xFF00) != 0xFF00)
        k->outstanding--; /* FF00H, FF01H: pending (PS3.7 C.4) */
    dc_loop_ready(k->loop, &k->watch);
    return DC_OK;
}

static dc_status take_data(dc_link *k, const dc_assoc_event *data)
{
    dc_message_event e;
    dc_status st = dc_message_feed(&k->message, data);
    while (st == DC_OK && (st = dc_message_next(&k->message, &e)) == DC_OK) {
        if (e.kind == DC_MESSAGE_COMMAND)
            st = message_begins(k, &e);
        else if (e.kind == DC_MESSAGE_DATA)
            dc_sink_add(&k->sink, e.data);
        else
            st = message_ends(k, &e);
    }
    return st == DC_MORE ? DC_OK : st;
}

static void broken(dc_link *k, dc_status st)
{
    dc_link_finish(k, DC_LINK_FAILED, st, 0);
    dc_assoc_abort(k->assoc, 2, 0); /* service provider: no reason given (PS3.8 9.3.8) */
}

static void on_event(dc_link *k, const dc_assoc_event *e)
{
    switch (e->kind) {
    case DC_EVENT_REQUESTED:
    case DC_EVENT_ACCEPTED:
        k->peer = e->params;
        k->accepted = true; /* to be told */
        dc_loop_ready(k->loop, &k->watch);
        break;
    case DC_EVENT_REJECTED:
    case DC_EVENT_ABORTED:
        if (k->end == DC_LINK_OPEN) {
            k->result = e->result;
            k->source = e->source;
            k->reason = e->reason;
        }
        dc_link_finish(k, e->kind == DC_EVENT_REJECTED ? DC_LINK_REJECTED : DC_LINK_ABORTED,
               e->kind == DC_EVENT_REJECTED ? DC_E_REJECTED : DC_E_ABORTED, 0);
        break;
    case DC_EVENT_DATA:
        if (k->end == DC_LINK_OPEN) {
            dc_status st = take_data(k, e);
            if (st)
                broken(k, st);
        }
        break;
    case DC_EVENT_RELEASE:
        dc_assoc_release_reply(k->assoc);
        dc_link_finish(k, DC_LINK_RELEASED, DC_OK, 0);
        break;
    case DC_EVENT_RELEASED:
        dc_link_finish(k, DC_LINK_RELEASED, DC_OK, 0);
        break;
    case DC_EVENT_FAILED:
        if (k->end == DC_LINK_OPEN && e->status != DC_E_CLOSED && e->status != DC_E_TIMEOUT)
            k->offset = e->offset;
        dc_link_finish(k, DC_LINK_FAILED, e->status, 0);
        break;
    case DC_EVENT_CLOSE:
        k->asked = true;
        break;
    }
}

void dc_link_take_events(dc_link *k)
{
    dc_assoc_event e;
    while (!k->closing && dc_assoc_next(k->assoc, &e) == DC_OK)
        on_event(k, &e);
    if (k->sink.open)
        dc_sink_flush(&k->sink); /* its pieces lie in the block that is read into next */
}

void dc_link_lost(dc_link *k, int error)
{
    dc_assoc_closed(k->assoc);
    dc_link_take_events(k);
    dc_link_fail(k, DC_E_CLOSED, error == ECONNRESET ? 0 : error);
}

void dc_link_receive(dc_link *k)
{
    ssize_t n = dc_stream_read(k->fd, k->loop->block, DC_LOOP_BLOCK);
    if (n == -EAGAIN || n == -EWOULDBLOCK)
        return;
    if (n <= 0) {
        dc_link_lost(k, (int)-n);
        return;
    }
    k->progress = dc_link_now();
    dc_assoc_feed(k->assoc, dc_span_make(k->loop->block, (size_t)n));
    dc_assoc_tick(k->assoc, k->progress);
    dc_link_take_events(k);
}

dc_arrival *dc_link_take(dc_link *k)
{
    dc_arrival *a = k->first;
    if (!a)
        return NULL;
    k->first = a->next;
    if (!k->first)
        k->last = NULL;
    k->arrivals--;
    if (!k->closing && k->connected)
        dc_link_want(k, (k->events & UV_WRITABLE) != 0);
    dc_link_arm(k);
    return a;
}
