/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From what the handler decided to the bytes of a CGI response. */
#include "web/reply.h"

#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "web/etag.h"
#include "web/fcgi.h"
#include "web/limit.h"
#include "web/problem.h"
#include "web/stream.h"

/* What call->out keeps from one request to the next. */
#define OUT_KEEP (256 * 1024)
/* Since when the aliases are deprecated: 2025-01-01 (RFC 9745). */
#define DEPRECATED "@1735689600"

/* One reply on its way out. */
struct send {
	struct call *call;
	enum error error;
	int status;
	bool head;		/* the request was HEAD */
	struct text etag;	/* none, or with its quotes */
	size_t body;		/* bytes of the body, before the header */
};

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

static const char *
phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Other";
}

/* Flags of the route, none for an address that matched nothing. */
static unsigned
flags_of(const struct call *call)
{
	return call->route ? call->route->flags : 0;
}

static void
header(struct buf *out, const char *name, struct text value)
{
	buf_puts(out, name);
	buf_puts(out, ": ");
	/* Nothing that came from outside may end the line. */
	for (size_t i = 0; i < value.n; i++) {
		const unsigned char c = (unsigned char)value.s[i];

		buf_putc(out, c < 0x20 || c == 0x7f ? ' ' : (char)c);
	}
	buf_puts(out, "\r\n");
}

static int
success_status(const struct call *call)
{
	if (call->reply.status)
		return call->reply.status;
	return call->route ? call->route->status : 204;
}

static void
success_print(struct call *call)
{
	const struct reply *reply = &call->reply;

	if (success_status(call) == 204)
		return;
	if (reply->raw.s)
		buf_text(call->out, reply->raw);
	else if (call->route && call->route->reply && call->route->reply->n)
		field_print_json(call->out, call->route->reply, reply->object,
		    reply->only ? reply->only : FIELD_ALL);
	else
		buf_puts(call->out, "{}");
}

void
reply_print(struct call *call, int result)
{
	const enum error error = problem_error(call, result);

	buf_reset(call->out, OUT_KEEP);
	if (error)
		problem_print(call, error);
	else
		success_print(call);
}

/* What would have sufficed, or NULL. */
static const char *
scope_wanted(const struct send *send)
{
	const struct route *route = send->call->route;

	if (send->error == E_ROLE)
		return "admin";
	if (send->error == E_SCOPE && send->call->reply.lacks)
		return send->call->reply.lacks;
	return send->status == 403 && route ? route->scope : NULL;
}

/* RFC 6750 §3: the challenge, and why, when a bearer was sent. */
static void
challenge_print(const struct send *send, struct buf *out)
{
	const struct call *call = send->call;
	const char *why = NULL;
	struct text words;

	switch (send->error) {
	case E_TOKEN: case E_TOKEN_REVOKED: case E_USER_INACTIVE:
	case E_USER_DELETED:
		why = "invalid_token";
		break;
	case E_ROLE: case E_SCOPE:
		why = "insufficient_scope";
		break;
	default:
		if (send->status != 401)
			return;
	}
	buf_puts(out, "WWW-Authenticate: Bearer realm=\"docket\"");
	/* RFC 6750 §3.1; an API key that lacks a scope is told of it too. */
	if (why && (call->req->authorization.s || send->error == E_SCOPE)) {
		words = problem_description(call->mem,
		    problem_detail(call, send->error));
		buf_printf(out, ", error=\"%s\", error_description=\"%.*s\"",
		    why, TEXT_FMT(words));
		if (scope_wanted(send))
			buf_printf(out, ", scope=\"%s\"", scope_wanted(send));
	}
	buf_puts(out, "\r\n");
}

/* Accept-Post (Linked Data Platform), Accept-Patch (RFC 5789), and Accept in
 * a reply (RFC 9110 §12.5.1) for the methods without one of their own. */
