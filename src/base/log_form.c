/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One event in each of its three forms. */
#include "base/log_form.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const char hex[] = "0123456789abcdef";

static const struct {
	const char *priority;	/* sd-daemon(3) */
	const char *word;
} levels[] = {
	[LOG_ERROR_]	= { "3", "error" },
	[LOG_WARN]	= { "4", "warn" },
	[LOG_INFO]	= { "6", "info" },
	[LOG_DEBUG_]	= { "7", "debug" },
};

static const struct {
	const char *event, *id;
} notable[] = {
#define NOTABLE(event, id) { event, id },
#include "tbl/journal.h"
#undef NOTABLE
};

/* What is being written; `full` stays once something had no room. */
struct line {
	char *out;
	size_t n, cap;
	bool full;
};

/* Whole or not at all. */
static void
put(struct line *l, const char *s, size_t n)
{
	if (l->full || l->cap - l->n < n) {
		l->full = true;
		return;
	}
	memcpy(l->out + l->n, s, n);
	l->n += n;
}

static void
puts_(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* n without a UTF-8 sequence that is cut at the end: journald would keep the
 * whole line as a blob. */
static size_t
whole_chars(const char *s, size_t n)
{
	size_t lead = n, need;

	while (lead > 0 && ((uint8_t)s[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead-- == 0)
		return n;
	need = (uint8_t)s[lead] >= 0xf0 ? 4 : (uint8_t)s[lead] >= 0xe0 ? 3 :
	    (uint8_t)s[lead] >= 0xc0 ? 2 : 1;
	return n - lead < need ? lead : n;
}

static bool
is_control(char c)
{
	return (uint8_t)c < 0x20 || c == 0x7f;
}

static size_t
plain_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && !is_control(s[i]))
		i++;
	return i;
}

/* Control bytes as \xNN; stops where the next piece has no room. */
static void
put_safe(struct line *l, const char *s, size_t n)
{
	while (n > 0 && !l->full) {
		const char escape[4] = { '\\', 'x', hex[(uint8_t)*s >> 4],
			hex[(uint8_t)*s & 15] };
		size_t plain = plain_length(s, n), room = l->cap - l->n;

		if (plain == 0)
			put(l, escape, sizeof(escape));
		else
			put(l, s, plain < room ? plain : room);
		l->full |= plain > room;
		plain += plain == 0;
		s += plain;
		n -= plain;
	}
	if (l->full)
		l->n = whole_chars(l->out, l->n);
}

/* "main.3 event key=value ..." */
static void
put_message(struct line *l, const struct log_entry *e)
{
	if (e->name[0]) {
		puts_(l, e->name);
		puts_(l, " ");
	}
	puts_(l, e->event);
	if (e->text[0]) {
		puts_(l, " ");
		put_safe(l, e->text, strlen(e->text));
	}
}

size_t
log_form_text(const struct log_entry *e, bool journal, char out[LOG_LINE_MAX])
{
	/* The journal keeps time and program itself; others do not. */
	struct line l = { .out = out, .cap = LOG_LINE_MAX - 1 };
	char when[TIME_CHARS];

	if (journal) {
		puts_(&l, "<");
		puts_(&l, levels[e->level].priority);
		puts_(&l, ">");
	} else {
		time_format(clock_real_us(), when);
		put(&l, when, sizeof(when));
		puts_(&l, " ");
		puts_(&l, levels[e->level].word);
		puts_(&l, " ");
		puts_(&l, e->program);
		puts_(&l, " ");
	}
	put_message(&l, e);
	out[l.n++] = '\n';
	return l.n;
}

/* ---- JSON ---- */

/* Bytes of a UTF-8 sequence that begins with this one (RFC 3629), or 0. */
static size_t
sequence_of(uint8_t first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 :
	    first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* Bytes of the well-formed sequence at s, or 0. */
static size_t
sequence(const char *s, size_t n)
{
	const uint8_t *u = (const uint8_t *)s;
	const size_t need = sequence_of(u[0]);

	if (need == 0 || need > n)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return need;
}

static void
put_json(struct line *l, const char *s, size_t n)
{
	puts_(l, "\"");
	for (size_t i = 0, one; i < n; i += one) {
		const uint8_t c = (uint8_t)s[i];
		const char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4],
			hex[c & 15] };

		one = sequence(s + i, n - i);
		if (one == 0) {
			puts_(l, "\\ufffd");
			one = 1;
		} else if (is_control(s[i])) {
			put(l, escape, sizeof(escape));
		} else if (c == '"' || c == '\\') {
			put(l, (const char[]){ '\\', s[i] }, 2);
		} else {
			put(l, s + i, one);
		}
	}
	puts_(l, "\"");
}

