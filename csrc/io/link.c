/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link.h"

enum {
    BACKLOG = 16,            /* messages waiting for the owner, or for the peer, before we stop reading */
    LINGER = 1000,           /* ms that the peer has to read our last words once the owner let go */
    BLOCKS_AT_ONCE = 16,     /* sent in one go before others get their turn */
    HEADED = DC_DATA_HEADER  /* bytes before the value of each PDV */
};

struct dc_sending {
    dc_sending *next;
    uint8_t context;
    bool is_request;
    dc_buf command;
    size_t command_at;
    bool command_sent;
    dc_object *object; /* NULL: no data set */
    dc_writer *writer;
    dc_segment segment;
    uint64_t segment_at;
    bool drained; /* the writer has no more */
};

static void pump(dc_link *k);
static void arm(dc_link *k);
static void try_address(dc_link *k);

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

/* ---- end of life ---- */

static void sending_free(dc_sending *s)
{
    dc_buf_free(&s->command);
    dc_writer_free(s->writer);
    if (s->object)
        dc_object_unref(s->object);
    free(s);
}

static void drop_sendings(dc_link *k)
{
    while (k->sending) {
        dc_sending *s = k->sending;
        k->sending = s->next;
        sending_free(s);
    }
    k->sending_last = NULL;
    k->sendings = 0;
}

void dc_arrival_free(dc_arrival *a)
{
    dc_sink_drop(&a->sink);
    free(a);
}

static void drop_arrivals(dc_link *k)
{
    for (dc_arrival *a; (a = k->first);) {
        k->first = a->next;
        dc_arrival_free(a);
    }
    k->last = NULL;
    k->arrivals = 0;
}

static void give_back_block(dc_link *k)
{
    if (k->loop->spare)
        free(k->out);
    else
        k->loop->spare = k->out;
    k->out = NULL;
    k->out_len = k->out_at = 0;
}

static void unref(dc_link *k)
{
    if (--k->refs > 0)
        return;
    drop_arrivals(k);
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
static void shut(dc_link *k)
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
    drop_sendings(k);
    if (k->out)
        give_back_block(k);
    dc_sink_drop(&k->sink);
    if (k->detached)
        dc_loop_forget(&k->watch);
}

static void finish(dc_link *k, dc_link_end end, dc_status status, int error)
{
    if (k->end == DC_LINK_OPEN) {
        k->end = end;
        k->status = status;
        k->error = error;
        drop_sendings(k);
        dc_sink_drop(&k->sink); /* a message that will not be completed */
        k->receiving = false;
    }
    dc_loop_ready(k->loop, &k->watch);
}

static void fail(dc_link *k, dc_status status, int error)
{
    finish(k, DC_LINK_FAILED, status, error);
    shut(k);
}

/* ---- sending ---- */

static bool borrow_block(dc_link *k)
{
    if (!k->out) {
        k->out = k->loop->spare ? k->loop->spare : malloc(DC_LOOP_BLOCK);
        k->loop->spare = NULL;
    }
    return k->out != NULL;
}

/* Value bytes that the next PDV may have: whole PDUs only, so that an abort never falls into the middle of one. */
static size_t value_room(const dc_link *k)
{
    size_t limit = dc_assoc_send_limit(k->assoc), room = DC_LOOP_BLOCK - k->out_len;
    size_t most = DC_LOOP_BLOCK - HEADED;
    limit = limit > 6 ? limit - 6 : 1; /* item length, context id, control header (PS3.8 9.3.5.1) */
    if (limit > most)
        limit = most;
    if (limit > 1)
        limit &= ~(size_t)1; /* PS3.8 annex E asks for even lengths */
    return room >= limit + HEADED ? limit : 0;
}

static dc_status put_pdu(dc_link *k, uint8_t context, bool command, bool last, size_t n)
{
    dc_status st = dc_assoc_data_header(k->assoc, context, command, last, (uint32_t)n, k->out + k->out_len);
    if (st == DC_OK)
        k->out_len += HEADED + n;
    return st;
}

static dc_status fill_command(dc_link *k, dc_sending *s, size_t room)
{
    size_t n = s->command.len - s->command_at;
    if (n > room)
        n = room;
    memcpy(k->out + k->out_len + HEADED, s->command.ptr + s->command_at, n);
    s->command_at += n;
    s->command_sent = s->command_at == s->command.len;
    return put_pdu(k, s->context, true, s->command_sent, n);
}

/* Makes sure that s->segment has bytes left, or that s->drained. */
static dc_status next_segment(dc_sending *s)
{
    while (!s->drained && s->segment_at == s->segment.length) {
        dc_status st = dc_writer_next(s->writer, &s->segment);
        s->segment_at = 0;
        if (st == DC_DONE)
            s->drained = true;
        else if (st != DC_OK)
            return st;
    }
    return DC_OK;
}

