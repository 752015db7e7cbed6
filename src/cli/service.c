/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Finds the account of the service. */
#include "cli/service.h"

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

const char *
service_user(struct arena *mem, const struct settings *settings)
{
	const struct passwd *who;
	struct stat st;

	if (settings->server_user[0])
		return settings->server_user;
	if (getpwnam("docket") || stat(settings->server_secret_file, &st) < 0)
		return "docket";
	/* cppcheck-suppress getpwuidCalled ; there are no threads */
	who = getpwuid(st.st_uid);
	return who ? arena_copy(mem, who->pw_name, strlen(who->pw_name)) :
	    "docket";
}
