/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Scopes by name and by bit. */
#include "core/scope.h"

const char *const scope_names[] = {
	"tasks:read", "tasks:write", "account", "admin", NULL
};

#define SCOPE_USER "tasks:read tasks:write account"
#define SCOPE_ADMIN SCOPE_USER " admin"

struct text
scope_of_role(struct text role)
{
	return text_is(role, "admin") ? TEXT(SCOPE_ADMIN) : TEXT(SCOPE_USER);
}

unsigned
scope_bit(struct text name)
{
	for (unsigned i = 0; scope_names[i]; i++)
		if (text_is(name, scope_names[i]))
			return 1u << i;
	return 0;
}

unsigned
scope_bits(struct texts names)
{
	unsigned bits = 0;

	for (size_t i = 0; i < names.n; i++)
		bits |= scope_bit(names.v[i]);
	return bits;
}

unsigned
scope_words(struct text words)
{
	unsigned bits = 0;
	size_t n;

	for (size_t at = 0; at < words.n; at += n + 1) {
		const char *blank = memchr(words.s + at, ' ', words.n - at);

		n = blank ? (size_t)(blank - words.s) - at : words.n - at;
		bits |= scope_bit((struct text){ words.s + at, n });
	}
	return bits;
}

size_t
scope_list(unsigned bits, struct text out[4])
{
	size_t n = 0;

	for (unsigned i = 0; scope_names[i]; i++)
		if (bits & 1u << i)
			out[n++] = text_of(scope_names[i]);
	return n;
}
