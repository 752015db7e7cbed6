/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: codes; their budgets hold however many callers come at once. */
#include "lib/store_fixture.h"

#include "base/crypto.h"
#include "base/error.h"
#include "store/otps.h"
#include "store/outbox.h"
#include "store/users.h"

static void
new_send(struct otp_send *ret, struct text address)
{
	*ret = (struct otp_send){
		.address = address, .channel = TEXT("sms"),
		.purpose = TEXT("register"), .hash = TEXT("hash"),
		.sealed = TEXT("sealed"), .ttl_seconds = 120,
		.sends_hour = 5, .sends_day = 10,
		.client = { .ip = TEXT("192.0.2.1") },
	};
	assert_int_equal(crypto_uuid(&ret->id, NULL), 0);
	assert_int_equal(crypto_uuid(&ret->message_id, NULL), 0);
}

static int
send_code(struct text address, struct otp_sent *ret)
{
	struct otp_send send;

	new_send(&send, address);
	return store_otp_send(db, mem, &send, ret);
}

/* The recipient's last send was so long ago. */
static void
pass(struct text address, const char *interval)
{
	fixture_sql("UPDATE docket.otp_budgets SET"
	    " last_at = last_at - interval '%s', sends ="
	    " ARRAY(SELECT s - interval '%s' FROM unnest(sends) s)"
	    " WHERE address = '%s'", interval, interval, address.s);
}

static int
guess_code(struct text address, struct otp_live *ret)
{
	const struct otp_guess guess = {
		.address = address, .purpose = TEXT("register"),
		.per_code = 5, .per_recipient = 15,
	};

	return store_otp_guess(db, mem, &guess, ret);
}

static void
resending_backs_off(void **state)
{
	static const int64_t waits[] = { 60, 120, 240, 240 };
	struct text address = fixture_name("+4930");
	struct otp_sent sent = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(send_code(address, &sent), 0);
		assert_int_equal(sent.resend_in, waits[i]);
		pass(address, "30 s");
		assert_int_equal(send_code(address, &sent), E_OTP_WAIT);
		assert_in_range(sent.retry_after, waits[i] - 31,
		    waits[i] - 29);
		pass(address, "4 min");
	}
	/* An hour of quiet begins anew; the refusals counted for nothing. */
	pass(address, "61 min");
	assert_int_equal(send_code(address, &sent), 0);
	assert_int_equal(sent.resend_in, 60);
	assert_int_equal(fixture_int("SELECT cardinality(sends)::bigint AS v"
	    " FROM docket.otp_budgets WHERE address = '%s'", address.s), 5);
}

static void
hour_and_day_have_limits(void **state)
{
	struct text address = fixture_name("+4931");
	struct otp_sent sent = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(send_code(address, &sent), 0);
		pass(address, "5 min");
	}
	assert_int_equal(send_code(address, &sent), E_OTP_WAIT);
	assert_in_range(sent.retry_after, 34 * 60, 36 * 60);
	for (int i = 0; i < 5; i++) {
		pass(address, "61 min");
		assert_int_equal(send_code(address, &sent), 0);
	}
	pass(address, "61 min");
	assert_int_equal(send_code(address, &sent), E_OTP_WAIT);
	assert_in_range(sent.retry_after, 17 * 3600, 19 * 3600);
	pass(address, "24 h");
	assert_int_equal(send_code(address, &sent), 0);
}

static void
a_client_has_a_budget_of_its_own(void **state)
{
	struct text last = fixture_name("+4932");
	struct otp_send send;
	struct otp_sent sent = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		new_send(&send, i < 3 ? fixture_name("+4932") : last);
		send.sends_client = 3;
		send.client.ip = TEXT("198.51.100.7");
		assert_int_equal(store_otp_send(db, mem, &send, &sent),
		    i < 3 ? 0 : E_RATE);
	}
	assert_in_range(sent.retry_after, 3590, 3600);
	/* The refused client has cost the recipient nothing. */
	assert_int_equal(send_code(last, &sent), 0);
	assert_int_equal(sent.resend_in, 60);
	/* A recipient's refusal costs the client nothing. */
	send.client.ip = TEXT("198.51.100.8");
	assert_int_equal(store_otp_send(db, mem, &send, &sent), E_OTP_WAIT);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM"
	    " docket.attempts WHERE subject = '198.51.100.8'"), 0);
}

