/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Every route, one a row; the columns are those of struct route (web/route.h):
 *
 *   ROUTE(method, path, canonical, access, scope, tx, group, flags,
 *         body, query, status, reply, rate, handler, operation, summary)
 *
 * canonical is NULL but for an alias, which names the row it stands for and
 * differs from it in its input names and its reply profile alone. body, query
 * and reply are `struct fields` of the handler's file; fields_none = nothing.
 */
#define TASKW "tasks:write"
#define TASKR "tasks:read"
#define LIST  (ROUTE_TASKS | ROUTE_CACHED | ROUTE_ETAG)
#define TASK  (ROUTE_TASKS | ROUTE_CACHED)

/* accounts and tokens */
ROUTE(POST,   "/auth/register",	NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, register_body, fields_none, 200, auth_envelope, RATE_AUTH, api_register, "registerUser", "Register a new user")
ROUTE(POST,   "/auth",		NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, login_body, fields_none, 200, auth_envelope, RATE_AUTH, api_login, "authenticateUser", "Log in with a password")
ROUTE(POST,   "/auth/token",	NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, ROUTE_OAUTH, token_body, fields_none, 200, token_reply, RATE_AUTH, api_token, "issueToken", "OAuth 2.0 token endpoint: password, refresh and one-time code grants")
ROUTE(POST,   "/auth/refresh",	NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, 0, refresh_body, fields_none, 200, token_reply, RATE_AUTH, api_refresh, "refreshToken", "Trade a refresh token for a new pair")
ROUTE(POST,   "/auth/logout",	NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_MAIN, ROUTE_BODY_OPTIONAL, logout_body, fields_none, 200, message_reply, RATE_AUTH, api_logout, "logoutUser", "End this session, or all of the user's")
ROUTE(GET,    "/auth/me",	NULL, ACCESS_USER, "account", TX_READ, GROUP_MAIN, 0, fields_none, fields_none, 200, user_reply, RATE_API, api_me, "getProfile", "The caller's own account")
ROUTE(GET,    "/auth/users",	NULL, ACCESS_ADMIN, "admin", TX_READ, GROUP_MAIN, 0, fields_none, users_query, 200, users_reply, RATE_API, api_users, "listUsers", "All accounts, for admins")

/* tokens for other programs */
ROUTE(POST,   "/auth/revoke",	NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, ROUTE_OAUTH, revoke_body, fields_none, 200, fields_none, RATE_AUTH, api_revoke, "revokeToken", "End the session behind an access or refresh token (RFC 7009)")
ROUTE(POST,   "/auth/introspect", NULL, ACCESS_ADMIN_OR_KEY, NULL, TX_READ, GROUP_MAIN, ROUTE_OAUTH, introspect_body, fields_none, 200, introspect_reply, RATE_API, api_introspect, "introspectToken", "What a token is good for, now (RFC 7662)")
ROUTE(GET,    "/.well-known/jwks.json", NULL, ACCESS_PUBLIC, NULL, TX_NONE, GROUP_MAIN, ROUTE_PUBLIC_CACHE | ROUTE_ETAG, fields_none, fields_none, 200, jwks_reply, RATE_API, api_jwks, "getKeys", "The public keys of access tokens (RFC 7517); none with HS256")
ROUTE(GET,    "/.well-known/oauth-authorization-server", NULL, ACCESS_PUBLIC, NULL, TX_NONE, GROUP_MAIN, ROUTE_PUBLIC_CACHE | ROUTE_ETAG, fields_none, fields_none, 200, metadata_reply, RATE_API, api_metadata, "getMetadata", "Where the OAuth endpoints are and what they take (RFC 8414)")

