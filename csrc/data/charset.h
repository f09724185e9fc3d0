/* SPDX-License-Identifier: MIT */
/* Specific Character Set (0008,0005) to UTF-8 and back (PS3.3 C.12.1.1.2, PS3.5 6.1). */
#ifndef DC_CHARSET_H
#define DC_CHARSET_H

#include "../base/buf.h"
#include "value.h"

/* A parsed (0008,0005): small, copied by value. */
typedef struct dc_charset {
    uint8_t sets[8]; /* rows of charset.c's table; [0] is value 1 */
    uint8_t count;
    uint8_t multibyte; /* dc_multibyte */
    bool known;        /* every term is known */
} dc_charset;

DC_BEGIN
dc_charset dc_charset_parse(dc_span value);              /* the element's bytes; empty: the default repertoire */
dc_charset dc_charset_of(const dc_dataset *ds);          /* of this data set, inherited from the ones above */
bool dc_charset_is_utf8_safe(const dc_charset *cs, dc_span text); /* all ASCII without escapes: UTF-8 as it stands */

/* One value to UTF-8, appended to `out`. DC_E_CHARSET at bytes that the set does not hold, `*bad` their offset. */
dc_status dc_charset_decode(const dc_charset *cs, dc_vr vr, dc_span text, dc_buf *out, size_t *bad);

/* UTF-8 to the set, appended to `out`. DC_E_CHARSET when it cannot be held: the caller switches to ISO_IR 192. */
dc_status dc_charset_encode(const dc_charset *cs, dc_vr vr, dc_span utf8, dc_buf *out);

/* Valid UTF-8 (no surrogates, no overlong forms)? */
bool dc_utf8_valid(dc_span s);
DC_END

#endif
