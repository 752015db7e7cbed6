/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Gives root up and makes sure that there is no way back. */
#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

int
user_find(const char *name, FILE *err, struct account *ret)
{
	const struct passwd *pw;

	*ret = (struct account){ NULL, (uid_t)-1, (gid_t)-1 };
	if (geteuid() != 0)
		return 0;
	if (!name[0]) {
		fputs("server.user: started as root without it; name an "
		    "unprivileged user\n", err);
		return -EPERM;
	}
	pw = getpwnam(name);
	if (!pw) {
		fprintf(err, "server.user: no such user: %s\n", name);
		return -ENOENT;
	}
	if (pw->pw_uid == 0) {
		fprintf(err, "server.user: %s is root itself\n", name);
		return -EPERM;
	}
	*ret = (struct account){ name, pw->pw_uid, pw->pw_gid };
	return 0;
}

/* setuid(0) must fail now, and all three ids of each kind be the account's. */
static int
check_dropped(const struct account *a)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return -EPERM;
	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return -errno;
	if (r != a->uid || e != a->uid || s != a->uid ||
	    rg != a->gid || eg != a->gid || sg != a->gid)
		return -EPERM;
	return 0;
}

int
user_become(const struct account *a, FILE *err)
{
	int r;

	if (!a->name)
		return 0;
	/* Groups first: they need the rights that go with the uid. */
	if (initgroups(a->name, a->gid) < 0 ||
	    setresgid(a->gid, a->gid, a->gid) < 0 ||
	    setresuid(a->uid, a->uid, a->uid) < 0)
		r = -errno;
	else
		r = check_dropped(a);
	if (r < 0)
		fprintf(err, "server.user: cannot become %s: %s\n", a->name,
		    strerror(-r));
	return r;
}

int
user_drop(const char *name, FILE *err)
{
	struct account account;
	int r = user_find(name, err, &account);

	return r < 0 ? r : user_become(&account, err);
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
