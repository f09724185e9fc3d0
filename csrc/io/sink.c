/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "sink.h"

static void fail(dc_sink *s, dc_status status, int error)
{
    if (s->status == DC_OK) {
        s->status = error == ENOSPC || error == EDQUOT || error == EFBIG ? DC_E_FULL : status;
        s->error = error;
    }
    s->count = 0;
}

static void open_file(dc_sink *s, const char *folder)
{
    char hex[33];
    size_t n = strlen(folder) + sizeof hex + sizeof "/.part";
    s->path = malloc(n);
    if (!s->path || dc_file_random(hex, 16) != DC_OK) {
        fail(s, DC_E_MEMORY, 0);
        return;
    }
    snprintf(s->path, n, "%s/%s.part", folder, hex);
    s->fd = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->fd >= 0)
        return;
    fail(s, DC_E_SYSTEM, errno);
    free(s->path); /* nothing there to be removed */
    s->path = NULL;
}

void dc_sink_open(dc_sink *s, const char *folder, dc_span head, uint64_t limit)
{
    memset(s, 0, sizeof *s);
    s->open = true;
    s->fd = -1;
    s->limit = limit;
    if (!folder)
        return;
    open_file(s, folder);
    dc_sink_add(s, head);
    dc_sink_flush(s);
    s->size = 0;
}

static void add_memory(dc_sink *s, dc_span piece)
{
    if (piece.len > s->limit - s->size)
        fail(s, DC_E_FULL, 0);
    else if (dc_buf_add(&s->bytes, piece.ptr, piece.len) != DC_OK)
        fail(s, DC_E_MEMORY, 0);
    if (s->status)
        dc_buf_free(&s->bytes);
}

void dc_sink_add(dc_sink *s, dc_span piece)
{
    if (s->status || piece.len == 0)
        return;
    if (s->fd < 0) {
        add_memory(s, piece);
    } else {
        if (s->count == DC_SINK_PIECES)
            dc_sink_flush(s);
        s->pieces[s->count].iov_base = (void *)(uintptr_t)piece.ptr;
        s->pieces[s->count++].iov_len = piece.len;
    }
    s->size += piece.len;
}

void dc_sink_flush(dc_sink *s)
{
    struct iovec *at = s->pieces;
    int left = s->count;
    while (left > 0 && s->status == DC_OK) {
        ssize_t n = writev(s->fd, at, left);
        if (n < 0) {
            if (errno != EINTR)
                fail(s, DC_E_SYSTEM, errno);
            continue;
        }
        while (left > 0 && (size_t)n >= at->iov_len) {
            n -= (ssize_t)at->iov_len;
            at++;
            left--;
        }
        if (left > 0) {
            at->iov_base = (uint8_t *)at->iov_base + n;
            at->iov_len -= (size_t)n;
        }
    }
    s->count = 0;
}

void dc_sink_end(dc_sink *s)
{
    dc_sink_flush(s);
    if (s->fd >= 0 && close(s->fd) != 0)
        fail(s, DC_E_SYSTEM, errno);
    s->fd = -1;
    s->open = false;
}

void dc_sink_drop(dc_sink *s)
{
    if (s->open && s->fd >= 0)
        close(s->fd);
    if (s->path)
        unlink(s->path);
    free(s->path);
    dc_buf_free(&s->bytes);
    memset(s, 0, sizeof *s);
    s->fd = -1;
}
