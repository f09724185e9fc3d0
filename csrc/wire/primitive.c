/* SPDX-License-Identifier: MIT */
#include "primitive.h"

#define F(field) (1u << DC_FIELD_##field)

/* The two that every request has besides its own, and the three of every response. */
#define REQUEST (F(MESSAGE_ID) | F(DATA_SET_TYPE))
#define RESPONSE (F(MESSAGE_ID) | F(DATA_SET_TYPE) | F(STATUS))
#define SUB_OPERATIONS (F(REMAINING) | F(COMPLETED) | F(FAILED) | F(WARNING))
#define ERRORS (F(ERROR_ID) | F(ERROR_COMMENT)) /* PS3.7 annex C: which of them goes with which status */
#define BOTH (F(SOP_CLASS) | F(SOP_INSTANCE))

enum { AFFECTED = 0, REQUESTED = 1 };

#define RQ(field, name, mandatory, optional, requested)                                                                \
    { field, name "-RQ", REQUEST | (mandatory), optional, requested, false }
#define RSP(field, name, optional)                                                                                     \
    { (field) | DC_RESPONSE, name "-RSP", RESPONSE, (optional) | ERRORS, false, true }

static const dc_primitive rows[] = {
    RQ(DC_C_STORE, "C-STORE", BOTH | F(PRIORITY), F(MOVE_ORIGINATOR) | F(MOVE_ORIGINATOR_ID), AFFECTED),
    RSP(DC_C_STORE, "C-STORE", BOTH),
    RQ(DC_C_GET, "C-GET", F(SOP_CLASS) | F(PRIORITY), 0, AFFECTED),
    RSP(DC_C_GET, "C-GET", F(SOP_CLASS) | SUB_OPERATIONS),
    RQ(DC_C_FIND, "C-FIND", F(SOP_CLASS) | F(PRIORITY), 0, AFFECTED),
    RSP(DC_C_FIND, "C-FIND", F(SOP_CLASS)),
    RQ(DC_C_MOVE, "C-MOVE", F(SOP_CLASS) | F(PRIORITY) | F(MOVE_DESTINATION), 0, AFFECTED),
    RSP(DC_C_MOVE, "C-MOVE", F(SOP_CLASS) | SUB_OPERATIONS),
    RQ(DC_C_ECHO, "C-ECHO", F(SOP_CLASS), 0, AFFECTED),
    RSP(DC_C_ECHO, "C-ECHO", F(SOP_CLASS)),
    RQ(DC_N_EVENT_REPORT, "N-EVENT-REPORT", BOTH | F(EVENT_TYPE), 0, AFFECTED),
    RSP(DC_N_EVENT_REPORT, "N-EVENT-REPORT", BOTH | F(EVENT_TYPE)),
    RQ(DC_N_GET, "N-GET", BOTH, 0, REQUESTED),
    RSP(DC_N_GET, "N-GET", BOTH),
    RQ(DC_N_SET, "N-SET", BOTH, 0, REQUESTED),
    RSP(DC_N_SET, "N-SET", BOTH),
    RQ(DC_N_ACTION, "N-ACTION", BOTH | F(ACTION_TYPE), 0, REQUESTED),
    RSP(DC_N_ACTION, "N-ACTION", BOTH | F(ACTION_TYPE)),
    RQ(DC_N_CREATE, "N-CREATE", F(SOP_CLASS), F(SOP_INSTANCE), AFFECTED),
    RSP(DC_N_CREATE, "N-CREATE", BOTH),
    RQ(DC_N_DELETE, "N-DELETE", BOTH, 0, REQUESTED),
    RSP(DC_N_DELETE, "N-DELETE", BOTH),
    { DC_C_CANCEL, "C-CANCEL-RQ", REQUEST, 0, AFFECTED, true }, /* names the request that it cancels (PS3.7 9.3.2.3) */
};

#define NUMBER(element, other, member) { element, other, DC_FORM_NUMBER, 0, offsetof(dc_command, member) }
#define TEXT(element, other, form, member)                                                                             \
    { element, other, form, sizeof ((dc_command *)0)->member - 1, offsetof(dc_command, member) }

const dc_field dc_fields[DC_FIELD_COUNT] = {
    [DC_FIELD_SOP_CLASS] = TEXT(0x0002, 0x0003, DC_FORM_UID, sop_class),
    [DC_FIELD_MESSAGE_ID] = NUMBER(0x0110, 0x0120, message_id),
    [DC_FIELD_MOVE_DESTINATION] = TEXT(0x0600, 0x0600, DC_FORM_AE, move_destination),
    [DC_FIELD_PRIORITY] = NUMBER(0x0700, 0x0700, priority),
    [DC_FIELD_DATA_SET_TYPE] = NUMBER(0x0800, 0x0800, data_set_type),
    [DC_FIELD_STATUS] = NUMBER(0x0900, 0x0900, status),
    [DC_FIELD_ERROR_COMMENT] = TEXT(0x0902, 0x0902, DC_FORM_TEXT, error_comment),
    [DC_FIELD_ERROR_ID] = NUMBER(0x0903, 0x0903, error_id),
    [DC_FIELD_SOP_INSTANCE] = TEXT(0x1000, 0x1001, DC_FORM_UID, sop_instance),
    [DC_FIELD_EVENT_TYPE] = NUMBER(0x1002, 0x1002, event_type),
    [DC_FIELD_ACTION_TYPE] = NUMBER(0x1008, 0x1008, action_type),
    [DC_FIELD_REMAINING] = NUMBER(0x1020, 0x1020, remaining),
    [DC_FIELD_COMPLETED] = NUMBER(0x1021, 0x1021, completed),
    [DC_FIELD_FAILED] = NUMBER(0x1022, 0x1022, failed),
    [DC_FIELD_WARNING] = NUMBER(0x1023, 0x1023, warning),
    [DC_FIELD_MOVE_ORIGINATOR] = TEXT(0x1030, 0x1030, DC_FORM_AE, move_originator),
    [DC_FIELD_MOVE_ORIGINATOR_ID] = NUMBER(0x1031, 0x1031, move_originator_id),
};

const dc_primitive *dc_primitive_find(uint16_t field)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].field == field)
            return &rows[i];
    return NULL;
}

uint16_t dc_field_element(const dc_primitive *p, int field)
{
    bool other = field == DC_FIELD_MESSAGE_ID ? p->responds : p->requested;
    return other ? dc_fields[field].other : dc_fields[field].element;
}

const char *dc_command_name(uint16_t field)
{
    const dc_primitive *p = dc_primitive_find(field);
    return p ? p->name : "unknown";
}
