/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A request as it came: FastCGI parameters into struct request. */
#include "web/request.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "base/crypto.h"
#include "base/error.h"
#include "web/fcgi.h"
#include "web/utf8.h"

#define AGENT_MAX 256
#define ID_MAX 64
#define BODY_FIRST 4096	/* room for a body of unknown length */
#define TRACEPARENT_CHARS 55
#define METHOD_CHARS 32

/* The parameters that are looked at, in the order of `params`. */
enum param {
	METHOD, URI, QUERY, TYPE, REMOTE, AGENT, ACCEPT, LANGUAGE, AUTHORIZATION,
	API_KEY, COOKIE, IF_MATCH, IF_NONE_MATCH, IDEMPOTENCY, TRACEPARENT,
	REQUEST_ID, START,
	PARAM__MAX
};

static const struct text params[PARAM__MAX] = {
	[METHOD] = { "REQUEST_METHOD", 14 },
	[URI] = { "REQUEST_URI", 11 },
	[QUERY] = { "QUERY_STRING", 12 },
	[TYPE] = { "CONTENT_TYPE", 12 },
	[REMOTE] = { "REMOTE_ADDR", 11 },
	[AGENT] = { "HTTP_USER_AGENT", 15 },
	[ACCEPT] = { "HTTP_ACCEPT", 11 },
	[LANGUAGE] = { "HTTP_ACCEPT_LANGUAGE", 20 },
	[AUTHORIZATION] = { "HTTP_AUTHORIZATION", 18 },
	[API_KEY] = { "HTTP_X_API_KEY", 14 },
	[COOKIE] = { "HTTP_COOKIE", 11 },
	[IF_MATCH] = { "HTTP_IF_MATCH", 13 },
	[IF_NONE_MATCH] = { "HTTP_IF_NONE_MATCH", 18 },
	[IDEMPOTENCY] = { "HTTP_IDEMPOTENCY_KEY", 20 },
	[TRACEPARENT] = { "HTTP_TRACEPARENT", 16 },
	[REQUEST_ID] = { "HTTP_X_REQUEST_ID", 17 },
	[START] = { "DOCKET_START", 12 },
};

/* nginx may join repeated headers; no credential holds a comma. */
static bool
is_joined(struct text value)
{
	return value.s && memchr(value.s, ',', value.n);
}

/* One pass over what came; a value that is empty counts as absent. twice: the
 * ones that came more than once. */
static void
params_read(const struct fcgi *fcgi, struct text v[PARAM__MAX],
    bool twice[PARAM__MAX])
{
	const char *pair;
	size_t i = 0;

	while ((pair = fcgi_param_next(fcgi, &i)) != NULL) {
		const char *equals = strchr(pair, '=');
		const size_t n = equals ? (size_t)(equals - pair) : 0;

		for (int p = 0; equals && p < PARAM__MAX; p++) {
			if (n != params[p].n ||
			    memcmp(pair, params[p].s, n) != 0)
				continue;
			twice[p] = v[p].s != NULL;
			/* But an empty key or condition is a mistake. */
			if (equals[1] || p == IDEMPOTENCY || p == IF_MATCH)
				v[p] = text_of(equals + 1);
			break;
		}
	}
}

