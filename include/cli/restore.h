/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket restore: the key files of a backup, and those that are here. */
#ifndef DOCKET_CLI_RESTORE_H
#define DOCKET_CLI_RESTORE_H

#include <stdio.h>

#include "cli/cli.h"

enum key_state { KEY_LACKS, KEY_SAME, KEY_OTHER, KEY_NOT_KEPT };

struct kept {
	const char *name;	/* in the backup */
	const char *path;	/* here */
	/* As the service will read it; what is wrong goes to err. */
	bool (*good)(const char *path, FILE *err);
	enum key_state state;	/* NOT_KEPT, or OTHER until it is read */
	struct text bytes;	/* the backup's: secret, see kept_done */
};

bool kept_secret_good(const char *path, FILE *err);
bool kept_ring_good(const char *path, FILE *err);

/* Both files are read. 0, or an exit status and said what cannot be. */
int kept_read(struct cli *cli, const char *from, struct kept *k);
/*
 * Before anything is changed: if it is to be put here, is it what the service
 * can start with, and can it be put there? 0, or an exit status and all that is
 * wrong said.
 */
int kept_check(struct cli *cli, const char *from, const struct kept *k);
/* What becomes of it, a line on standard output. */
void kept_tell(const struct cli *cli, const struct kept *k);
/* Put it there, if that is wanted. 0, or an exit status and said why. */
int kept_write(struct cli *cli, const struct kept *k);
void kept_done(struct kept *k);

#endif
