/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Every answer that is not a success, one a row:
 *
 *   ERROR(name, status, code, oauth, title, detail)
 *
 * code    the stable `code` member of the problem document (RFC 9457)
 * oauth   the `error` member on the OAuth endpoints (RFC 6749 §5.2)
 * title   the problem type's title; the type URI is /problems/<code>
 * detail  what the reply says unless the handler says better
 */
/* request */
ERROR(E_BAD_REQUEST,	400, "bad_request",	"invalid_request",	"Bad request",		"The request cannot be read.")
ERROR(E_JSON,		400, "invalid_json",	"invalid_request",	"Invalid JSON",		"Missing required fields or invalid data.")
ERROR(E_INVALID,	400, "invalid_request",	"invalid_request",	"Invalid request",	"Missing required fields or invalid data.")
ERROR(E_CREDENTIALS_MISSING, 400, "credentials_missing", "invalid_request", "Credentials missing", "Email or password is missing.")
ERROR(E_CURSOR,		400, "cursor_invalid",	"invalid_request",	"Invalid cursor",	"The cursor does not belong to this list, sort and filter.")
ERROR(E_TASK_ID,	400, "task_id_invalid",	"invalid_request",	"Invalid task ID",	"Invalid task ID.")
ERROR(E_DUE_ZONE,	400, "due_timezone_mismatch", "invalid_request", "Invalid request",	"A local due_date and due_timezone go together, or neither.")
ERROR(E_TIMEZONE,	400, "timezone_unknown",	"invalid_request",	"Unknown time zone",	"due_timezone is not a time zone that the server knows.")
ERROR(E_USER_ID,	400, "user_id_invalid",	"invalid_request",	"Invalid user ID",	"Invalid user ID.")
ERROR(E_OTP,		400, "otp_invalid",	"invalid_grant",	"Invalid code",		"The code is wrong, expired or already used.")
ERROR(E_GRANT,		400, "invalid_grant",	"invalid_grant",	"Invalid grant",	"Invalid credentials.")
ERROR(E_GRANT_TYPE,	400, "unsupported_grant_type", "unsupported_grant_type", "Unsupported grant type", "The grant type is not supported.")
ERROR(E_SCOPE_INVALID,	400, "invalid_scope",	"invalid_scope",	"Invalid scope",	"The requested scope is unknown.")
/* who */
ERROR(E_TOKEN_MISSING,	401, "token_missing",	"invalid_client",	"Authentication needed", "A bearer token is needed.")
ERROR(E_TOKEN,		401, "token_invalid",	"invalid_client",	"Invalid token",	"The access token is malformed, expired or not ours.")
ERROR(E_TOKEN_REVOKED,	401, "token_revoked",	"invalid_client",	"Token revoked",	"The session behind this token has ended.")
ERROR(E_USER_INACTIVE,	401, "user_inactive",	"invalid_client",	"Account deactivated",	"This account is deactivated.")
ERROR(E_USER_DELETED,	401, "user_deleted",	"invalid_client",	"Account deleted",	"The account behind this token is gone.")
ERROR(E_CREDENTIALS,	401, "credentials_invalid", "invalid_grant",	"Invalid credentials",	"Invalid credentials.")
ERROR(E_REFRESH,	401, "refresh_invalid",	"invalid_grant",	"Invalid refresh token", "The refresh token is malformed, expired, revoked or already replaced.")
ERROR(E_ROLE,		403, "forbidden",	"access_denied",	"Forbidden",		"This needs the admin role.")
/* what */
ERROR(E_NOT_FOUND,	404, "not_found",	"invalid_request",	"Not found",		"There is nothing at this address.")
ERROR(E_TASK,		404, "task_not_found",	"invalid_request",	"Task not found",	"Task not found.")
ERROR(E_USER,		404, "user_not_found",	"invalid_request",	"User not found",	"User not found.")
ERROR(E_METHOD,		405, "method_not_allowed", "invalid_request",	"Method not allowed",	"This address does not take that method.")
ERROR(E_ACCEPT,		406, "not_acceptable",	"invalid_request",	"Not acceptable",	"The reply would be JSON, which Accept rules out.")
ERROR(E_USERNAME_TAKEN,	409, "username_taken",	"invalid_request",	"Conflict",		"This username is taken.")
ERROR(E_EMAIL_TAKEN,	409, "email_taken",	"invalid_request",	"Conflict",		"This email address is taken.")
ERROR(E_PHONE_TAKEN,	409, "phone_taken",	"invalid_request",	"Conflict",		"This phone number is taken.")
ERROR(E_CONFLICT,	409, "conflict",	"invalid_request",	"Conflict",		"The request clashes with what is stored.")
ERROR(E_IN_FLIGHT,	409, "idempotency_in_flight", "invalid_request", "Request in progress",	"A request with this Idempotency-Key is still in progress.")
ERROR(E_VERSION,	412, "version_mismatch", "invalid_request",	"Precondition failed",	"The resource has changed: its ETag is not the one in If-Match.")
ERROR(E_TOO_LARGE,	413, "body_too_large",	"invalid_request",	"Body too large",	"The body exceeds 256 KiB.")
ERROR(E_URI_LONG,	414, "uri_too_long",	"invalid_request",	"URI too long",		"The address exceeds 8 KiB.")
ERROR(E_TYPE,		415, "unsupported_media_type", "invalid_request", "Unsupported media type", "This media type is not taken here.")
ERROR(E_IDEMPOTENCY,	422, "idempotency_key_reused", "invalid_request", "Idempotency-Key reused", "This Idempotency-Key was used with another request.")
ERROR(E_MATCH_NEEDED,	428, "if_match_required", "invalid_request",	"Precondition required", "This write needs an If-Match header.")
ERROR(E_RATE,		429, "rate_limited",	"slow_down",		"Too many requests",	"Too many requests; see Retry-After.")
ERROR(E_OTP_WAIT,	429, "otp_wait",	"slow_down",		"Too many codes",	"Too many codes for this recipient; see Retry-After.")
ERROR(E_OTP_BLOCKED,	429, "otp_blocked",	"slow_down",		"Recipient blocked",	"Too many wrong codes for this recipient; see Retry-After.")
/* us */
ERROR(E_INTERNAL,	500, "internal_error",	"server_error",		"Internal error",	"Something went wrong on our side; the request id names it in the log.")
ERROR(E_DATABASE,	503, "database_unavailable", "temporarily_unavailable", "Unavailable",	"The database is away; try again shortly.")
ERROR(E_OUTCOME,	503, "outcome_unknown",	"temporarily_unavailable", "Unavailable",	"The database went away while saving; retry with the same Idempotency-Key.")
ERROR(E_BUSY,		503, "busy",		"temporarily_unavailable", "Busy",		"Too many requests at once; try again shortly.")
ERROR(E_TIMEOUT,	503, "deadline_exceeded", "temporarily_unavailable", "Unavailable",	"The request took too long; try again shortly.")
ERROR(E_MEMORY,		503, "out_of_memory",	"temporarily_unavailable", "Unavailable",	"The server is short of memory; try again shortly.")
/* inside only: never leaves a room's callers */
ERROR(E_SEAL,		500, "seal_broken",	"server_error",		"Internal error",	"A sealed value does not open.")
ERROR(E_NONE,		500, "no_row",		"server_error",		"Internal error",	"A statement that must give a row gave none.")
