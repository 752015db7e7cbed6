/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a JSON body: the strict scan, json-c beside it, the decoder. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "lib/input.h"
#include "lib/json_oracle.h"
#include "web/json_scan.h"

struct inner {
	struct seen seen;
	struct text word;
	int64_t n;
};

struct thing {
	struct seen seen;
	struct text title, kind, numeral;
	int64_t number, when;
	bool yes;
	struct uuid id;
	struct texts tags;
	struct list ids, items;
	struct inner inner;
};

static const char *const kinds[] = { "one", "two", NULL };

/* Nullable, as the writer says null for what is absent inside. */
static const struct field inner_rows[] = {
	{ .name = "word", .type = FIELD_TEXT, .flags = FIELD_NULLABLE,
	  .offset = offsetof(struct inner, word), .max = 8 },
	{ .name = "n", .type = FIELD_INT, .flags = FIELD_NULLABLE,
	  .offset = offsetof(struct inner, n), .min = -5, .max = 5 },
};

static const struct fields inner = {
	NULL, inner_rows, 2, sizeof(struct inner), false
};

#define AT(member) .offset = offsetof(struct thing, member)

static const struct field rows[] = {
	{ .name = "title", .type = FIELD_TEXT, AT(title),
	  .flags = FIELD_REQUIRED, .min = 1, .max = 20 },
	{ .name = "name", .type = FIELD_TEXT, AT(title),
	  .flags = FIELD_ALIAS },
	{ .name = "kind", .type = FIELD_ENUM, AT(kind), .choices = kinds },
	{ .name = "numeral", .type = FIELD_TEXT, AT(numeral),
	  .flags = FIELD_NUMERAL | FIELD_NULLABLE, .max = 20 },
	{ .name = "number", .type = FIELD_INT, AT(number), .max = 9 },
	{ .name = "when", .type = FIELD_TIME, AT(when),
	  .flags = FIELD_NULLABLE },
	{ .name = "yes", .type = FIELD_BOOL, AT(yes) },
	{ .name = "id", .type = FIELD_UUID, AT(id) },
	{ .name = "tags", .type = FIELD_TEXTS, AT(tags), .max = 20 },
	{ .name = "ids", .type = FIELD_UUIDS, AT(ids), .max = 20 },
	{ .name = "items", .type = FIELD_LIST, AT(items), .max = 4,
	  .sub = &inner },
	{ .name = "inner", .type = FIELD_OBJECT, AT(inner), .sub = &inner },
};

static const struct fields fields = {
	NULL, rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct thing),
	false
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With its characters beyond the first plane spelt out, which json-c reads by
 * itself, the text means the same. */
static void
check_spelling(struct text in, const struct thing *thing, struct arena *mem)
{
	struct faults faults = { .n = 0 };
	struct thing plain;

	must(json_decode(scan_unpaired(in, mem), &fields, mem, &plain,
	    &faults), "the same, spelt out, is refused");
	input_check_same(&fields, thing, &plain);
}

/* What was taken is printed, and means the same when it comes back. */
static void
round_trip(const struct thing *thing, struct arena *mem)
{
	struct faults faults = { .n = 0 };
	struct buf out = { 0 };
	struct thing again;

	input_check_struct(&fields, thing);
	input_print_json(&out, &fields, thing);
	must(!out.failed, "no memory");
	must(json_decode(buf_view(&out), &fields, mem, &again, &faults),
	    "what was printed is refused");
	input_check_same(&fields, thing, &again);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { (const char *)data, size };
	struct faults scanned = { .n = 0 }, decoded = { .n = 0 };
	struct thing thing;
	const char *wrong;
	bool ok, fit;

	if (!mem)
		return 0;
	ok = json_scan(in, mem, &scanned);
	input_check_faults(&scanned, ok);
	wrong = ok ? json_oracle(in, mem) : NULL;
	must(!wrong, wrong);
	fit = json_decode(in, &fields, mem, &thing, &decoded);
	input_check_faults(&decoded, fit);
	must(ok || !fit, "the decoder takes what the scan refuses");
	if (fit) {
		check_spelling(in, &thing, mem);
		round_trip(&thing, mem);
	}
	arena_free(mem);
	return 0;
}
