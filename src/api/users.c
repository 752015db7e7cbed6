/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What admins see of all accounts. */
#include "api/users.h"

#include <stdlib.h>

#include "api/api.h"
#include "api/pages.h"
#include "api/shapes.h"
#include "base/error.h"
#include "core/names.h"
#include "store/users.h"
#include "web/call.h"
#include "web/cursor.h"

struct users_in {
	struct seen seen;
	struct text role, status, q, cursor;
	int64_t limit;
};

#define IN struct users_in
static const struct field query_rows[] = {
	F_ENUM(IN, role, "role", 0, user_roles, "Only this role", "\"admin\""),
	F_ENUM(IN, status, "status", 0, user_statuses, "Only active (Y) or deactivated (N) ones", "\"Y\""),
	F(TEXT, IN, q, "q", 0, 1, 254, "How the name, the e-mail address or the phone begins, whatever its case", "\"exam\""),
	F(INT, IN, limit, "limit", 0, 1, PAGE_MAX, "Rows a page; 50 when absent", "50"),
	F(TEXT, IN, cursor, "cursor", 0, 1, 1024, "next_cursor of the page before", NULL),
};
#undef IN
const struct fields users_query =
    FIELDS("UsersQuery", query_rows, struct users_in);

static const struct field users_rows[] = {
	F_SUB(LIST, struct users_out, users, "users", 0, user_object, "By number", NULL),
	F(TEXT, struct users_out, next_cursor, "next_cursor", FIELD_NULLABLE, 0, 0, "Null on the last page", NULL),
};
const struct fields users_reply =
    FIELDS("Users", users_rows, struct users_out);

/* What a cursor of this list is bound to; only q, which is last, may be any
 * text. */
static struct text
users_bound(struct call *call, const struct users_in *in)
{
	char who[UUID_CHARS];

	uuid_format(&call->who.user_id, who);
	return text_of(arena_printf(call->mem, "users %.*s %.*s %.*s %.*s",
	    UUID_CHARS, who, TEXT_FMT(in->role), TEXT_FMT(in->status),
	    TEXT_FMT(in->q)));
}

static int
users_after(struct call *call, const struct users_in *in, int64_t *ret)
{
	struct cursor at;
	int r;

	*ret = 0;
	if (!in->cursor.s)
		return 0;
	r = cursor_decode(call->mem, &call->app->key_cursor,
	    users_bound(call, in), in->cursor, &at);
	if (r)
		return r;
	*ret = strtoll(arena_copy(call->mem, at.key.s, at.key.n), NULL, 10);
	return 0;
}

/* One row more than asked for tells whether there is a next page. */
static int
users_next(struct call *call, const struct users_in *in, size_t limit,
    struct users_out *out)
{
	const struct user *last;
	struct cursor at;
	int r;

	if (out->users.n <= limit)
		return 0;
	out->users.n = limit;
	last = (const struct user *)out->users.v + limit - 1;
	at.id = last->id;
	at.key = text_of(arena_printf(call->mem, "%lld",
	    (long long)last->number));
	r = cursor_encode(call->mem, &call->app->key_cursor,
	    users_bound(call, in), &at, &out->next_cursor);
	if (r == 0)
		page_link(call, out->next_cursor);
	return r;
}

int
api_users(struct call *call)
{
	const struct users_in *in = call->query;
	struct users_out *out = arena_alloc(call->mem, sizeof(*out));
	const int64_t limit = in->limit == INT_NONE ? PAGE_DEFAULT : in->limit;
	struct user_filter filter = {
		.role = in->role,
		.status = in->status,
		.limit = limit + 1,
	};
	int r;

	call->reply.object = out;
	r = users_after(call, in, &filter.after_number);
	if (r == 0 && in->q.s)
		r = name_key(call->mem, in->q, &filter.begins);
	if (r)
		return r;
	r = store_user_list(call->app->db, call->mem, &call->who, &filter,
	    &out->users);
	if (r)
		return r;
	return users_next(call, in, (size_t)limit, out);
}
