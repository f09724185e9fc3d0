/* SPDX-License-Identifier: MIT */
/* The DICOM JSON Model's reader inside: json.c follows the tokens, json_build.c makes the data set, json_value.c turns
   values into bytes. The values of an attribute are kept until its VR is known: members come in any order. */
#ifndef DC_JSONING_H
#define DC_JSONING_H

#include "json.h"
#include "token.h"
#include "value.h"

typedef enum dc_json_kind {
    DC_JSON_NULL, DC_JSON_STRING, DC_JSON_NUMBER,
    DC_JSON_NAME, /* groups joined by = */
    DC_JSON_EMPTY /* {}: an item, or a name without groups */
} dc_json_kind;

typedef struct dc_json_values {
    dc_buf bytes;    /* kind, length, text of each */
    uint32_t count;
    bool scalars;    /* one of them is neither null nor {} */
} dc_json_values;

typedef enum dc_json_frame_kind {
    DC_JSON_LIST,      /* [ of data sets ] */
    DC_JSON_DATASET,   /* { tag: attribute } */
    DC_JSON_ATTRIBUTE, /* { "vr":, "Value": ... } */
    DC_JSON_VALUES,    /* [ of values ] */
    DC_JSON_EITHER,    /* { of an item or of a name: the first member tells */
    DC_JSON_PERSON,      /* { "Alphabetic": ... } */
    DC_JSON_IGNORED    /* whatever it is */
} dc_json_frame_kind;

typedef enum dc_json_state { DC_JSON_FIRST, DC_JSON_NEXT, DC_JSON_COLON, DC_JSON_VALUE, DC_JSON_AFTER } dc_json_state;

typedef enum dc_json_member { DC_JSON_OTHER, DC_JSON_VR, DC_JSON_VALUE_LIST, DC_JSON_INLINE, DC_JSON_URI, DC_JSON_GROUP } dc_json_member;

typedef struct dc_json_frame {
    uint8_t kind, state;
    uint8_t array;
    uint8_t member;    /* of the key read last */
    uint8_t group;     /* of a name */
    uint8_t vr;        /* attribute: DC_VR_NONE until it is read */
    uint8_t content;   /* attribute: the member that holds its value, OTHER: none yet */
    uint32_t tag;      /* data set: of the key; attribute: its own */
    uint64_t at;       /* where it begins */
    dc_dataset *ds;    /* data set: itself; attribute: that it is part of */
    dc_items *items;   /* attribute: a sequence's */
} dc_json_frame;

struct dc_json {
    dc_limits limits;
    dc_lexer lexer;
    dc_object *object;  /* that is being read */
    dc_json_frame *frames;
    uint32_t depth, cap;
    uint32_t nested;    /* items that are open */
    dc_json_values values; /* of the one attribute that has scalars */
    dc_buf packed;      /* its bytes or its URI */
    dc_buf names[3];
    bool unicode;       /* text beyond ASCII was seen */
    bool list, over;    /* the text is an array; the outermost value has ended */
    bool asked;
    dc_dataset *asked_ds;
    dc_json_event event;
    bool ready;
    dc_status failed;
    uint64_t offset;    /* of the failure */
    uint32_t tag;
};

DC_BEGIN
/* json_build.c */
dc_status dc_json_push(dc_json *j, dc_json_frame_kind kind, bool array);
dc_status dc_json_begin_object(dc_json *j);
dc_status dc_json_end_object(dc_json *j);
dc_status dc_json_settle(dc_object *o, dc_dataset *ds);
dc_status dc_json_add_item(dc_json *j, dc_json_frame *attribute, dc_dataset **item);
dc_status dc_json_become_item(dc_json *j); /* the frame on the top; below it are its array and its attribute */
dc_status dc_json_become_sequence(dc_json *j, dc_json_frame *attribute);
dc_status dc_json_finish_attribute(dc_json *j, dc_json_frame *f);

/* json_value.c */
dc_status dc_json_add(dc_json_values *v, dc_json_kind kind, dc_span s);
void dc_json_clear(dc_json_values *v);

/* The bytes of the element, little endian, text in UTF-8. DC_E_VALUE for what its VR does not take. */
dc_status dc_json_pack(const dc_json_values *v, dc_vr vr, dc_buf *out);
DC_END

static inline dc_json_frame *dc_json_top(dc_json *j)
{
    return j->depth ? &j->frames[j->depth - 1] : NULL;
}

#endif
