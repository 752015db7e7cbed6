/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket audit: entries as lines, and following what is being written. */
#ifndef DOCKET_CLI_AUDIT_H
#define DOCKET_CLI_AUDIT_H

#include "store/audit.h"

/*
 * One line, or for CSV one record, of printable ASCII alone, so that nothing a
 * client sent can move a cursor, forge a line or start a formula.
 *   text    TIME EVENT name=value..., values quoted when they must be
 *   ndjson  an object with every member; beyond ASCII \uXXXX
 *   csv     RFC 4180; ' in front of what a spreadsheet would calculate
 */
typedef void (*audit_format)(struct buf *out, const struct audit_entry *e);

void audit_as_text(struct buf *out, const struct audit_entry *e);
void audit_as_json(struct buf *out, const struct audit_entry *e);
void audit_as_csv(struct buf *out, const struct audit_entry *e);
/* The names of the columns, as the first record. */
void audit_csv_head(struct buf *out);

/*
 * Which ids are missing below the newest one seen: an id is drawn before its
 * transaction commits, so entries may come late. One that has not come within
 * a minute was rolled back; nothing that Docket runs takes longer.
 */
#define GAPS_MAX 1024
#define GAP_MS 60000

struct audit_gaps {
	int64_t last;		/* the newest id seen */
	size_t n;
	struct audit_gap {
		int64_t id, until_ms;
	} v[GAPS_MAX];		/* the oldest give way when it is full */
};

/* An entry was seen, at clock_mono_ms now. */
void audit_gaps_seen(struct audit_gaps *gaps, int64_t id, int64_t now);
/* Forget whom nobody waits for any more; the others' ids as digits. */
struct texts audit_gaps_ids(struct audit_gaps *gaps, struct arena *mem,
    int64_t now);

#endif
