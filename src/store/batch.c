/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Batches: one task's statements, many of them behind one another. */
#include "store/batch.h"

#include "base/error.h"
#include "store/sessions.h"
#include "store/sets.h"
#include "store/task_sql.h"
#include "store/who.h"

static const struct stmt statements[] = {
	/*
	 * Writers of one user take turns, and the rows are locked in the order
	 * of their ids: whatever the order of the operations, nobody waits for
	 * somebody who waits for us. $4 ids and numbers.
	 */
	{
		"batch_lock",
		SQL_WHO ","
		" c AS MATERIALIZED (SELECT FROM docket.counters"
		" WHERE user_id = $1 AND (SELECT who_state FROM who) = 0"
		" FOR UPDATE),"
		" t AS MATERIALIZED (SELECT FROM docket.tasks t"
		" WHERE (SELECT count(*) FROM c) > 0 AND t.user_id = $1"
		" AND t.id = ANY (ARRAY(SELECT CASE WHEN length(w.ref) = 36"
		" THEN w.ref::uuid ELSE (SELECT n.id FROM docket.tasks n"
		" WHERE n.user_id = $1 AND n.number = w.ref::bigint) END"
		" FROM unnest($4::text[]) w (ref)))"
		" ORDER BY t.id FOR UPDATE)"
		" SELECT who.who_state FROM who"
		" WHERE (SELECT count(*) FROM t) >= 0",
		NULL, true, false
	},
};

const struct stmts batch_statements = STMTS(statements);

/* What the parts of a round are for. PostgreSQL prepares no savepoints. */
enum part { PART_LOCK, PART_UNDO, PART_MARK, PART_LOOK, PART_WRITE, PART_KEEP };

static const struct stmt commands[] = {
	[PART_UNDO] = { NULL, "ROLLBACK TO SAVEPOINT item", NULL, false, true },
	[PART_MARK] = { NULL, "SAVEPOINT item", NULL, false, true },
	[PART_KEEP] = { NULL, "RELEASE SAVEPOINT item", NULL, false, true },
};

static const struct db_params no_params;

/* At most mark, look, write and keep an item; undo and lock in front. */
#define PARTS(n) (4 * (n) + 2)

struct run {
	struct db *db;
	struct arena *mem;
	const struct principal *who;
	const struct batch *batch;
	size_t at;		/* the next item */
	bool locked;
	bool undo;		/* the item before it was refused */
	bool broken;		/* the transaction can do no more */
	bool missing;		/* some statement gave no row */
	bool found;		/* the item in hand is there */
	/* the round in hand */
	struct db_step *steps;
	struct { enum part part; size_t item; } *parts;
	size_t n;
};

static void
push(struct run *run, enum part part, const struct stmt *stmt,
    const struct db_params *params)
{
	run->steps[run->n] = (struct db_step){ .stmt = stmt, .params = params };
	run->parts[run->n].part = part;
	run->parts[run->n].item = run->at;
	run->n++;
}

static void
push_command(struct run *run, enum part part)
{
	push(run, part, &commands[part], &no_params);
}

static struct db_params *
new_params(struct run *run)
{
	return arena_alloc(run->mem, sizeof(struct db_params));
}

static struct text
ref_text(struct arena *mem, const struct task_ref *ref)
{
	char *id;

	if (uuid_is_nil(&ref->id))
		return text_of(arena_printf(mem, "%lld",
		    (long long)ref->number));
	id = arena_alloc(mem, UUID_CHARS);
	uuid_format(&ref->id, id);
	return (struct text){ id, UUID_CHARS };
}

static void
push_lock(struct run *run)
{
	const struct batch *batch = run->batch;
	struct texts refs = {
		arena_array(run->mem, batch->n + 1, sizeof(*refs.v)), 0
	};
	struct db_params *p = new_params(run);

	for (size_t i = 0; i < batch->n; i++)
		if (batch->v[i].op != BATCH_CREATE)
			refs.v[refs.n++] = ref_text(run->mem,
			    &batch->v[i].ref);
	who_params(p, run->who);
	db_texts(p, run->mem, refs);
	push(run, PART_LOCK, &statements[0], p);
}

/* Whether a task is there with another version, and how it stands: asked for
 * in its turn, for later items may change it. */
static void
push_look(struct run *run, const struct batch_item *item)
{
	struct db_params *p = new_params(run);
	const struct stmt *stmt = item->op == BATCH_DELETE && item->purge ?
	    task_any_step(p, run->who, &item->ref) :
	    task_get_step(p, run->who, &item->ref);

	push(run, PART_LOOK, stmt, p);
}

