/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The cheap limits, and what every limited reply says of its limits. */
#include "web/limit.h"

#include "base/clock.h"
#include "base/metrics.h"

#define MINUTE_US (60 * TIME_SECOND)

void
limit_tell(struct call *call, const struct limit *limit)
{
	if (call->n_limits < LIMITS_MAX)
		call->limits[call->n_limits++] = *limit;
}

static const enum count counts[] = {
	[LIMITER_USER] = COUNT_LIMITED_USER,
	[LIMITER_CLIENT] = COUNT_LIMITED_ANONYMOUS,
	[LIMITER_SESSION] = COUNT_LIMITED_SESSION,
	[LIMITER_CHECK] = COUNT_LIMITED_CHECK,
};

/* quota a minute; 0 = no limit. */
static int
take(struct call *call, const char *name, long quota, enum limiter_kind kind,
    const void *subject, size_t n)
{
	const struct bucket_rule rule = { quota, MINUTE_US };
	struct bucket bucket;

	if (quota == 0)
		return 0;
	bucket = limiter_take(call->app->limiter, &rule, kind, subject, n,
	    clock_mono_ms() * 1000);
	limit_tell(call, &(struct limit){
		name, bucket.quota, bucket.window, bucket.left, bucket.reset
	});
	if (!bucket.taken)
		metrics_count(counts[kind]);
	return bucket.taken ? 0 :
	    call_refuse_later(call, E_RATE, (long)bucket.reset);
}

struct text
limit_client(const struct client *client)
{
	const bool v6 = memchr(client->ip.s, ':', client->ip.n);

	return v6 ? client->network : client->ip;
}

/* A page is dozens of checks: they leave the user's other requests alone. */
static int
take_user(struct call *call)
{
	const struct settings *set = call->app->settings;
	const struct uuid *user = &call->who.user_id;

	if (call->route->rate == RATE_CHECK)
		return take(call, "check", set->limits_checks_user,
		    LIMITER_CHECK, user, sizeof(*user));
	return take(call, "user", set->limits_requests_user, LIMITER_USER,
	    user, sizeof(*user));
}

int
limit_check(struct call *call, int access)
{
	const struct settings *set = call->app->settings;
	struct text client;
	int r;

	if (access < 0 || call->route->rate == RATE_NONE)
		return access;
	if (access == 0 && !uuid_is_nil(&call->who.user_id))
		return take_user(call);
	client = limit_client(&call->client);
	r = take(call, "anonymous", set->limits_requests_anonymous,
	    LIMITER_CLIENT, client.s, client.n);
	return r ? r : access;
}

int
limit_session(struct call *call, const struct uuid *session)
{
	return take(call, "session",
	    call->app->settings->limits_refreshes_session, LIMITER_SESSION,
	    session, sizeof(*session));
}

/* Refusals that the store counted: which limit, as far as the error says. */
static bool
limit_of_error(const struct call *call, enum error error, struct limit *ret)
{
	const struct settings *set = call->app ? call->app->settings : NULL;

	if (!set || !call->route || call->route->rate != RATE_OTP ||
	    call->n_limits == LIMITS_MAX)
		return false;
	if (error == E_OTP_WAIT)
		*ret = (struct limit){ "otp", set->limits_otp_sends_hour,
			3600, 0, 0 };
	else if (error == E_OTP_BLOCKED)
		*ret = (struct limit){ "otp-guesses",
			set->limits_otp_recipient_guesses, 86400, 0, 0 };
	else if (error == E_RATE)
		*ret = (struct limit){ "otp-client",
			set->limits_otp_sends_client, 3600, 0, 0 };
	else
		return false;
	ret->reset = call->reply.retry_after;
	return ret->quota > 0;
}

static bool
has_refused(const struct call *call)
{
	for (size_t i = 0; i < call->n_limits; i++)
		if (call->limits[i].left == 0 && call->limits[i].reset ==
		    call->reply.retry_after)
			return true;
	return false;
}

void
limit_headers(const struct call *call, enum error error, struct buf *out)
{
	struct limit all[LIMITS_MAX + 1];
	size_t n = call->n_limits;

	memcpy(all, call->limits, n * sizeof(all[0]));
	if (!has_refused(call) && limit_of_error(call, error, &all[n]))
		n++;
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\"%s\";q=%lld;w=%lld",
		    i ? ", " : "RateLimit-Policy: ", all[i].name,
		    (long long)all[i].quota, (long long)all[i].window);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\"%s\";r=%lld;t=%lld",
		    i ? ", " : "\r\nRateLimit: ", all[i].name,
		    (long long)all[i].left, (long long)all[i].reset);
	if (n)
		buf_puts(out, "\r\n");
}
