/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "listener.h"

static void on_poll(uv_poll_t *p, int status, int events)
{
    dc_listener *s = p->data;
    (void)status;
    (void)events;
    uv_poll_stop(p);
    dc_loop_ready(s->loop, &s->watch);
}

dc_listener *dc_listener_new(dc_loop *l, const char *host, int port, int backlog, int *error)
{
    dc_listener *s = calloc(1, sizeof *s);
    *error = ENOMEM;
    if (!s)
        return NULL;
    s->loop = l;
    s->fd = dc_stream_listen(host, port, backlog);
    if (s->fd < 0) {
        *error = -s->fd;
    } else {
        s->port = dc_stream_port(s->fd);
        if (uv_poll_init(&l->uv, &s->poll, s->fd) == 0) {
            s->poll.data = s;
            uv_poll_start(&s->poll, UV_READABLE, on_poll);
            dc_loop_own(l, &s->watch);
            return s;
        }
        close(s->fd);
    }
    free(s);
    return NULL;
}

int dc_listener_accept(dc_listener *s, dc_address *peer)
{
    int fd = dc_stream_accept(s->fd, peer);
    if (fd < 0)
        uv_poll_start(&s->poll, UV_READABLE, on_poll);
    return fd;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void dc_listener_release(dc_listener *s)
{
    dc_loop *l = s->loop;
    uv_close((uv_handle_t *)&s->poll, on_closed);
    close(s->fd);
    dc_loop_forget(&s->watch);
    s->watch.id = 0;
    dc_loop_disown(l, NULL);
}
