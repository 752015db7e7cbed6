/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Recognises secrets that are known defaults or have almost no entropy. */
#include "core/weak.h"

#include <ctype.h>
#include <string.h>

/* Seen in tutorials, templates and leaked configurations. */
static const char *const known[] = {
	"0123456789", "123456", "12345678", "1234567890", "abcdefghijklmnop",
	"admin", "alpha", "apikey", "change_me", "change-me", "changeit",
	"changeme", "changethis", "default", "development", "django-insecure",
	"docket", "example", "hmac", "jwt", "jwt_secret", "jwtsecret",
	"keyboard cat", "keyboardcat", "letmein", "my_secret", "my-secret",
	"mysecret", "mysecretkey", "none", "pass", "passw0rd", "password",
	"qwerty", "replaceme", "root", "s3cr3t", "secret", "secret_key",
	"secret-key", "secretkey", "sekret", "shhhhh", "super-secret",
	"supersecret", "test", "testing", "token", "topsecret",
	"your-256-bit-secret", "your-secret-key", "your_secret_key",
	"yoursecretkey",
};

#define BLOCK_MAX 16

/* Does p[from..n) repeat what stands `period` bytes before? */
static bool
is_periodic(const unsigned char *p, size_t from, size_t n, size_t period)
{
	for (size_t i = from; i < n; i++) {
		if (p[i] != p[i - period])
			return false;
	}
	return true;
}

static bool
starts_with(const unsigned char *p, size_t n, const char *word, size_t len)
{
	if (n < len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (tolower(p[i]) != word[i])
			return false;
	}
	return true;
}

static bool
is_known(const unsigned char *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	if (!starts_with(p, n, word, len))
		return false;
	/* Alone, repeated (also cut off), or padded with one byte. */
	return n == len || is_periodic(p, len, n, len) ||
	    is_periodic(p, len + 1, n, 1);
}

bool
secret_is_weak(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is_known(p, n, known[i]))
			return true;
	}
	for (size_t period = 1; period <= BLOCK_MAX; period++) {
		if (n >= 2 * period && is_periodic(p, period, n, period))
			return true;
	}
	return false;
}
