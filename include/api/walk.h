/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A walk through the interface (tbl/walk.h) as files for other programs. */
#ifndef DOCKET_API_WALK_H
#define DOCKET_API_WALK_H

#include "base/buf.h"
#include "web/route.h"

/*
 * docketd --http: for editors, in the form of the VS Code REST Client (`###`
 * between requests, `# @name`, {{name.response.body.$.path}}).
 * docketd --postman: a Postman collection, v2.1.
 *
 * Both tell stderr of each row that fits no route, names no member of its
 * body, has no value or a variable that no earlier step sets; how many.
 */
int walk_print_http(struct buf *out, const struct routes *routes);
int walk_print_postman(struct buf *out, const struct routes *routes);

/* ---- inside ---- */

struct walk_variable {
	const char *name, *value, *words;
};

/* A section has no operation: name is its title, body its words. */
struct walk_step {
	const char *operation, *name, *part, *query, *body, *takes;
};

extern const struct walk_variable walk_variables[];
extern const size_t walk_n_variables;
extern const struct walk_step walk_steps[];
extern const size_t walk_n_steps;

/* One step, made ready to print. */
struct walk {
	const struct walk_step *step;
	const struct route *route;
	const char *type;	/* of the body, or NULL for none */
	const char *bearer;	/* the variable that holds it, or NULL */
	struct buf path;	/* with its {part} filled in; a NUL follows */
	struct buf body;
};

/* walk_done belongs to each, whatever it says; how many faults. */
int walk_begin(const struct routes *routes, size_t at, struct walk *ret);
void walk_done(struct walk *walk);

/* What is left of "a|b|c"; false at its end. */
bool walk_next(const char **list, char between, struct text *ret);
/* "name=value" apart; value.s is NULL without a "=". */
void walk_apart(struct text one, struct text *ret_name,
    struct text *ret_value);
/* The latest step before `at` that takes the variable, with the path that it
 * is at in the reply; NULL: none does. */
const struct walk_step *walk_taker(struct text variable, size_t at,
    struct text *ret_path);
/* The {{variable}} at or behind *at; false: no more. */
bool walk_variable_next(struct text in, size_t *at, struct text *ret_before,
    struct text *ret_name);

#endif