static void
push_write(struct run *run, const struct batch_item *item)
{
	struct db_params *p = new_params(run);
	const struct stmt *stmt;

	if (item->op == BATCH_CREATE)
		stmt = task_insert_step(p, run->mem, run->who,
		    &item->change.to);
	else if (item->op == BATCH_UPDATE)
		stmt = task_update_step(p, run->mem, run->who, &item->ref,
		    &item->change);
	else
		stmt = task_delete_step(p, run->who, &item->ref,
		    item->change.if_version, item->purge);
	push(run, PART_WRITE, stmt, p);
}

static bool
is_conditional(const struct batch_item *item)
{
	return item->op != BATCH_CREATE && item->change.if_version != INT_NONE;
}

static void
push_items(struct run *run)
{
	const struct batch *batch = run->batch;

	run->n = 0;
	if (!run->locked)
		push_lock(run);
	if (run->undo)
		push_command(run, PART_UNDO);
	for (; run->at < batch->n; run->at++) {
		const struct batch_item *item = &batch->v[run->at];

		if (!batch->atomic)
			push_command(run, PART_MARK);
		if (is_conditional(item))
			push_look(run, item);
		push_write(run, item);
		if (!batch->atomic)
			push_command(run, PART_KEEP);
	}
}

static void
take_look(struct run *run, struct batch_item *item, const struct db_result *r)
{
	run->found = r->rows > 0;
	if (!run->found)
		return;
	item->task = *(const struct task *)r->v;
	task_complete(&item->task, run->who);
}

static void
take_write(struct run *run, struct batch_item *item, const struct db_result *r)
{
	if (r->rows == 0) {
		item->error = is_conditional(item) && run->found ?
		    E_VERSION : E_TASK;
		run->missing |= item->error == E_TASK;
	} else if (item->op == BATCH_CREATE) {
		item->task = task_inserted(&item->change.to, r->v, run->who);
	} else {
		item->task = *(const struct task *)r->v;
		task_complete(&item->task, run->who);
	}
}

/* What step s gave. */
static int
take(struct run *run, size_t s)
{
	struct batch_item *item = &run->batch->v[run->parts[s].item];
	const struct db_result *r = &run->steps[s].result;

	if (run->parts[s].part == PART_LOCK) {
		run->locked = true;
		return r->who;
	}
	if (run->parts[s].part == PART_LOOK)
		take_look(run, item, r);
	else if (run->parts[s].part == PART_WRITE)
		take_write(run, item, r);
	return 0;
}

/* Is it about this item's values alone? */
static bool
is_items_own(int error)
{
	return error > 0 && error_row(error)->status < 500 &&
	    error_row(error)->status >= 400;
}

/* The server refused step s. */
static int
refuse(struct run *run, size_t s, int error)
{
	struct batch_item *item = &run->batch->v[run->parts[s].item];

	if (run->parts[s].part != PART_WRITE || !is_items_own(error))
		return error;
	item->error = error;
	if (run->batch->atomic) {
		run->broken = true;
		return 0;
	}
	run->at = run->parts[s].item + 1;
	run->undo = true;
	return 0;
}

/* One round trip; as far as all goes well, the only one. */
static int
run_round(struct run *run)
{
	size_t done;
	int error, taken;

	push_items(run);
	run->undo = false;
	error = db_pipe(run->db, run->mem, run->steps, run->n, &done);
	for (size_t s = 0; s < done; s++)
		if ((taken = take(run, s)))
			return taken;
	return error && done < run->n ? refuse(run, done, error) : error;
}

static int
run_all(struct run *run)
{
	const size_t n = PARTS(run->batch->n);
	int error;

	run->steps = arena_array(run->mem, n, sizeof(*run->steps));
	run->parts = arena_array(run->mem, n, sizeof(*run->parts));
	do {
		error = run_round(run);
	} while (error == 0 && run->undo);
	/* Not there; or is the caller not there any more? */
	if (error == 0 && run->missing && !run->broken)
		error = store_session_check(run->db, run->mem, run->who);
	return error;
}

static size_t
failed(const struct batch *batch)
{
	size_t n = 0;

	for (size_t i = 0; i < batch->n; i++)
		n += batch->v[i].error != 0;
	return n;
}

int
store_task_batch(struct db *db, struct arena *mem,
    const struct principal *who, const struct batch *batch,
    size_t *ret_failed)
{
	struct run run = { .db = db, .mem = mem, .who = who, .batch = batch };
	const bool own = !db_in_transaction(db);
	int error = own ? db_begin(db) : 0;

	/* Of somebody else's transaction only our part is undone. */
	if (error == 0 && batch->dry && !own)
		error = db_savepoint(db);
	if (error == 0)
		error = run_all(&run);
	*ret_failed = failed(batch);
	if (error || (batch->atomic && *ret_failed) || (own && batch->dry)) {
		db_rollback(db);
		return error;
	}
	if (own)
		return db_commit(db);
	return batch->dry ? db_undo(db) : 0;
}
