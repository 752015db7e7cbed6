/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Names that stand twice in one import file. */
#include <search.h>
#include <stdlib.h>

#include "cli/import.h"

/* One name, with what it is in front, and where it stood first. */
struct name {
	const char *what;
	struct text key;
	size_t line;
};

struct import_seen {
	void *tree;
};

static int
compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	const size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int r = strcmp(x->what, y->what);

	if (r == 0 && n > 0)
		r = memcmp(x->key.s, y->key.s, n);
	return r ? r : (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

/* The line that had it before, or 0 and it is noted. */
static size_t
note(struct import_seen *seen, struct arena *mem, const char *what,
    struct text key, size_t line)
{
	struct name *name;
	struct name *const *found;

	if (!key.s)
		return 0;
	name = arena_alloc(mem, sizeof(*name));
	*name = (struct name){ what, arena_text(mem, key), line };
	found = tsearch(name, &seen->tree, compare);
	if (!found)
		arena_oom(mem);
	/* cppcheck-suppress nullPointerRedundantCheck ; arena_oom leaves */
	return *found == name ? 0 : (*found)->line;
}

size_t
import_seen(struct import_seen **seen, struct arena *mem,
    const struct import_user *user, size_t line, const char **ret_what)
{
	const struct {
		const char *what;
		struct text key;
	} names[] = {
		{ "username", user->user.username_key },
		{ "email", user->user.email_key },
		{ "phone", user->user.phone },
	};

	if (!*seen)
		*seen = arena_alloc(mem, sizeof(**seen));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t before = note(*seen, mem, names[i].what, names[i].key,
		    line);

		*ret_what = names[i].what;
		if (before)
			return before;
	}
	return 0;
}

static void
keep(void *name)
{
	(void)name;	/* the arena's */
}

void
import_seen_free(struct import_seen *seen)
{
	if (seen)
		tdestroy(seen->tree, keep);
}
