/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a query string or a form. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/field.h"
#include "web/request.h"

struct query {
	struct seen seen;
	struct text q, sort;
	struct texts status;
	int64_t limit, after;
	bool overdue;
};

static const char *const sorts[] = { "position", "-position", NULL };

#define AT(member) .offset = offsetof(struct query, member)

static const struct field rows[] = {
	{ .name = "q", .type = FIELD_TEXT, AT(q), .max = 10 },
	{ .name = "sort", .type = FIELD_ENUM, AT(sort), .choices = sorts },
	{ .name = "status", .type = FIELD_TEXTS, AT(status), .max = 4 },
	{ .name = "limit", .type = FIELD_INT, AT(limit), .min = 1, .max = 9 },
	{ .name = "after", .type = FIELD_TIME, AT(after) },
	{ .name = "overdue", .type = FIELD_BOOL, AT(overdue) },
};

static const struct fields fields = {
	NULL, rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct query),
	false
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { (const char *)data, size };
	struct faults faults = { .n = 0 };
	struct query query;

	if (!mem)
		return 0;
	request_decode_pairs(in, &fields, mem, "?", &query, &faults);
	arena_free(mem);
	return 0;
}
