/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The page of accounts that every profile of the list prints. */
#ifndef DOCKET_API_USERS_H
#define DOCKET_API_USERS_H

#include "base/field.h"

struct users_out {
	struct list users;	/* of struct user */
	struct text next_cursor;
};

#endif
