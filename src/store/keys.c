/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* API keys, for their owners, for admins and for the command line. */
#include "store/keys.h"

#include <stddef.h>

#include "base/error.h"
#include "store/event.h"
#include "store/sets.h"
#include "store/who.h"

#define KEY(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct api_key, member_) }

static const struct field key_fields[] = {
	KEY(FIELD_UUID, id),
	KEY(FIELD_TEXT, kind),
	KEY(FIELD_TEXT, name),
	KEY(FIELD_TEXTS, scopes),
	KEY(FIELD_TEXTS, allow),
	KEY(FIELD_TIME, expires_at),
	KEY(FIELD_TIME, used_at),
	KEY(FIELD_TEXT, used_ip),
	KEY(FIELD_TIME, previous_until),
	KEY(FIELD_TIME, created_at),
	KEY(FIELD_TIME, updated_at),
	KEY(FIELD_TEXT, owner),
};

static const struct fields key_row = FIELDS(NULL, key_fields, struct api_key);

#define SQL_KEY \
	"k.id, k.kind, k.name, k.scopes, k.allow::text[] AS allow," \
	" k.expires_at, k.used_at, k.used_ip," \
	" CASE WHEN k.old_until > now() THEN k.old_until END" \
	" AS previous_until, k.created_at, k.updated_at," \
	" (SELECT w.username FROM docket.users w WHERE w.id = k.user_id)" \
	" AS owner"

/* In the place of SQL_WHO: the command line is nobody ($1 is NULL, which no
 * principal's is) and may do everything. */
#define SQL_CLI \
	"WITH who AS MATERIALIZED (SELECT 0 AS who_state, $1::uuid AS user_id" \
	" WHERE $1::uuid IS NULL AND $2::uuid IS NULL AND NOT $3::bool)"

/* Whose k may be seen and changed by $1. */
#define SQL_MINE \
	"($1 IS NULL OR k.user_id = $1 OR (k.kind = 'application' AND EXISTS" \
	" (SELECT FROM docket.users a WHERE a.id = $1 AND a.role = 'admin')))"

/* The key $4, held, with the session that it has now. */
#define SQL_HELD \
	", o AS MATERIALIZED (SELECT k.id, k.session_id" \
	" FROM docket.api_keys k, who WHERE who.who_state = 0" \
	" AND k.id = $4::uuid AND " SQL_MINE " FOR UPDATE OF k)"

/* The session of o under the id $5, living as long as k may. */
#define SQL_RENEWED \
	", s AS (UPDATE docket.sessions s SET id = $5::uuid," \
	" idle_until = COALESCE(k.expires_at, 'infinity')," \
	" absolute_until = COALESCE(k.expires_at, 'infinity')" \
	" FROM o, k WHERE s.id = o.session_id)"

#define SQL_NOTED(event, from, ip, request) \
	", noted AS (INSERT INTO docket.audit" \
	" (event, user_id, actor_id, session_id, ip, request_id, detail)" \
	" SELECT " event ", k.user_id, CASE WHEN k.user_id IS DISTINCT" \
	" FROM $1 THEN $1 END, $2, " ip "::text, " request "::text," \
	" k.id::text FROM " from " k)"

#define SQL_TOLD \
	" SELECT who.who_state, x.* FROM who LEFT JOIN LATERAL" \
	" (SELECT " SQL_KEY " FROM k) x ON true"

/* Who is asking lets nobody else of the same owner count meanwhile. */
#define SQL_HOLD \
	SQL_WHO ", held AS MATERIALIZED (SELECT u.id FROM docket.users u, who" \
	" WHERE who.who_state = 0 AND u.id = who.user_id" \
	" FOR NO KEY UPDATE OF u)" \
	" SELECT who.who_state FROM who LEFT JOIN held ON true"

/* $4 id, $5 session, $6 kind, $7 name, $8 hash, $9 scopes, $10 allow, $11
 * expiry, $12 created, $13 insecure, $14 limit, $15 owner, $16 ip, $17
 * request. */
