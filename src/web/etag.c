/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Entity tags (RFC 9110 §8.8.3): made from bytes, found in If-None-Match. */
#include "web/etag.h"

#include "base/crypto.h"

int
etag_of(struct arena *mem, struct text bytes, struct text *ret)
{
	uint8_t digest[16];
	const int r = crypto_digest(bytes.s, bytes.n, digest);
	struct text plain;

	if (r)
		return r;
	plain = base64url_encode(mem, digest, sizeof(digest));
	*ret = text_of(arena_printf(mem, "\"%.*s\"", TEXT_FMT(plain)));
	return 0;
}

/* nginx marks a tag weak when it compresses; the client sends that back. */
static struct text
strong(struct text tag)
{
	if (tag.n > 2 && tag.s[0] == 'W' && tag.s[1] == '/')
		return (struct text){ tag.s + 2, tag.n - 2 };
	return tag;
}

/* The tag at the front of the list, or TEXT_NONE; list is moved behind it. */
static struct text
tag_next(struct text *list)
{
	const char *s = list->s, *end = list->s + list->n, *quote;
	struct text tag;

	while (s < end && (*s == ' ' || *s == '\t' || *s == ','))
		s++;
	tag.s = s;
	if (end - s > 2 && s[0] == 'W' && s[1] == '/')
		s += 2;
	if (s == end || *s != '"')
		return TEXT_NONE;
	quote = memchr(s + 1, '"', (size_t)(end - s - 1));
	if (!quote)
		return TEXT_NONE;
	tag.n = (size_t)(quote + 1 - tag.s);
	*list = (struct text){ quote + 1, (size_t)(end - quote - 1) };
	return tag;
}

bool
etag_listed(struct text if_none_match, struct text etag)
{
	struct text tag;

	if (!if_none_match.s)
		return false;
	if (text_is(if_none_match, "*"))
		return true;
	while ((tag = tag_next(&if_none_match)).s)
		if (text_equal(strong(tag), strong(etag)))
			return true;
	return false;
}
