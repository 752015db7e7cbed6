/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What docket status found, and its two ways to tell it. */
#ifndef DOCKET_CLI_STATUS_H
#define DOCKET_CLI_STATUS_H

#include "base/settings.h"
#include "cli/scrape.h"

/* Exit codes as monitors take them: fine; somebody should look; it does not
 * serve. */
enum status_level { STATUS_FINE, STATUS_DEGRADED, STATUS_DOWN };

#define STATUS_PROBLEMS 16

struct status {
	const struct settings *settings;
	struct scrape scrape;	/* n = 0: nobody told */
	double rate;		/* requests a second; NAN */
	int64_t now;		/* Unix seconds */
	char key[128];		/* the one that signs, or why not known */
	enum status_level level;
	char problems[STATUS_PROBLEMS][160];
	size_t n_problems;
};

/* A figure of it; NAN: nobody told. */
static inline double
status_value(const struct status *s, const char *name, const char *label)
{
	return scrape_sum(&s->scrape, name, label);
}

void status_print(const struct status *s);
/* One object, every member always there: what is not known is null. */
void status_print_json(const struct status *s);

#endif
