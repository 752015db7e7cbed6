/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket setup: goes through the steps, does what is not done, tells each. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/backup.h"
#include "cli/setup.h"

#ifndef DOCKET_SHARE_DIR
#define DOCKET_SHARE_DIR "/usr/share/docket"
#endif

/* In the order in which one needs the other. */
static const struct setup_part *const parts[] = {
	&setup_host, &setup_keys, &setup_database, &setup_certificate,
	&setup_nginx, &setup_service,
};

/* ---- what the parts share ---- */

const char *
setup_path(const struct setup *s, const char *path)
{
	return arena_printf(s->mem, "%s%s", s->root, path);
}

static void
say(struct setup *s, const char *fmt, va_list ap)
{
	char line[2048];

	vsnprintf(line, sizeof(line), fmt, ap);
	s->say = arena_copy(s->mem, line, strlen(line));
}

enum setup_state
setup_say(struct setup *s, enum setup_state state, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(s, fmt, ap);
	va_end(ap);
	return state;
}

int
setup_fail(struct setup *s, int status, const char *next, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(s, fmt, ap);
	va_end(ap);
	s->next = next;
	return status;
}

int
setup_tool_fail(struct setup *s, const char *what, const struct tool_end *end,
    const char *next)
{
	return setup_fail(s, EX_UNAVAILABLE, next, "%s: %.*s", what,
	    TEXT_FMT(end->err.n ? end->err : end->out));
}

int
setup_file_fail(struct setup *s, const char *path, int error)
{
	if (error == 0)
		return 0;
	return setup_fail(s, EX_CANTCREAT, geteuid() == 0 ?
	    "look at the folder and at the disk (df), then run this again" :
	    "run this as root", "%s: %s", path, strerror(-error));
}

int
setup_docket(struct setup *s, const char *const words[5], struct text input,
    struct tool_end *ret)
{
	const char *argv[] = {
		tool_self(s->mem), "-c", setup_conf(s), words[0], words[1],
		words[2], words[3], words[4], NULL,
	};
	const struct tool tool = { .argv = argv, .input = input };

	return tool_run(s->mem, &tool, ret);
}

/* ---- the run ---- */

static void
step_line(const char *verb, const struct setup_step *step, const char *say)
{
	printf("%-7s %-12s %s\n", verb, step->name, say);
	fflush(stdout);
}

static int
step_failed(struct setup *s, const struct setup_step *step, int status)
{
	fflush(stdout);
	fprintf(stderr, "FAILED  %-12s %s\n", step->name, s->say);
	if (s->next)
		fprintf(stderr, "%20s next: %s\n", "", s->next);
	return status;
}

/* At once: a later step may fail, and nobody could ask for it again. */
static void
password_tell(struct setup *s)
{
	if (s->password)
		printf("\nThe first admin: %s\nPassword (told this once): "
		    "%s\n\n", s->admin, s->password);
	fflush(stdout);
	s->password = NULL;
}

/* What was done must be seen to be done. */
static int
step_act(struct setup *s, const struct setup_step *step)
{
	const char *told = s->say;
	int status = step->act(s);
	enum setup_state now;

	if (status)
		return step_failed(s, step, status);
	now = step->look(s);
	if (now != SETUP_DONE && now != SETUP_SKIP) {
		s->next = "run this again; if it stays so, look at the logs";
		return step_failed(s, step, EX_SOFTWARE);
	}
	step_line("done", step, told);
	password_tell(s);
	return 0;
}

/* *changes counts what was done, or would be. */
static int
step_run(struct setup *s, const struct setup_step *step, int *changes)
{
	s->say = "";
	s->next = NULL;
	switch (step->look(s)) {
	case SETUP_DONE:
		step_line("ok", step, s->say);
		return 0;
	case SETUP_SKIP:
		step_line("skip", step, s->say);
		return 0;
	case SETUP_FAULT:
		return step_failed(s, step, EX_CONFIG);
	case SETUP_TODO:
		break;
	}
	++*changes;
	if (!s->dry)
		return step_act(s, step);
	step_line("would", step, s->say);
	return 0;
}

