/* SPDX-License-Identifier: MIT */
/* Do two elements say the same? */
#ifndef DC_SAME_H
#define DC_SAME_H

#include "dataset.h"

DC_BEGIN
/* The values of x in a and y in b, which are no sequences: byte order, padding, character set and where the bytes lie
   do not count; the VR and the exact text of a DS do. Large values are compared piece by piece. */
dc_status dc_element_same(const dc_dataset *a, const dc_element *x, const dc_dataset *b, const dc_element *y, bool *same);
DC_END

#endif
