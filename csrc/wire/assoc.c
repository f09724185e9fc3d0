/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "contexts.h"
#include "fsm.h"
#include "params.h"

enum { ACSE_DEFAULT = 30000, NO_DEADLINE = -1 };
enum { EVENTS_MAX = DC_EVENT_CLOSE + 1 }; /* no kind of queued event comes twice in an association */

struct dc_assoc {
    bool requestor;
    bool used;          /* one association per object */
    bool deaf;          /* the stream can no longer be cut into PDUs */
    bool reply_kept;    /* release collision, acceptor: the user answered before the peer did */
    dc_assoc_state state;
    dc_framer framer;
    dc_arena arena;
    dc_buf out;
    dc_associate peer;
    dc_assoc_params own;
    dc_context *agreed; /* one for each proposed context */
    uint32_t agreed_count;
    dc_assoc_event queue[EVENTS_MAX];
    uint8_t first, count;
    uint32_t acse;
    bool timer_new;     /* started, but the time is not known yet */
    int64_t now, deadline;
};

/* ---- states, timers, events ---- */

static void push(dc_assoc *a, dc_assoc_event event)
{
    if (a->count < EVENTS_MAX)
        a->queue[a->count++] = event;
}

/* `back`: how many bytes before the last one taken the trouble lies. */
static void push_failed(dc_assoc *a, dc_status status, size_t back)
{
    push(a, (dc_assoc_event){ .kind = DC_EVENT_FAILED, .status = status,
                              .offset = dc_framer_offset(&a->framer) - back });
}

/* A timer belongs to a state: entering another one stops it, and starts the new state's. */
static void enter(dc_assoc *a, dc_assoc_state state)
{
    if (a->state == state)
        return;
    a->state = state;
    a->deadline = NO_DEADLINE;
    a->timer_new = dc_fsm_timer_in(state) != DC_TIMER_NONE;
}

static dc_fsm_action step(dc_assoc *a, dc_fsm_event event)
{
    dc_fsm_action action = dc_fsm_find(a->state, event);
    if (action != DC_DO_NOTHING_ALLOWED)
        enter(a, dc_fsm_after(action, a->requestor, a->state));
    return action;
}

static bool allowed(const dc_assoc *a, dc_fsm_event event)
{
    return dc_fsm_find(a->state, event) != DC_DO_NOTHING_ALLOWED;
}

/* The last event of every association: given when it is idle again. */
static void push_close(dc_assoc *a)
{
    if (a->state == DC_STATE_IDLE)
        push(a, (dc_assoc_event){ .kind = DC_EVENT_CLOSE });
}

static void collapse(dc_assoc *a, dc_status status)
{
    if (a->state == DC_STATE_IDLE)
        return;
    push_failed(a, status, 0);
    enter(a, DC_STATE_IDLE);
    push_close(a);
}

static void send_small(dc_assoc *a, uint8_t type, uint8_t result, uint8_t source, uint8_t reason)
{
    if (dc_pdu_put_small(&a->out, type, result, source, reason))
        collapse(a, DC_E_MEMORY);
}

/* The peer broke the protocol. AA-1 of an acceptor that has no request yet would name the user as source, and so say no
   reason; no user took part, so the provider says what was wrong there too. */
static void fail_before(dc_assoc *a, dc_fsm_event event, dc_status status, uint8_t reason, size_t back)
{
    dc_fsm_action action = step(a, event);
    if (action == DC_DO_IGNORE || action == DC_DO_NOTHING_ALLOWED)
        return;
    if (action != DC_DO_ABORT_AGAIN)
        push_failed(a, status, back);
    send_small(a, DC_PDU_ABORT, 0, DC_ABORT_BY_PROVIDER, reason);
}

static void fail(dc_assoc *a, dc_fsm_event event, dc_status status, uint8_t reason)
{
    fail_before(a, event, status, reason, 0);
}

/* ---- making ---- */

dc_assoc *dc_assoc_new(bool requestor, const dc_assoc_timers *timers)
{
    dc_assoc *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->requestor = requestor;
    a->used = !requestor;
    a->acse = timers && timers->acse ? timers->acse : ACSE_DEFAULT;
    a->state = DC_STATE_IDLE;
    a->deadline = NO_DEADLINE;
    dc_framer_init(&a->framer);
    dc_arena_init(&a->arena);
    dc_buf_init(&a->out);
    if (!requestor)
        step(a, DC_ON_CONNECTION);
    return a;
}

void dc_assoc_free(dc_assoc *a)
{
    if (!a)
        return;
    dc_framer_free(&a->framer);
    dc_arena_free(&a->arena);
    dc_buf_free(&a->out);
    free(a);
}

