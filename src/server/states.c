/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The supervisor's state table and its restart intensity, free of I/O. */
#include "server/states.h"

#include <assert.h>
#include <stddef.h>

#define STAY(state, act) { STATE_##state, ACT_##act }
#define GO(state, act) { STATE_##state, ACT_##act }

/* Every state answers every event. GONE outside DRAINING and KILLING cannot
 * last: the dead are replaced. A second TERM while draining changes nothing:
 * systemd and ./dev stop may both send one. */
static const struct step steps[STATE__MAX][EVENT__MAX] = {
	[STATE_STARTING] = {
		[EVENT_READY]	= GO(RUNNING, ANNOUNCE),
		[EVENT_HUP]	= STAY(STARTING, LATER),
		[EVENT_TERM]	= GO(DRAINING, DRAIN),
		[EVENT_REFUSED]	= GO(DRAINING, FAIL),
		[EVENT_BROKEN]	= GO(DRAINING, FAIL),
		[EVENT_LATE]	= STAY(STARTING, NONE),
		[EVENT_GONE]	= STAY(STARTING, NONE),
	},
	[STATE_RUNNING] = {
		[EVENT_READY]	= STAY(RUNNING, NONE),
		[EVENT_HUP]	= GO(RELOADING, RELOAD),
		[EVENT_TERM]	= GO(DRAINING, DRAIN),
		[EVENT_REFUSED]	= STAY(RUNNING, NONE),
		[EVENT_BROKEN]	= GO(DRAINING, FAIL),
		[EVENT_LATE]	= STAY(RUNNING, NONE),
		[EVENT_GONE]	= STAY(RUNNING, NONE),
	},
	[STATE_RELOADING] = {
		[EVENT_READY]	= GO(RUNNING, COMMIT),
		[EVENT_HUP]	= STAY(RELOADING, LATER),
		[EVENT_TERM]	= GO(DRAINING, DRAIN),
		[EVENT_REFUSED]	= GO(RUNNING, KEEP),
		[EVENT_BROKEN]	= GO(DRAINING, FAIL),
		[EVENT_LATE]	= GO(RUNNING, KEEP),
		[EVENT_GONE]	= STAY(RELOADING, NONE),
	},
	[STATE_DRAINING] = {
		[EVENT_READY]	= STAY(DRAINING, NONE),
		[EVENT_HUP]	= STAY(DRAINING, NONE),
		[EVENT_TERM]	= STAY(DRAINING, NONE),
		[EVENT_REFUSED]	= STAY(DRAINING, NONE),
		[EVENT_BROKEN]	= STAY(DRAINING, NONE),
		[EVENT_LATE]	= GO(KILLING, KILL),
		[EVENT_GONE]	= STAY(DRAINING, EXIT),
	},
	[STATE_KILLING] = {
		[EVENT_READY]	= STAY(KILLING, NONE),
		[EVENT_HUP]	= STAY(KILLING, NONE),
		[EVENT_TERM]	= STAY(KILLING, NONE),
		[EVENT_REFUSED]	= STAY(KILLING, NONE),
		[EVENT_BROKEN]	= STAY(KILLING, NONE),
		[EVENT_LATE]	= STAY(KILLING, KILL),
		[EVENT_GONE]	= STAY(KILLING, EXIT),
	},
};

static const char *const names[STATE__MAX] = {
	[STATE_STARTING] = "starting",
	[STATE_RUNNING] = "running",
	[STATE_RELOADING] = "reloading",
	[STATE_DRAINING] = "draining",
	[STATE_KILLING] = "killing",
};

struct step
state_step(enum state state, enum event event)
{
	assert(state < STATE__MAX && event < EVENT__MAX);
	return steps[state][event];
}

const char *
state_name(enum state state)
{
	assert(state < STATE__MAX);
	return names[state];
}

bool
intensity_hit(struct intensity *i, unsigned max_r, int64_t max_t_ms,
    int64_t now_ms)
{
	unsigned recent = 0;

	assert(max_r < INTENSITY_MAX);
	i->at_ms[i->next] = now_ms;
	i->next = (i->next + 1) % INTENSITY_MAX;
	if (i->n < INTENSITY_MAX)
		i->n++;
	for (unsigned k = 0; k < i->n; k++)
		recent += now_ms - i->at_ms[k] < max_t_ms;
	return recent > max_r;
}
