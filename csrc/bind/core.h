/* SPDX-License-Identifier: MIT */
/* The parts of dicom.core. Each gets the module table on the top of the stack and leaves it there. */
#ifndef DC_CORE_H
#define DC_CORE_H

#include "kit.h"

LUAMOD_API int luaopen_dicom_core(lua_State *L);

DC_BEGIN
void dc_open_dataset(lua_State *L);
void dc_open_deid(lua_State *L);
void dc_open_diff(lua_State *L);
void dc_open_dict(lua_State *L);
void dc_open_engine(lua_State *L);
void dc_open_file(lua_State *L);
void dc_open_frames(lua_State *L);
void dc_open_iod(lua_State *L);
void dc_open_kit(lua_State *L);
void dc_open_link(lua_State *L);
void dc_open_list(lua_State *L);
void dc_open_loop(lua_State *L);
void dc_open_message(lua_State *L);
void dc_open_model(lua_State *L);
void dc_open_object(lua_State *L);
void dc_open_random(lua_State *L);
void dc_open_reader(lua_State *L);
void dc_open_sandbox(lua_State *L);
void dc_open_sandboxed(lua_State *L); /* the classes that rules may use: no files, no network */
void dc_open_sequence(lua_State *L);
void dc_open_version(lua_State *L);
void dc_open_work(lua_State *L);
void dc_open_write(lua_State *L);
DC_END

#endif
