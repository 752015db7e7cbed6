/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docketd --nginx: what nginx must know of the routes and the settings. */
#include "api/openapi.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

#define SOCKET_PATH_MAX 107	/* of sun_path, without its NUL */

/* What nginx answers by itself. Where the error table has a row for it the
 * two word it alike; the others exist only here. */
struct own {
	int status;
	int error;		/* E_OK: the columns that follow */
	const char *code;
	const char *oauth;
	const char *title;
	const char *detail;
};

static const struct own owns[] = {
#define NGINX_ERROR(status, code, oauth, title, detail) \
	{ status, E_OK, code, oauth, title, detail },
#include "tbl/nginx_errors.h"
#undef NGINX_ERROR
	{ 400, E_BAD_REQUEST, NULL, NULL, NULL, NULL },
	{ 404, E_NOT_FOUND, NULL, NULL, NULL, NULL },
	{ 405, E_METHOD, NULL, NULL, NULL, NULL },
	{ 413, E_TOO_LARGE, NULL, NULL, NULL, NULL },
	{ 414, E_URI_LONG, NULL, NULL, NULL, NULL },
	{ 429, E_RATE, NULL, NULL, NULL, NULL },
	{ 500, E_INTERNAL, NULL, NULL, NULL, NULL },
	{ 503, E_BUSY, NULL, NULL, NULL, NULL },
};

static const struct own fallback = {
	0, E_OK, "server_error", "server_error", "Error",
	"The request could not be served."
};

static const char *const rates[] = {
	[RATE_API] = "api",
	[RATE_AUTH] = "auth",
	[RATE_OTP] = "auth",
	[RATE_CHECK] = "api",
	[RATE_NONE] = "none",
};

/* The row as it will be printed. */
static struct own
own_resolve(const struct own *own)
{
	struct own ret = *own;

	if (own->error != E_OK) {
		const struct error_row *row = error_row(own->error);

		ret.code = row->code;
		ret.oauth = row->oauth;
		ret.title = row->title;
		ret.detail = row->detail;
	}
	return ret;
}

/* A literal inside a PCRE. */
static void
print_quoted(FILE *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strchr(".[]{}()*+?^$|\\", s[i]))
			putc('\\', out);
		putc(s[i], out);
	}
}

/* Text of the error table inside JSON inside nginx's single quotes. */
static void
print_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, "\"%s\":\"", name);
	for (; *text; text++) {
		if (*text == '\'')
			putc('\\', out);
		putc(*text, out);
	}
	fputs("\",", out);
}

/* A path as a PCRE; a {part} is one segment. */
static void
print_pattern(FILE *out, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "{");

		print_quoted(out, path, n);
		path += n;
		if (*path == '{') {
			fputs("[^/]+", out);
			path += strcspn(path, "}");
			path += *path == '}';
		}
	}
}

/* One line of a map over "$request_method $uri"; GET stands for HEAD too. */
static void
print_row(FILE *out, const struct route *r, const char *value)
{
	if (r->method == GET || strchr(r->path, '{')) {
		fprintf(out, "\t\"~^%s ", r->method == GET ? "(GET|HEAD)" :
		    method_names[r->method]);
		print_pattern(out, r->path);
		fprintf(out, "$\" %s;\n", value);
	} else {
		fprintf(out, "\t\"%s %s\" %s;\n", method_names[r->method],
		    r->path, value);
	}
}

/* The directory of a path with `dots` more "./", then its last part: the same
 * socket, but another address to nginx. */
static void
print_server(FILE *out, const char *socket, int dots, const char *rest)
{
	const char *name = strrchr(socket, '/');
	int n = name ? (int)(name - socket) + 1 : 0;

	fprintf(out, "\tserver unix:%.*s", n, socket);
	while (dots-- > 0)
		fputs("./", out);
	fprintf(out, "%s max_fails=0%s;\n", socket + n, rest);
}

/*
 * A GET whose worker died is tried again. nginx keeps connections per address
 * and would take the next one to the same dead worker from its store; under
 * another spelling it has none there and opens one, to a worker that lives.
 * It keeps that one as well, so one or two more spellings have dead ones in
 * their stores some day. A kept one that fails costs no try, so these are not
 * more chances to do harm: fastcgi_next_upstream_tries bounds the new ones.
 */
#define SPELLINGS 7

