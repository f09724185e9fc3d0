/* SPDX-License-Identifier: MIT */
/* File operations that may block, on libuv's thread pool. One item does a whole promise: a commit is the sync of the
   file, the rename and the sync of the folders, so that nothing can come between. */
#ifndef DC_WORK_H
#define DC_WORK_H

#include "../base/buf.h"
#include "loop.h"

/* X(constant, name that Lua gives, number of paths) */
#define DC_WORK_LIST(X)                                                                                                \
    X(DC_WORK_COMMIT, "commit", 2)           /* sync file, rename to other, sync its folder, and the file's own */     \
    X(DC_WORK_RENAME, "rename", 2)           /* no sync */                                                             \
    X(DC_WORK_SYNC, "sync", 1)                                                                                         \
    X(DC_WORK_SYNC_FOLDER, "sync_folder", 1)                                                                           \
    X(DC_WORK_APPEND, "append", 1)           /* bytes; durable: sync */                                                \
    X(DC_WORK_WRITE, "write", 1)             /* bytes, through a temporary name; durable: sync file and folder */      \
    X(DC_WORK_READ, "read", 1)               /* result: bytes */                                                       \
    X(DC_WORK_LIST_FOLDER, "list", 1)        /* result: type letter, name, NUL, again and again */                     \
    X(DC_WORK_MAKE_FOLDER, "make_folder", 1) /* with those above it; one that exists is well */                        \
    X(DC_WORK_REMOVE, "remove", 1)           /* file or empty folder */

typedef enum dc_work_op {
#define DC_WORK_ENUM(constant, name, paths) constant,
    DC_WORK_LIST(DC_WORK_ENUM)
#undef DC_WORK_ENUM
    DC_WORK_COUNT
} dc_work_op;

typedef struct dc_work {
    dc_watch watch;
    uv_work_t request;
    dc_loop *loop;
    dc_work_op op;
    char *path, *other;
    dc_buf bytes;       /* in: to be written; out: what was read */
    bool durable;
    bool done, orphan;
    int error;          /* errno, 0: went well */
    const char *where;  /* the path that failed */
} dc_work;

DC_BEGIN
/* Renames, and never replaces: EEXIST. 0 or errno. At once, not on the pool: it touches no data. */
int dc_move(const char *from, const char *to);

/* Copies everything. NULL when out of memory. `other` may be NULL. */
dc_work *dc_work_start(dc_loop *l, dc_work_op op, const char *path, const char *other, dc_span bytes, bool durable);
void dc_work_release(dc_work *w); /* the owner lets go; the operation itself still ends */
DC_END

#endif
