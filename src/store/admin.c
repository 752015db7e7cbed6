/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One account in an admin's hands: get, change, delete, with an audit row. */
#include "store/admin.h"

#include <stddef.h>

#include "base/error.h"
#include "store/event.h"
#include "store/sets.h"
#include "store/user_sql.h"
#include "store/who.h"

struct gone {
	struct uuid id;
};

static const struct field gone_fields[] = {
	{ .name = "id", .type = FIELD_UUID,
	  .offset = offsetof(struct gone, id) },
};

static const struct fields gone_row = FIELDS(NULL, gone_fields, struct gone);

enum { ADMIN_GET, ADMIN_CHANGE, ADMIN_DELETE };

/* The live admin's account $4 or $5, of a docket.users that is called u. */
#define SQL_ANY_USER \
	" who.who_state = 0 AND u.id = COALESCE($4::uuid," \
	" (SELECT n.id FROM docket.users n WHERE n.number = $5::bigint))"

/* Set by the caller's mask $6: the new value, else what is there. */
#define SQL_SET(column, bit, value) \
	column " = CASE WHEN $6::int & " bit " <> 0 THEN " value \
	" ELSE u." column " END"
/* Whoever proved an address did not prove the next one. */
#define SQL_UNPROVEN(column, bit, key, value) \
	column " = CASE WHEN $6 & " bit " <> 0 AND u." key \
	" IS DISTINCT FROM " value " THEN NULL ELSE u." column " END"

static const struct stmt statements[] = {
	[ADMIN_GET] = {
		"admin_get",
		SQL_WHO " SELECT who.who_state, " SQL_USER " FROM who"
		" LEFT JOIN docket.users u ON" SQL_ANY_USER,
		&user_row, true, false
	},
	/* Bits are those of USER_ROLE and so on. The account as it was is
	 * locked first, so that what changed is told of the newest version. */
	[ADMIN_CHANGE] = {
		"admin_change",
		SQL_WHO ","
		" was AS MATERIALIZED ("
		" SELECT u.id, u.role, u.active FROM who"
		" JOIN docket.users u ON" SQL_ANY_USER
		" FOR NO KEY UPDATE OF u),"
		" u AS ("
		" UPDATE docket.users u SET "
		SQL_SET("role", "1", "$7::text") ", "
		SQL_SET("active", "2", "$8::text = 'Y'") ", "
		SQL_SET("username", "4", "$9::text") ", "
		SQL_SET("username_key", "4", "$10::text") ", "
		SQL_SET("email", "8", "$11::text") ", "
		SQL_SET("email_key", "8", "$12::text") ", "
		SQL_SET("phone", "16", "$13::text") ", "
		SQL_UNPROVEN("email_verified_at", "8", "email_key", "$12")
		", "
		SQL_UNPROVEN("phone_verified_at", "16", "phone", "$13") ","
		" updated_at = greatest(now(), u.updated_at)"
		" FROM was WHERE u.id = was.id RETURNING u.*),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, actor_id, session_id, ip, request_id,"
		" detail)"
		" SELECT e.event, u.id, $1, $2, $14::text, $15::text, e.detail"
		" FROM u JOIN was ON was.id = u.id CROSS JOIN LATERAL (VALUES"
		" (" SQL_EVENT(role_changed) ", was.role || ' to ' || u.role,"
		" u.role <> was.role),"
		" (" SQL_EVENT(deactivated) ", NULL,"
		" was.active AND NOT u.active),"
		" (" SQL_EVENT(activated) ", NULL,"
		" u.active AND NOT was.active),"
		" (" SQL_EVENT(user_changed) ", concat_ws(', ',"
		" CASE WHEN $6 & 4 <> 0 THEN 'username' END,"
		" CASE WHEN $6 & 8 <> 0 THEN 'email' END,"
		" CASE WHEN $6 & 16 <> 0 THEN 'phone' END), $6 & 28 <> 0)"
		") e (event, detail, happened) WHERE e.happened)"
		" SELECT who.who_state, " SQL_USER " FROM who"
		" LEFT JOIN u ON true",
		&user_row, true, true
	},
	[ADMIN_DELETE] = {
		"admin_delete",
		SQL_WHO ","
		" gone AS ("
		" DELETE FROM docket.users u USING who WHERE" SQL_ANY_USER
		" RETURNING u.id, u.role),"
		" noted AS ("
		" INSERT INTO docket.audit"
		" (event, user_id, actor_id, session_id, ip, request_id,"
		" detail)"
		" SELECT " SQL_EVENT(user_deleted) ", id, $1, $2, $6::text,"
		" $7::text, role FROM gone)"
		" SELECT who.who_state, g.id FROM who LEFT JOIN gone g ON true",
		&gone_row, true, true
	},
};

const struct stmts admin_statements = STMTS(statements);

static void
admin_params(struct db_params *p, const struct principal *who,
    const struct user_ref *ref)
{
	who_params(p, who);
	db_uuid(p, &ref->id);
	db_int(p, uuid_is_nil(&ref->id) ? ref->number : INT_NONE);
}

static int
admin_run(struct db *db, struct arena *mem, const struct principal *who,
    const struct stmt *stmt, const struct db_params *p, struct user *ret)
{
	struct db_result r;
	int error = who_run(db, mem, who, stmt, p, &r);

	if (error)
		return error;
	if (r.rows == 0)
		return E_USER;
	*ret = *(const struct user *)r.v;
	return 0;
}

int
store_admin_get(struct db *db, struct arena *mem, const struct principal *who,
    const struct user_ref *ref, struct user *ret)
{
	struct db_params p = { 0 };

	admin_params(&p, who, ref);
	return admin_run(db, mem, who, &statements[ADMIN_GET], &p, ret);
}

int
store_admin_change(struct db *db, struct arena *mem,
    const struct principal *who, const struct user_ref *ref,
    const struct user_change *change, const struct client *client,
    struct user *ret)
{
	struct db_params p = { 0 };

	admin_params(&p, who, ref);
	db_int4(&p, (int32_t)change->set);
	db_text(&p, change->role);
	db_text(&p, change->status);
	db_text(&p, change->username);
	db_text(&p, change->username_key);
	db_text(&p, change->email);
	db_text(&p, change->email_key);
	db_text(&p, change->phone);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return admin_run(db, mem, who, &statements[ADMIN_CHANGE], &p, ret);
}

int
store_admin_delete(struct db *db, struct arena *mem,
    const struct principal *who, const struct user_ref *ref,
    const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	admin_params(&p, who, ref);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	error = who_run(db, mem, who, &statements[ADMIN_DELETE], &p, &r);
	if (error)
		return error;
	return r.rows == 0 ? E_USER : 0;
}
