/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: what codes cost whom, exactly, however many callers come at once. */
#include "lib/store_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "store/gc.h"
#include "store/otps.h"

#define CALLERS 64

static struct caller *callers;

/* What every send of a case has in common; addresses are prefix + number. */
struct plan {
	struct otp_send send;
	const char *prefix;
	size_t spread;		/* countries; 0: the plan's own */
};

static int
forget(void **state)
{
	fixture_sql("DELETE FROM docket.attempts;"
	    "DELETE FROM docket.otp_traffic;"
	    "SET session_replication_role = replica;"
	    "DELETE FROM docket.audit; RESET session_replication_role;"
	    "DELETE FROM docket.otps; DELETE FROM docket.otp_budgets;"
	    "DELETE FROM docket.outbox");
	return fixture_reset(state);
}

static int
start(void **state)
{
	if (fixture_start(state))
		return -1;
	callers = fixture_callers(CALLERS);
	return 0;
}

static int
stop(void **state)
{
	fixture_callers_free(callers, CALLERS);
	return fixture_stop(state);
}

static struct plan
plan_of(const char *prefix)
{
	return (struct plan){
		.prefix = prefix,
		.send = {
			.channel = TEXT("sms"), .purpose = TEXT("register"),
			.hash = TEXT("hash"), .sealed = TEXT("sealed"),
			.ttl_seconds = 120, .sends_hour = 5, .sends_day = 10,
			.country = TEXT("IR"),
			.client = { .ip = TEXT("192.0.2.1"),
			    .network = TEXT("192.0.2.0/24") },
		},
	};
}

static void
breaker(struct plan *plan, const char *mode)
{
	plan->send.anomaly = (struct otp_anomaly){
		.mode = text_of(mode), .country_unverified = 1000,
		.country_percent = 20, .client_countries = 100,
		.client_unverified = 1000,
	};
}

static int
send_on(struct db *on, struct arena *m, const struct plan *plan, size_t i,
    struct otp_sent *sent)
{
	struct otp_send send = plan->send;
	int r;

	send.address = text_of(arena_printf(m, "%s%04zu", plan->prefix, i));
	if (plan->spread)
		send.country = text_of(arena_printf(m, "X%zu",
		    i % plan->spread));
	r = crypto_uuid(&send.id, NULL);
	if (r == 0)
		r = crypto_uuid(&send.message_id, NULL);
	*sent = (struct otp_sent){ 0 };
	return r ? r : store_otp_send(on, m, &send, sent);
}

static void
one_send(struct caller *caller)
{
	const struct plan *plan = caller->arg;
	struct otp_sent sent;

	caller->result = send_on(caller->db, caller->mem, plan, caller->i,
	    &sent);
	if (caller->result > 0 && sent.retry_after <= 0)
		caller->result = -1;
}

static void
fire(struct plan *plan, size_t sent, int refused)
{
	fixture_parallel(callers, CALLERS, one_send, plan);
	assert_int_equal(fixture_count(callers, CALLERS, 0), sent);
	assert_int_equal(fixture_count(callers, CALLERS, refused),
	    CALLERS - sent);
}

static int64_t
window(const char *kind)
{
	return fixture_int("SELECT coalesce(sum(n), 0)::bigint"
	    " FROM docket.attempts WHERE kind = '%s'", kind);
}

static int64_t
rows(const char *table)
{
	return fixture_int("SELECT count(*) FROM docket.%s", table);
}

/* So many sends, and no trace of any other in any budget. */
static void
cost(int64_t n)
{
	assert_int_equal(rows("otp_budgets"), n);
	assert_int_equal(fixture_int("SELECT coalesce(sum(cardinality(sends)),"
	    " 0)::bigint FROM docket.otp_budgets"), n);
	assert_int_equal(rows("otps"), n);
	assert_int_equal(rows("outbox"), n);
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.audit"
	    " WHERE event = 'otp_send'"), n);
}

