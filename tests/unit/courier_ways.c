/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What becomes of a letter by SMTP and by a program: sent, later or never, and
 * whether it is the way that failed. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "courier/said.h"
#include "courier/way.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	mem = arena_new(65536);
	return mem ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static struct settings
settings(void)
{
	return (struct settings){
		.top_profile = "dev", .courier_send_seconds = 5,
		.courier_ca_file = "", .courier_allow_addresses =
		    "127.0.0.0/8", .courier_smtp_tls = "none",
		.courier_smtp_user = "", .courier_smtp_password_file = "",
		.courier_mail_from = "a@docket.example",
		.courier_mail_name = "", .courier_service_name = "Docket",
	};
}

static struct letter
letter(const char *to)
{
	return (struct letter){
		.id = TEXT("01890a5d-ac96-774b-bcce-b302099a8057"),
		.channel = TEXT("email"), .to = text_of(to),
		.purpose = TEXT("login"), .code = TEXT("123456"),
		.subject = TEXT("s"), .text = TEXT("123456"),
		.language = TEXT("en"), .created_at = 1,
	};
}

static struct outcome
send_by(const struct way_kind *kind, const struct settings *s,
    const struct letter *l)
{
	struct outcome outcome = { .kind = OUTCOME_LATER };
	struct way *way = NULL;

	assert_int_equal(kind->open(s, stderr, &way), 0);
	kind->send(way, mem, l, &outcome);
	kind->close(way);
	return outcome;
}

/* ---- a mail server that says `answer` to one verb ---- */

static void
talk(int fd, const char *verb, const char *answer)
{
	char line[2048];
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	bool data = false;

	setvbuf(out, NULL, _IOLBF, 0);
	fputs("220 here\r\n", out);
	while (fgets(line, sizeof(line), in)) {
		const char *said = "250 Ok: queued as 4F1A";
		bool end = data && strcmp(line, ".\r\n") == 0;

		if (data && !end)
			continue;
		if (strncmp(end ? "END" : line, verb, strlen(verb)) == 0)
			said = answer;
		else if (!end && strncmp(line, "DATA", 4) == 0)
			said = "354 go on";
		data = strncmp(said, "354", 3) == 0;
		fprintf(out, "%s\r\n", said);
	}
}

static struct outcome
mailed(const char *verb, const char *answer, const char *to)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct settings s = settings();
	struct letter l = letter(to);
	struct outcome outcome;
	pid_t pid;

	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(fd, 4), 0);
	getsockname(fd, (struct sockaddr *)&in, &n);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		talk(accept(fd, NULL, NULL), verb, answer);
		_exit(0);
	}
	close(fd);
	s.courier_smtp_url = arena_printf(mem, "smtp://127.0.0.1:%d",
	    ntohs(in.sin_port));
	outcome = send_by(&way_smtp, &s, &l);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return outcome;
}

static void
mail_servers(void **state)
{
	static const struct {
		const char *verb, *answer;
		enum outcome_kind kind;
		bool down;
		const char *why;
	} rows[] = {
		{ "NONE", "", OUTCOME_SENT, false, "" },
		{ "RCPT", "450 4.2.0 greylisted, c@example.org", OUTCOME_LATER,
		    false, "450 4.2.0 greylisted, ***" },
		{ "RCPT", "421 4.3.2 going down", OUTCOME_LATER, true,
		    "421 4.3.2 going down" },
		{ "RCPT", "550-5.1.1 <C@EXAMPLE.ORG>\r\n550 no such user",
		    OUTCOME_NEVER, false, "550 no such user" },
		{ "RCPT", "553 bad name", OUTCOME_NEVER, false, "553 bad name" },
		{ "RCPT", "530 log in", OUTCOME_LATER, true, "530 log in" },
		{ "MAIL", "550 not you", OUTCOME_LATER, true, "550 not you" },
		{ "MAIL", "451 wait", OUTCOME_LATER, false, "451 wait" },
		{ "DATA", "554 no", OUTCOME_LATER, true, "554 no" },
		{ "DATA", "421 bye", OUTCOME_LATER, true, "421 bye" },
		{ "END", "452 full", OUTCOME_LATER, false, "452 full" },
		{ "END", "554 spam: 123456", OUTCOME_LATER, true,
		    "554 spam: ***" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = mailed(rows[i].verb, rows[i].answer,
		    "c@example.org");

		if (o.kind != rows[i].kind || o.down != rows[i].down ||
		    strcmp(o.why, rows[i].why) != 0)
			fail_msg("%s: %s: kind %d, down %d, %s", rows[i].verb,
			    rows[i].answer, o.kind, o.down, o.why);
		assert_string_equal(o.ref, o.kind == OUTCOME_SENT ? "4F1A" :
		    "");
	}
}

/* Before anything is said to anybody. */
static void
no_address(void **state)
{
	static const char *const rows[] = {
		"", "c", "c@example.org\r\nBcc: x@y.zz", "<c@example.org>",
		"c@example.org, d@example.org", "c d@example.org",
		"\xc3\xa9@example.org", " c@example.org", "c@\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = mailed("NONE", "", rows[i]);

		assert_int_equal(o.kind, OUTCOME_NEVER);
		assert_false(o.down);
	}
}

static struct outcome
helped(const char *script, long until_ms)
{
	struct settings s = settings();
	struct letter l = letter("c@example.org");
	char path[] = "/tmp/docket-ways-XXXXXX";
	int fd = mkstemp(path);
	struct outcome outcome;

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "%s\n", script) > 0);
	close(fd);
	s.courier_exec_command = arena_printf(mem, "/bin/sh %s", path);
	l.until_ms = until_ms;
	outcome = send_by(&way_exec, &s, &l);
	unlink(path);
	return outcome;
}

