/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: the migration files of a folder. */
#ifndef DOCKET_STORE_SCRIPTS_H
#define DOCKET_STORE_SCRIPTS_H

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

struct script {
	int64_t number;
	const char *name;	/* 0001_accounts.sql */
	const char *sql;
	char checksum[65];	/* SHA-256, hexadecimal */
};

struct scripts {
	struct script *v;	/* v[i].number == i + 1 */
	size_t n;
};

/* Read dir/NNNN_name.sql, in order. A sysexits code: 0, EX_NOINPUT when the
 * folder or a file cannot be read or has none, EX_DATAERR for a name out of
 * shape, a number twice, or a gap; told on err. */
int scripts_read(const char *dir, struct arena *mem, FILE *err,
    struct scripts *ret);

#endif
