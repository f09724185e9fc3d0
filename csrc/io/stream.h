/* SPDX-License-Identifier: MIT */
/* TCP sockets, driven by uv_poll: libuv's own streams write without MSG_NOSIGNAL, so that a peer that goes away would
   end the process, and read without re-arming TCP_QUICKACK. Results below 0 are -errno. */
#ifndef DC_STREAM_H
#define DC_STREAM_H

#include <sys/socket.h>
#include <sys/types.h>

#include "../base/status.h"

enum { DC_ADDRESS_SIZE = 64 };

typedef struct dc_address { /* as text */
    char host[DC_ADDRESS_SIZE];
    int port;
} dc_address;

DC_BEGIN
int dc_stream_connect(const struct sockaddr *to, socklen_t size); /* under way: the descriptor */
int dc_stream_connected(int fd);                                  /* once writable: 0 or -errno */
int dc_stream_listen(const char *host, int port, int backlog);    /* host: number; NULL: every address */
int dc_stream_accept(int fd, dc_address *peer);
int dc_stream_port(int fd);
ssize_t dc_stream_read(int fd, void *to, size_t n);               /* 0: closed by the peer */
bool dc_stream_is_quiet(int fd);                                  /* open, and nothing to be read */
ssize_t dc_stream_write(int fd, const void *from, size_t n);
DC_END

#endif
