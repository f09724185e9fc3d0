/* SPDX-License-Identifier: MIT */
#include "status.h"

const char *dc_status_name(dc_status status)
{
    switch (status) {
#define NAME(constant, number, name, text)                                                                             \
    case constant: return name;
        DC_STATUS_LIST(NAME)
#undef NAME
    default: return "ok";
    }
}

const char *dc_status_text(dc_status status)
{
    switch (status) {
#define TEXT(constant, number, name, text)                                                                             \
    case constant: return text;
        DC_STATUS_LIST(TEXT)
#undef TEXT
    default: return "ok";
    }
}