dc_assoc_state dc_assoc_get_state(const dc_assoc *a)
{
    return a->state;
}

const dc_assoc_params *dc_assoc_peer(const dc_assoc *a)
{
    return &a->peer.params;
}

const dc_context *dc_assoc_context(const dc_assoc *a, uint8_t id)
{
    const dc_context *c = dc_contexts_find(a->agreed, a->agreed_count, id);
    return c && c->result == DC_CONTEXT_ACCEPTED ? c : NULL;
}

uint32_t dc_assoc_send_limit(const dc_assoc *a)
{
    uint32_t limit = a->peer.params.max_pdu ? a->peer.params.max_pdu : UINT32_MAX;
    return limit & ~(uint32_t)1; /* fragments are even (PS3.8 E.1) */
}

dc_buf *dc_assoc_out(dc_assoc *a)
{
    return &a->out;
}

/* ---- local requests ---- */

dc_status dc_assoc_request(dc_assoc *a, const dc_assoc_params *params)
{
    if (a->used || !allowed(a, DC_ON_REQUEST))
        return DC_E_STATE;
    dc_status st = dc_params_check(params, true);
    if (!st)
        st = dc_params_keep(params, &a->arena, &a->own);
    if (!st)
        st = dc_pdu_put_associate(&a->out, true, params);
    if (st)
        return st;
    a->used = true;
    step(a, DC_ON_REQUEST);
    step(a, DC_ON_CONNECTED);
    return DC_OK;
}

/* What the A-ASSOCIATE-AC says of one context. A refused one carries a transfer syntax too, which nobody reads but
   some requestors expect (PS3.8 9.3.3.2). */
static dc_status answer_context(const dc_context *asked, const dc_context *given, dc_context *agreed, dc_context *wire)
{
    static const char *fallback[] = { "1.2.840.10008.1.2" };
    dc_contexts_agree(asked, given, agreed);
    if (given && given->result != agreed->result)
        return DC_E_CONTEXT; /* accepts what was not proposed */
    *wire = *agreed;
    bool roles = given && agreed->result == DC_CONTEXT_ACCEPTED && (asked->scu >= 0 || asked->scp >= 0);
    wire->scu = roles ? given->scu : -1;
    wire->scp = roles ? given->scp : -1;
    if (wire->transfer_count == 0) {
        wire->transfers = asked->transfer_count ? asked->transfers : fallback;
        wire->transfer_count = 1;
    }
    return DC_OK;
}

static dc_status answer_contexts(dc_assoc *a, const dc_assoc_params *params, dc_context *wire)
{
    const dc_assoc_params *asked = &a->peer.params;
    dc_status st = dc_contexts_check(params->contexts, params->context_count, false);
    for (uint32_t i = 0; !st && i < params->context_count; i++)
        if (!dc_contexts_find(asked->contexts, asked->context_count, params->contexts[i].id))
            st = DC_E_CONTEXT;
    for (uint32_t i = 0; !st && i < asked->context_count; i++) {
        const dc_context *given = dc_contexts_find(params->contexts, params->context_count, asked->contexts[i].id);
        st = answer_context(&asked->contexts[i], given, &a->agreed[i], &wire[i]);
    }
    return st;
}

static dc_status put_accept(dc_assoc *a, const dc_assoc_params *params)
{
    dc_assoc_params answer = *params;
    const dc_assoc_params *asked = &a->peer.params;
    uint32_t n = asked->context_count;
    answer.contexts = dc_arena_alloc(&a->arena, (n + 1) * sizeof *answer.contexts);
    a->agreed = dc_arena_alloc(&a->arena, (n + 1) * sizeof *a->agreed);
    if (!answer.contexts || !a->agreed)
        return DC_E_MEMORY;
    dc_status st = answer_contexts(a, params, answer.contexts);
    if (st)
        return st;
    answer.context_count = n;
    memcpy(answer.called, asked->called, sizeof answer.called); /* PS3.8 table 9-17: as received */
    memcpy(answer.calling, asked->calling, sizeof answer.calling);
    answer.has_window = params->has_window && asked->has_window;
    return dc_pdu_put_associate(&a->out, false, &answer);
}

dc_status dc_assoc_accept(dc_assoc *a, const dc_assoc_params *params)
{
    if (!allowed(a, DC_ON_ACCEPT))
        return DC_E_STATE;
    dc_status st = dc_params_check(params, false);
    if (!st)
        st = put_accept(a, params);
    if (st)
        return st;
    a->own.max_pdu = params->max_pdu;
    a->agreed_count = a->peer.params.context_count;
    step(a, DC_ON_ACCEPT);
    return DC_OK;
}

