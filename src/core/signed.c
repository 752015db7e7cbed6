/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signatures of access tokens: by the ring's key, whatever the token says. */
#include "core/signed.h"

#include "base/error.h"

#define TOKEN_MAX 8192
#define HEADER_MAX 512

static int
mac_of(const struct ring_key *key, struct text part, uint8_t ret[CRYPTO_HASH])
{
	return crypto_hmac(&key->secret, part.s, part.n, ret);
}

int
token_sign(const struct ring_key *key, struct text part, struct signature *ret)
{
	if (key->pair.key) {
		ret->n = ECDSA_BYTES;
		return ecdsa_sign(&key->pair, part, ret->b);
	}
	ret->n = CRYPTO_HASH;
	return mac_of(key, part, ret->b);
}

/* The ring's key for this header; NULL when anything in it is not as ours. */
static const struct ring_key *
header_key(const struct token_ring *ring, struct text part)
{
	char json[HEADER_MAX];
	struct jose_header header;
	const struct ring_key *key;
	size_t n;

	if (!base64url_decode(part, json, sizeof(json), &n))
		return NULL;
	if (!jose_header((struct text){ json, n }, &header) ||
	    !text_is(header.typ, TOKEN_TYP))
		return NULL;
	key = ring_find(ring, header.kid);
	return key && text_is(header.alg, key->alg) ? key : NULL;
}

/* The header, the dot and the claims stand side by side. */
static struct text
signed_part(const struct jose *part)
{
	return (struct text){ part->header.s,
	    part->header.n + 1 + part->claims.n };
}

/* 0, E_TOKEN, or a fault. id: the MAC that was computed here. */
static int
check_hs256(const struct ring_key *key, const struct jose *part,
    uint8_t id[CRYPTO_HASH])
{
	uint8_t theirs[CRYPTO_HASH];
	size_t n;
	int r;

	if (!base64url_decode(part->signature, theirs, sizeof(theirs), &n) ||
	    n != sizeof(theirs))
		return E_TOKEN;
	r = mac_of(key, signed_part(part), id);
	if (r)
		return r;
	return crypto_equal(theirs, id, CRYPTO_HASH) ? 0 : E_TOKEN;
}

/*
 * The same, and a tenth of a millisecond. id: a keyed hash of the whole token,
 * signature and all. A memo that knows it has it of this very text, which the
 * signature vouched for then: the ring is the same as long as the memo lives.
 */
static int
check_es256(const struct ring_key *key, const struct token_memo *memo,
    const struct jose *part, uint8_t id[CRYPTO_HASH])
{
	uint8_t theirs[ECDSA_BYTES];
	const struct text body = signed_part(part);
	const struct text whole = { body.s, body.n + 1 + part->signature.n };
	size_t n;
	int r;

	if (!base64url_decode(part->signature, theirs, sizeof(theirs), &n) ||
	    n != sizeof(theirs))
		return E_TOKEN;
	r = token_memo_id(memo, whole, id);
	if (r || token_memo_find(memo, id))
		return r;
	r = ecdsa_verify(&key->pair, body, theirs);
	return r == E_SEAL ? E_TOKEN : r;
}

int
token_open(const struct token_ring *ring, const struct token_memo *memo,
    struct text token, struct jose *ret, uint8_t id[CRYPTO_HASH])
{
	const struct ring_key *key;

	if (!token.s || token.n > TOKEN_MAX || !jose_split(token, ret))
		return E_TOKEN;
	key = header_key(ring, ret->header);
	if (!key)
		return E_TOKEN;
	/* The key decides, never the token (RFC 8725 §3.1). */
	return key->pair.key ? check_es256(key, memo, ret, id) :
	    check_hs256(key, ret, id);
}