static bool
id_is_sane(struct text id)
{
	static const char sane[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return id.s && id.n > 0 && id.n <= ID_MAX &&
	    strspn(id.s, sane) == id.n;
}

/* What is no word is no method; nor has it a place in the log. */
static struct text
method_read(struct text in)
{
	static const char sane[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-";

	return in.s && in.n <= METHOD_CHARS && strspn(in.s, sane) == in.n ?
	    in : TEXT("-");
}

/* A sane id of the client's, or one of ours. No randomness, no reason to
 * refuse: the nil UUID names the request then. */
static struct text
id_choose(struct text given, struct arena *mem)
{
	struct uuid id = { 0 };
	char *out;

	if (id_is_sane(given))
		return given;
	(void)crypto_uuid(&id, NULL);
	out = arena_alloc(mem, UUID_CHARS + 1);
	uuid_format(&id, out);
	return (struct text){ out, UUID_CHARS };
}

/* What the log and the database can take: control bytes and what is not UTF-8
 * become '?', and it is cut between characters. */
static struct text
agent_clean(struct text in, struct arena *mem)
{
	char *out;
	size_t at = 0;

	if (!in.s)
		return TEXT_NONE;
	out = arena_copy(mem, in.s, in.n < AGENT_MAX + 4 ? in.n :
	    AGENT_MAX + 4);
	in.n = strlen(out);
	while (at < in.n) {
		const size_t step = utf8_next(out + at, in.n - at);

		if (step == 0 || iscntrl((unsigned char)out[at]))
			out[at] = '?';
		at += step ? step : 1;
	}
	return utf8_cut((struct text){ out, in.n }, AGENT_MAX);
}

static void
network_v4(struct client *client, const uint8_t b[4], struct arena *mem)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): all are set */
	client->ip = text_of(arena_printf(mem, "%u.%u.%u.%u", b[0], b[1],
	    b[2], b[3]));
	client->network = text_of(arena_printf(mem, "%u.%u.%u.0/24", b[0],
	    b[1], b[2]));
}

/* An address that is none (a Unix socket peer) counts as 0.0.0.0, so that
 * such clients share one budget rather than have none. */
static void
client_address(struct client *client, struct text addr, struct arena *mem)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr v6;
	struct in_addr v4 = { 0 };

	if (!addr.s || inet_pton(AF_INET6, addr.s, &v6) != 1) {
		if (addr.s && inet_pton(AF_INET, addr.s, &v4) != 1)
			v4 = (struct in_addr){ 0 };
		network_v4(client, (const uint8_t *)&v4, mem);
		return;
	}
	if (memcmp(v6.s6_addr, mapped, sizeof(mapped)) == 0) {
		network_v4(client, v6.s6_addr + sizeof(mapped), mem);
		return;
	}
	inet_ntop(AF_INET6, &v6, text, sizeof(text));
	client->ip = text_of(arena_copy(mem, text, strlen(text)));
	memset(v6.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &v6, text, sizeof(text));
	client->network = text_of(arena_printf(mem, "%s/64", text));
}

/* "Application/JSON; charset=utf-8" -> "application/json" */
static struct text
type_read(struct text in, struct arena *mem)
{
	char *out;
	size_t n = 0;

	if (!in.s)
		return TEXT_NONE;
	out = arena_alloc(mem, in.n + 1);
	for (size_t i = 0; i < in.n && in.s[i] != ';'; i++)
		if (in.s[i] != ' ' && in.s[i] != '\t')
			out[n++] = (char)tolower((unsigned char)in.s[i]);
	return (struct text){ out, n };
}

/* "1700000000.123": seconds and milliseconds. 0 when it is something else. */
static int64_t
start_read(struct text in)
{
	int64_t ms = 0;
	size_t after = 0;
	bool dot = false;

	if (!in.s || in.n > 17)
		return 0;
	for (size_t i = 0; i < in.n; i++) {
		if (in.s[i] == '.' && !dot) {
			dot = true;
			continue;
		}
		if (!isdigit((unsigned char)in.s[i]))
			return 0;
		ms = ms * 10 + (in.s[i] - '0');
		after += dot;
	}
	return after == 3 && in.n <= 16 ? ms * 1000 : 0;
}

/* W3C Trace Context: 00-<32 hex>-<16 hex>-<2 hex>. */
static struct text
traceparent_read(struct text in)
{
	if (!in.s || in.n != TRACEPARENT_CHARS ||
	    strspn(in.s, "0123456789abcdef-") != in.n)
		return TEXT_NONE;
	return in;
}

/* REQUEST_URI is what the client sent: the query is cut off, then the path is
 * decoded, once. */
