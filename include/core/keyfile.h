/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside core: files with secrets in them, which only their owner may read. */
#ifndef DOCKET_CORE_KEYFILE_H
#define DOCKET_CORE_KEYFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/text.h"

#define SECRET_MIN 32

/* One file under inspection: where we are, and where complaints go. */
struct keyfile {
	const char *name;
	const char *setting;	/* that named it, for complaints; NULL: none */
	FILE *err;
	unsigned line;		/* 0: the file as a whole */
	char *bytes;		/* cleansed by keyfile_done */
	size_t n;
};

/* "setting: file:line: why"; never with anything of the file's in it. */
void keyfile_complain(const struct keyfile *src, const char *why);
/* All of it into memory. False, and said why, when others can read it, when it
 * is no regular file or larger than 64 KiB. */
bool keyfile_open(struct keyfile *src);
void keyfile_done(struct keyfile *src);

/* The next line without its end; *pos moves on. False at the end. */
bool keyfile_line(struct keyfile *src, size_t *pos, struct text *ret);
/* The next word of *line, cut off its front; empty at the end. */
struct text keyfile_word(struct text *line);
/* NULL and the secret, 32 to 64 bytes and no known default, or why not. */
const char *keyfile_secret(struct text word, struct secret *ret);

#endif
