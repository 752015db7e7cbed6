/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside core's splitter: what its forms share. */
#ifndef DOCKET_CORE_SPLIT_LOOK_H
#define DOCKET_CORE_SPLIT_LOOK_H

#include "core/split.h"

/* A look at the window; `at` is what has been used of it. */
struct look {
	struct split *s;
	struct text w;
	bool last;
	size_t at;
	const char *why;
};

/* Done with all that is before `to`: its lines are counted. */
void look_use(struct look *l, size_t to);
enum split_found look_bad(struct look *l, const char *why);
/* The record from `at` to `end`; `next` is where the one after it begins. */
enum split_found look_give(struct look *l, size_t end, size_t next,
    struct split_record *ret);

/* split_json.c */
enum split_found split_json(struct look *l, struct split_record *ret);

#endif
