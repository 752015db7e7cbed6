/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* GET /metrics of the running service over its own socket, and its samples. */
#ifndef DOCKET_CLI_SCRAPE_H
#define DOCKET_CLI_SCRAPE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

/*
 * One FastCGI request, as nginx would make it, for `target` (a path, with or
 * without a query) over the socket of a worker group: the body of a 200 into
 * ret_body. NULL, or why there is none: static words, or errno's.
 */
const char *cli_ask(const char *path, const char *target,
    struct buf *ret_body);

struct sample {
	struct text name, labels;	/* name="value",... */
	double value;
};

struct scrape {
	struct sample *v;
	size_t n;
	int64_t at_ms;		/* clock_mono_ms */
};

/* The samples of an OpenMetrics text, which has to live as long. */
void scrape_parse(struct arena *mem, struct text text, struct scrape *ret);
/* The sum of all of that name whose labels hold `label` (one name="value";
 * NULL: whatever they are). NAN when there is none. */
double scrape_sum(const struct scrape *scrape, const char *name,
    const char *label);
/* The value of a label, or TEXT_NONE. */
struct text scrape_label(const struct sample *sample, const char *key);
/* Below which a share q (0..1) of a histogram's observations lies, in its
 * unit; NAN: nothing was observed. Over all of its series. */
double scrape_quantile(const struct scrape *scrape, const char *name,
    double q);

#endif
