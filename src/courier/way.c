/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The ways that a letter can leave by, by name. */
#include "courier/way.h"

#include <stdarg.h>
#include <string.h>

static const struct way_kind *const ways[] = {
	&way_spool,
	&way_gateway,
	&way_hook,
	&way_smtp,
	&way_sendmail,
	&way_exec,
};

const struct way_kind *
way_find(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i]->name, name) == 0)
			return ways[i];
	return NULL;
}

/* It ends in a log line: '?' for all before `least` and beyond ASCII, and for
 * what ends a quoted word. */
static void
clean(char *s, char least)
{
	for (; *s; s++)
		if (*s < least || *s > '~' || *s == '"' || *s == '\\')
			*s = '?';
}

void
outcome_set(struct outcome *ret, enum outcome_kind kind, bool down,
    const char *why, ...)
{
	va_list args;

	ret->kind = kind;
	ret->down = down;
	va_start(args, why);
	vsnprintf(ret->why, sizeof(ret->why), why, args);
	va_end(args);
	clean(ret->why, ' ');
}

void
outcome_ref(struct outcome *ret, struct text ref)
{
	snprintf(ret->ref, sizeof(ret->ref), "%.*s", TEXT_FMT(ref));
	clean(ret->ref, '!');
}
