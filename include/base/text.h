/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Borrowed strings: a pointer and a length, owned by whoever made them. */
#ifndef DOCKET_BASE_TEXT_H
#define DOCKET_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A run of bytes that somebody else owns (in a request: the call's arena or a
 * database result that the arena releases). Not NUL-terminated unless the
 * maker says so. s == NULL means "absent" and prints as JSON null; an empty
 * text has s != NULL and n == 0.
 */
struct text {
	const char *s;
	size_t n;
};

struct texts {
	struct text *v;
	size_t n;
};

#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })
/* The same where C wants a constant initialiser. */
#define TEXT_INIT(literal) { (literal), sizeof(literal) - 1 }
#define TEXT_NONE ((struct text){ NULL, 0 })
/* For printf: printf("%.*s", TEXT_FMT(t)). */
#define TEXT_FMT(t) (int)(t).n, ((t).s ? (t).s : "")

/* Unicode code points, or -1 when the bytes are not well-formed UTF-8. */
int64_t text_chars(struct text t);

static inline struct text
text_of(const char *s)
{
	return s ? (struct text){ s, strlen(s) } : TEXT_NONE;
}

static inline bool
text_is(struct text t, const char *s)
{
	return t.s && t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}

static inline bool
text_equal(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

/* Of a hexadecimal digit in either case: 0..15, or -1. */
static inline int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* 2 n digits in lower case, and a NUL. */
static inline void
hex_write(char *to, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	*to = '\0';
}

#endif
