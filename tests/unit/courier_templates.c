/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Templates: what is shipped, what stands over it, what is refused and why. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "courier/template.h"
#include "courier/templates.h"

static struct arena *mem;
static char dir[] = "/tmp/docket-templates-XXXXXX";
static char *report;
static size_t report_n;

static struct settings
settings(void)
{
	return (struct settings){
		.otp_ttl = 120, .otp_length = 6, .server_public_url =
		    "https://docket.example", .courier_service_name = "Docket",
		.courier_language = "en", .courier_template_dir = "",
		.courier_sms_segments = 2,
	};
}

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(65536);
	return mem && mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	free(report);
	arena_free(mem);
	return rmdir(dir);
}

static int
no_files(void **state)
{
	DIR *d = opendir(dir);

	(void)state;
	for (struct dirent *e; (e = readdir(d)); )
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	return 0;
}

static void
put(const char *name, struct text text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(text.s, 1, text.n, f);
	fclose(f);
}

/* What was said goes to `report`. */
static struct templates *
load(const struct settings *s)
{
	struct templates *t;
	FILE *errors;

	free(report);
	errors = open_memstream(&report, &report_n);
	t = templates_load(s, errors);
	fclose(errors);
	return t;
}

static struct letter
word(const struct templates *t, const char *channel, const char *purpose,
    const char *languages)
{
	struct letter letter = {
		.channel = text_of(channel), .purpose = text_of(purpose),
		.code = TEXT("123456"),
	};

	templates_word(t, mem, text_of(languages), &letter);
	return letter;
}

static void
shipped(void **state)
{
	static const char *const purposes[] = {
		"register", "login", "reset", "change"
	};
	const struct settings s = settings();
	struct templates *t = load(&s);
	struct letter a, b;

	(void)state;
	assert_string_equal(report, "");
	assert_non_null(t);
	a = word(t, "sms", "register", NULL);
	assert_true(text_is(a.text, "Your Docket registration code is 123456."
	    " It is valid for 2 minutes.\n\n@docket.example #123456"));
	assert_null(a.subject.s);
	assert_true(text_is(a.language, "en"));
	assert_false(a.size.unicode);
	assert_int_equal(a.size.segments, 1);
	a = word(t, "sms", "login", "ku,fa-ir,en");
	assert_true(text_is(a.text, "کد ورود شما به Docket\u200f: 123456\n"
	    "تا ۲ دقیقه معتبر است. آن را به کسی ندهید."
	    "\n\n@docket.example #123456"));
	assert_true(text_is(a.language, "fa"));
	assert_true(a.size.unicode);
	assert_int_equal(a.size.segments, 2);
	a = word(t, "email", "reset", "de");
	assert_true(text_is(a.subject, "Your Docket password reset code"));
	assert_non_null(memmem(a.text.s, a.text.n, "    123456\n", 11));
	assert_null(memmem(a.text.s, a.text.n, "@docket", 7));
	assert_int_equal(a.size.segments, 0);
	/* The purposes are worded apart, in every language and channel. */
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < i; k++)
			for (size_t c = 0; c < 4; c++) {
				a = word(t, c & 1 ? "sms" : "email",
				    purposes[i], c & 2 ? "fa" : "en");
				b = word(t, c & 1 ? "sms" : "email",
				    purposes[k], c & 2 ? "fa" : "en");
				assert_false(text_equal(a.text, b.text));
			}
	templates_free(t);
}

static void
by_settings(void **state)
{
	struct settings s = settings();
	struct templates *t;

	(void)state;
	s.courier_language = "fa";
	s.courier_service_name = "Zur \"Uhr\"";
	s.server_public_url = "https://192.0.2.1";
	s.otp_ttl = 90;
	t = load(&s);
	assert_string_equal(report, "");
	assert_true(text_is(word(t, "sms", "register", NULL).text,
	    "کد ثبت\u200cنام شما در Zur \"Uhr\"\u200f: 123456\n"
	    "این کد تا ۹۰ ثانیه معتبر است."));
	assert_true(text_is(word(t, "sms", "change", "en-gb").text,
	    "Your Zur \"Uhr\" confirmation code is 123456. It is valid for 90 "
	    "seconds."));
	templates_free(t);
	s = settings();
	s.otp_ttl = 60;
	t = load(&s);
	assert_non_null(strstr(word(t, "sms", "x", NULL).text.s,
	    "for 1 minute."));
	templates_free(t);
}

