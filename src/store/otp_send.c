/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sending a code: budgets of recipient and client, the code, the message. */
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "store/otps.h"
#include "store/sets.h"

static const struct field sent_fields[] = {
	{ .name = "resend_in", .type = FIELD_INT,
	  .offset = offsetof(struct otp_sent, resend_in) },
};

static const struct fields sent_row =
    FIELDS(NULL, sent_fields, struct otp_sent);

struct why {
	int64_t recipient, client;	/* seconds */
};

static const struct field why_fields[] = {
	{ .name = "recipient", .type = FIELD_INT,
	  .offset = offsetof(struct why, recipient) },
	{ .name = "client", .type = FIELD_INT,
	  .offset = offsetof(struct why, client) },
};

static const struct fields why_row = FIELDS(NULL, why_fields, struct why);

/* How long after the streak-th send in a row the next is allowed. A right
 * guess sets the streak to 0: whoever has the code may go on at once. */
#define SQL_BACKOFF(streak) \
	"interval '60 s' * (ARRAY[0, 1, 2, 4])[least(" streak ", 3) + 1]"

#define SQL_SENDS(age) \
	"(SELECT count(*) FROM unnest(b.sends) s" \
	" WHERE s > now() - interval '" age "')"

/* Whether recipient b may be sent a code: $9 an hour, $10 a day. */
#define SQL_ALLOWED \
	"((b.last_at IS NULL OR b.last_at + " SQL_BACKOFF("b.streak") \
	" <= now())" \
	" AND ($9::bigint = 0 OR " SQL_SENDS("1 h") " < $9)" \
	" AND ($10::bigint = 0 OR " SQL_SENDS("24 h") " < $10))"

/* Seconds until the limit-th newest send is older than `age`. */
#define SQL_UNTIL(limit, age) \
	"CASE WHEN " limit "::bigint > 0 THEN extract(epoch FROM" \
	" (SELECT s FROM unnest(b.sends) s ORDER BY s DESC" \
	" LIMIT 1 OFFSET greatest(" limit " - 1, 0))" \
	" + interval '" age "' - now()) END"

enum { OTP_SEND, OTP_SEND_WHY };

