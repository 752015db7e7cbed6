/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sessions as other programs ask for them: end one, look at one. */
#include "store/revoke.h"

#include <stddef.h>

#include "store/event.h"
#include "store/sets.h"
#include "store/who.h"

#define FACT(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct session_facts, member_) }

static const struct field facts_fields[] = {
	FACT(FIELD_UUID, user_id),
	FACT(FIELD_TEXT, username),
	FACT(FIELD_TEXT, role),
	FACT(FIELD_INT, counter),
	FACT(FIELD_TIME, used_at),
	FACT(FIELD_TIME, ends_at),
};

static const struct fields facts_row =
    FIELDS(NULL, facts_fields, struct session_facts);

#define SQL_FACTS(id) \
	"SELECT u.id AS user_id, u.username, u.role," \
	" s.refresh_counter AS counter, s.used_at," \
	" least(s.idle_until, s.absolute_until) AS ends_at" \
	" FROM docket.sessions s" \
	" JOIN docket.users u ON u.id = s.user_id AND u.active" \
	" WHERE s.id = " id "::uuid AND " SQL_SESSION_LIVE

enum { SESSION_REVOKE, SESSION_FACTS, SESSION_FACTS_TOLD };

static const struct stmt statements[] = {
	[SESSION_REVOKE] = {
		"session_revoke",
		"WITH ended AS ("
		" UPDATE docket.sessions t SET ended_at = now(),"
		" ended_why = 'revoked'"
		" WHERE t.id = $1::uuid AND t.ended_at IS NULL"
		" AND ($2::uuid IS NULL OR t.user_id = $2)"
		" RETURNING t.id, t.user_id)"
		" INSERT INTO docket.audit"
		" (event, user_id, session_id, ip, request_id)"
		" SELECT " SQL_EVENT(token_revoke) ", user_id, id, $3::text, $4::text"
		" FROM ended",
		NULL, false, true
	},
	[SESSION_FACTS] = {
		"session_facts",
		SQL_WHO " SELECT who.who_state, x.* FROM who"
		" LEFT JOIN LATERAL ("
		SQL_FACTS("$4") " AND who.who_state = 0) x ON true",
		&facts_row, true, false
	},
	/* To an application, whose key was looked up already. */
	[SESSION_FACTS_TOLD] = {
		"session_facts_told", SQL_FACTS("$1"),
		&facts_row, false, false
	},
};

const struct stmts revoke_statements = STMTS(statements);

int
store_session_revoke(struct db *db, struct arena *mem,
    const struct uuid *session_id, const struct uuid *user_id,
    const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, session_id);
	db_uuid(&p, user_id);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return db_run(db, mem, &statements[SESSION_REVOKE], &p, &r);
}

int
store_session_facts(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *session_id,
    bool *ret_live, struct session_facts *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	if (uuid_is_nil(&who->user_id)) {
		db_uuid(&p, session_id);
		error = db_run(db, mem, &statements[SESSION_FACTS_TOLD], &p,
		    &r);
	} else {
		who_params(&p, who);
		db_uuid(&p, session_id);
		error = who_run(db, mem, who, &statements[SESSION_FACTS], &p,
		    &r);
	}
	if (error)
		return error;
	*ret_live = r.rows > 0;
	if (*ret_live)
		*ret = *(const struct session_facts *)r.v;
	return 0;
}
