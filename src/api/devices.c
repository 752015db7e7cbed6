/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where one is logged in: the caller's sessions, and the end of one. */
#include "api/api.h"
#include "api/fields.h"
#include "api/pages.h"
#include "base/error.h"
#include "store/devices.h"
#include "web/call.h"
#include "web/cursor.h"

struct sessions_in {
	struct seen seen;
	struct text cursor;
	int64_t limit;
};

#define IN struct sessions_in
static const struct field query_rows[] = {
	F(INT, IN, limit, "limit", 0, 1, PAGE_MAX, "Rows a page; 50 when absent", "50"),
	F(TEXT, IN, cursor, "cursor", 0, 1, 1024, "next_cursor of the page before", NULL),
};
#undef IN
const struct fields sessions_query =
    FIELDS("SessionsQuery", query_rows, struct sessions_in);

#define OUT struct device
static const struct field session_rows[] = {
	F(UUID, OUT, id, "id", 0, 0, 0, "UUIDv7; the token's sid", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""),
	F(TEXT, OUT, agent, "device", FIELD_NULLABLE, 0, 0, "User-Agent of the login or the last refresh", "\"Mozilla/5.0\""),
	F(TEXT, OUT, ip, "ip", FIELD_NULLABLE, 0, 0, "Address of the login or the last refresh", "\"192.0.2.7\""),
	F(BOOL, OUT, current, "current", 0, 0, 0, "The one that asks", "true"),
	F(TIME, OUT, created_at, "created_at", 0, 0, 0, "The login", "\"2026-01-31T09:30:00.000Z\""),
	F(TIME, OUT, used_at, "used_at", 0, 0, 0, "The last refresh: no older than an access token lives while it is in use", "\"2026-01-31T09:30:00.000Z\""),
	F(TIME, OUT, idle_until, "idle_until", 0, 0, 0, "Its end unless it is refreshed before", "\"2026-02-14T09:30:00.000Z\""),
	F(TIME, OUT, absolute_until, "absolute_until", 0, 0, 0, "Its end in any case", "\"2026-05-01T09:30:00.000Z\""),
};
#undef OUT
static const struct fields session_object =
    FIELDS("Session", session_rows, struct device);

struct sessions_out {
	struct list sessions;
	struct text next_cursor;
};

static const struct field sessions_rows[] = {
	F_SUB(LIST, struct sessions_out, sessions, "sessions", 0, session_object, "The newest first", NULL),
	F(TEXT, struct sessions_out, next_cursor, "next_cursor", FIELD_NULLABLE, 0, 0, "Null on the last page", NULL),
};
const struct fields sessions_reply =
    FIELDS("Sessions", sessions_rows, struct sessions_out);

/* What a cursor of this list is bound to. */
static struct text
sessions_bound(struct call *call)
{
	char who[UUID_CHARS];

	uuid_format(&call->who.user_id, who);
	return text_of(arena_printf(call->mem, "sessions %.*s", UUID_CHARS,
	    who));
}

/* One row more than asked for tells whether there is a next page. */
static int
sessions_next(struct call *call, size_t limit, struct sessions_out *out)
{
	struct cursor at = { 0 };
	int r;

	if (out->sessions.n <= limit)
		return 0;
	out->sessions.n = limit;
	at.id = ((const struct device *)out->sessions.v)[limit - 1].id;
	r = cursor_encode(call->mem, &call->app->key_cursor,
	    sessions_bound(call), &at, &out->next_cursor);
	if (r == 0)
		page_link(call, out->next_cursor);
	return r;
}

int
api_sessions(struct call *call)
{
	const struct sessions_in *in = call->query;
	struct sessions_out *out = arena_alloc(call->mem, sizeof(*out));
	const int64_t limit = in->limit == INT_NONE ? PAGE_DEFAULT : in->limit;
	struct cursor at = { 0 };
	int r = 0;

	call->reply.object = out;
	if (in->cursor.s)
		r = cursor_decode(call->mem, &call->app->key_cursor,
		    sessions_bound(call), in->cursor, &at);
	if (r)
		return r;
	r = store_devices(call->app->db, call->mem, &call->who, &at.id,
	    limit + 1, &out->sessions);
	if (r)
		return r;
	return sessions_next(call, (size_t)limit, out);
}

int
api_session_revoke(struct call *call)
{
	static const struct message done = { TEXT_INIT("Session ended") };
	struct uuid id;

	call->reply.object = &done;
	if (!uuid_parse(call->params[0], &id) || uuid_is_nil(&id))
		return E_SESSION_ID;
	return store_device_revoke(call->app->db, call->mem, &call->who, &id,
	    &call->client);
}
