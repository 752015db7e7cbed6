/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Give root up for good. */
#ifndef DOCKET_SERVER_USER_H
#define DOCKET_SERVER_USER_H

#include <sys/types.h>

/* Whom to become: nobody (name == NULL) when not started as root. */
struct user {
	const char *name;
	uid_t uid;
	gid_t gid;
};

/* -EPERM: root without a name, or a name that is root's; -ENOENT: no such
 * user. The sentence is in the log. name is borrowed. */
int user_find(const char *name, struct user *ret);
/* Groups, gid, uid; then make sure that the way back is closed. */
int user_become(const struct user *user);
/* -ENOENT when there is no such group. */
int user_group(const char *name, gid_t *ret);

#endif
