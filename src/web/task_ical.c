/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A VTODO (RFC 5545 §3.6.2) as a line of a task file. */
#include <strings.h>

#include "core/ical.h"
#include "web/task_file.h"

enum kind {
	K_TEXT, K_WORD, K_WHEN, K_DUE, K_TAGS, K_SEQUENCE, K_PERCENT, K_SKIP
};

static const struct {
	const char *property;
	enum kind kind;
	const char *member;
} properties[] = {
	{ "UID", K_TEXT, "id" },
	{ "SUMMARY", K_TEXT, "title" },
	{ "DESCRIPTION", K_TEXT, "description" },
	{ "STATUS", K_WORD, "status" },
	{ "PRIORITY", K_TEXT, "priority" },
	{ "DUE", K_DUE, "due_date" },
	{ "CATEGORIES", K_TAGS, "tags" },
	{ "SEQUENCE", K_SEQUENCE, "version" },
	{ "PERCENT-COMPLETE", K_PERCENT, "status" },
	{ "CREATED", K_WHEN, "created_at" },
	{ "LAST-MODIFIED", K_WHEN, "updated_at" },
	{ "COMPLETED", K_WHEN, "completed_at" },
	{ "DTSTAMP", K_SKIP, NULL },	/* when the file was made, RFC 5545
					 * §3.8.7.2: not the task's own */
	{ "BEGIN", K_SKIP, NULL },
	{ "END", K_SKIP, NULL },
};

static const struct {
	const char *ical, *status;
} statuses[] = {
	{ "NEEDS-ACTION", "pending" },
	{ "IN-PROCESS", "in_progress" },
	{ "COMPLETED", "completed" },
	{ "CANCELLED", "cancelled" },
};

/* One more than a task may have (task_line.c): that many are a fault. */
#define TAGS_ROOM 21

/* A VTODO on its way in. */
struct todo {
	struct task_reader *reader;
	struct arena *mem;
	struct task_line *line;
	struct faults *faults;
	struct texts tags;
	bool has_tags;
	bool begun, over;	/* percent: more than nothing, all */
	size_t depth;		/* of components inside */
};

static struct text
status_of(struct text value)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (value.n == strlen(statuses[i].ical) && strncasecmp(value.s,
		    statuses[i].ical, value.n) == 0)
			return text_of(statuses[i].status);
	return value;
}

static void
put_due(struct todo *t, const struct ical_line *l)
{
	const struct text when = ical_when(l->value, t->mem);
	const struct text zone = ical_param(l, "TZID");

	task_line_put(t->mem, "due_date", when.s ? when : l->value, t->line,
	    t->faults);
	/* A zone beside Z or a date says nothing (§3.2.19). */
	if (zone.s && when.n == 19)
		task_line_put(t->mem, "due_timezone", zone, t->line,
		    t->faults);
}

/* May come more than once, as often as a file likes. */
static void
put_tags(struct todo *t, struct text value)
{
	const struct texts more = ical_split(value, t->mem);

	if (!t->tags.v)
		t->tags.v = arena_array(t->mem, TAGS_ROOM, sizeof(*more.v));
	for (size_t i = 0; i < more.n && t->tags.n < TAGS_ROOM; i++)
		if (more.v[i].n)
			t->tags.v[t->tags.n++] = more.v[i];
	t->has_tags = true;
}

/* SEQUENCE counts from 0, a version from 1. */
static void
put_sequence(struct todo *t, struct text value)
{
	int64_t v = 0;

	size_t i;

	for (i = 0; i < value.n && i < 15 && value.s[i] >= '0' &&
	    value.s[i] <= '9'; i++)
		v = v * 10 + (value.s[i] - '0');
	if (i > 0 && i == value.n)
		value = text_of(arena_printf(t->mem, "%lld",
		    (long long)v + 1));
	task_line_put(t->mem, "version", value, t->line, t->faults);
}

static void
put_property(struct todo *t, size_t i, const struct ical_line *l)
{
	const char *member = properties[i].member;
	struct text v = l->value;

	switch (properties[i].kind) {
	case K_TEXT:
		v = ical_unescape(v, t->mem);
		break;
	case K_WORD:
		v = status_of(v);
		break;
	case K_WHEN:
		v = ical_when(v, t->mem);
		if (!v.s)
			v = l->value;
		break;
	case K_DUE:
		put_due(t, l);
		return;
	case K_TAGS:
		put_tags(t, v);
		return;
	case K_SEQUENCE:
		put_sequence(t, v);
		return;
	case K_PERCENT:
		t->begun = !text_is(v, "0");
		t->over = text_is(v, "100");
		return;
	default:
		return;
	}
	if (v.n || properties[i].kind != K_TEXT)
		task_line_put(t->mem, member, v, t->line, t->faults);
}

static void
take_line(struct todo *t, const struct ical_line *l)
{
	if (!l->name.s) {
		if (l->value.n == 0)
			return;
	}
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
		if (ical_is(l, properties[i].property)) {
			put_property(t, i, l);
			return;
		}
	if (l->name.n)
		task_ignore(t->reader, l->name);
}

/* VALARM and the like, inside; its lines are not the task's. */
static bool
is_inside(struct todo *t, const struct ical_line *l)
{
	const bool begin = ical_is(l, "BEGIN"), end = ical_is(l, "END");
	const bool own = begin && t->depth == 0;

	if (begin && t->depth == 1)
		task_ignore(t->reader, l->value);
	t->depth += begin;
	t->depth -= end && t->depth > 0;
	return !own && (t->depth > 1 || begin || end);
}

/* Said nowhere, it follows from how far it is (§3.8.1.8). */
static void
infer_status(struct todo *t)
{
	if (t->line->status.s)
		return;
	if (t->over || t->line->completed_at.s)
		t->line->status = TEXT("completed");
	else if (t->begun)
		t->line->status = TEXT("in_progress");
}

void
task_line_ical(struct task_reader *reader, struct arena *mem,
    struct text record, struct task_line *line, struct faults *faults)
{
	struct todo t = { .reader = reader, .mem = mem, .line = line,
		.faults = faults };
	struct ical_line l;

	field_begin(&task_line, line);
	while (ical_next(&record, mem, &l))
		if (!is_inside(&t, &l))
			take_line(&t, &l);
	if (t.has_tags)
		task_line_tags(mem, t.tags, line, faults);
	infer_status(&t);
	field_required(&task_line, mem, &line->seen, TEXT(""), faults);
}
