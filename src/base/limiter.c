/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Token buckets in shared memory: one a subject, over all workers. */
#include "base/limiter.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/crypto.h"
#include "base/siphash.h"

#define SETS (1u << 14)
#define WAYS 8			/* a set is one cache line */
#define TRIES 65536		/* a few milliseconds */

/*
 * A cell is one word, so that every change of it is one compare-and-swap:
 *
 *   tag 23 | new 1 | due 40
 *
 * tag   of whose bucket it is, never 0: with the set's number 37 bits of the
 *       hash. That two subjects share a bucket is a matter of 1 in 10^11.
 * due   when the bucket will be full again, in microseconds, counted round
 *       2^40 of them (12.7 days). Only what lies within DEBT_MOST ahead is a
 *       debt; anything else was paid long ago.
 * new   somebody is about to start a bucket here and has not looked yet
 *       whether somebody else does: see take_first. Then `due` is the number
 *       of the claim, which no two have, so that nobody takes another's for
 *       its own.
 */
#define DUE_BITS 40
#define DUE_MASK ((UINT64_C(1) << DUE_BITS) - 1)
#define NEW (UINT64_C(1) << DUE_BITS)
#define TAG_SHIFT (DUE_BITS + 1)
#define DEBT_MOST INT64_C(3600000000)

typedef _Atomic uint64_t cell;

struct limiter {
	_Alignas(64) cell cells[SETS][WAYS];
	uint8_t key[SIPHASH_KEY];
	_Alignas(64) cell claims;	/* so many were made */
};

/* One request on its way. */
struct take {
	const struct bucket_rule *rule;
	cell *set;
	cell *claims;
	uint64_t tag;
	uint64_t now;
	struct bucket bucket;	/* the answer */
};

