/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Fractional ranks whose length grows with the logarithm of the moves. */
#include "core/rank.h"

#include <assert.h>
#include <errno.h>

#include "core/base62.h"

/*
 * A key is ten characters (a task's number, to begin with) and a tail. The
 * tail is a fraction in base 62; a new key keeps the ten characters of its
 * lower neighbour and gets a tail between the two tails, so it never equals
 * the key of a task yet to come.
 *
 * Halving a gap costs one character per six moves into the same place. But
 * people (and scripts) do just that: "move it above X", again and again. So at
 * an open end we count, with 1 digit first, then 2, 4, 8, ...: ten thousand
 * moves take eight. Only a gap with a neighbour on either side is halved.
 */
static bool
is_key(struct text t)
{
	if (t.n < RANK_DIGITS)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (base62_value(t.s[i]) < 0)
			return false;
	}
	return true;
}

/* Digit i, as if zeros without end followed. */
static int
digit(struct text t, size_t i)
{
	return i < t.n ? base62_value(t.s[i]) : 0;
}

static struct text
from(struct text t, size_t i)
{
	return i < t.n ? (struct text){ t.s + i, t.n - i } : TEXT("");
}

/* Trailing zeros are worth nothing. */
static struct text
stripped(struct text t)
{
	while (t.n > 0 && t.s[t.n - 1] == '0')
		t.n--;
	return t;
}

/* A tail being written. */
struct tail {
	char *s;
	size_t n;
};

static void
put(struct tail *out, int value)
{
	assert(value >= 0);
	out->s[out->n++] = base62_digits[value];
}

/* Are the first n digits all of this value? */
static bool
all(struct text t, size_t n, int value)
{
	for (size_t i = 0; i < n; i++) {
		if (digit(t, i) != value)
			return false;
	}
	return true;
}

/* Add 1 or -1 to the last of n digits; there is no overflow by choice of n. */
static void
step(char *s, size_t n, int by)
{
	for (;;) {
		int v = base62_value(s[--n]) + by;

		if (v >= 0 && v < BASE62) {
			s[n] = base62_digits[v];
			return;
		}
		s[n] = base62_digits[v < 0 ? BASE62 - 1 : 0];
	}
}

/* Above lo, nothing on the other side. */
static void
put_above(struct tail *out, struct text lo)
{
	char *s = out->s + out->n;
	size_t n = 1;

	if (digit(lo, 0) < BASE62 - 1) {
		put(out, (digit(lo, 0) + BASE62) / 2);
		return;
	}
	while (all(lo, n, BASE62 - 1))
		n *= 2;
	for (size_t i = 0; i < n; i++)
		put(out, digit(lo, i));
	step(s, n, 1);
	if (s[n - 1] == '0')
		step(s, n, 1);
}

/* Can the first n digits of hi, or those less one, stand for a key below it?
 * Zero is the lower end itself. */
static bool
has_below(struct text hi, size_t n)
{
	if (all(hi, n, 0))
		return false;
	if (hi.n > n)
		return true;	/* cut off, it is smaller already */
	return !(all(hi, n - 1, 0) && digit(hi, n - 1) == 1);
}

/* Below hi, which is not zero; above zero. */
static void
put_below(struct tail *out, struct text hi)
{
	char *s = out->s + out->n;
	size_t n = 1;

	if (digit(hi, 0) > 1) {
		put(out, digit(hi, 0) / 2);
		return;
	}
	while (!has_below(hi, n))
		n *= 2;
	for (size_t i = 0; i < n; i++)
		put(out, digit(hi, i));
	if (hi.n <= n)
		step(s, n, -1);
	if (s[n - 1] == '0')
		step(s, n, -1);
}

/* Between two tails, 0 <= lo < hi, neither with a zero at its end. */
static void
put_between(struct tail *out, struct text lo, struct text hi)
{
	size_t i = 0;
	int a, b;

	/* Only over digits that lo has: beyond them put_below counts, and
	 * counts in the same places every time. */
	while (i < lo.n && digit(lo, i) == digit(hi, i))
		put(out, digit(lo, i++));
	lo = from(lo, i);
	hi = from(hi, i);
	a = digit(lo, 0);
	b = digit(hi, 0);
	if (lo.n == 0) {
		put_below(out, hi);
	} else if (b - a > 1) {
		put(out, (a + b) / 2);
	} else if (hi.n > 1) {
		put(out, b);
	} else {
		put(out, a);
		put_above(out, from(lo, 1));
	}
}

/* The two bounds, read: the ten characters both results share, and the tails.
 * hi none: open above. */
