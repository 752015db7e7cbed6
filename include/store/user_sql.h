/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: SQL that the statements on accounts have in common. */
#ifndef DOCKET_STORE_USER_SQL_H
#define DOCKET_STORE_USER_SQL_H

/* user_row's columns, of a docket.users that is called u; all NULL without a
 * row (store/db.h). */
#define SQL_USER \
	"u.id, u.number, u.username, u.email, u.phone, u.role," \
	" CASE WHEN u.active THEN 'Y' WHEN NOT u.active THEN 'N' END" \
	" AS status," \
	" u.created_at, u.updated_at"

/* The accounts whose name, e-mail address or phone begins so, the + of the
 * last left out or not: a range of each index, which LIKE $n would not be, and
 * first of all: an array leaves the planner no way to walk the whole table. No
 * key has U+10FFFF in it, so what begins with $n is below $n with that. */
#define SQL_BETWEEN(column, start) \
	" SELECT b.number FROM docket.users b" \
	" WHERE b." column " COLLATE \"C\" >= " start \
	" AND b." column " COLLATE \"C\" < " start " || chr(1114111)"
#define SQL_USER_BEGINS(begins) \
	"u.number = ANY (ARRAY(" SQL_BETWEEN("username_key", begins) \
	" UNION ALL" SQL_BETWEEN("email_key", begins) \
	" UNION ALL" SQL_BETWEEN("phone", begins) \
	" UNION ALL" SQL_BETWEEN("phone", "'+' || " begins) "))"

/* A recipient's row after a right guess: that guess did not happen, a block
 * that it may have caused is lifted. b is the docket.otp_budgets row. */
#define SQL_GUESS_BACK \
	"guess_n = greatest(b.guess_n - 1, 0), blocked_until = NULL"

/* Open a session for user_id from `in`: $n id, idle and absolute seconds, ip,
 * agent are spelled out, because the numbers differ by statement. */
#define SQL_SESSION(from, id, idle, absolute, ip, agent) \
	"INSERT INTO docket.sessions" \
	" (id, user_id, idle_until, absolute_until, ip, agent)" \
	" SELECT " id "::uuid, u.id," \
	" now() + make_interval(secs => least(" idle "::bigint, " \
	absolute "::bigint))," \
	" now() + make_interval(secs => " absolute ")," \
	" " ip "::text, " agent "::text FROM " from " u"

#endif
