/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Finds the account of the service, and calls its programs. */
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

const char *
service_courier(struct arena *mem, const struct settings *settings)
{
	if (!settings->server_user[0] && getpwnam("docket-courier"))
		return "docket-courier";
	return service_user(mem, settings);
}

const char *const *
service_words(const struct cli *cli, const char *program, const char *flag)
{
	const size_t n = cli->source.n_sets;
	const char **argv = arena_array(cli->mem, 2 * n + 5, sizeof(*argv));
	size_t words = 0;

	argv[words++] = program;
	if (cli->source.file) {
		argv[words++] = "-c";
		argv[words++] = cli->source.file;
	}
	for (size_t i = 0; i < n; i++) {
		argv[words++] = "--set";
		argv[words++] = cli->source.sets[i];
	}
	argv[words++] = flag;
	argv[words] = NULL;
	return argv;
}
