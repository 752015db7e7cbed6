/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Forward-only, numbered, checksummed migrations. */
#ifndef DOCKET_STORE_MIGRATE_H
#define DOCKET_STORE_MIGRATE_H

#include <stdbool.h>
#include <stdio.h>

struct migrate_options {
	const char *dsn;	/* the owner's */
	const char *dir;	/* of NNNN_name.sql */
	bool dry_run;		/* run everything, then roll back */
	bool status;		/* only tell */
	long lock_timeout_ms;
};

/*
 * Apply what is missing, in order, each in a transaction of its own under an
 * advisory lock; tell on `out`. A file that was changed after it was applied,
 * or a gap in the numbers, is refused before anything runs. Returns a
 * sysexits code: 0, EX_TEMPFAIL (database away, lock not had), EX_DATAERR
 * (checksum, gap), EX_SOFTWARE (a statement failed: the server's words).
 * With status: 0 when nothing is missing, 1 when something is.
 */
int migrate_run(const struct migrate_options *options, FILE *out, FILE *err);

#endif
