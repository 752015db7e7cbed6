/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a TLS certificate says of itself. */
#ifndef DOCKET_BASE_CERTIFICATE_H
#define DOCKET_BASE_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

struct certificate {
	int64_t from, until;	/* Unix seconds */
	bool covers;		/* it is for the host (RFC 6125) */
	bool own;		/* signed by itself */
};

/* The first of a PEM file. 0; a negative errno when the file cannot be read;
 * -EINVAL when there is no certificate in it. */
int certificate_read(const char *file, const char *host,
    struct certificate *ret);
/* Whether it is of that private key: 0; a negative errno when a file cannot be
 * read; -EINVAL when one is not in PEM form, or is locked by a pass phrase;
 * -EKEYREJECTED when the key is another's. */
int certificate_fits(const char *file, const char *key);

#endif