static void
accept_print(const struct call *call, struct buf *out)
{
	const unsigned flags = flags_of(call);
	const char *name = "Accept";

	if (call->route && call->route->method == POST)
		name = "Accept-Post";
	if (call->route && call->route->method == PATCH)
		name = "Accept-Patch";
	buf_printf(out, "%s: application/json%s%s%s\r\n", name,
	    flags & ROUTE_OAUTH ? ", application/x-www-form-urlencoded" : "",
	    flags & ROUTE_MERGE ? ", application/merge-patch+json" : "",
	    flags & ROUTE_FILE ? ", application/x-ndjson, text/csv, "
	    "text/calendar" : "");
}

static void
error_headers(const struct send *send, struct buf *out)
{
	const struct call *call = send->call;
	const long wait = call->reply.retry_after;

	challenge_print(send, out);
	if (send->status == 405)
		header(out, "Allow", call->allow);
	if (send->status == 415)
		accept_print(call, out);
	if (send->status == 503)
		buf_printf(out, "Retry-After: %ld\r\n", wait > 0 ? wait : 1);
	if (send->status == 429)
		buf_printf(out, "Retry-After: %ld\r\n", wait > 0 ? wait : 60);
}

static void
cache_headers(const struct send *send, struct buf *out)
{
	const unsigned flags = flags_of(send->call);
	const char *cache = "no-store";

	if (!send->error && flags & ROUTE_CACHED)
		cache = "private, no-cache";
	if (!send->error && flags & ROUTE_PUBLIC_CACHE)
		cache = "public, max-age=300";
	buf_printf(out, "Cache-Control: %s\r\n", cache);
	if (flags & ROUTE_OAUTH)	/* RFC 6749 §5.1 */
		buf_puts(out, "Pragma: no-cache\r\n");
	if (!(flags & ROUTE_PUBLIC_CACHE))
		buf_puts(out, "Vary: Authorization, X-API-Key\r\n");
}

/* RFC 9745 and RFC 5829: where the canonical row is. A {part} is the client's
 * to fill, so the link ends before it. */
static void
alias_headers(const struct call *call, struct buf *out)
{
	const char *path;
	size_t n;

	if (!call->route || !call->route->canonical)
		return;
	path = strchr(call->route->canonical, '/');
	if (!path)
		return;
	n = strcspn(path, "{");
	if (path[n] == '{' && n > 1)
		n--;
	buf_puts(out, "Deprecation: " DEPRECATED "\r\n");
	buf_printf(out, "Link: <%.*s>; rel=\"successor-version\"\r\n", (int)n,
	    path);
}

static bool
is_etag(const struct header *h)
{
	return strcasecmp(h->name, "ETag") == 0;
}

/* Nobody knows how long it will be: what stands in call->out is a part. */
static bool
goes_on(const struct send *send)
{
	return !send->error && send->call->reply.more;
}

static void
head_print(const struct send *send, struct buf *out)
{
	const struct call *call = send->call;
	const struct reply *reply = &call->reply;
	const char *type = send->error ? problem_type(call) :
	    reply->type ? reply->type : "application/json";

	buf_printf(out, "Status: %d %s\r\n", send->status,
	    phrase_of(send->status));
	if (send->status != 204 && send->status != 304)
		buf_printf(out, "Content-Type: %s\r\n", type);
	if (send->status != 204 && send->status != 304 && !goes_on(send))
		buf_printf(out, "Content-Length: %zu\r\n", send->body);
	header(out, "X-Request-Id", call->req->id);
	cache_headers(send, out);
	if (send->etag.s)
		header(out, "ETag", send->etag);
	for (size_t i = 0; i < reply->n_headers; i++)
		if (!send->etag.s || !is_etag(&reply->headers[i]))
			header(out, reply->headers[i].name,
			    reply->headers[i].value);
	alias_headers(call, out);
	limit_headers(call, send->error, out);
	if (send->error)
		error_headers(send, out);
	else if (!call->route && call->allow.s)
		header(out, "Allow", call->allow);
	buf_puts(out, "\r\n");
}

