/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Turning the key ring: a new key, the next one's turn, the file anew. */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/ecdsa.h"
#include "core/keyfile.h"
#include "core/ring.h"

/* "20260131-0a1b2c3d": the day and four random bytes. */
static int
kid_make(int64_t now, char kid[RING_KID + 1])
{
	char date[10];
	uint8_t rnd[4];
	int r = crypto_random(rnd, sizeof(rnd));

	date_format((int32_t)(now * TIME_SECOND / TIME_DAY), date);
	snprintf(kid, RING_KID + 1, "%.4s%.2s%.2s-%02x%02x%02x%02x", date,
	    date + 5, date + 8, rnd[0], rnd[1], rnd[2], rnd[3]);
	return r;
}

/* Random bytes that the algorithm takes: all do but one set in 2^32. */
static int
key_make(struct ring_key *key)
{
	const char *why;
	int r;

	do {
		r = crypto_random(key->secret.b, SECRET_MIN);
		if (r)
			return r;
	} while (!ecdsa_scalar(key->secret.b));
	key->secret.n = SECRET_MIN;
	why = ring_key_load(key);
	return why ? -ENOMEM : 0;
}

static void
ring_drop(struct token_ring *ring, size_t at)
{
	secret_done(&ring->v[at].secret);
	crypto_pair_done(&ring->v[at].pair);
	ring->n--;
	for (size_t i = at; i < ring->n; i++)
		ring->v[i] = ring->v[i + 1];
	secret_done(&ring->v[ring->n].secret);
	ring->v[ring->n].pair.key = NULL;	/* it has moved */
	if (ring->current > at)
		ring->current--;
}

int
ring_generate(struct token_ring *ring, const char *alg, int64_t now)
{
	struct ring_key *key = &ring->v[ring->n];
	int r;

	if (ring->n == RING_KEYS)
		return -ENOSPC;
	*key = (struct ring_key){
		.alg = alg,
		.role = ring->n ? RING_NEXT : RING_CURRENT,
		.since = now,
	};
	do {
		r = kid_make(now, key->kid);
	} while (r == 0 && ring_find(ring, text_of(key->kid)));
	if (r == 0)
		r = key_make(key);
	if (r) {
		secret_done(&key->secret);
		return r;
	}
	ring->n++;
	return 0;
}

/* Tokens of a previous key are dead when they have lived their time since it
 * signed the last one; of one without an instant that is not known. */
static bool
is_past(const struct ring_key *key, const struct ring_turn *turn)
{
	return key->role == RING_PREVIOUS && key->since > 0 &&
	    turn->now > key->since + turn->keep;
}

static void
drop_past(struct token_ring *ring, const struct ring_turn *turn)
{
	for (size_t i = ring->n; i-- > 0;) {
		if (is_past(&ring->v[i], turn))
			ring_drop(ring, i);
		else if (ring->v[i].since == 0)
			ring->v[i].since = turn->now;
	}
}

/* NULL: there is none. */
static struct ring_key *
next_of(struct token_ring *ring)
{
	for (size_t i = 0; i < ring->n; i++)
		if (ring->v[i].role == RING_NEXT)
			return &ring->v[i];
	return NULL;
}

static void
promote(struct token_ring *ring, struct ring_key *next, int64_t now)
{
	struct ring_key *old = &ring->v[ring->current];

	old->role = RING_PREVIOUS;
	next->role = RING_CURRENT;
	old->since = next->since = now;
	ring->current = (size_t)(next - ring->v);
}

int
ring_rotate(struct token_ring *ring, const struct ring_turn *turn,
    bool *ret_turned)
{
	struct ring_key *next = next_of(ring);
	const bool turns = next || turn->at_once;
	size_t room = RING_KEYS - ring->n;
	int r = 0;

	for (size_t i = 0; i < ring->n; i++)
		room += is_past(&ring->v[i], turn);
	/* At most a key to turn to, and the next one behind it. */
	if (room < (next ? 1 : turns ? 2 : 1))
		return -ENOSPC;
	drop_past(ring, turn);
	next = next_of(ring);
	if (!next) {
		r = ring_generate(ring, turn->alg, turn->now);
		next = &ring->v[ring->n - 1];
	}
	if (r == 0 && turns) {
		promote(ring, next, turn->now);
		if (!next_of(ring))
			r = ring_generate(ring, turn->alg, turn->now);
	}
	if (r == 0)
		*ret_turned = turns;
	return r;
}

static void
key_print(const struct ring_key *key, struct arena *mem, struct buf *out)
{
	const struct text secret = base64url_encode(mem, key->secret.b,
	    key->secret.n);
	char at[TIME_CHARS];

	if (key->since) {
		time_format(key->since * TIME_SECOND, at);
		buf_printf(out, "# since %.*s\n", TIME_CHARS, at);
	}
	buf_printf(out, "%s %s %s ", ring_role_name(key->role), key->kid,
	    key->alg);
	buf_text(out, secret);
	buf_putc(out, '\n');
	explicit_bzero((char *)(uintptr_t)secret.s, secret.n);
}

void
ring_print(const struct token_ring *ring, struct arena *mem, struct buf *out)
{
	buf_puts(out, "# The key ring of Docket, kept by `docket key`, which "
	    "writes all of it anew.\n");
	for (size_t i = 0; i < ring->n; i++)
		key_print(&ring->v[i], mem, out);
}
