/* SPDX-License-Identifier: MIT */
/* Saving: a temporary name in the same folder, segments of the writer, rename. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"

enum { BLOCK = 256 << 10 };

typedef struct output {
    int fd;
    uint8_t *pending; /* small pieces, gathered */
    size_t count;
    uint8_t *block; /* for copies that the kernel does not take; made when needed */
    dc_file_error *error;
} output;

static dc_status failed(dc_file_error *error, const char *call)
{
    error->number = errno;
    error->call = call;
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? DC_E_FULL : DC_E_SYSTEM;
}

static dc_status write_all(output *out, const uint8_t *p, uint64_t n)
{
    while (n) {
        ssize_t done = write(out->fd, p, n < 1 << 30 ? n : 1 << 30);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(out->error, "write");
        p += done;
        n -= (uint64_t)done;
    }
    return DC_OK;
}

static dc_status flush(output *out)
{
    size_t n = out->count;
    out->count = 0;
    return write_all(out, out->pending, n);
}

static dc_status put_bytes(output *out, const uint8_t *p, uint64_t n)
{
    if (n > BLOCK - out->count) {
        dc_status st = flush(out);
        if (st || n >= BLOCK)
            return st ? st : write_all(out, p, n);
    }
    memcpy(out->pending + out->count, p, n);
    out->count += n;
    return DC_OK;
}

static dc_status copy_by_hand(output *out, dc_source *source, uint64_t offset, uint64_t n)
{
    if (!out->block && !(out->block = malloc(BLOCK)))
        return DC_E_MEMORY;
    while (n) {
        size_t part = n < BLOCK ? (size_t)n : BLOCK;
        dc_status st = source->read_at(source, offset, out->block, part);
        if (st || (st = write_all(out, out->block, part)))
            return st;
        offset += part;
        n -= part;
    }
    return DC_OK;
}

static bool kernel_refuses(int err)
{
    return err == EXDEV || err == EINVAL || err == ENOSYS || err == EOPNOTSUPP || err == EBADF || err == EPERM;
}

/* Within one file system the kernel copies, or shares blocks where the file system can. */
static dc_status copy_in_kernel(output *out, dc_source *source, int from, uint64_t offset, uint64_t n)
{
    off_t at = (off_t)offset;
    dc_status st;
    while (n) {
        ssize_t done = copy_file_range(from, &at, out->fd, NULL, n < 1 << 30 ? n : 1 << 30, 0);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && kernel_refuses(errno))
            return copy_by_hand(out, source, (uint64_t)at, n);
        if (done <= 0)
            return done ? failed(out->error, "copy") : DC_E_CHANGED;
        n -= (uint64_t)done;
    }
    return dc_file_descriptor(source, &st) < 0 ? st : DC_OK; /* still the same file after the copy? */
}

static dc_status put_range(output *out, dc_source *source, uint64_t offset, uint64_t n)
{
    dc_status st = flush(out);
    const uint8_t *bytes = dc_source_bytes(source);
    if (st || bytes)
        return st ? st : write_all(out, bytes + offset, n);
    int from = dc_file_descriptor(source, &st);
    return from < 0 ? st : copy_in_kernel(out, source, from, offset, n);
}

static dc_status write_segments(dc_writer *w, output *out)
{
    dc_segment s;
    dc_status st;
    while ((st = dc_writer_next(w, &s)) == DC_OK) {
        st = s.bytes ? put_bytes(out, s.bytes, s.length) : put_range(out, s.source, s.offset, s.length);
        if (st)
            return st;
    }
    return st == DC_DONE ? flush(out) : st;
}

static dc_status write_object(dc_object *o, int fd, const dc_writer_options *options, dc_file_error *error)
{
    dc_writer *w = NULL;
    output out = { fd, malloc(BLOCK), 0, NULL, error };
    dc_status st = out.pending ? dc_writer_new(o, options, &w) : DC_E_MEMORY;
    if (!st)
        st = write_segments(w, &out);
    dc_writer_free(w);
    free(out.pending);
    free(out.block);
    return st;
}

/* The folder part of a path, with its slash; 0 when there is none. */
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash - path) + 1 : 0;
}

dc_status dc_file_sync_folder_of(const char *path, dc_file_error *error)
{
    char *folder = NULL;
    int n = folder_length(path);
    if (asprintf(&folder, "%.*s", n ? n : 1, n ? path : ".") < 0)
        return DC_E_MEMORY;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return failed(error, "open folder");
    dc_status st = fsync(fd) ? failed(error, "fsync folder") : DC_OK;
    close(fd);
    return st;
}

