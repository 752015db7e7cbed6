/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Admins let somebody in again whom wrong passwords or codes locked out. */
#include "api/api.h"
#include "api/fields.h"
#include "api/tasks.h"
#include "base/error.h"
#include "store/unlock.h"
#include "web/call.h"

int
api_user_unlock(struct call *call)
{
	static const struct message done = { TEXT_INIT("User unlocked") };
	struct task_ref ref;
	struct unlock_target target;

	/* An id or a number, as of a task. */
	if (!task_ref_parse(call->params[0], &ref))
		return E_USER_ID;
	target = (struct unlock_target){ ref.id, ref.number };
	call->reply.object = &done;
	return store_unlock(call->app->db, call->mem, &call->who, &target,
	    &call->client);
}
