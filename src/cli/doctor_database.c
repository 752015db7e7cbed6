/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Doctor, the database's part: durability, rights, schema, outbox, sweeping. */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/doctor.h"

#ifndef DOCKET_MIGRATIONS_DIR
#define DOCKET_MIGRATIONS_DIR "/usr/share/docket/migrations"
#endif

#define LATE_WARN 60
#define LATE_FAIL 600
#define OLDEST 150000

static const char start[] = "systemctl status postgresql, pg_lsclusters; "
    "docket config show database";

/* False, and said: there is nothing to look at. */
static bool
known(struct doctor *d, bool it)
{
	if (it)
		return true;
	if (d->server_known)
		doctor_tell(d, DOCTOR_FAIL, "docket migrate, or a newer "
		    "docket: the two do not fit", "the schema is not this "
		    "version's, or the role may not look at it");
	else
		doctor_tell(d, DOCTOR_FAIL, "see database",
		    "cannot be asked: the database does not answer");
	return false;
}

static void
database_look(struct doctor *d)
{
	const struct doctor_server *s = &d->server;

	if (!d->server_known) {
		doctor_tell(d, DOCTOR_FAIL, start, "does not answer");
		return;
	}
	if (s->standby)
		doctor_tell(d, DOCTOR_FAIL, "point database.dsn at the "
		    "primary: host=a,b target_session_attrs=read-write",
		    "is a standby: nothing can be written");
	if (s->read_only)
		doctor_tell(d, DOCTOR_FAIL, "ALTER DATABASE, or ALTER ROLE, "
		    "... RESET default_transaction_read_only",
		    "was made read-only: nothing can be written");
	if (s->version < OLDEST)
		doctor_tell(d, DOCTOR_FAIL, "pg_upgradecluster", "version "
		    "%" PRId64 ", older than 15", s->version / 10000);
	doctor_tell(d, DOCTOR_OK, NULL, "PostgreSQL %" PRId64 ".%" PRId64
	    " answers", s->version / 10000, s->version % 10000);
}

/* What was acknowledged must be there after the lights went out. */
static void
durability_look(struct doctor *d)
{
	static const char on[] = "ALTER SYSTEM SET ... = on, as "
	    "postgres, then systemctl reload postgresql";

	if (!known(d, d->server_known))
		return;
	if (!d->server.fsync)
		doctor_tell(d, DOCTOR_FAIL, on, "fsync is off: a crash can "
		    "destroy the whole database");
	if (!d->server.full_pages)
		doctor_tell(d, DOCTOR_FAIL, on, "full_page_writes is off: a "
		    "crash can destroy tables");
	if (!d->server.commits)
		doctor_tell(d, DOCTOR_FAIL, on, "synchronous_commit is %.*s: "
		    "a crash loses what was acknowledged",
		    TEXT_FMT(d->server.commit));
	doctor_tell(d, DOCTOR_OK, NULL, "fsync, full_page_writes and "
	    "synchronous_commit (%.*s) are as they should",
	    TEXT_FMT(d->server.commit));
}

/* As the supervisor works out `auto`. */
static void
connections_look(struct doctor *d)
{
	const struct settings *s = &d->settings;
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const long hash = cores > 1 ? 2 * cores : 2;
	const long wanted = (s->server_workers ? s->server_workers :
	    4 * cores) + (s->server_auth_workers ? s->server_auth_workers :
	    hash) + 2 * s->courier_senders + 4;

	if (!known(d, d->server_known))
		return;
	if (wanted > d->server.connections)
		doctor_tell(d, DOCTOR_FAIL, "raise max_connections, or lower "
		    "server.workers", "docket may open %ld connections, "
		    "PostgreSQL takes %" PRId64, wanted,
		    d->server.connections);
	if (d->server.used * 10 > d->server.connections * 9)
		doctor_tell(d, DOCTOR_WARN, "pg_stat_activity says whose they "
		    "are",
		    "%" PRId64 " of %" PRId64 " connections are taken",
		    d->server.used, d->server.connections);
	doctor_tell(d, DOCTOR_OK, NULL, "%" PRId64 " of %" PRId64
	    " in use; docket may open %ld", d->server.used,
	    d->server.connections, wanted);
}

