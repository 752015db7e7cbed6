/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Security events in the log: a line each, the client's address in front. */
#include "web/notice.h"

void
notice(const struct call *call, enum event event, const struct uuid *user)
{
	const struct event_row *row = event_row(event);
	char id[UUID_CHARS + 1] = "-";

	if (user && !uuid_is_nil(user)) {
		uuid_format(user, id);
		id[UUID_CHARS] = '\0';
	}
	log_event(row->level, row->name,
	    "ip=%.*s user=%s route=%s rid=%.*s", TEXT_FMT(call->client.ip),
	    id, call->route->operation, TEXT_FMT(call->req->id));
}