dc_status dc_assoc_reject(dc_assoc *a, uint8_t result, uint8_t source, uint8_t reason)
{
    if (step(a, DC_ON_REJECT) == DC_DO_NOTHING_ALLOWED)
        return DC_E_STATE;
    send_small(a, DC_PDU_ASSOCIATE_RJ, result, source, reason);
    return DC_OK;
}

dc_status dc_assoc_release(dc_assoc *a)
{
    if (step(a, DC_ON_RELEASE) == DC_DO_NOTHING_ALLOWED)
        return DC_E_STATE;
    send_small(a, DC_PDU_RELEASE_RQ, 0, 0, 0);
    return DC_OK;
}

dc_status dc_assoc_release_reply(dc_assoc *a)
{
    if (a->state == DC_STATE_COLLISION_ACCEPTOR_WAIT) { /* PS3.8 7.2.2.7: the peer answers first, ours is kept */
        a->reply_kept = true;
        return DC_OK;
    }
    if (step(a, DC_ON_RELEASE_REPLY) == DC_DO_NOTHING_ALLOWED)
        return DC_E_STATE;
    send_small(a, DC_PDU_RELEASE_RP, 0, 0, 0);
    return DC_OK;
}

void dc_assoc_abort(dc_assoc *a, uint8_t source, uint8_t reason)
{
    if (a->state == DC_STATE_AWAITING_REQUEST) { /* there is a connection, but no association to abort */
        enter(a, DC_STATE_IDLE);
        push_close(a);
        return;
    }
    dc_fsm_action action = step(a, DC_ON_ABORT);
    if (action == DC_DO_ABORT)
        send_small(a, DC_PDU_ABORT, 0, source, reason);
    else if (action == DC_DO_CLOSE)
        push_close(a);
}

void dc_assoc_closed(dc_assoc *a)
{
    dc_fsm_action action = step(a, DC_ON_CLOSED);
    if (action == DC_DO_INDICATE_LOSS)
        push_failed(a, DC_E_CLOSED, 0);
    if (action != DC_DO_NOTHING_ALLOWED)
        push_close(a);
}

dc_status dc_assoc_data_header(dc_assoc *a, uint8_t context, bool command, bool last, uint32_t n,
                               uint8_t header[DC_DATA_HEADER])
{
    if (!allowed(a, DC_ON_DATA))
        return DC_E_STATE;
    if (!dc_assoc_context(a, context))
        return DC_E_CONTEXT;
    if (n > dc_assoc_send_limit(a) - DC_PDV_HEADER)
        return DC_E_PDU_LENGTH;
    step(a, DC_ON_DATA);
    dc_pdu_data_header(header, context, command, last, n);
    return DC_OK;
}

/* ---- what the peer sends ---- */

static dc_fsm_event event_of(uint8_t type)
{
    static const uint8_t events[] = {
        [DC_PDU_ASSOCIATE_RQ] = DC_ON_REQUEST_PDU, [DC_PDU_ASSOCIATE_AC] = DC_ON_ACCEPT_PDU,
        [DC_PDU_ASSOCIATE_RJ] = DC_ON_REJECT_PDU,  [DC_PDU_DATA] = DC_ON_DATA_PDU,
        [DC_PDU_RELEASE_RQ] = DC_ON_RELEASE_PDU,   [DC_PDU_RELEASE_RP] = DC_ON_RELEASE_REPLY_PDU,
        [DC_PDU_ABORT] = DC_ON_ABORT_PDU,
    };
    return (dc_fsm_event)events[type];
}

static bool is_associate(uint8_t type)
{
    return type == DC_PDU_ASSOCIATE_RQ || type == DC_PDU_ASSOCIATE_AC;
}

static void on_data_header(dc_assoc *a, const dc_frame *frame)
{
    if (a->own.max_pdu && frame->length > a->own.max_pdu) {
        dc_framer_choose(&a->framer, DC_FRAME_SKIP);
        fail(a, DC_ON_INVALID_PDU, DC_E_PDU_LENGTH, DC_ABORT_INVALID_PARAMETER);
    } else {
        dc_framer_choose(&a->framer, DC_FRAME_DATA);
    }
}

