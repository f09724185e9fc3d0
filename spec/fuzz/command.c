/* SPDX-License-Identifier: MIT */
/* Any bytes as a command set: an error with its element, or a command that is written and read again as it was. */
#include <stdlib.h>

#include "../../csrc/wire/primitive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const dc_command *c, dc_buf *out)
{
    dc_buf_init(out);
    if (dc_command_encode(c, out))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dc_command first, second;
    dc_buf once, twice;
    uint32_t offending;
    if (dc_command_decode(dc_span_make(data, size), &first, &offending))
        return 0;
    first.has |= dc_primitive_find(first.field)->mandatory; /* Priority may be missing */
    encode(&first, &once);
    if (dc_command_decode(dc_buf_span(&once), &second, &offending))
        abort();
    encode(&second, &twice);
    if (!dc_span_equal(dc_buf_span(&once), dc_buf_span(&twice)))
        abort();
    dc_buf_free(&once);
    dc_buf_free(&twice);
    return 0;
}