/* A file of the same name wins; one without headings is for all purposes; a
 * new language joins; what is not ours is left alone. */
static void
over_the_shipped(void **state)
{
	struct settings s = settings();
	struct templates *t;

	(void)state;
	s.courier_template_dir = dir;
	put("otp.sms.en.txt", TEXT("# ours\n# {{no}}\n\n"
	    "{{code}} is yours, {{seconds}} s, }{{code}}}\n\n"
	    "[login]\nLog in: {{code}}\n"));
	put("otp.email.de.txt", TEXT("Subject: {{code}} von {{service}}\n"
	    "[nicht Rubrik] {{code}} auf {{host}}, {{minutes}} Minuten\n"));
	put("otp.sms.en.txt~", TEXT("{{no}}"));
	put("README", TEXT("{{no}}"));
	t = load(&s);
	assert_string_equal(report, "");
	assert_true(text_is(word(t, "sms", "reset", "en").text,
	    "123456 is yours, 120 s, }123456}\n\n@docket.example #123456"));
	assert_true(text_is(word(t, "sms", "login", "en").text,
	    "Log in: 123456\n\n@docket.example #123456"));
	assert_true(text_is(word(t, "email", "login", "de-at").subject,
	    "123456 von Docket"));
	assert_true(text_is(word(t, "email", "login", "de-at").text,
	    "[nicht Rubrik] 123456 auf docket.example, 2 Minuten"));
	/* A channel that does not have it falls back. */
	assert_true(text_is(word(t, "sms", "login", "de,fa").language, "fa"));
	templates_free(t);
}

static void
values_are_not_read_again(void **state)
{
	struct settings s = settings();
	struct templates *t;

	(void)state;
	s.courier_service_name = "{{code}}{{x}}";
	t = load(&s);
	assert_string_equal(report, "");
	assert_true(text_is(word(t, "email", "login", "en").subject,
	    "Your {{code}}{{x}} login code"));
	templates_free(t);
}

