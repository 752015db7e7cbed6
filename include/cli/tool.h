/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Other programs, run by their arguments: no shell, nothing put together. */
#ifndef DOCKET_CLI_TOOL_H
#define DOCKET_CLI_TOOL_H

#include <stdbool.h>

#include "base/arena.h"

struct tool {
	const char *const *argv;	/* argv[0]: a path, or a name that is
					 * looked for where systems have them */
	const char *user;	/* whom it is run as; NULL: ourselves */
	struct text input;	/* its standard input; TEXT_NONE: empty */
	int in, out;		/* open files instead of input, of ret->out;
				 * 0: none */
	long seconds;		/* it is ended after that; 0: it takes its
				 * time */
	void (*tick)(void *arg);	/* called now and then while it runs */
	void *arg;
};

struct tool_end {
	int code;		/* 0 to 255; -1: not run, or ended by a
				 * signal: err says why */
	struct text out, err;	/* what it wrote, without the last newline;
				 * NUL-terminated, at most 4 MiB */
};

/* The path of a program: beside this one, then in the system's folders. NULL:
 * it is not installed. */
const char *tool_find(struct arena *mem, const char *name);
/* Run it to its end; ret->code. Its environment is ours without the
 * variables that change what PostgreSQL's programs connect to. */
int tool_run(struct arena *mem, const struct tool *tool, struct tool_end *ret);
/* From true to false, SIGHUP, SIGINT and SIGTERM end the program that is run
 * instead of us, so that what we began we can tell, or take back. */
void tool_hold(bool hold);
/* This very program again, with another command. */
const char *tool_self(struct arena *mem);

#endif
