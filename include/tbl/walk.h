/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A walk through the interface, one request a row, that works from the first
 * to the last: `docketd --http` and `docketd --postman` print it.
 *
 *   VARIABLE(name, value, words)	a reader may change it
 *   SECTION(title, words)
 *   STEP(operation, name, part, query, body, takes)
 *
 * operation says which route; name is the step's own, unique. part stands for
 * the {part} of the path. body lists members with | between: one alone has its
 * field row's example, name=value has that (JSON when it begins with [, else
 * text). takes lists what later steps need of the reply: variable=path.
 * {{x}} is a variable's value. A file's body is kept as it is.
 */
VARIABLE(baseUrl, "https://localhost:8443", "where Docket is")
VARIABLE(username, "ada.example", "an account that the walk makes, and deletes at its end")
VARIABLE(password, "correct horse battery", "its password")
VARIABLE(newPassword, "a better password", "what it is changed to")
VARIABLE(phone, "+989121234567", "where codes go: five an hour, so a walk an hour")
VARIABLE(adminUsername, "admin", "for the last section alone")
VARIABLE(adminPassword, "", "for the last section alone")

SECTION("Begin", "An account and a token. A new token for the rest is what the log-in is for.")
STEP("registerUser", "registerUser", "", "", "username={{username}}|password={{password}}", "")
STEP("authenticateUser", "authenticateUser", "", "", "username={{username}}|password={{password}}", "token=access_token")
STEP("getProfile", "getProfile", "", "", "", "")

SECTION("Tasks", "Make, look, change, put in order, many at once, files, the way back.")
STEP("createTask", "createTask", "", "", "title|description|status|priority|due_date|tags", "taskId=task.id")
STEP("createTask", "createAnotherTask", "", "", "title=Water the plants", "otherTaskId=task.id")
STEP("getAllTasks", "getAllTasks", "", "sort=position&limit=20", "", "")
STEP("getTask", "getTask", "{{taskId}}", "", "", "")
STEP("updateTask", "updateTask", "{{taskId}}", "", "title=Sample task, with another title", "")
STEP("patchTask", "patchTask", "{{taskId}}", "", "description|tags", "")
STEP("setTaskStatus", "setTaskStatus", "{{taskId}}", "", "status", "")
STEP("orderTasks", "orderTasks", "", "", "task_ids=[\"{{otherTaskId}}\",\"{{taskId}}\"]", "")
STEP("batchTasks", "batchTasks", "", "", "operations=[{\"op\":\"create\",\"title\":\"One of many\"},{\"op\":\"update\",\"id\":\"{{otherTaskId}}\",\"status\":\"in_progress\"}]|atomic", "")
STEP("getTaskChanges", "getTaskChanges", "", "limit=20", "", "")
STEP("exportTasks", "exportTasks", "", "format=csv", "", "")
STEP("importTasks", "importTasks", "", "", "{\"title\":\"From a file\",\"tags\":[\"home\"]}\n", "")
STEP("deleteTask", "deleteTask", "{{otherTaskId}}", "", "", "")
STEP("listTrash", "listTrash", "", "limit=20", "", "")
STEP("restoreTask", "restoreTask", "{{otherTaskId}}", "", "", "")

SECTION("API keys", "For programs: narrower than a person's token, and longer-lived.")
STEP("createApiKey", "createApiKey", "", "", "name|scopes", "keyId=key.id")
STEP("listApiKeys", "listApiKeys", "", "", "", "")
STEP("updateApiKey", "updateApiKey", "{{keyId}}", "", "name=nightly backup", "")
STEP("rotateApiKey", "rotateApiKey", "{{keyId}}", "", "grace_seconds", "")
STEP("revokeApiKey", "revokeApiKey", "{{keyId}}", "", "", "")

SECTION("One-time codes", "The dev profile shows the code in the reply; elsewhere it comes by message, and the reader writes it into the request that follows.")
STEP("sendOtp", "sendOtp", "", "", "phone={{phone}}|purpose", "otp=otp")
STEP("verifyOtp", "verifyOtp", "", "", "phone={{phone}}|otp={{otp}}|purpose", "")
STEP("sendOtp", "sendOtpToChange", "", "", "phone={{phone}}|purpose=change", "otp=otp")
STEP("changeProfile", "changeProfile", "", "", "phone={{phone}}|otp={{otp}}", "")
STEP("sendOtp", "sendOtpToReset", "", "", "phone={{phone}}|purpose=reset", "otp=otp")
STEP("resetPassword", "resetPassword", "", "", "phone={{phone}}|otp={{otp}}|new_password={{newPassword}}", "")
STEP("authenticateUser", "authenticateAfterReset", "", "", "username={{username}}|password={{newPassword}}", "token=access_token")
STEP("changePassword", "changePassword", "", "", "current_password={{newPassword}}|new_password={{password}}", "")

SECTION("Tokens and sessions", "What an OAuth client calls, and what a person sees of it.")
STEP("getMetadata", "getMetadata", "", "", "", "")
STEP("getKeys", "getKeys", "", "", "", "")
STEP("issueToken", "issueToken", "", "", "grant_type|username={{username}}|password={{password}}", "refreshToken=refresh_token")
STEP("refreshToken", "refreshToken", "", "", "refresh_token={{refreshToken}}", "newRefreshToken=refresh_token")
STEP("revokeToken", "revokeToken", "", "", "token={{newRefreshToken}}", "")
STEP("authenticateUser", "authenticateElsewhere", "", "", "username={{username}}|password={{password}}", "")
STEP("listSessions", "listSessions", "", "", "", "sessionId=sessions[0].id")
STEP("revokeSession", "revokeSession", "{{sessionId}}", "", "", "")
STEP("checkAccess", "checkAccess", "", "role=user", "", "")
STEP("logoutUser", "logoutUser", "", "", "", "")
STEP("authenticateUser", "authenticateForCookie", "", "", "username={{username}}|password={{password}}", "token=access_token")
STEP("setCookie", "setCookie", "", "", "", "")
STEP("endCookie", "endCookie", "", "", "", "")

SECTION("End", "The account goes, with all that it has.")
STEP("authenticateUser", "authenticateToLeave", "", "", "username={{username}}|password={{password}}", "token=access_token")
STEP("deleteAccount", "deleteAccount", "", "", "password={{password}}", "")

SECTION("The service", "Nobody has to be known for these.")
STEP("health", "health", "", "", "", "")
STEP("ready", "ready", "", "", "", "")
STEP("openapi", "openapi", "", "", "", "")
STEP("getProblem", "getProblem", "task_not_found", "", "", "")

SECTION("For admins", "With the account that adminUsername and adminPassword name.")
STEP("authenticateUser", "authenticateAdmin", "", "", "username={{adminUsername}}|password={{adminPassword}}", "adminToken=access_token")
STEP("registerUser", "registerGuest", "", "", "username=guest.{{username}}|password={{password}}", "userId=user.id|guestToken=access_token")
STEP("listUsers", "listUsers", "", "q=guest&limit=20", "", "")
STEP("getUser", "getUser", "{{userId}}", "", "", "")
STEP("introspectToken", "introspectToken", "", "", "token={{guestToken}}", "")
STEP("patchUser", "patchUser", "{{userId}}", "", "status", "")
STEP("unlockUser", "unlockUser", "{{userId}}", "", "", "")
STEP("deleteUser", "deleteUser", "{{userId}}", "", "", "")