static dc_status fill_data(dc_link *k, dc_sending *s, size_t room)
{
    uint8_t *to = k->out + k->out_len + HEADED;
    size_t n = 0;
    dc_status st = next_segment(s);
    while (st == DC_OK && n < room && !s->drained) {
        uint64_t left = s->segment.length - s->segment_at;
        size_t take = left < room - n ? (size_t)left : room - n;
        if (s->segment.bytes)
            memcpy(to + n, s->segment.bytes + s->segment_at, take);
        else
            st = s->segment.source->read_at(s->segment.source, s->segment.offset + s->segment_at, to + n, take);
        n += take;
        s->segment_at += take;
        if (st == DC_OK)
            st = next_segment(s);
    }
    if (n & 1)
        to[n++] = 0; /* a deflated stream may be odd, what is sent may not (PS3.5 A.5, PS3.8 9.3.5.1) */
    return st ? st : put_pdu(k, s->context, false, s->drained, n);
}

static void sent(dc_link *k)
{
    dc_sending *s = k->sending;
    k->sending = s->next;
    if (!k->sending)
        k->sending_last = NULL;
    k->sendings--;
    sending_free(s);
}

/* As many PDUs of waiting messages as fit into the block. */
static dc_status fill(dc_link *k)
{
    dc_status st = DC_OK;
    while (st == DC_OK && k->sending) {
        dc_sending *s = k->sending;
        size_t room = value_room(k);
        if (room == 0)
            break;
        st = s->command_sent ? fill_data(k, s, room) : fill_command(k, s, room);
        if (s->command_sent && (!s->object || s->drained))
            sent(k);
    }
    return st;
}

static void fill_acse(dc_link *k)
{
    size_t n = k->acse.len - k->acse_at;
    if (n > DC_LOOP_BLOCK)
        n = DC_LOOP_BLOCK;
    memcpy(k->out, k->acse.ptr + k->acse_at, n);
    k->out_len = n;
    k->acse_at += n;
    if (k->acse_at == k->acse.len) {
        dc_buf_free(&k->acse);
        k->acse_at = 0;
    }
}

/* Fills the block anew; false when there is nothing to send. */
static bool refill(dc_link *k)
{
    dc_buf *machine = dc_assoc_out(k->assoc);
    k->out_at = k->out_len = 0;
    if (k->acse.len == 0 && machine->len > 0) {
        k->acse = *machine;
        dc_buf_init(machine);
    }
    if (k->acse.len == 0 && !k->sending)
        return false;
    if (!borrow_block(k)) {
        fail(k, DC_E_MEMORY, 0);
        return false;
    }
    if (k->acse.len > 0) {
        fill_acse(k);
        return true;
    }
    dc_status st = fill(k);
    if (st != DC_OK) { /* half a message is out, or cannot be taken back: nothing but an abort ends it */
        k->out_len = 0;
        finish(k, DC_LINK_FAILED, st, errno);
        dc_assoc_abort(k->assoc, 0, 0);
        return refill(k);
    }
    return k->out_len > 0;
}

static void want(dc_link *k, bool writing);

/* Sends until all is sent or the socket is full. */
static void pump(dc_link *k)
{
    for (int blocks = 0; !k->closing && k->connected; blocks++) {
        if (k->out_at == k->out_len && (blocks == BLOCKS_AT_ONCE || !refill(k)))
            break;
        ssize_t n = dc_stream_write(k->fd, k->out + k->out_at, k->out_len - k->out_at);
        if (n == -EAGAIN || n == -EWOULDBLOCK)
            break;
        if (n < 0) { /* what the peer said before it went is read first */
            k->out_at = k->out_len = 0;
            drop_sendings(k);
            finish(k, DC_LINK_FAILED, n == -EPIPE || n == -ECONNRESET ? DC_E_CLOSED : DC_E_SYSTEM, (int)-n);
            shut(k);
            return;
        }
        k->out_at += (size_t)n;
        k->progress = now_ms();
    }
    if (k->closing || !k->connected)
        return;
    bool more = k->out_at < k->out_len || k->sending || k->acse.len || dc_assoc_out(k->assoc)->len;
    if (!more && k->out)
        give_back_block(k);
    if (!more && k->asked) { /* the machine asked for the connection to be closed */
        shut(k);
        return;
    }
    want(k, more);
}

/* ---- receiving ---- */

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
    finish(k, DC_LINK_FAILED, st, 0);
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
        finish(k, e->kind == DC_EVENT_REJECTED ? DC_LINK_REJECTED : DC_LINK_ABORTED,
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
        finish(k, DC_LINK_RELEASED, DC_OK, 0);
        break;
    case DC_EVENT_RELEASED:
        finish(k, DC_LINK_RELEASED, DC_OK, 0);
        break;
    case DC_EVENT_FAILED:
        if (k->end == DC_LINK_OPEN && e->status != DC_E_CLOSED && e->status != DC_E_TIMEOUT)
            k->offset = e->offset;
        finish(k, DC_LINK_FAILED, e->status, 0);
        break;
    case DC_EVENT_CLOSE:
        k->asked = true;
        break;
    }
}

static void take_events(dc_link *k)
{
    dc_assoc_event e;
    while (!k->closing && dc_assoc_next(k->assoc, &e) == DC_OK)
        on_event(k, &e);
    if (k->sink.open)
        dc_sink_flush(&k->sink); /* its pieces lie in the block that is read into next */
}

