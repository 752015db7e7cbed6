/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A user's live sessions: list them, end one, end them all. */
#include "store/devices.h"

#include <stddef.h>

#include "base/error.h"
#include "store/edges.h"
#include "store/event.h"
#include "store/sets.h"
#include "store/who.h"

/* Which sessions are somebody's logins, of a docket.sessions called s. */
#define SQL_LOGIN SQL_SESSION_LIVE " AND s.kind = 'login'"

#define SQL_DEVICE(current) \
	"s.id, s.agent, s.ip, " current " AS current, s.created_at," \
	" s.used_at, s.idle_until, s.absolute_until"

#define DEVICE(type_, member_) \
	{ .name = #member_, .type = (type_), \
	  .offset = offsetof(struct device, member_) }

/* For structs that begin with a struct device. */
#define DEVICE_FIELDS \
	DEVICE(FIELD_UUID, id), \
	DEVICE(FIELD_TEXT, agent), \
	DEVICE(FIELD_TEXT, ip), \
	DEVICE(FIELD_BOOL, current), \
	DEVICE(FIELD_TIME, created_at), \
	DEVICE(FIELD_TIME, used_at), \
	DEVICE(FIELD_TIME, idle_until), \
	DEVICE(FIELD_TIME, absolute_until)

static const struct field device_fields[] = { DEVICE_FIELDS };

static const struct fields device_row =
    FIELDS(NULL, device_fields, struct device);

/* What was ended. */
struct ended {
	struct uuid id;
};

static const struct field ended_fields[] = {
	{ .name = "id", .type = FIELD_UUID,
	  .offset = offsetof(struct ended, id) },
};

static const struct fields ended_row =
    FIELDS(NULL, ended_fields, struct ended);

/* Whose they were: the user is there even when no session was. */
struct ended_of {
	struct uuid user_id;
	int64_t n;
};

static const struct field ended_of_fields[] = {
	{ .name = "user_id", .type = FIELD_UUID,
	  .offset = offsetof(struct ended_of, user_id) },
	{ .name = "n", .type = FIELD_INT,
	  .offset = offsetof(struct ended_of, n) },
};

static const struct fields ended_of_row =
    FIELDS(NULL, ended_of_fields, struct ended_of);

/* A session without an id: the user is there, and has none. */
struct device_of {
	struct device device;
	struct uuid user_id;
};

static const struct field device_of_fields[] = {
	DEVICE_FIELDS,
	{ .name = "user_id", .type = FIELD_UUID,
	  .offset = offsetof(struct device_of, user_id) },
};

static const struct fields device_of_row =
    FIELDS(NULL, device_of_fields, struct device_of);

enum { DEVICE_LIST, DEVICE_REVOKE, DEVICE_LIST_OF, DEVICE_END, DEVICE_END_OF };

/* A live session of $1's ends, by the session $2 or by the command line. */
#define SQL_NOTED(from, detail, ip, request) \
	" noted AS (" \
	" INSERT INTO docket.audit" \
	" (event, user_id, session_id, ip, request_id, detail)" \
	" SELECT " SQL_EVENT(session_revoked) ", e.user_id, e.id, " ip ", " request ", " \
	detail " FROM " from " e)"