/* Whatever others say, it ends in a log line. */
static void
cleaned(void **state)
{
	struct outcome o = { .kind = OUTCOME_SENT };

	(void)state;
	outcome_set(&o, OUTCOME_LATER, true, "%s",
	    "a\r\nb\033\"c d\\\xc3\xa9\x7f");
	assert_string_equal(o.why, "a??b??c d????");
	outcome_ref(&o, TEXT("a\r\nb\033\"c d\\\xc3\xa9\x7f"));
	assert_string_equal(o.ref, "a??b??c?d????");
	outcome_ref(&o, text_of(arena_printf(mem, "%0200d", 0)));
	assert_int_equal(strlen(o.ref), OUTCOME_REF - 1);
	outcome_ref(&o, TEXT(""));
	assert_string_equal(o.ref, "");
}

static void
programs(void **state)
{
	static const struct {
		int code;
		enum outcome_kind kind;
		bool down;
	} rows[] = {
		{ 0, OUTCOME_SENT, false }, { 1, OUTCOME_LATER, true },
		{ 64, OUTCOME_LATER, true }, { 65, OUTCOME_NEVER, false },
		{ 66, OUTCOME_LATER, true }, { 67, OUTCOME_NEVER, false },
		{ 68, OUTCOME_NEVER, false }, { 69, OUTCOME_LATER, true },
		{ 70, OUTCOME_LATER, true }, { 75, OUTCOME_LATER, false },
		{ 77, OUTCOME_NEVER, false }, { 78, OUTCOME_LATER, true },
		{ 127, OUTCOME_LATER, true }, { 255, OUTCOME_LATER, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = helped(arena_printf(mem, "exit %d",
		    rows[i].code), 0);

		assert_int_equal(o.kind, rows[i].kind);
		assert_int_equal(o.down, rows[i].down);
	}
	assert_string_equal(helped("echo; printf %s '\"a\\b'", 0).ref, "?a?b");
	assert_string_equal(helped("echo 123456", 0).ref, "***");
	assert_int_equal(strlen(helped("printf %0200d 0", 0).ref),
	    OUTCOME_REF - 1);
	/* The letter's own time is the lesser one. */
	assert_string_equal(helped("sleep 3", 1).why,
	    "exec: not done in its time");
	assert_true(helped("kill $$", 0).down);
}

static void
what_is_said(void **state)
{
	static const struct {
		const char *to, *said, *out;
	} rows[] = {
		{ "ann@example.org", "", "" },
		{ "ann@example.org", "\r\n\n  one \r\ntwo", "one" },
		{ "ann@example.org", "<ANN@Example.org>: 123456",
		    "<***>: ***" },
		{ "ann@example.org", "user ann unknown", "user *** unknown" },
		{ "a@example.org", "a man", "a man" },
		{ "a@example.org", "a@example.orga@example.org", "******" },
		{ "+989121234567", "+989121234567 989121234567",
		    "*** ***" },
	};
	struct letter l;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		l = letter(rows[i].to);
		if (!text_is(said_line(mem, text_of(rows[i].said), &l),
		    rows[i].out))
			fail_msg("%s", rows[i].said);
	}
	assert_int_equal(said_line(mem, TEXT("a\0b"), &l).n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_servers),
		cmocka_unit_test(no_address),
		cmocka_unit_test(cleaned),
		cmocka_unit_test(programs),
		cmocka_unit_test(what_is_said),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
