/* SPDX-License-Identifier: MIT */
/* The seven PDUs of PS3.8 9.3: encoding, decoding, and cutting a stream of bytes into them. */
#ifndef DC_PDU_H
#define DC_PDU_H

#include "assoc.h"

enum { DC_PDU_ASSOCIATE_RQ = 1, DC_PDU_ASSOCIATE_AC, DC_PDU_ASSOCIATE_RJ, DC_PDU_DATA, DC_PDU_RELEASE_RQ,
       DC_PDU_RELEASE_RP, DC_PDU_ABORT };

enum {
    DC_CONTEXT_MAX = 128, /* odd ids from 1 to 255 */
    DC_PDU_HEADER = 6, /* type, reserved, 32-bit length */
    DC_PDV_HEADER = 6, /* 32-bit length, presentation context id, message control header */
    DC_PDU_SMALL = 4,  /* body of every PDU but A-ASSOCIATE-RQ, -AC and P-DATA-TF */
    /* The longest A-ASSOCIATE PDU we take or make: 128 presentation contexts, each with every transfer syntax that
       exists (some 60) at 4 + 64 bytes, are 0.5 MiB; user information is at most 64 KiB. */
    DC_PDU_ASSOCIATE_MAX = 1 << 20,
    /* What a peer may send when it does not say what it can receive (PS3.8 D.1 demands that it does). */
    DC_PDU_DEFAULT_MAX = 16384
};

#define DC_APPLICATION_CONTEXT "1.2.840.10008.3.1.1.1" /* PS3.7 A.2.1 */

/* A-ABORT (PS3.8 table 9-26). */
enum { DC_ABORT_BY_USER = 0, DC_ABORT_BY_PROVIDER = 2 };
enum { DC_ABORT_NO_REASON = 0, DC_ABORT_UNKNOWN_PDU = 1, DC_ABORT_UNEXPECTED_PDU = 2, DC_ABORT_UNKNOWN_PARAMETER = 4,
       DC_ABORT_UNEXPECTED_PARAMETER = 5, DC_ABORT_INVALID_PARAMETER = 6 };

typedef struct dc_associate { /* a decoded A-ASSOCIATE-RQ or -AC */
    uint16_t version;         /* bit 0: version 1 */
    const char *application;  /* application context name; NULL when missing */
    dc_assoc_params params;   /* max_pdu: DC_PDU_DEFAULT_MAX when missing */
} dc_associate;

DC_BEGIN
/* Failures leave `out` as it was. DC_E_TOO_LONG: an item or the PDU is longer than its length field or our limit. */
dc_status dc_pdu_put_associate(dc_buf *out, bool request, const dc_assoc_params *params);
dc_status dc_pdu_put_small(dc_buf *out, uint8_t type, uint8_t result, uint8_t source, uint8_t reason);
void dc_pdu_data_header(uint8_t header[DC_DATA_HEADER], uint8_t context, bool command, bool last, uint32_t n);

/* `body` follows the 6-byte header. Everything is copied into `arena`. An answer (A-ASSOCIATE-AC) names contexts by id
   alone: `asked` gives them their abstract syntaxes, NULL makes them empty. DC_E_PDU: *offset is the place in `body`. */
dc_status dc_pdu_get_associate(dc_span body, bool request, const dc_assoc_params *asked, dc_arena *arena,
                               dc_associate *out, size_t *offset);

/* Cuts a stream into PDUs. A machine: feed, then next until DC_MORE. After a DC_FRAME_HEADER the owner chooses what
   becomes of the body (collect: one DC_FRAME_BODY; data: DC_FRAME_PIECE by piece, never buffered; skip: nothing). */
typedef enum dc_frame_kind { DC_FRAME_HEADER, DC_FRAME_BODY, DC_FRAME_PIECE } dc_frame_kind;
typedef enum dc_frame_mode { DC_FRAME_READ_HEADER, DC_FRAME_COLLECT, DC_FRAME_DATA, DC_FRAME_SKIP } dc_frame_mode;

typedef struct dc_frame {
    dc_frame_kind kind;
    uint8_t type;        /* of the PDU */
    uint32_t length;     /* of its body */
    dc_span bytes;       /* body, or piece of a PDV value */
    uint8_t context;     /* piece */
    bool command, last;  /* piece: message control header */
    bool ends;           /* piece: the PDV ends with it */
} dc_frame;

typedef struct dc_framer {
    dc_cursor input;
    const uint8_t *start; /* of the input */
    uint64_t before;      /* bytes received before the input */
    dc_buf body;
    uint8_t header[DC_PDU_HEADER];
    uint8_t have;         /* bytes in header */
    uint8_t mode;         /* dc_frame_mode */
    uint8_t type, context, control;
    bool in_value;        /* data: after a PDV header */
    uint32_t length;
    uint32_t left;        /* bytes of the body to come */
    uint32_t value_left;  /* data: bytes of the PDV value to come */
} dc_framer;

void dc_framer_init(dc_framer *f);
void dc_framer_free(dc_framer *f);
void dc_framer_feed(dc_framer *f, dc_span received);
void dc_framer_choose(dc_framer *f, dc_frame_mode mode);      /* once after each DC_FRAME_HEADER */
dc_status dc_framer_next(dc_framer *f, dc_frame *frame);      /* DC_OK, DC_MORE, DC_E_PDU, DC_E_PDU_TYPE, DC_E_MEMORY */
uint64_t dc_framer_offset(const dc_framer *f);                /* of the next byte, in all that was received */
DC_END

#endif
