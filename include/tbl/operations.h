/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What the OpenAPI document says of a route beyond its row, by operation id:
 *
 *   OPERATION(operation, tag, flags, CODES(E_..., ...), words)
 *
 * tag     a row of tbl/tags.h
 * flags   DOC_*: headers that it takes and gives (api/operations.h)
 * CODES   errors beside those that the columns of its row bring: E_OK is none
 * words   Markdown: semantics, limits, what is not seen from the schemas
 *
 * An alias without a row here has its canonical row's. A row without a route,
 * and a route without a row, are refused at the start.
 */
#define BEARER	E_TOKEN, E_TOKEN_REVOKED, E_USER_INACTIVE, E_USER_DELETED
#define PROOF	E_OTP, E_OTP_BLOCKED
#define TAKEN	E_USERNAME_TAKEN, E_EMAIL_TAKEN, E_PHONE_TAKEN
#define DUE	E_DUE_ZONE, E_TIMEZONE

OPERATION("registerUser", "accounts", 0, CODES(BEARER, PROOF, TAKEN, E_ROLE), "Makes the account and logs it in. What it must bring is a setting (`auth.register_require`): nothing more, an e-mail address, or a phone number with the code that was sent to it. An `otp` or `verification_token` that is given is always checked. A `role` other than `user` needs an admin's bearer, which is looked at before the code, so that a refusal does not use the code up. User names are unique whatever their case.")
OPERATION("authenticateUser", "accounts", 0, CODES(E_CREDENTIALS_MISSING, E_CREDENTIALS, E_USER_INACTIVE), "One of `email`, `username` and `phone` with the password. An unknown user and a wrong password get the same answer after the same time. Ten failures in ten minutes, counted by account and client network, lock it for a minute, then for longer; a right password ends the count.")
OPERATION("getProfile", "accounts", 0, CODES(E_OK), "Also for a personal API key of scope `account`.")
OPERATION("changeProfile", "accounts", 0, CODES(PROOF, TAKEN, E_PROOF_NEEDED, E_LAST_ADDRESS, E_PASSWORD_WRONG), "Merge patch (RFC 7396): what is absent stays, null clears an address. A new phone number or e-mail address needs the code of purpose `change` that was sent there, or the verification token that it was traded for. One address at a time.")
OPERATION("deleteAccount", "accounts", 0, CODES(PROOF, E_PASSWORD_WRONG, E_LAST_ADMIN), "Asks for the password again, or for a code of purpose `change` from an account that has none. Tasks, sessions and keys go with it, at once and for good. The last active admin cannot go.")
OPERATION("changePassword", "accounts", 0, CODES(PROOF, E_PASSWORD_WRONG), "This session stays; all others and their refresh tokens end with the same commit. A wrong `current_password` counts like a failed log-in.")
OPERATION("resetPassword", "accounts", 0, CODES(PROOF), "For who forgot the password: `otp` of purpose `reset` (or its verification token) and the address that it went to. All sessions of the account end. An address that nobody has is answered like a wrong code.")

OPERATION("issueToken", "tokens", 0, CODES(PROOF, E_GRANT, E_GRANT_TYPE, E_USER_INACTIVE), "RFC 6749, as a form or as JSON with the same members. `grant_type` is `password` (when absent), `refresh_token`, or `otp` with a code of purpose `login`. Unknown parameters are ignored, as the RFC asks. Errors have its members `error` and `error_description`.")
OPERATION("refreshToken", "tokens", 0, CODES(E_REFRESH), "Each refresh token is good for one use. Whoever repeats the *last* use (a lost reply, two tabs) gets the same pair again; an older token ends its session, since somebody else may have it. A token idles for 14 days and lives for 90 at most.")
OPERATION("revokeToken", "tokens", 0, CODES(E_OK), "RFC 7009: 200 whatever the token was. The session behind an access or refresh token ends at once.")
OPERATION("introspectToken", "tokens", 0, CODES(E_OK), "RFC 7662, for an admin or any API key. A token that is not good is `{\"active\":false}` and nothing else; the answer is the database's, so a revoked one is known at once.")
OPERATION("getKeys", "tokens", 0, CODES(E_NOT_FOUND), "For programs that verify access tokens by themselves (with `auth.algorithm = ES256`). With HS256 there is nothing public, and the set is empty. Verifying alone does not see a revocation: introspect, or ask /auth/check.")
OPERATION("getMetadata", "tokens", 0, CODES(E_NOT_FOUND), "RFC 8414; also what an OpenID Connect client looks for first.")

