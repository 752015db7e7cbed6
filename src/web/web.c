/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A worker's web room: made once, then one request after another. */
#include "web/web.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "web/api_key.h"
#include "web/call.h"
#include "web/dispatch.h"
#include "web/reply.h"
#include "web/router.h"
#include "web/stream.h"

#define ARENA_FIRST (64 * 1024)
#define OUT_KEEP (256 * 1024)

struct web {
	struct app app;
	void (*alive)(void *);
	void *alive_arg;
	struct arena *mem;
	struct buf out;
};

/* One purpose, one key: a leak of one says nothing of the others. */
static int
web_keys(struct app *app)
{
	struct secret master;
	int r;

	if (secret_load("server.secret_file",
	    app->settings->server_secret_file, stderr, &master))
		return -EINVAL;
	if ((r = crypto_derive(&master, "cursor", &app->key_cursor)) == 0 &&
	    (r = crypto_derive(&master, "otp", &app->key_otp)) == 0 &&
	    (r = crypto_derive(&master, "refresh", &app->key_refresh)) == 0 &&
	    (r = crypto_derive(&master, "seal", &app->key_seal)) == 0 &&
	    (r = crypto_derive(&master, "pass", &app->key_pass)) == 0)
		r = crypto_derive(&master, "subject", &app->key_subject);
	secret_done(&master);
	return r;
}

static struct db *
web_db(const struct settings *settings)
{
	const long deadline = settings->server_deadline_ms;
	const long shed = settings->server_shed_ms;
	const struct db_config config = {
		.dsn = settings->database_dsn,
		.application = "docketd",
		.sets = store_statements,
		.n_sets = store_statements_n,
		.prepared = strcmp(settings->database_prepared, "off") != 0,
		.adapts = strcmp(settings->database_prepared, "auto") == 0,
		.deadline_ms = deadline,
		.lock_ms = settings->database_lock_ms,
		/* Who has waited as long as one may still gets this much. */
		.statement_ms = shed < deadline / 2 ? deadline - shed :
		    deadline / 2,
	};

	return db_new(&config);
}

struct web *
web_new(const struct web_config *config)
{
	struct web *web = calloc(1, sizeof(*web));

	if (!web)
		return NULL;
	web->app = (struct app){
		.settings = config->settings,
		.routes = config->routes,
		.gate = config->gate,
		.limiter = config->limiter,
		.member = config->member,
		.group = config->group,
		.metrics = config->metrics,
		.doing = config->doing,
		.look = config->look,
		.look_arg = config->look_arg,
		.openapi = config->openapi,
	};
	web->alive = config->alive;
	web->alive_arg = config->alive_arg;
	web->mem = arena_new(ARENA_FIRST);
	web->app.ring = token_ring_load("auth.key_file",
	    config->settings->auth_key_file, stderr);
	web->app.memo = token_memo_new();
	web->app.keys = key_memo_new();
	web->app.db = web_db(config->settings);
	if (!web->mem || !web->app.ring || !web->app.memo || !web->app.keys ||
	    !web->app.db || web_keys(&web->app)) {
		web_free(web);
		return NULL;
	}
	return web;
}

void
web_free(struct web *web)
{
	if (!web)
		return;
	db_free(web->app.db);
	token_ring_free(web->app.ring);
	token_memo_free(web->app.memo);
	key_memo_free(web->app.keys);
	secret_done(&web->app.key_cursor);
	secret_done(&web->app.key_otp);
	secret_done(&web->app.key_refresh);
	secret_done(&web->app.key_seal);
	secret_done(&web->app.key_subject);
	secret_done(&web->app.key_pass);
	arena_free(web->mem);
	buf_done(&web->out);
	free(web);
}

/* "-", or the id's characters and a NUL. */
static void
log_id(const struct uuid *id, char out[UUID_CHARS + 1])
{
	memcpy(out, "-", 2);
	if (uuid_is_nil(id))
		return;
	uuid_format(id, out);
	out[UUID_CHARS] = '\0';
}

#define REQUEST \
	"method=%.*s route=%s status=%d us=%lld ip=%.*s user=%s key=%s rid=%.*s"
#define REQUEST_VALUES \
	TEXT_FMT(call->req->method), \
	call->route ? call->route->operation : "-", status, \
	(long long)took_us, TEXT_FMT(call->client.ip), user, key, \
	TEXT_FMT(call->req->id)

