/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Texts with {{names}} in them, each value escaped as its place wants it. */
#ifndef DOCKET_COURIER_FILL_H
#define DOCKET_COURIER_FILL_H

#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"

enum fill_place {
	FILL_FORM,	/* percent-encoded: of URLs and forms */
	FILL_JSON,	/* between the quotes of a JSON string */
	FILL_XML,	/* an element's text or an attribute */
	FILL_HEADER,	/* as it is: control characters are refused */
};

struct fill_value {
	const char *name;
	struct text text;
};

struct fill_values {
	const struct fill_value *v;
	size_t n;
};

/*
 * Append `template` with its values. False when it cannot be: an unknown name,
 * braces that do not close, a NUL in a value, control characters where the
 * place forbids them (in XML all but tab and line breaks), text that is not
 * UTF-8 in JSON or XML. `out` then holds what came before.
 */
bool fill(struct buf *out, const char *template, enum fill_place place,
    const struct fill_values *values);

/* True when every name is known; else one line a fault to `errors`, beginning
 * with `setting`. */
bool fill_check(const char *template, const char *setting,
    const struct fill_values *values, FILE *errors);

#endif
