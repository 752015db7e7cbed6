/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sessions: their end. */
#include "api/api.h"
#include "api/fields.h"
#include "store/sessions.h"
#include "web/call.h"

static const struct field message_rows[] = {
	F(TEXT, struct message, message, "message", 0, 0, 0, "What was done", "\"Done\""),
};
const struct fields message_reply =
    FIELDS("Message", message_rows, struct message);

struct logout_in {
	struct seen seen;
	bool all;
};

static const struct field logout_rows[] = {
	F(BOOL, struct logout_in, all, "all", FIELD_NULLABLE, 0, 0, "Every session of the user, not just this one", "false"),
};
const struct fields logout_body =
    FIELDS("Logout", logout_rows, struct logout_in);

int
api_logout(struct call *call)
{
	static const struct message done = { TEXT_INIT("Logged out") };
	const struct logout_in *in = call->body;

	call->reply.object = &done;
	return store_session_end(call->app->db, call->mem, &call->who,
	    in->all, &call->client);
}
