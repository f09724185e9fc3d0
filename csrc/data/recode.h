/* SPDX-License-Identifier: MIT */
/* Text keeps its meaning: when the Specific Character Set changes, or text moves to where another one is in force, its
   bytes are made anew (PS3.3 C.12.1.1.2). What the set cannot hold switches it to ISO_IR 192. */
#ifndef DC_RECODE_H
#define DC_RECODE_H

#include "charset.h"

DC_BEGIN
/* Sets a value of kind TEXT from UTF-8, several values separated by backslashes. DC_E_CHARSET in file meta only. */
dc_status dc_dataset_set_text(dc_dataset *ds, uint32_t tag, dc_vr vr, dc_span utf8);

/* Sets (0008,0005), or removes it when terms.ptr is NULL, and re-encodes every text that it governs. Bytes that the old
   set could not decode stay, so that declaring the right set mends them. DC_E_CHARSET for an unknown term. */
dc_status dc_dataset_set_charset(dc_dataset *ds, dc_span terms);

/* dc_dataset_copy and dc_dataset_copy_element, with text re-encoded for where it arrives. */
dc_status dc_dataset_copy_meaning(dc_dataset *to, const dc_dataset *from);
dc_status dc_dataset_copy_element_meaning(dc_dataset *to, const dc_dataset *from, uint32_t tag);
dc_status dc_dataset_copy_element_meaning_as(dc_dataset *to, const dc_dataset *from, uint32_t tag, uint32_t as);
DC_END

#endif