static void
the_clients_budget_is_exact(void **state)
{
	struct plan plan = plan_of("+9891210");

	(void)state;
	plan.send.sends_client = 10;
	fire(&plan, 10, E_RATE);
	cost(10);
	assert_int_equal(window("send"), 10);
	assert_int_equal(rows("attempts"), 1);
}

static void
the_block_of_numbers_has_a_budget(void **state)
{
	struct plan plan = plan_of("+9891211");
	struct otp_sent sent;

	(void)state;
	plan.send.block = TEXT("+9891211");
	plan.send.prefix_hour = 7;
	fire(&plan, 7, E_OTP_UNAVAILABLE);
	cost(7);
	assert_int_equal(window("prefix"), 7);
	/* Another block is another matter; an hour later so is this one. */
	plan.send.block = TEXT("+9891212");
	assert_int_equal(send_on(db, mem, &plan, 100, &sent), 0);
	plan.send.block = TEXT("+9891211");
	assert_int_equal(send_on(db, mem, &plan, 101, &sent),
	    E_OTP_UNAVAILABLE);
	assert_in_range(sent.retry_after, 3500, 3600);
	fixture_sql("UPDATE docket.attempts SET"
	    " window_start = window_start - interval '1 h'");
	assert_int_equal(send_on(db, mem, &plan, 101, &sent), 0);
}

static void
the_channel_has_a_ceiling(void **state)
{
	struct plan plan = plan_of("+9891213");
	struct otp_sent sent;

	(void)state;
	plan.send.channel_hour = 9;
	fire(&plan, 9, E_OTP_UNAVAILABLE);
	cost(9);
	/* The alarm was rung once, by whoever came first. */
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.audit WHERE"
	    " event = 'otp_alarm' AND detail = 'total sms'"), 1);
	assert_int_equal(send_on(db, mem, &plan, 200, &sent),
	    E_OTP_UNAVAILABLE);
	assert_null(sent.alarms.s);
	/* Mail is not text. */
	plan.send.channel = TEXT("email");
	assert_int_equal(send_on(db, mem, &plan, 201, &sent), 0);
	/* After an hour of it, again. */
	fixture_sql("UPDATE docket.attempts SET window_start = window_start"
	    " - interval '1 h' WHERE kind = 'alarm'");
	plan.send.channel = TEXT("sms");
	assert_int_equal(send_on(db, mem, &plan, 202, &sent),
	    E_OTP_UNAVAILABLE);
	assert_true(text_is(sent.alarms, "total sms"));
}

static void
the_scarcest_budget_decides_and_spares_the_others(void **state)
{
	struct plan plan = plan_of("+9891214");

	(void)state;
	plan.send.block = TEXT("+9891214");
	plan.send.sends_client = 20;
	plan.send.prefix_hour = 15;
	plan.send.channel_hour = 30;
	breaker(&plan, "deny");
	plan.send.anomaly.country_unverified = 6;
	fire(&plan, 6, E_OTP_UNAVAILABLE);
	cost(6);
	assert_int_equal(window("send"), 6);
	assert_int_equal(window("prefix"), 6);
	assert_int_equal(window("total"), 6);
	assert_int_equal(fixture_int("SELECT sum(sent)::bigint FROM"
	    " docket.otp_traffic"), 12);
}

