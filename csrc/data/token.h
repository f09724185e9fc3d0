/* SPDX-License-Identifier: MIT */
/* JSON (RFC 8259) cut into tokens, fed in pieces of any size. */
#ifndef DC_TOKEN_H
#define DC_TOKEN_H

#include "../base/buf.h"

typedef enum dc_token {
    DC_TOKEN_OBJECT, DC_TOKEN_OBJECT_END, DC_TOKEN_ARRAY, DC_TOKEN_ARRAY_END, DC_TOKEN_COLON, DC_TOKEN_COMMA,
    DC_TOKEN_STRING, DC_TOKEN_NUMBER, DC_TOKEN_TRUE, DC_TOKEN_FALSE, DC_TOKEN_NULL
} dc_token;

typedef struct dc_lexer {
    dc_span rest;       /* fed, not yet looked at */
    bool last;          /* nothing will be fed after it */
    uint64_t offset;    /* of rest */
    uint64_t start;     /* of the token */
    uint64_t longest;   /* bytes of a string, against the limit */
    dc_buf text;        /* of a string or number: UTF-8, no escapes, valid until the next call */
    uint8_t state;
    uint8_t digits;     /* of \uXXXX, that were seen */
    uint32_t unit;      /* those digits */
    uint32_t high;      /* the first half of a surrogate pair, 0: none */
} dc_lexer;

DC_BEGIN
void dc_lexer_init(dc_lexer *l, uint64_t longest);
void dc_lexer_free(dc_lexer *l);
void dc_lexer_feed(dc_lexer *l, dc_span bytes, bool last); /* after DC_MORE; the bytes stay until the next one */
/* DC_OK with a token, DC_MORE, DC_DONE at the end, or DC_E_JSON, DC_E_CHARSET, DC_E_MEMORY, DC_E_TOO_LONG at `offset`. The tokens are right;
   whether their order is, the caller knows. NaN, Infinity, nan, inf and their negatives count as numbers: others write them. */
dc_status dc_lexer_next(dc_lexer *l, dc_token *token);
DC_END

#endif
