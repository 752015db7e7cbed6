/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Secrets of others, a line each, out of files that only we can read. */
#ifndef DOCKET_COURIER_WORDS_H
#define DOCKET_COURIER_WORDS_H

#include <stdio.h>

#include "base/text.h"

#define WORD_MAX 1024

struct words {
	char *bytes;		/* cleansed by words_done */
	struct text v[2];
	size_t n;
};

/*
 * One to `most` (1 or 2) lines with one printable word each, by secret_load's
 * rules on the file's rights (0600, or a systemd credential). Empty lines do
 * not count. 0; -EINVAL, faults told to `errors` as "setting: file:line: why";
 * -ENOMEM.
 */
int words_load(const char *setting, const char *file, size_t most,
    FILE *errors, struct words *ret);
void words_done(struct words *words);

#endif
