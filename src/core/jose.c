/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Strict reading of a compact JWS: its parts and its header. */
#include "core/jose.h"

bool
jose_split(struct text token, struct jose *ret)
{
	const char *end = token.s + token.n;
	const char *one, *two;

	one = memchr(token.s, '.', token.n);
	if (!one)
		return false;
	two = memchr(one + 1, '.', (size_t)(end - one - 1));
	if (!two || memchr(two + 1, '.', (size_t)(end - two - 1)))
		return false;
	ret->header = (struct text){ token.s, (size_t)(one - token.s) };
	ret->claims = (struct text){ one + 1, (size_t)(two - one - 1) };
	ret->signature = (struct text){ two + 1, (size_t)(end - two - 1) };
	return ret->header.n && ret->claims.n && ret->signature.n;
}

/* The first character of *in that is no white space, or '\0' at the end. */
static char
peek(struct text *in)
{
	while (in->n > 0 && (*in->s == ' ' || *in->s == '\t' ||
	    *in->s == '\n' || *in->s == '\r')) {
		in->s++;
		in->n--;
	}
	return in->n > 0 ? *in->s : '\0';
}

/* c is never '\0', which peek gives for the end too. */
static bool
take(struct text *in, char c)
{
	if (peek(in) != c)
		return false;
	in->s++;
	in->n--;
	return true;
}

/* A string of printable ASCII, no escapes. */
static bool
take_string(struct text *in, struct text *ret)
{
	size_t n = 0;

	if (!take(in, '"'))
		return false;
	while (n < in->n && in->s[n] >= ' ' && in->s[n] < 0x7f &&
	    in->s[n] != '"' && in->s[n] != '\\')
		n++;
	if (n == in->n || in->s[n] != '"')
		return false;
	*ret = (struct text){ in->s, n };
	in->s += n + 1;
	in->n -= n + 1;
	return true;
}

/* One member into its place; false for a stranger or a second time. */
static bool
take_member(struct text *in, struct jose_header *ret)
{
	struct text name, value, *place = NULL;

	if (!take_string(in, &name) || !take(in, ':') ||
	    !take_string(in, &value))
		return false;
	if (text_is(name, "alg"))
		place = &ret->alg;
	else if (text_is(name, "typ"))
		place = &ret->typ;
	else if (text_is(name, "kid"))
		place = &ret->kid;
	if (!place || place->s)
		return false;
	*place = value;
	return true;
}

bool
jose_header(struct text json, struct jose_header *ret)
{
	*ret = (struct jose_header){ TEXT_NONE, TEXT_NONE, TEXT_NONE };
	if (!take(&json, '{'))
		return false;
	do {
		if (!take_member(&json, ret))
			return false;
	} while (take(&json, ','));
	if (!take(&json, '}') || peek(&json) != '\0' || json.n > 0)
		return false;
	return ret->alg.s && ret->typ.s && ret->kid.s;
}
