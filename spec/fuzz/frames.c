/* SPDX-License-Identifier: MIT */
/* Any bytes as a file with pixel data: every frame is found and read within its value, or refused; a frame is appended,
   and what is then written reads back with the same frames. */
#include <stdlib.h>

#include "../../csrc/data/reader.h"
#include "../../csrc/data/writer.h"
#include "../../csrc/pixel/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_FRAMES = 40 };

static uint64_t sum_of(const uint8_t *p, uint64_t n)
{
    uint64_t sum = 14695981039346656037u;
    for (uint64_t i = 0; i < n; i++)
        sum = (sum ^ p[i]) * 1099511628211u;
    return sum;
}

/* The sum of frame n, 0 when it cannot be read. */
static uint64_t read_frame(const dc_frames *f, const dc_dataset *ds, uint64_t n, uint64_t most)
{
    uint64_t bytes = 0;
    if (dc_frames_size(f, ds, n, &bytes))
        return 0;
    if (bytes > most)
        abort();
    uint8_t *to = malloc(bytes ? bytes : 1);
    uint64_t sum = to && dc_frames_read(f, ds, n, to) == DC_OK ? sum_of(to, bytes) | 1 : 0;
    free(to);
    return sum;
}

static dc_object *write_and_read(dc_object *object)
{
    dc_writer_options options = { .part10 = true };
    dc_writer *w = NULL;
    dc_segment s;
    dc_buf out;
    dc_object *back = NULL;
    dc_buf_init(&out);
    if (dc_writer_new(object, &options, &w) == DC_OK)
        while (dc_writer_next(w, &s) == DC_OK) {
            const uint8_t *bytes = s.bytes ? s.bytes : dc_source_bytes(s.source) + s.offset;
            dc_buf_add(&out, bytes, (size_t)s.length);
        }
    dc_source *source = out.len && w ? dc_source_memory(out.ptr, out.len) : NULL;
    if (source && dc_read_memory(source, NULL, NULL, &back)) {
        dc_object_unref(back);
        back = NULL;
    }
    dc_source_unref(source);
    dc_writer_free(w);
    dc_buf_free(&out);
    return back;
}

/* Frames that stand before the appended one, and that one, are the same after a round trip. Odd fragments are padded. */
static void append(dc_object *object, dc_frames *f, bool extended, const uint64_t *sums, uint64_t known)
{
    static const uint8_t bytes[64] = "\xFF\xD8\xFF appended";
    uint64_t count = f->count, size = f->is_native ? (f->bits + 7) / 8 : 20;
    dc_frames again;
    if (size > sizeof bytes || dc_frames_append(f, &object->root, dc_span_make(bytes, (size_t)size), extended))
        return;
    if (f->count != count + 1 || read_frame(f, &object->root, count + 1, UINT64_MAX) == 0)
        abort();
    for (uint64_t n = 1; n <= known && n <= count; n++)
        if (sums[n - 1] && read_frame(f, &object->root, n, UINT64_MAX) != sums[n - 1])
            abort();
    dc_object *back = write_and_read(object);
    if (back && dc_frames_init(&again, &back->root) == DC_OK) {
        uint64_t own = read_frame(f, &object->root, count + 1, UINT64_MAX);
        if (again.count == f->count && again.is_native == f->is_native &&
            read_frame(&again, &back->root, count + 1, UINT64_MAX) != own)
            abort();
        dc_frames_reset(&again);
    } else if (back) {
        dc_frames_reset(&again);
    }
    dc_object_unref(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dc_limits limits = DC_LIMITS_DEFAULT;
    limits.inflated = 1 << 20;
    limits.elements = 10000;
    if (size == 0)
        return 0;
    dc_source *source = dc_source_memory(data + 1, size - 1);
    dc_object *object = NULL;
    dc_frames f;
    if (source && dc_read_memory(source, NULL, &limits, &object) == DC_OK) {
        uint64_t sums[MOST_FRAMES] = { 0 }, n;
        if (dc_frames_init(&f, &object->root) == DC_OK) {
            for (n = 0; n < f.count && n < MOST_FRAMES; n++)
                sums[n] = read_frame(&f, &object->root, n + 1, (uint64_t)limits.inflated + size);
            append(object, &f, data[0] & 1, sums, n);
        }
        dc_frames_reset(&f);
    }
    dc_object_unref(object);
    dc_source_unref(source);
    return 0;
}
