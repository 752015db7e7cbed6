/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From root to an unprivileged account, for good. */
#ifndef DOCKET_BASE_USER_H
#define DOCKET_BASE_USER_H

#include <stdio.h>
#include <sys/types.h>

/* Whom to become: nobody (name == NULL) when not started as root. */
struct account {
	const char *name;	/* borrowed */
	uid_t uid;
	gid_t gid;
};

/* -EPERM when root has no other account to become (empty, or root again);
 * -ENOENT when there is none of that name. The sentence goes to err. */
int user_find(const char *name, FILE *err, struct account *ret);
/* Groups, gid, uid; then make sure that the way back is closed. 0 or a
 * negative errno, with the sentence on err. */
int user_become(const struct account *account, FILE *err);
/* Both, for programs that open nothing as root. */
int user_drop(const char *name, FILE *err);
/* -ENOENT when there is no such group. */
int user_group(const char *name, gid_t *ret);

#endif