/* the caller's account: a key that leaked must not take it over, so no scope */
ROUTE(PATCH,  "/auth/me",	NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_MAIN, ROUTE_MERGE, me_body, fields_none, 200, user_reply, RATE_AUTH, api_me_change, "changeProfile", "Change name or address; a new address needs a code of purpose change")
ROUTE(DELETE, "/auth/me",	NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_HASH, 0, leave_body, fields_none, 200, message_reply, RATE_AUTH, api_me_delete, "deleteAccount", "Delete the caller's account and all of its data")
ROUTE(POST,   "/auth/password",	NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_HASH, 0, password_body, fields_none, 200, message_reply, RATE_AUTH, api_password, "changePassword", "Change the password; all other sessions end")
ROUTE(POST,   "/auth/password/reset", NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, reset_body, fields_none, 200, message_reply, RATE_AUTH, api_password_reset, "resetPassword", "Set a new password with a code of purpose reset; all sessions end")

/* sessions */
ROUTE(GET,    "/auth/sessions",	NULL, ACCESS_USER, NULL, TX_READ, GROUP_MAIN, 0, fields_none, sessions_query, 200, sessions_reply, RATE_API, api_sessions, "listSessions", "The caller's live sessions, newest first")
ROUTE(DELETE, "/auth/sessions/{id}", NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_MAIN, 0, fields_none, fields_none, 200, message_reply, RATE_API, api_session_revoke, "revokeSession", "End one of the caller's sessions, at once")

/* API keys: a key mints no keys, so their scope is none and a bearer is needed */
ROUTE(GET,    "/auth/keys",	NULL, ACCESS_USER, NULL, TX_READ, GROUP_MAIN, 0, fields_none, keys_query, 200, keys_reply, RATE_API, api_keys, "listApiKeys", "The caller's API keys, without their secrets")
ROUTE(POST,   "/auth/keys",	NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_MAIN, 0, key_body, fields_none, 201, key_secret_reply, RATE_API, api_key_create, "createApiKey", "Make an API key; its secret is shown this once")
ROUTE(PATCH,  "/auth/keys/{id}", NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_MAIN, ROUTE_MERGE | ROUTE_IDEMPOTENT, key_patch_body, fields_none, 200, key_done_reply, RATE_API, api_key_patch, "updateApiKey", "Merge patch (RFC 7396) of name, scopes, expiry and networks")
ROUTE(DELETE, "/auth/keys/{id}", NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_MAIN, 0, fields_none, fields_none, 200, message_reply, RATE_API, api_key_delete, "revokeApiKey", "Revoke an API key, at once")
ROUTE(POST,   "/auth/keys/{id}/rotate", NULL, ACCESS_USER, NULL, TX_WRITE, GROUP_MAIN, ROUTE_BODY_OPTIONAL, key_rotate_body, fields_none, 200, key_secret_reply, RATE_API, api_key_rotate, "rotateApiKey", "A new secret; the old one stays good for the stated grace")

/* accounts, for admins */
ROUTE(GET,    "/auth/users/{id}", NULL, ACCESS_ADMIN, "admin", TX_READ, GROUP_MAIN, 0, fields_none, fields_none, 200, user_reply, RATE_API, api_user_get, "getUser", "One account, by id or number")
ROUTE(PATCH,  "/auth/users/{id}", NULL, ACCESS_ADMIN, "admin", TX_WRITE, GROUP_MAIN, ROUTE_MERGE | ROUTE_IDEMPOTENT, user_patch_body, fields_none, 200, user_reply, RATE_API, api_user_patch, "patchUser", "Role, status, names: the members present change")
ROUTE(DELETE, "/auth/users/{id}", NULL, ACCESS_ADMIN, "admin", TX_WRITE, GROUP_MAIN, 0, fields_none, fields_none, 200, message_reply, RATE_API, api_user_delete, "deleteUser", "Remove an account and all of its data")
ROUTE(POST,   "/auth/users/{id}/unlock", NULL, ACCESS_ADMIN, "admin", TX_WRITE, GROUP_MAIN, ROUTE_IDEMPOTENT, fields_none, fields_none, 200, message_reply, RATE_API, api_user_unlock, "unlockUser", "Forget an account's wrong passwords and codes, which locked it")

