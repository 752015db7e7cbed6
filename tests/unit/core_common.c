/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The list of common passwords, and the owner's own names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/common.h"
#include "core/names.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static const struct password_owner nobody;

static void
code_is(const char *code, const char *password,
    const struct password_owner *owner)
{
	const char *got = password_common(mem, text_of(password), owner);

	print_message("%s\n", password);
	assert_string_equal(got ? got : "fine", code);
}

static struct text
word(size_t i)
{
	return (struct text){ common_words + common_at[i],
	    common_at[i + 1] - common_at[i] };
}

/* Sorted, or the search would miss some; keys, or nothing would match them;
 * long enough to be chosen at all. Each is found. */
static void
the_list_holds(void **state)
{
	struct text key;

	(void)state;
	assert_true(common_n >= 10000);
	for (size_t i = 0; i < common_n; i++) {
		assert_true(word(i).n >= 8);
		assert_int_equal(name_key(mem, word(i), &key), 0);
		assert_true(text_equal(key, word(i)));
		assert_string_equal(password_common(mem, word(i), &nobody),
		    "common");
		if (i % 1000 == 0)
			arena_reset(mem);
	}
	print_message("%zu passwords, %u bytes\n", common_n,
	    common_at[common_n]);
}

static void
the_well_known_are_refused(void **state)
{
	static const char *const rows[] = {
		"12345678", "123456789", "1234567890", "password", "password1",
		"password123", "p@ssw0rd", "passw0rd", "qwerty123",
		"qwertyuiop", "1q2w3e4r", "1qaz2wsx", "iloveyou", "letmein1",
		"sunshine", "princess", "football", "baseball", "superman",
		"trustno1", "welcome1", "admin123", "abcd1234", "11111111",
		"docket123", "PASSWORD", "PassWord1", "QWERTY123",
		"\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		code_is("common", rows[i], &nobody);
}

/* The whole value, never a part of it; no rule of composition. */
static void
others_are_not(void **state)
{
	static const char *const rows[] = {
		"correct horse battery staple", "password of my aunt",
		"xpassword1", "password1x", "\u043f\u0430\u0440\u043e\u043b\u044c!",
		"", "a", "zzzzzzzzzzzzzzzzzzzzz", "\xff\xfe password",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		code_is("fine", rows[i], &nobody);
}

static void
own_names_are_refused(void **state)
{
	const struct password_owner owner = {
		TEXT("Zo\u00eb.Quill"), TEXT("Quillfeather@example.org"),
		TEXT("+989121234567"),
	};
	const struct password_owner odd = {
		.email = TEXT("nobody.at.all"), .phone = TEXT("00989121234567"),
	};
	const struct password_owner bytes = { .username = TEXT("\xff\xff") };

	(void)state;
	code_is("personal", "zo\u00eb.quill", &owner);
	code_is("personal", "ZOE\u0308.QUILL", &owner);
	code_is("personal", "quillfeather@EXAMPLE.org", &owner);
	code_is("personal", "quillFeather", &owner);
	code_is("personal", "+989121234567", &owner);
	code_is("personal", "989121234567", &owner);
	code_is("fine", "zo\u00eb.quill!", &owner);
	code_is("fine", "quillfeather", &nobody);
	code_is("personal", "00989121234567", &odd);
	code_is("personal", "nobody.at.all", &odd);
	code_is("fine", "989121234567", &odd);
	code_is("fine", "something else", &bytes);
}

static void
each_code_has_its_words(void **state)
{
	(void)state;
	assert_non_null(strstr(password_common_why("common"), "guessers"));
	assert_non_null(strstr(password_common_why("personal"), "own name"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_holds),
		cmocka_unit_test(the_well_known_are_refused),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(own_names_are_refused),
		cmocka_unit_test(each_code_has_its_words),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
