/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What must hold for a route table, and for the field rows it points to. */
#include <stdio.h>

#include "web/router.h"

/* Field rows nest; a schema that contains itself would not end. */
#define NESTED_MAX 8

static int
complain(const struct route *route, const char *what)
{
	fprintf(stderr, "route %s %s: %s\n",
	    route->method < METHOD__MAX ? method_names[route->method] : "?",
	    route->path ? route->path : "?", what);
	return 1;
}

static int
complain_field(const struct route *route, const struct field *field,
    const char *what)
{
	fprintf(stderr, "route %s %s: field %s: %s\n",
	    method_names[route->method], route->path,
	    field->name ? field->name : "?", what);
	return 1;
}

static bool
name_is_plain(const char *s, size_t n)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return n > 0 && strspn(s, plain) >= n;
}

/* A segment is a plain name or a {name}; returns what is wrong, or NULL. */
static const char *
segment_check(const char *s, size_t n, size_t *parts)
{
	if (n > 2 && s[0] == '{' && s[n - 1] == '}') {
		if (++*parts > ROUTE_PARAMS_MAX)
			return "too many {parts}";
		s++;
		n -= 2;
	}
	return name_is_plain(s, n) ? NULL :
	    "nobody can reach this: an empty or odd segment";
}

static int
path_check(const struct route *route)
{
	const char *s = route->path, *wrong;
	size_t parts = 0;

	if (s[0] != '/')
		return complain(route, "a path begins with /");
	while (*s == '/') {
		const size_t n = strcspn(++s, "/");

		wrong = segment_check(s, n, &parts);
		if (wrong)
			return complain(route, wrong);
		s += n;
	}
	return 0;
}

/* /tasks/{id} and /tasks/{task} are one path. */
static bool
path_same(const char *a, const char *b)
{
	while (*a && *b) {
		if (*a != *b)
			return false;
		if (*a == '{') {
			a += strcspn(a, "/");
			b += strcspn(b, "/");
		} else {
			a++;
			b++;
		}
	}
	return *a == *b;
}

static int
columns_check(const struct route *r)
{
	int n = 0;

	if (r->access >= ACCESS__MAX)
		n += complain(r, "no access");
	if (!r->body || !r->query || !r->reply)
		n += complain(r, "no body, query or reply (fields_none?)");
	if (!r->handler)
		n += complain(r, "no handler");
	if (!r->operation || !r->operation[0])
		n += complain(r, "no operation id");
	if (!r->summary || !r->summary[0])
		n += complain(r, "no summary");
	if (r->status < 200 || r->status > 299)
		n += complain(r, "the status is not one of success");
	if (r->method == GET && r->body && r->body->n)
		n += complain(r, "a GET with a body");
	if (r->flags & ROUTE_MERGE && r->method != PATCH)
		n += complain(r, "ROUTE_MERGE is for PATCH");
	if (r->flags & ROUTE_ETAG && r->method != GET)
		n += complain(r, "ROUTE_ETAG is for GET");
	if (r->access == ACCESS_PUBLIC && r->scope)
		n += complain(r, "a public route needs no scope");
	return n;
}

static int fields_check(const struct route *route,
    const struct fields *fields, int depth);

static int
field_check_row(const struct route *route, const struct fields *fields,
    size_t i, int depth)
{
	const struct field *f = &fields->v[i];
	const bool nests = f->type == FIELD_OBJECT || f->type == FIELD_LIST;

	if (!f->name || f->type >= FIELD__MAX)
		return complain_field(route, f, "no name or type");
	if (f->type != FIELD_FIXED && f->offset >= fields->size)
		return complain_field(route, f, "outside its struct");
	if (f->type == FIELD_ENUM && !f->choices)
		return complain_field(route, f, "an enum without choices");
	if (f->type == FIELD_FIXED && !f->example)
		return complain_field(route, f, "fixed, but to what?");
	if (f->flags & FIELD_ALIAS && i == 0)
		return complain_field(route, f, "an alias of nothing");
	if (!nests)
		return 0;
	if (!f->sub)
		return complain_field(route, f, "no rows inside");
	return fields_check(route, f->sub, depth + 1);
}

static int
fields_check(const struct route *route, const struct fields *fields, int depth)
{
	int n = 0;

	if (!fields)
		return 0;
	if (fields->n > 64 || depth > NESTED_MAX)
		return complain(route, "more than 64 fields, or endless ones");
	for (size_t i = 0; i < fields->n; i++) {
		n += field_check_row(route, fields, i, depth);
		for (size_t k = 0; k < i; k++)
			if (fields->v[i].name && fields->v[k].name &&
			    strcmp(fields->v[i].name, fields->v[k].name) == 0)
				n += complain_field(route, &fields->v[i],
				    "twice in its object");
	}
	return n;
}

/* An alias names a row of this table. */
static int
canonical_check(const struct routes *routes, const struct route *route)
{
	const char *path = strchr(route->canonical, ' ');

	for (size_t i = 0; path && i < routes->n; i++) {
		const struct route *r = &routes->v[i];
		const char *name = method_names[r->method];
		const size_t n = strlen(name);

		if (!r->canonical && strcmp(r->path, path + 1) == 0 &&
		    (size_t)(path - route->canonical) == n &&
		    memcmp(route->canonical, name, n) == 0)
			return 0;
	}
	return complain(route, "an alias of no canonical row");
}

static int
twins_check(const struct routes *routes, size_t at)
{
	const struct route *route = &routes->v[at];
	int n = 0;

	for (size_t i = 0; i < at; i++) {
		const struct route *r = &routes->v[i];

		if (r->method == route->method &&
		    path_same(r->path, route->path))
			n += complain(route, "this method and path come twice");
		if (r->operation && route->operation &&
		    strcmp(r->operation, route->operation) == 0)
			n += complain(route, "this operation id comes twice");
	}
	return n;
}

int
router_check(const struct routes *routes)
{
	int n = 0;

	/* Without these two nothing else can be looked at. */
	for (size_t i = 0; i < routes->n; i++)
		if (!routes->v[i].path || routes->v[i].method >= METHOD__MAX)
			n += complain(&routes->v[i], "no method or path");
	if (n)
		return n;
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *route = &routes->v[i];

		n += path_check(route) + columns_check(route);
		n += fields_check(route, route->body, 0);
		n += fields_check(route, route->query, 0);
		n += fields_check(route, route->reply, 0);
		n += twins_check(routes, i);
		if (route->canonical)
			n += canonical_check(routes, route);
	}
	return n;
}