static void
one_send(struct caller *caller)
{
	const struct text *address = caller->arg;
	struct otp_send send = {
		.address = *address, .channel = TEXT("sms"),
		.purpose = TEXT("register"), .hash = TEXT("hash"),
		.sealed = TEXT("sealed"), .ttl_seconds = 120,
		.sends_hour = 5, .sends_day = 10,
		.client = { .ip = TEXT("192.0.2.1") },
	};
	struct otp_sent sent = { 0 };

	caller->result = crypto_uuid(&send.id, NULL);
	if (caller->result == 0)
		caller->result = crypto_uuid(&send.message_id, NULL);
	if (caller->result == 0)
		caller->result = store_otp_send(caller->db, caller->mem,
		    &send, &sent);
	if (caller->result == E_OTP_WAIT &&
	    (sent.retry_after < 55 || sent.retry_after > 60))
		caller->result = -1;
}

static void
of_parallel_sends_one_is_sent(void **state)
{
	struct caller *callers = fixture_callers(32);
	struct text address = fixture_name("+4933");
	struct otp_sent sent = { 0 };

	(void)state;
	fixture_parallel(callers, 32, one_send, &address);
	assert_int_equal(fixture_count(callers, 32, 0), 1);
	assert_int_equal(fixture_count(callers, 32, E_OTP_WAIT), 31);
	pass(address, "61 min");
	fixture_parallel(callers, 32, one_send, &address);
	assert_int_equal(fixture_count(callers, 32, 0), 1);
	assert_int_equal(fixture_count(callers, 32, E_OTP_WAIT), 31);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.otps"
	    " WHERE address = '%s' AND replaced_at IS NULL", address.s), 1);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.outbox"
	    " WHERE address = '%s'", address.s), 2);
	assert_int_equal(send_code(address, &sent), E_OTP_WAIT);
	fixture_callers_free(callers, 32);
}

static void
one_guess(struct caller *caller)
{
	const struct otp_guess guess = {
		.address = *(const struct text *)caller->arg,
		.purpose = TEXT("register"),
		.per_code = 5, .per_recipient = 15,
	};
	struct otp_live live;

	caller->result = store_otp_guess(caller->db, caller->mem, &guess,
	    &live);
	if (caller->result == 0 && !text_is(live.hash, "hash"))
		caller->result = -1;
}

static void
five_guesses_a_code_and_fifteen_a_recipient(void **state)
{
	struct caller *callers = fixture_callers(64);
	struct text address = fixture_name("+4934");
	struct otp_sent sent = { 0 };
	struct otp_live live;

	(void)state;
	for (int code = 0; code < 3; code++) {
		assert_int_equal(send_code(address, &sent), 0);
		fixture_parallel(callers, 64, one_guess, &address);
		assert_int_equal(fixture_count(callers, 64, 0), 5);
		assert_int_equal(fixture_count(callers, 64, -1), 0);
		pass(address, "61 min");
	}
	assert_int_equal(send_code(address, &sent), 0);
	fixture_parallel(callers, 64, one_guess, &address);
	assert_int_equal(fixture_count(callers, 64, E_OTP_BLOCKED), 64);
	assert_int_equal(guess_code(address, &live), E_OTP_BLOCKED);
	assert_in_range(live.retry_after, 23 * 3600, 24 * 3600);
	/* The block ends after its day, and the count with it. */
	fixture_sql("UPDATE docket.otp_budgets SET"
	    " blocked_until = now() - interval '1 s' WHERE address = '%s'",
	    address.s);
	assert_int_equal(guess_code(address, &live), 0);
	assert_int_equal(live.recipient_guesses, 1);
	fixture_callers_free(callers, 64);
}

static void
guesses_without_a_live_code_count_for_nothing(void **state)
{
	struct text address = fixture_name("+4935");
	struct otp_sent sent = { 0 };
	struct otp_live live;

	(void)state;
	assert_int_equal(guess_code(address, &live), E_OTP);
	assert_int_equal(send_code(address, &sent), 0);
	fixture_sql("UPDATE docket.otps SET expires_at = now()"
	    " WHERE address = '%s'", address.s);
	for (int i = 0; i < 20; i++)
		assert_int_equal(guess_code(address, &live), E_OTP);
	pass(address, "2 min");
	assert_int_equal(send_code(address, &sent), 0);
	assert_int_equal(guess_code(address, &live), 0);
	assert_int_equal(live.recipient_guesses, 1);
	assert_int_equal(store_otp_refund(db, mem, &live.id), 0);
	assert_int_equal(guess_code(address, &live), 0);
	assert_int_equal(live.recipient_guesses, 1);
}

