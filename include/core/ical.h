/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Content lines of iCalendar (RFC 5545 §3.1, §3.3) to and fro; pure. */
#ifndef DOCKET_CORE_ICAL_H
#define DOCKET_CORE_ICAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

/*
 * A line "name:value" with CR LF, folded at 75 octets between characters.
 * name may carry parameters. The value is put as it is; ical_text escapes a
 * TEXT (§3.3.11). The form has no control characters but HTAB: CR LF, CR and
 * LF become \n, others a blank.
 */
void ical_put(struct buf *out, const char *name, struct text value);
void ical_text(struct buf *out, const char *name, struct text value);
/* TEXTs with commas between them, as CATEGORIES has them. */
void ical_texts(struct buf *out, const char *name, struct texts v);
/* 20260131T093000Z, of the whole second. */
void ical_time(struct buf *out, const char *name, int64_t us);
/* DUE of one of the three forms of core/task.h; zone: or none. */
void ical_due(struct buf *out, struct text due, struct text zone);

struct ical_line {
	struct text name;	/* as it is spelt */
	struct text params;	/* ";TZID=Europe/Berlin;VALUE=..." or empty */
	struct text value;	/* unfolded, not unescaped */
};

/* The next line off the text, unfolded in mem; false at its end. A line
 * without a colon has no name. */
bool ical_next(struct text *rest, struct arena *mem, struct ical_line *ret);
bool ical_is(const struct ical_line *line, const char *name);
/* A parameter's value without its quotes, or TEXT_NONE. */
struct text ical_param(const struct ical_line *line, const char *name);
struct text ical_unescape(struct text value, struct arena *mem);
/* At commas that are not escaped; each unescaped. */
struct texts ical_split(struct text value, struct arena *mem);
/* 20260131, 20260131T093000 or 20260131T093000Z as RFC 3339 has it (core/
 * task.h's three forms); TEXT_NONE when it is none of them. */
struct text ical_when(struct text value, struct arena *mem);

#endif
