/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tables of what is said of routes, and that they fit the routes. */
#include "api/operations.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define CODES(...) ((const int[]){ __VA_ARGS__, E_OK })
#define OPERATION(id, tag, flags, errors, words) \
	{ id, tag, flags, errors, words },
static const struct operation operations[] = {
#include "tbl/operations.h"
};
#undef OPERATION
#undef CODES

#define TAG(name, words) { name, words },
const struct tag operation_tags[] = {
#include "tbl/tags.h"
};
#undef TAG
const size_t operation_tags_n =
    sizeof(operation_tags) / sizeof(operation_tags[0]);

/* JSON is made of tokens that C reads too, so a row holds it as it is. */
#define EXAMPLE(id, side, name, summary, ...) \
	{ id, side, name, summary, #__VA_ARGS__ },
#define BODY true
#define REPLY false
const struct example operation_examples[] = {
#include "tbl/examples.h"
};
#undef EXAMPLE
#undef BODY
#undef REPLY
const size_t operation_examples_n =
    sizeof(operation_examples) / sizeof(operation_examples[0]);

static const struct operation *
operation_named(const char *id)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(operations[i].id, id) == 0)
			return &operations[i];
	return NULL;
}

/* The row that "GET /tasks" stands for. */
static const struct route *
canonical_of(const struct routes *routes, const char *canonical)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->v[i];
		const size_t n = strlen(method_names[r->method]);

		if (strncmp(canonical, method_names[r->method], n) == 0 &&
		    canonical[n] == ' ' &&
		    strcmp(canonical + n + 1, r->path) == 0)
			return r;
	}
	return NULL;
}

const struct operation *
operation_of(const struct routes *routes, const struct route *route)
{
	const struct operation *own = operation_named(route->operation);

	if (own || !route->canonical)
		return own;
	route = canonical_of(routes, route->canonical);
	return route ? operation_named(route->operation) : NULL;
}

const struct example *
example_next(const struct route *route, bool request,
    const struct example *last)
{
	const struct example *end = operation_examples + operation_examples_n;
	const struct example *e = last ? last + 1 : operation_examples;

	for (; e < end; e++)
		if (e->request == request &&
		    strcmp(e->id, route->operation) == 0)
			return e;
	return NULL;
}

/* ---- do the tables fit? ---- */

static int
complain(const char *id, const char *what)
{
	fprintf(stderr, "operation %s: %s\n", id, what);
	return 1;
}

static bool
is_route(const struct routes *routes, const char *id)
{
	for (size_t i = 0; i < routes->n; i++)
		if (strcmp(routes->v[i].operation, id) == 0)
			return true;
	return false;
}

static bool
is_tag(const char *name)
{
	for (size_t i = 0; i < operation_tags_n; i++)
		if (strcmp(operation_tags[i].name, name) == 0)
			return true;
	return false;
}

static int
rows_check(const struct routes *routes)
{
	int n = 0;

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	    i++) {
		const struct operation *op = &operations[i];

		if (!is_route(routes, op->id))
			n += complain(op->id, "words for no route");
		if (!is_tag(op->tag))
			n += complain(op->id, "a tag that is no row");
		if (operation_named(op->id) != op)
			n += complain(op->id, "comes twice");
		if (!op->words[0])
			n += complain(op->id, "no words");
	}
	return n;
}

static int
examples_check(const struct routes *routes)
{
	int n = 0;

	for (size_t i = 0; i < operation_examples_n; i++) {
		const struct example *e = &operation_examples[i];

		if (!is_route(routes, e->id))
			n += complain(e->id, "an example for no route");
		for (size_t k = 0; k < i; k++)
			if (strcmp(operation_examples[k].id, e->id) == 0 &&
			    strcmp(operation_examples[k].name, e->name) == 0 &&
			    operation_examples[k].request == e->request)
				n += complain(e->id, "an example's name twice");
	}
	return n;
}

int
operations_check(const struct routes *routes)
{
	int n = rows_check(routes) + examples_check(routes);

	for (size_t i = 0; i < routes->n; i++)
		if (!operation_of(routes, &routes->v[i]))
			n += complain(routes->v[i].operation,
			    "a route without words");
	return n;
}
