/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a query string, and as a form that ignores strangers. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "lib/input.h"
#include "web/request.h"

struct query {
	struct seen seen;
	struct text q, sort;
	struct texts status;
	int64_t limit, after, any;
	bool overdue;
	struct uuid id;
};

static const char *const sorts[] = { "position", "-position", NULL };

#define AT(member) .offset = offsetof(struct query, member)

static const struct field rows[] = {
	{ .name = "q", .type = FIELD_TEXT, AT(q), .max = 10 },
	{ .name = "search", .type = FIELD_TEXT, AT(q), .flags = FIELD_ALIAS },
	{ .name = "sort", .type = FIELD_ENUM, AT(sort), .choices = sorts },
	{ .name = "status", .type = FIELD_TEXTS, AT(status), .max = 4 },
	{ .name = "limit", .type = FIELD_INT, AT(limit), .min = 1, .max = 9 },
	{ .name = "any", .type = FIELD_INT, AT(any) },
	{ .name = "after", .type = FIELD_TIME, AT(after) },
	{ .name = "overdue", .type = FIELD_BOOL, AT(overdue) },
	{ .name = "id", .type = FIELD_UUID, AT(id) },
};

#define N (sizeof(rows) / sizeof(rows[0]))

static const struct fields strict = {
	NULL, rows, N, sizeof(struct query), false
};
static const struct fields lenient = {
	NULL, rows, N, sizeof(struct query), true
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(const struct fields *fields, const char *prefix,
    const struct query *query, struct arena *mem)
{
	struct faults faults = { .n = 0 };
	struct buf out = { 0 };
	struct query again;

	input_check_struct(fields, query);
	input_print_pairs(&out, fields, query);
	must(!out.failed, "no memory");
	request_decode_pairs(buf_view(&out), fields, mem, prefix, &again,
	    &faults);
	must(faults.n == 0, "what was printed is refused");
	input_check_same(fields, query, &again);
	buf_done(&out);
}

static bool
decode(const struct fields *fields, const char *prefix, struct text in,
    struct arena *mem)
{
	struct faults faults = { .n = 0 };
	struct query query;

	request_decode_pairs(in, fields, mem, prefix, &query, &faults);
	input_check_faults(&faults, faults.n == 0);
	if (faults.n == 0)
		round_trip(fields, prefix, &query, mem);
	return faults.n == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { (const char *)data, size };

	if (!mem)
		return 0;
	must(!decode(&strict, "?", in, mem) || decode(&lenient, "/", in, mem),
	    "the lenient list refuses what the strict one takes");
	arena_free(mem);
	return 0;
}
