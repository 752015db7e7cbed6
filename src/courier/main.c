/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket-courier: read the command line, drop root, load the key, run. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/user.h"
#include "base/version.h"
#include "core/token.h"
#include "courier/crew.h"

#ifndef DOCKET_CONF
#define DOCKET_CONF "/etc/docket/docket.conf"
#endif

struct arguments {
	struct settings_source source;
	const char **sets;	/* room for argc */
	bool once, check;
};

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "set", required_argument, NULL, 's' },
	{ "once", no_argument, NULL, 'o' },
	{ "check", no_argument, NULL, 'k' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
    "usage: docket-courier [-c FILE] [--set SECTION.KEY=VALUE]...\n"
    "                      [--once | --check]\n"
    "\n"
    "Deliver the messages that wait in the outbox. Without -c, " DOCKET_CONF
    "\nis read if it exists.\n"
    "\n"
    "  --once     stop when nothing more is due; exit 75 when a message\n"
    "             could not be delivered or the database is away\n"
    "  --check    deliver nothing; exit 78 when settings, secrets or templates\n"
    "             are wrong\n"
    "  --version  the version\n"
    "  --help     this\n";

/* -1: go on; otherwise the exit status. */
static int
parse(int argc, char **argv, struct arguments *ret)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->source.file = optarg;
			break;
		case 's':
			ret->sets[ret->source.n_sets++] = optarg;
			break;
		case 'o':
			ret->once = true;
			break;
		case 'k':
			ret->check = true;
			break;
		case 'V':
			printf("docket-courier %s\n", docket_version);
			return EX_OK;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	ret->source.sets = ret->sets;
	if (!ret->source.file && access(DOCKET_CONF, F_OK) == 0)
		ret->source.file = DOCKET_CONF;
	return -1;
}

/* Codes pass through memory: no core file ever. The stop signals wait until
 * the loop looks for them. */
static void
confine(void)
{
	const struct rlimit none = { 0, 0 };
	sigset_t stop;

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGPIPE, SIG_IGN);
	/* The parent alone takes note of it; it is no end. */
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
}

/* Each sender opens its way itself: here is asked only whether it would. */
static bool
lane_find(const struct settings *s, const char *channel, const char *name,
    struct lane *ret)
{
	struct way *way = NULL;

	*ret = (struct lane){ channel, way_find(name) };
	if (!ret->kind) {
		fprintf(stderr, "courier.%s: \"%s\" is not built in\n",
		    channel, name);
		return false;
	}
	if (ret->kind->open(s, stderr, &way) < 0)
		return false;
	ret->kind->close(way);
	return true;
}

/* The key that the API seals messages under. */
static bool
seal_load(const struct settings *s, struct secret *ret)
{
	struct secret master = { .n = 0 };
	int r = secret_load("server.secret_file", s->server_secret_file,
	    stderr, &master);

	if (r == 0)
		r = crypto_derive(&master, "seal", ret);
	secret_done(&master);
	return r == 0;
}

/* Root that only looks needs no account to be named: the unit names it. */
static bool
only_looks(const struct settings *s, const struct arguments *a)
{
	return a->check && !s->server_user[0];
}

/* As the user it will stay: what that one cannot read is not read at all. */
static int
serve(const struct settings *s, const struct arguments *a)
{
	struct secret seal = { .n = 0 };
	struct courier courier = {
		.settings = s, .seal = &seal, .once = a->once,
	};
	struct templates *templates;
	int code = EX_CONFIG;
	bool good, sms, email;

	if (!only_looks(s, a) && user_drop(s->server_user, stderr) < 0)
		return EX_CONFIG;
	confine();
	good = seal_load(s, &seal);
	courier.templates = templates = templates_load(s, stderr);
	sms = lane_find(s, "sms", s->courier_sms, &courier.lanes[0]);
	email = lane_find(s, "email", s->courier_email, &courier.lanes[1]);
	if (sms && email && good && templates)
		code = a->check ? EX_OK : courier_run(&courier);
	templates_free(templates);
	secret_done(&seal);
	return code;
}

int
main(int argc, char **argv)
{
	struct arguments a = { .once = false };
	struct settings settings = { 0 };
	int code;

	log_init("docket-courier", LOG_INFO);
	a.sets = calloc((size_t)argc, sizeof(*a.sets));
	if (!a.sets || crypto_init() < 0) {
		free(a.sets);
		return EX_OSERR;
	}
	code = parse(argc, argv, &a);
	if (code < 0 && settings_load(&a.source, stderr, &settings) < 0)
		code = EX_CONFIG;
	if (code < 0) {
		log_format(settings.server_log_format, JOURNAL_SOCKET);
		code = serve(&settings, &a);
		settings_done(&settings);
	}
	free(a.sets);
	crypto_done();
	return code;
}
