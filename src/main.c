/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docketd: read the command line, wire the rooms together, run the server. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/api.h"
#include "api/openapi.h"
#include "api/operations.h"
#include "api/walk.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/version.h"
#include "core/password.h"
#include "core/token.h"
#include "server/server.h"
#include "web/router.h"

#ifndef DOCKET_CONF
#define DOCKET_CONF "/etc/docket/docket.conf"
#endif

enum what {
	WHAT_RUN,
	WHAT_CHECK,
	WHAT_ROUTES,
	WHAT_SETTINGS,
	WHAT_ERRORS,
	WHAT_STATEMENTS,
	WHAT_HTTP,
	WHAT_POSTMAN,
	WHAT_OPENAPI,
	WHAT_NGINX,
	WHAT_VERSION,
	WHAT_HELP,
	WHAT__MAX
};

struct arguments {
	enum what what;
	struct settings_source source;
	const char **sets;
};

/* The long options that take no argument have their `enum what` as value. */
enum { OPTION_SET = 's', OPTION_CONFIG = 'c' };

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "check", no_argument, NULL, WHAT_CHECK },
	{ "routes", no_argument, NULL, WHAT_ROUTES },
	{ "settings", no_argument, NULL, WHAT_SETTINGS },
	{ "errors", no_argument, NULL, WHAT_ERRORS },
	{ "statements", no_argument, NULL, WHAT_STATEMENTS },
	{ "http", no_argument, NULL, WHAT_HTTP },
	{ "postman", no_argument, NULL, WHAT_POSTMAN },
	{ "openapi", no_argument, NULL, WHAT_OPENAPI },
	{ "nginx", no_argument, NULL, WHAT_NGINX },
	{ "version", no_argument, NULL, WHAT_VERSION },
	{ "help", no_argument, NULL, WHAT_HELP },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
    "usage: docketd [-c FILE] [--set SECTION.KEY=VALUE]... [WHAT]\n"
    "\n"
    "Serve Docket over FastCGI. Without -c, " DOCKET_CONF " is read\n"
    "if it exists. Instead of serving, print to standard output:\n"
    "\n"
    "  --check     nothing; exit 78 when settings, keys or routes are wrong\n"
    "  --routes    every route: method, path, access, group, operation,\n"
    "              what it is an alias of, scope, summary\n"
    "  --settings  a commented sample of the settings file\n"
    "  --errors    every error: status, code, title\n"
    "  --statements  every SQL statement, as a script that prepares it\n"
    "  --http      requests to try, for editors that send them\n"
    "  --postman   the same as a Postman collection\n"
    "  --openapi   the OpenAPI document for these settings\n"
    "  --nginx     upstreams, maps and locations for these settings\n"
    "  --version   the version\n"
    "  --help      this\n";

/* False: wrong usage. sets has room for argc entries. */
static bool
parse(int argc, char **argv, struct arguments *ret)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == OPTION_CONFIG)
			ret->source.file = optarg;
		else if (c == OPTION_SET)
			ret->sets[ret->source.n_sets++] = optarg;
		else if (c > WHAT_RUN && c < WHAT__MAX)
			ret->what = (enum what)c;
		else
			return false;
	}
	ret->source.sets = ret->sets;
	if (!ret->source.file && access(DOCKET_CONF, F_OK) == 0)
		ret->source.file = DOCKET_CONF;
	return optind == argc;
}

/* Both key files, as every worker will load them again. */
static int
check_keys(const struct settings *settings, FILE *err)
{
	struct token_ring *ring = token_ring_load("auth.key_file",
	    settings->auth_key_file, err);
	struct secret secret = { 0 };
	int r = secret_load("server.secret_file",
	    settings->server_secret_file, err, &secret);

	secret_done(&secret);
	token_ring_free(ring);
	return ring && r == 0 ? 0 : -EINVAL;
}