/* The recipient has waited long enough; the rest is as it was. */
static void
a_recipients_refusal_costs_nobody(void **state)
{
	struct plan plan = plan_of("+9891215");
	struct otp_sent sent;

	(void)state;
	plan.send.block = TEXT("+9891215");
	plan.send.sends_client = plan.send.prefix_hour =
	    plan.send.channel_hour = 100;
	breaker(&plan, "deny");
	assert_int_equal(send_on(db, mem, &plan, 1, &sent), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(send_on(db, mem, &plan, 1, &sent),
		    E_OTP_WAIT);
	assert_int_equal(window("send") + window("prefix") + window("total"),
	    3);
	assert_int_equal(fixture_int("SELECT sum(sent)::bigint FROM"
	    " docket.otp_traffic"), 2);
}

static void
same_recipient(struct caller *caller)
{
	struct otp_sent sent;

	caller->result = send_on(caller->db, caller->mem, caller->arg, 1,
	    &sent);
}

static void
a_race_for_one_recipient_costs_one_send(void **state)
{
	struct plan plan = plan_of("+9891216");

	(void)state;
	plan.send.block = TEXT("+9891216");
	plan.send.sends_client = plan.send.prefix_hour =
	    plan.send.channel_hour = 100;
	breaker(&plan, "deny");
	fixture_parallel(callers, CALLERS, same_recipient, &plan);
	assert_int_equal(fixture_count(callers, CALLERS, 0), 1);
	assert_int_equal(fixture_count(callers, CALLERS, E_OTP_WAIT),
	    CALLERS - 1);
	cost(1);
	assert_int_equal(window("send") + window("prefix") + window("total"),
	    3);
}

static void
a_clients_day_has_so_many_countries(void **state)
{
	struct plan plan = plan_of("+98912170");
	struct otp_sent sent;

	(void)state;
	breaker(&plan, "deny");
	plan.send.anomaly.client_countries = 3;
	plan.spread = 8;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(send_on(db, mem, &plan, i, &sent), 0);
	assert_int_equal(send_on(db, mem, &plan, 3, &sent), E_RATE);
	assert_in_range(sent.retry_after, 1, 3600);
	assert_true(text_is(sent.alarms, "client 192.0.2.1"));
	/* The three stay open to it, and the fourth to others. */
	assert_int_equal(send_on(db, mem, &plan, 8, &sent), 0);
	plan.send.client.ip = TEXT("192.0.2.2");
	assert_int_equal(send_on(db, mem, &plan, 3, &sent), 0);
}

static void
guess_on(struct db *on, struct arena *m, size_t i, const char *prefix)
{
	const struct otp_guess guess = {
		.address = text_of(arena_printf(m, "%s%04zu", prefix, i)),
		.purpose = TEXT("register"), .per_code = 5,
		.per_recipient = 15,
	};
	struct otp_live live = { 0 };

	assert_int_equal(store_otp_guess(on, m, &guess, &live), 0);
	assert_int_equal(store_otp_prove(on, m, &(struct otp_proof){
	    .id = live.id, .hash = text_of(arena_printf(m, "proof %zu", i)),
	    .ttl_seconds = 600 }), 0);
}

static void
a_clients_unverified_codes_are_counted_exactly(void **state)
{
	struct plan plan = plan_of("+9891218");
	struct otp_sent sent;

	(void)state;
	breaker(&plan, "deny");
	plan.send.anomaly.client_unverified = 10;
	fire(&plan, 10, E_RATE);
	cost(10);
	/* One that is verified makes room for one. */
	for (size_t i = 0; i < CALLERS; i++) {
		if (callers[i].result != 0)
			continue;
		guess_on(db, mem, i, plan.prefix);
		break;
	}
	assert_int_equal(send_on(db, mem, &plan, 300, &sent), 0);
	assert_int_equal(send_on(db, mem, &plan, 301, &sent), E_RATE);
	/* Tomorrow is another day. */
	fixture_sql("UPDATE docket.otp_traffic SET day = day - 1");
	assert_int_equal(send_on(db, mem, &plan, 301, &sent), 0);
}

static void
a_country_may_have_a_share_unverified(void **state)
{
	struct plan plan = plan_of("+9891219");

	(void)state;
	breaker(&plan, "deny");
	plan.send.anomaly.country_unverified = 4;
	fixture_sql("INSERT INTO docket.otp_traffic (kind, subject, day, sent,"
	    " verified) VALUES ('country', 'IR',"
	    " (now() AT TIME ZONE 'UTC')::date, 100, 100)");
	fire(&plan, 20, E_OTP_UNAVAILABLE);
	cost(20);
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.audit WHERE"
	    " event = 'otp_alarm' AND detail = 'country IR'"), 1);
}