static int
told(const struct setup *s, int changes)
{
	if (s->dry)
		printf("\n%d step%s to do; nothing was changed.\n", changes,
		    changes == 1 ? "" : "s");
	else if (changes == 0)
		puts("\nNothing to do: all of it is set up.");
	else
		printf("\nhttps://%s%s: set up. docket doctor looks after "
		    "it.\n", s->domain, s->port == 443 ? "" :
		    arena_printf(s->mem, ":%ld", s->port));
	return EX_OK;
}

/* A dry run goes on behind a fault: it tells all of them. */
static int
setup_run(struct setup *s)
{
	int changes = 0, first = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (size_t j = 0; j < parts[i]->n; j++) {
			int status = step_run(s, &parts[i]->v[j], &changes);

			if (status && !s->dry)
				return status;
			first = first ? first : status;
		}
	return first ? first : told(s, changes);
}

/* ---- the command ---- */

/* As it goes into addresses, certificates and nginx's file. */
static bool
is_domain(const char *s)
{
	const size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isascii(s[i]) || (!islower((unsigned char)s[i]) &&
		    !isdigit((unsigned char)s[i]) && s[i] != '-' &&
		    (s[i] != '.' || i == 0 || s[i - 1] == '.')))
			return false;
	return n > 0 && n <= 190 && s[n - 1] != '.' && s[0] != '-';
}

static bool
is_folder(const char *s)
{
	return s[0] == '/' && !strpbrk(s, "\"\\$' \t\n;{}") && strlen(s) < 60;
}

/* As it goes into pg_ident.conf. */
static bool
is_account(const char *s)
{
	return *s && *s != '-' && strlen(s) <= 32 &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static int
bad(const char *what)
{
	fprintf(stderr, "docket: setup: %s\n", what);
	return EX_USAGE;
}

static int
setup_check(const struct setup *s)
{
	if (!is_domain(s->domain))
		return bad("--domain: a name such as tasks.example.org, in "
		    "lower case");
	if ((s->root[0] && !is_folder(s->root)) || !is_folder(s->postgres) ||
	    !is_folder(s->share))
		return bad("folders are absolute, short and plain");
	if (!is_account(s->user))
		return bad("--user: the name of an account, in lower case");
	if (*s->admin == '-')
		return bad("--admin-name: a name, not an option");
	if (!s->certificate != !s->key)
		return bad("--certificate and --key belong together");
	if (s->certificate && s->own_certificate)
		return bad("--certificate or --self-signed, not both");
	if (geteuid() == 0 || s->root[0] || s->dry)
		return 0;
	bad("run this as root; --dry-run tells what it would do");
	return EX_NOPERM;
}

static void
setup_options(struct setup *s)
{
	const struct {
		enum cli_option option;
		const char **to;
	} texts[] = {
		{ OPT_domain, &s->domain }, { OPT_admin_name, &s->admin },
		{ OPT_password_file, &s->password_file },
		{ OPT_certificate, &s->certificate }, { OPT_key, &s->key },
		{ OPT_register_require, &s->require }, { OPT_user, &s->user },
		{ OPT_postgres, &s->postgres }, { OPT_share, &s->share },
		{ OPT_root, &s->root },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (cli_has(s->cli, texts[i].option))
			*texts[i].to = cli_value(s->cli, texts[i].option);
	s->dry = cli_dry(s->cli);
	s->own_certificate = cli_has(s->cli, OPT_self_signed);
	/* The links are read from elsewhere than here. */
	if (s->certificate)
		s->certificate = backup_path(s->mem, s->certificate);
	if (s->key)
		s->key = backup_path(s->mem, s->key);
}

int
cli_setup(struct cli *cli)
{
	struct setup s = {
		.cli = cli, .mem = cli->mem, .root = "", .user = "docket",
		.share = DOCKET_SHARE_DIR, .postgres = "/run/postgresql",
		.admin = "admin", .port = 443,
	};
	int status;

	setup_options(&s);
	if (!cli_number(cli, OPT_port, 1, 65535, &s.port))
		return EX_USAGE;
	status = setup_check(&s);
	if (status == 0)
		status = setup_run(&s);
	if (s.loaded)
		settings_done(&s.settings);
	return status;
}
