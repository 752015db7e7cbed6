/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Path and method -> route row. */
#ifndef DOCKET_WEB_ROUTER_H
#define DOCKET_WEB_ROUTER_H

#include "base/arena.h"
#include "base/text.h"
#include "web/route.h"

struct match {
	const struct route *route;
	struct text params[ROUTE_PARAMS_MAX];	/* of the {parts}, in order */
	struct text allow;	/* "GET, HEAD, OPTIONS, POST" of the path */
	bool head, options;
};

/*
 * The most literal path wins; then the method among its rows. 0; E_NOT_FOUND;
 * E_METHOD with ret->allow set. OPTIONS and HEAD are set in ret; OPTIONS has
 * no route. A trailing slash is another path.
 */
int router_match(const struct routes *routes, struct text method,
    struct text path, struct arena *mem, struct match *ret);

/* Would there be something without the slash at its end? One address has one
 * spelling; who has learnt another is told the right one rather than sent
 * there, which would cost every request twice. Rows with a flag of `hidden`
 * are not told of. */
bool router_slash(const struct routes *routes, struct text path,
    unsigned hidden);

/* What a request without a row is counted as: a method of the table's, HEAD,
 * OPTIONS, or any other. */
#define ROUTER_METHODS (METHOD__MAX + 3)
extern const char *const router_methods[ROUTER_METHODS];
size_t router_method(struct text method);

/* Two rows with one method and path, a path nobody can reach, a missing
 * column: printed to stderr; how many. Run by --check and a unit test. */
int router_check(const struct routes *routes);

#endif
