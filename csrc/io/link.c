/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "halves.h"

enum { LINGER = 1000 }; /* ms that the peer has to read our last words once the owner let go */

static void try_address(dc_link *k);

int64_t dc_link_now(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

/* ---- end of life ---- */

static void unref(dc_link *k)
{
    if (--k->refs > 0)
        return;
    dc_link_drop_arrivals(k);
    dc_buf_free(&k->acse);
    dc_message_reset(&k->message);
    dc_assoc_free(k->assoc);
    if (k->addresses)
        uv_freeaddrinfo(k->addresses);
    free(k->folder);
    free(k->out);
    free(k);
}

static void on_timer_closed(uv_handle_t *h)
{
    unref(h->data);
}

static void on_poll_closed(uv_handle_t *h)
{
    unref(h->data);
    free(h);
}

static void close_socket(dc_link *k)
{
    if (k->poll)
        uv_close((uv_handle_t *)k->poll, on_poll_closed);
    k->poll = NULL;
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
}

/* Everything that costs is given back; what the owner has yet to see stays. */
void dc_link_shut(dc_link *k)
{
    if (k->closing)
        return;
    k->closing = true;
    close_socket(k);
    if (k->timed)
        uv_close((uv_handle_t *)&k->timer, on_timer_closed);
    k->timed = false;
    if (k->looking)
        uv_cancel((uv_req_t *)&k->lookup); /* under way: its answer is thrown away */
    dc_link_drop_sendings(k);
    if (k->out)
        dc_link_give_back(k);
    dc_sink_drop(&k->sink);
    if (k->detached)
        dc_loop_forget(&k->watch);
}

void dc_link_finish(dc_link *k, dc_link_end end, dc_status status, int error)
{
    if (k->end == DC_LINK_OPEN) {
        k->end = end;
        k->status = status;
        k->error = error;
        dc_link_drop_sendings(k);
        dc_sink_drop(&k->sink); /* a message that will not be completed */
        k->receiving = false;
    }
    dc_loop_ready(k->loop, &k->watch);
}

void dc_link_fail(dc_link *k, dc_status status, int error)
{
    dc_link_finish(k, DC_LINK_FAILED, status, error);
    dc_link_shut(k);
}

/* ---- events of the socket ---- */

static void on_poll(uv_poll_t *p, int status, int events)
{
    dc_link *k = p->data;
    if (!k->connected) {
        int err = dc_stream_connected(k->fd); /* what libuv says of a refused connection is "bad file descriptor" */
        if (!err && status < 0)
            err = status;
        if (err) {
            k->error = -err;
            close_socket(k);
            k->address = k->address->ai_next;
            try_address(k);
            return;
        }
        k->connected = true;
        k->progress = dc_link_now();
        dc_assoc_tick(k->assoc, k->progress);
    } else if (status < 0) {
        dc_link_lost(k, -status);
    } else if (events & (UV_READABLE | UV_DISCONNECT)) {
        dc_link_receive(k);
    }
    dc_link_pump(k);
    dc_link_arm(k);
}

void dc_link_want(dc_link *k, bool writing)
{
    bool reading = k->arrivals < DC_LINK_BACKLOG && k->sendings < DC_LINK_BACKLOG;
    int events = (reading ? UV_READABLE : 0) | (writing ? UV_WRITABLE : 0);
    if (!k->poll || events == k->events)
        return;
    k->events = events;
    if (events)
        uv_poll_start(k->poll, events, on_poll);
    else
        uv_poll_stop(k->poll);
}

/* ---- time ---- */

/* When something is late, in ms of now_ms; INT64_MAX: never. */
static int64_t deadline(const dc_link *k)
{
    if (!k->connected)
        return k->began + k->timeouts.connect;
    int64_t at = dc_assoc_deadline(k->assoc);
    if (at < 0)
        at = INT64_MAX;
    if (k->detached)
        return at < k->began + LINGER ? at : k->began + LINGER;
    if (dc_assoc_get_state(k->assoc) != DC_STATE_OPEN)
        return at;
    int64_t own = INT64_MAX;
    if (k->receiving || k->sending || k->outstanding || k->out_at < k->out_len)
        own = k->progress + k->timeouts.dimse;
    else if (!k->unanswered && !k->arrivals)
        own = k->progress + k->timeouts.idle;
    return own < at ? own : at;
}

static void late(dc_link *k)
{
    bool busy = k->receiving || k->sending || k->outstanding || k->out_at < k->out_len;
    if (!k->connected) {
        dc_link_fail(k, DC_E_TIMEOUT, 0);
    } else if (k->detached) {
        dc_link_shut(k);
    } else if (dc_assoc_get_state(k->assoc) == DC_STATE_OPEN) {
        k->progress = dc_link_now();
        if (busy || !k->requestor) {
            dc_link_finish(k, DC_LINK_FAILED, DC_E_TIMEOUT, 0);
            k->out_at = k->out_len; /* a peer that does not read will not read the rest, either */
            dc_assoc_abort(k->assoc, 0, 0);
        } else {
            dc_assoc_release(k->assoc);
        }
        dc_assoc_tick(k->assoc, k->progress);
    }
}

static void on_timer(uv_timer_t *t)
{
    dc_link *k = t->data;
    int64_t now = dc_link_now();
    if (k->connected) {
        dc_assoc_tick(k->assoc, now);
        dc_link_take_events(k);
    }
    if (!k->closing && deadline(k) <= now)
        late(k);
    if (!k->closing && k->connected) {
        dc_link_take_events(k);
        dc_link_pump(k);
    }
    dc_link_arm(k);
}

void dc_link_arm(dc_link *k)
{
    if (k->closing || !k->timed)
        return;
    int64_t at = deadline(k), now = dc_link_now();
    if (at == INT64_MAX)
        uv_timer_stop(&k->timer);
    else
        uv_timer_start(&k->timer, on_timer, at > now ? (uint64_t)(at - now) : 1, 0);
}

/* ---- beginnings ---- */

static bool start_poll(dc_link *k, int events)
{
    k->poll = malloc(sizeof *k->poll);
    if (!k->poll || uv_poll_init(&k->loop->uv, k->poll, k->fd) != 0) {
        free(k->poll);
        k->poll = NULL;
        return false;
    }
    k->poll->data = k;
    k->refs++;
    k->events = events;
    return uv_poll_start(k->poll, events, on_poll) == 0;
}

/* Connects to the address at hand, or the one after it. */
static void try_address(dc_link *k)
{
    for (; k->address; k->address = k->address->ai_next) {
        k->fd = dc_stream_connect(k->address->ai_addr, k->address->ai_addrlen);
        if (k->fd < 0) {
            k->error = -k->fd;
            k->fd = -1;
            continue;
        }
        if (start_poll(k, UV_WRITABLE))
            return;
        k->error = ENOMEM;
        break;
    }
    dc_link_fail(k, DC_E_SYSTEM, k->error ? k->error : ENETUNREACH);
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    dc_link *k = request->data;
    k->looking = false;
    k->addresses = k->address = list;
    if (!k->closing && status != 0) {
        k->unknown_host = true;
        dc_link_fail(k, DC_E_SYSTEM, EHOSTUNREACH);
    } else if (!k->closing) {
        try_address(k);
        dc_link_arm(k);
    }
    unref(k);
}

static dc_link *link_new(dc_loop *l, bool requestor, const dc_link_timeouts *t)
{
    dc_assoc_timers timers = { .acse = t->acse };
    dc_link *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->assoc = dc_assoc_new(requestor, &timers);
    if (!k->assoc) {
        free(k);
        return NULL;
    }
    k->loop = l;
    k->fd = -1;
    k->offset = UINT64_MAX;
    k->requestor = requestor;
    k->timeouts = *t;
    k->limit = UINT64_C(512) << 20;
    k->began = k->progress = dc_link_now();
    dc_message_init(&k->message);
    uv_timer_init(&l->uv, &k->timer);
    k->timer.data = k;
    k->timed = true;
    k->refs = 2; /* owner and timer */
    dc_loop_own(l, &k->watch);
    return k;
}

dc_link *dc_link_connect(dc_loop *l, const char *host, int port, const dc_link_timeouts *t,
                         const dc_assoc_params *params, dc_status *status)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    char service[8];
    dc_link *k = link_new(l, true, t);
    *status = DC_E_MEMORY;
    if (!k)
        return NULL;
    snprintf(service, sizeof service, "%d", port);
    k->lookup.data = k;
    *status = dc_assoc_request(k->assoc, params);
    if (*status == DC_OK && uv_getaddrinfo(&l->uv, &k->lookup, on_lookup, host, service, &hints) != 0)
        *status = DC_E_SYSTEM;
    if (*status) {
        dc_link_release(k);
        return NULL;
    }
    k->looking = true;
    k->refs++;
    dc_link_arm(k);
    return k;
}

