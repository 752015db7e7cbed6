/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The table of answers, by number. */
#include "base/error.h"

#include <errno.h>

static const struct error_row rows[E__MAX] = {
#define ERROR(name, status, code, oauth, title, detail) \
	[name] = { #name, status, code, oauth, title, detail },
#include "tbl/errors.h"
#undef ERROR
};

/* Memory is the one fault that has a row: a retry may well succeed. */
const struct error_row *
error_row(int error)
{
	if (error == -ENOMEM)
		return &rows[E_MEMORY];
	if (error <= E_OK || error >= E__MAX)
		return &rows[E_INTERNAL];
	return &rows[error];
}