/* the gate for other sites */
ROUTE(GET,    "/auth/check",	NULL, ACCESS_USER, "account", TX_READ, GROUP_MAIN, ROUTE_GATE, fields_none, check_query, 204, fields_none, RATE_CHECK, api_check, "checkAccess", "For nginx auth_request: may the caller in, and who is it")
ROUTE(POST,   "/auth/cookie",	NULL, ACCESS_USER, NULL, TX_READ, GROUP_MAIN, 0, fields_none, fields_none, 200, cookie_reply, RATE_AUTH, api_cookie_set, "setCookie", "Set the cookie that opens guarded sites, for this session")
ROUTE(DELETE, "/auth/cookie",	NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, 0, fields_none, fields_none, 200, message_reply, RATE_AUTH, api_cookie_end, "endCookie", "Clear that cookie and end its session")

/* one-time passwords */
ROUTE(POST,   "/otp/send",	NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, ROUTE_LANGUAGE, otp_send_body, fields_none, 200, otp_send_reply, RATE_OTP, api_otp_send, "sendOtp", "Send a one-time code to a phone or an e-mail address")
ROUTE(POST,   "/otp/verify",	NULL, ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, 0, otp_verify_body, fields_none, 200, otp_verify_reply, RATE_OTP, api_otp_verify, "verifyOtp", "Trade a code for a verification token")

/* tasks */
ROUTE(GET,    "/tasks",		NULL, ACCESS_USER, TASKR, TX_READ, GROUP_MAIN, LIST, fields_none, tasks_query, 200, tasks_reply, RATE_API, api_task_list, "getAllTasks", "The caller's tasks, filtered, sorted, a page at a time")
ROUTE(POST,   "/tasks",		NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_IDEMPOTENT, task_create_body, fields_none, 201, task_done_reply, RATE_API, api_task_create, "createTask", "Create a task")
ROUTE(POST,   "/tasks/order",	NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_IDEMPOTENT, order_body, fields_none, 200, order_reply, RATE_API, api_task_order, "orderTasks", "Put tasks into a sequence, or move one")
ROUTE(GET,    "/tasks/changes",	NULL, ACCESS_USER, TASKR, TX_READ, GROUP_MAIN, TASK, fields_none, changes_query, 200, changes_reply, RATE_API, api_task_changes, "getTaskChanges", "What changed since the last time, deletions too, a page at a time")
ROUTE(GET,    "/tasks/export",	NULL, ACCESS_USER, TASKR, TX_READ, GROUP_HASH, ROUTE_TASKS | ROUTE_FILE, fields_none, export_query, 200, fields_none, RATE_API, api_task_export, "exportTasks", "All of the caller's tasks as one file: json, ndjson, csv or ics")
ROUTE(POST,   "/tasks/import",	NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_HASH, ROUTE_TASKS | ROUTE_FILE | ROUTE_IDEMPOTENT, fields_none, import_query, 200, import_reply, RATE_API, api_task_import, "importTasks", "Tasks from a file of the type that Content-Type says")
ROUTE(GET,    "/tasks/{id}",	NULL, ACCESS_USER, TASKR, TX_READ, GROUP_MAIN, LIST, fields_none, fields_none, 200, task_reply, RATE_API, api_task_get, "getTask", "One task")
ROUTE(PUT,    "/tasks/{id}",	NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK, task_put_body, fields_none, 200, task_done_reply, RATE_API, api_task_put, "updateTask", "Change the members present; absent ones stay")
ROUTE(PATCH,  "/tasks/{id}",	NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_MERGE | ROUTE_IDEMPOTENT, task_put_body, fields_none, 200, task_done_reply, RATE_API, api_task_put, "patchTask", "Merge patch (RFC 7396): null clears")
ROUTE(DELETE, "/tasks/{id}",	NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK, fields_none, task_delete_query, 200, message_reply, RATE_API, api_task_delete, "deleteTask", "Delete a task")
ROUTE(POST,   "/tasks/batch",	NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_IDEMPOTENT, batch_body, batch_query, 200, batch_reply, RATE_API, api_task_batch, "batchTasks", "Up to 100 creates, updates and deletes at once, all or nothing or each for itself")
ROUTE(GET,    "/tasks/trash",	NULL, ACCESS_USER, TASKR, TX_READ, GROUP_MAIN, LIST, fields_none, trash_query, 200, trash_reply, RATE_API, api_trash_list, "listTrash", "Deleted tasks, newest first, a page at a time")
ROUTE(POST,   "/tasks/{id}/restore", NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_IDEMPOTENT, fields_none, fields_none, 200, task_done_reply, RATE_API, api_task_restore, "restoreTask", "Take a task out of the trash, back to its place in the order")
ROUTE(PATCH,  "/tasks/{id}/status", NULL, ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_MERGE | ROUTE_IDEMPOTENT, task_status_body, fields_none, 200, task_done_reply, RATE_API, api_task_status, "setTaskStatus", "Change status or deadline")

