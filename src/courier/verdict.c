/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Judges answers: sent, later or never, and whose fault it was. */
#include "courier/verdict.h"

#include <ctype.h>
#include <string.h>

/* Of web the JSON reader alone: a gateway's reply is as hostile as a request. */
#include "web/json_point.h"

#define POINTER_MAX 200
#define CODE_DIGITS 5		/* fewer than those of any one-time code */

enum { LATER = OUTCOME_LATER, NEVER = OUTCOME_NEVER };

static const struct code {
	const char *gateway, *code;
	enum outcome_kind kind;
	bool down;
	const char *word;
} codes[] = {
#define GATEWAY_CODE(name, code, kind, down, word) \
	{ #name, code, (enum outcome_kind)(kind), down, word },
#include "tbl/gateways.h"
#undef GATEWAY_CODE
};

static bool
is_pattern(struct text t)
{
	return t.n == 3 && t.s[0] >= '1' && t.s[0] <= '5' &&
	    ((t.s[1] == 'x' && t.s[2] == 'x') ||
	    (isdigit((unsigned char)t.s[1]) &&
	    isdigit((unsigned char)t.s[2])));
}

static bool
pattern_holds(struct text t, long status)
{
	if (t.s[1] == 'x')
		return status / 100 == t.s[0] - '0';
	return status == (t.s[0] - '0') * 100 + (t.s[1] - '0') * 10 +
	    (t.s[2] - '0');
}

/* The next part of *s up to one of `ends`; false at the end. */
static bool
part_next(struct text *s, const char *ends, struct text *ret)
{
	size_t n = 0;

	if (s->n == 0)
		return false;
	while (n < s->n && !strchr(ends, s->s[n]))
		n++;
	*ret = (struct text){ s->s, n };
	n += n < s->n;
	s->s += n;
	s->n -= n;
	return true;
}

/* "/a/b=c" -> pointer and value. */
static bool
clause_split(struct text clause, char pointer[POINTER_MAX],
    struct text *ret_value)
{
	const char *sign = memchr(clause.s, '=', clause.n);
	const size_t n = sign ? (size_t)(sign - clause.s) : POINTER_MAX;

	if (n >= POINTER_MAX)
		return false;
	memcpy(pointer, clause.s, n);
	pointer[n] = '\0';
	*ret_value = (struct text){ sign + 1, clause.n - n - 1 };
	return json_point_valid(pointer);
}

static bool
statuses_valid(struct text word)
{
	const bool whole = word.s[word.n - 1] != ',';
	struct text part;

	while (part_next(&word, ",", &part))
		if (!is_pattern(part))
			return false;
	return whole;
}

bool
verdict_success_valid(const char *success)
{
	struct text all = text_of(success), word, value;
	char pointer[POINTER_MAX];
	size_t statuses = 0;

	while (part_next(&all, " ", &word)) {
		if (word.n == 0)
			continue;
		if (word.s[0] == '/' ? !clause_split(word, pointer, &value) :
		    !statuses_valid(word))
			return false;
		statuses += word.s[0] != '/';
	}
	return statuses <= 1;
}

static bool
statuses_hold(struct text word, long status)
{
	struct text part;

	while (part_next(&word, ",", &part))
		if (pattern_holds(part, status))
			return true;
	return false;
}

static bool
clause_holds(struct text clause, struct arena *mem, struct text body)
{
	char pointer[POINTER_MAX];
	struct text wanted, found;

	return clause_split(clause, pointer, &wanted) &&
	    json_point(body, pointer, mem, &found) &&
	    text_equal(found, wanted);
}

/* Without a status among the words, any of 2xx. */
static bool
success_holds(const char *success, struct arena *mem,
    const struct net_answer *answer)
{
	struct text all = text_of(success), word;
	bool status = answer->status / 100 == 2;

	while (part_next(&all, " ", &word)) {
		if (word.n == 0)
			continue;
		if (word.s[0] != '/')
			status = statuses_hold(word, answer->status);
		else if (!clause_holds(word, mem, answer->body))
			return false;
	}
	return status;
}

static bool
holds(struct text t, struct text part)
{
	return part.n > 0 && memmem(t.s, t.n, part.s, part.n);
}

/* The other side's id; not when it sends us back what is not to be told. */
static void
take_reference(const struct verdict_rules *rules, struct arena *mem,
    const struct letter *letter, const struct net_answer *answer,
    struct outcome *ret)
{
	struct text found;

	if (!rules->reference[0] || !json_point(answer->body,
	    rules->reference, mem, &found))
		return;
	if (holds(found, letter->code) || holds(found, letter->to))
		return;
	outcome_ref(ret, found);
}

static bool
is_code(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!isdigit((unsigned char)t.s[i]))
			return false;
	return t.n > 0 && t.n <= CODE_DIGITS;
}

static const struct code *
code_find(const char *gateway, struct text code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].gateway, gateway) == 0 &&
		    text_is(code, codes[i].code))
			return &codes[i];
	return NULL;
}

/* Only a letter can be what these statuses are about. */
static bool
blames_letter(long status)
{
	return status == 400 || status == 413 || status == 422 ||
	    status == 429;
}

static const char *
status_word(long status)
{
	if (status / 100 == 2)
		return ", but it did not accept the message";
	if (status / 100 == 3)
		return ", a redirect";
	return "";
}

static void
by_status(const struct net_answer *answer, struct text code,
    struct outcome *ret)
{
	outcome_set(ret, OUTCOME_LATER, !blames_letter(answer->status),
	    "HTTP %ld%s%s%.*s", answer->status, status_word(answer->status),
	    code.n ? ", code " : "", TEXT_FMT(code));
}

static void
unreached(const struct net_answer *answer, struct outcome *ret)
{
	outcome_set(ret, answer->never ? OUTCOME_NEVER : OUTCOME_LATER,
	    !answer->never, "%s", answer->why);
}

void
verdict_gateway(const struct verdict_rules *rules, struct arena *mem,
    const struct letter *letter, const struct net_answer *answer,
    struct outcome *ret)
{
	struct text code = TEXT_NONE;
	const struct code *row;

	if (!answer->reached) {
		unreached(answer, ret);
		return;
	}
	ret->retry_after = answer->retry_after;
	if (success_holds(rules->success, mem, answer)) {
		ret->kind = OUTCOME_SENT;
		take_reference(rules, mem, letter, answer, ret);
		return;
	}
	if (!rules->code[0] || !json_point(answer->body, rules->code, mem,
	    &code) || !is_code(code))
		code = TEXT_NONE;
	row = code_find(rules->gateway, code);
	if (row)
		outcome_set(ret, row->kind, row->down,
		    "HTTP %ld, code %s: %s", answer->status, row->code,
		    row->word);
	else
		by_status(answer, code, ret);
}

void
verdict_hook(const struct net_answer *answer, struct outcome *ret)
{
	if (!answer->reached) {
		unreached(answer, ret);
		return;
	}
	ret->retry_after = answer->retry_after;
	if (answer->status / 100 == 2)
		ret->kind = OUTCOME_SENT;
	else if (answer->status == 410)
		outcome_set(ret, OUTCOME_NEVER, true,
		    "HTTP 410: the receiver wants no more");
	else
		by_status(answer, TEXT_NONE, ret);
}