static void
print_upstream(FILE *out, const char *name, const char *socket, bool kept)
{
	int room = (int)(SOCKET_PATH_MAX - strlen(socket)) / 2;

	fprintf(out, "upstream %s {\n", name);
	print_server(out, socket, 0, "");
	for (int i = 1; i < SPELLINGS; i++)
		print_server(out, socket, i < room ? i : room, " backup");
	if (kept)
		fputs("\tkeepalive 64;\n\tkeepalive_requests 1000000000;\n"
		    "\tkeepalive_time 24h;\n\tkeepalive_timeout 1h;\n", out);
	fputs("}\n\n", out);
}

static size_t
segment_length(const char *path)
{
	return strcspn(path + 1, "/");
}

/* Has an earlier row the same first segment? */
static bool
segment_seen(const struct routes *routes, size_t at)
{
	const char *path = routes->v[at].path;
	size_t n = segment_length(path);

	for (size_t i = 0; i < at; i++) {
		const char *other = routes->v[i].path;

		if (segment_length(other) == n &&
		    memcmp(other + 1, path + 1, n) == 0)
			return true;
	}
	return false;
}

/* Only the first segment is looked at: which paths there are beneath it, and
 * 405, is the router's to say. */
static void
print_known(FILE *out, const struct routes *routes)
{
	bool first = true;

	fputs("map $uri $docket_path_known {\n\tdefault \"\";\n\t\"~^/(", out);
	for (size_t i = 0; i < routes->n; i++) {
		const char *path = routes->v[i].path;

		if (segment_seen(routes, i))
			continue;
		if (!first)
			putc('|', out);
		first = false;
		print_quoted(out, path + 1, segment_length(path));
	}
	fputs(")(/|$)\" yes;\n}\n\n", out);
}

/* The networks of server.metrics_allow, an nginx line each. What is no network
 * was refused with the settings. */
static void
print_networks(FILE *out, const char *list)
{
	while (*(list += strspn(list, ", "))) {
		int n = (int)strcspn(list, ", ");

		fprintf(out, "\t%.*s yes;\n", n, list);
		list += n;
	}
}

/* What is local does not exist for anybody else. To geo, who comes by a Unix
 * socket has the address 255.255.255.255, which it does not take alone. */
static void
print_local(FILE *out, const struct routes *routes,
    const struct settings *settings)
{
	fputs("geo $docket_near {\n\tdefault no;\n\t127.0.0.0/8 yes;\n"
	    "\t::1/128 yes;\n\t255.255.255.254/31 yes;\n", out);
	print_networks(out, settings->server_metrics_allow);
	fputs("}\n\nmap \"$docket_near $uri\" $docket_known {\n"
	    "\tdefault $docket_path_known;\n", out);
	for (size_t i = 0; i < routes->n; i++) {
		if (!(routes->v[i].flags & ROUTE_LOCAL))
			continue;
		fputs("\t\"~^no ", out);
		print_pattern(out, routes->v[i].path);
		/* Nor is it told how it would be spelt. */
		fputs("(/|$)\" \"\";\n", out);
	}
	fputs("}\n\n", out);
}

static void
print_groups(FILE *out, const struct routes *routes)
{
	fputs("map \"$request_method $uri\" $docket_group {\n"
	    "\tdefault docket_main;\n", out);
	for (size_t i = 0; i < routes->n; i++)
		if (routes->v[i].group == GROUP_HASH)
			print_row(out, &routes->v[i], "docket_hash");
	fputs("}\n\n", out);
}

/* An empty key is not counted: that is how a limit of 0 switches off. */
static void
print_zone(FILE *out, const char *name, const char *pattern, long limit)
{
	fprintf(out, "map $docket_rate $docket_%s_key {\n\tdefault \"\";\n",
	    name);
	if (limit > 0)
		fprintf(out, "\t\"%s\" $docket_client;\n", pattern);
	fprintf(out, "}\nlimit_req_zone $docket_%s_key zone=docket_%s:10m "
	    "rate=%ldr/s;\n\n", name, name, limit > 0 ? limit : 1);
}

