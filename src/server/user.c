/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From root to server.user, once the sockets are open, with no way back. */
#include "server/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

int
user_find(const char *name, struct user *ret)
{
	const struct passwd *pw;

	*ret = (struct user){ NULL, (uid_t)-1, (gid_t)-1 };
	if (geteuid() != 0)
		return 0;
	if (!name[0]) {
		log_event(LOG_ERROR_, "root_refused", "why=\"started as root "
		    "without server.user: name an unprivileged user\"");
		return -EPERM;
	}
	pw = getpwnam(name);
	if (!pw) {
		log_event(LOG_ERROR_, "root_refused",
		    "why=\"server.user: no such user\" user=\"%s\"", name);
		return -ENOENT;
	}
	if (pw->pw_uid == 0) {
		log_event(LOG_ERROR_, "root_refused",
		    "why=\"server.user is root itself\" user=\"%s\"", name);
		return -EPERM;
	}
	*ret = (struct user){ name, pw->pw_uid, pw->pw_gid };
	return 0;
}

/* setuid(0) must fail, and all three ids be the user's. */
static int
check_dropped(const struct user *user)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return -EPERM;
	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return -errno;
	if (r != user->uid || e != user->uid || s != user->uid)
		return -EPERM;
	if (rg != user->gid || eg != user->gid || sg != user->gid)
		return -EPERM;
	return 0;
}

int
user_become(const struct user *user)
{
	int r;

	if (!user->name)
		return 0;
	if (initgroups(user->name, user->gid) < 0 ||
	    setgid(user->gid) < 0 || setuid(user->uid) < 0)
		r = -errno;
	else
		r = check_dropped(user);
	if (r < 0)
		log_event(LOG_ERROR_, "root_kept", "user=\"%s\" why=\"%s\"",
		    user->name, strerror(-r));
	return r;
}

int
user_group(const char *name, gid_t *ret)
{
	const struct group *gr = getgrnam(name);

	if (!gr)
		return -ENOENT;
	*ret = gr->gr_gid;
	return 0;
}
