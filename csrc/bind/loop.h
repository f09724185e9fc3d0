/* SPDX-License-Identifier: MIT */
/* The loop as a userdata, for the classes whose objects live in it. */
#ifndef DC_BIND_LOOP_H
#define DC_BIND_LOOP_H

#include "../io/loop.h"
#include "kit.h"

DC_BEGIN
dc_loop *dc_check_loop(lua_State *L, int arg);
DC_END

#endif
