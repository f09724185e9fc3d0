/* SPDX-License-Identifier: MIT */
/* The values inside an element's bytes. */
#ifndef DC_VALUE_H
#define DC_VALUE_H

#include "dataset.h"

/* How a byte 5C may be half a character instead of a delimiter (see dc_charset). */
typedef enum dc_multibyte {
    DC_MULTIBYTE_NONE,
    DC_MULTIBYTE_PAIRS,  /* GBK, GB18030: a byte above 80 takes the next one with it */
    DC_MULTIBYTE_ESCAPES /* ISO 2022: between an escape to a two-byte G0 set and the one back */
} dc_multibyte;

enum { DC_FLOAT_SIZE = 32 };
enum { DC_DECIMAL_SIZE = 16 }; /* characters of a DS (PS3.5 6.2) */

DC_BEGIN
/* Number of values: by backslash for delimited VRs, by width for numbers; 0 when empty or only padding. */
uint32_t dc_value_count(dc_vr vr, dc_span bytes, dc_multibyte multibyte);

/* The n-th value (from 0) of a delimited VR, padding trimmed as its VR says; the whole for LT ST UT UR. False when
   there is none. Text is still in the data set's character set: a backslash may be part of a double-byte character,
   so `multibyte` switches to a walk that knows of them. */
bool dc_value_text(dc_vr vr, dc_span bytes, uint32_t n, dc_multibyte multibyte, dc_span *out);

/* Walks values in one pass: start with *at = 0; false after the last. */
bool dc_value_next(dc_vr vr, dc_span bytes, dc_multibyte multibyte, size_t *at, dc_span *out);

/* The n-th number of a binary or bulk VR. False when there is none. UV keeps its bits; a float takes integers too. */
bool dc_value_integer(dc_vr vr, dc_span bytes, uint32_t n, bool big, int64_t *out);
bool dc_value_float(dc_vr vr, dc_span bytes, uint32_t n, bool big, double *out);
bool dc_value_tag(dc_span bytes, uint32_t n, bool big, uint32_t *out);

/* DS and IS: DC_E_VALUE unless the whole text is a number in PS3.5's form (a comma, "1E", hexadecimal, inf: no). */
dc_status dc_decimal_parse(dc_span text, double *out);
dc_status dc_integer_parse(dc_span text, int64_t *out);

/* The fewest digits that read back as v in a DS of at most 16 characters, else the nearest that fits; plain notation
   where it fits, always a digit before the point. Returns the length; 0 for inf and nan. `out` has room for 17.
   No locale is asked. */
size_t dc_decimal_format(double v, char *out);

/* The fewest digits that read back as v (as a float when `narrow`), else NaN, inf, -inf. Returns the length, below
   DC_FLOAT_SIZE; no NUL. */
size_t dc_float_format(double v, bool narrow, char *out);

/* Does `text` (UTF-8) have the form that PS3.5 6.2 asks of one value of this VR? Characters, length, the digits of
   AS DA DT TM UI, the numbers of DS and IS; empty is well formed. DC_E_VALUE, or DC_E_TOO_LONG. */
dc_status dc_value_check(dc_vr vr, dc_span text);
DC_END

#endif
