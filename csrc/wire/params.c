/* SPDX-License-Identifier: MIT */
#include "contexts.h"
#include "params.h"

bool dc_ae_valid(const char *title)
{
    size_t n = strlen(title);
    bool seen = false;
    for (size_t i = 0; i < n; i++) {
        if (title[i] < ' ' || title[i] > '~' || title[i] == '\\')
            return false;
        seen = seen || title[i] != ' ';
    }
    return seen && n <= DC_AE_SIZE;
}

/* PS3.5 9.1: digits and single dots, 64 characters; leading zeros are common enough to let pass. */
static bool uid_valid(const char *uid)
{
    size_t n = strlen(uid);
    bool digit = false;
    for (size_t i = 0; i < n; i++) {
        bool now = uid[i] >= '0' && uid[i] <= '9';
        if (!now && !(uid[i] == '.' && digit))
            return false;
        digit = now;
    }
    return digit && n <= DC_UID_SIZE;
}

static bool context_uids_valid(const dc_context *c)
{
    for (uint32_t i = 0; i < c->transfer_count; i++)
        if (!uid_valid(c->transfers[i]))
            return false;
    return uid_valid(c->abstract);
}

static dc_status check_proposal(const dc_assoc_params *p)
{
    if (!dc_ae_valid(p->called) || !dc_ae_valid(p->calling))
        return DC_E_AE_TITLE;
    for (uint32_t i = 0; i < p->context_count; i++)
        if (!context_uids_valid(&p->contexts[i]))
            return DC_E_UID;
    return DC_OK;
}

dc_status dc_params_check(const dc_assoc_params *p, bool request)
{
    dc_status st = dc_contexts_check(p->contexts, p->context_count, request);
    if (!st && request)
        st = check_proposal(p);
    if (!st && p->max_pdu && p->max_pdu < DC_PDV_HEADER + 2)
        st = DC_E_PDU_LENGTH;
    if (!st && !uid_valid(p->implementation_uid))
        st = DC_E_UID;
    return st;
}

static const char *keep_text(dc_arena *arena, const char *s)
{
    return dc_arena_text(arena, s, strlen(s));
}

static dc_status keep_context(const dc_context *from, dc_arena *arena, dc_context *to)
{
    *to = *from;
    to->abstract = keep_text(arena, from->abstract);
    to->transfers = dc_arena_alloc(arena, from->transfer_count * sizeof *to->transfers);
    if (!to->abstract || !to->transfers)
        return DC_E_MEMORY;
    for (uint32_t i = 0; i < from->transfer_count; i++) {
        to->transfers[i] = keep_text(arena, from->transfers[i]);
        if (!to->transfers[i])
            return DC_E_MEMORY;
    }
    return DC_OK;
}

dc_status dc_params_keep(const dc_assoc_params *p, dc_arena *arena, dc_assoc_params *to)
{
    dc_status st = DC_OK;
    *to = *p;
    to->items = NULL;
    to->item_count = 0;
    to->contexts = dc_arena_alloc(arena, p->context_count * sizeof *to->contexts);
    if (!to->contexts)
        return DC_E_MEMORY;
    for (uint32_t i = 0; !st && i < p->context_count; i++)
        st = keep_context(&p->contexts[i], arena, &to->contexts[i]);
    return st;
}
