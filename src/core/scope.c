/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a role grants. */
#include "core/token.h"

#define SCOPE_USER "tasks:read tasks:write account"
#define SCOPE_ADMIN SCOPE_USER " admin"

struct text
token_scope(struct text role)
{
	return text_is(role, "admin") ? TEXT(SCOPE_ADMIN) : TEXT(SCOPE_USER);
}
