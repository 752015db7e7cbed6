/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The events of the audit trail and of the security lines in the log. */
#ifndef DOCKET_BASE_EVENT_H
#define DOCKET_BASE_EVENT_H

#include "base/log.h"
#include "base/text.h"

enum event {
#define EVENT(name, where, level, ban, doc) EVENT_##name,
#include "tbl/events.h"
#undef EVENT
	EVENT__MAX
};

struct event_row {
	const char *name;
	bool trail, line;	/* where it is told */
	enum log_level level;	/* of the line */
	bool ban;		/* counted by fail2ban */
	const char *doc;
};

const struct event_row *event_row(enum event event);
/* EVENT__MAX: there is no such event. */
enum event event_find(struct text name);

#endif