static void
put_member(struct line *l, const char *name, size_t name_n, const char *s,
    size_t n)
{
	puts_(l, ",\"");
	put(l, name, name_n);
	puts_(l, "\":");
	put_json(l, s, n);
}

/* A member that has no room is left out, whole; "cut" says so. */
static void
put_pair(struct line *l, const struct log_pair *p)
{
	const size_t before = l->n;

	if (p->number) {
		puts_(l, ",\"");
		put(l, p->key, p->key_n);
		puts_(l, "\":");
		put(l, p->value, p->value_n);
	} else {
		put_member(l, p->key, p->key_n, p->value, p->value_n);
	}
	if (l->full)
		l->n = before;
}

size_t
log_form_json(const struct log_entry *e, char out[LOG_FORM_MAX])
{
	static const char end[] = ",\"cut\":true}\n";
	struct line l = { .out = out, .cap = LOG_FORM_MAX - sizeof(end) };
	char when[TIME_CHARS];
	bool cut = e->cut;

	time_format(clock_real_us(), when);
	puts_(&l, "{\"time\":");
	put_json(&l, when, sizeof(when));
	put_member(&l, "level", 5, levels[e->level].word,
	    strlen(levels[e->level].word));
	put_member(&l, "program", 7, e->program, strlen(e->program));
	put_member(&l, "process", 7, e->name, strlen(e->name));
	put_member(&l, "event", 5, e->event, strlen(e->event));
	for (size_t i = 0; i < e->n_pairs; i++) {
		put_pair(&l, &e->pairs[i]);
		cut |= l.full;
		l.full = false;
	}
	if (e->n_pairs == 0 && e->text[0])
		put_pair(&l, &(const struct log_pair){ .key = "text",
		    .key_n = 4, .value = e->text,
		    .value_n = strlen(e->text) });
	cut |= l.full;
	memcpy(out + l.n, cut ? end : "}\n", cut ? sizeof(end) - 1 : 2);
	return l.n + (cut ? sizeof(end) - 1 : 2);
}

/* ---- the journal's fields ---- */

static void
put_field(struct line *l, const char *name, const char *s, size_t n)
{
	const size_t before = l->n;

	puts_(l, name);
	puts_(l, "=");
	put_safe(l, s, n);
	puts_(l, "\n");
	if (l->full)
		l->n = before;
}

static void
put_own_field(struct line *l, const struct log_pair *p)
{
	char name[64] = "DOCKET_";
	size_t n = 7;

	/* At most 64 characters are a name (systemd.journal-fields(7)). */
	for (size_t i = 0; i < p->key_n && n < sizeof(name) - 1; i++)
		name[n++] = p->key[i] == '_' ? '_' :
		    (char)(p->key[i] - 'a' + 'A');
	name[n] = '\0';
	put_field(l, name, p->value, p->value_n);
}

size_t
/* NOLINTNEXTLINE(readability-non-const-parameter): filled by way of l */
log_form_fields(const struct log_entry *e, char out[LOG_FORM_MAX])
{
	char text[LOG_LINE_MAX];
	const size_t message = log_form_text(e, true, text) - 4;
	/* MESSAGE has its place kept. */
	struct line l = { .out = out,
		.cap = LOG_FORM_MAX - message - sizeof("MESSAGE=\n") };

	put_field(&l, "PRIORITY", levels[e->level].priority, 1);
	put_field(&l, "SYSLOG_IDENTIFIER", e->program, strlen(e->program));
	put_field(&l, "DOCKET_EVENT", e->event, strlen(e->event));
	if (e->name[0])
		put_field(&l, "DOCKET_PROCESS", e->name, strlen(e->name));
	for (size_t i = 0; i < sizeof(notable) / sizeof(notable[0]); i++)
		if (strcmp(notable[i].event, e->event) == 0)
			put_field(&l, "MESSAGE_ID", notable[i].id, 32);
	for (size_t i = 0; i < e->n_pairs; i++) {
		put_own_field(&l, &e->pairs[i]);
		l.full = false;
	}
	l.cap = LOG_FORM_MAX;
	/* Behind its <6>, and without its newline: escaped already. */
	puts_(&l, "MESSAGE=");
	put(&l, text + 3, message);
	puts_(&l, "\n");
	return l.n;
}
