/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accounts: read one's own, list them, put one from the command line. */
#include <stddef.h>

#include "base/error.h"
#include "store/event.h"
#include "store/sets.h"
#include "store/user_sql.h"
#include "store/users.h"
#include "store/who.h"

#define USER(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct user, member_) }

static const struct field user_fields[] = {
	USER(FIELD_UUID, id),
	USER(FIELD_INT, number),
	USER(FIELD_TEXT, username),
	USER(FIELD_TEXT, email),
	USER(FIELD_TEXT, phone),
	USER(FIELD_TEXT, role),
	USER(FIELD_TEXT, status),
	USER(FIELD_TIME, created_at),
	USER(FIELD_TIME, updated_at),
};

const struct fields user_row = FIELDS(NULL, user_fields, struct user);

enum { USER_ME, USER_LIST, USER_FIND, USER_INSERT, USER_UPSERT };

/* The counters row comes with the account, so a task's number never needs to
 * ask whether it is the first. A password set anew ends what the old one
 * opened. */
#define SQL_PUT(conflict) \
	"WITH u AS (" \
	" INSERT INTO docket.users AS o (id, username, username_key, email," \
	" email_key, phone, password_hash, role, created_at, updated_at)" \
	" VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text," \
	" $6::text, $7::text, $8::text, $9::timestamptz, $9)" \
	conflict \
	" RETURNING o.*)," \
	" c AS (" \
	" INSERT INTO docket.counters (user_id) SELECT id FROM u" \
	" ON CONFLICT (user_id) DO NOTHING)," \
	" ended AS (" \
	" UPDATE docket.sessions s SET ended_at = now()," \
	" ended_why = 'user_put' FROM u" \
	" WHERE s.user_id = u.id AND s.ended_at IS NULL)," \
	" noted AS (" \
	" INSERT INTO docket.audit (event, user_id, detail)" \
	" SELECT " SQL_EVENT(user_put) ", id, role FROM u)" \
	" SELECT " SQL_USER " FROM u"

/* A page of those who are `such`. */
#define SQL_LIST(such) \
	SQL_WHO " SELECT who.who_state, x.* FROM who" \
	" LEFT JOIN LATERAL (" \
	" SELECT " SQL_USER " FROM docket.users u" \
	" WHERE who.who_state = 0 AND u.number > $4::bigint" \
	" AND ($5::text IS NULL OR u.role = $5)" \
	" AND ($6::text IS NULL OR u.active = ($6 = 'Y'))" such \
	" ORDER BY u.number LIMIT $7::bigint) x ON true"

static const struct stmt statements[] = {
	[USER_ME] = {
		"user_me",
		SQL_WHO " SELECT who.who_state, " SQL_USER " FROM who"
		" LEFT JOIN docket.users u"
		" ON u.id = who.user_id AND who.who_state = 0",
		&user_row, true, false
	},
	[USER_LIST] = {
		"user_list", SQL_LIST(""), &user_row, true, false
	},
	[USER_FIND] = {
		"user_find", SQL_LIST(" AND " SQL_USER_BEGINS("$8::text")),
		&user_row, true, false
	},
	[USER_INSERT] = {
		"user_insert", SQL_PUT(""), &user_row, false, true
	},
	/* What is not given stays, the role and the name's spelling too. */
	[USER_UPSERT] = {
		"user_upsert",
		SQL_PUT(" ON CONFLICT (username_key) DO UPDATE SET"
		    " email = COALESCE(excluded.email, o.email),"
		    " email_key = COALESCE(excluded.email_key, o.email_key),"
		    " phone = COALESCE(excluded.phone, o.phone),"
		    " password_hash ="
		    " COALESCE(excluded.password_hash, o.password_hash),"
		    " role = CASE WHEN excluded.role = 'admin' THEN 'admin'"
		    " ELSE o.role END, active = true,"
		    " updated_at = greatest(now(), o.updated_at)"),
		&user_row, false, true
	},
};

const struct stmts user_statements = STMTS(statements);

int
store_user_me(struct db *db, struct arena *mem, const struct principal *who,
    struct user *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	error = who_run(db, mem, who, &statements[USER_ME], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_USER_DELETED;
	*ret = *(const struct user *)r.v;
	return 0;
}

int
store_user_list(struct db *db, struct arena *mem,
    const struct principal *who, const struct user_filter *filter,
    struct list *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_int(&p, filter->after_number);
	db_text(&p, filter->role);
	db_text(&p, filter->status);
	db_int(&p, filter->limit);
	if (filter->begins.s)
		db_text(&p, filter->begins);
	error = who_run(db, mem, who,
	    &statements[filter->begins.s ? USER_FIND : USER_LIST], &p, &r);
	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

int
store_user_put(struct db *db, struct arena *mem, const struct new_user *user,
    bool update)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, &user->id);
	db_text(&p, user->username);
	db_text(&p, user->username_key);
	db_text(&p, user->email);
	db_text(&p, user->email_key);
	db_text(&p, user->phone);
	db_text(&p, user->hash);
	db_text(&p, user->role);
	db_time(&p, user->created_at);
	return db_run(db, mem,
	    &statements[update ? USER_UPSERT : USER_INSERT], &p, &r);
}
