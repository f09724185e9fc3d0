/* SPDX-License-Identifier: MIT */
#ifndef DC_VERSION_H
#define DC_VERSION_H

#include "../base/dc.h"

DC_BEGIN
const char *dc_loop_version(void); /* of libuv as linked */
DC_END

#endif