static void
log_request(const struct call *call, int status, int64_t took_us)
{
	char user[UUID_CHARS + 1], key[UUID_CHARS + 1];

	if (!call->app->settings->server_log_requests)
		return;
	log_id(&call->who.user_id, user);
	log_id(&call->who.key_id, key);
	/* A key more where there is something to say of it. */
	if (call->req->traceparent.s)
		log_later(LOG_INFO, "request", REQUEST " trace=%.*s",
		    REQUEST_VALUES, TEXT_FMT(call->req->traceparent));
	else
		log_later(LOG_INFO, "request", REQUEST, REQUEST_VALUES);
}

/* Which of the kinds that metrics_new was told of: a row or its HEAD, or, of
 * no row, the method. */
static size_t
kind_of(const struct call *call, bool head)
{
	const struct routes *routes = &call->app->routes;

	if (call->route)
		return 2 * (size_t)(call->route - routes->v) + head;
	return 2 * routes->n + router_method(call->req->method);
}

static void
count_request(const struct call *call, const struct web_served *served,
    int64_t start)
{
	const int64_t handed = call->req->started_us;
	const struct metrics_request r = {
		.kind = kind_of(call, text_is(call->req->method, "HEAD")),
		.group = call->app->group,
		.status = served->status,
		.took_us = served->took_us,
		.queued_us = handed ? (start > handed ? start - handed : 0) :
		    -1,
	};

	metrics_request(&r);
}

static int
serve(struct call *call, struct fcgi *fcgi, bool *ret_fatal)
{
	struct match match = { 0 };
	bool head;
	int r, status;

	r = request_read(call->req, &call->client, fcgi, call->mem);
	if (r == 0)
		r = dispatch(call, fcgi, &match);
	/* Nothing that was begun and not committed outlives the request; what
	 * a stream reads from ends with it. */
	if (r == 0 && call->reply.stream)
		r = stream_begin(call);
	if (r || !call->reply.stream)
		db_rollback(call->app->db);
	head = match.head || text_is(call->req->method, "HEAD");
	status = reply_send(call, r, head, fcgi);
	db_rollback(call->app->db);
	/* However it showed, the next process has more memory than this one. */
	*ret_fatal = r == -ENOMEM || call->out->failed;
	return status;
}

/* Out of memory anywhere in the request: everything it had hangs on the arena,
 * so this is all there is to do. */
static int
serve_oom(struct web *web, const struct call *call, struct fcgi *fcgi)
{
	log_event(LOG_ERROR_, "out_of_memory", "action=recycle");
	db_rollback(web->app.db);
	if (!call || !call->streaming)
		return reply_bare(call, fcgi);
	fcgi_cut(fcgi);
	return 503;
}

void
web_serve(struct web *web, struct fcgi *fcgi, struct web_served *ret)
{
	const int64_t start = clock_real_us();
	struct request *volatile req = NULL;
	struct call *volatile call = NULL;
	jmp_buf oom;

	*ret = (struct web_served){ 0 };
	if (setjmp(oom) == 0) {
		arena_on_oom(web->mem, &oom);
		req = arena_alloc(web->mem, sizeof(*req));
		call = arena_alloc(web->mem, sizeof(*call));
		call->req = req;
		call->mem = web->mem;
		call->app = &web->app;
		call->out = &web->out;
		call->alive = web->alive;
		call->alive_arg = web->alive_arg;
		call->deadline_ms = clock_mono_ms() +
		    web->app.settings->server_deadline_ms;
		db_deadline(web->app.db, call->deadline_ms);
		ret->status = serve(call, fcgi, &ret->fatal);
		ret->took_us = clock_real_us() - start;
		count_request(call, ret, start);
		log_request(call, ret->status, ret->took_us);
	} else {
		ret->status = serve_oom(web, call, fcgi);
		ret->took_us = clock_real_us() - start;
		ret->fatal = true;
		if (call)
			count_request(call, ret, start);
	}
	arena_on_oom(web->mem, NULL);
	arena_reset(web->mem);
	buf_reset(&web->out, OUT_KEEP);
}

int
web_db_fd(const struct web *web)
{
	return db_fd(web->app.db);
}

uint32_t
web_db_events(const struct web *web)
{
	return db_events(web->app.db);
}

void
web_db_step(struct web *web)
{
	db_step(web->app.db);
}

int
web_db_tick_ms(const struct web *web)
{
	return db_tick_ms(web->app.db);
}

bool
web_db_ready(const struct web *web)
{
	return db_ready(web->app.db);
}