OPERATION("sendOtp", "codes", 0, CODES(E_OTP_WAIT, E_OTP_UNAVAILABLE), "Six digits, good for two minutes, for one address and one `purpose`. The reply is the same whether anybody has the address or not. The next one may be asked for after 60, then 120, then 240 seconds; five an hour and ten a day for an address, ten an hour for a client. `otp` is in the reply with `otp.echo = on` alone, which the production profile refuses.")
OPERATION("verifyOtp", "codes", 0, CODES(PROOF), "Uses the code up and gives a token for ten minutes that stands in for `otp`, once. Five guesses a code, fifteen wrong ones a day for an address, which a new code does not reset. Wrong, used, expired and never sent are one answer.")

OPERATION("logoutUser", "sessions", 0, CODES(E_OK), "The access token is refused from the next request on, on every worker. `{\"all\":true}` ends all of the user's sessions.")
OPERATION("listSessions", "sessions", DOC_PAGES, CODES(E_OK), "One a log-in: device, client address, when it was made and last used. API keys have none here.")
OPERATION("revokeSession", "sessions", DOC_UUID, CODES(E_SESSION_ID, E_SESSION), "Its tokens are refused from the next request on.")

OPERATION("listApiKeys", "keys", 0, CODES(E_ROLE), "`kind=application` lists the keys of client programs, for admins.")
OPERATION("createApiKey", "keys", 0, CODES(E_KEY_LIMIT, E_ROLE), "A *personal* key acts as its owner within its scopes. An *application* key (for admins to make) stands for a program and passes only beside a bearer. `api_key` is shown this once: only its hash is kept.")
OPERATION("updateApiKey", "keys", DOC_UUID, CODES(E_KEY_ID, E_KEY, E_ROLE), "Members that are absent stay; null clears `allow` and `expires_at`. What is taken away is refused from the next request on.")
OPERATION("revokeApiKey", "keys", DOC_UUID, CODES(E_KEY_ID, E_KEY), "The key is refused from the next request on.")
OPERATION("rotateApiKey", "keys", DOC_UUID, CODES(E_KEY_ID, E_KEY), "Both secrets are good for `grace_seconds`, so that a program can be given the new one without a gap.")

OPERATION("getAllTasks", "tasks", DOC_PAGES, CODES(E_OK), "Filters go together (and); `status` takes a list. In order of `position` unless `sort` says else, 50 a page, 200 at most. `next_cursor` is null on the last page; it holds only for the sort and filters that it came with, and no task is missed or seen twice while others are written. `fields` leaves the members of each task that it does not name out. The ETag is one of the bytes: `If-None-Match` spares a page that is the same.")
OPERATION("createTask", "tasks", DOC_ETAG | DOC_LOCATION, CODES(DUE), "It goes to the end of the order. With an `Idempotency-Key` a repeated request gets the stored reply, for a day.")
OPERATION("getTask", "tasks", DOC_ETAG, CODES(E_TASK_ID, E_TASK), "By id or by number. The ETag is the task's version. What is in the trash is not found.")
OPERATION("updateTask", "tasks", DOC_ETAG | DOC_IF_MATCH, CODES(E_TASK_ID, E_TASK, DUE), "Members that are absent stay as they are: `{\"status\":\"completed\"}` is enough. To clear one, send it as null.")
OPERATION("patchTask", "tasks", DOC_ETAG | DOC_IF_MATCH, CODES(E_TASK_ID, E_TASK, DUE), "RFC 7396: a member that is null is cleared, one that is absent stays.")
OPERATION("setTaskStatus", "tasks", DOC_ETAG | DOC_IF_MATCH, CODES(E_TASK_ID, E_TASK, DUE), "At least one of `status` and `due_date`.")
OPERATION("deleteTask", "tasks", DOC_IF_MATCH, CODES(E_TASK_ID, E_TASK), "To the trash, for `tasks.trash_days`; with `purge=true` for good, from the trash too.")