/* A PDU that the state does not allow is answered at its header, without waiting for a body that may never come. */
static void on_header(dc_assoc *a, const dc_frame *frame)
{
    dc_fsm_event event = event_of(frame->type);
    dc_fsm_action action = dc_fsm_find(a->state, event);
    bool fits = is_associate(frame->type) ? frame->length <= DC_PDU_ASSOCIATE_MAX : frame->length == DC_PDU_SMALL;
    if (action == DC_DO_INDICATE_DATA || action == DC_DO_INDICATE_LATE_DATA) {
        on_data_header(a, frame);
        return;
    }
    if (action == DC_DO_IGNORE) {
        dc_framer_choose(&a->framer, DC_FRAME_SKIP);
    } else if (action == DC_DO_ABORT || action == DC_DO_ABORT_PROVIDER || action == DC_DO_ABORT_AGAIN) {
        dc_framer_choose(&a->framer, DC_FRAME_SKIP);
        fail(a, event, DC_E_PDU_UNEXPECTED, DC_ABORT_UNEXPECTED_PDU);
    } else if (!fits) {
        dc_framer_choose(&a->framer, DC_FRAME_SKIP);
        fail(a, DC_ON_INVALID_PDU, DC_E_PDU, DC_ABORT_INVALID_PARAMETER);
    } else {
        dc_framer_choose(&a->framer, DC_FRAME_COLLECT);
    }
}

static void fail_in_body(dc_assoc *a, dc_status status, size_t body, size_t offset)
{
    uint8_t reason = status == DC_E_MEMORY ? DC_ABORT_NO_REASON : DC_ABORT_INVALID_PARAMETER;
    fail_before(a, DC_ON_INVALID_PDU, status, reason, body - offset);
}

/* PS3.8 9.3.4: what the provider refuses by itself. A missing application context name is let pass. */
static bool refuse(dc_assoc *a)
{
    bool version = a->peer.version & 1;
    bool application = !a->peer.application || strcmp(a->peer.application, DC_APPLICATION_CONTEXT) == 0;
    if (version && application)
        return false;
    enter(a, DC_STATE_AWAITING_CLOSE);
    push_failed(a, DC_E_REJECTED, 0);
    if (version)
        send_small(a, DC_PDU_ASSOCIATE_RJ, 1, 1, 2); /* permanent, user: application context name not supported */
    else
        send_small(a, DC_PDU_ASSOCIATE_RJ, 1, 2, 2); /* permanent, provider (ACSE): protocol version not supported */
    return true;
}

static void on_request_pdu(dc_assoc *a, dc_span body)
{
    size_t offset;
    dc_status st = dc_pdu_get_associate(body, true, NULL, &a->arena, &a->peer, &offset);
    if (st) {
        fail_in_body(a, st, body.len, offset);
        return;
    }
    step(a, DC_ON_REQUEST_PDU);
    if (!refuse(a))
        push(a, (dc_assoc_event){ .kind = DC_EVENT_REQUESTED, .params = &a->peer.params });
}

/* The answer as the user sees it has one context for each that was proposed, in that order. */
static dc_status agree(dc_assoc *a)
{
    uint32_t n = a->own.context_count;
    dc_assoc_params *answer = &a->peer.params;
    a->agreed = dc_arena_alloc(&a->arena, (n + 1) * sizeof *a->agreed);
    if (!a->agreed)
        return DC_E_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        const dc_context *asked = &a->own.contexts[i];
        dc_contexts_agree(asked, dc_contexts_find(answer->contexts, answer->context_count, asked->id), &a->agreed[i]);
    }
    a->agreed_count = n;
    answer->contexts = a->agreed;
    answer->context_count = n;
    return DC_OK;
}

static void on_accept_pdu(dc_assoc *a, dc_span body)
{
    size_t offset;
    dc_status st = dc_pdu_get_associate(body, false, &a->own, &a->arena, &a->peer, &offset);
    if (!st)
        st = agree(a);
    if (st) {
        fail_in_body(a, st, body.len, offset);
        return;
    }
    step(a, DC_ON_ACCEPT_PDU);
    push(a, (dc_assoc_event){ .kind = DC_EVENT_ACCEPTED, .params = &a->peer.params });
}

static void on_small(dc_assoc *a, uint8_t type, dc_span body)
{
    dc_assoc_event e = { .result = body.ptr[1], .source = body.ptr[2], .reason = body.ptr[3] };
    switch (step(a, event_of(type))) {
    case DC_DO_CONFIRM_REJECT: e.kind = DC_EVENT_REJECTED; push(a, e); break;
    case DC_DO_INDICATE_ABORT: e.kind = DC_EVENT_ABORTED; push(a, e); break;
    case DC_DO_INDICATE_RELEASE:
    case DC_DO_INDICATE_COLLISION: push(a, (dc_assoc_event){ .kind = DC_EVENT_RELEASE }); break;
    case DC_DO_CONFIRM_RELEASE: push(a, (dc_assoc_event){ .kind = DC_EVENT_RELEASED }); break;
    case DC_DO_CONFIRM_COLLISION:
        push(a, (dc_assoc_event){ .kind = DC_EVENT_RELEASED });
        if (a->reply_kept)
            dc_assoc_release_reply(a);
        break;
    default: break;
    }
    push_close(a);
}

