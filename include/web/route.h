/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A route is one row; everything that is said of it is a column. */
#ifndef DOCKET_WEB_ROUTE_H
#define DOCKET_WEB_ROUTE_H

#include <stddef.h>

#include "base/field.h"

struct call;

enum method { GET, POST, PUT, PATCH, DELETE, METHOD__MAX };
/* HEAD runs GET's row without the body; OPTIONS is answered by the router. */

enum access {
	ACCESS_ADMIN,		/* a live session whose user has the role now */
	ACCESS_USER,		/* a live session, or a personal API key */
	ACCESS_ADMIN_OR_KEY,	/* an admin's session, or any API key at all,
				 * an application's too, alone: call->who is
				 * then nobody (a nil user_id), was checked
				 * already and goes into no statement */
	ACCESS_PUBLIC,		/* no bearer needed; one that is sent is parsed
				 * only by handlers that ask */
	ACCESS__MAX
};

/* What the handler does to the database; NONE touches it not at all. */
enum tx { TX_NONE, TX_READ, TX_WRITE };

/* Which worker group serves it; HASH for what computes password hashes. */
enum group { GROUP_MAIN, GROUP_HASH };

/* nginx's limit_req zone for the row; CHECK: limits.checks_user instead of
 * limits.requests_user. */
enum rate { RATE_API, RATE_AUTH, RATE_OTP, RATE_CHECK, RATE_NONE };

enum {
	ROUTE_OAUTH	= 1 << 0, /* RFC 6749 errors; form bodies are taken too */
	ROUTE_IDEMPOTENT = 1 << 1, /* honours Idempotency-Key */
	ROUTE_ETAG	= 1 << 2, /* ETag of the reply's bytes, If-None-Match */
	ROUTE_TASKS	= 1 << 3, /* a token whose user is gone: 404 (S3);
				   * auth.tasks_auth says what opens it */
	ROUTE_MERGE	= 1 << 4, /* takes application/merge-patch+json */
	ROUTE_CACHED	= 1 << 5, /* private, no-cache instead of no-store */
	ROUTE_PUBLIC_CACHE = 1 << 6, /* cacheable by anybody (openapi) */
	ROUTE_BODY_OPTIONAL = 1 << 7, /* an empty body is an empty object */
	ROUTE_SAMPLE	= 1 << 8, /* only with sample_routes = on */
	ROUTE_LOCAL	= 1 << 9, /* nginx hides it from the world */
	ROUTE_GATE	= 1 << 10, /* auth.gate_cookie stands in for a bearer */
	ROUTE_LANGUAGE	= 1 << 11, /* looks at Accept-Language */
	ROUTE_FILE	= 1 << 12, /* GET gives a file of tasks, whatever Accept
				   * says; POST takes one: the handler reads
				   * the body, of tasks.import_kib at most */
	ROUTE_PLAIN	= 1 << 13, /* replies with text of the handler's type,
				   * whatever Accept says */
};

struct route {
	enum method method;
	const char *path;	/* "/tasks/{id}"; a {part} is one segment */
	const char *canonical;	/* an alias: "POST /tasks"; else NULL */
	enum access access;
	const char *scope;	/* what token and API key must be good for;
				 * NULL = anything, but no API key opens it
				 * (ACCESS_ADMIN_OR_KEY aside) */
	enum tx tx;
	enum group group;
	unsigned flags;
	const struct fields *body;
	const struct fields *query;
	int status;		/* of success */
	const struct fields *reply;
	enum rate rate;
	int (*handler)(struct call *call);
	const char *operation;	/* operationId, unique */
	const char *summary;
};

#define ROUTE_PARAMS_MAX 2

struct routes {
	const struct route *v;
	size_t n;
};

extern const char *const method_names[METHOD__MAX];

#endif
