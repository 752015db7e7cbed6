/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The server's start: sockets, then the user, then keys, then the workers. */
#include "server/server.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/user.h"
#include "server/notify.h"
#include "server/sockets.h"
#include "server/supervisor.h"

/* CONFIG: somebody must change something. TEMPFAIL: trying again may help. */
static int
exit_code(int error)
{
	switch (error) {
	case -ENAMETOOLONG:
	case -ENOENT:
	case -EPERM:
	case -EEXIST:
	case -EPROTOTYPE:
		return EX_CONFIG;
	case -EADDRINUSE:
		return EX_TEMPFAIL;
	default:
		return EX_OSERR;
	}
}

/* As the user, with the sockets open: what is left can only fail for the
 * settings' or the keys' sake. */
static int
run_unprivileged(const struct server_config *config,
    struct settings *settings, const struct listener *listeners)
{
	struct crew *crew;

	/* The check reads keys into this process. */
	prctl(PR_SET_DUMPABLE, 0);
	if (config->check && config->check(settings, stderr) != 0)
		return EX_CONFIG;
	crew = crew_new(settings);
	if (!crew)
		return EX_OSERR;
	return supervisor_run(config, listeners, crew);
}

int
server_run(const struct server_config *config, struct settings *settings)
{
	struct listener listeners[SERVER_GROUPS];
	struct account user;
	int code = EX_CONFIG;
	int r;

	log_format(settings->server_log_format, JOURNAL_SOCKET);
	notify_init();
	if (user_find(settings->server_user, stderr, &user) < 0)
		goto out;
	r = sockets_open(settings, &user, listeners);
	if (r < 0) {
		code = exit_code(r);
		goto out;
	}
	if (user_become(&user, stderr) == 0)
		code = run_unprivileged(config, settings, listeners);
	sockets_close(listeners);
out:
	settings_done(settings);
	return code;
}
