/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Stored password hashes, read into numbers: every format, every bound. */
#include "core/hash.h"

static const char unknown[] = "is of no format that is known";
static const char broken[] = "is malformed";
static const char dear[] = "would cost more than a login may";

struct scan {
	const char *at, *end;
};

static bool
take(struct scan *s, const char *word)
{
	const size_t n = strlen(word);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return false;
	s->at += n;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal, without leading zeros: one number has one spelling. */
static bool
take_number(struct scan *s, uint32_t *ret)
{
	const char *start = s->at;
	uint64_t v = 0;

	while (s->at < s->end && is_digit(*s->at) && v <= UINT32_MAX)
		v = v * 10 + (uint64_t)(*s->at++ - '0');
	*ret = (uint32_t)v;
	return s->at > start && v <= UINT32_MAX &&
	    (*start != '0' || s->at == start + 1);
}

/* What stands before the next dollar, which goes too; or all that is left. */
static struct text
take_part(struct scan *s)
{
	const size_t left = (size_t)(s->end - s->at);
	const char *dollar = memchr(s->at, '$', left);
	const struct text part = { s->at,
	    dollar ? (size_t)(dollar - s->at) : left };

	s->at = dollar ? dollar + 1 : s->end;
	return part;
}

/* All that is left; the decoders know no dollar. */
static struct text
take_rest(struct scan *s)
{
	return (struct text){ s->at, (size_t)(s->end - s->at) };
}

/* RFC 4648 §4 with or without its padding, or passlib's with a dot for the
 * plus; at most HASH_TAG_MAX bytes. */
static bool
from_base64(struct text in, uint8_t *out, size_t *ret_n)
{
	char url[HASH_TEXT];
	size_t n = in.n;

	for (int i = 0; i < 2 && n > 0 && in.s[n - 1] == '='; i++)
		n--;
	for (size_t i = 0; i < n; i++) {
		const char c = in.s[i];

		if (c == '-' || c == '_')
			return false;
		url[i] = c == '+' || c == '.' ? '-' : c == '/' ? '_' : c;
	}
	return base64url_decode((struct text){ url, n }, out, HASH_TAG_MAX,
	    ret_n);
}

static bool
from_hex(struct text in, uint8_t *out, size_t *ret_n)
{
	if (in.n % 2 || in.n / 2 > HASH_TAG_MAX)
		return false;
	for (size_t i = 0; i < in.n; i += 2) {
		const int high = hex_value(in.s[i]);
		const int low = hex_value(in.s[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	*ret_n = in.n / 2;
	return true;
}

/* The salt's very characters, as Django and Werkzeug take it. */
static bool
from_text(struct text in, uint8_t *out, size_t *ret_n)
{
	if (in.n > HASH_SALT_MAX)
		return false;
	memcpy(out, in.s, in.n);
	*ret_n = in.n;
	return true;
}

typedef bool (*decode)(struct text in, uint8_t *out, size_t *ret_n);

/* The two parts at the end of every format but bcrypt's. */
static bool
take_ends(struct scan *s, struct hash *h, decode salt, decode tag)
{
	return salt(take_part(s), h->salt, &h->n_salt) && h->n_salt > 0 &&
	    tag(take_rest(s), h->tag, &h->n_tag) && h->n_tag >= HASH_TAG_MIN;
}

static bool
take_argon2_type(struct scan *s, enum hash_argon2 *ret)
{
	if (take(s, "id$"))
		*ret = HASH_ARGON2ID;
	else if (take(s, "i$"))
		*ret = HASH_ARGON2I;
	else if (take(s, "d$"))
		*ret = HASH_ARGON2D;
	else
		return false;
	return true;
}

/* Version 16 is the one that did not say so. */
static bool
take_argon2_version(struct scan *s, uint32_t *ret)
{
	*ret = 16;
	if (!take(s, "v="))
		return true;
	return take_number(s, ret) && take(s, "$") &&
	    (*ret == 16 || *ret == 19);
}

static const char *
parse_argon2(struct scan *s, struct hash *h)
{
	if (!take_argon2_type(s, &h->type) ||
	    !take_argon2_version(s, &h->version) ||
	    !take(s, "m=") || !take_number(s, &h->kib) ||
	    !take(s, ",t=") || !take_number(s, &h->passes) ||
	    !take(s, ",p=") || !take_number(s, &h->lanes) || !take(s, "$") ||
	    !take_ends(s, h, from_base64, from_base64))
		return broken;
	/* RFC 9106 §3.1 */
	if (h->passes == 0 || h->lanes == 0 || h->n_salt < 8 ||
	    h->kib / 8 < h->lanes)
		return broken;
	if (h->kib > HASH_KIB_MAX || h->lanes > HASH_LANES_MAX ||
	    (uint64_t)h->kib * h->passes > HASH_KIB_PASSES_MAX)
		return dear;
	return NULL;
}

static bool
is_bcrypt_text(struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		const char c = t.s[i];

		if (!is_digit(c) && c != '.' && c != '/' &&
		    !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
			return false;
	}
	return true;
}

/* $2b$12$ and 22 characters of salt, 31 of the tag. */
static const char *
parse_bcrypt(struct scan *s, struct hash *h)
{
	const char *start = s->at - strlen("$2");
	int rounds;

	if (s->end - start != HASH_BCRYPT_TEXT ||
	    (*s->at != 'a' && *s->at != 'b' && *s->at != 'y') ||
	    start[3] != '$' || !is_digit(start[4]) || !is_digit(start[5]) ||
	    start[6] != '$' || !is_bcrypt_text((struct text){ start + 7, 53 }))
		return broken;
	rounds = (start[4] - '0') * 10 + start[5] - '0';
	if (rounds < 4 || rounds > 31)
		return broken;
	memcpy(h->bcrypt, start, HASH_BCRYPT_TEXT);
	h->bcrypt[HASH_BCRYPT_TEXT] = '\0';
	h->n_tag = 31;
	memcpy(h->tag, start + HASH_BCRYPT_TEXT - h->n_tag, h->n_tag);
	return rounds > HASH_BCRYPT_MAX ? dear : NULL;
}

static const char *
parse_bcrypt_sha256(struct scan *s, struct hash *h)
{
	h->sha256_first = true;
	return parse_bcrypt(s, h);
}

/* A tag of several digests costs all the rounds for each (RFC 8018 §5.2). */
static bool
is_dear_pbkdf2(const struct hash *h)
{
	static const size_t bytes[] = {
		[CRYPTO_SHA1] = 20, [CRYPTO_SHA256] = 32, [CRYPTO_SHA512] = 64,
	};
	const size_t digest = bytes[h->cost.digest];
	const size_t blocks = (h->n_tag + digest - 1) / digest;

	return h->cost.rounds > HASH_PBKDF2_MAX / blocks;
}

static const char *
parse_pbkdf2(struct scan *s, struct hash *h, decode salt, decode tag)
{
	if (!take_number(s, &h->cost.rounds) || !take(s, "$") ||
	    !take_ends(s, h, salt, tag) || h->cost.rounds == 0)
		return broken;
	return is_dear_pbkdf2(h) ? dear : NULL;
}

static const char *
parse_pbkdf2_django(struct scan *s, struct hash *h)
{
	return parse_pbkdf2(s, h, from_text, from_base64);
}

static const char *
parse_pbkdf2_werkzeug(struct scan *s, struct hash *h)
{
	return parse_pbkdf2(s, h, from_text, from_hex);
}

static const char *
parse_pbkdf2_passlib(struct scan *s, struct hash *h)
{
	return parse_pbkdf2(s, h, from_base64, from_base64);
}

/* RFC 7914 §2: N a power of 2, greater than 1, less than 2^(128 r / 8). */
static const char *
check_scrypt(const struct crypto_cost *c)
{
	if (c->rounds < 2 || (c->rounds & (c->rounds - 1)) || c->r == 0 ||
	    c->p == 0 || (c->r == 1 && c->rounds > UINT16_MAX))
		return broken;
	if (c->rounds > HASH_SCRYPT_MAX || c->r > HASH_SCRYPT_MAX ||
	    c->p > HASH_SCRYPT_MAX / c->r ||
	    c->rounds > HASH_SCRYPT_MAX / (c->r * c->p))
		return dear;
	return NULL;
}

/* scrypt$N$salt$r$p$base64 */
static const char *
parse_scrypt_django(struct scan *s, struct hash *h)
{
	struct crypto_cost *c = &h->cost;

	if (!take_number(s, &c->rounds) || !take(s, "$") ||
	    !from_text(take_part(s), h->salt, &h->n_salt) || h->n_salt == 0 ||
	    !take_number(s, &c->r) || !take(s, "$") ||
	    !take_number(s, &c->p) || !take(s, "$") ||
	    !from_base64(take_rest(s), h->tag, &h->n_tag) ||
	    h->n_tag < HASH_TAG_MIN)
		return broken;
	return check_scrypt(c);
}

/* scrypt:N:r:p$salt$hex */
static const char *
parse_scrypt_werkzeug(struct scan *s, struct hash *h)
{
	struct crypto_cost *c = &h->cost;

	if (!take_number(s, &c->rounds) || !take(s, ":") ||
	    !take_number(s, &c->r) || !take(s, ":") ||
	    !take_number(s, &c->p) || !take(s, "$") ||
	    !take_ends(s, h, from_text, from_hex))
		return broken;
	return check_scrypt(c);
}

/* $scrypt$ln=16,r=8,p=1$salt$tag */
static const char *
parse_scrypt_passlib(struct scan *s, struct hash *h)
{
	struct crypto_cost *c = &h->cost;
	uint32_t log2;

	if (!take(s, "ln=") || !take_number(s, &log2) ||
	    !take(s, ",r=") || !take_number(s, &c->r) ||
	    !take(s, ",p=") || !take_number(s, &c->p) || !take(s, "$") ||
	    !take_ends(s, h, from_base64, from_base64) || log2 == 0)
		return broken;
	if (log2 > 31)
		return dear;
	c->rounds = (uint32_t)1 << log2;
	return check_scrypt(c);
}

static const struct format {
	const char *prefix;
	enum hash_scheme scheme;
	enum crypto_digest digest;	/* PBKDF2 */
	const char *(*parse)(struct scan *, struct hash *);
} formats[] = {
	{ "$argon2",		HASH_ARGON2, 0, parse_argon2 },
	{ "argon2$argon2",	HASH_ARGON2, 0, parse_argon2 },
	{ "$2",			HASH_BCRYPT, 0, parse_bcrypt },
	{ "bcrypt$$2",		HASH_BCRYPT, 0, parse_bcrypt },
	{ "bcrypt_sha256$$2",	HASH_BCRYPT, 0, parse_bcrypt_sha256 },
	{ "pbkdf2_sha1$",	HASH_PBKDF2, CRYPTO_SHA1, parse_pbkdf2_django },
	{ "pbkdf2_sha256$",	HASH_PBKDF2, CRYPTO_SHA256, parse_pbkdf2_django },
	{ "pbkdf2:sha1:",	HASH_PBKDF2, CRYPTO_SHA1, parse_pbkdf2_werkzeug },
	{ "pbkdf2:sha256:",	HASH_PBKDF2, CRYPTO_SHA256, parse_pbkdf2_werkzeug },
	{ "pbkdf2:sha512:",	HASH_PBKDF2, CRYPTO_SHA512, parse_pbkdf2_werkzeug },
	{ "$pbkdf2$",		HASH_PBKDF2, CRYPTO_SHA1, parse_pbkdf2_passlib },
	{ "$pbkdf2-sha256$",	HASH_PBKDF2, CRYPTO_SHA256, parse_pbkdf2_passlib },
	{ "$pbkdf2-sha512$",	HASH_PBKDF2, CRYPTO_SHA512, parse_pbkdf2_passlib },
	{ "$scrypt$",		HASH_SCRYPT, 0, parse_scrypt_passlib },
	{ "scrypt:",		HASH_SCRYPT, 0, parse_scrypt_werkzeug },
	{ "scrypt$",		HASH_SCRYPT, 0, parse_scrypt_django },
};

const char *
hash_parse(struct text in, struct hash *ret)
{
	if (!in.s || in.n > HASH_TEXT || memchr(in.s, '\0', in.n))
		return unknown;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct scan s = { in.s, in.s + in.n };

		if (!take(&s, formats[i].prefix))
			continue;
		memset(ret, 0, sizeof(*ret));
		ret->scheme = formats[i].scheme;
		ret->cost.digest = formats[i].digest;
		/* cppcheck-suppress returnDanglingLifetime ; a static text */
		return formats[i].parse(&s, ret);
	}
	return unknown;
}