static void
a_breaker_that_records_lets_pass_and_rings(void **state)
{
	struct plan plan = plan_of("+9891220");
	struct otp_sent sent;

	(void)state;
	breaker(&plan, "record");
	plan.send.anomaly.country_unverified = 4;
	plan.send.anomaly.client_unverified = 2;
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(send_on(db, mem, &plan, i, &sent), 0);
		assert_true(i == 2 ? text_is(sent.alarms, "client 192.0.2.1") :
		    i == 4 ? text_is(sent.alarms, "country IR") :
		    !sent.alarms.s);
	}
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.audit"
	    " WHERE event = 'otp_alarm'"), 2);
	fire(&plan, CALLERS - 7, E_OTP_WAIT);
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.audit"
	    " WHERE event = 'otp_alarm'"), 2);
}

static void
a_breaker_that_is_off_counts_nothing(void **state)
{
	struct plan plan = plan_of("+9891221");

	(void)state;
	breaker(&plan, "off");
	plan.send.anomaly.country_unverified = 1;
	fire(&plan, CALLERS, E_OTP_UNAVAILABLE);
	assert_int_equal(rows("otp_traffic"), 0);
}

/* Mail has no country: it is not what the breaker is about. */
static void
mail_is_no_traffic(void **state)
{
	struct plan plan = plan_of("mail");

	(void)state;
	breaker(&plan, "deny");
	plan.send.anomaly.client_unverified = 1;
	plan.send.channel = TEXT("email");
	plan.send.country = TEXT_NONE;
	fire(&plan, CALLERS, E_RATE);
	assert_int_equal(rows("otp_traffic"), 0);
}

static void
send_and_prove(struct caller *caller)
{
	struct plan plan = *(const struct plan *)caller->arg;
	struct otp_sent sent;

	plan.prefix = caller->i % 2 ? "+9891222" : "+9891223";
	for (size_t i = 0; i < 10 && caller->result == 0; i++) {
		size_t n = 1000 + caller->i * 10 + i;

		caller->result = send_on(caller->db, caller->mem, &plan, n,
		    &sent);
		if (caller->result == 0)
			guess_on(caller->db, caller->mem, n, plan.prefix);
	}
}

/* Sending and verifying take the same rows: in the same order. */
static void
nobody_waits_for_each_other(void **state)
{
	struct plan plan = plan_of("");

	(void)state;
	plan.send.block = TEXT("+9891222");
	plan.send.sends_client = plan.send.prefix_hour =
	    plan.send.channel_hour = 100000;
	breaker(&plan, "deny");
	for (size_t i = 0; i < CALLERS; i++)
		callers[i].result = 0;
	fixture_parallel(callers, CALLERS, send_and_prove, &plan);
	assert_int_equal(fixture_count(callers, CALLERS, 0), CALLERS);
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.otp_traffic"
	    " WHERE sent = %d AND verified = %d", CALLERS * 10,
	    CALLERS * 10), 2);
}

static void
guess_as_client(struct caller *caller)
{
	const struct otp_guess guess = {
		.address = text_of(arena_printf(caller->mem, "+98912240%04zu",
		    caller->i)),
		.purpose = TEXT("register"), .per_code = 5,
		.per_recipient = 15, .per_client = 30,
		.client = { .ip = TEXT("2001:db8::1"),
		    .network = TEXT("2001:db8::/64") },
	};
	struct otp_live live = { 0 };

	caller->result = store_otp_guess(caller->db, caller->mem, &guess,
	    &live);
	if (caller->result == E_RATE && (live.client_after < 1 ||
	    live.client_after > 300))
		caller->result = -1;
}

