/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One account in an admin's hands: /auth/users/{id}. */
#include "api/api.h"
#include "api/fields.h"
#include "api/shapes.h"
#include "api/tasks.h"
#include "base/error.h"
#include "core/names.h"
#include "store/admin.h"
#include "web/call.h"

struct user_in {
	struct seen seen;
	struct text role, status, username, email, phone;
};

#define IN struct user_in
static const struct field patch_rows[] = {
	F_ENUM(IN, role, "role", 0, user_roles, "Felt by the account's next request", "\"admin\""),
	F_ENUM(IN, status, "status", 0, user_statuses, "N deactivates and ends every session", "\"N\""),
	F_CHECK(TEXT, IN, username, "username", 0, 3, 64, name_check_username, "3 to 64 characters, unique whatever its case", "\"exampleuser\""),
	F_CHECK(TEXT, IN, email, "email", FIELD_NULLABLE, 0, 254, name_check_email, "Unique; null clears", "\"exampleuser@example.com\""),
	F_CHECK(TEXT, IN, phone, "phone", FIELD_NULLABLE, 0, 32, name_check_phone, "E.164, unique; null clears", "\"+989121234567\""),
};
#undef IN
const struct fields user_patch_body =
    FIELDS("UserPatch", patch_rows, struct user_in);

/* The bits of a change are those of the rows, in their order. */
_Static_assert(USER_ROLE == 1 && USER_STATUS == 2 && USER_USERNAME == 4 &&
    USER_EMAIL == 8 && USER_PHONE == 16, "rows and bits differ");

static int
user_ref_of(struct call *call, struct user_ref *ret)
{
	struct task_ref ref;

	/* Both are an id or a number, spelled alike. */
	if (!task_ref_parse(call->params[0], &ref))
		return E_USER_ID;
	*ret = (struct user_ref){ ref.id, ref.number };
	return 0;
}

static int
user_change_of(struct call *call, const struct user_in *in,
    struct user_change *ret)
{
	int r = 0;

	*ret = (struct user_change){
		.set = (unsigned)in->seen.set,
		.role = in->role,
		.status = in->status,
		.username = in->username,
		.email = in->email,
		.phone = in->phone,
	};
	if (in->username.s)
		r = name_key(call->mem, in->username, &ret->username_key);
	if (r == 0 && in->email.s)
		r = name_key(call->mem, in->email, &ret->email_key);
	return r;
}

int
api_user_get(struct call *call)
{
	struct user *user = arena_alloc(call->mem, sizeof(*user));
	struct user_ref ref;
	int r;

	call->reply.object = user;
	r = user_ref_of(call, &ref);
	if (r)
		return r;
	return store_admin_get(call->app->db, call->mem, &call->who, &ref,
	    user);
}

int
api_user_patch(struct call *call)
{
	struct user *user = arena_alloc(call->mem, sizeof(*user));
	struct user_change change;
	struct user_ref ref;
	int r;

	call->reply.object = user;
	if ((r = user_ref_of(call, &ref)) ||
	    (r = user_change_of(call, call->body, &change)))
		return r;
	if (!change.set)
		return store_admin_get(call->app->db, call->mem, &call->who,
		    &ref, user);
	return store_admin_change(call->app->db, call->mem, &call->who, &ref,
	    &change, &call->client, user);
}

int
api_user_delete(struct call *call)
{
	static const struct message done = { TEXT_INIT("User deleted") };
	struct user_ref ref;
	int r;

	call->reply.object = &done;
	r = user_ref_of(call, &ref);
	if (r)
		return r;
	return store_admin_delete(call->app->db, call->mem, &call->who, &ref,
	    &call->client);
}
