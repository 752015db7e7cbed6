/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as an API key, a network and scopes: one value, one spelling. */
#include <stddef.h>
#include <stdint.h>

#include "core/api_key.h"
#include "core/cidr.h"
#include "core/scope.h"
#include "lib/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken has the one length and its own digits; what is refused writes
 * nothing; and no character of a good key can be another. */
static void
check_key(struct text in)
{
	struct uuid id = { .b = { 0xaa } }, other;
	const struct uuid before = id;
	char copy[API_KEY_CHARS];

	if (!api_key_parse(in, &id)) {
		must(uuid_equal(&id, &before), "refused, yet written");
		return;
	}
	must(in.n == API_KEY_CHARS, "a key of another length");
	for (size_t i = 0; i < in.n; i++) {
		memcpy(copy, in.s, in.n);
		copy[i] ^= 1;
		must(!api_key_parse((struct text){ copy, in.n }, &other),
		    "one character more or less is the same");
	}
}

/* Any 48 bytes make a key that is taken and says whose it is. */
static void
check_made(struct arena *mem, const uint8_t *data)
{
	struct uuid id, again;
	struct text key;

	memcpy(id.b, data, sizeof(id.b));
	key = api_key_make(mem, &id, data + sizeof(id.b));
	must(key.n == API_KEY_CHARS && key.s[key.n] == '\0', "its length");
	must(api_key_parse(key, &again) && uuid_equal(&id, &again),
	    "our own is refused");
	check_key(key);
}

static void
check_network(struct arena *mem, struct text in)
{
	struct text net = in, again;

	if (!cidr_canonical(mem, &net)) {
		must(net.s == in.s && net.n == in.n, "refused, yet changed");
		return;
	}
	again = net;
	must(cidr_canonical(mem, &again) && text_equal(net, again),
	    "two spellings of one network");
}

static void
check_words(struct arena *mem, struct text in)
{
	struct text out[4], name = in;
	struct texts one = { &in, 1 }, list = { &name, 1 };
	const unsigned bits = scope_words(in);
	const size_t n = scope_list(bits, out);
	const char *why = NULL;

	must(scope_bits((struct texts){ out, n }) == bits && bits <= MAY_ALL,
	    "another set");
	must((scope_bits(one) & ~bits) == 0, "one word, yet not among them");
	must(api_key_check_scopes(mem, &list, &why) == (scope_bit(in) == 0),
	    "a scope and none");
	must(api_key_check_name(mem, &name, &why) == 0 || why,
	    "refused without a word");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { size ? (const char *)data : "", size };

	if (!mem)
		return 0;
	check_key(in);
	if (size >= 48)
		check_made(mem, data);
	check_network(mem, in);
	check_words(mem, in);
	arena_free(mem);
	return 0;
}
