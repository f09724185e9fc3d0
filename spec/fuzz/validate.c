/* SPDX-License-Identifier: MIT */
/* Any bytes that read as a data set are held against the standard: findings name elements of it, and stay few. */
#include <stdlib.h>

#include "../../csrc/data/iod.h"
#include "../../csrc/data/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Paths into what is there: each finding is in a data set of this object, with a module that exists. */
static void look(const dc_object *o, const dc_finding *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (f[i].ds->object != o || f[i].code > DC_FINDING_UNKNOWN)
            abort();
        if (f[i].module != DC_FINDING_NO_MODULE && *dc_iod_module_name(f[i].module) == 0)
            abort();
    }
}

static void types(const dc_object *o)
{
    const dc_iod *iod = dc_iod_of(o);
    dc_iod_answer answer;
    for (uint32_t i = 0; iod && i < o->root.count; i++) {
        uint32_t tags[2] = { o->root.elements[i].tag, 0x00080100 };
        (void)dc_iod_type(iod, &o->root, tags, 1, &answer);
        (void)dc_iod_type(iod, &o->root, tags, 2, &answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const bare[] = { NULL, NULL, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2" };
    if (size == 0)
        return 0;
    const char *uid = bare[(data[0] >> 1) % (sizeof bare / sizeof *bare)];
    dc_reader_options options = { uid ? dc_syntax_find(dc_span_make(uid, strlen(uid))) : NULL, false, 0 };
    dc_limits limits = DC_LIMITS_DEFAULT;
    limits.inflated = 1 << 24;
    limits.elements = 100000;
    dc_source *source = dc_source_memory(data + 1, size - 1);
    dc_object *object = NULL;
    dc_buf findings;
    dc_buf_init(&findings);
    if (source && dc_read_memory(source, &options, &limits, &object) == DC_OK) {
        (void)dc_validate(object, &findings);
        if (findings.len > DC_FINDINGS_MOST * sizeof(dc_finding))
            abort();
        look(object, (const dc_finding *)(const void *)findings.ptr, findings.len / sizeof(dc_finding));
        types(object);
    }
    dc_buf_free(&findings);
    if (object)
        dc_object_unref(object);
    if (source)
        dc_source_unref(source);
    return 0;
}
