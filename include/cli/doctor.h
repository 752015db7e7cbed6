/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket doctor: a row a check, each with one verdict and the next step. */
#ifndef DOCKET_CLI_DOCTOR_H
#define DOCKET_CLI_DOCTOR_H

#include "cli/cli.h"
#include "cli/tool.h"
#include "store/doctor.h"

/* The exit status is the worst (as Nagios plugins have it). */
enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
	struct cli *cli;
	struct arena *mem;
	struct settings settings;
	const char *conf;		/* the settings file, or NULL */
	const char *folder;		/* where it lies */

	bool server_known, schema_known, outbox_known;
	int64_t asked_at;		/* between question and answer, µs */
	struct doctor_server server;
	const char *data;		/* PostgreSQL's folder; NULL: not known */
	struct doctor_schema schema;
	struct doctor_outbox outbox;

	enum doctor_level level;	/* of the check at hand */
	const char *say, *next;
};

struct doctor_check {
	const char *name;
	void (*look)(struct doctor *d);
};

struct doctor_part {
	const struct doctor_check *v;
	size_t n;
};

/* Where the server that answers there keeps its data, as it says itself or, to
 * root, as its process shows; NULL: nobody tells. */
const char *doctor_data(struct arena *mem, const struct db *db,
    const struct doctor_server *server);
/* The check of the disks. */
void doctor_disk(struct doctor *d);

extern const struct doctor_part doctor_host, doctor_database, doctor_front;

/* What the check has found. The worst of several counts, and of those the
 * first; next (NULL for OK): what to do about it. */
void doctor_tell(struct doctor *d, enum doctor_level level, const char *next,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
