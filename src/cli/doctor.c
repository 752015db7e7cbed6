/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket doctor: asks once, lets every check look, prints, gives the worst. */
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/doctor.h"

#ifndef DOCKET_CONF
#define DOCKET_CONF "/etc/docket/docket.conf"
#endif

#define CONNECT_MS 3000
#define DEADLINE_MS 10000

static const struct doctor_part *const parts[] = {
	&doctor_host, &doctor_database, &doctor_front,
};

static const char *const levels[] = { "OK", "WARN", "FAIL" };

void
doctor_tell(struct doctor *d, enum doctor_level level, const char *next,
    const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (d->say && level <= d->level)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = *c == '\n' ? ' ' : '?';
	d->level = level;
	d->say = arena_copy(d->mem, line, strlen(line));
	d->next = next;
}

/* ---- the database is asked once ---- */

static struct db *
reach(const struct doctor *d, const char *dsn, const struct stmts *set)
{
	const struct stmts *const sets[] = { set };
	const struct db_config config = {
		.dsn = dsn, .application = "docket-doctor",
		.sets = sets, .n_sets = 1,
		.prepared = strcmp(d->settings.database_prepared, "off") != 0,
		.adapts = strcmp(d->settings.database_prepared, "auto") == 0,
		.deadline_ms = DEADLINE_MS,
	};
	struct db *db = db_new(&config);

	if (db && db_connect(db, CONNECT_MS) == 0)
		return db;
	db_free(db);
	return NULL;
}

static void
ask_server(struct doctor *d)
{
	struct db *db = reach(d, d->settings.database_dsn,
	    &doctor_server_statements);
	const int64_t before = clock_real_us();

	if (db)
		d->server_known = store_doctor_server(db, d->mem,
		    &d->server) == 0;
	if (d->server_known)
		d->data = doctor_data(d->mem, db, &d->server);
	d->asked_at = before + (clock_real_us() - before) / 2;
	db_free(db);
}

/* Each on its own: a schema that is behind hides not what the server says. */
static void
ask(struct doctor *d)
{
	struct db *db;

	ask_server(d);
	if (!d->server_known)
		return;
	db = reach(d, d->settings.database_dsn, &doctor_schema_statements);
	if (db)
		d->schema_known = store_doctor_schema(db, d->mem,
		    &d->schema) == 0;
	db_free(db);
	db = reach(d, d->settings.database_courier_dsn,
	    &doctor_outbox_statements);
	if (db)
		d->outbox_known = store_doctor_outbox(db, d->mem,
		    &d->outbox) == 0;
	db_free(db);
}

/* ---- rows ---- */

static void
row_text(const struct doctor *d, const char *name)
{
	printf("%-5s %-12s %s\n", levels[d->level], name, d->say);
	if (d->next && d->level != DOCTOR_OK)
		printf("%18s next: %s\n", "", d->next);
}

static void
row_json(const struct doctor *d, const char *name, struct buf *out)
{
	buf_puts(out, out->n > 1 ? ",\n" : "");
	buf_name(out, '{', "check");
	buf_json(out, text_of(name));
	buf_name(out, ',', "level");
	buf_json(out, text_of(levels[d->level]));
	buf_name(out, ',', "detail");
	buf_json(out, text_of(d->say));
	buf_name(out, ',', "next");
	buf_json(out, d->level == DOCTOR_OK ? TEXT_NONE : text_of(d->next));
	buf_putc(out, '}');
}

static enum doctor_level
row(struct doctor *d, const struct doctor_check *check, struct buf *json)
{
	d->say = d->next = NULL;
	d->level = DOCTOR_OK;
	check->look(d);
	if (!d->say)
		doctor_tell(d, DOCTOR_FAIL, "report this", "found nothing");
	if (json)
		row_json(d, check->name, json);
	else
		row_text(d, check->name);
	return d->level;
}

static enum doctor_level
rows(struct doctor *d, struct buf *json)
{
	enum doctor_level worst = DOCTOR_OK;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (size_t j = 0; j < parts[i]->n; j++) {
			enum doctor_level one = row(d, &parts[i]->v[j], json);

			worst = one > worst ? one : worst;
		}
	return worst;
}

/* ---- the settings come first ---- */

static void
settings_bad(struct doctor *d)
{
	const bool ours = !d->conf || access(d->conf, R_OK) == 0 ||
	    errno != EACCES;

	doctor_tell(d, DOCTOR_FAIL, ours ? "mend the lines that docket check "
	    "names" : "run this as root", "%s: %s; nothing else can be looked "
	    "at", d->conf ? d->conf : "the settings", ours ? "has faults" :
	    "is not ours to read");
}

static int
doctor_run(struct doctor *d, struct buf *json)
{
	static const struct doctor_check settings = {
		"settings", settings_bad
	};
	enum doctor_level worst;

	if (settings_load(&d->cli->source, stderr, &d->settings) != 0)
		return (int)row(d, &settings, json);
	ask(d);
	worst = rows(d, json);
	settings_done(&d->settings);
	return (int)worst;
}

/* What is logged on the way is told in the rows. */
static int
doctor_print(struct doctor *d, bool as_json)
{
	struct buf json = { 0 };
	int status;

	log_init("docket", LOG_ERROR_);
	if (!as_json)
		return doctor_run(d, NULL);
	buf_putc(&json, '[');
	status = doctor_run(d, &json);
	buf_putc(&json, ']');
	if (json.failed)
		status = EX_OSERR;
	else
		printf("%.*s\n", TEXT_FMT(buf_view(&json)));
	buf_done(&json);
	return status;
}

int
cli_doctor(struct cli *cli)
{
	struct doctor d = {
		.cli = cli, .mem = cli->mem, .conf = cli->source.file,
	};

	d.folder = dirname(arena_printf(cli->mem, "%s",
	    d.conf ? d.conf : DOCKET_CONF));
	return doctor_print(&d, cli_has(cli, OPT_json));
}
