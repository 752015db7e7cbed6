/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/log as JSON and as the journal's fields: no value forges a line, a
 * member or a field, and nothing is lost when the journal goes. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static int fds[2], saved, listener;
static char dir[] = "/tmp/docket-log-XXXXXX", path[64];

static void
listen_anew(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	unlink(path);
	strcpy(address.sun_path, path);
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address,
	    sizeof(address)), 0);
}

static int
setup(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	saved = dup(STDERR_FILENO);
	if (pipe2(fds, O_NONBLOCK | O_DIRECT) < 0)
		return -1;
	dup2(fds[1], STDERR_FILENO);
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	strcpy(dir, "/tmp/docket-log-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	listen_anew();
	log_name(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_format("text", "");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	close(listener);
	unlink(path);
	return rmdir(dir);
}

static const char *
written(void)
{
	static char line[20000];
	ssize_t n = read(fds[0], line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

/* A pipe takes a long line in several pieces. */
static const char *
all_written(void)
{
	static char lines[80000];
	const char *piece;

	lines[0] = '\0';
	while (*(piece = written()))
		strcat(lines, piece);
	return lines;
}

static const char *
received(void)
{
	static char entry[20000];
	ssize_t n = recv(listener, entry, sizeof(entry) - 1, 0);

	entry[n > 0 ? n : 0] = '\0';
	return entry;
}

static void
as_json(void)
{
	log_init("docketd", LOG_INFO);
	log_format("json", path);
}

static void
as_fields(void)
{
	log_init("docketd", LOG_INFO);
	log_format("auto", path);
}

/* Behind {"time":"2026-01-31T09:30:00.000Z" */
#define BEHIND_TIME 34

static void
json_has_a_member_for_each_pair(void **state)
{
	const char *line;

	(void)state;
	as_json();
	log_name("main.3");
	log_event(LOG_WARN, "db_lost", "attempt=%d why=\"%s\" ms=%lld a=%s",
	    3, "x y", -5LL, "7");
	line = written();
	assert_memory_equal(line, "{\"time\":\"", 9);
	assert_string_equal(line + BEHIND_TIME, ",\"level\":\"warn\","
	    "\"program\":\"docketd\",\"process\":\"main.3\","
	    "\"event\":\"db_lost\",\"attempt\":3,\"why\":\"x y\",\"ms\":-5,"
	    "\"a\":\"7\"}\n");
	log_event(LOG_INFO, "start", "%s", "");
	assert_string_equal(written() + BEHIND_TIME, ",\"level\":\"info\","
	    "\"program\":\"docketd\",\"process\":\"main.3\","
	    "\"event\":\"start\"}\n");
	assert_string_equal(received(), "");
}

static void
no_value_forges_a_member(void **state)
{
	const char *line;

	(void)state;
	as_json();
	/* quotes, blanks and equal signs are a value's own */
	log_event(LOG_INFO, "e", "a=\"%s\" b=%s", "x\" b=1 c=\"",
	    "y z=2\",\"z\":1");
	assert_string_equal(written() + BEHIND_TIME, ",\"level\":\"info\","
	    "\"program\":\"docketd\",\"process\":\"\",\"event\":\"e\","
	    "\"a\":\"x\\\" b=1 c=\\\"\",\"b\":\"y z=2\\\",\\\"z\\\":1\"}\n");
	/* what is not UTF-8, and what ends a line */
	log_event(LOG_INFO, "e", "a=%s",
	    "\xff\xc3\xa9\xed\xa0\x80\n\r\x1b\x7f\\");
	line = strstr(written(), "\"a\"");
	assert_string_equal(line, "\"a\":\"\\ufffd\xc3\xa9\\ufffd\\ufffd"
	    "\\ufffd\\u000a\\u000d\\u001b\\u007f\\\\\"}\n");
	/* the mark between pairs, by a stranger: then there are none */
	log_event(LOG_INFO, "e", "a=%s b=%s", "x\x1f" "c=1", "y");
	line = strstr(written(), "\"event\"");
	assert_string_equal(line, "\"event\":\"e\","
	    "\"text\":\"a=x\\u001fc=1 b=y\"}\n");
}

static void
json_is_whole_however_long(void **state)
{
	char text[5001];
	const char *line;
	size_t n;

	(void)state;
	as_json();
	memset(text, 1, 5000);
	text[5000] = '\0';
	log_event(LOG_INFO, "e", "a=%s", text);
	line = written();
	n = strlen(line);
	assert_true(n <= 8192);
	assert_string_equal(line + n - 13, ",\"cut\":true}\n");
	/* one that has room in the line, but was cut before */
	memset(text, 'x', 5000);
	log_event(LOG_INFO, "e", "a=%s", text);
	line = written();
	n = strlen(line);
	assert_non_null(strstr(line, "\"text\":\"a=xxx"));
	assert_string_equal(line + n - 15, "x\",\"cut\":true}\n");
	memset(text, 1, 5000);
	/* many at once, and long ones */
	for (int i = 0; i < 6; i++)
		log_later(LOG_INFO, "request", "v=%.*s", 1300, text);
	log_flush();
	line = all_written();
	for (int i = 0; i < 6; i++) {
		assert_memory_equal(line, "{\"time\"", 7);
		line = strchr(line, '\n');
		assert_memory_equal(line - 2, "\"}", 2);
		line++;
	}
	assert_string_equal(line, "");
}

static void
the_journal_gets_fields(void **state)
{
	(void)state;
	as_fields();
	log_name("main.3");
	log_event(LOG_WARN, "worker_died", "worker=%s pid=%d why=\"%s\"",
	    "main.1", 7, "a b");
	assert_string_equal(received(), "PRIORITY=4\n"
	    "SYSLOG_IDENTIFIER=docketd\nDOCKET_EVENT=worker_died\n"
	    "DOCKET_PROCESS=main.3\n"
	    "MESSAGE_ID=7a4ec9219b2c4f9ea7bbc33e2318ebd4\n"
	    "DOCKET_WORKER=main.1\nDOCKET_PID=7\nDOCKET_WHY=a b\n"
	    "MESSAGE=main.3 worker_died worker=main.1 pid=7 why=\"a b\"\n");
	assert_string_equal(written(), "");
	log_event(LOG_INFO, "start", "%s", "");
	assert_string_equal(received(), "PRIORITY=6\n"
	    "SYSLOG_IDENTIFIER=docketd\nDOCKET_EVENT=start\n"
	    "DOCKET_PROCESS=main.3\nMESSAGE=main.3 start\n");
	/* not asked for, or not reading us: no fields */
	log_format("text", path);
	log_event(LOG_INFO, "e", "k=%d", 1);
	assert_string_equal(received(), "");
	assert_string_equal(written(), "<6>main.3 e k=1\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	as_fields();
	log_event(LOG_INFO, "e", "k=%d", 1);
	assert_string_equal(received(), "");
	assert_non_null(strstr(written(), "e k=1\n"));
}

static void
no_value_forges_a_field(void **state)
{
	const char *entry;
	char text[5001];
	int lines = 0;

	(void)state;
	as_fields();
	log_event(LOG_INFO, "e", "a=\"%s\" b=%s", "x\nPRIORITY=0\n\" b=9",
	    "y\x1bz");
	assert_string_equal(received(), "PRIORITY=6\n"
	    "SYSLOG_IDENTIFIER=docketd\nDOCKET_EVENT=e\n"
	    "DOCKET_A=x\\x0aPRIORITY=0\\x0a\" b=9\nDOCKET_B=y\\x1bz\n"
	    "MESSAGE=e a=\"x\\x0aPRIORITY=0\\x0a\" b=9\" b=y\\x1bz\n");
	memset(text, '\n', 5000);
	text[5000] = '\0';
	log_event(LOG_INFO, "e", "a=%.*s", 1800, text);
	entry = received();
	for (const char *s = entry; (s = strchr(s, '\n')); s++)
		lines++;
	assert_int_equal(lines, strstr(entry, "DOCKET_A=") ? 5 : 4);
	assert_int_equal(entry[strlen(entry) - 1], '\n');
}

static void
lines_that_wait_are_entries_of_their_own(void **state)
{
	char last[32];

	(void)state;
	as_fields();
	for (int i = 0; i < 8; i++)
		log_later(LOG_INFO, "request", "n=%d", i);
	assert_string_equal(received(), "");
	log_flush();
	for (int i = 0; i < 8; i++) {
		snprintf(last, sizeof(last), "DOCKET_N=%d\n", i);
		assert_non_null(strstr(received(), last));
	}
	assert_string_equal(received(), "");
}

static void
without_the_journal_it_is_text_again(void **state)
{
	(void)state;
	as_fields();
	close(listener);
	errno = EBADF;
	log_event(LOG_ERROR_, "e", "k=%d", 1);
	assert_int_equal(errno, EBADF);
	assert_string_equal(written(), "e k=1\n");
	log_later(LOG_INFO, "request", "n=%d", 1);
	log_later(LOG_INFO, "request", "n=%d", 2);
	log_flush();
	assert_string_equal(written(), "request n=1\n");
	assert_string_equal(written(), "request n=2\n");
	listen_anew();
	log_event(LOG_INFO, "e", "k=%d", 2);
	assert_non_null(strstr(received(), "MESSAGE=e k=2\n"));
	assert_string_equal(written(), "");
	/* nobody there at first */
	/* cppcheck-suppress doubleFree ; listen_anew() made another */
	close(listener);
	unlink(path);
	as_fields();
	log_event(LOG_INFO, "e", "k=%d", 3);
	assert_string_equal(written(), "<6>e k=3\n");
	listen_anew();
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(json_has_a_member_for_each_pair),
		CASE(no_value_forges_a_member),
		CASE(json_is_whole_however_long),
		CASE(the_journal_gets_fields),
		CASE(no_value_forges_a_field),
		CASE(lines_that_wait_are_entries_of_their_own),
		CASE(without_the_journal_it_is_text_again),
	};

	return cmocka_run_group_tests_name("base_log_form", tests, NULL,
	    NULL);
}
