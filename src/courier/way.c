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
	/* It ends in a log line between quotes. */
	for (char *c = ret->why; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			*c = '?';
}
