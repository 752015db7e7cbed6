/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a task may be: status vocabularies, due dates, references. */
#ifndef DOCKET_CORE_TASK_H
#define DOCKET_CORE_TASK_H

#include "base/arena.h"
#include "base/text.h"
#include "base/uuid.h"

/* "pending", "To Do", "in progress", "Done", any case -> the wire word; a
 * field_check on a struct text. */
int task_check_status(struct arena *mem, void *member, const char **ret_why);
/* pending -> "To Do", in_progress -> "In Progress", completed -> "Done",
 * cancelled -> "Cancelled". */
struct text task_status_label(struct text status);

/*
 * A due date in its three forms. `text` is the canonical spelling the client
 * gets back: 2026-01-31 (a date stays a date), 2026-01-31T09:30:00.000Z (an
 * instant, any offset accepted) or 2026-01-31T09:30:00 (local, with a time
 * zone). `at` is the instant it sorts and falls due by: the last millisecond
 * of a date in UTC; TIME_NONE for a local time, which the database works out
 * from `local` ("2026-01-31 09:30:00") and the zone.
 */
struct due {
	struct text text;
	int64_t at;
	struct text local;
};

/* 0, or 1 with *ret_why. has_zone: a due_timezone came along; a local time
 * needs one, the other two refuse one. */
int task_due_parse(struct arena *mem, struct text in, bool has_zone,
    struct due *ret, const char **ret_why);
/* Is it any of the three? A field_check; the text stays as it is. */
int task_check_due(struct arena *mem, void *member, const char **ret_why);
/* A plausible IANA name ([A-Za-z0-9+_/-], <= 64); the database knows which
 * exist. A field_check. */
int task_check_timezone(struct arena *mem, void *member,
    const char **ret_why);
/* A bound of a filter: an instant, or a date meaning its first instant
 * (`end`: its last). 0 or 1. */
int task_bound_parse(struct text in, bool end, int64_t *ret_us);
/* Tags: trimmed, 1-50 characters each, no duplicates (the first stays). A
 * field_check on a struct texts. */
int task_check_tags(struct arena *mem, void *member, const char **ret_why);

#endif
