/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "hmac.h"

dc_status dc_hmac_sha256(dc_span key, dc_span message, uint8_t out[DC_HMAC_SHA256_SIZE])
{
    static const uint8_t nothing[1]; /* OpenSSL takes a NULL key for "the key of before" */
    unsigned size = 0;
    if (key.len > INT_MAX)
        return DC_E_MEMORY;
    const uint8_t *k = key.len ? key.ptr : nothing;
    const uint8_t *m = message.len ? message.ptr : nothing;
    if (!HMAC(EVP_sha256(), k, (int)key.len, m, message.len, out, &size) || size != DC_HMAC_SHA256_SIZE)
        return DC_E_MEMORY;
    return DC_OK;
}

const char *dc_crypt_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
