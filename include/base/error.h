/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The two kinds of failure, and the table of answers. */
#ifndef DOCKET_BASE_ERROR_H
#define DOCKET_BASE_ERROR_H

/*
 * A function that can fail returns an int:
 *   0         success
 *   E_* > 0   an answer: a row of tbl/errors.h, which the caller handles or
 *             passes on; the client sees it as that row's status and code
 *   < 0       a fault, a negative errno: forwarded unchanged, logged once by
 *             the dispatcher, answered with 500 and the request id (-ENOMEM
 *             with 503)
 */
enum error {
	E_OK = 0,
#define ERROR(name, status, code, oauth, title, detail) name,
#include "tbl/errors.h"
#undef ERROR
	E__MAX
};

struct error_row {
	const char *name;	/* "E_TASK" */
	int status;
	const char *code;
	const char *oauth;
	const char *title;
	const char *detail;
};

/* The row of an answer; -ENOMEM gives E_MEMORY's, any other fault and an
 * unknown number E_INTERNAL's. */
const struct error_row *error_row(int error);

#endif
