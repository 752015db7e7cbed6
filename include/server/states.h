/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The supervisor's rules as pure functions: states and restart intensity. */
#ifndef DOCKET_SERVER_STATES_H
#define DOCKET_SERVER_STATES_H

#include <stdbool.h>
#include <stdint.h>

enum state {
	STATE_STARTING,		/* the first workers are not all ready */
	STATE_RUNNING,
	STATE_RELOADING,	/* the workers of new settings get ready */
	STATE_DRAINING,		/* told to stop; requests in hand are ended */
	STATE_KILLING,		/* the time for that is up */
	STATE__MAX
};

enum event {
	EVENT_READY,		/* every worker that was waited for is ready */
	EVENT_HUP,		/* asked to reload */
	EVENT_TERM,		/* asked to stop */
	EVENT_REFUSED,		/* the new settings, or a worker with them */
	EVENT_BROKEN,		/* workers die too often before they serve */
	EVENT_LATE,		/* drain_seconds are up */
	EVENT_GONE,		/* no worker is left */
	EVENT__MAX
};

enum act {
	ACT_NONE,
	ACT_ANNOUNCE,		/* tell systemd that we are ready */
	ACT_RELOAD,		/* read the settings, fork new workers */
	ACT_LATER,		/* remember the reload until this one is done */
	ACT_COMMIT,		/* new workers take over, old ones drain */
	ACT_KEEP,		/* drop the new workers, keep the old */
	ACT_DRAIN,
	ACT_FAIL,		/* drain, and exit with what went wrong */
	ACT_KILL,
	ACT_EXIT,
	ACT__MAX
};

struct step {
	enum state next;
	enum act act;
};

struct step state_step(enum state state, enum event event);
const char *state_name(enum state state);

#define INTENSITY_MAX 128

/* The instants of the last deaths; zeroed at first. */
struct intensity {
	int64_t at_ms[INTENSITY_MAX];
	unsigned n, next;
};

/* Note one death. True when it is more than max_r (< INTENSITY_MAX) of them
 * within max_t_ms. */
bool intensity_hit(struct intensity *i, unsigned max_r, int64_t max_t_ms,
    int64_t now_ms);

#endif
