/* SPDX-License-Identifier: MIT */
/* Opening: windows of the file are read as the reader asks for them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "file.h"

/* The first read holds most headers whole; 64 KiB at first would halve the rate over many files. */
enum { FIRST_WINDOW = 16 << 10, MOST_WINDOW = 4 << 20 };

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

/* One window for the reader: all it needs, more while that is cheap. It stays as long as the object. */
static dc_status feed(dc_reader *r, dc_object *o, int fd, const dc_need *need, size_t window)
{
    uint64_t left = need->offset < o->source->size ? o->source->size - need->offset : 0;
    uint64_t n = need->length > window ? need->length : window;
    n = n > left ? left : n;
    uint8_t *p = dc_arena_alloc(&o->arena, n);
    if (!p)
        return DC_E_MEMORY;
    dc_status st = read_window(fd, need->offset, p, n);
    if (!st)
        dc_reader_feed(r, need->offset, dc_span_make(p, n));
    return st;
}

static dc_status read_object(dc_object *o, int fd, const dc_reader_options *options, dc_file_error *error)
{
    dc_need need;
    dc_status st;
    size_t window = FIRST_WINDOW;
    dc_reader *r = dc_reader_new(o, o->source->size, options);
    if (!r)
        return DC_E_MEMORY;
    while ((st = dc_reader_next(r, &need)) == DC_MORE) {
        if ((st = feed(r, o, fd, &need, window)))
            break;
        window = window < MOST_WINDOW ? window * 4 : window;
    }
    dc_reader_free(r);
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
        st = failed(error, "open");
    }
    close(fd);
    return st;
}