static int
uri_read(struct request *req, struct text uri, struct arena *mem)
{
	const char *question;

	if (!uri.s || uri.s[0] != '/')
		return E_BAD_REQUEST;
	if (uri.n > URI_MAX)
		return E_URI_LONG;
	question = memchr(uri.s, '?', uri.n);
	req->query = question ? text_of(question + 1) : TEXT("");
	if (question)
		uri.n = (size_t)(question - uri.s);
	for (size_t i = 0; i + 2 < uri.n; i++)
		if (uri.s[i] == '%' && uri.s[i + 1] == '2' &&
		    (uri.s[i + 2] | 0x20) == 'f')
			return E_BAD_REQUEST;
	return percent_decode(mem, uri, false, &req->path) ? 0 :
	    E_BAD_REQUEST;
}

int
request_read(struct request *req, struct client *client, struct fcgi *fcgi,
    struct arena *mem)
{
	struct text v[PARAM__MAX] = { 0 };
	bool twice[PARAM__MAX] = { false };

	*req = (struct request){ 0 };
	*client = (struct client){ 0 };
	params_read(fcgi, v, twice);
	req->id = id_choose(v[REQUEST_ID], mem);
	req->method = method_read(v[METHOD]);
	client_address(client, v[REMOTE], mem);
	client->agent = agent_clean(v[AGENT], mem);
	client->request_id = req->id;
	req->type = type_read(v[TYPE], mem);
	req->accept = v[ACCEPT];
	req->accept_language = v[LANGUAGE];
	req->authorization = v[AUTHORIZATION];
	req->two_authorizations = twice[AUTHORIZATION] ||
	    is_joined(v[AUTHORIZATION]);
	req->api_key = v[API_KEY];
	req->cookie = v[COOKIE];
	req->two_cookies = twice[COOKIE];
	req->two_api_keys = twice[API_KEY] || is_joined(v[API_KEY]);
	req->if_match = v[IF_MATCH];
	req->if_none_match = v[IF_NONE_MATCH];
	req->traceparent = traceparent_read(v[TRACEPARENT]);
	req->started_us = start_read(v[START]);
	req->idempotency_key = v[IDEMPOTENCY];
	return uri_read(req, v[URI], mem);
}

/* -1: absent, -2: not a number that fits. */
static long
length_read(const char *s, size_t max)
{
	long n = 0;

	if (!s || !*s)
		return -1;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s) || (size_t)n > max)
			return isdigit((unsigned char)*s) ? n : -2;
		n = n * 10 + (*s - '0');
	}
	return n;
}

/* Read until `most` bytes or the end; the count, or -1. */
static ssize_t
body_fill(struct fcgi *fcgi, char *body, size_t n, size_t most)
{
	while (n < most) {
		const ssize_t got = fcgi_read(fcgi, body + n, most - n);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

int
request_read_body(struct request *req, struct fcgi *fcgi, struct arena *mem,
    size_t max)
{
	const long length = length_read(fcgi_param(fcgi, "CONTENT_LENGTH"),
	    max);
	size_t cap = length < 0 ? BODY_FIRST : (size_t)length;
	char *body, *more;
	ssize_t n;

	if (length == -2)
		return E_BAD_REQUEST;
	if (length > 0 && (size_t)length > max)
		return E_TOO_LARGE;
	body = arena_alloc(mem, cap + 1);
	n = body_fill(fcgi, body, 0, cap);
	/* Without a length, up to the end of the stream. */
	while (length < 0 && n == (ssize_t)cap && cap <= max) {
		more = arena_alloc(mem, 4 * cap + 1);
		memcpy(more, body, cap);
		body = more;
		n = body_fill(fcgi, body, cap, 4 * cap);
		cap *= 4;
	}
	if (n > 0 && (size_t)n > max)
		return E_TOO_LARGE;
	if (n < 0 || (length >= 0 && n != length))
		return E_BAD_REQUEST;
	req->body = (struct text){ body, (size_t)n };
	return 0;
}
