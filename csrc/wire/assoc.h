/* SPDX-License-Identifier: MIT */
/* One association: PS3.8's state machine with its PDUs. No socket, no clock, no file.

   A machine: dc_assoc_feed received bytes, take events with dc_assoc_next until DC_MORE, send what dc_assoc_out holds,
   dc_assoc_tick the time. The bytes of a data event point into what was fed: nothing is copied. Failures in what the
   peer sends are events too (the machine has then put an A-ABORT into its output, PS3.8 9.2 AA-8). CLOSE is the last
   event of every association, and the only one that says that its connection has no further use. */
#ifndef DC_ASSOC_H
#define DC_ASSOC_H

#include "../base/arena.h"
#include "../base/buf.h"

/* Words for PS3.8 table 9-1's states; the number is the standard's. */
typedef enum dc_assoc_state {
    DC_STATE_IDLE = 1,                    /* Sta1 */
    DC_STATE_AWAITING_REQUEST = 2,        /* Sta2: connection open, ARTIM runs */
    DC_STATE_AWAITING_LOCAL_ACCEPT = 3,   /* Sta3 */
    DC_STATE_AWAITING_CONNECTION = 4,     /* Sta4 */
    DC_STATE_AWAITING_ACCEPT = 5,         /* Sta5 */
    DC_STATE_OPEN = 6,                    /* Sta6 */
    DC_STATE_AWAITING_RELEASE_REPLY = 7,  /* Sta7 */
    DC_STATE_AWAITING_LOCAL_RELEASE = 8,  /* Sta8 */
    DC_STATE_COLLISION_REQUESTOR = 9,     /* Sta9: local release reply */
    DC_STATE_COLLISION_ACCEPTOR_WAIT = 10,/* Sta10 */
    DC_STATE_COLLISION_REQUESTOR_WAIT = 11, /* Sta11 */
    DC_STATE_COLLISION_ACCEPTOR = 12,     /* Sta12: local release reply */
    DC_STATE_AWAITING_CLOSE = 13          /* Sta13 */
} dc_assoc_state;

enum { DC_CONTEXT_ACCEPTED = 0, DC_CONTEXT_USER = 1, DC_CONTEXT_NO_REASON = 2, DC_CONTEXT_ABSTRACT = 3,
       DC_CONTEXT_TRANSFER = 4 }; /* PS3.8 table 9-18 */

typedef struct dc_context {
    uint8_t id;             /* odd, 1 to 255 */
    uint8_t result;         /* answer: DC_CONTEXT_... */
    int8_t scu, scp;        /* SCP/SCU role selection (PS3.7 D.3.3.4): 0, 1, or -1 when not mentioned */
    const char *abstract;   /* answers carry it too: it is the request's */
    const char **transfers; /* proposed; an answer has one, or none when refused */
    uint32_t transfer_count;
} dc_context;

typedef struct dc_sub_item { /* user information items passed through raw: 56H 57H 58H 59H */
    uint8_t type;
    dc_span bytes;
} dc_sub_item;

/* What either side says of itself. Strings are NUL-terminated. */
typedef struct dc_assoc_params {
    char called[DC_AE_SIZE + 1], calling[DC_AE_SIZE + 1]; /* trimmed */
    uint32_t max_pdu;                /* that the sayer can receive; 0: unlimited */
    char implementation_uid[DC_UID_SIZE + 1];
    char implementation_version[DC_AE_SIZE + 1];
    bool has_window;                 /* asynchronous operations (PS3.7 D.3.3.3) */
    uint16_t invoked, performed;
    dc_context *contexts;
    uint32_t context_count;
    dc_sub_item *items;
    uint32_t item_count;
} dc_assoc_params;

typedef enum dc_assoc_event_kind {
    DC_EVENT_REQUESTED, /* params: the peer's; answer with accept or reject */
    DC_EVENT_ACCEPTED,  /* params: the peer's answer, with a context for each that we proposed, in our order */
    DC_EVENT_REJECTED,  /* result, source, reason (PS3.8 table 9-21) */
    DC_EVENT_DATA,      /* a piece of a PDV */
    DC_EVENT_RELEASE,   /* the peer asks for release: answer with dc_assoc_release_reply */
    DC_EVENT_RELEASED,  /* our release was answered; CLOSE follows */
    DC_EVENT_ABORTED,   /* by the peer: source, reason */
    DC_EVENT_FAILED,    /* the peer broke the protocol, was lost, or a timer ran out: status, offset. Where there is still
                           somebody to tell, an A-ABORT (or A-ASSOCIATE-RJ) is in the output */
    DC_EVENT_CLOSE      /* the transport connection is to be closed now, after the output is sent. After A-ABORT, A-RELEASE-RP
                           and A-ASSOCIATE-RJ of ours the peer closes first, or ARTIM runs out (PS3.8 9.1.5) */
} dc_assoc_event_kind;

