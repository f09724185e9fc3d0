/* SPDX-License-Identifier: MIT */
/* The state machine of PS3.8 9.2 as a function of (state, event): which action, and where it leads. */
#ifndef DC_FSM_H
#define DC_FSM_H

#include "assoc.h"

/* PS3.8 table 9-10's events in words; the number is the standard's. */
typedef enum dc_fsm_event {
    DC_ON_REQUEST = 1,         /* Evt1: local user asks for an association */
    DC_ON_CONNECTED = 2,       /* Evt2: our transport connection is open */
    DC_ON_ACCEPT_PDU = 3,      /* Evt3 */
    DC_ON_REJECT_PDU = 4,      /* Evt4 */
    DC_ON_CONNECTION = 5,      /* Evt5: a peer's transport connection is open */
    DC_ON_REQUEST_PDU = 6,     /* Evt6 */
    DC_ON_ACCEPT = 7,          /* Evt7: local user accepts */
    DC_ON_REJECT = 8,          /* Evt8: local user rejects */
    DC_ON_DATA = 9,            /* Evt9: local user sends data */
    DC_ON_DATA_PDU = 10,       /* Evt10 */
    DC_ON_RELEASE = 11,        /* Evt11: local user asks for release */
    DC_ON_RELEASE_PDU = 12,    /* Evt12 */
    DC_ON_RELEASE_REPLY_PDU = 13, /* Evt13 */
    DC_ON_RELEASE_REPLY = 14,  /* Evt14: local user answers a release */
    DC_ON_ABORT = 15,          /* Evt15: local user aborts */
    DC_ON_ABORT_PDU = 16,      /* Evt16 */
    DC_ON_CLOSED = 17,         /* Evt17: the transport connection closed */
    DC_ON_ARTIM = 18,          /* Evt18: ARTIM expired */
    DC_ON_INVALID_PDU = 19,    /* Evt19: unknown or malformed PDU */
    DC_FSM_EVENTS = 19
} dc_fsm_event;

/* Actions of PS3.8 tables 9-6 to 9-9 in words. */
typedef enum dc_fsm_action {
    DC_DO_NOTHING_ALLOWED,    /* the empty cell: a local call that the state does not allow */
    DC_DO_CONNECT,            /* AE-1 */
    DC_DO_SEND_REQUEST,       /* AE-2 */
    DC_DO_CONFIRM_ACCEPT,     /* AE-3 */
    DC_DO_CONFIRM_REJECT,     /* AE-4 */
    DC_DO_AWAIT_REQUEST,      /* AE-5 */
    DC_DO_INDICATE_REQUEST,   /* AE-6: or reject at once what cannot be accepted */
    DC_DO_SEND_ACCEPT,        /* AE-7 */
    DC_DO_SEND_REJECT,        /* AE-8 */
    DC_DO_SEND_DATA,          /* DT-1 */
    DC_DO_INDICATE_DATA,      /* DT-2 */
    DC_DO_SEND_RELEASE,       /* AR-1 */
    DC_DO_INDICATE_RELEASE,   /* AR-2 */
    DC_DO_CONFIRM_RELEASE,    /* AR-3 */
    DC_DO_REPLY_RELEASE,      /* AR-4 */
    DC_DO_END_RELEASE,        /* AR-5 */
    DC_DO_INDICATE_LATE_DATA, /* AR-6 */
    DC_DO_SEND_LATE_DATA,     /* AR-7 */
    DC_DO_INDICATE_COLLISION, /* AR-8 */
    DC_DO_REPLY_COLLISION,    /* AR-9 */
    DC_DO_CONFIRM_COLLISION,  /* AR-10 */
    DC_DO_ABORT,              /* AA-1 */
    DC_DO_CLOSE,              /* AA-2 */
    DC_DO_INDICATE_ABORT,     /* AA-3 */
    DC_DO_INDICATE_LOSS,      /* AA-4 */
    DC_DO_FORGET,             /* AA-5 */
    DC_DO_IGNORE,             /* AA-6 */
    DC_DO_ABORT_AGAIN,        /* AA-7 */
    DC_DO_ABORT_PROVIDER,     /* AA-8 */
    DC_FSM_ACTIONS
} dc_fsm_action;

DC_BEGIN
dc_fsm_action dc_fsm_find(dc_assoc_state state, dc_fsm_event event);

/* The state after the action. AE-6 gives the state of the acceptable request; who rejects goes to AWAITING_CLOSE. */
dc_assoc_state dc_fsm_after(dc_fsm_action action, bool requestor, dc_assoc_state before);

/* Which timer runs in a state: ARTIM where PS3.8 says so, ACSE where we wait for an answer of the peer. */
typedef enum dc_fsm_timer { DC_TIMER_NONE, DC_TIMER_ARTIM, DC_TIMER_ACSE } dc_fsm_timer;
dc_fsm_timer dc_fsm_timer_in(dc_assoc_state state);

const char *dc_fsm_action_name(dc_fsm_action action); /* "AE-1", ...; "" for the empty cell */
const char *dc_fsm_state_name(dc_assoc_state state);  /* "awaiting accept", ... */
DC_END

#endif
