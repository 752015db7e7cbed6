/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tasks: every statement carries the owner. */
#ifndef DOCKET_STORE_TASKS_H
#define DOCKET_STORE_TASKS_H

#include "base/principal.h"
#include "store/db.h"

struct task {
	struct uuid id, user_id;
	int64_t number;		/* counts up per user */
	struct text title, description;
	struct text status;	/* pending in_progress completed cancelled */
	int64_t priority;
	struct text due_date;	/* as core/due.h spells it, or none */
	struct text due_timezone;
	int64_t due_at;		/* what it sorts and falls due by; TIME_NONE */
	int64_t read_at;	/* by the database's clock */
	bool overdue;		/* past due then, and not finished */
	struct texts tags;
	struct text position;
	int64_t version;
	int64_t created_at, updated_at, completed_at;
};

extern const struct fields task_row;

/* A task's name in a path: its id or its number. */
struct task_ref {
	struct uuid id;		/* nil: by number */
	int64_t number;		/* INT_NONE: by id */
};

struct new_task {
	struct uuid id;
	int64_t created_at;	/* the instant inside id */
	struct text title, description, status;
	int64_t priority;
	struct text due_date, due_timezone;
	int64_t due_at;		/* what it sorts and falls due by; TIME_NONE */
	struct text due_local;	/* "2026-01-31 09:30:00" with due_timezone:
				 * the database works due_at out */
	struct texts tags;
};

/* The next number, the position after the last, and the row. */
int store_task_insert(struct db *db, struct arena *mem,
    const struct principal *who, const struct new_task *task,
    struct task *ret);
/* E_TASK. */
int store_task_get(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    struct task *ret);

enum {
	TASK_TITLE	= 1 << 0,
	TASK_DESCRIPTION = 1 << 1,
	TASK_STATUS	= 1 << 2,
	TASK_PRIORITY	= 1 << 3,
	TASK_DUE	= 1 << 4,	/* due_date, due_at, due_local */
	TASK_TAGS	= 1 << 5,
	TASK_ZONE	= 1 << 6,	/* due_timezone: without TASK_DUE the
					 * local time there now moves with it */
};

struct task_change {
	unsigned set;		/* TASK_*: which of `to` to store */
	struct new_task to;	/* none = clear */
	int64_t if_version;	/* INT_NONE: whatever it is */
};

/* E_TASK; E_VERSION with *ret as it stands now; E_DUE_ZONE when a local due
 * date and a zone would not be together afterwards. */
int store_task_update(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    const struct task_change *change, struct task *ret);
/* To the trash, or for good. E_TASK, E_VERSION with *ret as it stands. */
int store_task_delete(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    int64_t if_version, bool purge, struct task *ret);

enum task_sort {
	SORT_POSITION, SORT_NUMBER, SORT_CREATED, SORT_UPDATED, SORT_DUE,
	SORT_PRIORITY, SORT_TITLE, SORT_STATUS, SORT__MAX
};

extern const char *const task_sort_names[SORT__MAX];

struct task_filter {
	enum task_sort sort;
	bool descending;
	bool after;		/* start behind key and id */
	struct text key;	/* task_sort_key of the last row seen */
	struct uuid id;
	int64_t limit;
	bool count;		/* fill ret_total */
	struct texts status;	/* v == NULL: any */
	int64_t priority;	/* INT_NONE: any */
	struct text tag, q;
	int64_t due_before, due_after, created_before, created_after;
	int64_t updated_before, updated_after;	/* TIME_NONE: open */
	bool overdue;		/* only these */
};

struct task_list {
	struct list tasks;	/* of struct task; limit + 1 are asked for by
				 * the store, the surplus one is cut off */
	bool more;
	struct text last_key;	/* of the last row, for the cursor */
	struct uuid last_id;
	int64_t total;		/* INT_NONE unless counted */
};

int store_task_list(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_filter *filter,
    struct task_list *ret);

/* These tasks take this sequence within the places they hold now. refs: ids or
 * numbers as text, checked by the caller. E_TASK when one is not the caller's,
 * E_INVALID when one comes twice: then nothing moves. ret_n: how many. */
int store_task_order(struct db *db, struct arena *mem,
    const struct principal *who, struct texts refs, size_t *ret_n);
/* Move one before or after another. E_TASK. One transaction; the keys come
 * from core/rank.h: one above lo and below hi, or n evenly between them; either
 * bound may be none at the ends. */
struct task_ranks {
	int (*between)(struct arena *mem, struct text lo, struct text hi,
	    struct text *ret);
	int (*spread)(struct arena *mem, struct text lo, struct text hi,
	    size_t n, struct text *ret);
};

int store_task_move(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_ref *ref,
    const struct task_ref *anchor, bool after,
    const struct task_ranks *ranks, struct task *ret);

#endif