struct gap {
	char head[RANK_DIGITS];
	struct text lo, hi;
};

static int
gap_read(struct text lo, struct text hi, struct gap *ret)
{
	int order;

	if (!lo.s)
		lo = TEXT("0000000000");
	if (!is_key(lo) || (hi.s && !is_key(hi)))
		return -EINVAL;
	memcpy(ret->head, lo.s, RANK_DIGITS);
	ret->lo = stripped(from(lo, RANK_DIGITS));
	ret->hi = TEXT_NONE;
	order = hi.s ? memcmp(lo.s, hi.s, RANK_DIGITS) : -1;
	if (order > 0)
		return -EINVAL;
	if (order < 0)
		return 0;
	ret->hi = stripped(from(hi, RANK_DIGITS));
	order = memcmp(ret->lo.s, ret->hi.s,
	    ret->lo.n < ret->hi.n ? ret->lo.n : ret->hi.n);
	if (order > 0 || (order == 0 && ret->lo.n >= ret->hi.n))
		return -EINVAL;
	return 0;
}

int
rank_between(struct arena *mem, struct text lo, struct text hi,
    struct text *ret)
{
	struct tail out = { NULL, RANK_DIGITS };
	struct gap gap;
	int r = gap_read(lo, hi, &gap);

	if (r)
		return r;
	/* A block is at most twice as long as what it must exceed. */
	out.s = arena_alloc(mem,
	    RANK_DIGITS + 2 * (gap.lo.n + gap.hi.n) + 8);
	memcpy(out.s, gap.head, RANK_DIGITS);
	if (gap.hi.s)
		put_between(&out, gap.lo, gap.hi);
	else
		put_above(&out, gap.lo);
	*ret = (struct text){ out.s, out.n };
	return 0;
}

#define SPREAD_DIGITS 9		/* 62^9 keys fit 63 bits */

/* The values of `n` digits that lie inside: above *lo, below *hi. */
static void
window(const struct gap *gap, size_t n, uint64_t *lo, uint64_t *hi)
{
	uint64_t a = 0, b = 0;

	for (size_t i = 0; i < n; i++) {
		a = a * BASE62 + (uint64_t)digit(gap->lo, i);
		b = b * BASE62 + (gap->hi.s ? (uint64_t)digit(gap->hi, i) :
		    BASE62 - 1);
	}
	*lo = a;
	/* Open above, or digits left over: the last value fits, too. */
	*hi = b + (!gap->hi.s || gap->hi.n > n ? 1 : 0);
}

/* Go one digit deeper, to the part of the gap that has more room. */
static void
descend(struct gap *gap, struct tail *head)
{
	int a = digit(gap->lo, 0);

	put(head, a);
	gap->lo = from(gap->lo, 1);
	if (gap->hi.s)
		gap->hi = digit(gap->hi, 0) == a ? from(gap->hi, 1) : TEXT_NONE;
}

static struct text
spread_key(struct arena *mem, const struct tail *head, uint64_t value,
    size_t n)
{
	char *s = arena_alloc(mem, head->n + n + 1);

	memcpy(s, head->s, head->n);
	for (size_t i = n; i-- > 0; value /= BASE62)
		s[head->n + i] = base62_digits[value % BASE62];
	return (struct text){ s, head->n + n };
}

int
rank_spread(struct arena *mem, struct text lo, struct text hi, size_t n,
    struct text *ret)
{
	struct tail head = { NULL, RANK_DIGITS };
	uint64_t low, high;
	struct gap gap;
	size_t width = 1;
	int r = gap_read(lo, hi, &gap);

	if (r || n > UINT32_MAX)
		return r ? r : -EINVAL;
	head.s = arena_alloc(mem, RANK_DIGITS + gap.lo.n + gap.hi.n + 8);
	memcpy(head.s, gap.head, RANK_DIGITS);
	/* Two values a key, so that one that ends in 0 can step aside. */
	for (;;) {
		window(&gap, width, &low, &high);
		if (high - low >= 2 * ((uint64_t)n + 1))
			break;
		if (width < SPREAD_DIGITS) {
			width++;
			continue;
		}
		width = 1;
		descend(&gap, &head);
	}
	for (size_t i = 0; i < n; i++) {
		/* No product: (high - low) * i may exceed 64 bits. */
		uint64_t span = high - low, k = i + 1, parts = n + 1;
		uint64_t value = low + span / parts * k + span % parts * k /
		    parts;

		value += value % BASE62 == 0;
		ret[i] = spread_key(mem, &head, value, width);
	}
	return 0;
}
