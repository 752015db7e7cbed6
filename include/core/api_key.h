/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What an API key looks like: a name that scanners know, an id, a secret. */
#ifndef DOCKET_CORE_API_KEY_H
#define DOCKET_CORE_API_KEY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/uuid.h"

/*
 *   dk_ ID(22) SECRET(43) CHECK(6)		^dk_[0-9A-Za-z]{71}$
 *
 * All three in base62 (0-9, A-Z, a-z), most significant digit first, of a
 * fixed length: the key's UUID, 32 random bytes, and the CRC-32 (IEEE 802.3,
 * as zlib has it) of all the characters before it. So one key has one
 * spelling, a double click takes the whole of it, a scanner can tell a key
 * from a likeness offline, and a typing mistake never reaches the database.
 */
#define API_KEY_CHARS 74
#define API_KEY_SECRET 32

/* secret: random bytes. The result ends in a NUL. */
struct text api_key_make(struct arena *mem, const struct uuid *id,
    const uint8_t secret[API_KEY_SECRET]);
/* False: a typing mistake, or no key at all. */
bool api_key_parse(struct text key, struct uuid *ret_id);

/* A new key of that id, and its SHA-256, which is all that is stored; both in
 * mem. 0 or a fault. */
int api_key_new(struct arena *mem, const struct uuid *id, struct text *ret_key,
    struct text *ret_hash);
/* The SHA-256 of whatever was presented. */
int api_key_hash(struct arena *mem, struct text key, struct text *ret_hash);

/* Field checks (base/field.h): a name without control characters; scopes that
 * there are, each once and in their order; networks in canonical form. */
int api_key_check_name(struct arena *mem, void *name, const char **ret_why);
int api_key_check_scopes(struct arena *mem, void *scopes,
    const char **ret_why);
int api_key_check_allow(struct arena *mem, void *networks,
    const char **ret_why);

#endif
