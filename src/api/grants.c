/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the handlers that let somebody in share: hashes, codes, token pairs. */
#include "api/grants.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "core/names.h"
#include "core/otp.h"
#include "core/password.h"
#include "core/scope.h"
#include "core/token.h"
#include "store/otps.h"
#include "web/notice.h"

/* Who waits at the gate to the last moment has no time left for the hash, nor
 * for giving back what it has counted. */
#define GATE_SPARE_MS 300

static int
gate_in(struct call *call)
{
	return gate_enter(call->app->gate, call->app->member,
	    call->deadline_ms - GATE_SPARE_MS);
}

int
grants_hash(struct call *call, struct text password, struct text *ret)
{
	struct app *app = call->app;
	int r;

	r = gate_in(call);
	if (r)
		return r;
	r = password_hash(call->mem, password, ret);
	gate_leave(app->gate, app->member);
	return r;
}

int
grants_verify(struct call *call, struct text hash, struct text password,
    bool *ret_right)
{
	struct app *app = call->app;
	int r;

	r = gate_in(call);
	if (r)
		return r;
	r = password_verify(call->mem, hash, password, ret_right);
	gate_leave(app->gate, app->member);
	if (hash.s && password_refusal(hash))
		log_event(LOG_WARN, "password_hash_refused", "request_id=%.*s "
		    "why=\"the hash %s\"", TEXT_FMT(call->client.request_id),
		    password_refusal(hash));
	return r;
}

int
grants_address(struct call *call, struct text phone, struct text email,
    struct text *ret)
{
	if (phone.s) {
		*ret = phone;
		return 0;
	}
	return name_key(call->mem, email, ret);
}

/* The code against the live one of its address and purpose. */
static int
code_compare(struct call *call, const struct otp_guess *guess,
    const struct otp_live *live, struct text code)
{
	uint8_t mine[CRYPTO_HASH];
	int r;

	r = otp_hash(&call->app->key_otp, guess->purpose, guess->address,
	    code, mine);
	if (r)
		return r;
	return live->hash.n == sizeof(mine) &&
	    crypto_equal(live->hash.s, mine, sizeof(mine)) ? 0 : E_OTP;
}

/* Wrong, or there is none: told the same way, and it takes as long. */
static int
code_failed(struct call *call, const struct otp_guess *guess,
    const struct otp_live *live)
{
	const bool blocked = live->recipient_guesses >= guess->per_recipient;
	const int r = store_otp_failed(call->app->db, call->mem, guess,
	    blocked);

	notice(call, EVENT_otp_failed, NULL);
	if (blocked)
		notice(call, EVENT_otp_blocked, NULL);
	return r ? r : E_OTP;
}

static int
code_refused(struct call *call, int error, int64_t seconds)
{
	notice(call, EVENT_otp_guess_refused, NULL);
	return call_refuse_later(call, error, (long)seconds);
}

int
grants_code(struct call *call, struct text address, struct text purpose,
    struct text code, struct uuid *ret)
{
	const struct settings *set = call->app->settings;
	const struct otp_guess guess = {
		.address = address,
		.purpose = purpose,
		.masked = name_mask(call->mem, address),
		.per_code = set->limits_otp_guesses,
		.per_recipient = set->limits_otp_recipient_guesses,
		.per_client = set->limits_otp_verify_client,
		.client = call->client,
	};
	struct otp_live live = { .retry_after = 0 };
	int r;

	r = store_otp_guess(call->app->db, call->mem, &guess, &live);
	if (r == E_OTP_BLOCKED)
		return code_refused(call, r, live.retry_after);
	if (r == E_RATE)
		return code_refused(call, r, live.client_after);
	if (r == 0)
		r = code_compare(call, &guess, &live, code);
	if (r)
		return r == E_OTP ? code_failed(call, &guess, &live) : r;
	metrics_count(COUNT_OTP_VERIFIED);
	*ret = live.id;
	return 0;
}

int
grants_session(struct call *call, struct new_session *ret)
{
	const struct settings *set = call->app->settings;

	*ret = (struct new_session){
		.idle_seconds = set->auth_refresh_idle,
		.absolute_seconds = set->auth_refresh_absolute,
		.client = call->client,
	};
	return crypto_uuid(&ret->id, NULL);
}

int
grants_tokens(struct call *call, const struct principal *who,
    struct text role, int64_t counter, struct auth_reply *ret)
{
	const struct settings *set = call->app->settings;
	const struct token_policy policy = {
		.issuer = text_of(set->auth_issuer),
		.audience = text_of(set->auth_audience),
		.ttl = set->auth_access_ttl,
		.skew = set->auth_clock_skew,
	};
	const int64_t now = clock_real_us() / TIME_SECOND;
	int r;

	r = token_issue(call->mem, call->app->ring, &policy, now, who, role,
	    &ret->access_token);
	if (r)
		return r;
	ret->token = ret->access_token;
	ret->token_type = TEXT("bearer");
	ret->scope = scope_of_role(role);
	ret->expires_in = policy.ttl;
	return refresh_make(call->mem, &call->app->key_refresh,
	    &who->session_id, counter, &ret->refresh_token);
}

int
grants_reply(struct call *call, const struct user *user,
    const struct uuid *session, struct auth_reply *ret)
{
	const struct principal who = {
		.user_id = user->id,
		.session_id = *session,
	};

	ret->message = TEXT("Authentication successful");
	ret->user = *user;
	return grants_tokens(call, &who, user->role, 0, ret);
}
