/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a JSON body: the strict scan, then the decoder behind it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/field.h"
#include "web/json.h"

struct inner {
	struct seen seen;
	struct text word;
};

struct thing {
	struct seen seen;
	struct text title, kind;
	int64_t number, when;
	bool yes;
	struct uuid id;
	struct texts tags;
	struct list ids;
	struct inner inner;
};

static const char *const kinds[] = { "one", "two", NULL };

static const struct field inner_rows[] = {
	{ .name = "word", .type = FIELD_TEXT,
	  .offset = offsetof(struct inner, word), .max = 8 },
};

static const struct fields inner = {
	NULL, inner_rows, 1, sizeof(struct inner), false
};

#define AT(member) .offset = offsetof(struct thing, member)

static const struct field rows[] = {
	{ .name = "title", .type = FIELD_TEXT, AT(title),
	  .flags = FIELD_REQUIRED, .min = 1, .max = 20 },
	{ .name = "kind", .type = FIELD_ENUM, AT(kind), .choices = kinds },
	{ .name = "number", .type = FIELD_INT, AT(number), .max = 9 },
	{ .name = "when", .type = FIELD_TIME, AT(when),
	  .flags = FIELD_NULLABLE },
	{ .name = "yes", .type = FIELD_BOOL, AT(yes) },
	{ .name = "id", .type = FIELD_UUID, AT(id) },
	{ .name = "tags", .type = FIELD_TEXTS, AT(tags), .max = 20 },
	{ .name = "ids", .type = FIELD_UUIDS, AT(ids), .max = 20 },
	{ .name = "inner", .type = FIELD_OBJECT, AT(inner), .sub = &inner },
};

static const struct fields fields = {
	NULL, rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct thing),
	false
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { (const char *)data, size };
	struct faults scanned = { .n = 0 }, decoded = { .n = 0 };
	struct thing thing;

	if (!mem)
		return 0;
	/* What the scan refuses must never come out of the decoder. */
	if (!json_scan(in, mem, &scanned) &&
	    json_decode(in, &fields, mem, &thing, &decoded))
		abort();
	json_decode(in, &fields, mem, &thing, &decoded);
	arena_free(mem);
	return 0;
}
