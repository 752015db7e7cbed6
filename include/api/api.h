/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The API: its route table, and what the rows of it name. */
#ifndef DOCKET_API_API_H
#define DOCKET_API_API_H

#include "base/field.h"
#include "web/route.h"

extern const struct routes api_routes;

/* Every handler and every field list of tbl/routes.h, so that a row whose
 * parts are missing does not link. */
#define ROUTE(method, path, canonical, access, scope, tx, group, flags, \
    body, query, status, reply, rate, handler, operation, summary) \
	int handler(struct call *call); \
	extern const struct fields body, query, reply;
#include "tbl/routes.h"
#undef ROUTE

#endif
