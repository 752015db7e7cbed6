/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A crew: the workers of both groups that run with one set of settings. */
#ifndef DOCKET_SERVER_CREW_H
#define DOCKET_SERVER_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/gate.h"
#include "base/limiter.h"
#include "base/settings.h"
#include "server/handover.h"
#include "server/scoreboard.h"
#include "server/server.h"
#include "server/sockets.h"

struct crew_member {
	pid_t pid;		/* 0 = to be forked */
	bool killed;		/* because it hung */
	int group;
	char name[16];		/* "main.3": also its name in the log */
};

/* What a fork needs and all crews share. */
struct crew_shared {
	const struct server_config *config;
	const struct listener *listeners;	/* SERVER_GROUPS */
	struct handover handovers[SERVER_GROUPS];
	struct limiter *limiter;	/* what has been used up stays so */
	struct metrics *metrics;	/* and what has been counted */
	int ready_fd;
	int close_fd;		/* the supervisor's own; closed in children */
};

/*
 * Each crew has settings, a gate and a scoreboard of its own, so a reload may
 * change any number. A member's index is its number at the gate and its cell
 * on the board.
 */
struct crew {
	struct settings settings;
	struct gate *gate;
	struct scoreboard board;
	struct crew_member *members;
	unsigned n;
};

/* What lasts from the start to the end. False: no memory, or no descriptors;
 * undone all the same. */
bool crew_share(struct crew_shared *shared, const struct server_config *config,
    const struct listener *listeners);
void crew_unshare(struct crew_shared *shared);

/* Workers per group: the settings' number, or worked out from the cores. */
unsigned crew_size(const struct settings *settings, int group, long cores);

/* Takes the settings over on success only. NULL: no memory. */
struct crew *crew_new(struct settings *settings);
/* Every worker must be gone. */
void crew_free(struct crew *crew);

/* Fork whoever is missing. False when a fork failed; call again later. */
bool crew_fill(struct crew *crew, const struct crew_shared *shared);
/* Everybody is there and can serve. */
bool crew_is_ready(const struct crew *crew);
/* Living members of a group; -1 = of all. */
unsigned crew_alive(const struct crew *crew, int group);
/* How many of a crew that leaves (NULL: none does) are left: for whoever counts
 * workers and sees the crew that serves alone. */
void crew_tell_leaving(const struct crew *crew);
/* Signal a group; -1 = all. */
void crew_signal(const struct crew *crew, int group, int signo);
/* KILL whoever is busy with one thing, or silent, for four deadlines and at
 * least 5 s. */
void crew_kill_hung(struct crew *crew, int64_t now_ms);

/* What is known of a death. */
struct crew_death {
	const char *name;
	uint64_t served;
	bool ready;		/* it got as far as serving */
	int code;		/* exit code, or -1: a signal */
	int signo;
};

/* Is pid ours? Then clear its place, log it and say what is known. */
bool crew_buried(struct crew *crew, pid_t pid, int status,
    struct crew_death *ret);

#endif
