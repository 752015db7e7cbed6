/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Path and method -> route row, by a scan over the table. */
#include "web/router.h"

#include <stdio.h>

#include "base/error.h"

const char *const method_names[METHOD__MAX] = {
	[GET] = "GET",
	[POST] = "POST",
	[PUT] = "PUT",
	[PATCH] = "PATCH",
	[DELETE] = "DELETE",
};

/* A path has at most so many segments; longer ones match nothing. */
#define SEGMENTS_MAX 16

/* Where a segment that starts at s (behind its slash) ends. */
static const char *
segment_end(const char *s, const char *end)
{
	const char *slash = memchr(s, '/', (size_t)(end - s));

	return slash ? slash : end;
}

/*
 * Does `path` fit the template? ret_literal: a bit for each literal segment,
 * the first one highest, so that a greater number is a more literal path.
 */
static bool
path_fits(const char *template, struct text path, struct text *params,
    unsigned *ret_literal)
{
	const char *t = template, *t_end = template + strlen(template);
	const char *p = path.s, *p_end = path.s + path.n;
	unsigned bit = 1u << SEGMENTS_MAX;
	size_t n_params = 0;

	*ret_literal = 0;
	while (t < t_end && p < p_end && *t == '/' && *p == '/' && bit) {
		const char *t_stop = segment_end(++t, t_end);
		const char *p_stop = segment_end(++p, p_end);
		const size_t n = (size_t)(p_stop - p);

		if (*t == '{') {
			if (n == 0 || n_params == ROUTE_PARAMS_MAX)
				return false;
			params[n_params++] = (struct text){ p, n };
		} else if ((size_t)(t_stop - t) != n || memcmp(t, p, n) != 0) {
			return false;
		} else {
			*ret_literal |= bit;
		}
		bit >>= 1;
		t = t_stop;
		p = p_stop;
	}
	return t == t_end && p == p_end;
}

static int
method_of(struct text method)
{
	for (int m = 0; m < METHOD__MAX; m++)
		if (text_is(method, method_names[m]))
			return m;
	return -1;
}

const char *const router_methods[ROUTER_METHODS] = {
	[GET] = "GET",
	[POST] = "POST",
	[PUT] = "PUT",
	[PATCH] = "PATCH",
	[DELETE] = "DELETE",
	[METHOD__MAX] = "HEAD",
	[METHOD__MAX + 1] = "OPTIONS",
	[METHOD__MAX + 2] = "other",
};

size_t
router_method(struct text method)
{
	size_t i = 0;

	while (i < ROUTER_METHODS - 1 && !text_is(method, router_methods[i]))
		i++;
	return i;
}

/* "DELETE, GET, HEAD, OPTIONS", in alphabetical order. */
static struct text
allow_print(unsigned methods, struct arena *mem)
{
	const struct {
		const char *name;
		bool on;
	} list[] = {
		{ "DELETE", methods >> DELETE & 1 },
		{ "GET", methods >> GET & 1 },
		{ "HEAD", methods >> GET & 1 },
		{ "OPTIONS", true },
		{ "PATCH", methods >> PATCH & 1 },
		{ "POST", methods >> POST & 1 },
		{ "PUT", methods >> PUT & 1 },
	};
	char *out = arena_alloc(mem, 64);
	int n = 0;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].on)
			n += snprintf(out + n, 64 - (size_t)n, "%s%s",
			    n ? ", " : "", list[i].name);
	return (struct text){ out, (size_t)n };
}

int
router_match(const struct routes *routes, struct text method,
    struct text path, struct arena *mem, struct match *ret)
{
	unsigned best = 0, literal, methods = 0;
	int wanted;

	*ret = (struct match){
		.head = text_is(method, "HEAD"),
		.options = text_is(method, "OPTIONS"),
	};
	wanted = ret->head ? GET : method_of(method);
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *route = &routes->v[i];
		struct text params[ROUTE_PARAMS_MAX] = { 0 };

		if (!path_fits(route->path, path, params, &literal) ||
		    (methods && literal < best))
			continue;
		if (literal > best) {
			methods = 0;
			ret->route = NULL;
		}
		best = literal;
		methods |= 1u << route->method;
		if ((int)route->method == wanted) {
			ret->route = route;
			memcpy(ret->params, params, sizeof(params));
		}
	}
	if (!methods)
		return E_NOT_FOUND;
	if (ret->route)
		return 0;
	ret->allow = allow_print(methods, mem);
	return ret->options ? 0 : E_METHOD;
}

bool
router_slash(const struct routes *routes, struct text path, unsigned hidden)
{
	struct text params[ROUTE_PARAMS_MAX];
	unsigned literal;

	if (path.n < 2 || path.s[--path.n] != '/')
		return false;
	for (size_t i = 0; i < routes->n; i++)
		if (!(routes->v[i].flags & hidden) &&
		    path_fits(routes->v[i].path, path, params, &literal))
			return true;
	return false;
}