/* seed aliases: tasks under their own paths */
ROUTE(GET,    "/tasks/task_list", "GET /tasks", ACCESS_USER, TASKR, TX_READ, GROUP_MAIN, LIST, fields_none, tasks_query, 200, s0_tasks_reply, RATE_API, api_task_list, "listTasksS0", "Alias: list tasks")
ROUTE(POST,   "/tasks/task_list", "GET /tasks", ACCESS_USER, TASKR, TX_READ, GROUP_MAIN, TASK, fields_none, tasks_query, 200, s0_tasks_reply, RATE_API, api_task_list, "listTasksPostS0", "Alias: list tasks")
ROUTE(POST,   "/tasks/create_task", "POST /tasks", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_IDEMPOTENT, task_create_body, fields_none, 201, s0_task_done_reply, RATE_API, api_task_create, "createTaskS0", "Alias: create a task")
ROUTE(POST,   "/tasks/update_task", "PUT /tasks/{id}", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_IDEMPOTENT, s0_task_put_body, s0_task_query, 200, s0_task_done_reply, RATE_API, api_task_put, "updateTaskPostS0", "Alias: change a task")
ROUTE(PUT,    "/tasks/update_task", "PUT /tasks/{id}", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK, s0_task_put_body, s0_task_query, 200, s0_task_done_reply, RATE_API, api_task_put, "updateTaskS0", "Alias: change a task")
ROUTE(PATCH,  "/tasks/update_task", "PUT /tasks/{id}", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_MERGE | ROUTE_IDEMPOTENT, s0_task_put_body, s0_task_query, 200, s0_task_done_reply, RATE_API, api_task_put, "patchTaskS0", "Alias: change a task")
ROUTE(POST,   "/tasks/delete_task", "DELETE /tasks/{id}", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_BODY_OPTIONAL | ROUTE_IDEMPOTENT, s0_task_id_body, s0_task_query, 200, message_reply, RATE_API, api_task_delete, "deleteTaskPostS0", "Alias: delete a task")
ROUTE(DELETE, "/tasks/delete_task", "DELETE /tasks/{id}", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_BODY_OPTIONAL, s0_task_id_body, s0_task_query, 200, message_reply, RATE_API, api_task_delete, "deleteTaskS0", "Alias: delete a task")
ROUTE(POST,   "/tasks/order_task", "POST /tasks/order", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK | ROUTE_IDEMPOTENT, order_body, fields_none, 200, order_reply, RATE_API, api_task_order, "orderTasksS0", "Alias: order tasks")
ROUTE(PUT,    "/tasks/order_task", "POST /tasks/order", ACCESS_USER, TASKW, TX_WRITE, GROUP_MAIN, TASK, order_body, fields_none, 200, order_reply, RATE_API, api_task_order, "orderTasksPutS0", "Alias: order tasks")

