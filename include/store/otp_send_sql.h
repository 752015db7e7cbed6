/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: what sending a code and refusing to have in common. */
#ifndef DOCKET_STORE_OTP_SEND_SQL_H
#define DOCKET_STORE_OTP_SEND_SQL_H

#include "store/event.h"
#include "store/otps.h"

/*
 * $1 address, $2 channel, $3 client, $4 country, $5 block of numbers; what is
 * allowed: $6 the recipient an hour, $7 a day, $8 the client an hour, $9 the
 * block an hour, $10 the channel an hour; the breaker: $11 mode, $12 unverified
 * of a country, $13 or that share of its verified ones in percent, $14 countries
 * of a client, $15 unverified of a client. otp_send_asked binds them.
 */
void otp_send_asked(struct db_params *p, const struct otp_send *send);

/* Why a send that came back empty was refused. Never 0. */
int otp_send_refused(struct db *db, struct arena *mem,
    const struct otp_send *send, struct otp_sent *ret);

/* Who counts as one client, for budgets: an IPv4 address, an IPv6 /64. */
struct text otp_client(const struct client *client);

#define SQL_TODAY "(now() AT TIME ZONE 'UTC')::date"

/* How long after the streak-th send in a row the next is allowed. A right
 * guess sets the streak to 0: whoever has the code may go on at once. */
#define SQL_BACKOFF(streak) \
	"interval '60 s' * (ARRAY[0, 1, 2, 4])[least(" streak ", 3) + 1]"

/* The hourly windows of docket.attempts that a send counts in. */
#define SQL_WINDOWS \
	"windows AS MATERIALIZED (" \
	" SELECT v.kind, convert_to(v.subject, 'UTF8') AS subject, v.most" \
	" FROM (VALUES ('prefix', $5::text, $9::bigint)," \
	" ('send', $3::text, $8::bigint)," \
	" ('total', $2::text, $10::bigint)) v (kind, subject, most)" \
	" WHERE v.most > 0 AND v.subject IS NOT NULL)"

/* The rows of docket.otp_traffic that it counts in: those of a text message. */
#define SQL_TRAFFIC \
	"traffic AS MATERIALIZED (" \
	" SELECT v.kind, v.subject FROM" \
	" (VALUES ('client', $3::text), ('country', $4::text))" \
	" v (kind, subject) WHERE $11::text IN ('deny', 'record')" \
	" AND $4 IS NOT NULL AND v.subject IS NOT NULL)"

/* Is row t of docket.otp_traffic beyond what the breaker allows, with `more`
 * texts to country $4 than it says? */
#define SQL_OVER(more) \
	"CASE t.kind WHEN 'country' THEN t.sent" more " - t.verified >" \
	" greatest($12::bigint, t.verified * $13::bigint / 100)" \
	" ELSE t.sent" more " - t.verified > $15::bigint" \
	" OR cardinality(t.countries)" \
	" + ($4::text <> ALL (t.countries))::integer > $14::bigint END"

/* Alarms, once an hour each: from `causes` (kind, subject), into the audit
 * trail with ip and request id; "kind subject" in `rung`. What is known to
 * ring already is not written to. */
#define SQL_RING(causes, ip, request_id) \
	"rung AS (" \
	" INSERT INTO docket.attempts AS a (kind, subject, window_start, n)" \
	" SELECT 'alarm', convert_to(c.kind || ' ' || c.subject, 'UTF8')," \
	" now(), 1 FROM " causes " c WHERE NOT EXISTS (SELECT FROM" \
	" docket.attempts k WHERE k.kind = 'alarm'" \
	" AND k.subject = convert_to(c.kind || ' ' || c.subject, 'UTF8')" \
	" AND k.window_start > now() - interval '1 h')" \
	" ORDER BY 2 ON CONFLICT (kind, subject) DO UPDATE SET" \
	" window_start = now(), n = a.n + 1" \
	" WHERE a.window_start <= now() - interval '1 h'" \
	" RETURNING convert_from(a.subject, 'UTF8') AS cause)," \
	" told AS (" \
	" INSERT INTO docket.audit (event, ip, request_id, detail)" \
	" SELECT " SQL_EVENT(otp_alarm) ", " ip "::text," \
	" " request_id "::text, cause" \
	" FROM rung)"

#define SQL_RUNG "(SELECT string_agg(cause, ', ') FROM rung)"

#endif
