/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Metrics as text. The two formats differ in a counter's name: OpenMetrics
 * declares it without the _total that its sample has. */
#include "api/exposition.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const types[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
	[METRIC_INFO] = "info",
};

static const char *const suffixes[] = {
	[METRIC_COUNTER] = "_total",
	[METRIC_GAUGE] = "",
	[METRIC_HISTOGRAM] = "",
	[METRIC_INFO] = "_info",
};

static void
declare(struct exposition *x, const char *what, const char *value)
{
	const struct family_row *row = &family_rows[x->family];

	buf_printf(x->out, "# %s %s%s %s\n", what, row->name,
	    x->open ? "" : suffixes[row->type], value);
}

void
exposition_family(struct exposition *x, enum family family)
{
	const struct family_row *row = &family_rows[family];
	/* The older format has no info: a gauge that is always 1. */
	const bool plain_info = row->type == METRIC_INFO && !x->open;

	x->family = family;
	declare(x, "TYPE", types[plain_info ? METRIC_GAUGE : row->type]);
	if (x->open && row->unit[0])
		declare(x, "UNIT", row->unit);
	declare(x, "HELP", row->help);
}

static void
name(struct exposition *x, const char *suffix, const char *labels)
{
	buf_puts(x->out, family_rows[x->family].name);
	buf_puts(x->out, suffix);
	if (labels[0])
		buf_printf(x->out, "{%s}", labels);
	buf_putc(x->out, ' ');
}

void
exposition_int(struct exposition *x, const char *labels, int64_t value)
{
	name(x, suffixes[family_rows[x->family].type], labels);
	buf_int(x->out, value);
	buf_putc(x->out, '\n');
}

void
exposition_milli(struct exposition *x, const char *labels, int64_t value)
{
	name(x, suffixes[family_rows[x->family].type], labels);
	buf_printf(x->out, "%" PRId64 ".%03" PRId64 "\n", value / 1000,
	    value % 1000);
}

/* Canonical numbers: 0.0005, 0.25, 1.0 (OpenMetrics 1.0, histogram). */
static void
bound(struct buf *out, int64_t us)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64,
	    us / 1000000, us % 1000000);

	while (text[n - 1] == '0' && text[n - 2] != '.')
		n--;
	buf_put(out, text, (size_t)n);
}

void
exposition_spread(struct exposition *x, const char *labels,
    const struct metrics_spread *spread)
{
	const char *family = family_rows[x->family].name;
	uint64_t n = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		n += spread->buckets[i];
		buf_printf(x->out, "%s_bucket{%s%sle=\"", family, labels,
		    labels[0] ? "," : "");
		if (i < METRICS_BUCKETS - 1)
			bound(x->out, metrics_bounds[i]);
		else
			buf_puts(x->out, "+Inf");
		buf_printf(x->out, "\"} %" PRIu64 "\n", n);
	}
	name(x, "_sum", labels);
	buf_printf(x->out, "%" PRIu64 ".%06" PRIu64 "\n",
	    spread->sum_us / 1000000, spread->sum_us % 1000000);
	name(x, "_count", labels);
	buf_printf(x->out, "%" PRIu64 "\n", n);
}

void
exposition_end(struct exposition *x)
{
	if (x->open)
		buf_puts(x->out, "# EOF\n");
}
