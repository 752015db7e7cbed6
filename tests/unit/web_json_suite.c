/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/json on all of JSONTestSuite: the accept and refuse lists, exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_oracle.h"
#include "web/json.h"

struct json_case {
	const char *name;
	const char *code;	/* of the first fault; NULL: taken */
	size_t at;		/* the byte it names */
	size_t times;
	struct text text, tail;
};

static const struct json_case cases[] = {
#define CASE(name, code, at, text) \
	REPEAT(name, code, at, 1, text, "")
#define REPEAT(name, code, at, times, text, tail) \
	{ name, code, at, times, TEXT_INIT(text), TEXT_INIT(tail) },
#include "data/json/suite.h"
#undef REPEAT
#undef CASE
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* Legal, and refused on purpose: which of two values would count is anybody's
 * guess, and PostgreSQL stores no U+0000. */
static const char *const refused[] = {
	"y_object_duplicated_key", "y_object_duplicated_key_and_value",
	"y_object_escaped_null_in_key", "y_string_null_escape",
};

static int
setup(void **state)
{
	*state = arena_new(1024);
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* On the heap in its exact size, so that a sanitizer sees a step too far. */
static struct text
case_text(const struct json_case *c)
{
	const size_t n = c->times * c->text.n + c->tail.n;
	char *out = malloc(n ? n : 1), *p = out;

	assert_non_null(out);
	for (size_t i = 0; i < c->times; i++)
		p = (char *)memcpy(p, c->text.s, c->text.n) + c->text.n;
	memcpy(p, c->tail.s, c->tail.n);
	return (struct text){ out, n };
}

static bool
is_refused(const char *name)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(refused[i], name) == 0)
			return true;
	return false;
}

/* All of it is here, each once, and the table says of no y_ and no n_ but
 * what the suite says. */
static void
the_table_is_the_suite(void **state)
{
	size_t y = 0, n = 0, i_ = 0;

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const char *name = cases[i].name;

		y += strncmp(name, "y_", 2) == 0;
		n += strncmp(name, "n_", 2) == 0;
		i_ += strncmp(name, "i_", 2) == 0;
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(name, cases[k].name);
		if (name[0] != 'i' && !cases[i].code !=
		    (name[0] == 'y' && !is_refused(name)))
			fail_msg("%s has the wrong verdict", name);
	}
	assert_int_equal(y, 95);
	assert_int_equal(n, 188);
	assert_int_equal(i_, 35);
}

static bool
verdict_is(const struct json_case *c, const struct faults *faults)
{
	const char *at;

	if (!c->code || faults->n == 0)
		return !c->code && faults->n == 0;
	at = strstr(faults->v[0].detail, " at byte ");
	return strcmp(faults->v[0].code, c->code) == 0 && at &&
	    strtoul(at + strlen(" at byte "), NULL, 10) == c->at;
}

static void
every_verdict_is_exact(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < CASES; i++) {
		const struct text in = case_text(&cases[i]);
		struct faults faults = { .n = 0 };
		const bool ok = json_scan(in, *state, &faults);

		assert_int_equal(ok, faults.n == 0);
		if (!verdict_is(&cases[i], &faults)) {
			wrong++;
			print_error("%s: %s %s\n", cases[i].name,
			    ok ? "taken" : faults.v[0].code,
			    ok ? "" : faults.v[0].detail);
		}
		free((char *)in.s);
		arena_reset(*state);
	}
	assert_int_equal(wrong, 0);
}

/* What passes means to json-c what is written there. */
static void
json_c_reads_the_same(void **state)
{
	unsigned passed = 0;

	for (size_t i = 0; i < CASES; i++) {
		const struct text in = case_text(&cases[i]);
		const char *wrong;

		if (!cases[i].code) {
			passed++;
			wrong = json_oracle(in, *state);
			if (wrong)
				fail_msg("%s: %s", cases[i].name, wrong);
		}
		free((char *)in.s);
		arena_reset(*state);
	}
	assert_int_equal(passed, 95 - 4 + 2);
}

struct thing {
	struct seen seen;
};

/* The decoder takes no body that the scan refuses, and says why at the same
 * place; what it takes otherwise fails by its members alone. */
static void
the_decoder_agrees(void **state)
{
	static const struct fields none = {
		NULL, NULL, 0, sizeof(struct thing), true
	};
	struct thing thing;

	for (size_t i = 0; i < CASES; i++) {
		const struct text in = case_text(&cases[i]);
		struct faults faults = { .n = 0 };
		const bool ok = json_decode(in, &none, *state, &thing,
		    &faults);
		const char *brace = in.n ? memchr(in.s, '{', in.n) : NULL;

		assert_int_equal(ok, faults.n == 0);
		if (cases[i].code)
			assert_true(verdict_is(&cases[i], &faults));
		else if (brace != in.s)
			assert_string_equal(faults.v[0].detail,
			    "the body must be a JSON object");
		else
			assert_true(ok);
		free((char *)in.s);
		arena_reset(*state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_the_suite),
		cmocka_unit_test_setup_teardown(every_verdict_is_exact,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(json_c_reads_the_same,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(the_decoder_agrees, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
