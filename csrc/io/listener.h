/* SPDX-License-Identifier: MIT */
/* A listening socket. Ready when somebody knocks; not watched again until the owner has let all in. */
#ifndef DC_LISTENER_H
#define DC_LISTENER_H

#include "loop.h"
#include "stream.h"

typedef struct dc_listener {
    dc_watch watch;
    dc_loop *loop;
    uv_poll_t poll;
    int fd, port;
} dc_listener;

DC_BEGIN
dc_listener *dc_listener_new(dc_loop *l, const char *host, int port, int backlog, int *error); /* errno */
int dc_listener_accept(dc_listener *s, dc_address *peer); /* descriptor, or -errno; -EAGAIN: nobody, ready again later */
void dc_listener_release(dc_listener *s);
DC_END

#endif
