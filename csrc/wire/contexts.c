/* SPDX-License-Identifier: MIT */
#include "contexts.h"

const dc_context *dc_contexts_find(const dc_context *contexts, uint32_t count, uint8_t id)
{
    for (uint32_t i = 0; i < count; i++)
        if (contexts[i].id == id)
            return &contexts[i];
    return NULL;
}

/* Bytes of a proposal in an A-ASSOCIATE-RQ: item headers, id, and maybe a role selection item. */
static size_t proposal_size(const dc_proposal *p)
{
    size_t n = 8 + 4 + strlen(p->abstract) + (p->scu >= 0 || p->scp >= 0 ? 8 + strlen(p->abstract) : 0);
    for (uint32_t i = 0; i < p->transfer_count; i++)
        n += 4 + strlen(p->transfers[i]);
    return n;
}

/* Contexts may fill what user information (an item of at most 64 KiB) and the fixed part leave. */
static uint32_t how_many_fit(const dc_proposal *list, uint32_t count)
{
    size_t room = DC_PDU_ASSOCIATE_MAX - 0x10000 - 256;
    uint32_t n = 0;
    for (; n < count && n < DC_CONTEXT_MAX; n++) {
        size_t size = proposal_size(&list[n]);
        if (size > room)
            break;
        room -= size;
    }
    return n;
}

dc_status dc_contexts_propose(const dc_proposal *list, uint32_t count, dc_arena *arena, dc_context **contexts,
                              uint32_t *taken)
{
    uint32_t n = how_many_fit(list, count);
    *taken = 0;
    if (n == 0 && count)
        return DC_E_TOO_LONG;
    *contexts = dc_arena_zero(arena, (n ? n : 1) * sizeof **contexts);
    if (!*contexts)
        return DC_E_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        (*contexts)[i] = (dc_context){ .id = (uint8_t)(2 * i + 1), .scu = list[i].scu, .scp = list[i].scp,
                                       .abstract = list[i].abstract, .transfers = list[i].transfers,
                                       .transfer_count = list[i].transfer_count };
    *taken = n;
    return DC_OK;
}

static bool offers(const dc_context *c, const char *transfer)
{
    for (uint32_t i = 0; i < c->transfer_count; i++)
        if (strcmp(c->transfers[i], transfer) == 0)
            return true;
    return false;
}

static const dc_support *support_of(const dc_support *table, uint32_t count, const char *abstract)
{
    for (uint32_t i = 0; i < count; i++)
        if (table[i].abstract ? strcmp(table[i].abstract, abstract) == 0 : table[i].takes && table[i].takes(abstract))
            return &table[i];
    return NULL;
}

static const char *choose_transfer(const dc_context *asked, const dc_support *row)
{
    if (row->transfer_count == 0)
        return asked->transfer_count ? asked->transfers[0] : NULL;
    for (uint32_t i = 0; i < row->transfer_count; i++)
        if (offers(asked, row->transfers[i]))
            return row->transfers[i];
    return NULL;
}

/* A role is granted when it was asked for and we let the requestor play it (PS3.7 D.3.3.4.2). */
static void answer_roles(const dc_context *asked, const dc_support *row, dc_context *answer)
{
    uint8_t roles = row->roles ? row->roles : DC_ROLE_SCU;
    if (asked->scu < 0 && asked->scp < 0)
        return;
    answer->scu = asked->scu == 1 && (roles & DC_ROLE_SCU);
    answer->scp = asked->scp == 1 && (roles & DC_ROLE_SCP);
    if (!answer->scu && !answer->scp && (asked->scu == 1 || asked->scp == 1))
        answer->result = DC_CONTEXT_USER; /* no role is left to play */
}

static dc_status answer_one(const dc_context *asked, const dc_support *row, dc_arena *arena, dc_context *answer)
{
    *answer = (dc_context){ .id = asked->id, .scu = -1, .scp = -1, .abstract = asked->abstract,
                            .result = row ? DC_CONTEXT_ACCEPTED : DC_CONTEXT_ABSTRACT };
    const char *transfer = row ? choose_transfer(asked, row) : NULL;
    if (!row)
        return DC_OK;
    if (!transfer) {
        answer->result = DC_CONTEXT_TRANSFER;
        return DC_OK;
    }
    answer->transfers = dc_arena_alloc(arena, sizeof *answer->transfers);
    if (!answer->transfers)
        return DC_E_MEMORY;
    answer->transfers[0] = transfer;
    answer->transfer_count = 1;
    answer_roles(asked, row, answer);
    return DC_OK;
}

