/* SPDX-License-Identifier: MIT */
/* What our side says of itself in an A-ASSOCIATE PDU: checked before it is sent, and kept. */
#ifndef DC_PARAMS_H
#define DC_PARAMS_H

#include "pdu.h"

DC_BEGIN
/* DC_E_AE_TITLE, DC_E_UID, DC_E_CONTEXT, DC_E_PDU_LENGTH. An answer's AE titles are the request's, not checked here. */
dc_status dc_params_check(const dc_assoc_params *p, bool request);

/* A deep copy into the arena but for the raw items, which are only sent. */
dc_status dc_params_keep(const dc_assoc_params *p, dc_arena *arena, dc_assoc_params *to);
DC_END

#endif
