/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a value and as a template: a value comes out of its place as
 * it went in, and a template that was checked can be filled. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "courier/fill.h"
#include "courier/webhook.h"
#include "lib/input.h"
#include "web/json_point.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
filled(struct buf *out, const char *template, enum fill_place place,
    struct text value)
{
	const struct fill_value v[] = { { "a", value } };
	const struct fill_values values = { v, 1 };

	return fill(out, template, place, &values);
}

static void
check_form(struct text value)
{
	struct buf out = { 0 };
	size_t o = 0;

	must(filled(&out, "{{a}}", FILL_FORM, value) ==
	    !memchr(value.s, '\0', value.n), "refused");
	for (size_t i = 0; i < out.n; i++, o++) {
		int c = (unsigned char)out.p[i];

		if (c == '%') {
			must(i + 2 < out.n, "cut");
			c = hex_value(out.p[i + 1]) << 4 |
			    hex_value(out.p[i + 2]);
			i += 2;
		} else {
			must(c > ' ' && c <= '~' && !strchr("&=?#/+%", c),
			    "not encoded");
		}
		must(o < value.n && (char)c == value.s[o], "another value");
	}
	must(out.n == 0 || o == value.n, "lost");
	buf_done(&out);
}

static void
check_json(struct arena *mem, struct text value)
{
	struct buf out = { 0 };
	struct text again;

	if (filled(&out, "{\"a\":\"{{a}}\"}", FILL_JSON, value)) {
		must(json_point(buf_view(&out), "/a", mem, &again),
		    "no JSON");
		must(text_equal(value, again), "another value");
	}
	buf_done(&out);
}

static void
check_lines(struct text value)
{
	struct buf out = { 0 };

	if (filled(&out, "{{a}}", FILL_XML, value))
		for (size_t i = 0; i < out.n; i++)
			must((unsigned char)out.p[i] >= ' ' &&
			    !strchr("<>\"'", out.p[i]), "out of its place");
	buf_reset(&out, 0);
	if (filled(&out, "{{a}}", FILL_HEADER, value)) {
		must(text_equal(buf_view(&out), value), "another value");
		for (size_t i = 0; i < out.n; i++)
			must((unsigned char)out.p[i] >= ' ', "a line break");
	}
	buf_done(&out);
}

static void
check_template(const char *template)
{
	const struct fill_value v[] = { { "a", TEXT_INIT("1") } };
	const struct fill_values values = { v, 1 };
	struct buf out = { 0 };
	char *said = NULL;
	size_t n = 0;
	FILE *errors = open_memstream(&said, &n);
	bool good = fill_check(template, "s", &values, errors);

	fclose(errors);
	must(good == (n == 0), "a fault that is not told");
	must(fill(&out, template, FILL_FORM, &values) == good,
	    "checked otherwise than filled");
	free(said);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct secret secret = { .n = 0 };
	struct text value;

	if (!mem)
		return 0;
	value = (struct text){ arena_copy(mem, (const char *)data, size),
	    size };
	check_form(value);
	check_json(mem, value);
	check_lines(value);
	check_template(value.s);
	must(webhook_secret(value, &secret) || (secret.n >= 24 &&
	    secret.n <= sizeof(secret.b)), "a secret of no length");
	arena_free(mem);
	return 0;
}