static void
a_client_guesses_thirty_times_in_five_minutes(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		fixture_parallel(callers, CALLERS, guess_as_client, NULL);
		assert_int_equal(fixture_count(callers, CALLERS, E_OTP), 30);
		assert_int_equal(fixture_count(callers, CALLERS, E_RATE),
		    CALLERS - 30);
		assert_int_equal(window("verify"), 30);
		assert_int_equal(fixture_int("SELECT count(*) FROM"
		    " docket.attempts WHERE subject = '2001:db8::/64'"), 1);
		fixture_sql("UPDATE docket.attempts SET"
		    " window_start = window_start - interval '5 min'");
	}
}

/* A refused client comes to nobody's count. */
static void
a_spent_client_costs_the_recipient_nothing(void **state)
{
	struct plan plan = plan_of("+98912240");
	struct otp_sent sent;

	(void)state;
	fixture_sql("INSERT INTO docket.attempts VALUES"
	    " ('verify', '2001:db8::/64', now(), 30)");
	for (size_t i = 0; i < CALLERS; i++)
		assert_int_equal(send_on(db, mem, &plan, i, &sent), 0);
	fixture_parallel(callers, CALLERS, guess_as_client, NULL);
	assert_int_equal(fixture_count(callers, CALLERS, E_RATE), CALLERS);
	assert_int_equal(fixture_int("SELECT (SELECT sum(attempts) FROM"
	    " docket.otps) + (SELECT sum(guess_n) FROM"
	    " docket.otp_budgets)"), 0);
}

static void
register_with_proof(struct caller *caller)
{
	struct new_session session;
	struct new_user in;
	struct user out;

	fixture_new_session(&session);
	fixture_new_user(&in, "user");
	in.username = in.username_key = text_of(arena_printf(caller->mem,
	    "proof%zu", caller->i));
	in.phone = in.proof_address = TEXT("+98912250001");
	in.proof = TEXT("proof 1");
	caller->result = store_user_register(caller->db, caller->mem, &in,
	    &session, &out);
}

static void
of_64_uses_of_a_verification_token_one_counts(void **state)
{
	struct plan plan = plan_of("+9891225");
	struct otp_sent sent;

	(void)state;
	assert_int_equal(send_on(db, mem, &plan, 1, &sent), 0);
	guess_on(db, mem, 1, "+9891225");
	fixture_parallel(callers, CALLERS, register_with_proof, NULL);
	assert_int_equal(fixture_count(callers, CALLERS, 0), 1);
	assert_int_equal(fixture_int("SELECT count(*) FROM docket.users"
	    " WHERE phone = '+98912250001'"), 1);
}

static void
the_sweep_takes_yesterdays_traffic_only_later(void **state)
{
	struct gc_counts n;

	(void)state;
	fixture_sql("INSERT INTO docket.otp_traffic (kind, subject, day)"
	    " SELECT 'country', 'IR', current_date - i"
	    " FROM generate_series(0, 9) i");
	assert_int_equal(store_gc(db, mem, 15552000, 30, &n), 0);
	assert_int_equal(n.budgets, 7);
	assert_int_equal(rows("otp_traffic"), 3);
}

#define CASE(f) cmocka_unit_test_teardown(f, forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_clients_budget_is_exact),
		CASE(the_block_of_numbers_has_a_budget),
		CASE(the_channel_has_a_ceiling),
		CASE(the_scarcest_budget_decides_and_spares_the_others),
		CASE(a_recipients_refusal_costs_nobody),
		CASE(a_race_for_one_recipient_costs_one_send),
		CASE(a_clients_day_has_so_many_countries),
		CASE(a_clients_unverified_codes_are_counted_exactly),
		CASE(a_country_may_have_a_share_unverified),
		CASE(a_breaker_that_records_lets_pass_and_rings),
		CASE(a_breaker_that_is_off_counts_nothing),
		CASE(mail_is_no_traffic),
		CASE(nobody_waits_for_each_other),
		CASE(a_client_guesses_thirty_times_in_five_minutes),
		CASE(a_spent_client_costs_the_recipient_nothing),
		CASE(of_64_uses_of_a_verification_token_one_counts),
		CASE(the_sweep_takes_yesterdays_traffic_only_later),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
