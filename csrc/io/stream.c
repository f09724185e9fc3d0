/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

static void set(int fd, int level, int option)
{
    int on = 1;
    setsockopt(fd, level, option, &on, sizeof on); /* refused: slower, not wrong */
}

static void prepare(int fd)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY);
    set(fd, SOL_SOCKET, SO_KEEPALIVE);
#ifdef SO_NOSIGPIPE
    set(fd, SOL_SOCKET, SO_NOSIGPIPE);
#endif
}

int dc_stream_connect(const struct sockaddr *to, socklen_t size)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    prepare(fd);
    if (connect(fd, to, size) == 0 || errno == EINPROGRESS)
        return fd;
    int err = errno;
    close(fd);
    return -err;
}

int dc_stream_connected(int fd)
{
    int err = 0;
    socklen_t size = sizeof err;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 ? -err : -errno;
}

static int listen_at(const struct addrinfo *a, int backlog)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), off = 0;
    if (fd < 0)
        return -errno;
    set(fd, SOL_SOCKET, SO_REUSEADDR);
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off); /* :: serves IPv4, too */
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, backlog) == 0)
        return fd;
    int err = errno;
    close(fd);
    return -err;
}

int dc_stream_listen(const char *host, int port, int backlog)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host ? host : "::", service, &hints, &list) != 0)
        return -EADDRNOTAVAIL;
    int fd = listen_at(list, backlog);
    freeaddrinfo(list);
    if (fd < 0 && !host && fd != -EADDRINUSE && fd != -EACCES)
        return dc_stream_listen("0.0.0.0", port, backlog); /* a system without IPv6 */
    return fd;
}

static void name_of(const struct sockaddr_storage *a, socklen_t size, dc_address *out)
{
    char service[8] = "0";
    if (getnameinfo((const struct sockaddr *)a, size, out->host, sizeof out->host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        out->host[0] = 0;
    sscanf(service, "%d", &out->port);
    if (strncmp(out->host, "::ffff:", 7) == 0) /* IPv4 over an IPv6 socket */
        memmove(out->host, out->host + 7, strlen(out->host + 7) + 1);
}

int dc_stream_accept(int fd, dc_address *peer)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    int got = accept4(fd, (struct sockaddr *)&a, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (got < 0)
        return -errno;
    prepare(got);
    name_of(&a, size, peer);
    return got;
}

int dc_stream_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    dc_address name = { .port = 0 };
    if (getsockname(fd, (struct sockaddr *)&a, &size) != 0)
        return -errno;
    name_of(&a, size, &name);
    return name.port;
}

/* A peer with Nagle's algorithm on waits for our acknowledgement after half a PDU; the kernel would delay it 40 ms. */
static void acknowledge_at_once(int fd)
{
#ifdef TCP_QUICKACK
    set(fd, IPPROTO_TCP, TCP_QUICKACK);
#else
    (void)fd;
#endif
}

ssize_t dc_stream_read(int fd, void *to, size_t n)
{
    acknowledge_at_once(fd);
    ssize_t got;
    do
        got = recv(fd, to, n, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

bool dc_stream_is_quiet(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

ssize_t dc_stream_write(int fd, const void *from, size_t n)
{
    ssize_t put;
    do
        put = send(fd, from, n, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put;
}
