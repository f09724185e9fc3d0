/* SPDX-License-Identifier: MIT */
/* The sending half of a link: messages to whole PDUs, PDUs to the socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "halves.h"

enum {
    BLOCKS_AT_ONCE = 16,     /* sent in one go before others get their turn */
    HEADED = DC_DATA_HEADER  /* bytes before the value of each PDV */
};

static void sending_free(dc_sending *s)
{
    dc_buf_free(&s->command);
    dc_writer_free(s->writer);
    if (s->object)
        dc_object_unref(s->object);
    free(s);
}

void dc_link_drop_sendings(dc_link *k)
{
    while (k->sending) {
        dc_sending *s = k->sending;
        k->sending = s->next;
        sending_free(s);
    }
    k->sending_last = NULL;
    k->sendings = 0;
}

void dc_link_give_back(dc_link *k)
{
    if (k->loop->spare)
        free(k->out);
    else
        k->loop->spare = k->out;
    k->out = NULL;
    k->out_len = k->out_at = 0;
}

dc_sending *dc_sending_new(uint8_t context, const dc_command *command, dc_object *object,
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
        dc_link_fail(k, DC_E_MEMORY, 0);
        return false;
    }
    if (k->acse.len > 0) {
        fill_acse(k);
        return true;
    }
    dc_status st = fill(k);
    if (st != DC_OK) { /* half a message is out, or cannot be taken back: nothing but an abort ends it */
        k->out_len = 0;
        dc_link_finish(k, DC_LINK_FAILED, st, errno);
        dc_assoc_abort(k->assoc, 0, 0);
        return refill(k);
    }
    return k->out_len > 0;
}

/* Sends until all is sent or the socket is full. */
void dc_link_pump(dc_link *k)
{
    for (int blocks = 0; !k->closing && k->connected; blocks++) {
        if (k->out_at == k->out_len && (blocks == BLOCKS_AT_ONCE || !refill(k)))
            break;
        ssize_t n = dc_stream_write(k->fd, k->out + k->out_at, k->out_len - k->out_at);
        if (n == -EAGAIN || n == -EWOULDBLOCK)
            break;
        if (n < 0) { /* what the peer said before it went is read first */
            k->out_at = k->out_len = 0;
            dc_link_drop_sendings(k);
            dc_link_finish(k, DC_LINK_FAILED, n == -EPIPE || n == -ECONNRESET ? DC_E_CLOSED : DC_E_SYSTEM, (int)-n);
            dc_link_shut(k);
            return;
        }
        k->out_at += (size_t)n;
        k->progress = dc_link_now();
    }
    if (k->closing || !k->connected)
        return;
    bool more = k->out_at < k->out_len || k->sending || k->acse.len || dc_assoc_out(k->assoc)->len;
    if (!more && k->out)
        dc_link_give_back(k);
    if (!more && k->asked) { /* the machine asked for the connection to be closed */
        dc_link_shut(k);
        return;
    }
    dc_link_want(k, more);
}
