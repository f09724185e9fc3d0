/* SPDX-License-Identifier: MIT */
/* The DIMSE primitives (PS3.7 9.3, 10.3) and the fields of command sets (PS3.7 E), one row each. */
#ifndef DC_PRIMITIVE_H
#define DC_PRIMITIVE_H

#include "message.h"

typedef struct dc_primitive {
    uint16_t field;      /* Command Field */
    const char *name;
    uint32_t mandatory;  /* bits 1u << DC_FIELD_... */
    uint32_t optional;
    bool requested;      /* names its SOP class and instance by Requested ... UID (0000,0003), (0000,1001) */
    bool responds;       /* its message id is (0000,0120) */
} dc_primitive;

typedef enum dc_field_form { DC_FORM_NUMBER, DC_FORM_UID, DC_FORM_AE, DC_FORM_TEXT } dc_field_form;

typedef struct dc_field {
    uint16_t element;   /* of group 0000 */
    uint16_t other;     /* when the primitive is `requested` or `responds`; else the same */
    uint8_t form;       /* dc_field_form */
    uint8_t size;       /* characters at most */
    uint16_t offset;    /* in dc_command */
} dc_field;

DC_BEGIN
extern const dc_field dc_fields[DC_FIELD_COUNT];
const dc_primitive *dc_primitive_find(uint16_t field);        /* NULL when there is none */
uint16_t dc_field_element(const dc_primitive *p, int field);  /* the element that holds it in this primitive */
DC_END

#endif
