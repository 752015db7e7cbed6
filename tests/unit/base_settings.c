/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* base/settings: sources and their order, every fault by file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/settings.h"

static char dir[64], said[16384];

/* A fresh directory, and no variable of ours in the environment. */
static int
setup(void **state)
{
	static const char *const names[] = {
		"DOCKET_PROFILE", "DOCKET_OTP_LENGTH", "DOCKET_OTP_LENGHT",
		"DOCKET_PROFILE_X", "DOCKET_FOO_BAR", "DOCKET_SERVER",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	strcpy(dir, "/tmp/docket-settings-XXXXXX");
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	return mkdir("conf.d", 0700);
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") < 0 || system(command);
}

static void
put(const char *path, const char *text, size_t n)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
}

static void
puts_to(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

/* Load docket.conf with the sets; what was said is in `said`. */
static int
load_with(struct settings *s, const char *const *sets, size_t n)
{
	struct settings_source source = { "docket.conf", sets, n };
	FILE *err = fmemopen(said, sizeof(said), "w");
	int rc;

	assert_non_null(err);
	memset(said, 0, sizeof(said));
	rc = settings_load(&source, err, s);
	fclose(err);
	return rc;
}

static int
load(struct settings *s, const char *text)
{
	puts_to("docket.conf", text);
	return load_with(s, NULL, 0);
}

/* The file is refused with exactly these lines. */
static void
assert_refused(const char *text, const char *want)
{
	struct settings s;

	if (load(&s, text) == 0)
		fail_msg("took: %s", text);
	assert_string_equal(said, want);
}

static void
assert_set_refused(const char *set, const char *want)
{
	const char *const sets[] = { "profile=dev", set };
	struct settings s;

	puts_to("docket.conf", "");
	if (load_with(&s, sets, 2) == 0)
		fail_msg("took: %s", set);
	assert_string_equal(said, want);
}

static void
defaults(void **state)
{
	struct settings_source none = { NULL, NULL, 0 };
	struct settings s;

	(void)state;
	assert_int_equal(settings_load(&none, stderr, &s), 0);
	assert_string_equal(s.top_profile, "production");
	assert_false(settings_dev(&s));
	assert_false(s.top_sample_routes);
	assert_string_equal(s.server_socket, "/run/docket/docket.sock");
	assert_int_equal(s.server_workers, 0);
	assert_int_equal(s.server_connections, 512);
	assert_int_equal(s.auth_refresh_idle, 14 * 86400);
	assert_true(s.auth_password_grant);
	assert_string_equal(s.server_user, "");
	settings_done(&s);
	assert_null(s.store);
}

static void
every_type_from_a_file(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(load(&s,
	    "# a comment with \"one quote\n"
	    "profile = dev\n"
	    "/* another's\n   one */ sample_routes = yes // tail\n"
	    "server {\n"
	    "\tsocket = \"/tmp/a b.sock\"\n"
	    "\tworkers = 7 # seven\n"
	    "\tauth_workers = auto\n"
	    "\tdrain_seconds = 2m\n"
	    "\tpublic_url = http://localhost:8443\n"
	    "}\n"
	    "auth { access_ttl = 12h issuer = 'it\\'s' }\n"
	    "server { log_requests = off }\n"), 0);
	assert_string_equal(said, "");
	assert_true(settings_dev(&s));
	assert_true(s.top_sample_routes);
	assert_string_equal(s.server_socket, "/tmp/a b.sock");
	assert_int_equal(s.server_workers, 7);
	assert_int_equal(s.server_auth_workers, 0);
	assert_int_equal(s.server_drain_seconds, 120);
	assert_string_equal(s.server_public_url, "http://localhost:8443");
	assert_int_equal(s.auth_access_ttl, 43200);
	assert_string_equal(s.auth_issuer, "it's");
	assert_false(s.server_log_requests);
	settings_done(&s);
}

static void
later_sources_win(void **state)
{
	const char *const sets[] = { "otp.length=9", "otp.length=10" };
	struct settings s;

	(void)state;
	puts_to("docket.conf", "otp { length = 7 ttl = 30 }");
	assert_int_equal(load_with(&s, NULL, 0), 0);
	assert_int_equal(s.otp_length, 7);
	settings_done(&s);
	/* by name, and only *.conf */
	puts_to("conf.d/20.conf", "otp { length = 8 }");
	puts_to("conf.d/10.conf", "otp { length = 6 ttl = 31 }");
	puts_to("conf.d/30.conf.bak", "otp { length = 666 }");
	puts_to("conf.d/.hidden.conf", "otp { length = 666 }");
	assert_int_equal(load_with(&s, NULL, 0), 0);
	assert_int_equal(s.otp_length, 8);
	assert_int_equal(s.otp_ttl, 31);
	settings_done(&s);
	setenv("DOCKET_OTP_LENGTH", "7", 1);
	assert_int_equal(load_with(&s, NULL, 0), 0);
	assert_int_equal(s.otp_length, 7);
	settings_done(&s);
	assert_int_equal(load_with(&s, sets, 2), 0);
	assert_int_equal(s.otp_length, 10);
	settings_done(&s);
}

static void
every_fault_of_a_file_is_told(void **state)
{
	(void)state;
	assert_refused(
	    "# one\n"
	    "profil = dev\n"
	    "/* three\n"
	    "   four */\n"
	    "server {\n"
	    "  workers = 0\n"
	    "  # seven\n"
	    "  wrokers = 3\n"
	    "  connections = many\n"
	    "  socket = run/x.sock\n"
	    "}\n"
	    "otp {\n"
	    "  echo = maybe\n"
	    "  ttl = 10m1\n"
	    "}\n"
	    "profile = test\n"
	    "serve { workers = 3 }\n",
	    "docket.conf:2: unknown setting \"profil\"\n"
	    "docket.conf:6: server.workers must be auto or a whole number "
	    "from 1 to 256, not \"0\"\n"
	    "docket.conf:8: unknown setting \"server.wrokers\"\n"
	    "docket.conf:9: server.connections must be a whole number from 1 "
	    "to 4096, not \"many\"\n"
	    "docket.conf:10: server.socket must be an absolute path of at "
	    "most 107 bytes or empty, not \"run/x.sock\"\n"
	    "docket.conf:13: otp.echo must be on or off, not \"maybe\"\n"
	    "docket.conf:14: otp.ttl must be 30 to 600 seconds, such as 90, "
	    "90s, 15m, 12h or 14d, not \"10m1\"\n"
	    "docket.conf:16: profile must be one of production|dev, not "
	    "\"test\"\n"
	    "docket.conf:17: unknown setting \"serve\"\n");
}

static void
every_source_is_told(void **state)
{
	const char *const sets[] = { "otp.length=99", "x" };
	struct settings s;

	(void)state;
	puts_to("docket.conf", "otp { length = 1 }");
	puts_to("conf.d/a.conf", "\n\notp { length = 2 }");
	puts_to("conf.d/b.conf", "bogus = 1");
	setenv("DOCKET_OTP_LENGTH", "3", 1);
	assert_int_equal(load_with(&s, sets, 2), -EINVAL);
	assert_string_equal(said,
	    "docket.conf:1: otp.length must be a whole number from 6 to 10, "
	    "not \"1\"\n"
	    "conf.d/a.conf:3: otp.length must be a whole number from 6 to 10, "
	    "not \"2\"\n"
	    "conf.d/b.conf:1: unknown setting \"bogus\"\n"
	    "DOCKET_OTP_LENGTH: otp.length must be a whole number from 6 to "
	    "10, not \"3\"\n"
	    "--set: otp.length must be a whole number from 6 to 10, not "
	    "\"99\"\n"
	    "--set: \"x\" is not section.key=value\n");
}

static void
broken_files(void **state)
{
	struct settings s;

	(void)state;
	assert_refused("\notp {\n length = 7\n",
	    "docket.conf:2: a section begins here and has no end\n");
	assert_refused("profile =\n",
	    "docket.conf:2: premature end of file\n");
	assert_refused("\nprofile dev\n",
	    "docket.conf:2: missing equal sign after option 'profile'\n");
	assert_refused("}\n", "docket.conf:1: unexpected closing brace\n");
	assert_refused("\nprofile = \"dev\n\n",
	    "docket.conf:2: a string begins here and has no end\n");
	assert_refused("profile = 'dev\n",
	    "docket.conf:1: a string begins here and has no end\n");
	assert_refused("\n\n/* dev\n",
	    "docket.conf:3: a comment begins here and has no end\n");
	assert_refused("otp|length = 7\n",
	    "docket.conf:1: unknown setting \"length\"\n");
	put("docket.conf", "\nprofile\0 = dev\n", 16);
	assert_int_equal(load_with(&s, NULL, 0), -EINVAL);
	assert_string_equal(said, "docket.conf:2: there is a NUL byte\n");
	unlink("docket.conf");
	assert_int_equal(load_with(&s, NULL, 0), -EINVAL);
	assert_string_equal(said, "docket.conf: No such file or directory\n");
	mkdir("docket.conf", 0700);
	assert_int_equal(load_with(&s, NULL, 0), -EINVAL);
	assert_string_equal(said, "docket.conf: Is a directory\n");
	rmdir("docket.conf");
}

/* libconfuse's lexer keeps its state over files: a bad one must not make the
 * next be swallowed as the rest of a string. */
static void
a_broken_file_leaves_no_trace(void **state)
{
	static const char *const broken[] = {
		"profile = \"dev", "profile = 'dev", "/* dev",
		"profile = \"a\\777b\"", "profile = \"a\\9b\"", "}", "a b c",
		"otp { length = \"7", "otp { length = 7", "\"", "profile = {",
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(load(&s, broken[i]), -EINVAL);
		if (!said[0])
			fail_msg("nothing said of: %s", broken[i]);
		assert_int_equal(load(&s, "profile = dev"), 0);
		if (!settings_dev(&s))
			fail_msg("swallowed after: %s", broken[i]);
		settings_done(&s);
	}
}

static void
nothing_is_touched_on_failure(void **state)
{
	struct settings s;

	(void)state;
	memset(&s, 0x5a, sizeof(s));
	assert_int_equal(load(&s, "otp { length = 1 }"), -EINVAL);
	for (size_t i = 0; i < sizeof(s); i++)
		assert_int_equal(((unsigned char *)&s)[i], 0x5a);
}

static void
environment(void **state)
{
	struct settings s;

	(void)state;
	/* not ours */
	setenv("DOCKET_FOO_BAR", "1", 1);
	setenv("DOCKET_PROFILE", "dev", 1);
	assert_int_equal(load(&s, ""), 0);
	assert_true(settings_dev(&s));
	settings_done(&s);
	setenv("DOCKET_OTP_LENGHT", "7", 1);
	setenv("DOCKET_PROFILE_X", "7", 1);
	setenv("DOCKET_SERVER", "7", 1);
	assert_int_equal(load(&s, ""), -EINVAL);
	assert_non_null(strstr(said,
	    "DOCKET_OTP_LENGHT: there is no such setting\n"));
	assert_non_null(strstr(said,
	    "DOCKET_PROFILE_X: there is no such setting\n"));
	assert_non_null(strstr(said,
	    "DOCKET_SERVER: there is no such setting\n"));
	assert_null(strstr(said, "FOO"));
}

static void
command_line(void **state)
{
	static const char *const good[] = {
		"profile=dev", "auth.issuer=a=b", "otp.echo=on",
	};
	struct settings s;

	(void)state;
	puts_to("docket.conf", "");
	assert_int_equal(load_with(&s, good, 3), 0);
	assert_string_equal(s.auth_issuer, "a=b");
	settings_done(&s);
	assert_set_refused("otp.lenght=7",
	    "--set: unknown setting \"otp.lenght\"\n");
	assert_set_refused("length=7", "--set: unknown setting \"length\"\n");
	assert_set_refused("top.profile=dev",
	    "--set: unknown setting \"top.profile\"\n");
	assert_set_refused(".profile=dev",
	    "--set: unknown setting \".profile\"\n");
	assert_set_refused("otp.length",
	    "--set: \"otp.length\" is not section.key=value\n");
	assert_set_refused("otp.length =7",
	    "--set: unknown setting \"otp.length \"\n");
	assert_set_refused("=7", "--set: unknown setting \"\"\n");
}

static void
typed_bounds(void **state)
{
	static const char *const bad[] = {
		"otp.length=", "otp.length=6.0", "otp.length=+6",
		"otp.length= 6", "otp.length=6 ", "otp.length=0x6",
		"otp.length=auto", "otp.length=99999999999999999999",
		"otp.length=-6", "otp.length=-",
		"server.workers=0", "server.workers=257",
		"server.workers=AUTO", "server.workers=-1",
		"otp.ttl=11m", "otp.ttl=30x", "otp.ttl=30ss", "otp.ttl=m",
		"otp.ttl=29", "otp.ttl=200000000000000000d",
		"otp.echo=ON", "otp.echo=", "otp.echo=2",
		"profile=", "profile=de", "profile=dev|",
		"profile=production|dev",
		"auth.algorithm=none", "auth.algorithm=HS256]",
		"server.socket=docket.sock", "server.socket=./docket.sock",
		"server.secret_file=", "auth.issuer=", "auth.issuer=a\nb",
		"server.socket=/a\x7f", "server.socket_group=a\x1b",
	};
	static const char *const good[] = {
		"otp.length=6", "otp.length=10", "server.workers=auto",
		"server.workers=256", "otp.ttl=10m", "otp.ttl=30s",
		"otp.ttl=600", "auth.refresh_absolute=3650d", "otp.echo=1",
		"otp.echo=false", "server.socket=", "courier.spool_dir=/",
		"auth.issuer=\xc3\xa9",
	};
	struct settings s;

	(void)state;
	puts_to("docket.conf", "profile = dev");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (load_with(&s, &bad[i], 1) == 0)
			fail_msg("took %s", bad[i]);
		assert_non_null(strstr(said, " must "));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (load_with(&s, &good[i], 1) != 0)
			fail_msg("refused %s: %s", good[i], said);
		settings_done(&s);
	}
}

