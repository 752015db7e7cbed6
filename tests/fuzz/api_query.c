/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The first byte picks a query of the route table; the rest is that query. */
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "lib/input.h"
#include "web/request.h"

/* A query that several routes share is there once; the empty one too. */
static const struct fields *queries[64];
static unsigned n_queries;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	for (size_t i = 0; i < api_routes.n; i++) {
		unsigned k = 0;

		while (k < n_queries && queries[k] != api_routes.v[i].query)
			k++;
		if (k == n_queries)
			queries[n_queries++] = api_routes.v[i].query;
	}
	return n_queries < 3;
}

static bool
decode(const struct fields *fields, struct text in, struct arena *mem,
    void *object)
{
	struct faults faults = { .n = 0 };

	request_decode_pairs(in, fields, mem, "?", object, &faults);
	input_check_faults(&faults, faults.n == 0);
	for (size_t i = 0; i < faults.n; i++)
		must(faults.v[i].pointer.s[0] == '?', "no query's pointer");
	return faults.n == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fields *fields;
	struct buf out = { 0 };
	struct arena *mem;
	void *object, *again;
	struct text in;

	if (size == 0 || !(mem = arena_new(4096)))
		return 0;
	fields = queries[data[0] % n_queries];
	in = (struct text){ (const char *)data + 1, size - 1 };
	/* As the pipeline has it: nothing to decode into, no names taken. */
	object = fields->size ? arena_alloc(mem, fields->size) : NULL;
	if (decode(fields, in, mem, object) && object) {
		again = arena_alloc(mem, fields->size);
		input_check_struct(fields, object);
		input_print_pairs(&out, fields, object);
		must(decode(fields, buf_view(&out), mem, again),
		    "what was printed is refused");
		input_check_same(fields, object, again);
		buf_done(&out);
	}
	arena_free(mem);
	return 0;
}
