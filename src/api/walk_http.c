/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docketd --http: the walk as one file of requests for editors. */
#include "api/walk.h"

/* A variable of a reply is named after the request that got it. */
static void
filled_print(struct buf *out, struct text in, size_t at)
{
	struct text before, name, path;
	size_t i = 0;

	while (walk_variable_next(in, &i, &before, &name)) {
		const struct walk_step *from = walk_taker(name, at, &path);

		buf_text(out, before);
		buf_puts(out, "{{");
		if (from)
			buf_printf(out, "%s.response.body.$.%.*s", from->name,
			    TEXT_FMT(path));
		else
			buf_text(out, name);
		buf_puts(out, "}}");
	}
	buf_text(out, before);
}

static void
head_print(struct buf *out)
{
	buf_puts(out, "# Docket's interface, one request after the other. Made "
	    "by docketd --http.\n#\n# For the REST Client of VS Code and "
	    "whatever reads the same form: \"Send Request\"\n# above each, from "
	    "the first to the last or as needed.\n\n");
	for (size_t i = 0; i < walk_n_variables; i++) {
		const struct walk_variable *variable = &walk_variables[i];

		buf_printf(out, "# %s\n@%s = %s\n", variable->words,
		    variable->name, variable->value);
	}
}

static void
section_print(struct buf *out, const struct walk_step *section)
{
	buf_printf(out, "\n### ---- %s ----\n# %s\n", section->name,
	    section->body);
}

static void
bearer_print(struct buf *out, const char *variable, size_t at)
{
	struct text path;
	const struct walk_step *from = walk_taker(text_of(variable), at,
	    &path);

	if (from)
		buf_printf(out, "Authorization: Bearer "
		    "{{%s.response.body.$.%.*s}}\n", from->name,
		    TEXT_FMT(path));
}

static void
request_print(struct buf *out, const struct walk *walk, size_t at)
{
	const struct walk_step *step = walk->step;

	buf_printf(out, "\n### %s\n# Answers %d.\n# @name %s\n",
	    walk->route->summary, walk->route->status, step->name);
	buf_printf(out, "%s {{baseUrl}}", method_names[walk->route->method]);
	filled_print(out, buf_view(&walk->path), at);
	if (*step->query)
		buf_printf(out, "?%s", step->query);
	buf_putc(out, '\n');
	if (walk->bearer)
		bearer_print(out, walk->bearer, at);
	if (walk->type) {
		buf_printf(out, "Content-Type: %s\n\n", walk->type);
		filled_print(out, buf_view(&walk->body), at);
	}
}

int
walk_print_http(struct buf *out, const struct routes *routes)
{
	int faults = 0;

	head_print(out);
	for (size_t at = 0; at < walk_n_steps; at++) {
		struct walk walk;

		faults += walk_begin(routes, at, &walk);
		if (walk.route)
			request_print(out, &walk, at);
		else if (!walk.step->operation)
			section_print(out, walk.step);
		walk_done(&walk);
	}
	return faults;
}
