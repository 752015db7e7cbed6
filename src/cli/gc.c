/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket gc: one sweep, for a timer. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "store/changes.h"
#include "store/gc.h"
#include "store/observe.h"

int
cli_gc(struct cli *cli)
{
	const struct settings *s = &cli->settings;
	struct gc_counts n;
	int64_t changes = 0;
	int error = store_gc(cli->db, cli->mem, s->audit_keep,
	    s->tasks_trash_days, &n);

	if (error == 0)
		error = store_changes_trim(cli->db, cli->mem,
		    s->tasks_changes_days * 86400, &changes);
	if (error == 0)
		error = store_observe_gc(cli->db, cli->mem);
	if (error)
		return cli_fail("gc", error);
	printf("codes %" PRId64 ", budgets %" PRId64 ", windows %" PRId64
	    ", replies %" PRId64 ", sessions %" PRId64 ", tasks %" PRId64
	    ", changes %" PRId64 ", audit %" PRId64 "\n", n.otps, n.budgets,
	    n.attempts, n.idempotency, n.sessions, n.tasks, changes, n.audit);
	return 0;
}