static void
lengths_are_bounded(void **state)
{
	char set[5100];
	const char *const sets[] = { set };
	struct settings s;

	(void)state;
	puts_to("docket.conf", "");
	snprintf(set, sizeof(set), "server.socket=/%0106d", 0);
	assert_int_equal(load_with(&s, sets, 1), 0);
	settings_done(&s);
	snprintf(set, sizeof(set), "server.socket=/%0107d", 0);
	assert_int_equal(load_with(&s, sets, 1), -EINVAL);
	/* a text may hold a password: its value is not repeated */
	snprintf(set, sizeof(set), "database.dsn=password=hush%01100d", 0);
	assert_int_equal(load_with(&s, sets, 1), -EINVAL);
	assert_null(strstr(said, "hush"));
}

static void
dev_only_settings(void **state)
{
	static const char *const rows[][3] = {
		{ "otp", "echo", "on" },
		{ "", "sample_routes", "on" },
		{ "limits", "otp_sends_client", "0" },
		{ "limits", "otp_verify_client", "0" },
		{ "limits", "otp_prefix_hour", "0" },
		{ "limits", "otp_sms_hour", "0" },
		{ "limits", "otp_email_hour", "0" },
		{ "limits", "requests_client", "0" },
		{ "limits", "auth_client", "0" },
		{ "limits", "requests_user", "0" },
		{ "limits", "requests_anonymous", "0" },
		{ "limits", "refreshes_session", "0" },
		{ "limits", "login_client", "0" },
		{ "limits", "checks_user", "0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *section = rows[i][0], *zero =
		    rows[i][2][0] == '0' ? "= 0 " : "";
		char set[96], name[64], want[160];
		const char *sets[] = { set, "profile=dev" };
		struct settings s;

		snprintf(name, sizeof(name), "%s%s%s", section,
		    *section ? "." : "", rows[i][1]);
		snprintf(set, sizeof(set), "%s=%s", name, rows[i][2]);
		snprintf(want, sizeof(want),
		    "--set: %s %sis only for profile = dev\n", name, zero);
		puts_to("docket.conf", "");
		assert_int_equal(load_with(&s, sets, 1), -EINVAL);
		assert_string_equal(said, want);
		assert_int_equal(load_with(&s, sets, 2), 0);
		settings_done(&s);
	}
	/* where it was set; and both are told */
	assert_refused("\nsample_routes = on\notp { echo = on }\n",
	    "docket.conf:3: otp.echo is only for profile = dev\n"
	    "docket.conf:2: sample_routes is only for profile = dev\n");
}

static void
other_contradictions(void **state)
{
	static const char *const urls[] = {
		"http://a", "https://", "https://a/", "https://a/b", "a.org",
		"https://a b", "https://a\"b", "https://u@h", "ftp://a",
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		char set[64];
		const char *const sets[] = { set };

		snprintf(set, sizeof(set), "server.public_url=%s", urls[i]);
		puts_to("docket.conf", "");
		if (load_with(&s, sets, 1) == 0)
			fail_msg("took %s", set);
		assert_string_equal(said, "--set: server.public_url must be "
		    "https://host or https://host:port\n");
	}
	assert_int_equal(load(&s,
	    "server { public_url = \"https://a.org:8443\" }"), 0);
	settings_done(&s);
	assert_refused("server { socket = /a.sock\nauth_socket = /a.sock }",
	    "docket.conf:2: server.auth_socket must differ from "
	    "server.socket\n");
	/* The other one is the default then, and stands nowhere. */
	assert_refused("\nserver { socket = /run/docket/auth.sock }",
	    "docket.conf:2: server.socket must differ from "
	    "server.auth_socket\n");
}

static void
the_gates_cookie_must_be_one(void **state)
{
	static const struct {
		const char *section, *want;
	} rows[] = {
		{ "gate_cookie = \"a b\"",
		  "auth.gate_cookie must be letters, digits, _ and -\n" },
		{ "gate_cookie = \"a;b\"",
		  "auth.gate_cookie must be letters, digits, _ and -\n" },
		{ "gate_cookie = gate gate_domain = .example.org",
		  "auth.gate_domain must be a domain such as example.org\n" },
		{ "gate_cookie = gate gate_domain = \"example.org; x\"",
		  "auth.gate_domain must be a domain such as example.org\n" },
		{ "gate_domain = example.org",
		  "auth.gate_domain needs an auth.gate_cookie without "
		  "__Host-\n" },
		{ "gate_cookie = __hOST-a gate_domain = example.org",
		  "auth.gate_domain needs an auth.gate_cookie without "
		  "__Host-\n" },
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[128], want[128];

		snprintf(text, sizeof(text), "auth { %s }", rows[i].section);
		snprintf(want, sizeof(want), "docket.conf:1: %s",
		    rows[i].want);
		assert_refused(text, want);
	}
	assert_int_equal(load(&s, "auth { gate_cookie = \"\" }"), 0);
	settings_done(&s);
	assert_int_equal(load(&s,
	    "auth { gate_cookie = gate gate_domain = example.org }"), 0);
	settings_done(&s);
}

/* Whatever a value holds, a fault is a line. */
static void
no_value_forges_a_line(void **state)
{
	(void)state;
	assert_refused("profile = \"a\\nb:1: c\"\n",
	    "docket.conf:1: profile must be one of production|dev, not "
	    "\"a?b:1: c\"\n");
	assert_refused("\"x\\ny\" = 1\n",
	    "docket.conf:1: unknown setting \"x?y\"\n");
}

static char *
sample(void)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	settings_print_sample(out);
	fclose(out);
	return text;
}

