/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accounts by the hundred: one statement over arrays. */
#include "store/import.h"

#include <stdio.h>

#include "store/event.h"
#include "store/sets.h"

/* $1 ids, then a text[] a column, '' for what is not given; $10 milliseconds.
 * In the order given, so that numbers count up as the lines do. */
#define SQL_IMPORT(conflict) \
	"WITH given AS MATERIALIZED (" \
	" SELECT g.n, g.id, g.username, g.username_key," \
	" NULLIF(g.email, '') AS email, NULLIF(g.email_key, '') AS email_key," \
	" NULLIF(g.phone, '') AS phone, NULLIF(g.hash, '') AS hash," \
	" NULLIF(g.role, '') AS role, NULLIF(g.active, '') AS active," \
	" timestamptz 'epoch' + g.ms::bigint * interval '1 ms' AS created_at" \
	" FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]," \
	" $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]," \
	" $10::text[]) WITH ORDINALITY AS g(id, username, username_key," \
	" email, email_key, phone, hash, role, active, ms, n))," \
	" u AS (" \
	" INSERT INTO docket.users AS o (id, username, username_key, email," \
	" email_key, phone, password_hash, role, active, created_at," \
	" updated_at)" \
	" SELECT id, username, username_key, email, email_key, phone, hash," \
	" COALESCE(role, 'user'), COALESCE(active = 'Y', true), created_at," \
	" created_at FROM given ORDER BY n" \
	conflict \
	" RETURNING o.id, o.username_key, o.role)," \
	" c AS (" \
	" INSERT INTO docket.counters (user_id) SELECT id FROM u" \
	" ON CONFLICT (user_id) DO NOTHING)," \
	" ended AS (" \
	" UPDATE docket.sessions s SET ended_at = now()," \
	" ended_why = 'user_import'" \
	" FROM u JOIN given g ON g.username_key = u.username_key" \
	" WHERE s.user_id = u.id AND s.ended_at IS NULL" \
	" AND g.hash IS NOT NULL)" \
	" INSERT INTO docket.audit (event, user_id, detail)" \
	" SELECT " SQL_EVENT(user_import) ", id, role FROM u"

#define SQL_GIVEN(column) \
	"(SELECT g." column " FROM given g" \
	" WHERE g.username_key = o.username_key)"

enum { IMPORT_INSERT, IMPORT_UPSERT };

static const struct stmt statements[] = {
	[IMPORT_INSERT] = {
		"user_import", SQL_IMPORT(""), NULL, false, true
	},
	[IMPORT_UPSERT] = {
		"user_import_update",
		SQL_IMPORT(" ON CONFLICT (username_key) DO UPDATE SET"
		    " email = COALESCE(excluded.email, o.email),"
		    " email_key = COALESCE(excluded.email_key, o.email_key),"
		    " phone = COALESCE(excluded.phone, o.phone),"
		    " password_hash ="
		    " COALESCE(excluded.password_hash, o.password_hash),"
		    " role = COALESCE(" SQL_GIVEN("role") ", o.role),"
		    " active = COALESCE(" SQL_GIVEN("active") " = 'Y',"
		    " o.active),"
		    " updated_at = greatest(now(), o.updated_at)"),
		NULL, false, true
	},
};

const struct stmts import_statements = STMTS(statements);

/* The columns $2 to $9: a text of each account. */
static const size_t columns[] = {
	offsetof(struct import_user, user.username),
	offsetof(struct import_user, user.username_key),
	offsetof(struct import_user, user.email),
	offsetof(struct import_user, user.email_key),
	offsetof(struct import_user, user.phone),
	offsetof(struct import_user, user.hash),
	offsetof(struct import_user, user.role),
	offsetof(struct import_user, active),
};

static void
add_column(struct db_params *p, struct arena *mem,
    const struct import_user *v, size_t n, size_t offset)
{
	struct texts all = { arena_array(mem, n, sizeof(*all.v)), n };

	for (size_t i = 0; i < n; i++)
		all.v[i] = *(const struct text *)
		    ((const char *)&v[i] + offset);
	db_texts(p, mem, all);
}

static void
add_instants(struct db_params *p, struct arena *mem,
    const struct import_user *v, size_t n)
{
	struct texts all = { arena_array(mem, n, sizeof(*all.v)), n };

	for (size_t i = 0; i < n; i++)
		all.v[i] = text_of(arena_printf(mem, "%lld",
		    (long long)(v[i].user.created_at / 1000)));
	db_texts(p, mem, all);
}

int
store_user_import(struct db *db, struct arena *mem,
    const struct import_user *v, size_t n, bool update)
{
	struct uuid *ids = arena_array(mem, n, sizeof(*ids));
	struct db_params p = { 0 };
	struct db_result r;

	for (size_t i = 0; i < n; i++)
		ids[i] = v[i].user.id;
	db_uuids(&p, mem, ids, n);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		add_column(&p, mem, v, n, columns[i]);
	add_instants(&p, mem, v, n);
	return db_run(db, mem,
	    &statements[update ? IMPORT_UPSERT : IMPORT_INSERT], &p, &r);
}
