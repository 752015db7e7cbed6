/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ES256: signatures on P-256, raw and in DER, and the lower of two s. */
#include "base/ecdsa.h"

#include <errno.h>

#include "base/error.h"

#define HALF CRYPTO_SCALAR

/* SP 800-186 §3.2.1.3: the order of the group, and half of it. */
static const uint8_t order[HALF] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
	0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
static const uint8_t half_order[HALF] = {
	0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00,
	0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42,
	0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
};

bool
ecdsa_scalar(const uint8_t d[HALF])
{
	static const uint8_t zero[HALF];

	return memcmp(d, zero, HALF) != 0 && memcmp(d, order, HALF) < 0;
}

/* A DER INTEGER: no zeros in front, but one where it would look negative. */
static size_t
integer_put(const uint8_t in[HALF], uint8_t *out)
{
	size_t skip = 0, pad;

	while (skip < HALF - 1 && in[skip] == 0)
		skip++;
	pad = in[skip] >> 7;
	out[0] = 0x02;
	out[1] = (uint8_t)(HALF - skip + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, in + skip, HALF - skip);
	return 2 + out[1];
}

size_t
ecdsa_to_der(const uint8_t raw[ECDSA_BYTES], uint8_t der[ECDSA_DER])
{
	size_t n = 2;

	if (!ecdsa_scalar(raw) || !ecdsa_scalar(raw + HALF) ||
	    memcmp(raw + HALF, half_order, HALF) > 0)
		return 0;
	n += integer_put(raw, der + n);
	n += integer_put(raw + HALF, der + n);
	der[0] = 0x30;
	der[1] = (uint8_t)(n - 2);
	return n;
}

/* The INTEGER at *at into 32 bytes; *at moves behind it. */
static bool
integer_take(const uint8_t *der, size_t n, size_t *at, uint8_t out[HALF])
{
	size_t size;

	if (n - *at < 2 || der[*at] != 0x02)
		return false;
	size = der[*at + 1];
	*at += 2;
	if (size == 0 || size > n - *at)
		return false;
	if (size == HALF + 1 && der[*at] == 0) {
		++*at;
		size--;
	}
	if (size > HALF)
		return false;
	memset(out, 0, HALF - size);
	memcpy(out + HALF - size, der + *at, size);
	*at += size;
	return true;
}

/* s = n - s */
static void
mirror(uint8_t s[HALF])
{
	unsigned borrow = 0;

	for (size_t i = HALF; i-- > 0;) {
		const unsigned take = s[i] + borrow;

		borrow = order[i] < take;
		s[i] = (uint8_t)(order[i] - take);
	}
}

bool
ecdsa_from_der(const uint8_t *der, size_t n, uint8_t raw[ECDSA_BYTES])
{
	size_t at = 2;

	if (n < 2 || der[0] != 0x30 || der[1] != n - 2 ||
	    !integer_take(der, n, &at, raw) ||
	    !integer_take(der, n, &at, raw + HALF) || at != n ||
	    !ecdsa_scalar(raw) || !ecdsa_scalar(raw + HALF))
		return false;
	if (memcmp(raw + HALF, half_order, HALF) > 0)
		mirror(raw + HALF);
	return true;
}

int
ecdsa_sign(const struct crypto_pair *pair, struct text in,
    uint8_t out[ECDSA_BYTES])
{
	uint8_t hash[CRYPTO_HASH], der[ECDSA_DER] = { 0 };
	size_t n = sizeof(der);
	int r = crypto_sha256(in.s, in.n, hash);

	if (r == 0)
		r = crypto_pair_sign(pair, hash, der, &n);
	/* OpenSSL 3.0 says nothing when it has no memory for the DER. */
	if (r == 0 && !ecdsa_from_der(der, n, out))
		r = -ENOMEM;
	return r;
}

int
ecdsa_verify(const struct crypto_pair *pair, struct text in,
    const uint8_t signature[ECDSA_BYTES])
{
	uint8_t hash[CRYPTO_HASH], der[ECDSA_DER];
	const size_t n = ecdsa_to_der(signature, der);
	int r;

	if (n == 0)
		return E_SEAL;
	r = crypto_sha256(in.s, in.n, hash);
	return r ? r : crypto_pair_verify(pair, hash, der, n);
}
