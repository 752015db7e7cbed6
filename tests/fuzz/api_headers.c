/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a task's reference and as the headers that are read: Accept,
 * If-Match, If-None-Match. */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>

#include "api/tasks.h"
#include "base/crypto.h"
#include "lib/input.h"
#include "web/etag.h"
#include "web/request.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return crypto_init();
}

/* An id in any case, or a number in its one spelling. */
static void
check_reference(struct arena *mem, struct text in)
{
	struct task_ref ref;
	char id[UUID_CHARS];

	if (!task_ref_parse(in, &ref))
		return;
	if (ref.number != INT_NONE) {
		must(uuid_is_nil(&ref.id) && ref.number > 0, "two names");
		must(text_is(in, arena_printf(mem, "%lld",
		    (long long)ref.number)), "another number");
		return;
	}
	must(!uuid_is_nil(&ref.id) && in.n == UUID_CHARS, "no name");
	uuid_format(&ref.id, id);
	for (size_t i = 0; i < in.n; i++)
		must(id[i] == tolower((unsigned char)in.s[i]), "another id");
}

static void
if_match(struct arena *mem, struct text in, struct task_match *ret)
{
	struct request req = { .if_match = in };
	const struct call call = { .mem = mem, .req = &req };

	task_if_match(&call, ret);
	must(ret->n <= TASK_MATCH_MAX, "too many tags");
}

/* A version that counts stands there in quotes, and one more tag at the end
 * counts. */
static void
check_if_match(struct arena *mem, struct text in)
{
	struct task_match match, more;

	if_match(mem, in, &match);
	must(match.n > 0 || text_is(in, "*"), "a condition is ignored");
	for (size_t i = 0; i < match.n; i++) {
		const char *tag = arena_printf(mem, "\"%lld\"",
		    (long long)match.v[i]);

		must(match.v[i] == -1 || (match.v[i] > 0 &&
		    memmem(in.s, in.n, tag, strlen(tag))),
		    "a version that is not there");
	}
	if (match.n + 2 > TASK_MATCH_MAX)
		return;
	if_match(mem, text_of(arena_printf(mem, "%.*s , \"4711\" ",
	    (int)strnlen(in.s, in.n), in.s)), &more);
	must(more.n > 0 && more.v[more.n - 1] == 4711, "a tag is overlooked");
}

/* As quoted-string has no escapes in a tag, any byte but the quote is one. */
static void
check_if_none_match(struct arena *mem, struct text in)
{
	char *other = arena_copy(mem, in.s, in.n);
	struct text tag;

	must(etag_of(mem, in, &tag) == 0 && tag.n > 2 && tag.s[0] == '"' &&
	    tag.s[tag.n - 1] == '"', "no tag");
	must(etag_listed(in, TEXT("\"7\"")) == (text_is(in, "*") ||
	    (memmem(in.s, in.n, "\"7\"", 3) &&
	    etag_listed(in, TEXT("W/\"7\"")))), "a tag that is not there");
	must(text_is(in, "*") || !etag_listed(in, tag),
	    "it lists its own tag");
	for (size_t i = 0; i < in.n; i++)
		if (other[i] == '"' || other[i] == '\0')
			other[i] = '_';
	must(etag_listed(text_of(arena_printf(mem, " W/\"%s\",\t W/%.*s",
	    other, TEXT_FMT(tag))), tag), "a tag is overlooked");
	must(!etag_listed(text_of(arena_printf(mem, "\"%s\"", other)), tag),
	    "another tag is taken for it");
}

/* The ranges of a list the other way round. */
static struct text
reversed(struct arena *mem, struct text in)
{
	char *out = arena_alloc(mem, in.n + 1);
	size_t at = in.n;

	while (in.n) {
		const char *comma = memchr(in.s, ',', in.n);
		const size_t n = comma ? (size_t)(comma - in.s) : in.n;

		memcpy(out + (at -= n), in.s, n);
		if (comma)
			out[--at] = ',';
		in.s += n + (comma != NULL);
		in.n -= n + (comma != NULL);
	}
	return (struct text){ out, at ? 0 : strlen(out) };
}

static void
check_accept(struct arena *mem, struct text in)
{
	char *upper;

	must(request_accepts_json(TEXT_NONE), "absent is not anything");
	/* It comes as a C string. */
	in = text_of(arena_copy(mem, in.s, strnlen(in.s, in.n)));
	if (in.n && in.s[in.n - 1] != ',')
		must(request_accepts_json(in) ==
		    request_accepts_json(reversed(mem, in)), "order matters");
	must(request_accepts_json(text_of(arena_printf(mem,
	    "%s, Application/JSON ; q=0.001", in.s))), "JSON is overlooked");
	upper = arena_copy(mem, in.s, in.n);
	for (size_t i = 0; i < in.n; i++)
		upper[i] = (char)toupper((unsigned char)in.s[i]);
	must(request_accepts_json((struct text){ upper, in.n }) ==
	    request_accepts_json(in), "case matters");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { size ? (const char *)data : "", size };

	if (!mem)
		return 0;
	check_reference(mem, in);
	check_if_match(mem, in);
	check_if_none_match(mem, in);
	check_accept(mem, in);
	arena_free(mem);
	return 0;
}