struct limiter *
limiter_new(void)
{
	struct limiter *limiter = mmap(NULL, sizeof(*limiter),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (limiter == MAP_FAILED)
		return NULL;
	if (crypto_random(limiter->key, sizeof(limiter->key)) != 0) {
		munmap(limiter, sizeof(*limiter));
		return NULL;
	}
	return limiter;
}

void
limiter_free(struct limiter *limiter)
{
	if (limiter)
		munmap(limiter, sizeof(*limiter));
}

static int64_t
debt_of(uint64_t word, uint64_t now)
{
	const int64_t ahead = (int64_t)((word - now) & DUE_MASK);

	return ahead <= DEBT_MOST ? ahead : 0;
}

/* What is lost with a cell: of one that is only claimed next to nothing. */
static int64_t
loss_of(uint64_t word, uint64_t now)
{
	return word & NEW ? 1 : debt_of(word, now);
}

static uint64_t
word_of(const struct take *take)
{
	return take->tag << TAG_SHIFT |
	    ((take->now + (uint64_t)take->bucket.debt_us) & DUE_MASK);
}

static uint64_t
claim_of(const struct take *take)
{
	return take->tag << TAG_SHIFT | NEW |
	    (atomic_fetch_add(take->claims, 1) & DUE_MASK);
}

/* The bucket stands in a cell of its own: the word is what it was when it was
 * looked at, or somebody was faster. */
static bool
take_from(struct take *take, cell *at, uint64_t word)
{
	take->bucket = bucket_take(take->rule, debt_of(word, take->now));
	return !take->bucket.taken ||
	    atomic_compare_exchange_strong(at, &word, word_of(take));
}

/* Whose loss is the smallest. */
static cell *
cell_to_claim(const struct take *take, uint64_t *ret_word)
{
	int64_t least = INT64_MAX;
	cell *found = take->set;

	for (int i = 0; i < WAYS && least > 0; i++) {
		const uint64_t word = take->set[i];
		const int64_t loss = loss_of(word, take->now);

		if (loss < least) {
			least = loss;
			found = &take->set[i];
			*ret_word = word;
		}
	}
	return found;
}

/* Is there no other cell of this tag? One that is new is done away with: of
 * two who start at once, whoever sees the other first goes on. */
static bool
stands_alone(const struct take *take, const cell *mine)
{
	for (int i = 0; i < WAYS; i++) {
		cell *at = &take->set[i];
		uint64_t word = *at;

		if (at == mine || word >> TAG_SHIFT != take->tag)
			continue;
		if (!(word & NEW) ||
		    !atomic_compare_exchange_strong(at, &word, 0))
			return false;
	}
	return true;
}

/*
 * A bucket for a subject that has none. Two processes may start one in two
 * cells at the same moment, and each would let the whole quota pass. So a cell
 * is claimed as new, then the set is looked through, and only who finds itself
 * alone drops the mark, if it is still there. Each claims before it looks, so
 * of two at least one sees the other, and two never both go on. A mark that
 * its owner died with is done away with by the next who comes.
 */
static bool
take_first(struct take *take)
{
	uint64_t before = 0, word = claim_of(take);
	cell *at = cell_to_claim(take, &before);

	take->bucket = bucket_take(take->rule, 0);
	if (!atomic_compare_exchange_strong(at, &before, word))
		return false;
	if (stands_alone(take, at))
		return atomic_compare_exchange_strong(at, &word,
		    word_of(take));
	atomic_compare_exchange_strong(at, &word, 0);
	return false;
}

static bool
take_once(struct take *take)
{
	for (int i = 0; i < WAYS; i++) {
		const uint64_t word = take->set[i];

		if (word >> TAG_SHIFT == take->tag && !(word & NEW))
			return take_from(take, &take->set[i], word);
	}
	return take_first(take);
}

/* Whose bucket it is, and where it may be. */
static void
find(struct limiter *limiter, enum limiter_kind kind, const void *subject,
    size_t n, struct take *take)
{
	uint8_t in[1 + LIMITER_SUBJECT] = { (uint8_t)kind };
	uint64_t hash;

	if (n > LIMITER_SUBJECT)
		n = LIMITER_SUBJECT;
	memcpy(in + 1, subject, n);
	hash = siphash(limiter->key, in, 1 + n);
	take->set = limiter->cells[hash % SETS];
	take->claims = &limiter->claims;
	take->tag = hash >> TAG_SHIFT ? hash >> TAG_SHIFT : 1;
}

struct bucket
limiter_take(struct limiter *limiter, const struct bucket_rule *rule,
    enum limiter_kind kind, const void *subject, size_t n, int64_t mono_us)
{
	struct take take = { .rule = rule, .now = (uint64_t)mono_us };

	find(limiter, kind, subject, n, &take);
	/* Each failure is somebody else's success, but two cores in step may
	 * give all of them to one for hundreds of turns. Who has none in so
	 * many lets the request pass rather than hold it up. */
	for (int i = 0; i < TRIES; i++)
		if (take_once(&take))
			break;
	return take.bucket;
}

bool
limiter_owes(struct limiter *limiter, enum limiter_kind kind,
    const void *subject, size_t n, int64_t mono_us)
{
	struct take take;

	find(limiter, kind, subject, n, &take);
	for (int i = 0; i < WAYS; i++) {
		const uint64_t word = take.set[i];

		if (word >> TAG_SHIFT == take.tag && !(word & NEW) &&
		    debt_of(word, (uint64_t)mono_us) > 0)
			return true;
	}
	return false;
}

/* Who takes of it meanwhile comes after: that debt stays. */
void
limiter_forget(struct limiter *limiter, enum limiter_kind kind,
    const void *subject, size_t n)
{
	struct take take;

	find(limiter, kind, subject, n, &take);
	for (int i = 0; i < WAYS; i++) {
		uint64_t word = take.set[i];

		if (word >> TAG_SHIFT == take.tag)
			atomic_compare_exchange_strong(&take.set[i], &word, 0);
	}
}
