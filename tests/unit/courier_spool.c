/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The host that a code is bound to, and the file a letter is left in. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "courier/spool.h"

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define NAME "1800000000123-" ID ".json"

static struct arena *mem;
static char dir[] = "/tmp/docket-spool-XXXXXX";
static char path[128];

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(8192);
	if (!mem || !mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/%s", dir, NAME);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return rmdir(dir);
}

static void
hosts(void **state)
{
	static const struct {
		const char *url, *host;
	} rows[] = {
		{ "", "" },
		{ "https://docket.example:8443/x", "docket.example" },
		{ "https://docket.example", "docket.example" },
		{ "https://[::1]:8443", "" },
		{ "http://docket.example", "" },
		{ "https://192.0.2.1:8443", "" },
		{ "https://10", "" },
		{ "https://node7", "node7" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(text_is(letter_host(rows[i].url), rows[i].host));
	assert_true(text_is(letter_bound(mem, TEXT("Yours: 123456"),
	    TEXT("docket.example"), TEXT("123456")),
	    "Yours: 123456\n\n@docket.example #123456"));
	assert_true(text_is(letter_bound(mem, TEXT("Yours: 123456"),
	    TEXT(""), TEXT("123456")), "Yours: 123456"));
}

static struct letter
letter(void)
{
	return (struct letter){
		.id = TEXT(ID), .channel = TEXT("sms"),
		.to = TEXT("+989121234567"), .purpose = TEXT("login"),
		.code = TEXT("123456"), .text = TEXT("a \"b\"\n@c #1"), .language = TEXT("en"),
		.created_at = INT64_C(1800000000123456),
	};
}

static size_t
entries(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void
one_whole_file(void **state)
{
	struct letter l = letter();
	char content[512] = "";
	struct stat st;
	FILE *f;

	(void)state;
	assert_int_equal(spool_check(dir), 0);
	umask(0);
	/* Twice, as after a crash: still one file. */
	assert_int_equal(spool_write(dir, &l), 0);
	assert_int_equal(spool_write(dir, &l), 0);
	assert_int_equal(entries(), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(content, 1, sizeof(content) - 1, f) > 0);
	fclose(f);
	assert_string_equal(content, "{\"id\":\"" ID "\",\"channel\":\"sms\","
	    "\"to\":\"+989121234567\",\"purpose\":\"login\","
	    "\"code\":\"123456\",\"subject\":null,"
	    "\"text\":\"a \\\"b\\\"\\n@c #1\",\"language\":\"en\","
	    "\"created_at\":\"2027-01-15T08:00:00.123Z\"}\n");
	unlink(path);
}

static void
no_folder(void **state)
{
	struct letter l = letter();

	(void)state;
	assert_int_equal(spool_check("/nonexistent"), -ENOENT);
	assert_int_equal(spool_write("/nonexistent", &l), -ENOENT);
	assert_int_equal(spool_check("/dev/null"), -ENOTDIR);
	/* In the place of the file stands a folder: nothing half is left. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(spool_write(dir, &l), -EISDIR);
	assert_int_equal(entries(), 1);
	rmdir(path);
}

static void
unwritable_folder(void **state)
{
	struct letter l = letter();

	(void)state;
	/* /proc takes no files: whatever the error, it is told. */
	assert_true(spool_write("/proc/self", &l) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(one_whole_file),
		cmocka_unit_test(no_folder),
		cmocka_unit_test(unwritable_folder),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
