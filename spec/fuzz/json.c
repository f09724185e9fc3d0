/* SPDX-License-Identifier: MIT */
/* Any bytes as the DICOM JSON Model: an error with its place, or data sets. What was read is written and read again:
   both texts are the same. Fed in pieces and at once gives the same. It is also written as XML. */
#include <stdlib.h>

#include "../../csrc/data/json.h"
#include "../../csrc/data/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
    if (!what)
        abort();
}

static dc_status write_all(const dc_model_form *form, const dc_object *o, bool pretty, dc_buf *out)
{
    dc_model_options options = { .pretty = pretty, .meta = true, .replace = true };
    dc_model_event event;
    dc_model *m = NULL;
    dc_status st = dc_model_new(form, &o->root, &options, &m);
    while (!st) {
        st = dc_model_next(m, &event);
        if (!st)
            dc_buf_add(out, event.text.ptr, event.text.len);
    }
    dc_model_free(m);
    return st;
}

static void write_more(const dc_object *o)
{
    dc_buf text;
    dc_buf_init(&text);
    require(write_all(&dc_model_xml, o, true, &text) == DC_DONE);
    require(write_all(&dc_model_json, o, true, &text) == DC_DONE);
    dc_buf_free(&text);
}

/* All data sets of a text, in one text. */
static dc_status read_all(dc_span text, size_t piece, dc_buf *out, bool deep)
{
    dc_limits limits = DC_LIMITS_DEFAULT;
    dc_json_event event;
    limits.elements = 20000;
    dc_json *j = dc_json_new(&limits);
    if (!j)
        return DC_E_MEMORY;
    size_t at = 0;
    for (;;) {
        dc_status st = dc_json_next(j, &event);
        if (st == DC_MORE) {
            size_t n = text.len - at < piece ? text.len - at : piece;
            dc_json_feed(j, dc_span_make(text.ptr + at, n), n == text.len - at);
            at += n;
            continue;
        }
        if (st) {
            uint64_t offset;
            uint32_t tag;
            dc_json_place(j, &offset, &tag);
            require(st == DC_DONE || st == DC_E_MEMORY || offset <= text.len);
            dc_json_free(j);
            return st;
        }
        if (!event.object) {
            if (event.tag & 1)
                (void)dc_json_answer(j, dc_span_make("\xFE\xFF\x00\xE0\x02\x00\x00\x00\x01\x02", 10)); /* no text */
            continue;
        }
        require(write_all(&dc_model_json, event.object, false, out) == DC_DONE);
        if (deep)
            write_more(event.object);
        dc_buf_u8(out, '\n');
        dc_object_unref(event.object);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dc_buf once, pieces, again;
    dc_buf_init(&once);
    dc_buf_init(&pieces);
    dc_buf_init(&again);
    dc_span text = dc_span_make(data, size);
    dc_status st = read_all(text, SIZE_MAX, &once, true);
    require(read_all(text, 3, &pieces, false) == st);
    require(dc_span_equal(dc_buf_span(&once), dc_buf_span(&pieces)));
    size_t at = 0;
    while (st == DC_DONE && at < once.len) { /* one at a time: a list has no text of its own */
        const uint8_t *end = memchr(once.ptr + at, '\n', once.len - at);
        size_t mark = again.len, n = (size_t)(end - (once.ptr + at));
        require(read_all(dc_span_make(once.ptr + at, n), SIZE_MAX, &again, false) == DC_DONE);
        require(dc_span_equal(dc_span_make(once.ptr + at, n), dc_span_make(again.ptr + mark, again.len - mark - 1)));
        at += n + 1;
    }
    dc_buf_free(&once);
    dc_buf_free(&pieces);
    dc_buf_free(&again);
    return 0;
}
