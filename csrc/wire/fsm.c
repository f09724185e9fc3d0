/* SPDX-License-Identifier: MIT */
#include "fsm.h"

#define IN(state) (1u << (DC_STATE_##state))
#define ON(event) (1u << (DC_ON_##event))

/* States with an association, or one being made: a PDU that does not fit ends it (AA-8). */
#define ESTABLISHING (IN(AWAITING_LOCAL_ACCEPT) | IN(AWAITING_ACCEPT))
#define ESTABLISHED                                                                                                    \
    (IN(OPEN) | IN(AWAITING_RELEASE_REPLY) | IN(AWAITING_LOCAL_RELEASE) | IN(COLLISION_REQUESTOR) |                    \
     IN(COLLISION_ACCEPTOR_WAIT) | IN(COLLISION_REQUESTOR_WAIT) | IN(COLLISION_ACCEPTOR))
#define ASSOCIATED (ESTABLISHING | ESTABLISHED)

/* What the peer sends. */
#define ANY_PDU                                                                                                        \
    (ON(ACCEPT_PDU) | ON(REJECT_PDU) | ON(REQUEST_PDU) | ON(DATA_PDU) | ON(RELEASE_PDU) | ON(RELEASE_REPLY_PDU) |      \
     ON(ABORT_PDU) | ON(INVALID_PDU))

typedef struct cell {
    uint32_t events, states;
    uint8_t action;
} cell;

/* PS3.8 table 9-10: the first row that fits decides. The last three rows are the default for PDUs, everything above
   them an exception; what no row names is an empty cell. */
static const cell cells[] = {
    { ON(REQUEST), IN(IDLE), DC_DO_CONNECT },
    { ON(CONNECTED), IN(AWAITING_CONNECTION), DC_DO_SEND_REQUEST },
    { ON(CONNECTION), IN(IDLE), DC_DO_AWAIT_REQUEST },

    { ON(ACCEPT_PDU), IN(AWAITING_ACCEPT), DC_DO_CONFIRM_ACCEPT },
    { ON(REJECT_PDU), IN(AWAITING_ACCEPT), DC_DO_CONFIRM_REJECT },
    { ON(REQUEST_PDU), IN(AWAITING_REQUEST), DC_DO_INDICATE_REQUEST },
    { ON(ACCEPT), IN(AWAITING_LOCAL_ACCEPT), DC_DO_SEND_ACCEPT },
    { ON(REJECT), IN(AWAITING_LOCAL_ACCEPT), DC_DO_SEND_REJECT },

    { ON(DATA), IN(OPEN), DC_DO_SEND_DATA },
    { ON(DATA), IN(AWAITING_LOCAL_RELEASE), DC_DO_SEND_LATE_DATA },
    { ON(DATA_PDU), IN(OPEN), DC_DO_INDICATE_DATA },
    { ON(DATA_PDU), IN(AWAITING_RELEASE_REPLY), DC_DO_INDICATE_LATE_DATA },

    { ON(RELEASE), IN(OPEN), DC_DO_SEND_RELEASE },
    { ON(RELEASE_PDU), IN(OPEN), DC_DO_INDICATE_RELEASE },
    { ON(RELEASE_PDU), IN(AWAITING_RELEASE_REPLY), DC_DO_INDICATE_COLLISION },
    { ON(RELEASE_REPLY_PDU), IN(AWAITING_RELEASE_REPLY) | IN(COLLISION_REQUESTOR_WAIT), DC_DO_CONFIRM_RELEASE },
    { ON(RELEASE_REPLY_PDU), IN(COLLISION_ACCEPTOR_WAIT), DC_DO_CONFIRM_COLLISION },
    { ON(RELEASE_REPLY), IN(AWAITING_LOCAL_RELEASE) | IN(COLLISION_ACCEPTOR), DC_DO_REPLY_RELEASE },
    { ON(RELEASE_REPLY), IN(COLLISION_REQUESTOR), DC_DO_REPLY_COLLISION },

    { ON(ABORT), ASSOCIATED, DC_DO_ABORT },
    { ON(ABORT), IN(AWAITING_CONNECTION), DC_DO_CLOSE },
    { ON(ABORT_PDU), ASSOCIATED, DC_DO_INDICATE_ABORT },
    { ON(ABORT_PDU), IN(AWAITING_REQUEST) | IN(AWAITING_CLOSE), DC_DO_CLOSE },

    { ON(CLOSED), IN(AWAITING_REQUEST), DC_DO_FORGET },
    { ON(CLOSED), IN(AWAITING_CLOSE), DC_DO_END_RELEASE },
    { ON(CLOSED), IN(AWAITING_CONNECTION) | ASSOCIATED, DC_DO_INDICATE_LOSS },
    { ON(ARTIM), IN(AWAITING_REQUEST) | IN(AWAITING_CLOSE), DC_DO_CLOSE },

    { ON(REQUEST_PDU) | ON(INVALID_PDU), IN(AWAITING_CLOSE), DC_DO_ABORT_AGAIN },
    { ANY_PDU, IN(AWAITING_CLOSE), DC_DO_IGNORE },
    { ANY_PDU, IN(AWAITING_REQUEST), DC_DO_ABORT },
    { ANY_PDU, ASSOCIATED, DC_DO_ABORT_PROVIDER },
};

