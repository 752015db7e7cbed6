/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One-time codes: send one, trade one for a verification token. */
#include "api/api.h"
#include "api/fields.h"
#include "api/grants.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "core/country.h"
#include "core/language.h"
#include "core/names.h"
#include "core/otp.h"
#include "store/otps.h"

static const char *const purposes[] = {
	"register", "login", "reset", "change", NULL
};

struct otp_in {
	struct seen seen;
	struct text phone, email, purpose, otp;
};

/* Rows that sending and verifying have in common. */
#define ADDRESS_ROWS \
	F_CHECK(TEXT, struct otp_in, phone, "phone", FIELD_NULLABLE, 0, 32, name_check_phone, "E.164; or give email", "\"+989121234567\""), \
	F_CHECK(TEXT, struct otp_in, phone, "mobile", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 32, name_check_phone, "= phone", "\"+989121234567\""), \
	F_CHECK(TEXT, struct otp_in, phone, "mobile_no", FIELD_NULLABLE | FIELD_ALIAS | FIELD_HIDDEN, 0, 32, name_check_phone, "= phone", "\"+989121234567\""), \
	F_CHECK(TEXT, struct otp_in, email, "email", FIELD_NULLABLE, 0, 254, name_check_email, "Instead of a phone", NULL), \
	F_ENUM(struct otp_in, purpose, "purpose", FIELD_NULLABLE, purposes, "What the code is for; register when absent", "\"register\"")

static const struct field send_rows[] = { ADDRESS_ROWS };
const struct fields otp_send_body =
    FIELDS("OtpSend", send_rows, struct otp_in);

static const struct field verify_rows[] = {
	ADDRESS_ROWS,
	F(TEXT, struct otp_in, otp, "otp", FIELD_REQUIRED | FIELD_SECRET, 1, 16, "The code", "\"123456\""),
};
const struct fields otp_verify_body =
    FIELDS("OtpVerify", verify_rows, struct otp_in);

struct otp_send_out {
	struct text message, otp;
	int64_t status_code, expires_in, resend_in;
};

#define OUT struct otp_send_out
static const struct field send_reply_rows[] = {
	F(TEXT, OUT, message, "message", 0, 0, 0, "", "\"OTP sent successfully\""),
	F(INT, OUT, status_code, "status_code", 0, 0, 0, "The HTTP status again", "200"),
	F(INT, OUT, expires_in, "expires_in", 0, 0, 0, "Seconds the code is good for", "120"),
	F(INT, OUT, resend_in, "resend_in", 0, 0, 0, "Seconds until the next one may be asked for", "60"),
	F(TEXT, OUT, otp, "otp", FIELD_OMIT_NONE, 0, 0, "The code itself, in the dev profile alone", "\"123456\""),
};
#undef OUT
const struct fields otp_send_reply =
    FIELDS("OtpSent", send_reply_rows, struct otp_send_out);

struct otp_verify_out {
	struct text message, verification_token;
	bool verified;
	int64_t expires_in;
};

#define OUT struct otp_verify_out
static const struct field verify_reply_rows[] = {
	F(TEXT, OUT, message, "message", 0, 0, 0, "", "\"OTP verified successfully\""),
	F(BOOL, OUT, verified, "verified", 0, 0, 0, "", "true"),
	F(TEXT, OUT, verification_token, "verification_token", 0, 0, 0, "Stands in for otp at registration, once", "\"kq3v0mXr6mJ0b3G8m4sZJ2cN6a1tq8n5b9X0yT7wE2s\""),
	F(INT, OUT, expires_in, "expires_in", 0, 0, 0, "Seconds the token is good for", "600"),
};
#undef OUT
const struct fields otp_verify_reply =
    FIELDS("OtpVerified", verify_reply_rows, struct otp_verify_out);

#define PROOF_BYTES 32
#define PROOF_SECONDS 600

/* Exactly one of the two, and what the code is for. */
static int
otp_target(struct call *call, const struct otp_in *in, struct text *ret_address,
    struct text *ret_purpose)
{
	if (!in->phone.s && !in->email.s)
		return call_fault(call, "/phone", "required",
		    "phone or email must be given");
	if (in->phone.s && in->email.s)
		return call_fault(call, "/email", "duplicate",
		    "give phone or email, not both");
	*ret_purpose = in->purpose.s ? in->purpose : TEXT("register");
	return grants_address(call, in->phone, in->email, ret_address);
}

/* The code goes to the courier sealed; the table keeps its keyed hash. */
static int
otp_letter(struct call *call, struct text code, struct otp_send *ret)
{
	uint8_t *hash = arena_alloc(call->mem, CRYPTO_HASH);
	char *aad = arena_alloc(call->mem, UUID_CHARS);
	int r;

	r = crypto_uuid(&ret->message_id, NULL);
	if (r)
		return r;
	uuid_format(&ret->message_id, aad);
	ret->hash = (struct text){ (char *)hash, CRYPTO_HASH };
	r = otp_hash(&call->app->key_otp, ret->purpose, ret->address, code,
	    hash);
	if (r)
		return r;
	return crypto_seal(call->mem, &call->app->key_seal,
	    (struct text){ aad, UUID_CHARS }, code, &ret->sealed);
}

