/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a UUID and as base64url: one value, one spelling. */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "lib/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken is its own lower case; what is refused writes nothing. */
static void
check_uuid(struct text in)
{
	struct uuid id = { .b = { 0xaa } }, again;
	const struct uuid before = id;
	char out[UUID_CHARS];

	if (!uuid_parse(in, &id)) {
		must(uuid_equal(&id, &before), "refused, yet written");
		return;
	}
	must(in.n == UUID_CHARS, "a spelling of another length");
	uuid_format(&id, out);
	for (size_t i = 0; i < in.n; i++)
		must(out[i] == tolower((unsigned char)in.s[i]),
		    "another spelling");
	must(uuid_parse((struct text){ out, UUID_CHARS }, &again) &&
	    uuid_equal(&id, &again), "another id");
}

/* Any 16 bytes make a version 7 id that says when. */
static void
check_v7(const uint8_t *data)
{
	uint64_t ms = 0;
	struct uuid id;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | data[i];
	id = uuid_v7(ms, data + 6);
	must(uuid_ms(&id) == ms && id.b[6] >> 4 == 7 && id.b[8] >> 6 == 2 &&
	    memcmp(id.b + 9, data + 9, 7) == 0, "not version 7");
}

static void
check_base64url(struct text in, struct arena *mem)
{
	uint8_t *out = arena_alloc(mem, in.n + 1);
	struct text text = base64url_encode(mem, in.s, in.n);
	size_t n = 0;

	must(base64url_decode(text, out, in.n, &n) && n == in.n &&
	    memcmp(out, in.s, n) == 0, "our own is refused");
	must(in.n == 0 || !base64url_decode(text, out, in.n - 1, &n),
	    "more than there is room for");
	if (base64url_decode(in, out, in.n, &n))
		must(text_equal(base64url_encode(mem, out, n), in),
		    "a second spelling is taken");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { size ? (const char *)data : "", size };

	if (!mem)
		return 0;
	check_uuid(in);
	if (size >= 16)
		check_v7(data);
	check_base64url(in, mem);
	arena_free(mem);
	return 0;
}
