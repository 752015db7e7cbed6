/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Our own look at a compact JWS before anything is believed. */
#ifndef DOCKET_CORE_JOSE_H
#define DOCKET_CORE_JOSE_H

#include <stdbool.h>

#include "base/text.h"

/* The three parts of a compact token, still base64url. */
struct jose {
	struct text header, claims, signature;
};

/* Exactly three parts, none empty. */
bool jose_split(struct text token, struct jose *ret);

struct jose_header {
	struct text alg, typ, kid;	/* point into the JSON */
};

/* A JSON object of exactly alg, typ and kid, each once, each a string of
 * printable ASCII without escapes; white space allowed between the tokens. */
bool jose_header(struct text json, struct jose_header *ret);

#endif
