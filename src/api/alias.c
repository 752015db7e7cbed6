/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reply profiles of the seed systems: the same objects in their words. */
#include "api/api.h"
#include "api/fields.h"
#include "api/grants.h"
#include "api/shapes.h"
#include "api/users.h"
#include "store/sessions.h"
#include "web/call.h"

/* The canonical envelope stands here beside the profiles of it. */
#define A struct auth_reply
static const struct field envelope_rows[] = {
	F(TEXT, A, message, "message", 0, 0, 0, "", "\"Authentication successful\""),
	F_SUB(OBJECT, A, user, "user", 0, user_object, "", NULL),
	F(TEXT, A, token, "token", 0, 0, 0, "= access_token", "\"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.e30.c2ln\""),
	F(TEXT, A, access_token, "access_token", 0, 0, 0, "JWT (RFC 9068)", "\"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.e30.c2ln\""),
	F(TEXT, A, refresh_token, "refresh_token", 0, 0, 0, "Opaque", "\"AQGTb1x-S3wanWAPWj8cK00AAAAAAAAAAA\""),
	F(TEXT, A, token_type, "token_type", 0, 0, 0, "", "\"bearer\""),
	F(INT, A, expires_in, "expires_in", 0, 0, 0, "Seconds", "600"),
};
const struct fields auth_envelope =
    FIELDS("Authentication", envelope_rows, struct auth_reply);

/* S0: users with user_id and mobile_no. */
static const struct field s0_user_rows[] = {
	F(UUID, struct user, id, "user_id", 0, 0, 0, "UUIDv7", NULL),
	F(TEXT, struct user, username, "username", 0, 0, 0, "", "\"johndoe\""),
	F(TEXT, struct user, phone, "mobile_no", FIELD_NULLABLE, 0, 0, "E.164", "\"+989121234567\""),
	F(TEXT, struct user, email, "email", FIELD_NULLABLE, 0, 0, "", NULL),
	F(TIME, struct user, created_at, "created_at", 0, 0, 0, "", NULL),
	F(TIME, struct user, updated_at, "updated_at", 0, 0, 0, "", NULL),
};
static const struct fields s0_user =
    FIELDS("UserS0", s0_user_rows, struct user);
static const struct field s0_register_rows[] = {
	F_FIXED("message", "\"User registered successfully\"", ""),
	F_SUB(OBJECT, A, user, "user", 0, s0_user, "", NULL),
	F(TEXT, A, access_token, "access_token", 0, 0, 0, "JWT", NULL),
	F(TEXT, A, refresh_token, "refresh_token", 0, 0, 0, "Opaque", NULL),
	F(TEXT, A, token_type, "token_type", 0, 0, 0, "", "\"bearer\""),
	F(INT, A, expires_in, "expires_in", 0, 0, 0, "Seconds", "600"),
};
const struct fields s0_register_reply =
    FIELDS("RegisteredS0", s0_register_rows, struct auth_reply);

/* S1-6, verbatim. */
static const struct field s1_register_rows[] = {
	F_FIXED("message", "\"User registered successfully\"", ""),
	F_FIXED("status_code", "200", "The HTTP status again"),
};
const struct fields s1_register_reply =
    FIELDS("RegisteredS1", s1_register_rows, struct auth_reply);

/* S2-1: the user alone. */
static const struct field s2_signup_rows[] = {
	USER_ROWS(struct auth_reply, user.),
};
const struct fields s2_signup_reply =
    FIELDS("SignedUpS2", s2_signup_rows, struct auth_reply);

/* S4-4, S4-5, S4-6, verbatim. */
static const struct field s4_signup_rows[] = {
	F_FIXED("message", "\"User added successfully\"", ""),
};
const struct fields s4_signup_reply =
    FIELDS("SignedUpS4", s4_signup_rows, struct auth_reply);

static const struct field s4_login_rows[] = {
	F(TEXT, A, token, "token", 0, 0, 0, "JWT", "\"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.e30.c2ln\""),
};
const struct fields s4_login_reply =
    FIELDS("LoggedInS4", s4_login_rows, struct auth_reply);
#undef A

static const struct field s4_user_rows[] = {
	F(TEXT, struct user, username, "username", 0, 0, 0, "", "\"gaditya\""),
	F(TEXT, struct user, email, "email", FIELD_NULLABLE, 0, 0, "", "\"gaditya@example.com\""),
	F_ENUM(struct user, role, "role", 0, user_roles, "", "\"admin\""),
	F_ENUM(struct user, status, "status", 0, user_statuses, "", "\"Y\""),
};
static const struct fields s4_user =
    FIELDS("UserS4", s4_user_rows, struct user);
static const struct field s4_users_rows[] = {
	F_SUB(LIST, struct users_out, users, "users", 0, s4_user, "", NULL),
	F(TEXT, struct users_out, next_cursor, "next_cursor", FIELD_OMIT_NONE, 0, 0, "Absent on the last page", NULL),
};
const struct fields s4_users_reply =
    FIELDS("UsersS4", s4_users_rows, struct users_out);

/* S1-9, the sample of a role check. */
int
api_admin_data(struct call *call)
{
	static const struct message seen = {
		TEXT_INIT("Access granted to admin data")
	};

	call->reply.object = &seen;
	return store_session_check(call->app->db, call->mem, &call->who);
}
