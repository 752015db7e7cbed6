/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The rows of the walk through the interface, made into requests. */
#include "api/walk.h"

#include <stdio.h>
#include <string.h>

#include "web/task_file.h"

const struct walk_variable walk_variables[] = {
#define VARIABLE(name, value, words) { #name, value, words },
#define SECTION(title, words)
#define STEP(operation, name, part, query, body, takes)
#include "tbl/walk.h"
#undef VARIABLE
#undef SECTION
#undef STEP
};
const size_t walk_n_variables =
    sizeof(walk_variables) / sizeof(walk_variables[0]);

const struct walk_step walk_steps[] = {
#define VARIABLE(name, value, words)
#define SECTION(title, words) { NULL, title, "", "", words, "" },
#define STEP(operation, name, part, query, body, takes) \
	{ operation, name, part, query, body, takes },
#include "tbl/walk.h"
#undef VARIABLE
#undef SECTION
#undef STEP
};
const size_t walk_n_steps = sizeof(walk_steps) / sizeof(walk_steps[0]);

/* ---- the small languages of the columns ---- */

bool
walk_next(const char **list, char between, struct text *ret)
{
	const char *end;

	if (**list == '\0')
		return false;
	end = strchr(*list, between);
	*ret = (struct text){ *list, end ? (size_t)(end - *list) :
	    strlen(*list) };
	*list += ret->n + (end != NULL);
	return true;
}

void
walk_apart(struct text one, struct text *ret_name, struct text *ret_value)
{
	const char *equals = memchr(one.s, '=', one.n);

	*ret_name = one;
	*ret_value = TEXT_NONE;
	if (!equals)
		return;
	ret_name->n = (size_t)(equals - one.s);
	*ret_value = (struct text){ equals + 1, one.n - ret_name->n - 1 };
}

bool
walk_variable_next(struct text in, size_t *at, struct text *ret_before,
    struct text *ret_name)
{
	const char *from = in.s + *at, *open, *close;
	const size_t left = in.n - *at;

	open = memmem(from, left, "{{", 2);
	close = open ? memmem(open, left - (size_t)(open - from), "}}", 2) :
	    NULL;
	if (!close) {
		*ret_before = (struct text){ from, left };
		return false;
	}
	*ret_before = (struct text){ from, (size_t)(open - from) };
	*ret_name = (struct text){ open + 2, (size_t)(close - open) - 2 };
	*at = (size_t)(close + 2 - in.s);
	return true;
}

const struct walk_step *
walk_taker(struct text variable, size_t at, struct text *ret_path)
{
	struct text one, name;

	while (at-- > 0) {
		const char *takes = walk_steps[at].takes;

		while (walk_next(&takes, '|', &one)) {
			walk_apart(one, &name, ret_path);
			if (text_equal(name, variable))
				return &walk_steps[at];
		}
	}
	return NULL;
}

/* ---- one request ---- */

static int
complain(const struct walk_step *step, const char *what, struct text of)
{
	fprintf(stderr, "docketd: walk: %s: %s: %.*s\n", step->name, what,
	    TEXT_FMT(of));
	return 1;
}

static const struct route *
route_of(const struct routes *routes, const char *operation)
{
	for (size_t i = 0; i < routes->n; i++)
		if (strcmp(routes->v[i].operation, operation) == 0)
			return &routes->v[i];
	return NULL;
}

/* {part} becomes what the row says. */
static void
path_print(struct walk *walk)
{
	const char *path = walk->route->path;
	const size_t n = strcspn(path, "{");

	buf_put(&walk->path, path, n);
	if (path[n]) {
		buf_puts(&walk->path, walk->step->part);
		buf_puts(&walk->path, strchr(path, '}') + 1);
	}
	buf_putc(&walk->path, '\0');
	walk->path.n -= !walk->path.failed;
}

/* One that says its own value. */
static void
value_print(struct buf *out, struct text value)
{
	const char first = value.n > 0 ? value.s[0] : '\0';

	/* {{x}} is text; so far nothing else begins with a brace. */
	if (first == '[')
		buf_text(out, value);
	else
		buf_json(out, value);
}

static int
member_print(struct walk *walk, struct text one)
{
	const struct fields *fields = walk->route->body;
	struct text name, value;
	int row;

	walk_apart(one, &name, &value);
	row = field_find(fields, name);
	if (row < 0)
		return complain(walk->step, "no such member", name);
	if (!value.s && !fields->v[row].example)
		return complain(walk->step, "has no example", name);
	buf_puts(&walk->body, walk->body.n > 1 ? ",\n  " : "\n  ");
	buf_json(&walk->body, name);
	buf_puts(&walk->body, ": ");
	if (value.s)
		value_print(&walk->body, value);
	else
		buf_puts(&walk->body, fields->v[row].example);
	return 0;
}

static int
body_print(struct walk *walk)
{
	const char *list = walk->step->body;
	struct text one;
	int faults = 0;

	if (*list == '\0')
		return 0;
	if (walk->route->flags & ROUTE_FILE) {
		walk->type = task_formats[TASKS_NDJSON].type;
		buf_puts(&walk->body, list);
		return 0;
	}
	walk->type = "application/json";
	buf_putc(&walk->body, '{');
	while (walk_next(&list, '|', &one))
		faults += member_print(walk, one);
	buf_puts(&walk->body, "\n}\n");
	return faults;
}

static bool
is_known(struct text name, size_t at)
{
	struct text path;

	for (size_t i = 0; i < walk_n_variables; i++)
		if (text_is(name, walk_variables[i].name))
			return true;
	return walk_taker(name, at, &path);
}

/* Each variable is set before. */
static int
variables_check(const struct walk *walk, struct text in, size_t at)
{
	struct text before, name;
	size_t i = 0;
	int faults = 0;

	while (walk_variable_next(in, &i, &before, &name))
		if (!is_known(name, at))
			faults += complain(walk->step, "nobody sets", name);
	return faults;
}

static const char *
bearer_of(const struct route *route)
{
	switch (route->access) {
	case ACCESS_ADMIN:
	case ACCESS_ADMIN_OR_KEY:
		return "adminToken";
	case ACCESS_USER:
		return "token";
	default:
		return NULL;
	}
}

int
walk_begin(const struct routes *routes, size_t at, struct walk *ret)
{
	const struct walk_step *step = &walk_steps[at];
	int faults = 0;

	*ret = (struct walk){ .step = step };
	if (!step->operation)
		return 0;
	ret->route = route_of(routes, step->operation);
	if (!ret->route)
		return complain(step, "no such operation",
		    text_of(step->operation));
	ret->bearer = bearer_of(ret->route);
	if (ret->bearer && !is_known(text_of(ret->bearer), at))
		faults += complain(step, "nobody sets", text_of(ret->bearer));
	path_print(ret);
	faults += body_print(ret);
	if (ret->path.failed || ret->body.failed)
		return complain(step, "no memory", TEXT_NONE);
	faults += variables_check(ret, buf_view(&ret->path), at);
	return faults + variables_check(ret, buf_view(&ret->body), at);
}

void
walk_done(struct walk *walk)
{
	buf_done(&walk->path);
	buf_done(&walk->body);
}
