/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One request on its way through the pipeline: what a handler gets. */
#ifndef DOCKET_WEB_CALL_H
#define DOCKET_WEB_CALL_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/field.h"
#include "base/gate.h"
#include "base/limiter.h"
#include "base/principal.h"
#include "base/settings.h"
#include "core/token.h"
#include "store/db.h"
#include "web/request.h"
#include "web/route.h"

struct metrics;
struct web_worker;

/* What a worker has for as long as it lives. */
struct app {
	const struct settings *settings;
	struct routes routes;
	struct token_ring *ring;
	struct token_memo *memo;
	struct key_memo *keys;
	struct secret key_cursor, key_otp, key_refresh, key_seal, key_subject,
	    key_pass;
	struct db *db;
	struct gate *gate;
	struct limiter *limiter;
	unsigned member;	/* this worker's number at the gate */
	int group;
	struct metrics *metrics;	/* this and the next as in web/web.h */
	_Atomic int *doing;
	bool (*look)(const void *arg, size_t i, struct web_worker *ret);
	const void *look_arg;
	struct text openapi;	/* the document, made before the fork */
	int64_t stalled_us;	/* clock_real_us: when the database last let
				 * a request of ours run out of its time */
};

/* A limit that this request counted against, for RateLimit. */
struct limit {
	const char *name;
	int64_t quota, window;	/* requests, seconds */
	int64_t left, reset;	/* requests, seconds */
};

#define LIMITS_MAX 4
#define REPLY_HEADERS_MAX 12

struct header {
	const char *name;
	struct text value;
};

/* What the handler decided; reply.c turns it into bytes. */
struct reply {
	int status;		/* starts as the route's */
	const void *object;	/* printed by the route's reply fields */
	uint64_t only;		/* rows of the reply (FIELD_ALL) */
	struct text raw;	/* instead of object: ready JSON bytes */
	const char *type;	/* media type of raw; NULL = application/json */
	/* Instead of both: the next piece of a body of any length, into
	 * call->out; *ret_more: there is another. The first comes before the
	 * header; what goes wrong after it cuts the reply off, so that nobody
	 * takes a part for the whole. */
	int (*stream)(struct call *call, bool *ret_more);
	void *stream_arg;	/* the handler's own */
	bool more;		/* after the first piece */
	struct header headers[REPLY_HEADERS_MAX];
	size_t n_headers;
	const struct fields *extra;	/* an E_* answer's extra member: the */
	const void *extra_object;	/* resource as it stands now (412), */
	const char *extra_name;		/* under this name */
	const char *detail;	/* better words for an E_* answer, or NULL */
	const char *lacks;	/* the scope that an E_SCOPE answer is about;
				 * NULL = the route's */
	long retry_after;	/* seconds; 0 = the row's default */
};

struct call {
	struct arena *mem;
	struct app *app;
	const struct route *route;
	struct request *req;
	struct principal who;	/* set but for ACCESS_PUBLIC */
	bool by_key;		/* who is an API key's owner, no bearer's */
	bool key_known;		/* and that from the worker's memory */
	struct client client;
	struct text params[ROUTE_PARAMS_MAX];
	struct text allow;	/* methods of the path, for 405 and OPTIONS */
	void *body;		/* the struct that route->body describes */
	void *query;		/* likewise */
	struct faults faults;
	struct limit limits[LIMITS_MAX];
	size_t n_limits;
	struct reply reply;
	struct buf *out;	/* scratch for the reply's body */
	bool streaming;		/* a part of the reply has been sent */
	void (*alive)(void *);	/* to be told while one request takes long */
	void *alive_arg;
	int64_t deadline_ms;	/* clock_mono_ms when the time is up */
};

/* Add a reply header; the value is kept as is (static or in call->mem). */
void call_header(struct call *call, const char *name, struct text value);
/* An E_* answer with better words; returns error. */
int call_refuse(struct call *call, int error, const char *detail);
/* The same with Retry-After. */
int call_refuse_later(struct call *call, int error, long seconds);
/* A fault of an input member found by the handler; returns E_INVALID. */
int call_fault(struct call *call, const char *pointer, const char *code,
    const char *detail);
#endif
