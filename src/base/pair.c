/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The other OpenSSL door: key pairs on P-256. */
#include <assert.h>
#include <errno.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/crypto.h"
#include "base/error.h"

/* The public point d * G on P-256, uncompressed. */
static bool
point_of(const BIGNUM *d, uint8_t out[CRYPTO_POINT])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	const bool ok = point &&
	    EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED,
	    out, CRYPTO_POINT, NULL) == CRYPTO_POINT;

	EC_POINT_free(point);
	EC_GROUP_free(group);
	return ok;
}

static EVP_PKEY *
pair_key(const BIGNUM *d, uint8_t point[CRYPTO_POINT])
{
	char group[] = "P-256";
	uint8_t native[CRYPTO_SCALAR];	/* as OSSL_PARAM has numbers */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
		    group, 0),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native,
		    sizeof(native)),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
		    point, CRYPTO_POINT),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx && BN_bn2nativepad(d, native, sizeof(native)) > 0 &&
	    EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params);
	EVP_PKEY_CTX_free(ctx);
	OPENSSL_cleanse(native, sizeof(native));
	return key;
}

int
crypto_pair_load(const struct secret *d, struct crypto_pair *ret)
{
	struct crypto_pair pair = { .key = NULL };
	BIGNUM *n;

	assert(d->n == CRYPTO_SCALAR);
	n = BN_bin2bn(d->b, CRYPTO_SCALAR, NULL);
	if (n && point_of(n, pair.point))
		pair.key = pair_key(n, pair.point);
	BN_clear_free(n);
	if (!pair.key)
		return crypto_fault();
	*ret = pair;
	return 0;
}

void
crypto_pair_done(struct crypto_pair *pair)
{
	EVP_PKEY_free(pair->key);
	pair->key = NULL;
}

/* OpenSSL draws the nonce from its own generator, mixed with key and message;
 * in a forked child that is seeded anew. */
int
crypto_pair_sign(const struct crypto_pair *pair,
    const uint8_t hash[CRYPTO_HASH], uint8_t *der, size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair->key, NULL);
	const bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_sign(ctx, der, n, hash, CRYPTO_HASH) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : crypto_fault();
}

/* Its "no" and its "no memory" look alike but for errno. */
int
crypto_pair_verify(const struct crypto_pair *pair,
    const uint8_t hash[CRYPTO_HASH], const uint8_t *der, size_t n)
{
	EVP_PKEY_CTX *ctx;
	bool ok;

	errno = 0;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair->key, NULL);
	ok = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_verify(ctx, der, n, hash, CRYPTO_HASH) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : crypto_fault() == -ENOMEM ? -ENOMEM : E_SEAL;
}
