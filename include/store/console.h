/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accounts for the command line: no principal asks, the shell's user may. */
#ifndef DOCKET_STORE_CONSOLE_H
#define DOCKET_STORE_CONSOLE_H

#include "store/users.h"

/* All by the name's key (core/names.h); E_USER: nobody has it. */
int store_console_user(struct db *db, struct arena *mem, struct text name_key,
    struct user *ret);
/* By number. ret: struct list of struct user. */
int store_console_users(struct db *db, struct arena *mem,
    const struct user_filter *filter, struct list *ret);
/* Deactivation ends the sessions. E_LAST_ADMIN. */
int store_console_activate(struct db *db, struct arena *mem,
    struct text name_key, bool active);
/* With all of its data. E_LAST_ADMIN. */
int store_console_delete(struct db *db, struct arena *mem,
    struct text name_key);

/* Note in the audit trail that the key `kid` signs from now on. */
int store_console_rotated(struct db *db, struct arena *mem, struct text kid);

#endif