static void
the_right_fifteenth_guess_lifts_the_block(void **state)
{
	struct text address = fixture_name("+4936");
	struct otp_sent sent = { 0 };
	struct otp_live live;

	(void)state;
	assert_int_equal(send_code(address, &sent), 0);
	assert_int_equal(guess_code(address, &live), 0);
	fixture_sql("UPDATE docket.otp_budgets SET guess_n = 14"
	    " WHERE address = '%s'", address.s);
	assert_int_equal(guess_code(address, &live), 0);
	assert_int_equal(live.recipient_guesses, 15);
	assert_int_equal(store_otp_prove(db, mem, &(struct otp_proof){
	    .id = live.id, .hash = TEXT("proof-a"), .ttl_seconds = 600 }), 0);
	/* Consumed; the streak begins anew, so the next goes out at once. */
	assert_int_equal(guess_code(address, &live), E_OTP);
	assert_int_equal(send_code(address, &sent), 0);
	assert_int_equal(guess_code(address, &live), 0);
	assert_int_equal(live.recipient_guesses, 15);
}

static void
one_prove(struct caller *caller)
{
	const struct uuid *id = caller->arg;
	const struct otp_proof proof = {
		.id = *id,
		.hash = { arena_printf(caller->mem, "proof %zu", caller->i),
		    8 },
		.ttl_seconds = 600,
	};

	caller->result = store_otp_prove(caller->db, caller->mem, &proof);
}

static void
a_code_is_consumed_once(void **state)
{
	struct caller *callers = fixture_callers(32);
	struct text address = fixture_name("+4937");
	struct otp_sent sent = { 0 };
	struct otp_live live;

	(void)state;
	assert_int_equal(send_code(address, &sent), 0);
	assert_int_equal(guess_code(address, &live), 0);
	fixture_parallel(callers, 32, one_prove, &live.id);
	assert_int_equal(fixture_count(callers, 32, 0), 1);
	assert_int_equal(fixture_count(callers, 32, E_OTP), 31);
	fixture_callers_free(callers, 32);
}

static int
enroll(struct new_user *in)
{
	struct new_session session;
	struct user out;

	fixture_new_session(&session);
	return store_user_register(db, mem, in, &session, &out);
}

static void
registration_consumes_the_code_or_nothing(void **state)
{
	struct text address = fixture_name("+4938");
	struct new_user in, twin;
	struct otp_sent sent = { 0 };
	struct otp_live live;

	(void)state;
	assert_int_equal(send_code(address, &sent), 0);
	assert_int_equal(guess_code(address, &live), 0);
	fixture_new_user(&in, "user");
	fixture_new_user(&twin, "user");
	assert_int_equal(enroll(&twin), 0);
	in.phone = address;
	in.otp_id = live.id;
	/* The name is taken: the code stays good. */
	twin.username_key = in.username_key;
	in.username_key = text_of(arena_printf(mem, "user%lld",
	    (long long)fixture_int("SELECT max(substr(username_key, 5)::bigint)"
	    " AS v FROM docket.users WHERE username_key LIKE 'user%%'")));
	assert_int_equal(enroll(&in), E_USERNAME_TAKEN);
	in.username_key = twin.username_key;
	assert_int_equal(enroll(&in), 0);
	assert_int_equal(fixture_int("SELECT count(*) AS v FROM docket.users"
	    " WHERE phone = '%s' AND phone_verified_at IS NOT NULL",
	    address.s), 1);
	/* Used: no account. */
	fixture_new_user(&twin, "user");
	twin.phone = address;
	twin.otp_id = live.id;
	assert_int_equal(enroll(&twin), E_OTP);
}

static void
a_proof_registers_its_own_address_once(void **state)
{
	struct text address = fixture_name("+4939");
	struct new_user in;
	struct otp_sent sent = { 0 };
	struct otp_live live;

	(void)state;
	assert_int_equal(send_code(address, &sent), 0);
	assert_int_equal(guess_code(address, &live), 0);
	assert_int_equal(store_otp_prove(db, mem, &(struct otp_proof){
	    .id = live.id, .hash = TEXT("proof-b"), .ttl_seconds = 600 }), 0);
	fixture_new_user(&in, "user");
	in.proof = TEXT("proof-b");
	in.phone = in.proof_address = TEXT("+49391");
	assert_int_equal(enroll(&in), E_OTP);
	in.phone = in.proof_address = address;
	in.proof = TEXT("proof-c");
	assert_int_equal(enroll(&in), E_OTP);
	in.proof = TEXT("proof-b");
	assert_int_equal(enroll(&in), 0);
	fixture_new_user(&in, "user");
	in.proof = TEXT("proof-b");
	in.proof_address = address;
	assert_int_equal(enroll(&in), E_OTP);
}

