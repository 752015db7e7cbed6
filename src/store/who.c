/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who may: the liveness check as part of another statement. */
#include <errno.h>

#include "base/error.h"
#include "store/sessions.h"
#include "store/who.h"

void
who_params(struct db_params *p, const struct principal *who)
{
	db_uuid(p, &who->user_id);
	db_uuid(p, &who->session_id);
	db_bool(p, who->need_admin);
}

int
who_error(int32_t who_state)
{
	static const int errors[] = {
		E_OK, E_USER_DELETED, E_USER_INACTIVE, E_TOKEN_REVOKED, E_ROLE
	};

	if (who_state < 0 ||
	    (size_t)who_state >= sizeof(errors) / sizeof(errors[0]))
		return -EPROTO;
	return errors[who_state];
}

int
who_run(struct db *db, struct arena *mem, const struct principal *who,
    const struct stmt *stmt, const struct db_params *p, struct db_result *ret)
{
	int error = db_run(db, mem, stmt, p, ret);

	if (error || stmt->who)
		return error ? error : ret->who;
	return ret->rows == 0 ? store_session_check(db, mem, who) : 0;
}