/* --check: everything that would stop or harm a start, not the first alone. */
static int
check(const struct settings *settings)
{
	int faults = router_check(&api_routes) + operations_check(&api_routes);

	if (check_keys(settings, stderr) < 0)
		faults++;
	return faults == 0 ? EX_OK : EX_CONFIG;
}

/* The settings go over to the server, which replaces them at SIGHUP. */
static int
serve(const struct settings_source *source, struct settings *settings)
{
	struct buf openapi = { 0 };
	struct server_config config = {
		.source = *source,
		.routes = api_routes,
		.check = check_keys,
	};
	int code;

	if (operations_check(&api_routes))
		return EX_SOFTWARE;
	/* Made once; the workers share its pages. */
	openapi_print(&openapi, &api_routes, settings);
	config.openapi = buf_view(&openapi);
	code = server_run(&config, settings);
	buf_done(&openapi);
	return code;
}

/* A row that fits no route fails the build, which prints these. */
static int
print_walk(int (*print)(struct buf *, const struct routes *))
{
	struct buf text = { 0 };
	int code = print(&text, &api_routes) == 0 ? EX_OK : EX_SOFTWARE;

	if (text.failed)
		code = EX_OSERR;
	fwrite(buf_view(&text).s, 1, buf_view(&text).n, stdout);
	buf_done(&text);
	return code;
}

/* What needs the tables alone. False: it needs the settings too. */
static bool
print_tables(enum what what, int *ret_code)
{
	switch (what) {
	case WHAT_ROUTES:
		routes_print(stdout, &api_routes);
		return true;
	case WHAT_SETTINGS:
		settings_print_sample(stdout);
		return true;
	case WHAT_ERRORS:
		errors_print(stdout);
		return true;
	case WHAT_STATEMENTS:
		statements_print(stdout);
		return true;
	case WHAT_HTTP:
		*ret_code = print_walk(walk_print_http);
		return true;
	case WHAT_POSTMAN:
		*ret_code = print_walk(walk_print_postman);
		return true;
	case WHAT_VERSION:
		printf("docketd %s\n", docket_version);
		return true;
	case WHAT_HELP:
		fputs(usage, stdout);
		return true;
	default:
		return false;
	}
}

static void
print_openapi(const struct settings *settings)
{
	struct buf text = { 0 };

	openapi_print(&text, &api_routes, settings);
	fwrite(buf_view(&text).s, 1, buf_view(&text).n, stdout);
	buf_done(&text);
}

/* What a bad settings file must not reach: it ends here with 78. */
static int
with_settings(const struct arguments *a)
{
	struct settings settings = { 0 };
	int code = EX_OK;

	if (settings_load(&a->source, stderr, &settings) < 0)
		return EX_CONFIG;
	if (a->what == WHAT_RUN)
		return serve(&a->source, &settings);
	if (a->what == WHAT_CHECK)
		code = check(&settings);
	else if (a->what == WHAT_OPENAPI)
		print_openapi(&settings);
	else
		nginx_print(stdout, &api_routes, &settings);
	settings_done(&settings);
	return code;
}

/* A listing that did not arrive, such as into a full disk, is a failure. */
static int
flush(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "docketd: standard output: %s\n", strerror(errno));
	return code == EX_OK ? EX_IOERR : code;
}

int
main(int argc, char **argv)
{
	struct arguments a = { .what = WHAT_RUN };
	int code = EX_OK;

	log_init("docketd", LOG_INFO);
	a.sets = calloc((size_t)argc, sizeof(*a.sets));
	if (!a.sets || crypto_init() < 0 || password_init() < 0) {
		free(a.sets);
		return EX_OSERR;
	}
	if (!parse(argc, argv, &a)) {
		fputs(usage, stderr);
		code = EX_USAGE;
	} else if (!print_tables(a.what, &code)) {
		code = with_settings(&a);
	}
	free(a.sets);
	crypto_done();
	return flush(code);
}