dc_link *dc_link_accept(dc_loop *l, int fd, const dc_address *peer, const dc_link_timeouts *t)
{
    dc_link *k = link_new(l, false, t);
    if (!k) {
        close(fd);
        return NULL;
    }
    k->fd = fd;
    k->address_text = *peer;
    k->connected = true;
    if (!start_poll(k, UV_READABLE)) {
        dc_link_release(k);
        return NULL;
    }
    dc_assoc_tick(k->assoc, k->progress);
    dc_link_arm(k);
    return k;
}

/* ---- what the owner does ---- */

static void end_linger(dc_watch *w)
{
    dc_link_shut((dc_link *)w); /* the watch is the first member */
}

void dc_link_release(dc_link *k)
{
    dc_loop *l = k->loop;
    if (!k->closing && k->connected && k->end == DC_LINK_OPEN)
        dc_link_abort(k);
    bool speaking = !k->closing && k->connected;
    k->watch.id = 0;
    if (speaking) {
        k->began = dc_link_now();
        k->detached = true;
        dc_loop_detach(l, &k->watch, end_linger);
        dc_link_arm(k);
    } else {
        dc_link_shut(k);
        dc_loop_forget(&k->watch);
    }
    unref(k);
    dc_loop_disown(l, NULL);
}

bool dc_link_take_request(dc_link *k)
{
    bool told = !k->requestor && k->accepted;
    k->accepted = k->accepted && !told;
    return told;
}

