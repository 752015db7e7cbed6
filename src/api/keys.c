/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* API keys: made, listed, changed, rotated, revoked. */
#include "store/keys.h"

#include "api/api.h"
#include "api/fields.h"
#include "base/clock.h"
#include "base/error.h"
#include "core/api_key.h"
#include "core/scope.h"
#include "web/call.h"

#define NAME_MAX_CHARS 64
#define SCOPES_MAX 4
#define ALLOW_MAX 20
#define GRACE_DEFAULT (24 * 3600)
#define GRACE_MAX (7 * 24 * 3600)

static const char *const kinds[] = { "personal", "application", NULL };

/* ---- what is told ---- */

#define KEY_ROWS(S, P) \
	F(UUID, S, P id, "id", 0, 0, 0, "UUIDv7; its base62 form stands in the key", "\"01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d\""), \
	F_ENUM(S, P kind, "kind", 0, kinds, "personal: acts as its owner; application: counts beside a bearer alone", "\"personal\""), \
	F(TEXT, S, P name, "name", 0, 0, 0, "What it is for", "\"backup script\""), \
	F(TEXTS, S, P scopes, "scopes", 0, 0, 0, "What it is good for", "[\"tasks:read\"]"), \
	F(TEXTS, S, P allow, "allow", 0, 0, 0, "Networks that it may come from; none: any", "[\"192.0.2.0/24\"]"), \
	F(TIME, S, P expires_at, "expires_at", FIELD_NULLABLE, 0, 0, "Null: never", "\"2031-01-31T09:30:00.000Z\""), \
	F(TIME, S, P used_at, "last_used_at", FIELD_NULLABLE, 0, 0, "To the minute; null: never", "\"2026-01-31T09:30:00.000Z\""), \
	F(TEXT, S, P used_ip, "last_used_ip", FIELD_NULLABLE, 0, 0, "The client of that use", "\"192.0.2.7\""), \
	F(TIME, S, P previous_until, "previous_until", FIELD_NULLABLE, 0, 0, "How long the secret before the last rotation stays good", "\"2026-02-01T09:30:00.000Z\""), \
	F(TIME, S, P created_at, "created_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\""), \
	F(TIME, S, P updated_at, "updated_at", 0, 0, 0, "", "\"2026-01-31T09:30:00.000Z\"")

static const struct field key_rows[] = { KEY_ROWS(struct api_key, ) };
static const struct fields key_object =
    FIELDS("ApiKey", key_rows, struct api_key);

struct keys_out {
	struct list keys;
};

static const struct field keys_rows[] = {
	F_SUB(LIST, struct keys_out, keys, "keys", 0, key_object, "Oldest first", NULL),
};
const struct fields keys_reply =
    FIELDS("ApiKeys", keys_rows, struct keys_out);

struct key_out {
	struct text message;
	struct api_key key;
	struct text secret;
};

#define OUT struct key_out
static const struct field done_rows[] = {
	F(TEXT, OUT, message, "message", 0, 0, 0, "What was done", "\"API key changed\""),
	F_SUB(OBJECT, OUT, key, "key", 0, key_object, "As it is now", NULL),
};
static const struct field secret_rows[] = {
	F(TEXT, OUT, message, "message", 0, 0, 0, "What was done", "\"API key created\""),
	F_SUB(OBJECT, OUT, key, "key", 0, key_object, "As it is now", NULL),
	F(TEXT, OUT, secret, "api_key", FIELD_SECRET, 0, 0, "For X-API-Key; shown this once: ^dk_[0-9A-Za-z]{71}$", NULL),
};
#undef OUT
const struct fields key_done_reply =
    FIELDS("ApiKeyChanged", done_rows, struct key_out);
const struct fields key_secret_reply =
    FIELDS("ApiKeyMade", secret_rows, struct key_out);

/* ---- what is asked ---- */

struct keys_in {
	struct seen seen;
	struct text kind;
};

static const struct field keys_query_rows[] = {
	F_ENUM(struct keys_in, kind, "kind", 0, kinds, "personal when absent; application is for admins", "\"personal\""),
};
const struct fields keys_query =
    FIELDS("ApiKeysQuery", keys_query_rows, struct keys_in);

struct key_in {
	struct seen seen;
	struct text name, kind;
	struct texts scopes, allow;
	int64_t expires_at;
};

/* The rows that both have come first: PATCH asks which of them it saw. */
enum { ROW_NAME, ROW_SCOPES, ROW_ALLOW, ROW_EXPIRES };

#define IN struct key_in
#define KEY_IN(required) \
	F_CHECK(TEXT, IN, name, "name", required, 1, NAME_MAX_CHARS, api_key_check_name, "What it is for", "\"backup script\""), \
	F_CHECK(TEXTS, IN, scopes, "scopes", required, 1, SCOPES_MAX, api_key_check_scopes, "tasks:read, tasks:write, account; admin for admins", "[\"tasks:read\"]"), \
	F_CHECK(TEXTS, IN, allow, "allow", FIELD_NULLABLE, 0, ALLOW_MAX, api_key_check_allow, "Networks that it may come from; none: any", "[\"192.0.2.0/24\",\"2001:db8::/32\"]"), \
	F(TIME, IN, expires_at, "expires_at", FIELD_NULLABLE, 0, 0, "Null: never", "\"2031-01-31T09:30:00.000Z\"")