OPERATION("orderTasks", "lists", 0, CODES(E_TASK_ID, E_TASK), "Either `task_ids`, any of the caller's tasks: they take this sequence within the places that they hold. Or one `task_id` with `before` or `after` another. Kept for good, all or nothing; GET /tasks has it as `sort=position`.")
OPERATION("batchTasks", "lists", 0, CODES(E_TASK, E_TASK_ID, E_VERSION, E_MATCH_NEEDED, DUE), "In the order given, each with its own result. `atomic` (unless it is false) does all or nothing: what the first refusal answers is then the reply. Otherwise the reply is 200, and `failed` counts what was not done. `dry_run=true` does it all and takes it back.")
OPERATION("listTrash", "lists", DOC_PAGES, CODES(E_OK), "What was deleted and not yet purged; `deleted_at` plus `tasks.trash_days` is its end.")
OPERATION("restoreTask", "lists", DOC_ETAG | DOC_IF_MATCH, CODES(E_TASK_ID, E_TASK), "It is where it was in the order. A task that is not in the trash is not found.")
OPERATION("getTaskChanges", "lists", 0, CODES(E_CURSOR, E_CHANGES), "For clients that keep a copy. Without `since` from the beginning: every task once. Keep `next` and come back with it, at once while `more` is true, whenever you like after that: nothing that was committed is missed, whoever else writes. What is gone or in the trash has `deleted` and no `task`. A token older than the trail is 410: begin again without it.")
OPERATION("exportTasks", "lists", DOC_FILE, CODES(E_TRANSFER), "Filters as GET /tasks has them. Streamed, so what goes wrong half-way cuts the file off: JSON and iCalendar then lack their end. Cells that a spreadsheet would compute get an apostrophe in front.")
OPERATION("importTasks", "lists", DOC_REPORT, CODES(E_TRANSFER), "JSON, NDJSON, CSV with a header line, or iCalendar (VTODO). All or nothing, unless `partial=true`; `report` of a refusal says what is wrong with which line. Tasks that are there already, by id or UID, are left as they are. `dry_run=true` tells what would come of it.")

OPERATION("listUsers", "users", DOC_PAGES, CODES(E_OK), "Newest last; filters go together. An admin's key needs the scope `admin`.")
OPERATION("getUser", "users", 0, CODES(E_USER_ID, E_USER), "Never the password's hash.")
OPERATION("patchUser", "users", 0, CODES(E_USER_ID, E_USER, E_LAST_ADMIN, TAKEN), "`status` N deactivates: every session and key of the account ends at once. A role holds from the next request on, whatever older tokens say. The last active admin stays one.")
OPERATION("deleteUser", "users", 0, CODES(E_USER_ID, E_USER, E_LAST_ADMIN), "With tasks, sessions and keys, for good.")
OPERATION("unlockUser", "users", 0, CODES(E_USER_ID, E_USER), "What a stranger's guesses locked is open again; passwords and codes stay as they are.")

OPERATION("checkAccess", "gate", DOC_IDENTITY, CODES(E_ROLE, E_SCOPE), "204 with who it is in headers, or 401 or 403; nothing else, since nginx makes a 500 of the rest. `role` and `scope` ask for more than an account. A browser may come with the cookie instead of a bearer.")
OPERATION("setCookie", "gate", DOC_COOKIE, CODES(E_NOT_FOUND), "`auth.gate_cookie` names it and switches it on; not found without. HttpOnly, Secure, and good as long as this session is.")
OPERATION("endCookie", "gate", DOC_COOKIE, CODES(E_NOT_FOUND), "Done even when the cookie was no longer good.")

OPERATION("health", "service", 0, CODES(E_OK), "Touches nothing but the worker that answers.")
OPERATION("ready", "service", 0, CODES(E_DATABASE), "503 while the database is away or its schema is another build's. For load balancers.")
OPERATION("getMetrics", "service", 0, CODES(E_NOT_FOUND), "OpenMetrics, unless Accept names something else alone: then the older text format. Nothing in it names anybody. Whoever is neither on nginx's own host nor in `server.metrics_allow` is told that there is nothing.")
OPERATION("openapi", "service", 0, CODES(E_OK), "For these settings: `auth.tasks_auth` decides what opens /tasks.")
OPERATION("getProblem", "service", 0, CODES(E_NOT_FOUND), "Where the `type` of a problem document leads (RFC 9457).")

/* not what their canonical rows are */
OPERATION("adminDataS1", "aliases", 0, CODES(E_NOT_FOUND), "A sample of a check for a role, with `sample_routes = on` alone; GET /auth/users is what admins really have.")

#undef BEARER
#undef PROOF
#undef TAKEN
#undef DUE