static void
print_limits(FILE *out, const struct routes *routes,
    const struct settings *settings)
{
	fputs("map \"$request_method $uri\" $docket_rate {\n"
	    "\tdefault api;\n", out);
	for (size_t i = 0; i < routes->n; i++)
		if (routes->v[i].rate != RATE_API)
			print_row(out, &routes->v[i],
			    rates[routes->v[i].rate]);
	fputs("}\n", out);
	/* By process: what one that died had counted dies with it. */
	fputs("limit_conn_zone $docket_group.$docket_rate.$pid "
	    "zone=docket_busy:1m;\n\n", out);
	print_zone(out, "client", "~^(api|auth)$",
	    settings->limits_requests_client);
	/* Bodies that never end would hold all places of all others. */
	fputs("map $docket_client_key $docket_client_busy {\n"
	    "\t\"\" \"\";\n"
	    "\tdefault $docket_client_key.$pid;\n}\n"
	    "limit_conn_zone $docket_client_busy "
	    "zone=docket_client_busy:10m;\n\n", out);
	print_zone(out, "auth", "auth", settings->limits_auth_client);
}

static void
print_problem(FILE *out, const char *key, const struct own *own)
{
	struct own o = own_resolve(own);

	fprintf(out, "\t%s '\"type\":\"/problems/%s\",", key, o.code);
	print_text(out, "title", o.title);
	if (o.status)
		fprintf(out, "\"status\":%d,", o.status);
	else
		fputs("\"status\":$status,", out);
	print_text(out, "detail", o.detail);
	print_text(out, "message", o.detail);
	fprintf(out, "\"code\":\"%s\"';\n", o.code);
}

static void
print_problems(FILE *out)
{
	char key[8];

	fputs("map $status $docket_problem {\n", out);
	print_problem(out, "default", &fallback);
	for (size_t i = 0; i < sizeof(owns) / sizeof(owns[0]); i++) {
		snprintf(key, sizeof(key), "%d", owns[i].status);
		print_problem(out, key, &owns[i]);
	}
	fputs("}\n\n", out);
}

/* The two members of RFC 6749 §5.2, on its endpoints alone. */
static void
print_oauth(FILE *out, const struct routes *routes)
{
	fputs("map $docket_path $docket_oauth_path {\n\tdefault \"\";\n", out);
	for (size_t i = 0; i < routes->n; i++)
		if (routes->v[i].flags & ROUTE_OAUTH) {
			fputs("\t\"~^", out);
			print_pattern(out, routes->v[i].path);
			fputs("$\" oauth;\n", out);
		}
	fputs("}\nmap \"$status $docket_oauth_path\" $docket_oauth {\n"
	    "\tdefault \"\";\n", out);
	for (size_t i = 0; i < sizeof(owns) / sizeof(owns[0]); i++) {
		struct own o = own_resolve(&owns[i]);

		fprintf(out, "\t\"%d oauth\" '\"error\":\"%s\",", o.status,
		    o.oauth);
		print_text(out, "error_description", o.detail);
		fputs("';\n", out);
	}
	fputs("}\n", out);
}

/* For applications behind the gate: a visitor's cookies without the gate's. */
static void
print_cookies(FILE *out, const char *name)
{
	fputs("\nmap $http_cookie $docket_other_cookies {\n"
	    "\tdefault $http_cookie;\n", out);
	if (*name)
		fprintf(out, "\t\"~^%s=[^;]*(; *)?(?<docket_c>.*)$\" "
		    "$docket_c;\n"
		    "\t\"~^(?<docket_a>.*); *%s=[^;]*(?<docket_b>.*)$\" "
		    "$docket_a$docket_b;\n", name, name);
	fputs("}\n", out);
}

void
nginx_print(FILE *out, const struct routes *routes,
    const struct settings *settings)
{
	const char *hash = settings->server_auth_socket;

	fputs("# Made by docketd --nginx from the route table and the "
	    "settings: make it again\n# instead of editing it.\n\n", out);
	print_upstream(out, "docket_main", settings->server_socket, true);
	/* A hash costs five hundred connections. Not kept, all that wait are in
	 * one queue, the socket's, and go to whichever worker is free. */
	print_upstream(out, "docket_hash",
	    *hash ? hash : settings->server_socket, false);
	print_known(out, routes);
	print_local(out, routes, settings);
	print_groups(out, routes);
	print_limits(out, routes, settings);
	print_problems(out);
	print_oauth(out, routes);
	print_cookies(out, settings->auth_gate_cookie);
}
