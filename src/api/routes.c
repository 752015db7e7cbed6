/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The route table as data. */
#include "api/api.h"

static const struct route rows[] = {
#define ROUTE(method, path, canonical, access, scope, tx, group, flags, \
    body, query, status, reply, rate, handler, operation, summary) \
	{ method, path, canonical, access, scope, tx, group, flags, \
	  &(body), &(query), status, &(reply), rate, handler, operation, \
	  summary },
#include "tbl/routes.h"
#undef ROUTE
};

const struct routes api_routes = { rows, sizeof(rows) / sizeof(rows[0]) };
