/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The pipeline: from a request that was read to a result for reply.c. */
#include "web/dispatch.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/idempotency.h"
#include "store/sessions.h"
#include "web/access.h"
#include "web/held.h"
#include "web/json.h"
#include "web/limit.h"
#include "web/reply.h"
#include "web/shed.h"
#include "web/task_file.h"

static bool
has_body(const struct route *route)
{
	return route->body != &fields_none;
}

static bool
takes_file(const struct route *route)
{
	return route->flags & ROUTE_FILE && route->method == POST;
}

static size_t
body_max(const struct call *call)
{
	return takes_file(call->route) ?
	    (size_t)call->app->settings->tasks_import_kib * 1024 : BODY_MAX;
}

static int
check_type(const struct call *call)
{
	const struct text type = call->req->type;
	const unsigned flags = call->route->flags;

	if (takes_file(call->route))
		return task_format_of_type(type) == TASKS__MAX ? E_TYPE : 0;
	if (!has_body(call->route) || text_is(type, "application/json"))
		return 0;
	if (call->req->body.n == 0 && type.n == 0)
		return 0;
	if (flags & ROUTE_OAUTH &&
	    text_is(type, "application/x-www-form-urlencoded"))
		return 0;
	if (flags & ROUTE_MERGE &&
	    text_is(type, "application/merge-patch+json"))
		return 0;
	return E_TYPE;
}

static void
decode_body(struct call *call)
{
	const struct route *route = call->route;
	const struct request *req = call->req;
	struct text body = req->body;

	if (!has_body(route))
		return;
	call->body = arena_alloc(call->mem, route->body->size);
	if (text_is(req->type, "application/x-www-form-urlencoded")) {
		request_decode_pairs(body, route->body, call->mem, "/",
		    call->body, &call->faults);
		return;
	}
	if (body.n == 0 && route->flags & ROUTE_BODY_OPTIONAL)
		body = TEXT("{}");
	json_decode(body, route->body, call->mem, call->body, &call->faults);
}

static void
decode_query(struct call *call)
{
	const struct fields *query = call->route->query;

	if (query->size)
		call->query = arena_alloc(call->mem, query->size);
	request_decode_pairs(call->req->query, query, call->mem, "?",
	    call->query, &call->faults);
}

static int
decode(struct call *call, struct fcgi *fcgi)
{
	size_t of_query;
	int r;

	if (has_body(call->route) || takes_file(call->route)) {
		r = request_read_body(call->req, fcgi, call->mem,
		    body_max(call));
		if (r)
			return r;
	}
	r = check_type(call);
	if (r)
		return r;
	decode_query(call);
	of_query = call->faults.n;
	decode_body(call);
	if (call->faults.n == 0)
		return 0;
	/* A query that does not decode was no JSON to begin with. */
	return of_query == 0 && strcmp(call->faults.v[0].code, "syntax") == 0 ?
	    E_JSON : E_INVALID;
}

/* ---- Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) ---- */

static bool
key_sane(struct text key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.s[i] < '!' || key.s[i] > '~')
			return false;
	return key.n >= 1 && key.n <= 255;
}

/* All that decides what the request does: query, If-Match and body, each
 * ended by a NUL, which the first two cannot hold. */
static struct text
idem_input(struct call *call)
{
	const struct request *req = call->req;
	const struct text parts[] = { req->query, req->if_match, req->body };
	const size_t n = req->query.n + req->if_match.n + req->body.n + 3;
	char *all = arena_alloc(call->mem, n);
	char *at = all;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n)
			memcpy(at, parts[i].s, parts[i].n);
		at += parts[i].n + 1;
	}
	return (struct text){ all, n };
}

static int
idem_key(struct call *call, struct idem_key *ret)
{
	uint8_t *hash = arena_alloc(call->mem, CRYPTO_HASH);
	const struct request *req = call->req;
	const struct text all = idem_input(call);

	if (!key_sane(req->idempotency_key))
		return call_refuse(call, E_BAD_REQUEST,
		    "Idempotency-Key takes 1 to 255 visible characters.");
	ret->key = req->idempotency_key;
	ret->operation = text_of(arena_printf(call->mem, "%.*s %.*s",
	    TEXT_FMT(req->method), TEXT_FMT(req->path)));
	ret->fingerprint = (struct text){ (char *)hash, CRYPTO_HASH };
	return crypto_sha256(all.s, all.n, hash);
}

/* "Name: value\n" lines back into headers; the names are ours. */
static void
replay_headers(struct call *call, struct text lines)
{
	char *at = arena_copy(call->mem, lines.s, lines.n);
	char *line, *colon;

	while ((line = strsep(&at, "\n")) != NULL) {
		colon = strstr(line, ": ");
		if (!colon)
			continue;
		*colon = '\0';
		call_header(call, line, text_of(colon + 2));
	}
}

static int
replay(struct call *call, const struct idem_reply *stored)
{
	call->reply.status = (int)stored->status;
	call->reply.raw = stored->body;
	replay_headers(call, stored->headers);
	call_header(call, "Idempotency-Replayed", TEXT("true"));
	return 0;
}

