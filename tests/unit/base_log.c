/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/log: the shape of a line, and that no value can forge a second one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int fds[2], saved;

/* stderr goes into a pipe during a test; O_DIRECT keeps writes apart. */
static int
setup(void **state)
{
	(void)state;
	saved = dup(STDERR_FILENO);
	if (pipe2(fds, O_NONBLOCK | O_DIRECT) < 0)
		return -1;
	dup2(fds[1], STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	log_name(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* What one write left; "" = nothing was written. */
static const char *
written(void)
{
	static char line[8192];
	ssize_t n = read(fds[0], line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static void
one_line_with_time_level_program(void **state)
{
	const char *line;

	(void)state;
	log_init("docketd", LOG_INFO);
	errno = EBADF;
	log_event(LOG_WARN, "db_lost", "attempt=%d why=\"%s\"", 3, "x y");
	assert_int_equal(errno, EBADF);
	line = written();
	assert_int_equal(line[4], '-');
	assert_int_equal(line[23], 'Z');
	assert_string_equal(line + 24,
	    " warn docketd db_lost attempt=3 why=\"x y\"\n");
	log_name("worker.3");
	log_event(LOG_INFO, "start", "%s", "");
	assert_string_equal(written() + 24,
	    " info docketd worker.3 start\n");
}

static void
lines_that_wait_come_in_one_write_and_in_order(void **state)
{
	const int64_t begun = clock_mono_ms();
	const char *lines;
	char last[16];

	(void)state;
	log_init("docketd", LOG_INFO);
	log_later(LOG_INFO, "request", "n=%d", 1);
	log_later(LOG_DEBUG_, "request", "n=%d", 9);
	log_later(LOG_INFO, "request", "n=%d", 2);
	assert_string_equal(written(), "");
	assert_in_range(log_tick(begun), LOG_WAIT_MS,
	    LOG_WAIT_MS + clock_mono_ms() - begun);
	assert_int_equal(log_tick(clock_mono_ms() + LOG_WAIT_MS), -1);
	lines = written();
	assert_non_null(strstr(lines, "request n=1\n"));
	assert_non_null(strstr(lines, "request n=2\n"));
	assert_null(strstr(lines, "n=9"));
	assert_int_equal(log_tick(0), -1);
	/* Another event does not overtake them. */
	log_later(LOG_INFO, "request", "n=%d", 3);
	log_event(LOG_WARN, "later", "%s", "");
	assert_non_null(strstr(written(), "request n=3\n"));
	assert_non_null(strstr(written(), "warn docketd later\n"));
	/* However many, none is lost or cut. */
	for (int i = 0; i < 100; i++)
		log_later(LOG_INFO, "request", "%0*d", 100, i);
	log_flush();
	for (int i = 0; i < 100;) {
		lines = written();
		assert_true(lines[0]);
		for (const char *at = lines; *at; i++) {
			snprintf(last, sizeof(last), "%03d", i);
			at = strchr(at, '\n') + 1;
			assert_memory_equal(at - 4, last, 3);
		}
	}
	assert_string_equal(written(), "");
}

static void
levels_filter(void **state)
{
	(void)state;
	log_init("docketd", LOG_WARN);
	log_event(LOG_INFO, "quiet", "a=1");
	log_event(LOG_DEBUG_, "quiet", "a=1");
	assert_string_equal(written(), "");
	log_event(LOG_ERROR_, "loud", "a=1");
	assert_non_null(strstr(written(), " error docketd loud a=1\n"));
	log_init("docketd", LOG_DEBUG_);
	log_event(LOG_DEBUG_, "loud", "a=1");
	assert_non_null(strstr(written(), " debug docketd loud a=1\n"));
}

static void
the_journal_gets_its_prefix(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("docketd", LOG_DEBUG_);
	log_event(LOG_ERROR_, "e", "k=1");
	assert_string_equal(written(), "<3>e k=1\n");
	log_name("worker.1");
	log_event(LOG_WARN, "e", "k=1");
	assert_string_equal(written(), "<4>worker.1 e k=1\n");
	log_event(LOG_INFO, "e", "k=1");
	assert_string_equal(written(), "<6>worker.1 e k=1\n");
	log_event(LOG_DEBUG_, "e", "k=1");
	assert_string_equal(written(), "<7>worker.1 e k=1\n");
	/* another file than the journal's */
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_init("docketd", LOG_DEBUG_);
	log_event(LOG_INFO, "e", "k=1");
	assert_int_not_equal(written()[0], '<');
}

static void
no_value_forges_a_line(void **state)
{
	const char *line;

	(void)state;
	log_init("docketd", LOG_INFO);
	log_event(LOG_INFO, "e", "agent=\"%s\"", "a\nb\r\x1b[0m\x7f\xc3\xa9");
	line = written();
	assert_string_equal(line + 24, " info docketd e "
	    "agent=\"a\\x0ab\\x0d\\x1b[0m\\x7f\xc3\xa9\"\n");
}

static void
long_lines_are_cut(void **state)
{
	char text[5001], *line;

	(void)state;
	log_init("docketd", LOG_INFO);
	memset(text, 'a', 5000);
	text[5000] = '\0';
	log_event(LOG_INFO, "e", "v=%s", text);
	line = (char *)(uintptr_t)written();
	assert_int_equal(strlen(line), 2048);
	assert_int_equal(line[2047], '\n');
	memset(text, '\n', 5000);
	log_event(LOG_INFO, "e", "v=%s", text);
	line = (char *)(uintptr_t)written();
	assert_true(strlen(line) <= 2048);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

/* Whatever the offset, a cut line ends with a whole character. */
static void
cuts_between_characters(void **state)
{
	char text[3001];

	(void)state;
	log_init("docketd", LOG_INFO);
	for (size_t i = 0; i < 3000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[3000] = '\0';
	for (int pad = 0; pad < 6; pad++) {
		const char *line;
		size_t n;

		log_event(LOG_INFO, "e", "%.*s%s", pad, "xxxxxx", text);
		line = written();
		n = strlen(line);
		assert_true(n > 2040);
		assert_memory_equal(line + n - 4, "\xe2\x82\xac\n", 4);
	}
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(one_line_with_time_level_program),
		CASE(lines_that_wait_come_in_one_write_and_in_order),
		CASE(levels_filter),
		CASE(the_journal_gets_its_prefix),
		CASE(no_value_forges_a_line),
		CASE(long_lines_are_cut),
		CASE(cuts_between_characters),
	};

	return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
