/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Claims messages from the outbox and hands them to the spool. */
#include "courier/claim.h"

#include <errno.h>
#include <signal.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "core/names.h"
#include "courier/letter.h"
#include "courier/way.h"
#include "store/outbox.h"

#define BATCH 16
#define LEASE_SECONDS 30
#define CONNECT_MS 2000
#define DEADLINE_MS 5000
#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS 5000
/* A code lives two minutes: a later retry than this is of no use. */
#define RETRY_MAX_SECONDS 16

static const struct stmts *const sets[] = { &outbox_statements };

struct loop {
	const struct courier *courier;
	struct arena *mem;	/* one batch */
	struct db *db;
	long backoff_ms;	/* 0: the database was there */
	bool stopping;
	size_t leased;		/* of the last batch */
	size_t delayed;		/* not delivered, over all batches */
};

static const struct lane *
lane_of(const struct loop *loop, struct text channel)
{
	return text_is(channel, "sms") ? &loop->courier->sms :
	    &loop->courier->email;
}

/* Wait, but no longer than until somebody wants us to stop. */
static void
wait_ms(struct loop *loop, long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	if (!loop->stopping && sigtimedwait(&stop, NULL, &left) > 0)
		loop->stopping = true;
}

/* 1, 2, 4, ... seconds. */
static int64_t
retry_seconds(int64_t tries)
{
	int64_t seconds = 1;

	while (tries-- > 1 && seconds < RETRY_MAX_SECONDS)
		seconds *= 2;
	return seconds;
}

static int
delay(struct loop *loop, const struct message *m, const char *id,
    const char *why)
{
	int64_t seconds = retry_seconds(m->tries);

	loop->delayed++;
	log_event(LOG_WARN, "message_delayed",
	    "id=%s channel=%.*s tries=%lld retry_in=%lld why=\"%s\"", id,
	    TEXT_FMT(m->channel), (long long)m->tries, (long long)seconds,
	    why);
	return store_outbox_later(loop->db, loop->mem, &m->id, seconds,
	    text_of(why));
}

static void
send_letter(struct loop *loop, const struct message *m, struct text id,
    struct text code, struct outcome *ret)
{
	const struct settings *s = loop->courier->settings;
	const struct letter letter = {
		.id = id, .channel = m->channel, .to = m->address,
		.purpose = m->purpose, .code = code,
		.text = letter_text(loop->mem, m->channel, code, s->otp_ttl,
		    s->server_public_url),
		.created_at = m->created_at,
	};

	const struct lane *lane = lane_of(loop, m->channel);

	lane->kind->send(lane->way, loop->mem, &letter, ret);
}

/* 0, or the database's error. What is wrong with the message itself is logged
 * and leaves it in the outbox until it expires. */
static int
deliver(struct loop *loop, const struct message *m)
{
	char *id = arena_alloc(loop->mem, UUID_CHARS + 1);
	struct text aad = { id, UUID_CHARS }, code;
	struct text to = name_mask(loop->mem, m->address);
	struct outcome outcome = { 0 };
	int r;

	uuid_format(&m->id, id);
	r = crypto_open(loop->mem, loop->courier->seal, aad, m->sealed, &code);
	if (r)
		return delay(loop, m, id, r == E_SEAL ?
		    "sealed under another key" : "cannot be opened");
	send_letter(loop, m, aad, code, &outcome);
	if (outcome.kind != OUTCOME_SENT)
		return delay(loop, m, id, outcome.why);
	log_event(LOG_INFO, "message_sent",
	    "id=%s channel=%.*s purpose=%.*s tries=%lld to=%.*s", id,
	    TEXT_FMT(m->channel), TEXT_FMT(m->purpose), (long long)m->tries,
	    TEXT_FMT(to));
	return store_outbox_done(loop->db, loop->mem, &m->id);
}

/* Told to stop: who comes next need not wait for our lease to run out. */
static void
give_back(struct loop *loop, const struct message *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (store_outbox_later(loop->db, loop->mem, &m[i].id, 0,
		    TEXT_NONE))
			return;
	}
}

static int
one_batch(struct loop *loop)
{
	const struct message *m;
	struct list list;
	int r = store_outbox_lease(loop->db, loop->mem, BATCH, LEASE_SECONDS,
	    &list);

	if (r)
		return r;
	m = list.v;
	loop->leased = list.n;
	for (size_t i = 0; i < list.n; i++) {
		wait_ms(loop, 0);
		if (loop->stopping) {
			give_back(loop, m + i, list.n - i);
			return 0;
		}
		r = deliver(loop, m + i);
		if (r)
			return r;
	}
	return 0;
}

static struct db *
new_db(const struct courier *courier)
{
	const struct settings *s = courier->settings;
	const struct db_config config = {
		.dsn = s->database_courier_dsn, .application = "docket-courier",
		.sets = sets, .n_sets = 1,
		.prepared = strcmp(s->database_prepared, "off") != 0,
		.deadline_ms = DEADLINE_MS,
	};

	return db_new(&config);
}

/* 0 with a connection that is ready; its loss is the store's to log. */
static int
connect_db(struct loop *loop)
{
	int r;

	/* A ready one may have died while nobody asked it anything. */
	if (loop->db && db_ready(loop->db))
		db_step(loop->db);
	if (!loop->db)
		loop->db = new_db(loop->courier);
	if (!loop->db)
		return -ENOMEM;
	r = db_connect(loop->db, CONNECT_MS);
	if (r < 0) {
		/* Once the schema did not fit, only a new one looks again. */
		db_free(loop->db);
		loop->db = NULL;
	}
	return r;
}

static void
back_off(struct loop *loop)
{
	loop->backoff_ms = loop->backoff_ms ? loop->backoff_ms * 2 :
	    BACKOFF_FIRST_MS;
	if (loop->backoff_ms > BACKOFF_MAX_MS)
		loop->backoff_ms = BACKOFF_MAX_MS;
	wait_ms(loop, loop->backoff_ms);
}

/* What --once has to say. */
static int
verdict(const struct loop *loop, int r)
{
	if (r < 0)
		return EX_SOFTWARE;
	return r > 0 || loop->delayed > 0 ? EX_TEMPFAIL : EX_OK;
}

static int
run(struct loop *loop)
{
	while (!loop->stopping) {
		int r = connect_db(loop);

		loop->leased = 0;
		if (r == 0)
			r = one_batch(loop);
		arena_reset(loop->mem);
		if (loop->courier->once && (r || loop->leased == 0))
			return verdict(loop, r);
		if (r) {
			back_off(loop);
			continue;
		}
		loop->backoff_ms = 0;
		/* A full batch: there is more. */
		if (!loop->courier->once)
			wait_ms(loop, loop->leased == BATCH ? 0 :
			    loop->courier->settings->courier_poll_ms);
	}
	return EX_OK;
}

int
courier_run(const struct courier *courier)
{
	struct loop loop = { .courier = courier };
	int code;

	loop.mem = arena_new(65536);
	if (!loop.mem)
		return EX_OSERR;
	log_event(LOG_INFO, "courier_started", "sms=%s email=%s poll_ms=%ld",
	    courier->sms.kind->name, courier->email.kind->name,
	    courier->settings->courier_poll_ms);
	code = run(&loop);
	log_event(LOG_INFO, "courier_stopped", "code=%d", code);
	db_free(loop.db);
	arena_free(loop.mem);
	return code;
}