/* seed aliases: accounts, codes, tokens */
ROUTE(POST,   "/tasks/register_user", "POST /auth/register", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, register_body, fields_none, 200, s0_register_reply, RATE_AUTH, api_register, "registerUserS0", "Alias: register")
ROUTE(POST,   "/tasks/generate_otp", "POST /otp/send", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, ROUTE_LANGUAGE, otp_send_body, fields_none, 200, otp_send_reply, RATE_OTP, api_otp_send, "generateOtpS0", "Alias: send a code")
ROUTE(POST,   "/tasks/verify_otp", "POST /otp/verify", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, 0, otp_verify_body, fields_none, 200, otp_verify_reply, RATE_OTP, api_otp_verify, "verifyOtpS0", "Alias: verify a code")
ROUTE(POST,   "/send-otp",	"POST /otp/send", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_MAIN, ROUTE_LANGUAGE, otp_send_body, fields_none, 200, otp_send_reply, RATE_OTP, api_otp_send, "sendOtpS1", "Alias: send a code")
ROUTE(POST,   "/register",	"POST /auth/register", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, register_body, fields_none, 200, s1_register_reply, RATE_AUTH, api_register, "registerUserS1", "Alias: register")
ROUTE(POST,   "/token",		"POST /auth/token", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, ROUTE_OAUTH, token_body, fields_none, 200, token_reply, RATE_AUTH, api_token, "issueTokenS1", "Alias: token endpoint")
ROUTE(GET,    "/admin-data",	"GET /auth/users", ACCESS_ADMIN, "admin", TX_READ, GROUP_MAIN, ROUTE_SAMPLE, fields_none, fields_none, 200, message_reply, RATE_API, api_admin_data, "adminDataS1", "Sample: only admins see it")
ROUTE(POST,   "/signup",	"POST /auth/register", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, register_body, fields_none, 201, s2_signup_reply, RATE_AUTH, api_register, "signupS2", "Alias: register")
ROUTE(POST,   "/users/signup",	"POST /auth/register", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, register_body, fields_none, 200, s4_signup_reply, RATE_AUTH, api_register, "signupS4", "Alias: register")
ROUTE(POST,   "/users/login",	"POST /auth", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, login_body, fields_none, 200, s4_login_reply, RATE_AUTH, api_login, "usersLoginS4", "Alias: log in")
ROUTE(POST,   "/login",		"POST /auth", ACCESS_PUBLIC, NULL, TX_WRITE, GROUP_HASH, 0, login_body, fields_none, 200, s4_login_reply, RATE_AUTH, api_login, "loginS4", "Alias: log in")
ROUTE(GET,    "/users/get_users", "GET /auth/users", ACCESS_ADMIN, "admin", TX_READ, GROUP_MAIN, 0, fields_none, users_query, 200, s4_users_reply, RATE_API, api_users, "getUsersS4", "Alias: list users")

/* operations */
ROUTE(GET,    "/healthz",	NULL, ACCESS_PUBLIC, NULL, TX_NONE, GROUP_MAIN, 0, fields_none, fields_none, 200, health_reply, RATE_NONE, api_health, "health", "Is the process alive?")
ROUTE(GET,    "/readyz",	NULL, ACCESS_PUBLIC, NULL, TX_NONE, GROUP_MAIN, 0, fields_none, fields_none, 200, health_reply, RATE_NONE, api_ready, "ready", "Can it serve: is the database there, with this schema?")
ROUTE(GET,    "/metrics",	NULL, ACCESS_PUBLIC, NULL, TX_NONE, GROUP_MAIN, ROUTE_LOCAL | ROUTE_PLAIN, fields_none, metrics_query, 200, fields_none, RATE_NONE, api_metrics, "getMetrics", "What the service has done, for Prometheus; not for the world")
ROUTE(GET,    "/openapi.json",	NULL, ACCESS_PUBLIC, NULL, TX_NONE, GROUP_MAIN, ROUTE_PUBLIC_CACHE | ROUTE_ETAG, fields_none, fields_none, 200, fields_none, RATE_API, api_openapi, "openapi", "This interface as OpenAPI 3.1")
ROUTE(GET,    "/problems/{code}", NULL, ACCESS_PUBLIC, NULL, TX_NONE, GROUP_MAIN, ROUTE_PUBLIC_CACHE | ROUTE_ETAG, fields_none, fields_none, 200, problem_reply, RATE_API, api_problem, "getProblem", "What a problem document's type means")

#undef TASKW
#undef TASKR
#undef LIST
#undef TASK
