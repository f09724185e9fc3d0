/* SPDX-License-Identifier: MIT */
#include <uv.h>

#include "version.h"

const char *dc_loop_version(void)
{
    return uv_version_string();
}