/* Others may see the names in a folder: a temporary one says nothing about its content. */
static dc_status temporary(const char *path, char **name, int *fd, dc_file_error *error)
{
    char hex[17];
    struct stat s;
    if (!stat(path, &s) && !S_ISREG(s.st_mode)) { /* renaming over a device would replace it */
        errno = S_ISDIR(s.st_mode) ? EISDIR : EINVAL;
        return failed(error, "not a file");
    }
    if (dc_file_random(hex, 8))
        return failed(error, "getrandom");
    if (asprintf(name, "%.*s.%s.part", folder_length(path), path, hex) < 0) {
        *name = NULL;
        return DC_E_MEMORY;
    }
    *fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    return *fd < 0 ? failed(error, "create") : DC_OK;
}

/* An existing file keeps its permissions. */
static void keep_mode(int fd, const char *path)
{
    struct stat s;
    if (!stat(path, &s) && S_ISREG(s.st_mode))
        (void)!fchmod(fd, s.st_mode & 07777);
}

static dc_status finish(int fd, const char *temp, const char *path, bool durable, dc_file_error *error)
{
    keep_mode(fd, path);
    if (durable && fsync(fd))
        return failed(error, "fsync");
    if (rename(temp, path))
        return failed(error, "rename");
    return durable ? dc_file_sync_folder_of(path, error) : DC_OK;
}

static bool is_own_file(const dc_object *o, const char *path)
{
    struct stat a, b;
    const dc_source *source = o->packed ? o->packed : o->source;
    return source && source->path && !stat(path, &a) && !stat(source->path, &b) && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

static void rebase_dataset(dc_dataset *ds, const dc_dataset *fresh);

/* Items are not nested deeper than limits.depth, which reading the fresh object has just checked. */
static void rebase_items(dc_items *items, const dc_items *fresh)
{
    for (uint32_t i = 0; i < items->count && i < fresh->count; i++)
        rebase_dataset(items->list[i], fresh->list[i]);
}

static void rebase_fragments(dc_fragments *fragments, const dc_fragments *fresh)
{
    for (uint32_t i = 0; i < fragments->count && i < fresh->count; i++)
        if (!fragments->list[i].bytes)
            fragments->list[i].offset = fresh->list[i].offset;
}

/* Points ranges at where they stand in the file just written. What is held in memory stays there; that it once stood
   in the old file is forgotten. */
static void rebase_dataset(dc_dataset *ds, const dc_dataset *fresh)
{
    ds->modified = 1;
    ds->repaired = 0;
    for (uint32_t i = 0; i < ds->count; i++) {
        dc_element *e = &ds->elements[i];
        const dc_element *f = dc_dataset_find(fresh, e->tag);
        e->flags &= (uint16_t) ~(DC_EL_ORIGINAL | DC_EL_REPAIRED);
        if (!f || f->hold != e->hold)
            continue;
        e->at = f->at;
        if (e->hold == DC_HOLD_RANGE)
            e->u.offset = f->u.offset;
        else if (e->hold == DC_HOLD_ITEMS)
            rebase_items(e->u.items, f->u.items);
        else if (e->hold == DC_HOLD_FRAGMENTS)
            rebase_fragments(e->u.fragments, f->u.fragments);
    }
}

/* What was inflated is in memory already: only the way back to the old file is cut. */
static void unpack(dc_object *o)
{
    dc_source_unref(o->packed);
    o->packed = NULL;
    o->root.modified = 1;
}

static dc_status rebase(dc_object *o, const char *path, dc_file_error *error)
{
    dc_object *fresh;
    dc_file_open_options options = { .limits = &o->limits };
    if (o->packed)
        return unpack(o), DC_OK;
    dc_status st = dc_file_open(path, &options, &fresh, error);
    if (!st) {
        rebase_dataset(&o->root, &fresh->root);
        dc_source_unref(o->source);
        o->source = dc_source_ref(fresh->source);
        o->syntax = fresh->syntax;
        o->begin = fresh->begin;
        o->end = fresh->end;
        o->tail = fresh->tail;
        o->window_count = 0; /* their offsets are those of the old file */
    }
    dc_object_unref(fresh);
    return st;
}

dc_status dc_file_save(dc_object *o, const char *path, const dc_file_save_options *options, dc_file_error *error)
{
    char *temp = NULL, target[PATH_MAX];
    int fd = -1;
    if (!realpath(path, target)) /* a link goes on pointing; a new file has no real path yet */
        snprintf(target, sizeof target, "%s", path);
    bool own = is_own_file(o, target);
    dc_status st = temporary(target, &temp, &fd, error);
    if (!st)
        st = write_object(o, fd, &options->write, error);
    if (!st)
        st = finish(fd, temp, target, options->durable, error);
    if (fd >= 0 && close(fd) && !st)
        st = failed(error, "close");
    if (st && fd >= 0)
        unlink(temp);
    free(temp);
    return st || !own ? st : rebase(o, target, error);
}
