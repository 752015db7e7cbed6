/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as UTF-8, to three judges, and through percent escapes. */
#include <stddef.h>
#include <stdint.h>

#include <unistr.h>

#include "lib/input.h"
#include "web/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_cut(struct text in)
{
	for (size_t max = 0; max < in.n + 2 && max < 16; max++) {
		const struct text cut = utf8_cut(in, max);

		must(cut.s == in.s && cut.n <= max && utf8_valid(cut),
		    "cut wrongly");
		must(cut.n == in.n || cut.n + 4 > max, "cut too short");
	}
}

static void
check_characters(struct text in)
{
	char out[4];

	for (size_t i = 0; i < in.n; ) {
		const size_t n = utf8_next(in.s + i, in.n - i);
		ucs4_t code;

		must(u8_mbtouc(&code, (const uint8_t *)in.s + i, in.n - i) ==
		    (int)n, "a character of another length");
		must(utf8_put(out, code) == n &&
		    memcmp(out, in.s + i, n) == 0, "put differently");
		i += n;
	}
}

/* All of it escaped comes back; a NUL never does. */
static void
check_escaped(struct text in, bool good, struct arena *mem)
{
	char *all = arena_alloc(mem, 3 * in.n + 1), *at = all;
	struct text out;
	bool ok;

	for (size_t i = 0; i < in.n; i++) {
		*at++ = '%';
		*at++ = "0123456789abcdef"[(uint8_t)in.s[i] >> 4];
		*at++ = "0123456789ABCDEF"[(uint8_t)in.s[i] & 15];
	}
	ok = percent_decode(mem, (struct text){ all, 3 * in.n }, true, &out);
	must(ok == (good && !memchr(in.s, '\0', in.n)), "a wrong verdict");
	must(!ok || text_equal(in, out), "another text");
}

static void
check_decoded(struct text in, bool plus, struct arena *mem)
{
	struct text out;

	if (!percent_decode(mem, in, plus, &out))
		return;
	must(utf8_valid(out) && !memchr(out.s, '\0', out.n), "not a text");
	if (!memchr(in.s, '%', in.n) && !(plus && memchr(in.s, '+', in.n)))
		must(text_equal(in, out), "changed without an escape");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { size ? (const char *)data : "", size };
	const bool good = !u8_check((const uint8_t *)in.s, size);

	if (!mem)
		return 0;
	must(utf8_valid(in) == good, "web's verdict is another");
	must(text_chars(in) == (good ?
	    (int64_t)u8_mbsnlen((const uint8_t *)in.s, size) : -1),
	    "base counts otherwise");
	if (good) {
		check_cut(in);
		check_characters(in);
	}
	check_escaped(in, good, mem);
	check_decoded(in, true, mem);
	check_decoded(in, false, mem);
	arena_free(mem);
	return 0;
}
