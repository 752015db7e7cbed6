/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sending a code: every budget, the code, the message, all or nothing. */
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "store/otp_send_sql.h"
#include "store/sets.h"

static const struct field sent_fields[] = {
	{ .name = "resend_in", .type = FIELD_INT,
	  .offset = offsetof(struct otp_sent, resend_in) },
	{ .name = "alarms", .type = FIELD_TEXT,
	  .offset = offsetof(struct otp_sent, alarms) },
};

static const struct fields sent_row =
    FIELDS(NULL, sent_fields, struct otp_sent);

#define SQL_SENDS(age) \
	"(SELECT count(*) FROM unnest(b.sends) s" \
	" WHERE s > now() - interval '" age "')"

/* Whether recipient b may be sent a code: $6 an hour, $7 a day. */
#define SQL_ALLOWED \
	"((b.last_at IS NULL OR b.last_at + " SQL_BACKOFF("b.streak") \
	" <= now())" \
	" AND ($6::bigint = 0 OR " SQL_SENDS("1 h") " < $6)" \
	" AND ($7::bigint = 0 OR " SQL_SENDS("24 h") " < $7))"

/* Is the window of row a over? */
#define SQL_PAST "a.window_start <= now() - interval '1 h'"

/* What the snapshot shows to be spent. It is all that most refusals meet, and
 * they write nothing. */
#define SQL_REFUSED \
	"refused AS MATERIALIZED (" \
	" SELECT 1 FROM docket.otp_budgets b" \
	" WHERE b.address = $1::text AND NOT " SQL_ALLOWED \
	" UNION ALL SELECT 1 FROM windows w JOIN docket.attempts a" \
	" ON a.kind = w.kind AND a.subject = w.subject" \
	" WHERE a.n >= w.most AND NOT " SQL_PAST \
	" UNION ALL SELECT 1 FROM traffic w JOIN docket.otp_traffic t" \
	" ON t.kind = w.kind AND t.subject = w.subject" \
	" AND t.day = " SQL_TODAY \
	" WHERE $11 = 'deny' AND " SQL_OVER(" + 1") ")"

/* The recipient decides by the newest version of its row, which stays locked:
 * from here on everything about one recipient is serial (otps.c). */
#define SQL_TAKE_RECIPIENT \
	"recipient AS (" \
	" INSERT INTO docket.otp_budgets AS b" \
	" (address, sends, last_at, streak)" \
	" SELECT $1, ARRAY[now()], now(), 1" \
	" WHERE NOT EXISTS (SELECT FROM refused)" \
	" ON CONFLICT (address) DO UPDATE SET" \
	" sends = ARRAY(SELECT s FROM unnest(b.sends) s" \
	" WHERE s > now() - interval '24 h') || now()," \
	" last_at = now()," \
	" streak = CASE WHEN b.last_at > now() - interval '1 h'" \
	" THEN b.streak + 1 ELSE 1 END" \
	" WHERE " SQL_ALLOWED \
	" RETURNING b.streak)"

/* Then the windows, then the traffic, each by the newest version and in the
 * order of their names, so that two sends never wait for each other. */
#define SQL_TAKE_WINDOWS \
	"taken AS (" \
	" INSERT INTO docket.attempts AS a (kind, subject, window_start, n)" \
	" SELECT w.kind, w.subject, now(), 1 FROM windows w" \
	" WHERE EXISTS (SELECT FROM recipient) ORDER BY w.kind" \
	" ON CONFLICT (kind, subject) DO UPDATE SET" \
	" n = CASE WHEN " SQL_PAST " THEN 1 ELSE a.n + 1 END," \
	" window_start = CASE WHEN " SQL_PAST \
	" THEN now() ELSE a.window_start END" \
	" WHERE " SQL_PAST " OR a.n < CASE a.kind WHEN 'prefix' THEN $9" \
	" WHEN 'send' THEN $8 ELSE $10 END" \
	" RETURNING 1)"

#define SQL_ALL(of, wanted) \
	"(SELECT count(*) FROM " of ") = (SELECT count(*) FROM " wanted ")"

#define SQL_TAKE_TRAFFIC \
	"counted AS (" \
	" INSERT INTO docket.otp_traffic AS t" \
	" (kind, subject, day, sent, countries)" \
	" SELECT w.kind, w.subject, " SQL_TODAY ", 1," \
	" CASE w.kind WHEN 'client' THEN ARRAY[$4] ELSE '{}' END" \
	" FROM traffic w WHERE EXISTS (SELECT FROM recipient)" \
	" AND " SQL_ALL("taken", "windows") " ORDER BY w.kind" \
	" ON CONFLICT (kind, subject, day) DO UPDATE SET" \
	" sent = t.sent + 1, countries = CASE" \
	" WHEN t.countries @> EXCLUDED.countries THEN t.countries" \
	" ELSE t.countries || EXCLUDED.countries END" \
	" WHERE $11 <> 'deny' OR NOT " SQL_OVER(" + 1") \
	" RETURNING t.kind, t.subject, " SQL_OVER("") " AS over)"

enum { OTP_SEND };

