/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Idempotency-Key: the claim, the stored reply, the replay. */
#include <stddef.h>

#include "base/error.h"
#include "store/idempotency.h"
#include "store/sets.h"
#include "store/who.h"

struct claim {
	bool held;
};

static const struct field claim_fields[] = {
	{ .name = "held", .type = FIELD_BOOL,
	  .offset = offsetof(struct claim, held) },
};

static const struct fields claim_row =
    FIELDS(NULL, claim_fields, struct claim);

struct stored {
	struct text operation, fingerprint, headers, body;
	int64_t status;
};

#define STORED(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct stored, member_) }

static const struct field stored_fields[] = {
	STORED(FIELD_TEXT, operation),
	STORED(FIELD_BYTES, fingerprint),
	STORED(FIELD_INT, status),
	STORED(FIELD_TEXT, headers),
	STORED(FIELD_TEXT, body),
};

static const struct fields stored_row =
    FIELDS(NULL, stored_fields, struct stored);

enum { IDEM_CLAIM, IDEM_FIND, IDEM_STORE };

static const struct stmt statements[] = {
	/* A lock, not a row: it goes with the transaction, however that ends,
	 * and a twin does not wait for it. */
	[IDEM_CLAIM] = {
		"idem_claim",
		SQL_WHO " SELECT who.who_state, CASE WHEN who.who_state = 0"
		" THEN pg_try_advisory_xact_lock("
		"hashtextextended($1::text || ' ' || $4::text, 0))"
		" END AS held FROM who",
		&claim_row, true, false
	},
	/* A statement of its own, after the lock: its snapshot has whatever
	 * the lock's last holder committed. */
	[IDEM_FIND] = {
		"idem_find",
		"SELECT operation, fingerprint, status, headers, body"
		" FROM docket.idempotency"
		" WHERE user_id = $1::uuid AND key = $2::text"
		" AND created_at > now() - interval '24 h'",
		&stored_row, false, false
	},
	[IDEM_STORE] = {
		"idem_store",
		"INSERT INTO docket.idempotency AS i"
		" (user_id, key, operation, fingerprint, status, headers, body)"
		" VALUES ($1::uuid, $2::text, $3::text, $4::bytea,"
		" $5::bigint::int, $6::text, $7::text)"
		" ON CONFLICT (user_id, key) DO UPDATE SET"
		" operation = excluded.operation,"
		" fingerprint = excluded.fingerprint,"
		" status = excluded.status, headers = excluded.headers,"
		" body = excluded.body, created_at = excluded.created_at"
		" WHERE i.created_at <= now() - interval '24 h'",
		NULL, false, true
	},
};

const struct stmts idem_statements = STMTS(statements);

static int
idem_claim(struct db *db, struct arena *mem, const struct principal *who,
    const struct idem_key *key)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_text(&p, key->key);
	error = who_run(db, mem, who, &statements[IDEM_CLAIM], &p, &r);
	if (error)
		return error;
	if (r.rows == 0 || !((const struct claim *)r.v)->held)
		return E_IN_FLIGHT;
	return 0;
}

static int
idem_find(struct db *db, struct arena *mem, const struct principal *who,
    const struct idem_key *key, struct idem_reply *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	const struct stored *s;
	int error;

	db_uuid(&p, &who->user_id);
	db_text(&p, key->key);
	error = db_run(db, mem, &statements[IDEM_FIND], &p, &r);
	if (error || r.rows == 0)
		return error;
	s = r.v;
	if (!text_equal(s->operation, key->operation) ||
	    !text_equal(s->fingerprint, key->fingerprint))
		return E_IDEMPOTENCY;
	*ret = (struct idem_reply){
		.replay = true, .status = s->status,
		.headers = s->headers, .body = s->body,
	};
	return 0;
}

int
store_idem_begin(struct db *db, struct arena *mem,
    const struct principal *who, const struct idem_key *key,
    struct idem_reply *ret)
{
	struct idem_reply reply = { 0 };
	int error = db_begin(db);

	if (error)
		return error;
	error = idem_claim(db, mem, who, key);
	if (error == 0)
		error = idem_find(db, mem, who, key, &reply);
	if (error || reply.replay)
		db_rollback(db);
	if (error == 0)
		*ret = reply;
	return error;
}

int
store_idem_commit(struct db *db, struct arena *mem,
    const struct principal *who, const struct idem_key *key,
    const struct idem_reply *reply)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, &who->user_id);
	db_text(&p, key->key);
	db_text(&p, key->operation);
	db_bytes(&p, key->fingerprint);
	db_int(&p, reply->status);
	db_text(&p, reply->headers.s ? reply->headers : TEXT(""));
	db_text(&p, reply->body.s ? reply->body : TEXT(""));
	error = db_run(db, mem, &statements[IDEM_STORE], &p, &r);
	if (error == 0 && r.affected != 1)
		error = E_IN_FLIGHT;
	if (error == 0)
		return db_commit(db);
	db_rollback(db);
	return error;
}
