/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Opens a message, hands it to its way in time and words the ending. */
#include "courier/deliver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "core/names.h"
#include "courier/letter.h"
#include "courier/retry.h"

int64_t
deliver_lease_ms(const struct settings *settings)
{
	return settings->courier_send_seconds * 1000 + OUTBOX_SPARE_MS;
}

static void
why(struct ending *ret, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
why(struct ending *ret, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ret->why, sizeof(ret->why), fmt, args);
	va_end(args);
}

/* What is left of the code's life. */
static int64_t
left_ms(const struct delivery *d)
{
	return d->message->left_ms - (clock_mono_ms() - d->asked_ms);
}

static void
tell(const struct delivery *d, enum log_level level, const char *event,
    const char *id, const char *more)
{
	log_event(level, event, "id=%s channel=%s purpose=%.*s tries=%lld%s",
	    id, d->lane->channel, TEXT_FMT(d->message->purpose),
	    (long long)d->message->tries, more);
}

/* Without a `why` the dead letter keeps what was said of its last try. */
static void
give_up(const struct delivery *d, struct arena *mem, const char *id,
    struct ending *ret)
{
	ret->kind = ENDING_DEAD;
	tell(d, LOG_WARN, "message_dead", id, arena_printf(mem,
	    " why=\"%s\"", ret->why[0] ? ret->why : "expired"));
}

static void
put_off(const struct delivery *d, struct arena *mem, const char *id,
    long after, struct ending *ret)
{
	uint32_t random = 0;

	/* Without randomness it is tried soon, which is no harm either. */
	(void)crypto_random(&random, sizeof(random));
	ret->delay_ms = retry_ms(d->message->tries, after, left_ms(d), random);
	if (ret->delay_ms == RETRY_NEVER) {
		give_up(d, mem, id, ret);
		return;
	}
	ret->kind = ENDING_LATER;
	tell(d, LOG_WARN, "message_delayed", id,
	    arena_printf(mem, " retry_ms=%lld why=\"%s\"",
	    (long long)ret->delay_ms, ret->why));
}

/* The code is in *ret, or false: then it cannot go now. */
static bool
unseal(const struct delivery *d, struct arena *mem, struct text id,
    struct text *ret, struct ending *ending)
{
	int r = crypto_open(mem, d->courier->seal, id, d->message->sealed,
	    ret);

	if (r)
		why(ending, r == E_SEAL ? "sealed under another key" :
		    "cannot be opened");
	return r == 0;
}

static void
send(const struct delivery *d, struct arena *mem, struct text id,
    struct text code, struct outcome *ret)
{
	const struct settings *s = d->courier->settings;
	const struct message *m = d->message;
	const struct text channel = text_of(d->lane->channel);
	int64_t most = s->courier_send_seconds * 1000, left = left_ms(d);
	struct letter letter = {
		.id = id, .channel = channel, .to = m->address,
		.purpose = m->purpose, .code = code,
		.created_at = m->created_at,
		.until_ms = clock_mono_ms() + (left < most ? left : most),
	};

	templates_word(d->courier->templates, mem, m->language, &letter);
	d->lane->kind->send(d->way, mem, &letter, ret);
}

static void
sent(const struct delivery *d, struct arena *mem, const char *id,
    const struct outcome *outcome, struct ending *ret)
{
	struct text to = name_mask(mem, d->message->address);

	ret->kind = ENDING_SENT;
	tell(d, LOG_INFO, "message_sent", id, arena_printf(mem,
	    " to=%.*s ref=%s", TEXT_FMT(to),
	    outcome->ref[0] ? outcome->ref : "-"));
}

static void
judge(const struct delivery *d, struct arena *mem, const char *id,
    const struct outcome *outcome, struct ending *ret)
{
	ret->news = outcome->kind != OUTCOME_SENT && outcome->down ?
	    LANE_DOWN : LANE_UP;
	why(ret, "%s", outcome->why);
	switch (outcome->kind) {
	case OUTCOME_SENT:
		sent(d, mem, id, outcome, ret);
		break;
	case OUTCOME_NEVER:
		give_up(d, mem, id, ret);
		break;
	case OUTCOME_LATER:
		put_off(d, mem, id, outcome->retry_after, ret);
		break;
	}
}

/* A sender that was stopped for a while is too late: somebody else has the
 * message by now, or nobody needs it. */
static bool
in_time(const struct delivery *d, struct arena *mem, const char *id,
    struct ending *ret)
{
	if (left_ms(d) <= 0) {
		give_up(d, mem, id, ret);
		return false;
	}
	ret->kind = ENDING_BACK;
	return clock_mono_ms() - d->asked_ms < d->lease_ms -
	    d->courier->settings->courier_send_seconds * 1000;
}

void
deliver(const struct delivery *d, struct arena *mem, struct ending *ret)
{
	const struct message *m = d->message;
	char *id = arena_alloc(mem, UUID_CHARS + 1);
	struct text aad = { id, UUID_CHARS }, code;
	struct outcome outcome = { 0 };

	*ret = (struct ending){ .id = m->id, .tries = m->tries,
		.probe = m->probe };
	uuid_format(&m->id, id);
	if (!m->wanted) {
		ret->kind = ENDING_DROPPED;
		return;
	}
	if (!unseal(d, mem, aad, &code, ret)) {
		put_off(d, mem, id, 0, ret);
		return;
	}
	if (!in_time(d, mem, id, ret))
		return;
	send(d, mem, aad, code, &outcome);
	judge(d, mem, id, &outcome, ret);
}
