/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* SQLSTATE and constraint name -> answer, by tbl/sqlstates.h. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "store/wire.h"

struct sqlstate_row {
	const char *prefix;
	const char *constraint;
	int error;
};

static const struct sqlstate_row rows[] = {
#define SQLSTATE(prefix, constraint, error) { prefix, constraint, error },
#include "tbl/sqlstates.h"
#undef SQLSTATE
};

int
sqlstate_error(const char *state, const char *constraint)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sqlstate_row *r = &rows[i];

		if (strncmp(state, r->prefix, strlen(r->prefix)) == 0 &&
		    (!*r->constraint || strcmp(constraint, r->constraint) == 0))
			return r->error;
	}
	return -EIO;
}

bool
sqlstate_passes(const char *state)
{
	const int error = sqlstate_error(state, "");

	return error == E_DATABASE || error == E_BUSY || error == E_TIMEOUT;
}
