/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as FastCGI records: cut in two they mean what they mean whole. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory that ends where the bytes end. */
static enum records_found
scan(struct records *r, const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	enum records_found found;

	if (!exact)
		abort();
	memcpy(exact, data, n);
	found = records_scan(r, exact, n);
	free(exact);
	if (r->at > n || r->params > 2 * RECORDS_PARAMS_MAX)
		abort();
	return found;
}

static void
check_aside(const uint8_t *record)
{
	uint8_t answer[RECORDS_ANSWER_MAX];
	const size_t n = records_answer(record, answer);

	if (n > sizeof(answer) || n != records_length(answer))
		abort();
}

/* Without its padding it is the same request. */
static void
check_strip(const uint8_t *data, size_t n)
{
	uint8_t *bytes = malloc(n);
	struct records r = { 0 };
	size_t kept;

	if (!bytes)
		abort();
	memcpy(bytes, data, n);
	kept = records_strip(bytes, n);
	if (kept > n || scan(&r, bytes, kept) != RECORDS_WHOLE || r.padded ||
	    records_strip(bytes, kept) != kept)
		abort();
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct records whole = { 0 }, parts = { 0 };
	enum records_found found, first;
	size_t cut;

	if (size < 2)
		return 0;
	cut = ((size_t)data[0] << 8 | data[1]) % (size - 1);
	data += 2;
	size -= 2;
	found = scan(&whole, data, size);
	first = scan(&parts, data, cut);
	/* What ended the first part was not to be followed by more. */
	if (first == RECORDS_BAD || (first == RECORDS_WHOLE && cut < size)) {
		if (found != RECORDS_BAD)
			abort();
		return 0;
	}
	if (first == RECORDS_MORE)
		first = scan(&parts, data, size);
	if (first != found)
		abort();
	/* Both began as zeros, padding too. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-*) */
	if (found != RECORDS_BAD && memcmp(&whole, &parts, sizeof(whole)) != 0)
		abort();
	if (found == RECORDS_ASIDE)
		check_aside(data + whole.at);
	if (found == RECORDS_WHOLE)
		check_strip(data, size);
	return 0;
}