#define SQL_INSERT(who) \
	who ", u AS MATERIALIZED (SELECT CASE WHEN $6::text = 'personal' THEN" \
	" COALESCE($1, (SELECT n.id FROM docket.users n" \
	" WHERE n.username_key = $15::text)) END AS id)," \
	" n AS (SELECT CASE WHEN $6 = 'personal' THEN (SELECT count(*)" \
	" FROM docket.api_keys k WHERE k.user_id = (SELECT u.id FROM u))" \
	" ELSE (SELECT count(*) FROM docket.api_keys k" \
	" WHERE k.kind = 'application') END AS n)," \
	" s AS (INSERT INTO docket.sessions" \
	" (id, user_id, kind, idle_until, absolute_until)" \
	" SELECT $5::uuid, u.id, 'key'," \
	" COALESCE($11::timestamptz, 'infinity')," \
	" COALESCE($11, 'infinity') FROM who, u, n WHERE who.who_state = 0" \
	" AND u.id IS NOT NULL AND n.n < $14::bigint)," \
	" k AS (INSERT INTO docket.api_keys (id, kind, user_id, session_id," \
	" name, hash, insecure, scopes, allow, expires_at, created_at," \
	" updated_at) SELECT $4::uuid, $6, u.id," \
	" CASE WHEN u.id IS NOT NULL THEN $5 END, $7::text, $8::bytea," \
	" $13::bool, $9::text[], COALESCE($10::text[], '{}')::cidr[], $11," \
	" $12::timestamptz, $12 FROM who, u, n WHERE who.who_state = 0" \
	" AND ($6 = 'application' OR u.id IS NOT NULL) AND n.n < $14" \
	" RETURNING *)" \
	SQL_NOTED(SQL_EVENT(api_key_create), "k", "$16", "$17") SQL_TOLD

#define SQL_LIST_OF(who, keys) \
	who " SELECT who.who_state, x.* FROM who LEFT JOIN LATERAL" \
	" (SELECT " SQL_KEY " FROM docket.api_keys k" \
	" WHERE who.who_state = 0 AND ($4::text IS NULL OR k.kind = $4)" \
	" AND ($5::text IS NULL OR k.user_id = (SELECT n.id" \
	" FROM docket.users n WHERE n.username_key = $5))" \
	" AND " SQL_MINE keys " ORDER BY k.id) x ON true"

/* Those that may be one's own, each by its index: of SQL_MINE alone
 * PostgreSQL makes a look at everybody's. */
#define SQL_LIST SQL_LIST_OF(SQL_WHO, \
	" AND k.id = ANY (ARRAY(SELECT m.id FROM docket.api_keys m" \
	" WHERE m.user_id = $1 UNION ALL SELECT a.id FROM docket.api_keys a" \
	" WHERE a.kind = 'application'))")
#define SQL_LIST_CLI SQL_LIST_OF(SQL_CLI, "")

/* $6, $8, $10, $12 say whether $7, $9, $11, $13 count. */
#define SQL_UPDATE(who) \
	who SQL_HELD \
	", k AS (UPDATE docket.api_keys k SET" \
	" name = CASE WHEN $6::bool THEN $7::text ELSE k.name END," \
	" scopes = CASE WHEN $8::bool THEN $9::text[] ELSE k.scopes END," \
	" allow = CASE WHEN $10::bool" \
	" THEN COALESCE($11::text[], '{}')::cidr[] ELSE k.allow END," \
	" expires_at = CASE WHEN $12::bool THEN $13::timestamptz" \
	" ELSE k.expires_at END," \
	" session_id = CASE WHEN o.session_id IS NOT NULL THEN $5::uuid END," \
	" updated_at = greatest(now(), k.updated_at)" \
	" FROM o WHERE k.id = o.id RETURNING k.*)" \
	SQL_RENEWED SQL_NOTED(SQL_EVENT(api_key_update), "k", "$14", "$15") SQL_TOLD

/* A fixed value becomes a real key, and is gone at once. */
#define SQL_ROTATE(who) \
	who SQL_HELD \
	", k AS (UPDATE docket.api_keys k SET hash = $6::bytea," \
	" old_hash = CASE WHEN $7::bigint > 0 THEN k.hash END," \
	" old_until = CASE WHEN $7 > 0" \
	" THEN now() + make_interval(secs => $7) END, insecure = false," \
	" session_id = CASE WHEN o.session_id IS NOT NULL THEN $5::uuid END," \
	" updated_at = greatest(now(), k.updated_at)" \
	" FROM o WHERE k.id = o.id RETURNING k.*)" \
	SQL_RENEWED SQL_NOTED(SQL_EVENT(api_key_rotate), "k", "$8", "$9") SQL_TOLD

#define SQL_DELETE(who) \
	who SQL_HELD \
	", k AS (DELETE FROM docket.api_keys k USING o WHERE k.id = o.id" \
	" RETURNING k.*)," \
	" s AS (DELETE FROM docket.sessions s USING o" \
	" WHERE s.id = o.session_id)" \
	SQL_NOTED(SQL_EVENT(api_key_revoke), "k", "$5", "$6") SQL_TOLD

enum { KEY_INSERT, KEY_LIST, KEY_UPDATE, KEY_ROTATE, KEY_DELETE, KEY__MAX };

/* The first half asks who it is, the other is the command line's. */
#define BOTH(at, name, sql, writes) \
	[at] = { name, sql(SQL_WHO), &key_row, true, writes }, \
	[KEY__MAX + (at)] = \
	    { name "_cli", sql(SQL_CLI), &key_row, true, writes }
