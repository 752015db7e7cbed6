/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A file with secrets in it, replaced as a whole or not at all. */
#ifndef DOCKET_CLI_REPLACE_H
#define DOCKET_CLI_REPLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"

struct replace {
	char *path;		/* with no symbolic link left in it */
	char *fresh;		/* the new file beside it, until the rename */
	int dir;		/* locked against other commands */
	bool exists;
	uid_t uid;		/* whose it is, or is to be */
	gid_t gid;
};

/*
 * The directory is locked, not the file, which will be another one. `like`: a
 * file whose owner a new one gets; the process's own when there is none. 0 or
 * an exit status, and said why on standard error.
 */
int replace_begin(struct replace *r, const char *file, const char *like);
/* Written beside it with mode 0600 and synced; nothing is replaced yet. */
int replace_write(const struct replace *r, struct text bytes);
int replace_commit(const struct replace *r);
/* Always: takes away what was not committed, and the lock. */
void replace_done(struct replace *r);

#endif
