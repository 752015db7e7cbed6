/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An event's format and arguments into keys and values. */
#include <stdio.h>
#include <string.h>

#include "base/log_form.h"

/*
 * Values are strangers' words: what separates pairs in the printed text must
 * not come from one of them. So the format's own blanks are made marks before
 * it is printed, and a text with more marks than that has no pairs.
 */
#define MARK '\x1f'

/* The format with marks for the blanks outside quotes. How many; -1: it does
 * not fit. */
static int
mark(char *out, size_t cap, const char *fmt)
{
	bool quoted = false;
	int n = 0;

	if (strlen(fmt) >= cap)
		return -1;
	for (; *fmt; fmt++, out++) {
		quoted ^= *fmt == '"';
		*out = *fmt == ' ' && !quoted ? MARK : *fmt;
		n += *out == MARK;
	}
	*out = '\0';
	return n;
}

static int
count_marks(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += *s == MARK;
	return n;
}

/* %d, %ld, %lld, %u, %lu, %llu, %zu and nothing else. */
static bool
is_number(const char *s, size_t n)
{
	static const char *const all[] = {
		"%d", "%ld", "%lld", "%u", "%lu", "%llu", "%zu"
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strlen(all[i]) == n && memcmp(s, all[i], n) == 0)
			return true;
	return false;
}

static size_t
key_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && ((s[i] >= 'a' && s[i] <= 'z') || s[i] == '_'))
		i++;
	return i > 0 && i < n && s[i] == '=' ? i : 0;
}

/* One piece of the format, and of what it was printed as. */
static bool
split_one(struct log_entry *e, const char *f, size_t f_n, const char *v,
    size_t v_n)
{
	const size_t key = key_length(f, f_n);
	struct log_pair *p = &e->pairs[e->n_pairs];

	if (key == 0 || e->n_pairs == LOG_PAIRS_MAX || v_n <= key)
		return false;
	*p = (struct log_pair){
		.key = f, .key_n = key,
		.value = v + key + 1, .value_n = v_n - key - 1,
		.number = is_number(f + key + 1, f_n - key - 1),
	};
	/* The format's own quotes. */
	if (f[key + 1] == '"' && f[f_n - 1] == '"' && p->value_n >= 2) {
		p->value++;
		p->value_n -= 2;
	}
	e->n_pairs++;
	return true;
}

static void
split_all(struct log_entry *e)
{
	const char *f = e->format, *v = e->marked;

	while (*f) {
		size_t f_n = strcspn(f, "\x1f"), v_n = strcspn(v, "\x1f");

		if (!split_one(e, f, f_n, v, v_n)) {
			e->n_pairs = 0;
			return;
		}
		f += f_n + (f[f_n] == MARK);
		v += v_n + (v[v_n] == MARK);
	}
}

void
log_split(struct log_entry *e, const char *fmt, va_list ap)
{
	const int marks = mark(e->format, sizeof(e->format), fmt);
	va_list again;
	int n;

	e->n_pairs = 0;
	e->marked[0] = '\0';
	va_copy(again, ap);
	n = vsnprintf(e->text, sizeof(e->text), fmt, again);
	va_end(again);
	if (n < 0)
		e->text[0] = '\0';
	e->cut = n >= (int)sizeof(e->text);
	if (marks < 0)
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = vsnprintf(e->marked, sizeof(e->marked), e->format, ap);
#pragma GCC diagnostic pop
	if (n >= 0 && (size_t)n < sizeof(e->marked) &&
	    count_marks(e->marked) == marks)
		split_all(e);
}
