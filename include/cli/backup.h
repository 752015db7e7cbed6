/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A backup is a folder that its owner alone may enter:
 *
 *   SHA256SUMS       of all the others; sha256sum -c understands it
 *   manifest         lines "name value": backup (1), version, migration,
 *                    created
 *   database.dump    pg_dump's custom form, of the schema docket
 *   settings/...     docket.conf and conf.d
 *   keys/secret.key, keys/jwt.keys   unless it was made without
 */
#ifndef DOCKET_CLI_BACKUP_H
#define DOCKET_CLI_BACKUP_H

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/tool.h"

#define BACKUP_FORM 1
#define BACKUP_FILES 64
#define BACKUP_SUMS "SHA256SUMS"
#define BACKUP_MANIFEST "manifest"
#define BACKUP_DUMP "database.dump"
#define BACKUP_SECRET "keys/secret.key"
#define BACKUP_RING "keys/jwt.keys"

/* An absolute path, without slashes at its end: programs are run elsewhere. */
char *backup_path(struct arena *mem, const char *path);
/* SHA-256 of a file of any size, hexadecimal. 0, or a negative errno. */
int backup_sum(const char *path, char hex[65]);
/* "docket: PATH: WHY" on standard error; status. */
int backup_fail(const char *path, const char *why, int status);
/* database.owner_dsn may be given to programs in their arguments: false, and
 * said why, when there is a password in it, or libpq cannot read it. */
bool backup_dsn(const struct settings *settings);
/* As the owner of the database. NULL, and *ret_status, when it is not there. */
struct db *backup_database(const struct cli *cli, const struct stmts *set,
    int *ret_status);
/* What the database has goes, and the dump comes. 0 or an exit status, and
 * said what became of it. */
int restore_database(struct cli *cli, const char *dump);

#endif