static struct text
headers_text(struct call *call)
{
	const struct reply *reply = &call->reply;
	const char *lines = "";

	for (size_t i = 0; i < reply->n_headers; i++)
		lines = arena_printf(call->mem, "%s%s: %.*s\n", lines,
		    reply->headers[i].name, TEXT_FMT(reply->headers[i].value));
	return text_of(lines);
}

/* The reply is printed before the commit, so that effect and reply are stored
 * in one transaction. */
static int
handle_once(struct call *call)
{
	struct idem_reply stored = { 0 };
	struct idem_key key;
	int r;

	r = idem_key(call, &key);
	if (r)
		return r;
	r = store_idem_begin(call->app->db, call->mem, &call->who, &key,
	    &stored);
	if (r)
		return r;
	if (stored.replay)
		return replay(call, &stored);
	r = call->route->handler(call);
	if (r)
		return r;
	reply_print(call, 0);
	if (call->out->failed)
		return -ENOMEM;
	stored.status = call->reply.status;
	stored.headers = headers_text(call);
	stored.body = arena_text(call->mem, buf_view(call->out));
	call->reply.raw = stored.body;
	r = store_idem_commit(call->app->db, call->mem, &call->who, &key,
	    &stored);
	if (r)	/* what the handler said of a task that is not there */
		call->reply.n_headers = 0;
	return r;
}

static int
handle(struct call *call)
{
	if (call->route->flags & ROUTE_IDEMPOTENT &&
	    call->req->idempotency_key.s)
		return handle_once(call);
	return call->route->handler(call);
}

/* ---- the pipeline ---- */

static void
reply_begin(struct call *call)
{
	call->reply = (struct reply){
		.status = call->route->status,
		.only = FIELD_ALL,
	};
	call->faults.n = 0;
}

static int
find_nothing(struct call *call)
{
	const struct app *app = call->app;

	if (!router_slash(&app->routes, call->req->path,
	    app->settings->top_sample_routes ? 0 : ROUTE_SAMPLE))
		return E_NOT_FOUND;
	return call_refuse(call, E_NOT_FOUND, "There is nothing at this "
	    "address; without the slash at its end there is.");
}

static int
find(struct call *call, struct match *ret)
{
	const struct app *app = call->app;
	int r;

	r = router_match(&app->routes, call->req->method, call->req->path,
	    call->mem, ret);
	call->allow = ret->allow;
	if (r == E_NOT_FOUND)
		return find_nothing(call);
	if (r || ret->options)
		return r;
	if (ret->route->flags & ROUTE_SAMPLE && !app->settings->top_sample_routes)
		return E_NOT_FOUND;
	call->route = ret->route;
	if (app->doing)
		atomic_store_explicit(app->doing,
		    (int)(ret->route - app->routes.v), memory_order_relaxed);
	memcpy(call->params, ret->params, sizeof(call->params));
	reply_begin(call);
	return 0;
}

/* The key that the worker remembered has changed, or is no more: that is what
 * its session's end says. What has changed may do its work, once more. */
static int
renewed(struct call *call, int stale)
{
	int r;

	if (!access_is_stale(call, stale))
		return stale;
	db_rollback(call->app->db);
	if ((r = access_renew(call)) || (r = access_scope(call)))
		return r;
	reply_begin(call);
	r = handle(call);
	return access_is_stale(call, r) ? E_API_KEY : r;
}

static int
serve(struct call *call, struct fcgi *fcgi)
{
	int r;

	if (!(call->route->flags & (ROUTE_FILE | ROUTE_PLAIN)) &&
	    !request_accepts_json(call->req->accept))
		return E_ACCEPT;
	r = decode(call, fcgi);
	if (r)
		return r;
	return renewed(call, handle(call));
}

/* Does this refusal stand, or is the token dead, which matters more? */
static int
owed_check(struct call *call, int refusal)
{
	int r;

	if (call->route->access == ACCESS_PUBLIC ||
	    error_row(refusal)->status >= 500)
		return refusal;
	if (uuid_is_nil(&call->who.user_id))	/* an application, checked */
		return refusal;
	r = store_session_check(call->app->db, call->mem, &call->who);
	if (access_is_stale(call, r))
		r = access_renew(call);
	if (!r)
		return refusal;
	/* Nor does it say what the other one would have said. */
	call->faults.n = 0;
	call->reply = (struct reply){ 0 };
	return r;
}

int
dispatch(struct call *call, struct fcgi *fcgi, struct match *ret)
{
	const int64_t begun_ms = clock_mono_ms();
	unsigned long runs;
	bool held = false;
	int r;

	r = find(call, ret);
	if (r || ret->options)
		return r;
	if ((r = shed_check(call)))
		return r;
	/* The cheap limits come before whatever costs, the database first. */
	r = limit_check(call, access_check(call));
	if (r)
		return r;
	runs = db_runs(call->app->db);
	r = access_scope(call);
	if (r == 0)
		r = held_check(call, &held);
	if (r == 0) {
		r = serve(call, fcgi);
		held_note(call, held, r, begun_ms);
	}
	shed_note(call, r, begun_ms);
	if (r > 0 && db_runs(call->app->db) == runs)
		return owed_check(call, r);
	return r;
}