/* All faults at once, each with its place. */
static void
faults(void **state)
{
	static const char a400[] =
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct {
		const char *name;
		struct text text;
		const char *told;	/* without the name in front */
	} rows[] = {
		{ "otp.sms.en.txt", TEXT_INIT("{{code}}\n{{nope}} {{cod\n"),
		    ":2: there is no {{nope}}" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}}\n{{nope}} {{cod\n"),
		    ":2: {{ without }} on the same line" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}} {{code\n}}"),
		    ":1: {{ without }} on the same line" },
		{ "otp.sms.en.txt", TEXT_INIT("no code\n"),
		    ":1: this wording has no {{code}}" },
		{ "otp.sms.en.txt", TEXT_INIT(""), ":0: [register] is missing" },
		{ "otp.sms.en.txt", TEXT_INIT("# only\n[login]\n{{code}}\n"),
		    ":3: [change] is missing" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}}\n[login]\n\n[reset]\n"
		    "{{code}}"), ":3: this wording has no {{code}}" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}}\n[logout]\n{{code}}"),
		    ":2: [logout] is no purpose" },
		{ "otp.sms.en.txt", TEXT_INIT("[login]\n{{code}}\n[login]\n"
		    "{{code}}"), ":3: [login] was there before" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}}\na\0b\n"),
		    ":2: this is no UTF-8, or has a control character" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}}\r\n"),
		    ":1: this is no UTF-8, or has a control character" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}}\n\x1b[2J\n"),
		    ":2: this is no UTF-8, or has a control character" },
		{ "otp.sms.en.txt", TEXT_INIT("{{code}} \xc2\x85\n"),
		    ":1: this is no UTF-8, or has a control character" },
		{ "otp.sms.en.txt", TEXT_INIT("\xff {{code}}\n"),
		    ":1: this is no UTF-8, or has a control character" },
		{ "otp.email.en.txt", TEXT_INIT("Hello\n{{code}}\n"),
		    ":1: a mail begins with \"Subject: \"" },
		{ "otp.email.en.txt", TEXT_INIT("Subject: \n{{code}}\n"),
		    ":1: a mail begins with \"Subject: \"" },
		{ "otp.email.en.txt", TEXT_INIT("Subject: {{code}}\nx\n"),
		    ":1: this wording has no {{code}}" },
		{ "otp.sms.de.txt", TEXT_INIT("{{code}} {{ttl}}\n"),
		    ":1: {{ttl}} is worded in en and fa alone" },
		{ "otp.sms.de.txt", TEXT_INIT("\n{{code}} {{host}}\n"),
		    ":2: {{host}} needs server.public_url" },
		{ "otp.sms.de.txt", TEXT_INIT("\n{{code}} {{minutes}}\n"),
		    ":2: {{minutes}} would round" },
		{ "otp.fax.de.txt", TEXT_INIT("{{code}}\n"),
		    ": is not otp.<sms or email>.<language>.txt" },
		{ "otp.sms.de_DE.txt", TEXT_INIT("{{code}}\n"),
		    ": is not otp.<sms or email>.<language>.txt" },
		{ "otp.sms.DE.txt", TEXT_INIT("{{code}}\n"),
		    ": is not otp.<sms or email>.<language>.txt" },
		{ "otp.sms.txt", TEXT_INIT("{{code}}\n"),
		    ": is not otp.<sms or email>.<language>.txt" },
	};
	struct settings s = settings();
	char told[512];

	(void)state;
	s.server_public_url = "";
	s.otp_ttl = 90;
	s.courier_template_dir = dir;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		no_files(NULL);
		put(rows[i].name, rows[i].text);
		assert_null(load(&s));
		snprintf(told, sizeof(told), "%s%s", rows[i].name,
		    rows[i].told);
		if (!strstr(report, told))
			fail_msg("%zu: wanted %s in:\n%s", i, told, report);
	}
	no_files(NULL);
	put("otp.sms.de.txt", text_of(arena_printf(mem, "{{code}} %s%s",
	    a400, a400)));
	assert_null(load(&s));
	assert_non_null(strstr(report, "otp.sms.de.txt: [register] takes 4 "
	    "messages (543 septets), more than courier.sms_segments = 2\n"));
	assert_non_null(strstr(report, "[change] takes 4 "));
	put("otp.sms.de.txt", (struct text){ arena_alloc(mem,
	    TEMPLATE_FILE_MAX + 1), TEMPLATE_FILE_MAX + 1 });
	put("otp.sms.fa.txt", TEXT("x"));
	s.courier_language = "ku";
	s.courier_service_name = "a\xff";
	assert_null(load(&s));
	assert_non_null(strstr(report, "otp.sms.de.txt:1: the file is over "));
	assert_non_null(strstr(report, "otp.sms.fa.txt:1: this wording has"));
	assert_non_null(strstr(report, "courier.language: there is no "
	    "otp.sms.ku.txt\n"));
	assert_non_null(strstr(report, "courier.language: there is no "
	    "otp.email.ku.txt\n"));
	assert_non_null(strstr(report, "courier.service_name is no UTF-8"));
	s.courier_template_dir = "/nonexistent";
	assert_null(load(&s));
	assert_non_null(strstr(report, "courier.template_dir: \"/nonexistent\":"
	    " No such file or directory\n"));
}

/* The host and the longest code count. */
static void
long_hosts(void **state)
{
	struct settings s = settings();

	(void)state;
	s.otp_length = 10;
	s.server_public_url = "https://a-very-long-name-of-a-host-that-takes-"
	    "its-place-in-every-message.and-a-domain-that-is-no-shorter-than-"
	    "the-host.example";
	assert_null(load(&s));
	if (!strstr(report, "otp.sms.fa.txt: [login] takes 4 messages ("))
		fail_msg("%s", report);
	s.courier_sms_segments = 4;
	templates_free(load(&s));
	assert_string_equal(report, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped),
		cmocka_unit_test(by_settings),
		cmocka_unit_test_teardown(over_the_shipped, no_files),
		cmocka_unit_test(values_are_not_read_again),
		cmocka_unit_test_teardown(faults, no_files),
		cmocka_unit_test(long_hosts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
