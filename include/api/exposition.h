/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Metrics as text: OpenMetrics 1.0, or Prometheus' older format 0.0.4. */
#ifndef DOCKET_API_EXPOSITION_H
#define DOCKET_API_EXPOSITION_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/metrics.h"

struct exposition {
	struct buf *out;
	bool open;		/* OpenMetrics, which ends with # EOF */
	enum family family;	/* whose samples are being written */
};

/* TYPE, UNIT and HELP of a family; its samples follow. */
void exposition_family(struct exposition *x, enum family family);
/* One sample of it. labels: name="value",... with nothing to escape, or "". */
void exposition_int(struct exposition *x, const char *labels, int64_t value);
/* Likewise, the value in thousandths. */
void exposition_milli(struct exposition *x, const char *labels, int64_t value);
/* _bucket, _sum and _count of a histogram in seconds. */
void exposition_spread(struct exposition *x, const char *labels,
    const struct metrics_spread *spread);
void exposition_end(struct exposition *x);

#endif
