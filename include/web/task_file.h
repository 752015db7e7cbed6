/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tasks as files: four formats, written and read a task at a time. */
#ifndef DOCKET_WEB_TASK_FILE_H
#define DOCKET_WEB_TASK_FILE_H

#include "base/buf.h"
#include "base/field.h"
#include "core/split.h"
#include "store/transfer.h"

enum task_format {
	TASKS_JSON,	/* {"tasks":[…]}; read: any form of SPLIT_JSON */
	TASKS_NDJSON,
	TASKS_CSV,	/* RFC 4180, a header, core/csv.h's guard */
	TASKS_ICS,	/* RFC 5545, VTODO */
	TASKS__MAX
};

struct task_format_row {
	const char *name;	/* "csv": also the suffix of a file's name */
	const char *type;	/* of a request, as struct request has it */
	const char *reply_type;	/* with its parameters */
};

extern const struct task_format_row task_formats[TASKS__MAX];

/* By name; TASKS__MAX: there is none. */
enum task_format task_format_of(struct text name);
enum task_format task_format_of_type(struct text type);

/* ---- written ---- */

/* A task of {"tasks":[...]}, over struct task; the columns of CSV. */
extern const struct fields task_export;

/* Each appends to `out`; what comes out is one file of the format. */
void task_file_begin(enum task_format format, struct buf *out);
void task_file_put(enum task_format format, struct buf *out,
    const struct task *task, bool first);
void task_file_end(enum task_format format, struct buf *out);

/* ---- read ---- */

#define TASK_COLUMNS_MAX 64
#define TASK_IGNORED_MAX 32
/* A record of more bytes is refused. */
#define TASK_RECORD_MAX (256 * 1024)

/* Zero but for format, owner, zone and stays at first. */
struct task_reader {
	enum task_format format;
	struct uuid owner;	/* ids of other systems become ids of theirs */
	struct text zone;	/* of local times that name none; or none */
	struct arena *stays;	/* what outlives a record is kept here */
	struct split split;
	bool headed;		/* CSV: the header has been read */
	int columns[TASK_COLUMNS_MAX];	/* CSV: a row of task_line, or -1 */
	size_t n_columns;
	struct text ignored[TASK_IGNORED_MAX];	/* columns, members,
						 * properties: not taken */
	size_t n_ignored;
};

enum task_found {
	TASK_READ,	/* a record: *ret, or what is wrong in faults */
	TASK_MORE,	/* come back with a longer window */
	TASK_END,
	TASK_BROKEN,	/* the file cannot be read on; faults says why */
};

/*
 * The next task of the window (see core/split.h); `line` in *ret is set
 * whatever is returned. Faults point to members by their name here.
 * Below zero: a fault of ours.
 */
int task_read(struct task_reader *reader, struct text window, bool last,
    struct arena *mem, struct import_task *ret, struct faults *faults,
    size_t *ret_used);

/* A property or column that nobody takes: told once. */
void task_ignore(struct task_reader *reader, struct text given);

/* ---- inside: task_line.c, task_ical.c ---- */

/* A record before it is judged, whatever format it came in. */
struct task_line {
	struct seen seen;
	struct text id, title, description, status;
	int64_t priority;
	struct text due_date, due_timezone;
	struct texts tags;
	int64_t version;
	struct text created_at, updated_at, completed_at;
	struct text unused;	/* what only the server decides */
	int64_t unused_int;
	bool unused_bool;
};

extern const struct fields task_line;

/* One value as text, by its row's name. */
void task_line_put(struct arena *mem, const char *name, struct text value,
    struct task_line *line, struct faults *faults);
void task_line_tags(struct arena *mem, struct texts tags,
    struct task_line *line, struct faults *faults);
/* The record of a VTODO. */
void task_line_ical(struct task_reader *reader, struct arena *mem,
    struct text record, struct task_line *line, struct faults *faults);
/* From what was said to what is stored; 0 or a fault of ours. */
int task_line_judge(const struct task_reader *reader, struct arena *mem,
    const struct task_line *line, struct import_task *ret,
    struct faults *faults);

#endif
