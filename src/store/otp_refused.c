/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Why no code was sent and when one may be; rings the alarm where due. */
#include <stddef.h>

#include "base/error.h"
#include "store/otp_send_sql.h"
#include "store/sets.h"

/* Seconds from now, 0 = not the reason. */
struct why {
	int64_t recipient, client, all;
	struct text alarms;
};

#define WHY(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct why, member_) }

static const struct field why_fields[] = {
	WHY(FIELD_INT, recipient),
	WHY(FIELD_INT, client),
	WHY(FIELD_INT, all),
	WHY(FIELD_TEXT, alarms),
};

static const struct fields why_row = FIELDS(NULL, why_fields, struct why);

/* Seconds until the limit-th newest send is older than `age`. */
#define SQL_UNTIL(limit, age) \
	"CASE WHEN " limit "::bigint > 0 THEN extract(epoch FROM" \
	" (SELECT s FROM unnest(b.sends) s ORDER BY s DESC" \
	" LIMIT 1 OFFSET greatest(" limit " - 1, 0))" \
	" + interval '" age "' - now()) END"

#define SQL_SECONDS(until) "extract(epoch FROM " until " - now())"

#define SQL_LONGEST(from) \
	"(SELECT coalesce(ceil(max(wait)), 0)::bigint FROM " from ")"

static const struct stmt statements[] = {
	/*
	 * $1..$15 as in otp_send_sql.h, $16 ip, $17 request id, $18 address for
	 * the trail, $19 purpose. `full`: everything
	 * but the recipient that is spent. A day's end is far, and verified
	 * codes may come before it: an hour at most is told.
	 */
	{
		"otp_refused",
		"WITH " SQL_WINDOWS ", " SQL_TRAFFIC ","
		" full_ AS MATERIALIZED ("
		" SELECT w.kind, convert_from(w.subject, 'UTF8') AS subject,"
		" " SQL_SECONDS("a.window_start + interval '1 h'") " AS wait"
		" FROM windows w JOIN docket.attempts a"
		" ON a.kind = w.kind AND a.subject = w.subject"
		" WHERE a.n >= w.most"
		" AND a.window_start > now() - interval '1 h'"
		" UNION ALL SELECT t.kind, t.subject, least(3600, "
		SQL_SECONDS("(" SQL_TODAY " + 1)::timestamp AT TIME ZONE 'UTC'")
		") FROM traffic w JOIN docket.otp_traffic t"
		" ON t.kind = w.kind AND t.subject = w.subject"
		" AND t.day = " SQL_TODAY
		" WHERE $11 = 'deny' AND " SQL_OVER(" + 1") "), "
		SQL_RING("(SELECT kind, subject FROM full_"
		    " WHERE kind <> 'send')", "$16", "$17")
		", noted AS ("
		" INSERT INTO docket.audit"
		" (event, ip, request_id, address, detail)"
		" VALUES (" SQL_EVENT(otp_refused) ", $16, $17, $18::text,"
		" $19::text))"
		" SELECT ceil(greatest(0, (SELECT greatest("
		SQL_SECONDS("b.last_at + " SQL_BACKOFF("b.streak")) ", "
		SQL_UNTIL("$6", "1 h") ", " SQL_UNTIL("$7", "24 h") ")"
		" FROM docket.otp_budgets b WHERE b.address = $1::text)"
		"))::bigint AS recipient, "
		SQL_LONGEST("full_ WHERE kind IN ('send', 'client')")
		" AS client, "
		SQL_LONGEST("full_ WHERE kind NOT IN ('send', 'client')")
		" AS \"all\", " SQL_RUNG " AS alarms",
		&why_row, false, true
	},
};

const struct stmts otp_refused_statements = STMTS(statements);

/* What the recipient has to wait for anyhow comes first; nothing here depends
 * on whose address it is. */
static int
because(const struct why *why, int64_t *ret_after)
{
	if (why->recipient > 0 || (why->client <= 0 && why->all <= 0)) {
		/* The time may have come between the two statements. */
		*ret_after = why->recipient > 0 ? why->recipient : 1;
		return E_OTP_WAIT;
	}
	*ret_after = why->client > 0 ? why->client : why->all;
	return why->client > 0 ? E_RATE : E_OTP_UNAVAILABLE;
}

int
otp_send_refused(struct db *db, struct arena *mem,
    const struct otp_send *send, struct otp_sent *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	const struct why *why;
	int error;

	otp_send_asked(&p, send);
	db_text(&p, send->client.ip);
	db_text(&p, send->client.request_id);
	db_text(&p, send->masked);
	db_text(&p, send->purpose);
	error = db_run(db, mem, &statements[0], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	why = r.v;
	*ret = (struct otp_sent){ .alarms = why->alarms };
	return because(why, &ret->retry_after);
}
