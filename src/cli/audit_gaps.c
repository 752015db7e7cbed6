/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Ids that were drawn and not seen yet, so that late entries are not lost. */
#include <inttypes.h>
#include <string.h>

#include "cli/audit.h"

static void
gap_drop(struct audit_gaps *gaps, size_t i)
{
	gaps->n--;
	memmove(&gaps->v[i], &gaps->v[i + 1],
	    (gaps->n - i) * sizeof(gaps->v[0]));
}

static void
gap_add(struct audit_gaps *gaps, int64_t id, int64_t now)
{
	if (gaps->n == GAPS_MAX)
		gap_drop(gaps, 0);
	gaps->v[gaps->n++] = (struct audit_gap){ id, now + GAP_MS };
}

void
audit_gaps_seen(struct audit_gaps *gaps, int64_t id, int64_t now)
{
	const int64_t most = GAPS_MAX;
	int64_t missing = id - most > gaps->last ? id - most : gaps->last + 1;

	if (id > gaps->last) {
		for (; missing < id; missing++)
			gap_add(gaps, missing, now);
		gaps->last = id;
		return;
	}
	for (size_t i = 0; i < gaps->n; i++)
		if (gaps->v[i].id == id) {
			gap_drop(gaps, i);
			return;
		}
}

struct texts
audit_gaps_ids(struct audit_gaps *gaps, struct arena *mem, int64_t now)
{
	struct texts ret;

	while (gaps->n > 0 && gaps->v[0].until_ms <= now)
		gap_drop(gaps, 0);
	ret = (struct texts){
		arena_array(mem, gaps->n + 1, sizeof(*ret.v)), gaps->n };
	for (size_t i = 0; i < gaps->n; i++)
		ret.v[i] = text_of(arena_printf(mem, "%" PRId64,
		    gaps->v[i].id));
	return ret;
}
