/* SPDX-License-Identifier: MIT */
/* DIMSE messages (PS3.7): command sets, and their reassembly from P-DATA. */
#ifndef DC_MESSAGE_H
#define DC_MESSAGE_H

#include "assoc.h"

/* PS3.7 E.1: Command Field values. Responses have 8000H added. */
enum { DC_C_STORE = 0x0001, DC_C_GET = 0x0010, DC_C_FIND = 0x0020, DC_C_MOVE = 0x0021, DC_C_ECHO = 0x0030,
       DC_N_EVENT_REPORT = 0x0100, DC_N_GET = 0x0110, DC_N_SET = 0x0120, DC_N_ACTION = 0x0130, DC_N_CREATE = 0x0140,
       DC_N_DELETE = 0x0150, DC_C_CANCEL = 0x0FFF, DC_RESPONSE = 0x8000 };

enum { DC_NO_DATA_SET = 0x0101 };

/* A command set: which fields it holds is a bit set over the rows of primitive.c. */
typedef struct dc_command {
    uint32_t has;                 /* bits 1u << DC_FIELD_... */
    uint16_t field;               /* Command Field (0000,0100) */
    uint16_t message_id;          /* (0000,0110), or being responded to (0000,0120) in a response and C-CANCEL */
    uint16_t data_set_type;       /* (0000,0800) */
    uint16_t status;              /* (0000,0900) */
    uint16_t priority;            /* (0000,0700) */
    char sop_class[DC_UID_SIZE + 1];    /* Affected or Requested SOP Class UID, as the primitive has it */
    char sop_instance[DC_UID_SIZE + 1]; /* Affected or Requested SOP Instance UID */
    char move_destination[DC_AE_SIZE + 1];
    char move_originator[DC_AE_SIZE + 1];
    uint16_t move_originator_id;
    uint16_t remaining, completed, failed, warning; /* sub-operations */
    uint16_t event_type, action_type;
    uint16_t error_id;
    char error_comment[65];       /* (0000,0902), LO */
} dc_command;

enum { DC_FIELD_SOP_CLASS, DC_FIELD_MESSAGE_ID, DC_FIELD_DATA_SET_TYPE, DC_FIELD_STATUS, DC_FIELD_PRIORITY,
       DC_FIELD_SOP_INSTANCE, DC_FIELD_MOVE_DESTINATION, DC_FIELD_MOVE_ORIGINATOR, DC_FIELD_MOVE_ORIGINATOR_ID,
       DC_FIELD_REMAINING, DC_FIELD_COMPLETED, DC_FIELD_FAILED, DC_FIELD_WARNING, DC_FIELD_EVENT_TYPE,
       DC_FIELD_ACTION_TYPE, DC_FIELD_ERROR_ID, DC_FIELD_ERROR_COMMENT, DC_FIELD_COUNT };

typedef enum dc_message_event_kind {
    DC_MESSAGE_COMMAND, /* command set complete; data follows if data_set_type is not DC_NO_DATA_SET */
    DC_MESSAGE_DATA,    /* bytes of the data set */
    DC_MESSAGE_END      /* the message is complete (follows COMMAND at once when there is no data set) */
} dc_message_event_kind;

typedef struct dc_message_event {
    dc_message_event_kind kind;
    uint8_t context;
    const dc_command *command; /* stays until the next COMMAND */
    dc_span data;
} dc_message_event;

typedef struct dc_message { /* reassembles one direction of an association */
    dc_buf command_bytes;   /* bounded: a command set is below 64 KiB */
    dc_command command;
    uint8_t context, state;
    dc_assoc_event piece;   /* fed, not yet given */
    bool has_piece;
    uint32_t offending;     /* tag, when next failed */
} dc_message;

DC_BEGIN
void dc_message_init(dc_message *m);
void dc_message_reset(dc_message *m);
dc_status dc_message_feed(dc_message *m, const dc_assoc_event *data);  /* a DC_EVENT_DATA; only after DC_MORE */
dc_status dc_message_next(dc_message *m, dc_message_event *event);     /* DC_OK, DC_MORE, or a failure: abort */

/* Encodes a command set (always implicit little endian, group length first, PS3.7 6.3). Which of the fields go in,
   and by which tags, says the primitive's row; `has` adds the optional ones. */
dc_status dc_command_encode(const dc_command *c, dc_buf *out);
dc_status dc_command_decode(dc_span bytes, dc_command *c, uint32_t *offending); /* DC_E_COMMAND with the tag */
const char *dc_command_name(uint16_t field);                                     /* "C-STORE-RQ", ... or "unknown" */
DC_END

#endif
