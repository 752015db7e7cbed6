/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a cursor, and any key through a cursor and back. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "lib/input.h"
#include "web/cursor.h"

#define BOUND "somebody|3|0"

static struct secret secret = { .n = 32 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	/* No input of a fuzzer holds what it cannot see. */
	return crypto_init() || crypto_random(secret.b, secret.n);
}

static int
decode(struct arena *mem, const struct secret *key, struct text bound,
    struct text in, struct cursor *ret)
{
	const int r = cursor_decode(mem, key, bound, in, ret);

	must(r == 0 || r == E_CURSOR, "neither taken nor refused");
	return r;
}

/* The id is in front, what is left is the key; none when nothing is. */
static void
round_trip(struct arena *mem, struct text in)
{
	struct cursor made = { .key = TEXT_NONE }, got;
	struct secret other = { .b = { 1 }, .n = 32 };
	struct text text;
	int r;

	if (in.n < sizeof(made.id))
		return;
	memcpy(made.id.b, in.s, sizeof(made.id));
	if (in.n > sizeof(made.id))
		made.key = (struct text){ in.s + sizeof(made.id) + 1,
		    in.n - sizeof(made.id) - 1 };
	r = cursor_encode(mem, &secret, TEXT(BOUND), &made, &text);
	must(r == (made.key.n > 2048 ? E_CURSOR : 0), "not encoded");
	if (r)
		return;
	must(decode(mem, &secret, TEXT(BOUND), text, &got) == 0,
	    "our own is refused");
	must(uuid_equal(&got.id, &made.id) && !got.key.s == !made.key.s &&
	    text_equal(got.key, made.key), "another place");
	must(decode(mem, &secret, TEXT(BOUND "1"), text, &got) != 0,
	    "taken for another list");
	must(decode(mem, &other, TEXT(BOUND), text, &got) != 0,
	    "taken under another key");
}

/* The bytes say where our own cursor is bent. */
static void
bend(struct arena *mem, struct text in)
{
	const struct cursor made = { TEXT("0000000042"), { { 1, 2, 3 } } };
	struct cursor got;
	struct text text;
	char *copy;

	if (cursor_encode(mem, &secret, TEXT(BOUND), &made, &text))
		abort();
	copy = arena_copy(mem, text.s, text.n);
	for (size_t i = 0; i + 1 < in.n; i += 2)
		copy[(uint8_t)in.s[i] % text.n] ^= in.s[i + 1];
	/* Not by memcmp, whose operands the fuzzer sees and copies. */
	must(crypto_equal(copy, text.s, text.n) || decode(mem, &secret,
	    TEXT(BOUND), (struct text){ copy, text.n }, &got) != 0,
	    "a bent one is taken");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { (const char *)data, size };
	struct cursor got;

	if (!mem)
		return 0;
	must(decode(mem, &secret, TEXT(BOUND), in, &got) != 0,
	    "any bytes are taken");
	/* So that the way behind the first checks is seen too. */
	must(decode(mem, &secret, TEXT(BOUND),
	    base64url_encode(mem, data, size), &got) != 0,
	    "any bytes are taken in base64url");
	round_trip(mem, in);
	bend(mem, in);
	arena_free(mem);
	return 0;
}
