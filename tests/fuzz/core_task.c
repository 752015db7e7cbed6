/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a due date, a filter's bound, a zone, a status and tags. */
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/task.h"
#include "lib/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One of three forms, whose canonical text is that form of that instant. */
static bool
check_due(struct arena *mem, struct text in, bool zone)
{
	const char *why = NULL;
	struct due due, again;

	if (task_due_parse(mem, in, zone, &due, &why)) {
		must(why && *why, "refused without a word");
		return false;
	}
	must(zone == (due.local.s != NULL) && zone == (due.at == TIME_NONE),
	    "a zone with what has none, or the other way round");
	must(task_due_parse(mem, due.text, zone, &again, &why) == 0,
	    "its canonical text is refused");
	must(text_equal(due.text, again.text) && due.at == again.at &&
	    text_equal(due.local, again.local), "then it is another");
	if (zone)
		must(due.text.n == 19 && due.local.n == 19 &&
		    due.text.s[10] == 'T' && due.local.s[10] == ' ' &&
		    memcmp(due.text.s, due.local.s, 10) == 0 &&
		    memcmp(due.text.s + 11, due.local.s + 11, 8) == 0,
		    "two local times");
	else
		must(due.text.n == 10 || due.text.n == TIME_CHARS, "its form");
	return true;
}

static void
check_dates(struct arena *mem, struct text in)
{
	const bool plain = check_due(mem, in, false);
	const bool local = check_due(mem, in, true);
	int64_t first = 0, last = 0;
	const char *why = NULL;
	struct text member = in;
	int bound;

	must(!(plain && local), "two readings of one date");
	must((task_check_due(mem, &member, &why) == 0) == (plain || local),
	    "check and parse disagree");
	must(member.s == in.s && member.n == in.n, "changed by a check");
	bound = task_bound_parse(in, false, &first);
	must(bound == task_bound_parse(in, true, &last), "half a bound");
	must((bound == 0) == plain, "bound and due date disagree");
	if (bound == 0)
		must(first == last || last - first == TIME_DAY - 1,
		    "bounds that are no day");
}

static void
check_zone(struct arena *mem, struct text in)
{
	const char *why = NULL;

	if (in.n == 0 || task_check_timezone(mem, &in, &why))
		return;
	must(in.n <= 64 && in.s[0] >= 'A' && in.s[0] <= 'Z', "no zone");
	for (size_t i = 0; i < in.n; i++)
		must(in.s[i] > ' ' && !strchr("'\"\\.;:,", in.s[i]) &&
		    in.s[i] < 0x7f, "a character that no zone has");
}

static void
check_status(struct arena *mem, struct text in)
{
	const char *why = NULL;
	struct text word = in, label;

	if (task_check_status(mem, &word, &why)) {
		must(why && text_equal(word, in), "refused, yet changed");
		return;
	}
	label = task_status_label(word);
	must(label.s, "a status without a label");
	must(task_check_status(mem, &label, &why) == 0 &&
	    text_equal(label, word), "its label is another status");
}

static bool
is_among(struct text t, const struct text *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_equal(v[i], t))
			return true;
	return false;
}

/* A tag a line. */
static struct texts
lines(struct arena *mem, struct text in)
{
	struct texts out = { arena_array(mem, in.n + 1, sizeof(*out.v)), 0 };

	while (in.n) {
		const char *hit = memchr(in.s, '\n', in.n);
		const size_t n = hit ? (size_t)(hit - in.s) : in.n;

		out.v[out.n++] = (struct text){ in.s, n };
		in.s += n + (hit != NULL);
		in.n -= n + (hit != NULL);
	}
	return out;
}

static void
check_tags(struct arena *mem, struct text in)
{
	struct texts given = lines(mem, in), tags = given, again;
	const char *why = NULL;

	if (task_check_tags(mem, &tags, &why)) {
		must(why && tags.v == given.v, "refused, yet changed");
		return;
	}
	must(tags.v && tags.n <= given.n, "more tags than before");
	for (size_t i = 0; i < tags.n; i++) {
		must(text_chars(tags.v[i]) >= 1 && text_chars(tags.v[i]) <= 50,
		    "a tag's length");
		must(!is_among(tags.v[i], tags.v, i), "a tag twice");
	}
	again = tags;
	must(task_check_tags(mem, &again, &why) == 0 && again.n == tags.n,
	    "then they are others");
	for (size_t i = 0; i < tags.n; i++)
		must(text_equal(tags.v[i], again.v[i]), "then one is another");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { size ? (const char *)data : "", size };

	if (!mem)
		return 0;
	check_dates(mem, in);
	check_zone(mem, in);
	check_status(mem, in);
	check_tags(mem, in);
	arena_free(mem);
	return 0;
}
