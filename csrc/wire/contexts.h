/* SPDX-License-Identifier: MIT */
/* Presentation contexts (PS3.8 7.1.1.13) and SCP/SCU role selection (PS3.7 D.3.3.4): proposing, answering, agreeing. */
#ifndef DC_CONTEXTS_H
#define DC_CONTEXTS_H

#include "pdu.h"

/* One context to propose. */
typedef struct dc_proposal {
    const char *abstract;
    const char **transfers; /* in order of preference */
    uint32_t transfer_count;
    int8_t scu, scp;        /* roles that the requestor wants; -1: not mentioned */
} dc_proposal;

enum { DC_ROLE_SCU = 1, DC_ROLE_SCP = 2 }; /* that the requestor may play */

/* One row of what an acceptor supports. The first row that fits an abstract syntax answers for it. */
typedef struct dc_support {
    const char *abstract;                  /* NULL: whatever `takes` says */
    bool (*takes)(const char *abstract);   /* dc_contexts_is_storage, ... */
    const char *const *transfers;          /* in our order of preference */
    uint32_t transfer_count;               /* 0: any, in the requestor's order of preference */
    uint8_t roles;                         /* DC_ROLE_... bits; 0: the default, the requestor is SCU */
} dc_support;

DC_BEGIN
/* Numbers the first contexts of the list, 128 at most and no more than fit an A-ASSOCIATE-RQ. The caller makes another
   association for what lies beyond *taken. Strings are not copied. */
dc_status dc_contexts_propose(const dc_proposal *list, uint32_t count, dc_arena *arena, dc_context **contexts,
                              uint32_t *taken);

/* An answer to every context of the request, in its order (request->context_count of them). */
dc_status dc_contexts_answer(const dc_assoc_params *request, const dc_support *table, uint32_t count, dc_arena *arena,
                             dc_context **answers);

/* What both sides now hold of one context: result, the one transfer syntax, and the roles as 0 or 1, the defaults where
   they were not negotiated. Refused when there is no answer, or one that was not proposed. `agreed->transfers` points
   into `asked`. */
void dc_contexts_agree(const dc_context *asked, const dc_context *answer, dc_context *agreed);

/* DC_E_CONTEXT unless ids are odd and unique, and each context has what a proposal (or an answer) must have. */
dc_status dc_contexts_check(const dc_context *contexts, uint32_t count, bool request);

/* Storage SOP classes: the standard's (PS3.4 B.5, GG.3), later ones of the same root, and everything private. */
bool dc_contexts_is_storage(const char *abstract);

const dc_context *dc_contexts_find(const dc_context *contexts, uint32_t count, uint8_t id); /* NULL when absent */
DC_END

#endif
