/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The table of events, by number and by name. */
#include "base/event.h"

enum { LINE = 1, TRAIL = 2, BOTH = LINE | TRAIL };
enum { PASS, BAN };

static const struct event_row rows[EVENT__MAX] = {
#define EVENT(name, where, level, ban, doc) \
	[EVENT_##name] = { #name, ((where) & TRAIL) != 0, \
	    ((where) & LINE) != 0, level, (ban) == BAN, doc },
#include "tbl/events.h"
#undef EVENT
};

const struct event_row *
event_row(enum event event)
{
	return &rows[event];
}

enum event
event_find(struct text name)
{
	enum event i = 0;

	while (i < EVENT__MAX && !text_is(name, rows[i].name))
		i++;
	return i;
}