static void peer_closed(dc_link *k, int error)
{
    dc_assoc_closed(k->assoc);
    take_events(k);
    fail(k, DC_E_CLOSED, error == ECONNRESET ? 0 : error);
}

static void receive(dc_link *k)
{
    ssize_t n = dc_stream_read(k->fd, k->loop->block, DC_LOOP_BLOCK);
    if (n == -EAGAIN || n == -EWOULDBLOCK)
        return;
    if (n <= 0) {
        peer_closed(k, (int)-n);
        return;
    }
    k->progress = now_ms();
    dc_assoc_feed(k->assoc, dc_span_make(k->loop->block, (size_t)n));
    dc_assoc_tick(k->assoc, k->progress);
    take_events(k);
}

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
        k->progress = now_ms();
        dc_assoc_tick(k->assoc, k->progress);
    } else if (status < 0) {
        peer_closed(k, -status);
    } else if (events & (UV_READABLE | UV_DISCONNECT)) {
        receive(k);
    }
    pump(k);
    arm(k);
}

static void want(dc_link *k, bool writing)
{
    bool reading = k->arrivals < BACKLOG && k->sendings < BACKLOG;
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
        fail(k, DC_E_TIMEOUT, 0);
    } else if (k->detached) {
        shut(k);
    } else if (dc_assoc_get_state(k->assoc) == DC_STATE_OPEN) {
        k->progress = now_ms();
        if (busy || !k->requestor) {
            finish(k, DC_LINK_FAILED, DC_E_TIMEOUT, 0);
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
    int64_t now = now_ms();
    if (k->connected) {
        dc_assoc_tick(k->assoc, now);
        take_events(k);
    }
    if (!k->closing && deadline(k) <= now)
        late(k);
    if (!k->closing && k->connected) {
        take_events(k);
        pump(k);
    }
    arm(k);
}

static void arm(dc_link *k)
{
    if (k->closing || !k->timed)
        return;
    int64_t at = deadline(k), now = now_ms();
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
    fail(k, DC_E_SYSTEM, k->error ? k->error : ENETUNREACH);
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    dc_link *k = request->data;
    k->looking = false;
    k->addresses = k->address = list;
    if (!k->closing && status != 0) {
        k->unknown_host = true;
        fail(k, DC_E_SYSTEM, EHOSTUNREACH);
    } else if (!k->closing) {
        try_address(k);
        arm(k);
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
    k->began = k->progress = now_ms();
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
    arm(k);
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
    arm(k);
    return k;
}

/* ---- what the owner does ---- */

static void end_linger(dc_watch *w)
{
    shut((dc_link *)w); /* the watch is the first member */
}

void dc_link_release(dc_link *k)
{
    dc_loop *l = k->loop;
    if (!k->closing && k->connected && k->end == DC_LINK_OPEN)
        dc_link_abort(k);
    bool speaking = !k->closing && k->connected;
    k->watch.id = 0;
    if (speaking) {
        k->began = now_ms();
        k->detached = true;
        dc_loop_detach(l, &k->watch, end_linger);
        arm(k);
    } else {
        shut(k);
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
        want(k, (k->events & UV_WRITABLE) != 0);
    return a;
}

static dc_status said(dc_link *k, dc_status st)
{
    if (st != DC_OK)
        return st;
    dc_assoc_tick(k->assoc, now_ms());
    take_events(k);
    pump(k);
    arm(k);
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
        finish(k, DC_LINK_RELEASED, DC_OK, 0);
    return said(k, st);
}

void dc_link_sink(dc_link *k, char *folder, uint64_t limit)
{
    free(k->folder);
    k->folder = folder;
    k->limit = limit;
}

static dc_sending *sending_new(uint8_t context, const dc_command *command, dc_object *object,
                               const dc_writer_options *options, dc_status *st)
{
    dc_sending *s = calloc(1, sizeof *s);
    *st = DC_E_MEMORY;
    if (!s)
        return NULL;
    s->context = context;
    *st = dc_command_encode(command, &s->command);
    if (*st == DC_OK && object) {
        s->object = dc_object_ref(object);
        *st = dc_writer_new(object, options, &s->writer);
    }
    if (*st == DC_OK)
        return s;
    sending_free(s);
    return NULL;
}

dc_status dc_link_send(dc_link *k, uint8_t context, const dc_command *command, dc_object *object,
                       const dc_writer_options *options)
{
    dc_status st;
    if (k->closing || k->end != DC_LINK_OPEN || dc_assoc_get_state(k->assoc) != DC_STATE_OPEN)
        return DC_E_STATE;
    if (!dc_assoc_context(k->assoc, context))
        return DC_E_CONTEXT;
    dc_sending *s = sending_new(context, command, object, options, &st);
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
    k->progress = now_ms();
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
    finish(k, DC_LINK_FAILED, DC_E_CANCELLED, 0);
    if (!k->connected) {
        shut(k);
        return;
    }
    dc_assoc_abort(k->assoc, 0, 0); /* service user (PS3.8 9.3.8) */
    said(k, DC_OK);
}
