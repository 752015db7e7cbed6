/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Unlocking: what wrong passwords and wrong codes have closed. */
#include "store/unlock.h"

#include "base/error.h"
#include "store/event.h"
#include "store/sets.h"
#include "store/who.h"

static const struct field id_fields[] = {
	{ .name = "id", .type = FIELD_UUID, .offset = 0 },
};

static const struct fields id_row = FIELDS(NULL, id_fields, struct uuid);

/* What follows a `target` with the account's id and addresses. */
#define SQL_UNLOCK(actor, session, ip, request, detail) \
	" logins AS (" \
	" DELETE FROM docket.lockouts l USING target t" \
	" WHERE l.user_id = t.id)," \
	" codes AS (" \
	" UPDATE docket.otp_budgets b SET guess_start = NULL, guess_n = 0," \
	" blocked_until = NULL FROM target t" \
	" WHERE b.address IN (t.email_key, t.phone) AND b.guess_n > 0)," \
	" noted AS (" \
	" INSERT INTO docket.audit" \
	" (event, user_id, actor_id, session_id, ip, request_id, detail)" \
	" SELECT " SQL_EVENT(unlock) ", id, " actor ", " session ", " ip \
	", " request ", " detail " FROM target)"

enum { UNLOCK, UNLOCK_NAME };

static const struct stmt statements[] = {
	/* $4 the id, or $5 the number; $6 ip, $7 request id. In the trail the
	 * session is the admin's. */
	[UNLOCK] = {
		"unlock",
		SQL_WHO ","
		" target AS MATERIALIZED ("
		" SELECT u.id, u.email_key, u.phone"
		" FROM who, docket.users u WHERE who.who_state = 0"
		" AND u.id = coalesce($4::uuid, (SELECT n.id"
		" FROM docket.users n WHERE n.number = $5::bigint))),"
		SQL_UNLOCK("$1", "$2", "$6::text", "$7::text", "NULL")
		" SELECT who.who_state, t.id FROM who"
		" LEFT JOIN target t ON true",
		&id_row, true, true
	},
	[UNLOCK_NAME] = {
		"unlock_name",
		"WITH target AS MATERIALIZED ("
		" SELECT u.id, u.email_key, u.phone"
		" FROM docket.users u WHERE u.username_key = $1::text),"
		SQL_UNLOCK("NULL::uuid", "NULL::uuid", "NULL", "NULL",
		    "'by the command line'")
		" SELECT t.id FROM target t",
		&id_row, false, true
	},
};

const struct stmts unlock_statements = STMTS(statements);

int
store_unlock(struct db *db, struct arena *mem, const struct principal *admin,
    const struct unlock_target *target, const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, admin);
	db_uuid(&p, &target->id);
	db_int(&p, target->number);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	error = who_run(db, mem, admin, &statements[UNLOCK], &p, &r);
	return error ? error : r.rows == 0 ? E_USER : 0;
}

int
store_unlock_name(struct db *db, struct arena *mem, struct text username_key)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, username_key);
	error = db_run(db, mem, &statements[UNLOCK_NAME], &p, &r);
	return error ? error : r.rows == 0 ? E_USER : 0;
}
