/* SPDX-License-Identifier: MIT */
/* Association parameters and DIMSE commands as Lua tables.

   params = { called=, calling=, max_pdu=, implementation_uid=, implementation_version=, window = { invoked, performed },
     contexts = { { id=, abstract=, transfers = { uid, ... }, scu=, scp= (booleans, nil: not mentioned), result= }, ... },
     items = { { type=, bytes= }, ... } }
   command = { field=, name=, message_id=, data_set_type=, status=, ... }: a key for each field that it has. */
#ifndef DC_BIND_PARAMS_H
#define DC_BIND_PARAMS_H

#include "../wire/contexts.h"
#include "../wire/message.h"
#include "kit.h"

DC_BEGIN
/* An arena that the collector frees: pushed. */
dc_arena *dc_kit_arena(lua_State *L);

/* Strings point into the table at `index`: it must stay. Raises on misuse. */
void dc_check_params(lua_State *L, int index, dc_arena *arena, dc_assoc_params *to);
void dc_push_params(lua_State *L, const dc_assoc_params *p);
void dc_push_context(lua_State *L, const dc_context *c);

void dc_check_command(lua_State *L, int index, dc_command *to);
void dc_push_command(lua_State *L, const dc_command *c);
DC_END

#endif
