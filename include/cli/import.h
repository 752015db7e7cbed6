/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Lines of an import file into accounts: NDJSON, or CSV with a header. */
#ifndef DOCKET_CLI_IMPORT_H
#define DOCKET_CLI_IMPORT_H

#include <stdio.h>

#include "base/field.h"
#include "store/import.h"

#define IMPORT_COLUMNS_MAX 32
#define IMPORT_LINE_MAX 65536

struct import_file {
	const char *name;	/* for messages */
	FILE *f;
	char *line;		/* getline's */
	size_t size;
	size_t number;		/* of the line in hand, from 1 */
	bool csv;		/* else NDJSON */
	int columns[IMPORT_COLUMNS_MAX];	/* CSV: the row of each */
	size_t n_columns;
};

/* Look at the first line: CSV's is its header. 0, or 1 after a line on
 * standard error that says what is wrong with it. An empty file is right. */
int import_open(struct import_file *file, struct arena *mem);
/*
 * The next account. 1; 0 at the end; -EIO. What is wrong with the line goes to
 * faults, all of it; *ret is then not to be used. Texts are in mem.
 */
int import_next(struct import_file *file, struct arena *mem,
    struct import_user *ret, struct faults *faults);
void import_close(struct import_file *file);

/* What the file had before: 0, or the line of the account with the same user
 * name, e-mail address or phone, and which of them. Kept for the whole file:
 * give an arena that stays. */
struct import_seen;
size_t import_seen(struct import_seen **seen, struct arena *mem,
    const struct import_user *user, size_t line, const char **ret_what);
void import_seen_free(struct import_seen *seen);

#endif