/* Take the # away in front of every name: "#name =", but "# doc". */
static unsigned
uncomment(char *text)
{
	unsigned n = 0;

	for (char *p = text; (p = strchr(p, '#')); p++) {
		if (p[1] == ' ')
			continue;
		*p = ' ';
		n++;
	}
	return n;
}

static void
the_sample_is_the_defaults(void **state)
{
	struct settings_source none = { NULL, NULL, 0 };
	char *text = sample(), *line;
	struct settings plain, s;
	unsigned rows = 0;

	(void)state;
	/* as it comes: nothing set */
	assert_int_equal(load(&s, text), 0);
	settings_done(&s);
	/* wrapped: a name's value may be long, a comment not */
	for (line = text; (line = strchr(line, '#')); line++)
		assert_true(line[1] != ' ' || strcspn(line, "\n") <= 78);
	for (line = text; (line = strchr(line, '#')); line++)
		assert_true(line == text || line[-1] == '\n' ||
		    (line[-1] == '\t' && line[-2] == '\n'));
#define SETTING(section, key, type, dflt, min, max, doc) rows++;
#include "tbl/settings.h"
#undef SETTING
	assert_int_equal(uncomment(text), rows);
	if (load(&s, text) != 0)
		fail_msg("%s", said);
	assert_int_equal(settings_load(&none, stderr, &plain), 0);
#define SETTING_T_TEXT(m) assert_string_equal(s.m, plain.m)
#define SETTING_T_PATH(m) assert_string_equal(s.m, plain.m)
#define SETTING_T_CHOICE(m) assert_string_equal(s.m, plain.m)
#define SETTING_T_INT(m) assert_int_equal(s.m, plain.m)
#define SETTING_T_COUNT(m) assert_int_equal(s.m, plain.m)
#define SETTING_T_SECONDS(m) assert_int_equal(s.m, plain.m)
#define SETTING_T_BOOL(m) assert_int_equal(s.m, plain.m)
#define SETTING(section, key, type, dflt, min, max, doc) \
	SETTING_T_##type(section##_##key);
#include "tbl/settings.h"
#undef SETTING
	settings_done(&plain);
	settings_done(&s);
	free(text);
}