dc_fsm_action dc_fsm_find(dc_assoc_state state, dc_fsm_event event)
{
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        if (cells[i].events >> event & 1 && cells[i].states >> state & 1)
            return (dc_fsm_action)cells[i].action;
    return DC_DO_NOTHING_ALLOWED;
}

typedef struct action {
    char name[6];
    uint8_t after; /* 0: stays */
} action;

static const action actions[DC_FSM_ACTIONS] = {
    [DC_DO_NOTHING_ALLOWED] = { "", 0 },
    [DC_DO_CONNECT] = { "AE-1", DC_STATE_AWAITING_CONNECTION },
    [DC_DO_SEND_REQUEST] = { "AE-2", DC_STATE_AWAITING_ACCEPT },
    [DC_DO_CONFIRM_ACCEPT] = { "AE-3", DC_STATE_OPEN },
    [DC_DO_CONFIRM_REJECT] = { "AE-4", DC_STATE_IDLE },
    [DC_DO_AWAIT_REQUEST] = { "AE-5", DC_STATE_AWAITING_REQUEST },
    [DC_DO_INDICATE_REQUEST] = { "AE-6", DC_STATE_AWAITING_LOCAL_ACCEPT },
    [DC_DO_SEND_ACCEPT] = { "AE-7", DC_STATE_OPEN },
    [DC_DO_SEND_REJECT] = { "AE-8", DC_STATE_AWAITING_CLOSE },
    [DC_DO_SEND_DATA] = { "DT-1", DC_STATE_OPEN },
    [DC_DO_INDICATE_DATA] = { "DT-2", DC_STATE_OPEN },
    [DC_DO_SEND_RELEASE] = { "AR-1", DC_STATE_AWAITING_RELEASE_REPLY },
    [DC_DO_INDICATE_RELEASE] = { "AR-2", DC_STATE_AWAITING_LOCAL_RELEASE },
    [DC_DO_CONFIRM_RELEASE] = { "AR-3", DC_STATE_IDLE },
    [DC_DO_REPLY_RELEASE] = { "AR-4", DC_STATE_AWAITING_CLOSE },
    [DC_DO_END_RELEASE] = { "AR-5", DC_STATE_IDLE },
    [DC_DO_INDICATE_LATE_DATA] = { "AR-6", DC_STATE_AWAITING_RELEASE_REPLY },
    [DC_DO_SEND_LATE_DATA] = { "AR-7", DC_STATE_AWAITING_LOCAL_RELEASE },
    [DC_DO_INDICATE_COLLISION] = { "AR-8", DC_STATE_COLLISION_REQUESTOR }, /* acceptor: see dc_fsm_after */
    [DC_DO_REPLY_COLLISION] = { "AR-9", DC_STATE_COLLISION_REQUESTOR_WAIT },
    [DC_DO_CONFIRM_COLLISION] = { "AR-10", DC_STATE_COLLISION_ACCEPTOR },
    [DC_DO_ABORT] = { "AA-1", DC_STATE_AWAITING_CLOSE },
    [DC_DO_CLOSE] = { "AA-2", DC_STATE_IDLE },
    [DC_DO_INDICATE_ABORT] = { "AA-3", DC_STATE_IDLE },
    [DC_DO_INDICATE_LOSS] = { "AA-4", DC_STATE_IDLE },
    [DC_DO_FORGET] = { "AA-5", DC_STATE_IDLE },
    [DC_DO_IGNORE] = { "AA-6", DC_STATE_AWAITING_CLOSE },
    [DC_DO_ABORT_AGAIN] = { "AA-7", DC_STATE_AWAITING_CLOSE },
    [DC_DO_ABORT_PROVIDER] = { "AA-8", DC_STATE_AWAITING_CLOSE },
};

dc_assoc_state dc_fsm_after(dc_fsm_action a, bool requestor, dc_assoc_state before)
{
    if (a == DC_DO_INDICATE_COLLISION && !requestor)
        return DC_STATE_COLLISION_ACCEPTOR_WAIT;
    return actions[a].after ? (dc_assoc_state)actions[a].after : before;
}

dc_fsm_timer dc_fsm_timer_in(dc_assoc_state state)
{
    if ((IN(AWAITING_REQUEST) | IN(AWAITING_CLOSE)) >> state & 1)
        return DC_TIMER_ARTIM;
    if ((IN(AWAITING_ACCEPT) | IN(AWAITING_RELEASE_REPLY) | IN(COLLISION_ACCEPTOR_WAIT) |
         IN(COLLISION_REQUESTOR_WAIT)) >> state & 1)
        return DC_TIMER_ACSE;
    return DC_TIMER_NONE;
}

const char *dc_fsm_action_name(dc_fsm_action a)
{
    return actions[a].name;
}

const char *dc_fsm_state_name(dc_assoc_state state)
{
    static const char *const names[] = {
        "", "idle", "awaiting request", "awaiting local accept", "awaiting connection", "awaiting accept", "open",
        "awaiting release reply", "awaiting local release", "collision requestor", "collision acceptor wait",
        "collision requestor wait", "collision acceptor", "awaiting close",
    };
    return names[state];
}