/* What is allowed, by the settings. */
static void
otp_budgets(struct call *call, struct otp_send *ret)
{
	const struct settings *set = call->app->settings;

	ret->ttl_seconds = set->otp_ttl;
	ret->sends_hour = set->limits_otp_sends_hour;
	ret->sends_day = set->limits_otp_sends_day;
	ret->sends_client = set->limits_otp_sends_client;
	ret->client = call->client;
	ret->anomaly = (struct otp_anomaly){
		.mode = text_of(set->limits_otp_anomaly),
		.country_unverified = set->limits_otp_country_unverified,
		.country_percent = set->limits_otp_country_percent,
		.client_countries = set->limits_otp_client_countries,
		.client_unverified = set->limits_otp_client_unverified,
	};
}

/* Which way it goes, and what more that way allows. */
static int
otp_route(struct call *call, const struct otp_in *in, struct otp_send *ret)
{
	const struct settings *set = call->app->settings;

	ret->language = language_list(call->mem, call->req->accept_language);
	ret->channel = in->phone.s ? TEXT("sms") : TEXT("email");
	ret->channel_hour = set->limits_otp_email_hour;
	if (!in->phone.s)
		return 0;
	if (!country_allowed(ret->address, set->otp_countries))
		return call_fault(call, "/phone", "country",
		    "no codes are texted to this country");
	ret->channel_hour = set->limits_otp_sms_hour;
	ret->prefix_hour = set->limits_otp_prefix_hour;
	ret->block = country_block(ret->address);
	ret->country = country_of(ret->address).name;
	return 0;
}

/* An administrator should look: somebody may be sending for the sake of it. */
static void
otp_tell(struct call *call, const struct otp_sent *sent)
{
	if (sent->alarms.n == 0)
		return;
	metrics_count(COUNT_OTP_ALARM);
	log_event(LOG_WARN, "otp_alarm", "cause=\"%.*s\" breaker=%s",
	    TEXT_FMT(sent->alarms), call->app->settings->limits_otp_anomaly);
}

/* By what came of it. */
static void
otp_count(int r, bool sms)
{
	if (r == 0)
		metrics_count(sms ? COUNT_SMS_SENT : COUNT_EMAIL_SENT);
	else if (r == E_OTP_WAIT || r == E_OTP_BLOCKED)
		metrics_count(sms ? COUNT_SMS_RECIPIENT :
		    COUNT_EMAIL_RECIPIENT);
	else if (r == E_RATE)
		metrics_count(sms ? COUNT_SMS_CLIENT : COUNT_EMAIL_CLIENT);
	else if (r == E_OTP_UNAVAILABLE)
		metrics_count(sms ? COUNT_SMS_ALL : COUNT_EMAIL_ALL);
}

int
api_otp_send(struct call *call)
{
	const struct otp_in *in = call->body;
	const struct settings *set = call->app->settings;
	struct otp_send_out *out = arena_alloc(call->mem, sizeof(*out));
	struct otp_send send = { 0 };
	struct otp_sent sent = { 0 };
	struct text code;
	int r;

	otp_budgets(call, &send);
	if ((r = otp_target(call, in, &send.address, &send.purpose)) ||
	    (r = otp_route(call, in, &send)) ||
	    (r = crypto_uuid(&send.id, NULL)) ||
	    (r = otp_make(call->mem, set->otp_length, &code)) ||
	    (r = otp_letter(call, code, &send)))
		return r;
	send.masked = name_mask(call->mem, send.address);
	r = store_otp_send(call->app->db, call->mem, &send, &sent);
	otp_tell(call, &sent);
	otp_count(r, in->phone.s);
	if (r == E_OTP_WAIT || r == E_RATE || r == E_OTP_UNAVAILABLE)
		return call_refuse_later(call, r, sent.retry_after);
	if (r)
		return r;
	*out = (struct otp_send_out){
		.message = TEXT("OTP sent successfully"),
		.otp = set->otp_echo ? code : TEXT_NONE,
		.status_code = 200,
		.expires_in = set->otp_ttl,
		.resend_in = sent.resend_in,
	};
	call->reply.object = out;
	return 0;
}

int
api_otp_verify(struct call *call)
{
	const struct otp_in *in = call->body;
	struct otp_verify_out *out = arena_alloc(call->mem, sizeof(*out));
	uint8_t *hash = arena_alloc(call->mem, CRYPTO_HASH);
	uint8_t proof[PROOF_BYTES];
	struct text address = TEXT_NONE, purpose = TEXT_NONE;
	struct otp_proof code = { .client = call->client };
	int r;

	if ((r = otp_target(call, in, &address, &purpose)) ||
	    (r = grants_code(call, address, purpose, in->otp, &code.id)) ||
	    (r = crypto_random(proof, sizeof(proof))))
		return r;
	*out = (struct otp_verify_out){
		.message = TEXT("OTP verified successfully"),
		.verified = true,
		.verification_token =
		    base64url_encode(call->mem, proof, sizeof(proof)),
		.expires_in = PROOF_SECONDS,
	};
	call->reply.object = out;
	r = crypto_sha256(out->verification_token.s,
	    out->verification_token.n, hash);
	if (r)
		return r;
	code.hash = (struct text){ (char *)hash, CRYPTO_HASH };
	code.ttl_seconds = PROOF_SECONDS;
	code.masked = name_mask(call->mem, address);
	return store_otp_prove(call->app->db, call->mem, &code);
}