static char *
printed(const struct settings *s)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	settings_print(s, out);
	fclose(out);
	return text;
}

static void
shows_values_and_origins_but_no_password(void **state)
{
	static const char *const sets[] = {
		"server.workers=3",
		"database.dsn=host=/run password = 'hush \\'hush' user=me",
		"database.courier_dsn=postgresql://me:hush@h/db?x=1&password=hush",
		"database.owner_dsn=user=me password=hush",
	};
	struct settings s;
	char *text;

	(void)state;
	setenv("DOCKET_PROFILE", "dev", 1);
	puts_to("docket.conf", "\notp { length = 7 }");
	assert_int_equal(load_with(&s, sets, 4), 0);
	text = printed(&s);
	assert_non_null(strstr(text, "otp.length                       7  "
	    "# docket.conf:2\n"));
	assert_non_null(strstr(text, "server.workers                   3  "
	    "# --set\n"));
	assert_non_null(strstr(text, "profile                          dev  "
	    "# DOCKET_PROFILE\n"));
	assert_non_null(strstr(text, "otp.ttl                          120  "
	    "# default\n"));
	assert_null(strstr(text, "hush"));
	assert_non_null(strstr(text, "password = *** user=me"));
	assert_non_null(strstr(text,
	    "postgresql://me:***@h/db?x=1&password=***"));
	assert_non_null(strstr(text, "user=me password=***  #"));
	free(text);
	settings_done(&s);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(defaults),
		CASE(every_type_from_a_file),
		CASE(later_sources_win),
		CASE(every_fault_of_a_file_is_told),
		CASE(every_source_is_told),
		CASE(broken_files),
		CASE(a_broken_file_leaves_no_trace),
		CASE(nothing_is_touched_on_failure),
		CASE(environment),
		CASE(command_line),
		CASE(typed_bounds),
		CASE(lengths_are_bounded),
		CASE(dev_only_settings),
		CASE(other_contradictions),
		CASE(the_gates_cookie_must_be_one),
		CASE(no_value_forges_a_line),
		CASE(the_sample_is_the_defaults),
		CASE(shows_values_and_origins_but_no_password),
	};

	return cmocka_run_group_tests_name("base_settings", tests, NULL, NULL);
}
