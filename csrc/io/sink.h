/* SPDX-License-Identifier: MIT */
/* Where the data set of one incoming message goes: a new file in a folder, or memory. Pieces are gathered, not copied,
   and written when the buffer they lie in has been used up. */
#ifndef DC_SINK_H
#define DC_SINK_H

#include <sys/uio.h>

#include "../base/buf.h"

enum { DC_SINK_PIECES = 64 };

typedef struct dc_sink {
    bool open;
    int fd;            /* negative: memory */
    char *path;        /* the file's, malloc'd */
    dc_buf bytes;      /* memory: the data set */
    uint64_t size;     /* of the data set so far */
    uint64_t limit;    /* of the data set in memory */
    dc_status status;  /* first failure; the rest is then swallowed */
    int error;         /* errno, if any */
    struct iovec pieces[DC_SINK_PIECES];
    int count;
} dc_sink;

DC_BEGIN
/* `folder` NULL: memory. `head`: what a file begins with. A failure is remembered. */
void dc_sink_open(dc_sink *s, const char *folder, dc_span head, uint64_t limit);
void dc_sink_add(dc_sink *s, dc_span piece); /* must stay until the next flush */
void dc_sink_flush(dc_sink *s);
void dc_sink_end(dc_sink *s);                /* flushed and closed; path or bytes now belong to the caller, who takes them */
void dc_sink_drop(dc_sink *s);               /* closed, and its file removed */
DC_END

#endif