#define KEY_HOLD (2 * KEY__MAX)

static const struct stmt statements[] = {
	BOTH(KEY_INSERT, "key_insert", SQL_INSERT, true),
	[KEY_LIST] = { "key_list", SQL_LIST, &key_row, true, false },
	[KEY__MAX + KEY_LIST] = {
		"key_list_cli", SQL_LIST_CLI, &key_row, true, false
	},
	BOTH(KEY_UPDATE, "key_update", SQL_UPDATE, true),
	BOTH(KEY_ROTATE, "key_rotate", SQL_ROTATE, true),
	BOTH(KEY_DELETE, "key_delete", SQL_DELETE, true),
	[KEY_HOLD] = { "key_hold", SQL_HOLD, NULL, true, false },
};

const struct stmts key_statements = STMTS(statements);

static void
push_who(struct db_params *p, const struct principal *who)
{
	static const struct principal nobody = { .need_admin = false };

	who_params(p, who ? who : &nobody);
}

static int
run(struct db *db, struct arena *mem, const struct principal *who, int which,
    const struct db_params *p, struct db_result *ret)
{
	return who_run(db, mem, who, &statements[which + (who ? 0 : KEY__MAX)],
	    p, ret);
}

/* The one key that the statement was about. */
static int
run_one(struct db *db, struct arena *mem, const struct principal *who,
    int which, const struct db_params *p, struct api_key *ret)
{
	struct db_result r;
	int error = run(db, mem, who, which, p, &r);

	if (error)
		return error;
	if (r.rows == 0)
		return E_KEY;
	*ret = *(const struct api_key *)r.v;
	return 0;
}

static int
key_insert(struct db *db, struct arena *mem, const struct principal *who,
    const struct new_key *key, const struct client *client,
    struct api_key *ret)
{
	struct db_params p = { 0 };

	push_who(&p, who);
	db_uuid(&p, &key->id);
	db_uuid(&p, &key->session_id);
	db_text(&p, key->kind);
	db_text(&p, key->name);
	db_bytes(&p, key->hash);
	db_texts(&p, mem, key->scopes);
	db_texts(&p, mem, key->allow);
	db_time(&p, key->expires_at);
	db_time(&p, key->created_at);
	db_bool(&p, key->insecure);
	db_int(&p, key->limit);
	db_text(&p, key->owner_key);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return run_one(db, mem, who, KEY_INSERT, &p, ret);
}

/* The count is right because nobody else counts: the second statement sees
 * what whoever held the account before has inserted. */
int
store_key_insert(struct db *db, struct arena *mem,
    const struct principal *who, const struct new_key *key,
    const struct client *client, struct api_key *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	if (!who) {
		error = key_insert(db, mem, who, key, client, ret);
		return error == E_KEY ? E_USER : error;
	}
	who_params(&p, who);
	if ((error = db_begin(db)) ||
	    (error = who_run(db, mem, who, &statements[KEY_HOLD], &p, &r)) ||
	    (error = key_insert(db, mem, who, key, client, ret)) ||
	    (error = db_commit(db)))
		db_rollback(db);
	return error == E_KEY ? E_KEY_LIMIT : error;
}

int
store_key_list(struct db *db, struct arena *mem, const struct principal *who,
    struct text kind, struct text owner_key, struct list *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	push_who(&p, who);
	db_text(&p, kind);
	db_text(&p, owner_key);
	error = run(db, mem, who, KEY_LIST, &p, &r);
	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

int
store_key_update(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct uuid *session_id, const struct key_change *change,
    const struct client *client, struct api_key *ret)
{
	struct db_params p = { 0 };

	push_who(&p, who);
	db_uuid(&p, id);
	db_uuid(&p, session_id);
	db_bool(&p, change->set_name);
	db_text(&p, change->name);
	db_bool(&p, change->set_scopes);
	db_texts(&p, mem, change->scopes);
	db_bool(&p, change->set_allow);
	db_texts(&p, mem, change->allow);
	db_bool(&p, change->set_expires);
	db_time(&p, change->expires_at);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return run_one(db, mem, who, KEY_UPDATE, &p, ret);
}

int
store_key_rotate(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct uuid *session_id, struct text hash, int64_t grace_seconds,
    const struct client *client, struct api_key *ret)
{
	struct db_params p = { 0 };

	push_who(&p, who);
	db_uuid(&p, id);
	db_uuid(&p, session_id);
	db_bytes(&p, hash);
	db_int(&p, grace_seconds);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return run_one(db, mem, who, KEY_ROTATE, &p, ret);
}

int
store_key_delete(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct client *client)
{
	struct db_params p = { 0 };
	struct api_key gone;

	push_who(&p, who);
	db_uuid(&p, id);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	return run_one(db, mem, who, KEY_DELETE, &p, &gone);
}