/* Whether a code for that purpose puts a message into the outbox. */
static bool
letter_goes(struct text address, struct text purpose)
{
	struct otp_send send;
	struct otp_sent sent = { 0 };

	new_send(&send, address);
	send.channel = TEXT("email");
	send.purpose = purpose;
	assert_int_equal(store_otp_send(db, mem, &send, &sent), 0);
	assert_int_equal(sent.resend_in, 60);
	fixture_sql("DELETE FROM docket.otp_budgets");
	return fixture_int("SELECT count(*) AS v FROM docket.outbox"
	    " WHERE wanted AND id = '%s'", fixture_uuid(&send.message_id)) == 1;
}

static void
a_login_code_goes_only_to_who_has_proven_it(void **state)
{
	const struct text known = TEXT("known@example.org");
	const struct text unknown = TEXT("unknown@example.org");
	struct new_user in;

	(void)state;
	fixture_new_user(&in, "user");
	in.email = in.email_key = known;
	assert_int_equal(enroll(&in), 0);
	assert_false(letter_goes(unknown, TEXT("login")));
	assert_false(letter_goes(unknown, TEXT("reset")));
	assert_true(letter_goes(unknown, TEXT("change")));
	assert_false(letter_goes(known, TEXT("login")));
	assert_true(letter_goes(known, TEXT("reset")));
	fixture_sql("UPDATE docket.users SET email_verified_at = now()"
	    " WHERE email_key = 'known@example.org'");
	assert_true(letter_goes(known, TEXT("login")));
	fixture_sql("UPDATE docket.users SET active = false"
	    " WHERE email_key = 'known@example.org'");
	assert_false(letter_goes(known, TEXT("login")));
	assert_false(letter_goes(known, TEXT("reset")));
}

static struct message
next_message(struct db *courier, const struct ending *last)
{
	struct message m;

	assert_int_equal(store_outbox_next(courier, mem, TEXT("sms"), 60000,
	    last, &m), 0);
	return m;
}

static void
the_courier_leases_sends_and_tries_again(void **state)
{
	static const struct stmts *const sets[] = { &outbox_statements };
	const struct db_config config = {
		.dsn = fixture_dsn("docket_courier", "docket"),
		.application = "courier", .sets = sets, .n_sets = 1,
		.prepared = true, .deadline_ms = 5000,
	};
	struct db *courier = db_new(&config);
	struct ending last = { .kind = ENDING_NONE };
	struct breaker breaker;
	struct otp_sent sent = { 0 };
	struct message m, other;

	(void)state;
	fixture_sql("DELETE FROM docket.outbox");
	assert_int_equal(db_connect(courier, 60000), 0);
	assert_int_equal(send_code(fixture_name("+4940"), &sent), 0);
	assert_int_equal(send_code(fixture_name("+4940"), &sent), 0);
	m = next_message(courier, &last);
	assert_true(text_is(m.sealed, "sealed"));
	assert_int_equal(m.tries, 1);
	assert_true(m.wanted);
	assert_true(m.left_ms > 100000 && m.left_ms <= 120000);
	other = next_message(courier, &last);
	assert_false(uuid_equal(&m.id, &other.id));
	last = (struct ending){ .kind = ENDING_LATER, .id = other.id,
		.tries = 1, .why = "gateway away" };
	assert_false(ending_is_plain(&last));
	assert_int_equal(store_outbox_end(courier, mem, TEXT("sms"), &last, 5,
	    &breaker), 0);
	/* The first one's end and the next lease in one go. */
	last = (struct ending){ .kind = ENDING_SENT, .id = m.id, .tries = 1 };
	assert_true(ending_is_plain(&last));
	m = next_message(courier, &last);
	assert_true(uuid_equal(&m.id, &other.id));
	assert_int_equal(m.tries, 2);
	/* Whose lease was an earlier one has no say any more. */
	last = (struct ending){ .kind = ENDING_DEAD, .id = m.id, .tries = 1 };
	assert_int_equal(store_outbox_end(courier, mem, TEXT("sms"), &last, 5,
	    &breaker), 0);
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.outbox"
	    " WHERE leased AND tries = 2"), 1);
	last = (struct ending){ .kind = ENDING_NONE };
	m = next_message(courier, &last);
	assert_true(uuid_is_nil(&m.id));
	db_free(courier);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(resending_backs_off),
		CASE(hour_and_day_have_limits),
		CASE(a_client_has_a_budget_of_its_own),
		CASE(of_parallel_sends_one_is_sent),
		CASE(five_guesses_a_code_and_fifteen_a_recipient),
		CASE(guesses_without_a_live_code_count_for_nothing),
		CASE(the_right_fifteenth_guess_lifts_the_block),
		CASE(a_code_is_consumed_once),
		CASE(registration_consumes_the_code_or_nothing),
		CASE(a_proof_registers_its_own_address_once),
		CASE(a_login_code_goes_only_to_who_has_proven_it),
		CASE(the_courier_leases_sends_and_tries_again),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
