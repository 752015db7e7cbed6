/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* API keys as text: base62 of fixed lengths and a CRC-32 behind them. */
#include "core/api_key.h"

#include "base/crypto.h"
#include "core/base62.h"
#include "core/cidr.h"
#include "core/scope.h"

#define ID_CHARS 22
#define SECRET_CHARS 43
#define CHECK_CHARS 6
#define CHECK_AT (API_KEY_CHARS - CHECK_CHARS)

static const struct text prefix = TEXT_INIT("dk_");

/* bytes, most significant first, are used up: divided by 62 for each digit,
 * the last one first. */
static void
base62_put(uint8_t *bytes, size_t n, char *out, size_t chars)
{
	while (chars > 0) {
		unsigned rest = 0;

		for (size_t i = 0; i < n; i++) {
			rest = rest << 8 | bytes[i];
			bytes[i] = (uint8_t)(rest / BASE62);
			rest %= BASE62;
		}
		out[--chars] = base62_digits[rest];
	}
}

/* False: a character that is no digit, or a number that n bytes cannot hold,
 * which would be a second spelling of another. */
static bool
base62_get(const char *in, size_t chars, uint8_t *bytes, size_t n)
{
	memset(bytes, 0, n);
	for (size_t c = 0; c < chars; c++) {
		const int value = base62_value(in[c]);
		unsigned carry = (unsigned)value;

		if (value < 0)
			return false;
		for (size_t i = n; i > 0; i--) {
			carry += bytes[i - 1] * 62u;
			bytes[i - 1] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry)
			return false;
	}
	return true;
}

static uint32_t
crc32_of(const char *s, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint8_t)s[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void
check_put(char key[API_KEY_CHARS])
{
	const uint32_t crc = crc32_of(key, CHECK_AT);
	uint8_t bytes[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16),
	    (uint8_t)(crc >> 8), (uint8_t)crc };

	base62_put(bytes, sizeof(bytes), key + CHECK_AT, CHECK_CHARS);
}

struct text
api_key_make(struct arena *mem, const struct uuid *id,
    const uint8_t secret[API_KEY_SECRET])
{
	char *key = arena_alloc(mem, API_KEY_CHARS + 1);
	uint8_t bytes[API_KEY_SECRET];

	memcpy(key, prefix.s, prefix.n);
	memcpy(bytes, id->b, sizeof(id->b));
	base62_put(bytes, sizeof(id->b), key + prefix.n, ID_CHARS);
	memcpy(bytes, secret, sizeof(bytes));
	base62_put(bytes, sizeof(bytes), key + prefix.n + ID_CHARS,
	    SECRET_CHARS);	/* and leaves zeros behind */
	check_put(key);
	key[API_KEY_CHARS] = '\0';
	return (struct text){ key, API_KEY_CHARS };
}

bool
api_key_parse(struct text key, struct uuid *ret_id)
{
	uint8_t secret[API_KEY_SECRET];
	char again[API_KEY_CHARS];
	struct uuid id = { 0 };
	bool good;

	if (key.n != API_KEY_CHARS || memcmp(key.s, prefix.s, prefix.n) != 0)
		return false;
	memcpy(again, key.s, CHECK_AT);
	check_put(again);
	good = memcmp(again, key.s, API_KEY_CHARS) == 0 &&
	    base62_get(key.s + prefix.n, ID_CHARS, id.b, sizeof(id.b)) &&
	    base62_get(key.s + prefix.n + ID_CHARS, SECRET_CHARS, secret,
	    sizeof(secret));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(again, sizeof(again));
	if (good)
		*ret_id = id;
	return good;
}

int
api_key_hash(struct arena *mem, struct text key, struct text *ret_hash)
{
	uint8_t *hash = arena_alloc(mem, CRYPTO_HASH);

	*ret_hash = (struct text){ (char *)hash, CRYPTO_HASH };
	return crypto_sha256(key.s, key.n, hash);
}

int
api_key_new(struct arena *mem, const struct uuid *id, struct text *ret_key,
    struct text *ret_hash)
{
	uint8_t secret[API_KEY_SECRET];
	int r = crypto_random(secret, sizeof(secret));

	if (r)
		return r;
	*ret_key = api_key_make(mem, id, secret);
	explicit_bzero(secret, sizeof(secret));
	return api_key_hash(mem, *ret_key, ret_hash);
}

/* C0, DEL, and C1 in UTF-8. */
static bool
is_control(const char *s, size_t left)
{
	const uint8_t c = (uint8_t)s[0];

	return c < 0x20 || c == 0x7f || (c == 0xc2 && left > 1 &&
	    (uint8_t)s[1] >= 0x80 && (uint8_t)s[1] < 0xa0);
}

int
api_key_check_name(struct arena *mem, void *name, const char **ret_why)
{
	const struct text *t = name;

	(void)mem;
	for (size_t i = 0; i < t->n; i++)
		if (is_control(t->s + i, t->n - i)) {
			*ret_why = "must not have control characters";
			return 1;
		}
	return 0;
}

int
api_key_check_scopes(struct arena *mem, void *scopes, const char **ret_why)
{
	struct texts *list = scopes;
	struct text *v = arena_array(mem, 4, sizeof(*v));
	const unsigned bits = scope_bits(*list);

	for (size_t i = 0; i < list->n; i++)
		if (scope_bit(list->v[i]) == 0) {
			*ret_why = "must be of tasks:read, tasks:write, "
			    "account, admin";
			return 1;
		}
	*list = (struct texts){ v, scope_list(bits, v) };
	return 0;
}

int
api_key_check_allow(struct arena *mem, void *networks, const char **ret_why)
{
	struct texts *list = networks;
	struct text *v = arena_array(mem, list->n + 1, sizeof(*v));

	for (size_t i = 0; i < list->n; i++) {
		v[i] = list->v[i];
		if (!cidr_canonical(mem, &v[i])) {
			*ret_why = "must be networks, such as 192.0.2.0/24 or "
			    "2001:db8::/32";
			return 1;
		}
	}
	*list = (struct texts){ v, list->n };
	return 0;
}
