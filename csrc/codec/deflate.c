/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "deflate.h"

/* zlib counts in unsigned int: what is larger is fed in parts. */
typedef struct stream {
    z_stream z;
    dc_span left; /* fed, not yet given to z */
    bool ready;   /* z is initialised */
} stream;

struct dc_inflate {
    stream s;
    uint64_t limit, out, in;
    uint32_t ratio;
    uint8_t head[2];
    uint8_t head_size;
    bool started, header, ended;
};

struct dc_deflate {
    stream s;
    bool last, ended;
};

static void refill(stream *s)
{
    if (s->z.avail_in || s->left.len == 0)
        return;
    uInt n = s->left.len > INT_MAX ? INT_MAX : (uInt)s->left.len;
    s->z.next_in = (Bytef *)(uintptr_t)s->left.ptr;
    s->z.avail_in = n;
    s->left.ptr += n;
    s->left.len -= n;
}

static void set_room(stream *s, uint8_t *out, size_t room)
{
    s->z.next_out = out;
    s->z.avail_out = room > INT_MAX ? INT_MAX : (uInt)room;
}

dc_inflate *dc_inflate_new(uint64_t limit, uint32_t ratio)
{
    dc_inflate *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->limit = limit;
    z->ratio = ratio;
    return z;
}

void dc_inflate_free(dc_inflate *z)
{
    if (!z)
        return;
    if (z->s.ready)
        inflateEnd(&z->s.z);
    free(z);
}

void dc_inflate_feed(dc_inflate *z, dc_span bytes)
{
    z->s.left = bytes;
}

/* A zlib header (RFC 1950) is two bytes that divide by 31; raw streams begin otherwise: those bytes would be a stored
   block with padding bits set. */
static dc_status start(dc_inflate *z)
{
    while (z->head_size < 2 && z->s.left.len) {
        z->head[z->head_size++] = *z->s.left.ptr++;
        z->s.left.len--;
    }
    if (z->head_size < 2)
        return DC_MORE;
    z->header = (z->head[0] & 0x0F) == 8 && (z->head[0] << 8 | z->head[1]) % 31 == 0;
    if (inflateInit2(&z->s.z, z->header ? 15 : -15) != Z_OK)
        return DC_E_MEMORY;
    z->s.ready = z->started = true;
    z->s.z.next_in = z->head;
    z->s.z.avail_in = 2;
    return DC_OK;
}

static dc_status outcome(dc_inflate *z, int rc, size_t n)
{
    if (z->out > z->limit || z->out / z->ratio > z->in)
        return DC_E_BOMB;
    z->ended = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR)
        return DC_E_MEMORY;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return DC_E_INFLATE;
    return n ? DC_OK : z->ended ? DC_DONE : DC_MORE;
}

dc_status dc_inflate_next(dc_inflate *z, uint8_t *out, size_t room, size_t *n)
{
    dc_status st = z->started ? DC_OK : start(z);
    *n = 0;
    if (st || z->ended)
        return st ? st : DC_DONE;
    size_t given;
    int rc;
    set_room(&z->s, out, room);
    room = z->s.z.avail_out;
    do {
        refill(&z->s);
        given = z->s.z.avail_in;
        rc = inflate(&z->s.z, Z_NO_FLUSH);
        z->in += given - z->s.z.avail_in;
        *n = room - z->s.z.avail_out;
    } while (rc == Z_OK && *n == 0 && (z->s.z.avail_in || z->s.left.len));
    z->out += *n;
    return outcome(z, rc, *n);
}

uint64_t dc_inflate_taken(const dc_inflate *z)
{
    return z->in;
}

bool dc_inflate_has_header(const dc_inflate *z)
{
    return z->header;
}

dc_deflate *dc_deflate_new(void)
{
    dc_deflate *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    if (deflateInit2(&z->s.z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return NULL;
    }
    z->s.ready = true;
    return z;
}

void dc_deflate_free(dc_deflate *z)
{
    if (!z)
        return;
    deflateEnd(&z->s.z);
    free(z);
}

void dc_deflate_feed(dc_deflate *z, dc_span bytes, bool last)
{
    z->s.left = bytes;
    z->last = last;
}

dc_status dc_deflate_next(dc_deflate *z, uint8_t *out, size_t room, size_t *n)
{
    *n = 0;
    if (z->ended)
        return DC_DONE;
    set_room(&z->s, out, room);
    room = z->s.z.avail_out;
    int rc;
    do {
        refill(&z->s);
        rc = deflate(&z->s.z, z->last && z->s.left.len == 0 ? Z_FINISH : Z_NO_FLUSH);
        *n = room - z->s.z.avail_out;
    } while (rc == Z_OK && *n == 0 && (z->s.z.avail_in || z->s.left.len));
    z->ended = rc == Z_STREAM_END;
    return *n ? DC_OK : z->ended ? DC_DONE : DC_MORE;
}
