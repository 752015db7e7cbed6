/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The API key that a request brings: found, its use noted. */
#include <stddef.h>

#include "base/error.h"
#include "store/keys.h"
#include "store/sets.h"

#define FOUND(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct found_key, member_) }

static const struct field found_fields[] = {
	FOUND(FIELD_UUID, id),
	FOUND(FIELD_UUID, user_id),
	FOUND(FIELD_UUID, session_id),
	FOUND(FIELD_TEXTS, scopes),
	FOUND(FIELD_BYTES, hash),
	FOUND(FIELD_BYTES, old_hash),
	FOUND(FIELD_INT, old_seconds),
	FOUND(FIELD_TEXT, refused),
	FOUND(FIELD_BOOL, ended),
	FOUND(FIELD_BOOL, stale),
};

static const struct fields found_row =
    FIELDS(NULL, found_fields, struct found_key);

/* $2 is the client's address. */
#define SQL_FIND(where) \
	"SELECT k.id, k.user_id, k.session_id, k.scopes, k.hash," \
	" CASE WHEN k.old_until > now() THEN k.old_hash END AS old_hash," \
	" CASE WHEN k.old_until > now() THEN floor(extract(epoch FROM" \
	" k.old_until - now()))::bigint END AS old_seconds," \
	" CASE WHEN k.expires_at <= now() THEN 'expired'" \
	" WHEN k.allow <> '{}' AND NOT $2::text::inet <<= ANY (k.allow)" \
	" THEN 'address' WHEN NOT u.active THEN 'owner' END AS refused," \
	" s.ended_at IS NOT NULL AS ended," \
	" k.used_at IS NULL OR k.used_at < now() - interval '1 minute'" \
	" AS stale FROM docket.api_keys k" \
	" LEFT JOIN docket.users u ON u.id = k.user_id" \
	" LEFT JOIN docket.sessions s ON s.id = k.session_id" \
	" WHERE " where

enum { KEY_FIND, KEY_FIND_INSECURE, KEY_USED, KEY_REVIVE };

static const struct stmt statements[] = {
	[KEY_FIND] = {
		"key_find", SQL_FIND("k.id = $1::uuid"),
		&found_row, false, false
	},
	[KEY_FIND_INSECURE] = {
		"key_find_insecure",
		SQL_FIND("k.insecure AND k.hash = $1::bytea"),
		&found_row, false, false
	},
	[KEY_USED] = {
		"key_used",
		"UPDATE docket.api_keys SET used_at = now(),"
		" used_ip = $2::text WHERE id = $1::uuid"
		" AND (used_at IS NULL"
		" OR used_at < now() - interval '1 minute')",
		NULL, false, true
	},
	/*
	 * Key and owner are held while it is decided, so that neither a
	 * revocation nor a deactivation slips in between; both end the
	 * session themselves when they come after.
	 */
	[KEY_REVIVE] = {
		"key_revive",
		"WITH k AS MATERIALIZED ("
		" SELECT k.session_id FROM docket.api_keys k"
		" JOIN docket.users u ON u.id = k.user_id AND u.active"
		" WHERE k.id = $1::uuid AND k.session_id = $2::uuid"
		" FOR SHARE OF k, u)"
		" UPDATE docket.sessions s SET ended_at = NULL,"
		" ended_why = NULL FROM k WHERE s.id = k.session_id",
		NULL, false, true
	},
};

const struct stmts key_find_statements = STMTS(statements);

static int
find(struct db *db, struct arena *mem, int which, const struct db_params *p,
    struct found_key *ret)
{
	struct db_result r;
	int error = db_run(db, mem, &statements[which], p, &r);

	if (error)
		return error;
	if (r.rows == 0)
		return E_KEY;
	*ret = *(const struct found_key *)r.v;
	return 0;
}

int
store_key_find(struct db *db, struct arena *mem, const struct uuid *id,
    const struct client *client, struct found_key *ret)
{
	struct db_params p = { 0 };

	db_uuid(&p, id);
	db_text(&p, client->ip);
	return find(db, mem, KEY_FIND, &p, ret);
}

int
store_key_find_insecure(struct db *db, struct arena *mem, struct text hash,
    const struct client *client, struct found_key *ret)
{
	struct db_params p = { 0 };

	db_bytes(&p, hash);
	db_text(&p, client->ip);
	return find(db, mem, KEY_FIND_INSECURE, &p, ret);
}

int
store_key_used(struct db *db, struct arena *mem, const struct uuid *id,
    const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;

	db_uuid(&p, id);
	db_text(&p, client->ip);
	return db_run(db, mem, &statements[KEY_USED], &p, &r);
}

int
store_key_revive(struct db *db, struct arena *mem,
    const struct found_key *key)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, &key->id);
	db_uuid(&p, &key->session_id);
	error = db_run(db, mem, &statements[KEY_REVIVE], &p, &r);
	if (error)
		return error;
	return r.affected == 1 ? 0 : E_BUSY;
}