static const struct field body_rows[] = {
	KEY_IN(FIELD_REQUIRED),
	F_ENUM(IN, kind, "kind", FIELD_NULLABLE, kinds, "personal when absent; application is for admins", "\"personal\""),
};
static const struct field patch_rows[] = { KEY_IN(0) };
#undef IN
const struct fields key_body = FIELDS("ApiKeyNew", body_rows, struct key_in);
const struct fields key_patch_body =
    FIELDS("ApiKeyPatch", patch_rows, struct key_in);

struct rotate_in {
	struct seen seen;
	int64_t grace_seconds;
};

static const struct field rotate_rows[] = {
	F(INT, struct rotate_in, grace_seconds, "grace_seconds", FIELD_NULLABLE, 0, GRACE_MAX, "How long the old secret stays good; a day when absent, a week at most", "86400"),
};
const struct fields key_rotate_body =
    FIELDS("ApiKeyRotation", rotate_rows, struct rotate_in);

/* ---- the handlers ---- */

static int
key_id(struct call *call, struct uuid *ret)
{
	return uuid_parse(call->params[0], ret) ? 0 : E_KEY_ID;
}

/* The database's clock decides later; this one tells of a slip. */
static int
check_expiry(struct call *call, int64_t expires_at)
{
	if (expires_at == TIME_NONE || expires_at > clock_real_us())
		return 0;
	return call_fault(call, "/expires_at", "range",
	    "must be in the future");
}

static bool
is_application(struct text kind)
{
	return text_is(kind, "application");
}

int
api_keys(struct call *call)
{
	const struct keys_in *in = call->query;
	struct keys_out *out = arena_alloc(call->mem, sizeof(*out));

	call->reply.object = out;
	call->who.need_admin = is_application(in->kind);
	return store_key_list(call->app->db, call->mem, &call->who,
	    in->kind.s ? in->kind : TEXT("personal"), TEXT_NONE, &out->keys);
}

static int
key_fill(struct call *call, const struct key_in *in, struct new_key *key,
    struct text *ret_secret)
{
	int r;

	key->name = in->name;
	key->scopes = in->scopes;
	key->allow = in->allow;
	key->expires_at = in->expires_at;
	key->kind = is_application(in->kind) ? in->kind : TEXT("personal");
	key->limit = call->app->settings->limits_api_keys;
	if ((r = check_expiry(call, in->expires_at)) ||
	    (r = crypto_uuid(&key->id, &key->created_at)) ||
	    (r = crypto_uuid(&key->session_id, NULL)))
		return r;
	return api_key_new(call->mem, &key->id, ret_secret, &key->hash);
}

int
api_key_create(struct call *call)
{
	const struct key_in *in = call->body;
	struct key_out *out = arena_alloc(call->mem, sizeof(*out));
	struct new_key key = { 0 };
	int r = key_fill(call, in, &key, &out->secret);

	if (r)
		return r;
	call->reply.object = out;
	out->message = TEXT("API key created");
	call->who.need_admin = is_application(key.kind) ||
	    scope_bits(in->scopes) & MAY_ADMIN;
	return store_key_insert(call->app->db, call->mem, &call->who, &key,
	    &call->client, &out->key);
}

int
api_key_patch(struct call *call)
{
	const struct key_in *in = call->body;
	struct key_out *out = arena_alloc(call->mem, sizeof(*out));
	const struct key_change change = {
		.set_name = seen_has(&in->seen, ROW_NAME),
		.set_scopes = seen_has(&in->seen, ROW_SCOPES),
		.set_allow = seen_has(&in->seen, ROW_ALLOW),
		.set_expires = seen_has(&in->seen, ROW_EXPIRES),
		.name = in->name,
		.scopes = in->scopes,
		.allow = in->allow,
		.expires_at = in->expires_at,
	};
	struct uuid id, session;
	int r;

	if ((r = key_id(call, &id)) ||
	    (r = check_expiry(call, in->expires_at)) ||
	    (r = crypto_uuid(&session, NULL)))
		return r;
	call->reply.object = out;
	out->message = TEXT("API key changed");
	call->who.need_admin = scope_bits(in->scopes) & MAY_ADMIN;
	return store_key_update(call->app->db, call->mem, &call->who, &id,
	    &session, &change, &call->client, &out->key);
}

int
api_key_rotate(struct call *call)
{
	const struct rotate_in *in = call->body;
	struct key_out *out = arena_alloc(call->mem, sizeof(*out));
	const int64_t grace = in->grace_seconds == INT_NONE ? GRACE_DEFAULT :
	    in->grace_seconds;
	struct uuid id, session;
	struct text hash;
	int r;

	if ((r = key_id(call, &id)) ||
	    (r = crypto_uuid(&session, NULL)) ||
	    (r = api_key_new(call->mem, &id, &out->secret, &hash)))
		return r;
	call->reply.object = out;
	out->message = TEXT("API key rotated");
	return store_key_rotate(call->app->db, call->mem, &call->who, &id,
	    &session, hash, grace, &call->client, &out->key);
}

int
api_key_delete(struct call *call)
{
	static const struct message done = { TEXT_INIT("API key revoked") };
	struct uuid id;
	int r = key_id(call, &id);

	if (r)
		return r;
	call->reply.object = &done;
	return store_key_delete(call->app->db, call->mem, &call->who, &id,
	    &call->client);
}
