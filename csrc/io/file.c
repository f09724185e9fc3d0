/* SPDX-License-Identifier: MIT */
/* Opening: windows of the file are read as the reader asks for them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "file.h"

dc_status dc_file_random(char *hex, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[32];
    if (n > sizeof bytes || getrandom(bytes, n, 0) != (ssize_t)n)
        return DC_E_SYSTEM;
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * n] = 0;
    return DC_OK;
}

static dc_status failed(dc_file_error *error, const char *call)
{
    error->number = errno;
    error->call = call;
    return DC_E_SYSTEM;
}

static dc_status read_window(int fd, uint64_t offset, uint8_t *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, p + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got ? DC_E_SYSTEM : DC_E_CHANGED;
        done += (size_t)got;
    }
    return DC_OK;
}

/* Feeds the reader: windows that stay as long as the object, and one block for bytes that are only looked at. */
typedef struct feeder {
    dc_reader *reader;
    dc_object *object;
    int fd;
    uint8_t *passing;
    size_t passing_size;
} feeder;

static uint8_t *passing_block(feeder *f, size_t n)
{
    if (n > f->passing_size) {
        free(f->passing);
        f->passing = malloc(n);
        f->passing_size = f->passing ? n : 0;
    }
    return f->passing;
}

/* The reader asks for what is cheap: growing windows, small ones after a gap, bare headers of large fragments. */
static dc_status feed(feeder *f, const dc_need *need)
{
    size_t n = need->length;
    uint8_t *p = need->transient ? passing_block(f, n) : dc_arena_alloc(&f->object->arena, n);
    if (!p && n)
        return DC_E_MEMORY;
    dc_status st = read_window(f->fd, need->offset, p, n);
    if (!st)
        dc_reader_feed(f->reader, need->offset, dc_span_make(p, n));
    return st;
}

static dc_status read_object(dc_object *o, int fd, const dc_reader_options *options, dc_file_error *error)
{
    dc_need need;
    dc_status st;
    feeder f = { dc_reader_new(o, o->source->size, options), o, fd, NULL, 0 };
    if (!f.reader)
        return DC_E_MEMORY;
    while ((st = dc_reader_next(f.reader, &need)) == DC_MORE)
        if ((st = feed(&f, &need)))
            break;
    dc_reader_free(f.reader);
    free(f.passing);
    return st == DC_E_SYSTEM ? failed(error, "read") : st;
}

static dc_status open_object(int fd, const char *path, const struct stat *s, const dc_file_open_options *options,
                             dc_object **out, dc_file_error *error)
{
    uint64_t size = options->size && options->size < (uint64_t)s->st_size ? options->size : (uint64_t)s->st_size;
    *out = dc_object_new(options->limits);
    if (!*out || !((*out)->source = dc_file_source(path, s, size)))
        return DC_E_MEMORY;
    return read_object(*out, fd, &options->read, error);
}

dc_status dc_file_open(const char *path, const dc_file_open_options *options, dc_object **out, dc_file_error *error)
{
    struct stat s;
    dc_status st;
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hang us */
    if (fd < 0)
        return failed(error, "open");
    if (fstat(fd, &s))
        st = failed(error, "stat");
    else if (S_ISREG(s.st_mode))
        st = open_object(fd, path, &s, options, out, error);
    else {
        errno = S_ISDIR(s.st_mode) ? EISDIR : EINVAL;
        st = failed(error, "not a file");
    }
    close(fd);
    return st;
}
