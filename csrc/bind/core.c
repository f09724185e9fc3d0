/* SPDX-License-Identifier: MIT */
/* dicom.core: the private C module. Each class adds its functions to the module table. */
#include "core.h"

LUAMOD_API int luaopen_dicom_core(lua_State *L)
{
    static void (*const classes[])(lua_State *) = {
        dc_open_dataset,
        dc_open_deid,
        dc_open_dict,
        dc_open_diff,
        dc_open_engine,
        dc_open_file,
        dc_open_frames,
        dc_open_iod,
        dc_open_kit,
        dc_open_link,
        dc_open_list,
        dc_open_loop,
        dc_open_message,
        dc_open_model,
        dc_open_object,
        dc_open_reader,
        dc_open_sandbox,
        dc_open_sequence,
        dc_open_version,
        dc_open_work,
        dc_open_write,
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        classes[i](L);
    return 1;
}

void dc_open_sandboxed(lua_State *L)
{
    static void (*const classes[])(lua_State *) = {
        dc_open_dataset,
        dc_open_dict,
        dc_open_kit,
        dc_open_list,
        dc_open_object,
        dc_open_random,
        dc_open_sequence,
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        classes[i](L);
}
