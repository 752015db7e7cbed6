/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The scopes: what a token or an API key is good for. */
#ifndef DOCKET_CORE_SCOPE_H
#define DOCKET_CORE_SCOPE_H

#include "base/text.h"

enum {
	MAY_TASKS_READ	= 1 << 0,
	MAY_TASKS_WRITE	= 1 << 1,
	MAY_ACCOUNT	= 1 << 2,
	MAY_ADMIN	= 1 << 3, /* beside the role, never for it */
	MAY_ALL		= (1 << 4) - 1,
};

/* Their names in the order of the bits, up to a NULL. */
extern const char *const scope_names[];

/* What a role grants, as the scope claim has it. Static. */
struct text scope_of_role(struct text role);

/* The bit, or 0: there is no such scope. */
unsigned scope_bit(struct text name);
/* All of them; what is no scope adds nothing. */
unsigned scope_bits(struct texts names);
/* The same of names between blanks, as OAuth writes them (RFC 6749 §3.3). */
unsigned scope_words(struct text words);
/* Write the names of these bits; room for four. */
size_t scope_list(unsigned bits, struct text out[4]);

#endif