/* The state may have changed since the header, by a call of the local user. */
static void on_body(dc_assoc *a, const dc_frame *frame)
{
    dc_fsm_event event = event_of(frame->type);
    switch (dc_fsm_find(a->state, event)) {
    case DC_DO_INDICATE_REQUEST: on_request_pdu(a, frame->bytes); break;
    case DC_DO_CONFIRM_ACCEPT: on_accept_pdu(a, frame->bytes); break;
    case DC_DO_IGNORE: break;
    case DC_DO_ABORT:
    case DC_DO_ABORT_PROVIDER:
    case DC_DO_ABORT_AGAIN: fail(a, event, DC_E_PDU_UNEXPECTED, DC_ABORT_UNEXPECTED_PDU); break;
    default:
        if (!is_associate(frame->type))
            on_small(a, frame->type, frame->bytes);
    }
}

/* True when the piece is an event. Pieces that come after an abort are dropped. */
static bool on_piece(dc_assoc *a, const dc_frame *frame, dc_assoc_event *event)
{
    dc_fsm_action action = dc_fsm_find(a->state, DC_ON_DATA_PDU);
    if (action != DC_DO_INDICATE_DATA && action != DC_DO_INDICATE_LATE_DATA)
        return false;
    if (!dc_assoc_context(a, frame->context)) {
        fail_before(a, DC_ON_INVALID_PDU, DC_E_CONTEXT, DC_ABORT_INVALID_PARAMETER, frame->bytes.len);
        return false;
    }
    *event = (dc_assoc_event){ .kind = DC_EVENT_DATA, .context = frame->context, .command = frame->command,
                               .last = frame->last, .ends = frame->ends, .data = frame->bytes,
                               .params = &a->peer.params };
    return true;
}

static void on_garbage(dc_assoc *a, dc_status st)
{
    a->deaf = true;
    fail(a, DC_ON_INVALID_PDU, st, st == DC_E_PDU_TYPE ? DC_ABORT_UNKNOWN_PDU
                                   : st == DC_E_MEMORY ? DC_ABORT_NO_REASON : DC_ABORT_INVALID_PARAMETER);
}

void dc_assoc_feed(dc_assoc *a, dc_span received)
{
    dc_framer_feed(&a->framer, received);
}

static bool pop(dc_assoc *a, dc_assoc_event *event)
{
    if (a->first == a->count)
        return false;
    *event = a->queue[a->first++];
    return true;
}

dc_status dc_assoc_next(dc_assoc *a, dc_assoc_event *event)
{
    dc_frame frame;
    while (!pop(a, event)) {
        if (a->deaf || a->state == DC_STATE_IDLE)
            return DC_MORE;
        dc_status st = dc_framer_next(&a->framer, &frame);
        if (st == DC_MORE)
            return st;
        if (st)
            on_garbage(a, st);
        else if (frame.kind == DC_FRAME_HEADER)
            on_header(a, &frame);
        else if (frame.kind == DC_FRAME_BODY)
            on_body(a, &frame);
        else if (on_piece(a, &frame, event))
            return DC_OK;
    }
    return DC_OK;
}

/* ---- time ---- */

int64_t dc_assoc_deadline(const dc_assoc *a)
{
    return a->timer_new ? a->now : a->deadline; /* a new timer wants a tick to learn the time */
}

static void expire(dc_assoc *a)
{
    bool silent = a->state == DC_STATE_AWAITING_CLOSE; /* the association ended before, as far as anybody cares */
    bool artim = dc_fsm_timer_in(a->state) == DC_TIMER_ARTIM;
    a->deadline = NO_DEADLINE;
    if (!silent)
        push_failed(a, DC_E_TIMEOUT, 0);
    if (artim)
        step(a, DC_ON_ARTIM);
    else
        dc_assoc_abort(a, DC_ABORT_BY_USER, DC_ABORT_NO_REASON);
    if (artim)
        push_close(a);
}

void dc_assoc_tick(dc_assoc *a, int64_t now_ms)
{
    a->now = now_ms;
    if (a->timer_new) {
        a->timer_new = false;
        a->deadline = now_ms + a->acse;
    } else if (a->deadline != NO_DEADLINE && now_ms >= a->deadline) {
        expire(a);
    }
}
