/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A program that sends one letter: started, fed, waited for, judged. */
#ifndef DOCKET_COURIER_CHILD_H
#define DOCKET_COURIER_CHILD_H

#include <stdbool.h>

#include "courier/way.h"

#define CHILD_SAID 512

struct child {
	const char *const *argv;	/* the path first; NULL at the end */
	const char *const *env;		/* all of it; NULL at the end */
	struct text input;
	int64_t until_ms;		/* clock_mono_ms */
};

struct child_end {
	int error;		/* errno: it did not start, nothing else holds */
	bool killed;		/* its time was up */
	int status;		/* waitpid's */
	char out[CHILD_SAID];	/* the first that it wrote */
	char err[CHILD_SAID];
};

/*
 * No shell. The program has its input, two outputs of which the first bytes
 * are kept, no other descriptor of ours, no blocked signal, / as its folder and
 * a process group of its own, which is killed when the time is up. It is done
 * when it ends, whatever it leaves running in the background.
 */
void child_run(const struct child *child, struct child_end *ret);

/*
 * By sysexits: 0 sent; EX_DATAERR, EX_NOUSER, EX_NOHOST and EX_NOPERM never;
 * EX_TEMPFAIL later; anything else, a signal and the end of its time too, later
 * and the way is down. What it said first on its error output is the reason.
 */
void child_outcome(const struct child_end *end, struct arena *mem,
    const struct letter *letter, const char *what, struct outcome *ret);

/* When a letter that is taken up now must be through. */
int64_t child_until(const struct letter *letter, long send_seconds);

/* PATH and LC_ALL, room for two more. */
extern const char *const child_env[5];

/* Whether `path` is a program that we may run; else a line to `errors`. */
bool child_check(const char *setting, const char *path, FILE *errors);

#endif
