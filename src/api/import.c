/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tasks from a file: all of them or none, and what became of each line. */
#include "api/api.h"
#include "api/fields.h"
#include "api/transfer.h"
#include "base/error.h"
#include "core/task.h"
#include "web/task_import.h"

#define ERRORS_MAX 1000

struct import_in {
	struct seen seen;
	struct text timezone;
	bool dry_run, partial;
};

/* One thing wrong with one line. */
struct import_error {
	int64_t line;
	struct text pointer, code, detail;
};

struct import_out {
	struct text message;
	int64_t imported, skipped, refused;
	struct list errors;
	struct texts ignored;
	bool dry_run;
};

#define IN struct import_in
static const struct field query_rows[] = {
	F(BOOL, IN, dry_run, "dry_run", 0, 0, 0, "Do it all, then undo it", "true"),
	F(BOOL, IN, partial, "partial", 0, 0, 0, "Take the lines that can be taken; else one that cannot refuses the file", "true"),
	F_CHECK(TEXT, IN, timezone, "timezone", 0, 1, 64, task_check_timezone, "Of local due dates that name none", "\"Europe/Berlin\""),
};
#undef IN
const struct fields import_query =
    FIELDS("ImportQuery", query_rows, struct import_in);

#define E struct import_error
static const struct field error_rows[] = {
	F(INT, E, line, "line", 0, 0, 0, "Where the record begins, from 1", "7"),
	F(TEXT, E, pointer, "pointer", 0, 0, 0, "The member; empty: the record", "\"/title\""),
	F(TEXT, E, code, "code", 0, 0, 0, "", "\"length\""),
	F(TEXT, E, detail, "detail", 0, 0, 0, "", "\"must have 1 to 200 characters\""),
};
#undef E
static const struct fields error_object =
    FIELDS("ImportError", error_rows, struct import_error);

#define OUT struct import_out
static const struct field reply_rows[] = {
	F(TEXT, OUT, message, "message", 0, 0, 0, "", "\"Tasks imported\""),
	F(INT, OUT, imported, "imported", 0, 0, 0, "New tasks", "2"),
	F(INT, OUT, skipped, "skipped", 0, 0, 0, "Were there already, and are as they were", "0"),
	F(INT, OUT, refused, "refused", 0, 0, 0, "Records with something wrong", "0"),
	F_SUB(LIST, OUT, errors, "errors", 0, error_object, "What is wrong, the first 1000", NULL),
	F(TEXTS, OUT, ignored, "ignored", 0, 0, 0, "Columns, members and properties that no task has", "[\"assignee\"]"),
	F(BOOL, OUT, dry_run, "dry_run", 0, 0, 0, "Nothing was changed", "false"),
};
#undef OUT
const struct fields import_reply =
    FIELDS("Import", reply_rows, struct import_out);

/* What the report is collected in. */
struct report {
	struct call *call;
	struct import_error *v;
	size_t n;
};

static void
report_line(void *arg, size_t line, const struct fault *f)
{
	struct report *rp = arg;
	struct arena *mem = rp->call->mem;

	if (!rp->v)
		rp->v = arena_array(mem, ERRORS_MAX, sizeof(*rp->v));
	if (rp->n == ERRORS_MAX)
		return;
	rp->v[rp->n++] = (struct import_error){
		(int64_t)line, arena_text(mem, f->pointer),
		arena_text(mem, text_of(f->code)),
		arena_text(mem, text_of(f->detail)),
	};
}

static void
import_report(struct task_import *im, const struct report *rp,
    struct import_out *out)
{
	out->imported = (int64_t)im->added;
	out->skipped = (int64_t)im->skipped;
	out->refused = (int64_t)im->refused;
	out->errors = (struct list){ .v = rp->v, .n = rp->n };
	out->ignored = (struct texts){ im->reader.ignored,
	    im->reader.n_ignored };
}

/* The whole body; a transaction is open. */
static int
import_body(struct call *call, struct task_import *im)
{
	const struct text body = call->req->body;
	size_t at = 0, used;
	int r = 1;

	while (r > 0) {
		r = task_import_step(im, (struct text){ body.s + at,
		    body.n - at }, true, &used);
		at += used;
		if (call->alive)
			call->alive(call->alive_arg);
	}
	return r < 0 ? im->error : 0;
}

/* Something was refused, and nobody asked for the rest. */
static int
import_refuse(struct call *call, struct import_out *out)
{
	out->imported = out->skipped = 0;
	out->message = TEXT("Nothing was imported");
	call->reply.extra = &import_reply;
	call->reply.extra_object = out;
	call->reply.extra_name = "report";
	return call_refuse(call, E_INVALID,
	    "Some records cannot be taken, so none was; `report` says why.");
}

/* Dry: only what the file did is undone, not an Idempotency-Key's claim. */
static int
import_work(struct call *call, struct task_import *im, bool dry)
{
	struct db *db = call->app->db;
	int r = store_transfer_claim(db, call->mem, &call->who,
	    transfer_places(call->app->settings));

	if (r == 0 && dry)
		r = db_savepoint(db);
	if (r == 0)
		r = import_body(call, im);
	if (r == 0 && dry)
		r = db_undo(db);
	return r;
}

static int
import_run(struct call *call, struct task_import *im, bool dry)
{
	struct db *db = call->app->db;
	const bool own = !db_in_transaction(db);
	int r;

	transfer_deadline(call);
	if (own && (r = db_begin(db)))
		return r;
	r = import_work(call, im, dry);
	if (r == 0 && im->refused && !im->partial)
		return 0;	/* rolled back with the refusal */
	return r || !own ? r : db_commit(db);
}

int
api_task_import(struct call *call)
{
	const struct import_in *in = call->query;
	struct import_out *out = arena_alloc(call->mem, sizeof(*out));
	struct report report = { .call = call };
	struct task_import *im = arena_alloc(call->mem, sizeof(*im));
	int r;

	*im = (struct task_import){
		.db = call->app->db, .who = &call->who,
		.mem = arena_part(call->mem, TASK_IMPORT_MEMORY),
		.partial = in->partial, .tell = report_line,
		.tell_arg = &report,
		.reader = {
			.format = task_format_of_type(call->req->type),
			.owner = call->who.user_id, .zone = in->timezone,
			.stays = call->mem,
		},
	};
	call->reply.object = out;
	if ((r = import_run(call, im, in->dry_run)))
		return r;
	import_report(im, &report, out);
	out->dry_run = in->dry_run;
	if (im->refused && !im->partial)
		return import_refuse(call, out);
	out->message = in->dry_run ? TEXT("Nothing was changed") :
	    TEXT("Tasks imported");
	return 0;
}