/* The handler's own tag, else one of the bytes; a match empties the reply. */
static void
etag_decide(struct send *send)
{
	const struct call *call = send->call;
	const struct reply *reply = &call->reply;

	if (send->error || send->status != 200 || !call->route ||
	    call->route->method != GET || reply->stream)
		return;
	for (size_t i = 0; i < reply->n_headers; i++)
		if (is_etag(&reply->headers[i]))
			send->etag = reply->headers[i].value;
	if (!send->etag.s && call->route->flags & ROUTE_ETAG &&
	    etag_of(call->mem, buf_view(call->out), &send->etag))
		return;	/* a reply without a tag is still a reply */
	if (send->etag.s && etag_listed(call->req->if_none_match, send->etag))
		send->status = 304;
}

static void
fault_log(const struct call *call, int result)
{
	log_event(LOG_ERROR_, "fault",
	    "request=%.*s operation=%s code=%d why=\"%s\"",
	    TEXT_FMT(call->req->id),
	    call->route ? call->route->operation : "-", result,
	    result < 0 ? strerror(-result) : error_row(result)->name);
}

/* The body stands in call->out; the header is put behind it and goes first.
 * libfcgi gathers both into its own buffer, so two writes are one record. */
static bool
send_write(struct send *send, struct fcgi *fcgi)
{
	struct buf *out = send->call->out;
	const bool bare = send->head || send->status == 204 ||
	    send->status == 304;

	head_print(send, out);
	if (out->failed)
		return false;
	fcgi_write(fcgi, out->p + send->body, out->n - send->body);
	if (!bare)
		fcgi_write(fcgi, out->p, send->body);
	if (!bare && goes_on(send))
		stream_run(send->call, fcgi);
	return true;
}

/* What fits in `out` of the one reply that needs no memory; the id may hold
 * what request.c lets pass, and that needs no escape. */
static int
bare_print(const struct call *call, struct text id, char *out, size_t size)
{
	const struct error_row *row = error_row(E_MEMORY);

	if (call && flags_of(call) & ROUTE_OAUTH)
		return snprintf(out, size,
		    "{\"error\":\"%s\",\"error_description\":\"%s\"}",
		    row->oauth, row->detail);
	return snprintf(out, size, "{\"type\":\"/problems/%s\","
	    "\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\","
	    "\"instance\":null,\"code\":\"%s\",\"message\":\"%s\","
	    "\"errors\":[],\"request_id\":\"%.*s\"}", row->code, row->title,
	    row->status, row->detail, row->code, row->detail, TEXT_FMT(id));
}

int
reply_bare(const struct call *call, struct fcgi *fcgi)
{
	const struct text id = call && call->req->id.s ? call->req->id :
	    TEXT("-");
	char head[512], body[1024];
	int n = bare_print(call, id, body, sizeof(body));
	int m = snprintf(head, sizeof(head),
	    "Status: 503 Service Unavailable\r\n"
	    "Content-Type: %s\r\nContent-Length: %d\r\n"
	    "X-Request-Id: %.*s\r\n"
	    "Cache-Control: no-store\r\nVary: Authorization, X-API-Key\r\n"
	    "Retry-After: 1\r\n\r\n",
	    call ? problem_type(call) : "application/problem+json", n,
	    TEXT_FMT(id));

	fcgi_write(fcgi, head, (size_t)m);
	fcgi_write(fcgi, body, (size_t)n);
	return 503;
}

int
reply_send(struct call *call, int result, bool head, struct fcgi *fcgi)
{
	struct send send = {
		.call = call,
		.head = head,
	};

	send.error = problem_error(call, result);
	if (send.error == E_INTERNAL || result < 0)
		fault_log(call, result);
	if (send.error || !call->reply.stream)
		reply_print(call, result);
	send.status = send.error ? error_row((int)send.error)->status :
	    success_status(call);
	send.body = call->out->n;
	if (call->out->failed)
		return reply_bare(call, fcgi);
	etag_decide(&send);
	return send_write(&send, fcgi) ? send.status : reply_bare(call, fcgi);
}
