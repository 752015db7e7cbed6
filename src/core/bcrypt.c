/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The one door to libxcrypt: imported bcrypt hashes. */
#include "core/bcrypt.h"

#include <crypt.h>
#include <errno.h>

/* What Django's bcrypt_sha256 hashes instead: hexadecimal, so without a NUL
 * and short enough. */
static int
sha256_hex(struct text password, char out[BCRYPT_PASSWORD + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum[CRYPTO_HASH];
	int r = crypto_sha256(password.s ? password.s : "", password.n, sum);

	for (size_t i = 0; r == 0 && i < sizeof(sum); i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[2 * sizeof(sum)] = '\0';
	explicit_bzero(sum, sizeof(sum));
	return r;
}

int
bcrypt_tag(const struct hash *h, struct text password, uint8_t *out)
{
	struct crypt_data data = { 0 };
	char in[BCRYPT_PASSWORD + 1] = { 0 };
	const size_t n = password.n < BCRYPT_PASSWORD ? password.n :
	    BCRYPT_PASSWORD;
	const char *made;
	int r = 0;

	if (h->sha256_first)
		r = sha256_hex(password, in);
	else if (n > 0)
		memcpy(in, password.s, n);
	if (r)
		return r;
	/* Not crypt_r, which says what is wrong in a string, and for which
	 * AddressSanitizer has a replacement of its own. */
	made = crypt_rn(in, h->bcrypt, &data, sizeof(data));
	if (made)
		memcpy(out, made + HASH_BCRYPT_TEXT - h->n_tag, h->n_tag);
	else
		r = -EIO;
	if (!h->sha256_first && strlen(in) < n)
		memset(out, 0, h->n_tag);
	explicit_bzero(&data, sizeof(data));
	explicit_bzero(in, sizeof(in));
	return r;
}
