/* SPDX-License-Identifier: MIT */
/* File sources. Descriptors are kept in a cache per thread, so that any number of data sets can be open. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"

typedef struct file_source {
    dc_source base;
    char *path;
    dev_t dev;
    ino_t ino;
    off_t bytes; /* of the whole file; base.size may be less */
    struct timespec changed;
} file_source;

typedef struct cache_slot {
    const file_source *owner; /* NULL: free */
    int fd;
    uint64_t used;
} cache_slot;

static _Thread_local struct {
    cache_slot slots[DC_FILE_CACHE];
    uint64_t clock;
} cache;

static void slot_close(cache_slot *slot)
{
    if (slot->owner)
        close(slot->fd);
    slot->owner = NULL;
    slot->used = 0;
}

/* The owner's slot, else a free one (used: 0) or the least recently used. */
static cache_slot *slot_for(const file_source *f)
{
    cache_slot *oldest = &cache.slots[0];
    for (cache_slot *s = cache.slots; s < cache.slots + DC_FILE_CACHE; s++) {
        if (s->owner == f)
            return s;
        if (s->used < oldest->used)
            oldest = s;
    }
    return oldest;
}

static bool unchanged(const file_source *f, const struct stat *st)
{
    return st->st_dev == f->dev && st->st_ino == f->ino && st->st_size == f->bytes && st->st_nlink > 0 &&
           st->st_mtim.tv_sec == f->changed.tv_sec && st->st_mtim.tv_nsec == f->changed.tv_nsec;
}

static bool slot_fits(const cache_slot *slot, const file_source *f)
{
    struct stat st;
    return slot->owner == f && !fstat(slot->fd, &st) && unchanged(f, &st);
}

static void slot_open(cache_slot *slot, const file_source *f)
{
    slot_close(slot);
    slot->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    slot->owner = slot->fd < 0 ? NULL : f;
}

/* A slot that does not fit is opened anew once: it may be of a source freed by another thread. */
int dc_file_descriptor(dc_source *source, dc_status *status)
{
    file_source *f = (file_source *)source;
    cache_slot *slot = slot_for(f);
    if (!slot_fits(slot, f))
        slot_open(slot, f);
    if (!slot_fits(slot, f)) {
        slot_close(slot);
        *status = DC_E_CHANGED;
        return -1;
    }
    slot->used = ++cache.clock;
    *status = DC_OK;
    return slot->fd;
}

static dc_status read_at(dc_source *source, uint64_t offset, void *to, size_t n)
{
    dc_status status;
    int fd = dc_file_descriptor(source, &status);
    if (fd < 0)
        return status;
    if (offset > source->size || n > source->size - offset)
        return DC_E_TRUNCATED;
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (uint8_t *)to + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got ? DC_E_SYSTEM : DC_E_CHANGED;
        done += (size_t)got;
    }
    return DC_OK;
}

/* Closing at once also lets the disk space of a removed file go. */
static void release(dc_source *source)
{
    file_source *f = (file_source *)source;
    cache_slot *slot = slot_for(f);
    if (slot->owner == f)
        slot_close(slot);
    free(f->path);
    free(f);
}

/* A later chdir must not change what a source means. */
static char *absolute_path(const char *path)
{
    char *absolute = NULL, *here;
    if (path[0] == '/')
        return strdup(path);
    here = getcwd(NULL, 0);
    if (here && asprintf(&absolute, "%s/%s", here, path) < 0)
        absolute = NULL;
    free(here);
    return absolute;
}

dc_source *dc_file_source(const char *path, const struct stat *st, uint64_t size)
{
    file_source *f = calloc(1, sizeof *f);
    char *absolute = absolute_path(path);
    if (!f || !absolute) {
        free(absolute);
        free(f);
        return NULL;
    }
    f->base = (dc_source){ 1, size, absolute, read_at, release };
    f->path = absolute;
    f->dev = st->st_dev;
    f->ino = st->st_ino;
    f->bytes = st->st_size;
    f->changed = st->st_mtim;
    return &f->base;
}

dc_status dc_file_moved(dc_source *source, const char *path)
{
    struct stat st;
    file_source *f = (file_source *)source;
    if (source->read_at != read_at || stat(path, &st) || !unchanged(f, &st))
        return DC_E_CHANGED;
    char *absolute = absolute_path(path);
    if (!absolute)
        return DC_E_MEMORY;
    free(f->path);
    f->path = absolute;
    f->base.path = absolute;
    return DC_OK;
}
