/* SPDX-License-Identifier: MIT */
/* Any bytes as a file or a data set: an error with its place or an object, never a crash, a hang or a huge allocation.
   What was read is cloned, its texts are decoded, and it is written in two ways. */
#include <stdlib.h>

#include "../../csrc/data/charset.h"
#include "../../csrc/data/reader.h"
#include "../../csrc/data/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_texts(const dc_dataset *ds)
{
    dc_charset cs = dc_charset_of(ds);
    for (uint32_t i = 0; i < ds->count; i++) {
        const dc_element *e = &ds->elements[i];
        uint8_t *scratch = NULL;
        dc_span bytes;
        size_t bad;
        if (e->hold == DC_HOLD_ITEMS) {
            for (uint32_t k = 0; k < e->u.items->count; k++)
                read_texts(e->u.items->list[k]); /* as deep as limits.depth */
        } else if (e->hold == DC_HOLD_BYTES && dc_element_bytes(ds->object, e, &bytes, &scratch) == DC_OK) {
            dc_buf out;
            dc_buf_init(&out);
            (void)dc_charset_decode(&cs, (dc_vr)e->vr, bytes, &out, &bad);
            dc_buf_free(&out);
        }
        free(scratch);
    }
}

static void write_all(dc_object *object, bool raw)
{
    dc_writer_options options = { NULL, true, raw, NULL };
    dc_writer *w = NULL;
    dc_segment segment;
    uint64_t total = 0;
    if (dc_writer_new(object, &options, &w) != DC_OK)
        return;
    while (dc_writer_next(w, &segment) == DC_OK)
        total += segment.length;
    if (total > UINT64_C(1) << 32)
        abort(); /* from 16 KiB? */
    dc_writer_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const bare[] = { NULL, NULL, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
                                        "1.2.840.10008.1.2.1.99" };
    if (size == 0)
        return 0;
    const char *uid = bare[(data[0] >> 1) % (sizeof bare / sizeof *bare)];
    dc_reader_options options = { uid ? dc_syntax_find(dc_span_make(uid, strlen(uid))) : NULL, data[0] & 1, 0 };
    dc_limits limits = DC_LIMITS_DEFAULT;
    limits.inflated = 1 << 24;
    limits.elements = 100000;
    dc_source *source = dc_source_memory(data + 1, size - 1);
    dc_object *object = NULL, *copy = NULL;
    if (source && dc_read_memory(source, &options, &limits, &object) == DC_OK) {
        read_texts(&object->root);
        write_all(object, false);
        write_all(object, true);
        if (dc_object_clone(object, &copy) == DC_OK)
            dc_object_unref(copy);
    }
    if (object)
        dc_object_unref(object);
    if (source)
        dc_source_unref(source);
    return 0;
}
