/* SPDX-License-Identifier: MIT */
/* The model writer inside: model.c walks the data set, value.c's values are told to a form, which puts them in text. */
#ifndef DC_MODELLING_H
#define DC_MODELLING_H

#include "../base/base64.h"
#include "charset.h"
#include "model.h"

typedef enum dc_model_level { DC_LEVEL_ROOT, DC_LEVEL_META, DC_LEVEL_ITEM, DC_LEVEL_SEQUENCE } dc_model_level;

typedef struct dc_model_frame {
    uint8_t level;
    bool begun;             /* something was written: a comma is due */
    bool cs_known;
    dc_charset cs;
    const dc_dataset *ds;   /* sequence: that it is part of */
    const dc_items *items;  /* sequence */
    uint32_t index;         /* of the element or item that is next */
} dc_model_frame;

struct dc_model {
    const dc_model_form *form;
    const dc_dataset *root;
    dc_model_options options;
    uint32_t changes;        /* the object's when writing began */
    dc_model_frame *frames;
    uint32_t depth, cap;
    dc_buf out, utf8;
    uint32_t tag, replaced;
    dc_status status;        /* of what failed where nobody could return it */
    bool started, finished;
    bool given;              /* `out` was handed out: it may go */
    const dc_element *bulk;  /* whose bytes are on their way, or asked for */
    const dc_dataset *bulk_ds;
    bool asked;
    uint8_t *block;          /* bytes on their way from the source */
    uint64_t at;             /* of them, what is done; fragments: of fragment `fragment` */
    uint32_t fragment;
    dc_base64 base64;
};

/* How a form says it. Values are numbered from 0; text is UTF-8. */
struct dc_model_form {
    void (*start)(dc_model *m);
    void (*finish)(dc_model *m);
    void (*begin)(dc_model *m, const dc_dataset *ds, const dc_element *e, dc_vr vr);
    void (*end)(dc_model *m);
    void (*open_values)(dc_model *m);
    void (*close_values)(dc_model *m);
    void (*text)(dc_model *m, uint32_t n, dc_span s);
    void (*decimal)(dc_model *m, uint32_t n, dc_span s);  /* the text of a DS or IS */
    void (*number)(dc_model *m, uint32_t n, dc_span s);   /* that a double holds */
    void (*name)(dc_model *m, uint32_t n, dc_span s);     /* a PN */
    void (*nothing)(dc_model *m, uint32_t n);             /* an empty value among others */
    void (*open_item)(dc_model *m, uint32_t n);
    void (*close_item)(dc_model *m);
    void (*open_bytes)(dc_model *m);                      /* Base64 follows */
    void (*close_bytes)(dc_model *m);
    void (*uri)(dc_model *m, dc_span uri);
};

DC_BEGIN
static inline void dc_model_put(dc_model *m, const char *s, size_t n)
{
    dc_buf *b = &m->out;
    if (n > b->cap - b->len && dc_buf_reserve(b, n))
        return; /* remembered in the buffer */
    if (n)
        memcpy(b->ptr + b->len, s, n);
    b->len += n;
}

#define DC_MODEL_SAY(m, literal) dc_model_put(m, literal, sizeof literal - 1)

void dc_model_hex(dc_model *m, uint32_t tag); /* ggggeeee */

/* Gives `put` the text of bytes that stand beside the values, in UTF-8. */
void dc_model_aside(dc_model *m, dc_span bytes, void (*put)(dc_model *m, dc_span s));

static inline dc_model_frame *dc_model_top(dc_model *m)
{
    return &m->frames[m->depth - 1];
}
DC_END

#endif
