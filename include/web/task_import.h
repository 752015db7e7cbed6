/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From a file's bytes to rows of the database, a batch at a time. */
#ifndef DOCKET_WEB_TASK_IMPORT_H
#define DOCKET_WEB_TASK_IMPORT_H

#include "base/principal.h"
#include "web/task_file.h"

#define TASK_IMPORT_BATCH 500
#define TASK_IMPORT_MEMORY ((size_t)512 * 1024)
#define TASK_ZONES_MAX 64

/* Zero but for what the first part has. */
struct task_import {
	struct db *db;
	const struct principal *who;	/* NULL: the command line */
	struct arena *mem;		/* of a batch */
	bool partial;	/* go on storing after a record was refused */
	/* One thing wrong with the record that begins on `line`. */
	void (*tell)(void *arg, size_t line, const struct fault *fault);
	void *tell_arg;
	struct task_reader reader;

	size_t added, skipped, refused;
	int error;		/* what the database said at last */
	struct import_task *batch;
	size_t n;
	/* Zones that were asked for; kept in reader.stays. */
	struct { struct text name; bool unknown; } zones[TASK_ZONES_MAX];
	size_t n_zones;
};

/*
 * Take what the window has, at most a batch: 1: call again, with a longer
 * window unless `last`; 0: the file is over, all of it stored; -1: error says
 * what the database answered. ret_used: bytes that are done with.
 */
int task_import_step(struct task_import *im, struct text window, bool last,
    size_t *ret_used);

#endif
