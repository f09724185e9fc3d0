/* SPDX-License-Identifier: MIT */
/* One association on one TCP connection: socket, protocol machine, message reassembly, where incoming data sets go and
   what is being sent. Bytes are pumped here; the owner is woken once per event and pulls it. */
#ifndef DC_LINK_H
#define DC_LINK_H

#include "../data/writer.h"
#include "../wire/message.h"
#include "loop.h"
#include "sink.h"
#include "stream.h"

typedef struct dc_link_timeouts { /* milliseconds */
    uint32_t connect; /* name look-up and TCP */
    uint32_t acse;    /* answers to A-ASSOCIATE and A-RELEASE, and ARTIM (PS3.8 9.1.5) */
    uint32_t dimse;   /* without a byte of progress while a message or its response is under way */
    uint32_t idle;    /* without a message: a requestor releases, an acceptor aborts */
} dc_link_timeouts;

typedef enum dc_link_end {
    DC_LINK_OPEN,
    DC_LINK_RELEASED, /* in good order, by either side */
    DC_LINK_REJECTED, /* result, source, reason */
    DC_LINK_ABORTED,  /* by the peer: source, reason */
    DC_LINK_FAILED    /* status; error, offset */
} dc_link_end;

typedef struct dc_arrival { /* a complete incoming message */
    struct dc_arrival *next;
    dc_command command;
    uint8_t context;
    dc_sink sink; /* ended */
} dc_arrival;

typedef struct dc_sending dc_sending;

typedef struct dc_link {
    dc_watch watch;
    dc_loop *loop;
    uint32_t refs; /* the owner, and each handle or request that libuv holds */
    uv_poll_t *poll; /* of its own memory: the next address needs another while this one still closes */
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    struct addrinfo *addresses, *address; /* found; tried now */
    int fd, events;
    bool timed, looking, unknown_host, connected, closing, detached, requestor, asked, accepted;
    dc_link_timeouts timeouts;
    int64_t began, progress;
    dc_assoc *assoc;
    dc_message message;
    bool receiving;               /* inside a message */
    uint32_t unanswered;          /* requests given to the owner, responses not yet sent */
    uint32_t outstanding;         /* requests sent, final responses not yet there */
    const dc_assoc_params *peer;  /* what the peer said */
    dc_address address_text;      /* the peer's */
    char *folder;                 /* sink of C-STORE requests; NULL: memory */
    uint64_t limit;               /* of a data set in memory */
    dc_sink sink;
    dc_arrival *first, *last;
    uint32_t arrivals;
    dc_sending *sending, *sending_last;
    uint32_t sendings;
    uint8_t *out;                 /* a block of whole PDUs */
    size_t out_len, out_at;
    dc_buf acse;                  /* machine output under way */
    size_t acse_at;
    dc_link_end end;
    dc_status status;
    int error;
    uint64_t offset; /* in the bytes received; UINT64_MAX: none */
    uint8_t result, source, reason;
} dc_link;

DC_BEGIN
dc_link *dc_link_connect(dc_loop *l, const char *host, int port, const dc_link_timeouts *t, const dc_assoc_params *params,
                         dc_status *status);
dc_link *dc_link_accept(dc_loop *l, int fd, const dc_address *peer, const dc_link_timeouts *t); /* takes fd */
void dc_link_release(dc_link *k); /* the owner lets go: aborts what is open; what is being said is said to the end */

/* What happened, in order: requested or accepted (once), messages, the end. */
bool dc_link_take_request(dc_link *k);  /* then k->peer */
bool dc_link_take_accepted(dc_link *k); /* then k->peer */
dc_arrival *dc_link_take(dc_link *k);   /* NULL: none; the caller frees it with dc_arrival_free */
void dc_arrival_free(dc_arrival *a);    /* removes its file unless path was taken (set to NULL) */

dc_status dc_link_answer(dc_link *k, const dc_assoc_params *params);
dc_status dc_link_reject(dc_link *k, uint8_t result, uint8_t source, uint8_t reason);
void dc_link_sink(dc_link *k, char *folder, uint64_t limit); /* takes folder, malloc'd */

/* Queues a message. object NULL: no data set; NULL options->syntax: its own. A failure leaves the link as it was. */
dc_status dc_link_send(dc_link *k, uint8_t context, const dc_command *command, dc_object *object,
                       const dc_writer_options *options);
bool dc_link_is_idle(dc_link *k);    /* open, nothing under way, and the peer has said nothing since (looks at the socket) */
dc_status dc_link_close(dc_link *k); /* A-RELEASE */
void dc_link_abort(dc_link *k);
DC_END

#endif
