/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a decoder may leave behind: a struct within its rows, or faults. Every
 * breach ends the process with a sentence, as a fuzzer wants it. */
#ifndef DOCKET_TESTS_INPUT_H
#define DOCKET_TESTS_INPUT_H

#include "base/field.h"

/* abort() unless it holds. */
#define must(condition, what) \
	((condition) ? (void)0 : input_breach(__FILE__, __LINE__, what))
_Noreturn void input_breach(const char *file, int line, const char *what);

/* Codes that are known, pointers that can stand in a JSON reply: valid UTF-8,
 * RFC 6901 behind the "?" of a query. ok: what the decoder returned. */
void input_check_faults(const struct faults *faults, bool ok);

/* A struct that was decoded without faults: bounds, choices, UTF-8 without
 * NUL, absent is cleared, required is there. */
void input_check_struct(const struct fields *fields, const void *object);

/* The same members, seen and valued alike; instants to the millisecond. */
void input_check_same(const struct fields *fields, const void *a,
    const void *b);

/* The members that were seen as JSON, by the service's own writer. */
void input_print_json(struct buf *out, const struct fields *fields,
    const void *object);
/* The same as a=b&c=d; a null is left out. */
void input_print_pairs(struct buf *out, const struct fields *fields,
    const void *object);

#endif