dc_status dc_contexts_answer(const dc_assoc_params *request, const dc_support *table, uint32_t count, dc_arena *arena,
                             dc_context **answers)
{
    uint32_t n = request->context_count;
    dc_status st = DC_OK;
    *answers = dc_arena_zero(arena, (n ? n : 1) * sizeof **answers);
    if (!*answers)
        return DC_E_MEMORY;
    for (uint32_t i = 0; !st && i < n; i++) {
        const dc_context *asked = &request->contexts[i];
        st = answer_one(asked, support_of(table, count, asked->abstract), arena, &(*answers)[i]);
    }
    return st;
}

/* The proposed string that was accepted. A missing one is clear where only one was proposed: some acceptors leave it. */
static const char **accepted_transfer(const dc_context *asked, const dc_context *answer)
{
    if (answer->transfer_count == 0)
        return asked->transfer_count == 1 ? asked->transfers : NULL;
    for (uint32_t i = 0; i < asked->transfer_count; i++)
        if (strcmp(asked->transfers[i], answer->transfers[0]) == 0)
            return &asked->transfers[i];
    return NULL;
}

void dc_contexts_agree(const dc_context *asked, const dc_context *answer, dc_context *agreed)
{
    *agreed = (dc_context){ .id = asked->id, .abstract = asked->abstract, .scu = 1, .scp = 0,
                            .result = answer ? answer->result : DC_CONTEXT_NO_REASON };
    if (agreed->result != DC_CONTEXT_ACCEPTED)
        return;
    agreed->transfers = accepted_transfer(asked, answer);
    if (!agreed->transfers) {
        agreed->result = DC_CONTEXT_TRANSFER;
        return;
    }
    agreed->transfer_count = 1;
    if ((asked->scu >= 0 || asked->scp >= 0) && (answer->scu >= 0 || answer->scp >= 0)) {
        agreed->scu = asked->scu == 1 && answer->scu == 1;
        agreed->scp = asked->scp == 1 && answer->scp == 1;
    }
}

dc_status dc_contexts_check(const dc_context *contexts, uint32_t count, bool request)
{
    if (count > DC_CONTEXT_MAX || (request && count == 0))
        return DC_E_CONTEXT;
    for (uint32_t i = 0; i < count; i++) {
        const dc_context *c = &contexts[i];
        bool needs_transfer = request || c->result == DC_CONTEXT_ACCEPTED;
        if (!(c->id & 1) || dc_contexts_find(contexts, i, c->id) || (request && !c->abstract) ||
            (needs_transfer && c->transfer_count == 0) || c->result > DC_CONTEXT_TRANSFER)
            return DC_E_CONTEXT;
    }
    return DC_OK;
}

static bool begins_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Queries and creation services that were given UIDs among the storage classes. */
static const char *const not_storage[] = {
    "1.2.840.10008.5.1.4.1.1.200.4", "1.2.840.10008.5.1.4.1.1.200.5", "1.2.840.10008.5.1.4.1.1.200.6",
    "1.2.840.10008.5.1.4.1.1.201.2", "1.2.840.10008.5.1.4.1.1.201.3", "1.2.840.10008.5.1.4.1.1.201.4",
    "1.2.840.10008.5.1.4.1.1.201.5", "1.2.840.10008.5.1.4.1.1.201.6",
};

/* Storage classes with UIDs elsewhere. */
static const char *const also_storage[] = {
    "1.2.840.10008.5.1.1.27",    "1.2.840.10008.5.1.1.29",    "1.2.840.10008.5.1.1.30",   "1.2.840.10008.5.1.4.34.1",
    "1.2.840.10008.5.1.4.34.7",  "1.2.840.10008.5.1.4.34.10", "1.2.840.10008.5.1.4.38.1", "1.2.840.10008.5.1.4.39.1",
    "1.2.840.10008.5.1.4.43.1",  "1.2.840.10008.5.1.4.44.1",  "1.2.840.10008.5.1.4.45.1",
};

static bool is_one_of(const char *s, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(s, list[i]) == 0)
            return true;
    return false;
}

bool dc_contexts_is_storage(const char *abstract)
{
    if (begins_with(abstract, "1.2.840.10008.5.1.4.1.1."))
        return !is_one_of(abstract, not_storage, sizeof not_storage / sizeof *not_storage);
    if (begins_with(abstract, "1.2.840.10008."))
        return is_one_of(abstract, also_storage, sizeof also_storage / sizeof *also_storage);
    return abstract[0] != 0;
}
