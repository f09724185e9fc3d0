/* SPDX-License-Identifier: MIT */
/* The event loop. What may become ready embeds a watch: when something happened to it, its id goes once on the ready
   list, and whoever waits pulls. Nothing here calls back into Lua.

   Lifetime: an object of io belongs to its owner (a userdata) until the owner lets go with dc_loop_disown; closing
   handles and running work end later, inside the loop. The loop is freed when its own owner and those of all
   objects have let go, in any order: lua_close frees in an order of its own. */
#ifndef DC_LOOP_H
#define DC_LOOP_H

#include <uv.h>

#include "../base/status.h"

typedef struct dc_watch {
    uint64_t id;                  /* never reused */
    struct dc_watch *next, *prev; /* on the ready list, or the detached one; NULL when on neither */
    void (*end)(struct dc_watch *w); /* detached: closes it now */
} dc_watch;

typedef struct dc_loop {
    uv_loop_t uv;
    uv_timer_t timer;               /* ends a wait */
    uv_signal_t interrupt, terminate;
    dc_watch ready;                 /* head of the ready list */
    dc_watch detached;              /* head of what goes on for a moment without its owner */
    dc_watch signals;               /* ready when a signal came */
    int signum;                     /* the last one, 0: none */
    uint64_t last_id;
    uint32_t owned;                 /* owners that have not let go, the loop's own included */
    bool expired, listening, running;
    uint8_t *block;                 /* DC_LOOP_BLOCK bytes for what is received: one read is used up before the next */
    uint8_t *spare;                 /* one such block for sending, kept from link to link */
} dc_loop;

enum { DC_LOOP_BLOCK = 256 << 10 };

DC_BEGIN
dc_loop *dc_loop_new(void); /* NULL when out of memory or descriptors */
void dc_loop_own(dc_loop *l, dc_watch *w);    /* a new object with a new id */
void dc_loop_disown(dc_loop *l, dc_watch *w); /* NULL: the loop's own owner lets go. May free the loop */
void dc_loop_forget(dc_watch *w);             /* off its list */
void dc_loop_detach(dc_loop *l, dc_watch *w, void (*end)(dc_watch *w));
void dc_loop_ready(dc_loop *l, dc_watch *w);
uint64_t dc_loop_take(dc_loop *l);            /* the next ready id; 0: none */

/* Runs until something is ready or `ms` have passed (negative: no limit). False: nothing can ever become ready. */
bool dc_loop_wait(dc_loop *l, int64_t ms);

/* SIGINT and SIGTERM make l->signals ready instead of ending the process. */
dc_status dc_loop_signals(dc_loop *l, bool on);
DC_END

#endif