typedef struct dc_assoc_event {
    dc_assoc_event_kind kind;
    const dc_assoc_params *params;
    uint8_t result, source, reason;
    uint8_t context;       /* data: presentation context id */
    bool command, last;    /* data: message control header (PS3.8 E.2); last: of the fragment */
    bool ends;             /* data: this piece ends its PDV */
    dc_span data;          /* data: bytes of a PDV value, maybe not all of it */
    dc_status status;      /* failed */
    uint64_t offset;       /* failed: in the bytes received so far */
} dc_assoc_event;

typedef struct dc_assoc_timers { /* milliseconds; 0 in a field: the default */
    uint32_t acse;               /* A-ASSOCIATE, A-RELEASE answers and ARTIM: 30,000 */
} dc_assoc_timers;

typedef struct dc_assoc dc_assoc;

DC_BEGIN
dc_assoc *dc_assoc_new(bool requestor, const dc_assoc_timers *timers); /* acceptor: connection is open (Sta2) */
void dc_assoc_free(dc_assoc *a);
dc_assoc_state dc_assoc_get_state(const dc_assoc *a);

/* What was agreed, from ACCEPTED or our accept on: what the peer said, and the contexts by id: transfers[0] is agreed,
   scu and scp are the requestor's roles (0 or 1, the defaults filled in). NULL unless accepted. */
const dc_assoc_params *dc_assoc_peer(const dc_assoc *a);
const dc_context *dc_assoc_context(const dc_assoc *a, uint8_t id);
uint32_t dc_assoc_send_limit(const dc_assoc *a);                   /* longest P-DATA-TF PDU length we may send */

/* 1 to 16 characters of the default repertoire, no backslash or control character, not only spaces (PS3.5 6.2). */
bool dc_ae_valid(const char *title);

/* Local requests. Parameters are copied. DC_E_STATE when the state does not allow it, nothing then happens. Parameters
   are checked before anything happens: DC_E_AE_TITLE, DC_E_UID, DC_E_CONTEXT, DC_E_PDU_LENGTH, DC_E_TOO_LONG. */
dc_status dc_assoc_request(dc_assoc *a, const dc_assoc_params *params); /* the connection is open; A-ASSOCIATE-RQ */
dc_status dc_assoc_accept(dc_assoc *a, const dc_assoc_params *params);  /* contexts answered by id, others are refused;
                                                                           AE titles are taken from the request */
dc_status dc_assoc_reject(dc_assoc *a, uint8_t result, uint8_t source, uint8_t reason);
dc_status dc_assoc_release(dc_assoc *a);
dc_status dc_assoc_release_reply(dc_assoc *a);
void dc_assoc_abort(dc_assoc *a, uint8_t source, uint8_t reason);
void dc_assoc_closed(dc_assoc *a); /* the transport connection closed or failed: after next gave DC_MORE */

/* Header of a P-DATA-TF PDU with one PDV of n value bytes (an even number, dc_assoc_send_limit - 6 at most), which the
   caller sends right after it (one writev). */
enum { DC_DATA_HEADER = 12 };
dc_status dc_assoc_data_header(dc_assoc *a, uint8_t context, bool command, bool last, uint32_t n,
                               uint8_t header[DC_DATA_HEADER]);

/* Machine. Feed only after DC_MORE. */
void dc_assoc_feed(dc_assoc *a, dc_span received);
dc_status dc_assoc_next(dc_assoc *a, dc_assoc_event *event); /* DC_OK with an event, or DC_MORE */
dc_buf *dc_assoc_out(dc_assoc *a);                           /* to be sent; set len to 0 when it was */
int64_t dc_assoc_deadline(const dc_assoc *a);                /* ms, in the clock given to tick; -1: none */
void dc_assoc_tick(dc_assoc *a, int64_t now_ms);             /* call also after new, each feed and local request: a timer
                                                                starts at the tick that follows */
DC_END

#endif
