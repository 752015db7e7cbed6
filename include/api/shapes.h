/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The field rows of a user, for every struct that has one inside. */
#ifndef DOCKET_API_SHAPES_H
#define DOCKET_API_SHAPES_H

#include "api/fields.h"
#include "store/users.h"

/* S is the struct, P the path to the user in it: `user.` or nothing. */
#define USER_ROWS(S, P) \
	F(UUID, S, P id, "id", 0, 0, 0, "UUIDv7", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""), \
	F(INT, S, P number, "number", 0, 0, 0, "Counts up over all users", "7"), \
	F(TEXT, S, P username, "username", 0, 0, 0, "As the user spells it", "\"exampleuser\""), \
	F(TEXT, S, P email, "email", FIELD_NULLABLE, 0, 0, "E-mail address", "\"exampleuser@example.com\""), \
	F(TEXT, S, P phone, "phone", FIELD_NULLABLE, 0, 0, "E.164", "\"+989121234567\""), \
	F_ENUM(S, P role, "role", 0, user_roles, "What the user may do", "\"user\""), \
	F_ENUM(S, P status, "status", 0, user_statuses, "Y active, N deactivated", "\"Y\""), \
	F(TIME, S, P created_at, "created_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\""), \
	F(TIME, S, P updated_at, "updated_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\"")

extern const char *const user_roles[];		/* user, admin */
extern const char *const user_statuses[];	/* Y, N */
extern const struct fields user_object;		/* over struct user */

#endif
