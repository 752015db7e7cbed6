/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Decoded input against the rows it was decoded by. */
#include "lib/input.h"

#include <stdio.h>
#include <stdlib.h>

void
input_breach(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* ---- faults ---- */

static void
check_pointer(struct text at)
{
	must(at.s, "a fault without a pointer");
	must(text_chars(at) >= 0, "a pointer that is no UTF-8");
	must(at.n == 0 || at.s[0] == '/' || at.s[0] == '?',
	    "a pointer that begins with something else");
	for (size_t i = 0; i < at.n; i++)
		if (at.s[i] == '~')
			must(i + 1 < at.n && (at.s[i + 1] == '0' ||
			    at.s[i + 1] == '1'), "a bad escape in a pointer");
}

void
input_check_faults(const struct faults *faults, bool ok)
{
	static const char *const codes[] = {
		"required", "type", "range", "length", "choice", "unknown",
		"duplicate", "format", "null", "syntax",
	};
	size_t k;

	must(faults->n <= FAULTS_MAX, "too many faults");
	must(ok == (faults->n == 0), "the result and the faults disagree");
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->v[i];

		check_pointer(f->pointer);
		must(f->detail && *f->detail, "a fault without words");
		for (k = 0; k < sizeof(codes) / sizeof(codes[0]); k++)
			if (strcmp(codes[k], f->code) == 0)
				break;
		must(k < sizeof(codes) / sizeof(codes[0]),
		    "an unknown code of a fault");
	}
}

/* ---- one member ---- */

static bool
is_between(const struct field *f, int64_t v)
{
	return (f->min == 0 && f->max == 0) ||
	    (v >= f->min && (v <= f->max || f->max < f->min));
}

static void
check_text(struct text t)
{
	must(t.s, "a text that was given is absent");
	must(text_chars(t) >= 0, "a text is no UTF-8");
	must(!memchr(t.s, '\0', t.n), "a text holds NUL");
}

static void
check_choice(const struct field *f, struct text t)
{
	size_t i;

	for (i = 0; f->choices[i]; i++)
		if (text_is(t, f->choices[i]))
			return;
	must(false, "a word that is none of the choices");
}

static void
check_texts(const struct field *f, const struct texts *texts)
{
	must(texts->v && is_between(f, (int64_t)texts->n),
	    "a list is out of bounds");
	for (size_t i = 0; i < texts->n; i++)
		check_text(texts->v[i]);
}

static void
check_list(const struct field *f, const struct list *list)
{
	must(list->v && is_between(f, (int64_t)list->n),
	    "a list is out of bounds");
	for (size_t i = 0; f->type == FIELD_LIST && i < list->n; i++)
		input_check_struct(f->sub, (const char *)list->v +
		    i * f->sub->size);
}

/* A member that was given and is not null. */
static void
check_member(const struct field *f, const void *member)
{
	switch (f->type) {
	case FIELD_TEXT:
		check_text(*(const struct text *)member);
		must(is_between(f, text_chars(*(const struct text *)member)),
		    "a text is out of bounds");
		return;
	case FIELD_ENUM:
		check_text(*(const struct text *)member);
		if (f->choices)
			check_choice(f, *(const struct text *)member);
		return;
	case FIELD_INT:
		must(*(const int64_t *)member != INT_NONE &&
		    is_between(f, *(const int64_t *)member),
		    "a number is out of bounds");
		return;
	case FIELD_TIME:
		must(*(const int64_t *)member != TIME_NONE,
		    "an instant that was given is absent");
		return;
	case FIELD_UUID:
		must(!uuid_is_nil(member), "an id that was given is absent");
		return;
	case FIELD_TEXTS:
		check_texts(f, member);
		return;
	case FIELD_UUIDS:
	case FIELD_LIST:
		check_list(f, member);
		return;
	case FIELD_OBJECT:
		input_check_struct(f->sub, member);
		return;
	default:
		return;
	}
}

static void
check_absent(const struct field *f, const void *member)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		must(!((const struct text *)member)->s, "absent, yet a text");
		return;
	case FIELD_INT:
	case FIELD_TIME:
		must(*(const int64_t *)member == INT_NONE,
		    "absent, yet a number");
		return;
	case FIELD_BOOL:
		must(!*(const bool *)member, "absent, yet true");
		return;
	case FIELD_UUID:
		must(uuid_is_nil(member), "absent, yet an id");
		return;
	case FIELD_TEXTS:
		must(!((const struct texts *)member)->v, "absent, yet texts");
		return;
	case FIELD_UUIDS:
	case FIELD_LIST:
		must(!((const struct list *)member)->v, "absent, yet a list");
		return;
	default:
		return;
	}
}

