/* SPDX-License-Identifier: MIT */
/* Gives a data set as text: DICOM JSON Model (PS3.18 F.2) or Native DICOM Model (PS3.19 A.1), in UTF-8. A machine:
   dc_model_next until DC_DONE gives chunks of some 64 KiB whatever the data set's size, and asks about bulk data. */
#ifndef DC_MODEL_H
#define DC_MODEL_H

#include "../base/buf.h"
#include "dataset.h"

typedef struct dc_model dc_model;
typedef struct dc_model_form dc_model_form;

typedef struct dc_model_options {
    bool pretty;        /* for people: line ends and indentation */
    bool meta;          /* the file meta, too, which the standard leaves out */
    bool replace;       /* U+FFFD for what its character set does not hold; else DC_E_CHARSET */
    bool ask;           /* binary values longer than `threshold` are asked for */
    uint64_t threshold;
} dc_model_options;

typedef struct dc_model_event {
    dc_span text;         /* a chunk, valid until the next call; ptr NULL: a question */
    const dc_dataset *ds; /* the question: where do the bytes of this element lie? */
    const dc_element *e;
} dc_model_event;

DC_BEGIN
extern const dc_model_form dc_model_json, dc_model_xml;

/* `ds` may be an item. It may not change until the end: DC_E_GONE. */
dc_status dc_model_new(const dc_model_form *form, const dc_dataset *ds, const dc_model_options *options, dc_model **out);
void dc_model_free(dc_model *m);
dc_status dc_model_next(dc_model *m, dc_model_event *event); /* DC_OK with an event, DC_DONE, or a failure */
void dc_model_answer(dc_model *m, const dc_span *uri);       /* kept until the next call; NULL: inline; empty: left out */
uint32_t dc_model_tag(const dc_model *m);                    /* of the element that was last begun, for errors */
uint32_t dc_model_replaced(const dc_model *m);               /* values where U+FFFD stands for something */
DC_END

#endif