static void
rights_look(struct doctor *d)
{
	static const char next[] = "take it away as postgres (ALTER ROLE, "
	    "REVOKE): the service needs none of it";

	if (!known(d, d->schema_known))
		return;
	if (d->server.excess.s)
		doctor_tell(d, DOCTOR_FAIL, next, "the role of the API %.*s",
		    TEXT_FMT(d->server.excess));
	if (d->schema.excess.s)
		doctor_tell(d, DOCTOR_FAIL, next, "the role of the API %.*s",
		    TEXT_FMT(d->schema.excess));
	doctor_tell(d, DOCTOR_OK, NULL, "the role of the API may do its work "
	    "and no more");
}

/* ---- schema ---- */

static int
is_migration(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]) &&
	    strlen(entry->d_name) > 4 &&
	    strcmp(entry->d_name + strlen(entry->d_name) - 4, ".sql") == 0;
}

/* They have no gaps: how many is the number of the last one. -1: no folder. */
static int
migrations_here(const struct doctor *d)
{
	const char *dir = cli_value(d->cli, OPT_dir);
	struct dirent **names;
	const int n = scandir(dir ? dir : DOCKET_MIGRATIONS_DIR, &names,
	    is_migration, alphasort);

	for (int i = 0; i < n; i++)
		free(names[i]);
	if (n >= 0)
		free(names);
	return n;
}

static void
schema_look(struct doctor *d)
{
	const int here = migrations_here(d);

	if (!known(d, d->schema_known))
		return;
	if (here > d->schema.migration)
		doctor_tell(d, DOCTOR_FAIL, "docket migrate", "%" PRId64
		    " migrations are applied, this version has %d",
		    d->schema.migration, here);
	if (here > 0 && here < d->schema.migration)
		doctor_tell(d, DOCTOR_FAIL, "install the version that the "
		    "database is of", "%" PRId64 " migrations are applied, "
		    "this version has only %d", d->schema.migration, here);
	if (here < 0)
		doctor_tell(d, DOCTOR_OK, NULL, "%" PRId64 " migrations are "
		    "applied; none are installed to compare with",
		    d->schema.migration);
	doctor_tell(d, DOCTOR_OK, NULL, "current: %" PRId64 " migrations",
	    d->schema.migration);
}

static void
sweep_look(struct doctor *d)
{
	if (!known(d, d->schema_known))
		return;
	if (d->schema.unswept)
		doctor_tell(d, DOCTOR_WARN, "docket gc now, and systemctl "
		    "enable --now docket-gc.timer", "what has expired for "
		    "hours is still there: docket gc does not run");
	doctor_tell(d, DOCTOR_OK, NULL, "nothing waits that docket gc should "
	    "have taken away");
}

/* ---- messages ---- */

static void
outbox_look(struct doctor *d)
{
	const struct doctor_outbox *o = &d->outbox;
	const int64_t late = d->outbox_known && o->due_since != TIME_NONE ?
	    (d->server.now - o->due_since) / TIME_SECOND : 0;

	if (!known(d, d->outbox_known))
		return;
	if (late > LATE_WARN)
		doctor_tell(d, late > LATE_FAIL ? DOCTOR_FAIL : DOCTOR_WARN,
		    "systemctl status docket-courier; docket queue list",
		    "a message has been due for %" PRId64 " s, of %" PRId64,
		    late, o->letters);
	if (o->dead > 0)
		doctor_tell(d, DOCTOR_WARN, "docket queue list --state dead "
		    "says why", "%" PRId64 " could not be delivered in the "
		    "last 24 h", o->dead);
	doctor_tell(d, DOCTOR_OK, NULL, "%" PRId64 " waiting", o->letters);
}

static void
breaker_look(struct doctor *d)
{
	if (!known(d, d->outbox_known))
		return;
	if (d->outbox.broken.s)
		doctor_tell(d, DOCTOR_FAIL, "docket queue list says the last "
		    "error; journalctl -u docket-courier", "open: %.*s: its "
		    "way out fails", TEXT_FMT(d->outbox.broken));
	if (d->outbox.held.s)
		doctor_tell(d, DOCTOR_WARN, "docket queue retry --channel "
		    "when it may go on", "held by an administrator: %.*s",
		    TEXT_FMT(d->outbox.held));
	doctor_tell(d, DOCTOR_OK, NULL, "closed: every channel goes out");
}

static const struct doctor_check checks[] = {
	{ "database", database_look },
	{ "durability", durability_look },
	{ "connections", connections_look },
	{ "rights", rights_look },
	{ "schema", schema_look },
	{ "sweeping", sweep_look },
	{ "messages", outbox_look },
	{ "breaker", breaker_look },
};

const struct doctor_part doctor_database = {
	checks, sizeof(checks) / sizeof(checks[0])
};