static const struct stmt statements[] = {
	[DEVICE_LIST] = {
		"device_list",
		SQL_WHO " SELECT who.who_state, x.* FROM who"
		" LEFT JOIN LATERAL ("
		" SELECT " SQL_DEVICE("s.id = $2") " FROM docket.sessions s"
		" WHERE who.who_state = 0 AND s.user_id = $1"
		" AND s.id < $4::uuid AND " SQL_LOGIN
		" ORDER BY s.id DESC LIMIT $5::bigint) x ON true",
		&device_row, true, false
	},
	/* A foreign one, an ended one and none are the same: no row. */
	[DEVICE_REVOKE] = {
		"device_revoke",
		SQL_WHO ","
		" ended AS ("
		" UPDATE docket.sessions s SET ended_at = now(),"
		" ended_why = 'revoked'"
		" FROM who WHERE who.who_state = 0 AND s.user_id = $1"
		" AND s.id = $4::uuid AND " SQL_LOGIN
		" RETURNING s.id, s.user_id),"
		SQL_NOTED("ended", "'by ' || $2::text", "$5::text",
		    "$6::text")
		" SELECT who.who_state, e.id FROM who"
		" LEFT JOIN ended e ON true",
		&ended_row, true, true
	},
	[DEVICE_LIST_OF] = {
		"device_list_of",
		"SELECT " SQL_DEVICE("false") ", u.id AS user_id"
		" FROM docket.users u LEFT JOIN docket.sessions s"
		" ON s.user_id = u.id AND " SQL_LOGIN
		" WHERE u.username_key = $1::text ORDER BY s.id DESC",
		&device_of_row, false, false
	},
	[DEVICE_END] = {
		"device_end",
		"WITH ended AS ("
		" UPDATE docket.sessions s SET ended_at = now(),"
		" ended_why = 'revoked'"
		" WHERE s.id = $1::uuid AND " SQL_LOGIN
		" RETURNING s.id, s.user_id),"
		SQL_NOTED("ended", "'by the command line'", "NULL", "NULL")
		" SELECT id FROM ended",
		&ended_row, false, true
	},
	[DEVICE_END_OF] = {
		"device_end_of",
		"WITH u AS ("
		" SELECT id FROM docket.users WHERE username_key = $1::text),"
		" ended AS ("
		" UPDATE docket.sessions s SET ended_at = now(),"
		" ended_why = 'revoked' FROM u"
		" WHERE s.user_id = u.id AND " SQL_LOGIN
		" RETURNING s.id, s.user_id),"
		SQL_NOTED("ended", "'by the command line'", "NULL", "NULL")
		" SELECT u.id AS user_id,"
		" (SELECT count(*) FROM ended) AS n FROM u",
		&ended_of_row, false, true
	},
};

const struct stmts device_statements = STMTS(statements);

int
store_devices(struct db *db, struct arena *mem, const struct principal *who,
    const struct uuid *before, int64_t limit, struct list *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_uuid(&p, uuid_is_nil(before) ? &edge_high : before);
	db_int(&p, limit);
	error = who_run(db, mem, who, &statements[DEVICE_LIST], &p, &r);
	if (error)
		return error;
	*ret = (struct list){ .v = r.v, .n = r.rows };
	return 0;
}

int
store_device_revoke(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct client *client)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	who_params(&p, who);
	db_uuid(&p, id);
	db_text(&p, client->ip);
	db_text(&p, client->request_id);
	error = who_run(db, mem, who, &statements[DEVICE_REVOKE], &p, &r);
	if (error)
		return error;
	return r.rows == 0 ? E_SESSION : 0;
}

int
store_devices_of(struct db *db, struct arena *mem, struct text name_key,
    struct list *ret)
{
	const struct device_of *rows;
	struct db_params p = { 0 };
	struct device *devices;
	struct db_result r;
	int error;

	db_text(&p, name_key);
	error = db_run(db, mem, &statements[DEVICE_LIST_OF], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_USER;
	rows = r.v;
	if (uuid_is_nil(&rows[0].device.id))
		r.rows = 0;
	devices = arena_array(mem, r.rows + 1, sizeof(*devices));
	for (size_t i = 0; i < r.rows; i++)
		devices[i] = rows[i].device;
	*ret = (struct list){ .v = devices, .n = r.rows };
	return 0;
}

int
store_device_end(struct db *db, struct arena *mem, const struct uuid *id)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_uuid(&p, id);
	error = db_run(db, mem, &statements[DEVICE_END], &p, &r);
	if (error)
		return error;
	return r.rows == 0 ? E_SESSION : 0;
}

int
store_devices_end(struct db *db, struct arena *mem, struct text name_key,
    int64_t *ret)
{
	struct db_params p = { 0 };
	struct db_result r;
	int error;

	db_text(&p, name_key);
	error = db_run(db, mem, &statements[DEVICE_END_OF], &p, &r);
	if (error)
		return error;
	if (r.rows == 0)
		return E_USER;
	*ret = ((const struct ended_of *)r.v)->n;
	return 0;
}