void
input_check_struct(const struct fields *fields, const void *object)
{
	const struct seen *seen = object;

	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->v[i];
		const void *member = (const char *)object + f->offset;
		const bool set = seen_has(seen, (unsigned)i);
		const bool null = seen->null >> i & 1;

		if (f->flags & FIELD_ALIAS) {
			must(!set && !null, "an alias was noted as itself");
			continue;
		}
		must(!null || (set && f->flags & FIELD_NULLABLE),
		    "a null where none may be");
		must(!(f->flags & FIELD_REQUIRED) || (set && !null),
		    "a required member is missing");
		if (set && !null)
			check_member(f, member);
		else
			check_absent(f, member);
	}
	must(fields->n == 64 || (seen->set | seen->null) >> fields->n == 0,
	    "a member behind the last row");
}

/* ---- two structs ---- */

static void
same_texts(const struct texts *a, const struct texts *b)
{
	must(a->n == b->n, "another number of texts");
	for (size_t i = 0; i < a->n; i++)
		must(text_equal(a->v[i], b->v[i]), "another text in a list");
}

static void
same_list(const struct field *f, const struct list *a, const struct list *b)
{
	must(a->n == b->n, "a list of another length");
	if (f->type == FIELD_UUIDS)
		must(a->n == 0 || memcmp(a->v, b->v,
		    a->n * sizeof(struct uuid)) == 0, "another id in a list");
	for (size_t i = 0; f->type == FIELD_LIST && i < a->n; i++)
		input_check_same(f->sub,
		    (const char *)a->v + i * f->sub->size,
		    (const char *)b->v + i * f->sub->size);
}

/* What is written has milliseconds, also before 1970. */
static int64_t
whole_ms(int64_t us)
{
	const int64_t rest = us % 1000;

	return us == TIME_NONE ? us : us - (rest < 0 ? rest + 1000 : rest);
}

static void
same_member(const struct field *f, const void *a, const void *b)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		must(text_equal(*(const struct text *)a,
		    *(const struct text *)b), "another text");
		return;
	case FIELD_INT:
		must(*(const int64_t *)a == *(const int64_t *)b,
		    "another number");
		return;
	case FIELD_TIME:
		must(whole_ms(*(const int64_t *)a) ==
		    whole_ms(*(const int64_t *)b), "another instant");
		return;
	case FIELD_BOOL:
		must(*(const bool *)a == *(const bool *)b, "another bool");
		return;
	case FIELD_UUID:
		must(uuid_equal(a, b), "another id");
		return;
	case FIELD_TEXTS:
		same_texts(a, b);
		return;
	case FIELD_UUIDS:
	case FIELD_LIST:
		same_list(f, a, b);
		return;
	case FIELD_OBJECT:
		input_check_same(f->sub, a, b);
		return;
	default:
		return;
	}
}

void
input_check_same(const struct fields *fields, const void *a, const void *b)
{
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->v[i];

		if (!(f->flags & FIELD_ALIAS))
			same_member(f, (const char *)a + f->offset,
			    (const char *)b + f->offset);
	}
}

/* ---- back to text ---- */

void
input_print_json(struct buf *out, const struct fields *fields,
    const void *object)
{
	field_print_json(out, fields, object,
	    ((const struct seen *)object)->set);
}

static void
print_escaped(struct buf *out, struct text t)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < t.n; i++) {
		const uint8_t c = (uint8_t)t.s[i];

		buf_put(out, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
}

static void
print_value(struct buf *out, const struct field *f, const void *member)
{
	const struct texts *texts = member;
	char instant[TIME_CHARS];

	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		print_escaped(out, *(const struct text *)member);
		return;
	case FIELD_INT:
		buf_int(out, *(const int64_t *)member);
		return;
	case FIELD_BOOL:
		buf_puts(out, *(const bool *)member ? "on" : "off");
		return;
	case FIELD_UUID:
		buf_uuid(out, member);
		return;
	case FIELD_TIME:
		time_format(*(const int64_t *)member, instant);
		print_escaped(out, (struct text){ instant, TIME_CHARS });
		return;
	case FIELD_TEXTS:
		for (size_t i = 0; i < texts->n; i++) {
			buf_puts(out, i ? "%2C" : "");
			print_escaped(out, texts->v[i]);
		}
		return;
	default:
		must(false, "this type cannot be a pair");
	}
}

void
input_print_pairs(struct buf *out, const struct fields *fields,
    const void *object)
{
	const struct seen *seen = object;

	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->v[i];

		if (!seen_has(seen, (unsigned)i) || seen->null >> i & 1)
			continue;
		buf_puts(out, out->n ? "&" : "");
		print_escaped(out, text_of(f->name));
		buf_putc(out, '=');
		print_value(out, f, (const char *)object + f->offset);
	}
}
