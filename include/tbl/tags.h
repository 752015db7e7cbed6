/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The groups that the OpenAPI document puts its operations into, in the order
 * that a reader meets them:
 *
 *   TAG(name, words)
 */
TAG("accounts",	"Register, log in, and what the caller's own account is")
TAG("tokens",	"OAuth 2.0 tokens: issue, refresh, revoke, introspect, and the keys that sign them")
TAG("codes",	"One-time codes sent to a phone or an e-mail address")
TAG("sessions",	"Where the caller is logged in, and how to end that")
TAG("keys",	"API keys for programs: scoped, with an end, rotated without a gap")
TAG("tasks",	"The caller's tasks, one at a time")
TAG("lists",	"Many tasks at once: order, batches, the trash, changes since, files")
TAG("users",	"Accounts of others, for admins")
TAG("gate",	"One log-in that guards other sites behind the same nginx")
TAG("service",	"The service itself: its health, this document, what its errors mean")
TAG("aliases",	"Older addresses of the same operations, for clients that know no other; every reply has a Deprecation header and a Link to the successor")
