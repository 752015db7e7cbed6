/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What is asked of a new password: its length, and that nobody guesses it. */
#include "api/new_password.h"

#include "base/error.h"
#include "core/password.h"

/* Bytes, not characters: what libsodium hashes, without truncation. */
int
check_password(struct arena *mem, void *member, const char **ret_why)
{
	const struct text *password = member;

	if (password_fits(mem, *password))
		return 0;
	*ret_why = "must have 8 to 256 bytes";
	return 1;
}

int
password_demand(struct call *call, const char *pointer,
    struct text password, const struct password_owner *owner)
{
	const char *code;

	if (!call->app->settings->auth_password_blocklist)
		return 0;
	code = password_common(call->mem, password, owner);
	return code ? call_fault(call, pointer, code,
	    password_common_why(code)) : 0;
}