static const struct stmt statements[] = {
	/*
	 * $1 id, $2 address, $3 channel, $4 purpose, $5 hash, $6 sealed,
	 * $7 message id, $8 seconds to live, $9..$11 limits, $12 the client,
	 * $13 ip, $14 request id.
	 *
	 * `refused` spares the client's budget, by the snapshot; `recipient`
	 * decides, by the newest version of its row. The client comes first,
	 * so that a client without budget cannot use up a stranger's.
	 */
	[OTP_SEND] = {
		"otp_send",
		"WITH refused AS MATERIALIZED ("
		" SELECT FROM docket.otp_budgets b"
		" WHERE b.address = $2::text AND NOT " SQL_ALLOWED "),"
		" client AS ("
		" INSERT INTO docket.attempts AS a"
		" (kind, subject, window_start, n)"
		" SELECT 'send', $12::bytea, now(), 1"
		" WHERE $11::bigint > 0 AND $12 IS NOT NULL"
		" AND NOT EXISTS (SELECT FROM refused)"
		" ON CONFLICT (kind, subject) DO UPDATE SET"
		" n = CASE WHEN a.window_start <= now() - interval '1 h'"
		" THEN 1 ELSE a.n + 1 END,"
		" window_start = CASE WHEN"
		" a.window_start <= now() - interval '1 h'"
		" THEN now() ELSE a.window_start END"
		" WHERE a.n < $11 OR a.window_start <= now() - interval '1 h'"
		" RETURNING n),"
		" recipient AS ("
		" INSERT INTO docket.otp_budgets AS b"
		" (address, sends, last_at, streak)"
		" SELECT $2, ARRAY[now()], now(), 1"
		" WHERE NOT EXISTS (SELECT FROM refused) AND"
		" ($11 = 0 OR $12 IS NULL OR EXISTS (SELECT FROM client))"
		" ON CONFLICT (address) DO UPDATE SET"
		" sends = ARRAY(SELECT s FROM unnest(b.sends) s"
		" WHERE s > now() - interval '24 h') || now(),"
		" last_at = now(),"
		" streak = CASE WHEN b.last_at > now() - interval '1 h'"
		" THEN b.streak + 1 ELSE 1 END"
		" WHERE " SQL_ALLOWED
		" RETURNING b.streak),"
		" old AS ("
		" UPDATE docket.otps o SET replaced_at = now(),"
		" updated_at = now() FROM recipient"
		" WHERE o.address = $2 AND o.purpose = $4::text"
		" AND o.consumed_at IS NULL AND o.replaced_at IS NULL"
		" RETURNING o.id),"
		/* Counting the old ones puts them before the new one, as the
		 * unique index on live codes demands. */
		" new AS ("
		" INSERT INTO docket.otps (id, address, channel, purpose,"
		" hash, expires_at, client_ip)"
		" SELECT $1::uuid, $2, $3::text, $4, $5::bytea,"
		" now() + make_interval(secs => $8::bigint), $13::text"
		" FROM recipient, (SELECT count(*) FROM old) replaced),"
		" letter AS ("
		" INSERT INTO docket.outbox"
		" (id, channel, address, purpose, sealed, expires_at)"
		" SELECT $7::uuid, $3, $2, $4, $6::bytea,"
		" now() + make_interval(secs => $8) FROM recipient"
		" WHERE $4 NOT IN ('login', 'reset')"
		" OR ($3 = 'email' AND EXISTS (SELECT FROM docket.users u"
		" WHERE u.email_key = $2 AND u.active AND ($4 = 'reset'"
		" OR u.email_verified_at IS NOT NULL)))"
		" OR ($3 = 'sms' AND EXISTS (SELECT FROM docket.users u"
		" WHERE u.phone = $2 AND u.active AND ($4 = 'reset'"
		" OR u.phone_verified_at IS NOT NULL)))),"
		" noted AS ("
		" INSERT INTO docket.audit (event, ip, request_id, detail)"
		" SELECT 'otp_send', $13, $14::text, $4 FROM recipient)"
		" SELECT extract(epoch FROM " SQL_BACKOFF("streak") ")::bigint"
		" AS resend_in FROM recipient",
		&sent_row, false, true
	},
	/* $1 address, $2 an hour, $3 a day, $4 for the client, $5 client. */
	[OTP_SEND_WHY] = {
		"otp_send_why",
		"SELECT ceil(greatest(0,"
		" extract(epoch FROM b.last_at + " SQL_BACKOFF("b.streak")
		" - now()), " SQL_UNTIL("$2", "1 h") ", "
		SQL_UNTIL("$3", "24 h") "))::bigint AS recipient,"
		" ceil(greatest(0, extract(epoch FROM"
		" a.window_start + interval '1 h' - now())))::bigint AS client"
		" FROM (SELECT 1) one"
		" LEFT JOIN docket.otp_budgets b ON b.address = $1::text"
		" LEFT JOIN docket.attempts a ON a.kind = 'send'"
		" AND a.subject = $5::bytea AND a.n >= $4::bigint",
		&why_row, false, false
	},
};

const struct stmts otp_send_statements = STMTS(statements);

/* An IPv4 address is one client; of IPv6, everybody has a /64. */
static struct text
client_subject(const struct client *client)
{
	bool v6 = client->ip.n > 0 && memchr(client->ip.s, ':', client->ip.n);

	return v6 && client->network.s ? client->network : client->ip;
}

static int
send_refused(struct db *db, struct arena *mem, const struct otp_send *send,
    struct otp_sent *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	const struct why *why;
	int error;

	db_text(&p, send->address);
	db_int(&p, send->sends_hour);
	db_int(&p, send->sends_day);
	db_int(&p, send->sends_client);
	db_bytes(&p, client_subject(&send->client));
	error = db_run(db, mem, &statements[OTP_SEND_WHY], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_NONE;
	why = r.v;
	*ret = (struct otp_sent){ .retry_after = why->recipient };
	if (why->recipient > 0 || why->client <= 0) {
		/* The time may have come between the two statements. */
		if (ret->retry_after <= 0)
			ret->retry_after = 1;
		return E_OTP_WAIT;
	}
	ret->retry_after = why->client;
	return E_RATE;
}

int
store_otp_send(struct db *db, struct arena *mem, const struct otp_send *send,
    struct otp_sent *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, &send->id);
	db_text(&p, send->address);
	db_text(&p, send->channel);
	db_text(&p, send->purpose);
	db_bytes(&p, send->hash);
	db_bytes(&p, send->sealed);
	db_uuid(&p, &send->message_id);
	db_int(&p, send->ttl_seconds);
	db_int(&p, send->sends_hour);
	db_int(&p, send->sends_day);
	db_int(&p, send->sends_client);
	db_bytes(&p, client_subject(&send->client));
	db_text(&p, send->client.ip);
	db_text(&p, send->client.request_id);
	error = db_run(db, mem, &statements[OTP_SEND], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return send_refused(db, mem, send, ret);
	*ret = (struct otp_sent){
		.resend_in = ((const struct otp_sent *)r.v)->resend_in,
	};
	return 0;
}
