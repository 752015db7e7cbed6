/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the OpenAPI document says of limits in the headers of replies. */
#include "api/openapi_parts.h"

void
openapi_limits(struct buf *out)
{
	doc_raw(out, "RateLimit-Policy", "{\"$ref\":"
	    "\"#/components/headers/RateLimit-Policy\"}");
	doc_raw(out, "RateLimit", "{\"$ref\":"
	    "\"#/components/headers/RateLimit\"}");
}

void
openapi_headers(struct buf *out, const struct route *route)
{
	const bool etag = route->flags & ROUTE_ETAG;

	if (!etag && route->rate == RATE_NONE)
		return;
	doc_open(out, "headers", '{');
	if (etag)
		doc_raw(out, "ETag",
		    "{\"$ref\":\"#/components/headers/ETag\"}");
	if (route->rate != RATE_NONE)
		openapi_limits(out);
	doc_close(out, '}');
}

void
openapi_limit_headers(struct buf *out)
{
	doc_raw(out, "RateLimit-Policy", "{\"description\":\"The limits that "
	    "this request counted against: q requests in w seconds "
	    "(draft-ietf-httpapi-ratelimit-headers)\","
	    "\"schema\":{\"type\":\"string\"},"
	    "\"example\":\"\\\"user\\\";q=600;w=60\"}");
	doc_raw(out, "RateLimit", "{\"description\":\"What is left of each: r "
	    "requests; all of it again after t seconds, or with r=0 the next "
	    "one\",\"schema\":{\"type\":\"string\"},"
	    "\"example\":\"\\\"user\\\";r=598;t=1\"}");
}
