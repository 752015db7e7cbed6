/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a bearer token and as the header inside it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = { (const char *)data, size };
	struct jose parts;
	struct jose_header header;

	if (jose_split(in, &parts) &&
	    (!parts.header.n || !parts.claims.n || !parts.signature.n ||
	    parts.header.n + parts.claims.n + parts.signature.n + 2 != size))
		abort();
	/* What passes names all three. */
	if (jose_header(in, &header) &&
	    (!header.alg.s || !header.typ.s || !header.kid.s))
		abort();
	return 0;
}
