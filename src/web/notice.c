/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Security events in the log: a line each, the client's address in front. */
#include "web/notice.h"

#include "base/metrics.h"

/* What is told of is counted, too. */
static const struct {
	enum event event;
	enum count count;
} counted[] = {
	{ EVENT_login_failed, COUNT_LOGIN_FAILED },
	{ EVENT_login_locked, COUNT_LOGIN_LOCKED },
	{ EVENT_login_refused, COUNT_LOGIN_REFUSED },
	{ EVENT_refresh_reuse, COUNT_REFRESH_REUSED },
	{ EVENT_otp_failed, COUNT_OTP_FAILED },
	{ EVENT_otp_blocked, COUNT_OTP_BLOCKED },
	{ EVENT_otp_guess_refused, COUNT_OTP_REFUSED },
};

static void
count(enum event event)
{
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		if (counted[i].event == event)
			metrics_count(counted[i].count);
}

void
notice(const struct call *call, enum event event, const struct uuid *user)
{
	const struct event_row *row = event_row(event);
	char id[UUID_CHARS + 1] = "-";

	count(event);
	if (user && !uuid_is_nil(user)) {
		uuid_format(user, id);
		id[UUID_CHARS] = '\0';
	}
	log_event(row->level, row->name,
	    "ip=%.*s user=%s route=%s rid=%.*s", TEXT_FMT(call->client.ip),
	    id, call->route->operation, TEXT_FMT(call->req->id));
}
