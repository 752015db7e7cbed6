/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tasks into files: JSON, NDJSON, CSV, iCalendar. */
#include "web/task_file.h"

#include "core/csv.h"
#include "core/ical.h"

const struct task_format_row task_formats[TASKS__MAX] = {
	[TASKS_JSON] = { "json", "application/json", "application/json" },
	[TASKS_NDJSON] = { "ndjson", "application/x-ndjson",
	    "application/x-ndjson" },
	[TASKS_CSV] = { "csv", "text/csv",
	    "text/csv; charset=utf-8; header=present" },
	[TASKS_ICS] = { "ics", "text/calendar",
	    "text/calendar; charset=utf-8" },
};

enum task_format
task_format_of(struct text name)
{
	for (int i = 0; i < TASKS__MAX; i++)
		if (text_is(name, task_formats[i].name))
			return (enum task_format)i;
	return TASKS__MAX;
}

enum task_format
task_format_of_type(struct text type)
{
	for (int i = 0; i < TASKS__MAX; i++)
		if (text_is(type, task_formats[i].type))
			return (enum task_format)i;
	return TASKS__MAX;
}

/* What a task is, without what the clock makes of it. The header of CSV has
 * the same names. */
#define T_OR(flags_, type_, member_) \
	{ .name = #member_, .type = FIELD_##type_, .flags = (flags_), \
	  .offset = offsetof(struct task, member_) }
#define T(type_, member_) T_OR(0, type_, member_)
static const struct field rows[] = {
	T(UUID, id), T(INT, number), T(TEXT, title), T(TEXT, description),
	T(TEXT, status), T(INT, priority), T_OR(FIELD_NULLABLE, TEXT, due_date),
	T_OR(FIELD_NULLABLE, TEXT, due_timezone), T(TEXTS, tags),
	T(TEXT, position), T(INT, version), T(TIME, created_at),
	T(TIME, updated_at), T_OR(FIELD_NULLABLE, TIME, completed_at),
};
const struct fields task_export =
    FIELDS("TaskExport", rows, struct task);

/* ---- CSV ---- */

static void
csv_begin(struct buf *out)
{
	for (size_t i = 0; i < task_export.n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		buf_puts(out, rows[i].name);
	}
	csv_end(out);
}

static void
put_time(struct buf *out, int64_t us)
{
	buf_putc(out, ',');
	if (us != TIME_NONE)
		buf_time(out, us);
}

static void
put_int(struct buf *out, int64_t v)
{
	buf_putc(out, ',');
	buf_int(out, v);
}

/* The list is joined behind the row, to be quoted like any cell. */
static void
put_tags(struct buf *out, struct texts tags)
{
	struct buf joined = { 0 };

	if (tags.n)
		csv_join(&joined, tags);
	csv_next(out, buf_view(&joined));
	out->failed |= joined.failed;
	buf_done(&joined);
}

static void
csv_task(struct buf *out, const struct task *t)
{
	buf_uuid(out, &t->id);
	put_int(out, t->number);
	csv_next(out, t->title);
	csv_next(out, t->description);
	csv_next(out, t->status);
	put_int(out, t->priority);
	csv_next(out, t->due_date);
	csv_next(out, t->due_timezone);
	put_tags(out, t->tags);
	csv_next(out, t->position);
	put_int(out, t->version);
	put_time(out, t->created_at);
	put_time(out, t->updated_at);
	put_time(out, t->completed_at);
	csv_end(out);
}

/* ---- iCalendar ---- */

static const struct {
	const char *status, *ical;
} statuses[] = {
	{ "pending", "NEEDS-ACTION" },
	{ "in_progress", "IN-PROCESS" },
	{ "completed", "COMPLETED" },
	{ "cancelled", "CANCELLED" },
};

static struct text
status_of(const struct task *t)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (text_is(t->status, statuses[i].status))
			return text_of(statuses[i].ical);
	return TEXT("NEEDS-ACTION");
}

static void
put_number(struct buf *out, const char *name, int64_t v)
{
	buf_printf(out, "%s:%lld\r\n", name, (long long)v);
}

static void
ics_done(struct buf *out, const struct task *t)
{
	if (t->completed_at == TIME_NONE)
		return;
	ical_time(out, "COMPLETED", t->completed_at);
	put_number(out, "PERCENT-COMPLETE", 100);
}

/* UID is the id alone, as RFC 7986 §5.3 would have it. */
static void
ics_task(struct buf *out, const struct task *t)
{
	buf_puts(out, "BEGIN:VTODO\r\nUID:");
	buf_uuid(out, &t->id);
	buf_puts(out, "\r\n");
	ical_time(out, "DTSTAMP", t->updated_at);
	ical_time(out, "CREATED", t->created_at);
	ical_time(out, "LAST-MODIFIED", t->updated_at);
	put_number(out, "SEQUENCE", t->version - 1);
	ical_text(out, "SUMMARY", t->title);
	if (t->description.n)
		ical_text(out, "DESCRIPTION", t->description);
	ical_put(out, "STATUS", status_of(t));
	put_number(out, "PRIORITY", t->priority);
	if (t->due_date.s)
		ical_due(out, t->due_date, t->due_timezone);
	ics_done(out, t);
	if (t->tags.n)
		ical_texts(out, "CATEGORIES", t->tags);
	buf_puts(out, "END:VTODO\r\n");
}

/* ---- all ---- */

void
task_file_begin(enum task_format format, struct buf *out)
{
	if (format == TASKS_JSON)
		buf_puts(out, "{\"tasks\":[");
	if (format == TASKS_CSV)
		csv_begin(out);
	if (format == TASKS_ICS)
		buf_puts(out, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
		    "PRODID:-//Docket//Docket//EN\r\n"
		    "CALSCALE:GREGORIAN\r\n");
}

void
task_file_put(enum task_format format, struct buf *out,
    const struct task *task, bool first)
{
	switch (format) {
	case TASKS_JSON:
		buf_puts(out, first ? "\n" : ",\n");
		field_print_json(out, &task_export, task, FIELD_ALL);
		break;
	case TASKS_NDJSON:
		field_print_json(out, &task_export, task, FIELD_ALL);
		buf_putc(out, '\n');
		break;
	case TASKS_CSV:
		csv_task(out, task);
		break;
	default:
		ics_task(out, task);
		break;
	}
}

void
task_file_end(enum task_format format, struct buf *out)
{
	if (format == TASKS_JSON)
		buf_puts(out, "\n]}\n");
	if (format == TASKS_ICS)
		buf_puts(out, "END:VCALENDAR\r\n");
}
