/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A request as it came: parameters, headers, path, query, body. */
#ifndef DOCKET_WEB_REQUEST_H
#define DOCKET_WEB_REQUEST_H

#include "base/arena.h"
#include "base/field.h"
#include "base/principal.h"
#include "base/text.h"
#include "web/route.h"

struct fcgi;

#define BODY_MAX (256 * 1024)
#define URI_MAX (8 * 1024)

struct request {
	struct text method;	/* "GET" */
	struct text path;	/* decoded once, "/tasks/0190..."; no query */
	struct text query;	/* raw, without "?" */
	struct text type;	/* Content-Type without parameters, lower case */
	struct text accept, accept_language;
	struct text authorization;
	struct text if_match, if_none_match;
	struct text idempotency_key;
	struct text traceparent;
	struct text id;		/* X-Request-Id when sane, else made */
	bool two_authorizations;	/* the header came more than once */
	struct text api_key;	/* X-API-Key */
	bool two_api_keys;
	struct text cookie;	/* Cookie: "a=1; b=2" */
	bool two_cookies;
	int64_t started_us;	/* nginx's clock at the hand-over, or 0 */
	struct text body;
};

/*
 * Read the parameters; the body stays unread. E_BAD_REQUEST for a path that
 * does not decode (bad %xx, NUL, invalid UTF-8) or holds an encoded slash (no
 * address of ours has one inside a segment); E_URI_LONG over URI_MAX. All but
 * path and query is set whatever is returned.
 */
int request_read(struct request *req, struct client *client, struct fcgi *fcgi,
    struct arena *mem);
/* Read the body: E_TOO_LARGE over max, E_BAD_REQUEST when it is cut. */
int request_read_body(struct request *req, struct fcgi *fcgi,
    struct arena *mem, size_t max);

/* Accept (RFC 9110 §12.5.1) lets JSON or a problem document through; absent =
 * anything. */
bool request_accepts_json(struct text accept);

/* Query or form (RFC 6749 appendix B) -> struct. Repeated or unknown names
 * are faults unless the fields are lenient, where a repeated known name is
 * still a fault. `prefix` is "?" for a query, "/" for a form. */
void request_decode_pairs(struct text pairs, const struct fields *fields,
    struct arena *mem, const char *prefix, void *object,
    struct faults *faults);

#endif