static const struct stmt statements[] = {
	/*
	 * $1..$15 as in otp_send_sql.h, $16 id, $17 purpose, $18 hash, $19 sealed,
	 * $20 message id, $21 seconds to live, $22 ip, $23 request id,
	 * $24 address for the trail, $25 languages.
	 *
	 * Who has the recipient but lost a race for something else takes all
	 * of it back by an error; who lost the recipient has nothing yet.
	 * Whatever the purpose and whoever has the address, the same rows are
	 * written.
	 */
	[OTP_SEND] = {
		"otp_send",
		"WITH " SQL_WINDOWS ", " SQL_TRAFFIC ", " SQL_REFUSED ", "
		SQL_TAKE_RECIPIENT ", " SQL_TAKE_WINDOWS ", "
		SQL_TAKE_TRAFFIC ","
		" pass AS MATERIALIZED ("
		" SELECT r.streak FROM recipient r"
		" WHERE " SQL_ALL("taken", "windows")
		" AND " SQL_ALL("counted", "traffic") "),"
		" old AS ("
		" UPDATE docket.otps o SET replaced_at = now(),"
		" updated_at = now() FROM pass"
		" WHERE o.address = $1 AND o.purpose = $17::text"
		" AND o.consumed_at IS NULL AND o.replaced_at IS NULL"
		" RETURNING o.id),"
		/* Counting the old ones puts them before the new one, as the
		 * unique index on live codes demands. */
		" new AS ("
		" INSERT INTO docket.otps (id, address, channel, purpose,"
		" hash, expires_at, client_ip, country, sender)"
		" SELECT $16::uuid, $1, $2::text, $17, $18::bytea,"
		" now() + make_interval(secs => $21::bigint), $22::text,"
		" (SELECT $4 FROM traffic WHERE kind = 'country'), $3"
		" FROM pass, (SELECT count(*) FROM old) replaced),"
		" letter AS ("
		" INSERT INTO docket.outbox (id, channel, address, purpose,"
		" sealed, language, expires_at, wanted)"
		" SELECT $20::uuid, $2, $1, $17, $19::bytea, $25::text,"
		" now() + make_interval(secs => $21),"
		" EXISTS (SELECT FROM docket.users u"
		" WHERE u.email_key = $1 AND u.active AND $2 = 'email'"
		" AND ($17 = 'reset' OR u.email_verified_at IS NOT NULL))"
		" OR EXISTS (SELECT FROM docket.users u"
		" WHERE u.phone = $1 AND u.active AND $2 = 'sms'"
		" AND ($17 = 'reset' OR u.phone_verified_at IS NOT NULL))"
		" OR $17 NOT IN ('login', 'reset') FROM pass),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, ip, request_id, address, detail)"
		" SELECT " SQL_EVENT(otp_send) ", $22, $23::text, $24::text,"
		" $17 FROM pass), "
		SQL_RING("(SELECT kind, subject FROM counted WHERE over)",
		    "$22", "$23")
		" SELECT extract(epoch FROM " SQL_BACKOFF("p.streak")
		")::bigint AS resend_in, " SQL_RUNG " AS alarms"
		" FROM recipient r LEFT JOIN pass p ON true"
		" WHERE CASE WHEN p.streak IS NULL THEN docket.otp_undo()"
		" ELSE true END",
		&sent_row, false, true
	},
};

const struct stmts otp_send_statements = STMTS(statements);

struct text
otp_client(const struct client *client)
{
	bool v6 = client->ip.n > 0 && memchr(client->ip.s, ':', client->ip.n);

	return v6 && client->network.s ? client->network : client->ip;
}

void
otp_send_asked(struct db_params *p, const struct otp_send *send)
{
	const struct otp_anomaly *anomaly = &send->anomaly;

	db_text(p, send->address);
	db_text(p, send->channel);
	db_text(p, otp_client(&send->client));
	db_text(p, send->country);
	db_text(p, send->block);
	db_int(p, send->sends_hour);
	db_int(p, send->sends_day);
	db_int(p, send->sends_client);
	db_int(p, send->prefix_hour);
	db_int(p, send->channel_hour);
	db_text(p, anomaly->mode);
	db_int(p, anomaly->country_unverified);
	db_int(p, anomaly->country_percent);
	db_int(p, anomaly->client_countries);
	db_int(p, anomaly->client_unverified);
}

int
store_otp_send(struct db *db, struct arena *mem, const struct otp_send *send,
    struct otp_sent *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	otp_send_asked(&p, send);
	db_uuid(&p, &send->id);
	db_text(&p, send->purpose);
	db_bytes(&p, send->hash);
	db_bytes(&p, send->sealed);
	db_uuid(&p, &send->message_id);
	db_int(&p, send->ttl_seconds);
	db_text(&p, send->client.ip);
	db_text(&p, send->client.request_id);
	db_text(&p, send->masked);
	db_text(&p, send->language);
	error = db_run(db, mem, &statements[OTP_SEND], &p, &r);
	if (error == E_OTP_WAIT || (error == 0 && r.rows == 0))
		return otp_send_refused(db, mem, send, ret);
	if (error)
		return error;
	*ret = *(const struct otp_sent *)r.v;
	return 0;
}