bool dc_link_take_accepted(dc_link *k)
{
    bool told = k->requestor && k->accepted;
    k->accepted = k->accepted && !told;
    return told;
}

static dc_status said(dc_link *k, dc_status st)
{
    if (st != DC_OK)
        return st;
    dc_assoc_tick(k->assoc, dc_link_now());
    dc_link_take_events(k);
    dc_link_pump(k);
    dc_link_arm(k);
    return DC_OK;
}

dc_status dc_link_answer(dc_link *k, const dc_assoc_params *params)
{
    return k->closing ? DC_E_STATE : said(k, dc_assoc_accept(k->assoc, params));
}

dc_status dc_link_reject(dc_link *k, uint8_t result, uint8_t source, uint8_t reason)
{
    if (k->closing)
        return DC_E_STATE;
    dc_status st = dc_assoc_reject(k->assoc, result, source, reason);
    if (st == DC_OK)
        dc_link_finish(k, DC_LINK_RELEASED, DC_OK, 0);
    return said(k, st);
}

void dc_link_sink(dc_link *k, char *folder, uint64_t limit)
{
    free(k->folder);
    k->folder = folder;
    k->limit = limit;
}

dc_status dc_link_send(dc_link *k, uint8_t context, const dc_command *command, dc_object *object,
                       const dc_writer_options *options)
{
    dc_status st;
    if (k->closing || k->end != DC_LINK_OPEN || dc_assoc_get_state(k->assoc) != DC_STATE_OPEN)
        return DC_E_STATE;
    if (!dc_assoc_context(k->assoc, context))
        return DC_E_CONTEXT;
    dc_sending *s = dc_sending_new(context, command, object, options, &st);
    if (!s)
        return st;
    if (k->sending_last)
        k->sending_last->next = s;
    else
        k->sending = s;
    k->sending_last = s;
    k->sendings++;
    if (!(command->field & DC_RESPONSE) && command->field != DC_C_CANCEL)
        k->outstanding++;
    else if (k->unanswered && (command->status & 0xFF00) != 0xFF00)
        k->unanswered--;
    k->progress = dc_link_now();
    return said(k, DC_OK);
}

bool dc_link_is_idle(dc_link *k)
{
    return !k->closing && k->end == DC_LINK_OPEN && dc_assoc_get_state(k->assoc) == DC_STATE_OPEN && !k->receiving &&
           !k->sending && !k->arrivals && !k->outstanding && !k->unanswered && k->out_at == k->out_len &&
           dc_stream_is_quiet(k->fd);
}

dc_status dc_link_close(dc_link *k)
{
    return k->closing || k->end != DC_LINK_OPEN ? DC_E_STATE : said(k, dc_assoc_release(k->assoc));
}

void dc_link_abort(dc_link *k)
{
    if (k->closing || k->end != DC_LINK_OPEN)
        return;
    dc_link_finish(k, DC_LINK_FAILED, DC_E_CANCELLED, 0);
    if (!k->connected) {
        dc_link_shut(k);
        return;
    }
    dc_assoc_abort(k->assoc, 0, 0); /* service user (PS3.8 9.3.8) */
    said(k, DC_OK);
}
