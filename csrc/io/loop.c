/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

dc_loop *dc_loop_new(void)
{
    dc_loop *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->block = malloc(DC_LOOP_BLOCK);
    if (!l->block || uv_loop_init(&l->uv) != 0) {
        free(l->block);
        free(l);
        return NULL;
    }
    l->ready.next = l->ready.prev = &l->ready;
    l->detached.next = l->detached.prev = &l->detached;
    l->owned = 1;
    l->signals.id = ++l->last_id;
    uv_timer_init(&l->uv, &l->timer);
    uv_signal_init(&l->uv, &l->interrupt);
    uv_signal_init(&l->uv, &l->terminate);
    l->interrupt.data = l->terminate.data = l->timer.data = l;
    return l;
}

static void loop_free(dc_loop *l)
{
    while (l->detached.next != &l->detached) {
        dc_watch *w = l->detached.next;
        dc_loop_forget(w);
        w->end(w);
    }
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_close((uv_handle_t *)&l->interrupt, NULL);
    uv_close((uv_handle_t *)&l->terminate, NULL);
    while (uv_run(&l->uv, UV_RUN_DEFAULT)) /* closing handles and work under way end here */
        ;
    uv_loop_close(&l->uv);
    free(l->block);
    free(l->spare);
    free(l);
}

void dc_loop_own(dc_loop *l, dc_watch *w)
{
    w->id = ++l->last_id;
    w->next = w->prev = NULL;
    l->owned++;
}

void dc_loop_forget(dc_watch *w)
{
    if (!w->next)
        return;
    w->prev->next = w->next;
    w->next->prev = w->prev;
    w->next = w->prev = NULL;
}

void dc_loop_disown(dc_loop *l, dc_watch *w)
{
    if (w) {
        dc_loop_forget(w);
        w->id = 0; /* ready no more */
    }
    if (--l->owned == 0)
        loop_free(l);
}

static void enlist(dc_watch *head, dc_watch *w)
{
    w->prev = head->prev;
    w->next = head;
    w->prev->next = w;
    head->prev = w;
}

/* uv_run(ONCE) runs timers before it polls: one that made something ready must keep it from sleeping there. */
static void wake(dc_loop *l)
{
    if (l->running)
        uv_stop(&l->uv);
}

static int run(dc_loop *l, uv_run_mode mode)
{
    l->running = true;
    int more = uv_run(&l->uv, mode);
    l->running = false;
    return more;
}

void dc_loop_detach(dc_loop *l, dc_watch *w, void (*end)(dc_watch *w))
{
    dc_loop_forget(w);
    w->id = 0;
    w->end = end;
    enlist(&l->detached, w);
}

void dc_loop_ready(dc_loop *l, dc_watch *w)
{
    if (!w->next && w->id != 0)
        enlist(&l->ready, w);
    wake(l);
}

uint64_t dc_loop_take(dc_loop *l)
{
    dc_watch *w = l->ready.next;
    if (w == &l->ready)
        return 0;
    dc_loop_forget(w);
    return w->id;
}

static void on_timer(uv_timer_t *t)
{
    dc_loop *l = t->data;
    l->expired = true;
    wake(l);
}

bool dc_loop_wait(dc_loop *l, int64_t ms)
{
    bool alive = true;
    l->expired = false;
    if (ms == 0 || l->ready.next != &l->ready) { /* what is ready goes first, but sockets are not starved by it */
        run(l, UV_RUN_NOWAIT);
        return true;
    }
    if (ms >= 0) {
        uv_update_time(&l->uv);
        uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
    }
    while (alive && !l->expired && l->ready.next == &l->ready)
        alive = run(l, UV_RUN_ONCE) != 0 || uv_loop_alive(&l->uv);
    uv_timer_stop(&l->timer);
    return alive || l->expired || l->ready.next != &l->ready;
}

static void on_signal(uv_signal_t *s, int signum)
{
    dc_loop *l = s->data;
    l->signum = signum;
    dc_loop_ready(l, &l->signals);
}

dc_status dc_loop_signals(dc_loop *l, bool on)
{
    if (l->listening == on)
        return DC_OK;
    l->listening = on;
    if (!on) {
        uv_signal_stop(&l->interrupt);
        uv_signal_stop(&l->terminate);
        return DC_OK;
    }
    if (uv_signal_start(&l->interrupt, on_signal, SIGINT) || uv_signal_start(&l->terminate, on_signal, SIGTERM))
        return DC_E_SYSTEM;
    uv_unref((uv_handle_t *)&l->interrupt); /* waiting for a signal alone is waiting for nothing */
    uv_unref((uv_handle_t *)&l->terminate);
    return DC_OK;
}
