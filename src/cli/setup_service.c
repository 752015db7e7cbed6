/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Setup, the last part: the services run, and the API answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/setup.h"

#define READY_SECONDS 30
#define ASK_SECONDS 5

/* ---- settings, keys and routes, as the service will find them ---- */

static int
check_run(struct setup *s, struct tool_end *ret)
{
	const char *const argv[] = {
		"docketd", "-c", setup_conf(s), "--check", NULL,
	};
	const struct tool tool = {
		.argv = argv, .user = s->user, .seconds = 60,
	};

	return tool_run(s->mem, &tool, ret);
}

static enum setup_state
check_look(struct setup *s)
{
	struct tool_end end;

	if (check_run(s, &end) == 0)
		return setup_say(s, SETUP_DONE, "%s can read settings and "
		    "keys, and they are good", s->user);
	if (s->dry)
		return setup_say(s, SETUP_SKIP, "to be looked at when the "
		    "steps above are done");
	s->next = arena_printf(s->mem, "docketd --check as %s names all of it",
	    s->user);
	return setup_say(s, SETUP_FAULT, "%.*s",
	    TEXT_FMT(end.err.n ? end.err : TEXT("docketd --check failed")));
}

/* ---- units ---- */

static const char *const units[] = {
	"docket.socket", "docket-auth.socket", "docket.service",
	"docket-courier.service", "docket-gc.timer", "docket.target",
};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

bool
setup_systemd(const struct setup *s)
{
	return !s->root[0] && access("/run/systemd/system", F_OK) == 0;
}

/* Of ours, those that are installed. */
static bool
unit_there(const struct setup *s, const char *unit)
{
	static const char *const folders[] = {
		"/etc/systemd/system", "/usr/lib/systemd/system",
		"/lib/systemd/system", "/usr/local/lib/systemd/system",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (access(arena_printf(s->mem, "%s/%s", folders[i], unit),
		    F_OK) == 0)
			return true;
	return false;
}

static bool
systemctl(struct setup *s, const char *verb, const char *unit)
{
	const char *const argv[] = {
		"systemctl", "--quiet", verb, unit, NULL,
	};
	const struct tool tool = { .argv = argv, .seconds = 90 };
	struct tool_end end;

	return tool_run(s->mem, &tool, &end) == 0;
}

static enum setup_state
units_look(struct setup *s)
{
	const char *idle = "";

	if (!setup_systemd(s))
		return setup_say(s, SETUP_SKIP, "systemd does not run here: "
		    "start docketd and docket-courier your own way");
	if (!unit_there(s, "docket.service"))
		return setup_say(s, SETUP_SKIP, "no unit docket.service is "
		    "installed: start docketd and docket-courier your own "
		    "way");
	for (size_t i = 0; i < N_UNITS; i++)
		if (unit_there(s, units[i]) &&
		    (!systemctl(s, "is-active", units[i]) ||
		    !systemctl(s, "is-enabled", units[i])))
			idle = arena_printf(s->mem, "%s %s", idle, units[i]);
	return *idle ? setup_say(s, SETUP_TODO, "enable and start%s", idle) :
	    setup_say(s, SETUP_DONE, "enabled and active");
}

/* After a run that ended early the sockets may have tried too often. */
static int
units_act(struct setup *s)
{
	const char *argv[N_UNITS + 4] = { "systemctl", "enable", "--now" };
	const struct tool tool = { .argv = argv, .seconds = 180 };
	struct tool_end end;
	size_t n = 3;

	for (size_t i = 0; i < N_UNITS; i++) {
		if (!unit_there(s, units[i]))
			continue;
		argv[n++] = units[i];
		(void)systemctl(s, "reset-failed", units[i]);
	}
	if (tool_run(s->mem, &tool, &end) == 0)
		return 0;
	return setup_tool_fail(s, "systemctl enable --now", &end,
	    "journalctl -u docket -u docket-courier -n 20 says why; mend it, "
	    "then run this again");
}

/* ---- does it answer? ---- */

/* The very way that a client comes, but for the network. */
int
setup_ready(struct setup *s)
{
	const char *const argv[] = {
		"openssl", "s_client", "-quiet", "-connect",
		arena_printf(s->mem, "127.0.0.1:%ld", s->port),
		"-servername", s->domain, NULL,
	};
	const struct tool tool = {
		.argv = argv, .seconds = ASK_SECONDS,
		.input = text_of(arena_printf(s->mem, "GET /readyz HTTP/1.1\r\n"
		    "Host: %s\r\nConnection: close\r\n\r\n", s->domain)),
	};
	struct tool_end end;

	(void)tool_run(s->mem, &tool, &end);
	if (end.out.n < 12 || strncmp(end.out.s, "HTTP/1.", 7) != 0)
		return 0;
	return (int)strtol(end.out.s + 9, NULL, 10);
}

static enum setup_state
ready_look(struct setup *s)
{
	const int status = setup_ready(s);

	if (status == 200)
		return setup_say(s, SETUP_DONE, "https://%s/readyz answers "
		    "200", s->domain);
	if (!setup_systemd(s) || !unit_there(s, "docket.service"))
		return setup_say(s, SETUP_SKIP, "https://%s/readyz does not "
		    "answer 200 yet", s->domain);
	return setup_say(s, SETUP_TODO, "wait until https://%s/readyz answers "
	    "200%s", s->domain, status == 0 ? "" :
	    arena_printf(s->mem, " (it answers %d)", status));
}

static int
ready_act(struct setup *s)
{
	const struct timespec pause = { .tv_nsec = 250000000 };
	const time_t until = time(NULL) + READY_SECONDS;
	int status;

	while ((status = setup_ready(s)) != 200 && time(NULL) < until)
		nanosleep(&pause, NULL);
	if (status == 200)
		return 0;
	return setup_fail(s, EX_UNAVAILABLE, "docket doctor says which part is "
	    "not well; journalctl -u docket -u nginx -n 30", "https://%s/readyz"
	    " does not answer 200 after %d s (%s)", s->domain, READY_SECONDS,
	    status == 0 ? "no answer" : arena_printf(s->mem, "%d", status));
}

static const struct setup_step steps[] = {
	{ "check", check_look, NULL },
	{ "units", units_look, units_act },
	{ "ready", ready_look, ready_act },
};

const struct setup_part setup_service = {
	steps, sizeof(steps) / sizeof(steps[0])
};
