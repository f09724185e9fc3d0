/* SPDX-License-Identifier: MIT */
/* Keyed hashing (RFC 2104) by OpenSSL. */
#ifndef DC_HMAC_H
#define DC_HMAC_H

#include "../base/span.h"
#include "../base/status.h"

enum { DC_HMAC_SHA256_SIZE = 32 };

DC_BEGIN
/* One-shot. Any length of key and message, none too. DC_E_MEMORY when OpenSSL cannot. */
dc_status dc_hmac_sha256(dc_span key, dc_span message, uint8_t out[DC_HMAC_SHA256_SIZE]);

const char *dc_crypt_version(void); /* of the library as linked: "3.0.11" */
DC_END

#endif
