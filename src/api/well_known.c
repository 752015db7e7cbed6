/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What other programs read of us: the key set, and where things are. */
#include "api/api.h"
#include "api/fields.h"
#include "base/error.h"
#include "core/ring.h"
#include "web/call.h"

/* ---- the key set (RFC 7517, RFC 7518 §6.2) ---- */

struct jwk {
	struct text kid, alg, x, y;
};

#define OUT struct jwk
static const struct field jwk_rows[] = {
	F_FIXED("kty", "\"EC\"", "Elliptic curve"),
	F_FIXED("use", "\"sig\"", "For signatures"),
	F_FIXED("crv", "\"P-256\"", "The curve"),
	F(TEXT, OUT, kid, "kid", 0, 0, 0, "As in the header of its tokens", "\"20260131-0a1b2c3d\""),
	F(TEXT, OUT, alg, "alg", 0, 0, 0, "The only algorithm it is used with", "\"ES256\""),
	F(TEXT, OUT, x, "x", 0, 0, 0, "32 bytes, base64url", "\"YP7UuiVanTHJYetUxjVtaMBJuJI7Yfps5mliLmDyn7Y\""),
	F(TEXT, OUT, y, "y", 0, 0, 0, "32 bytes, base64url", "\"eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk\""),
};
#undef OUT
static const struct fields jwk_object = FIELDS("Key", jwk_rows, struct jwk);

struct jwks {
	struct list keys;
};

static const struct field jwks_rows[] = {
	F_SUB(LIST, struct jwks, keys, "keys", 0, jwk_object, "The one that signs, the next one and those before", NULL),
};
const struct fields jwks_reply = FIELDS("KeySet", jwks_rows, struct jwks);

/* Also the next key, which verifiers are to know before it signs. A key of
 * HS256 is no one else's business. */
int
api_jwks(struct call *call)
{
	const struct token_ring *ring = call->app->ring;
	struct jwk *keys = arena_array(call->mem, RING_KEYS, sizeof(*keys));
	struct jwks *out = arena_alloc(call->mem, sizeof(*out));

	call->reply.object = out;
	out->keys.v = keys;
	for (size_t i = 0; i < ring->n; i++) {
		const struct ring_key *key = &ring->v[i];
		const uint8_t *point = key->pair.point + 1;

		if (!key->pair.key)
			continue;
		keys[out->keys.n++] = (struct jwk){
			.kid = text_of(key->kid),
			.alg = text_of(key->alg),
			.x = base64url_encode(call->mem, point, 32),
			.y = base64url_encode(call->mem, point + 32, 32),
		};
	}
	return 0;
}

/* ---- the server's metadata (RFC 8414 §2) ---- */

struct metadata {
	struct text issuer, token, revocation, introspection, jwks;
	struct texts grants;
};

#define OUT struct metadata
static const struct field metadata_rows[] = {
	F(TEXT, OUT, issuer, "issuer", 0, 0, 0, "The iss claim of access tokens", "\"https://docket.example\""),
	F(TEXT, OUT, token, "token_endpoint", 0, 0, 0, "", "\"https://docket.example/auth/token\""),
	F(TEXT, OUT, revocation, "revocation_endpoint", 0, 0, 0, "RFC 7009", "\"https://docket.example/auth/revoke\""),
	F(TEXT, OUT, introspection, "introspection_endpoint", 0, 0, 0, "RFC 7662", "\"https://docket.example/auth/introspect\""),
	F(TEXT, OUT, jwks, "jwks_uri", 0, 0, 0, "RFC 7517", "\"https://docket.example/.well-known/jwks.json\""),
	F_FIXED("response_types_supported", "[]", "There is no authorization endpoint"),
	F(TEXTS, OUT, grants, "grant_types_supported", 0, 0, 0, "", "[\"password\",\"refresh_token\",\"otp\"]"),
	F_FIXED("scopes_supported", "[\"tasks:read\",\"tasks:write\",\"account\",\"admin\"]", "The user's role decides which are granted"),
	F_FIXED("token_endpoint_auth_methods_supported", "[\"none\"]", "Clients are public"),
	F_FIXED("revocation_endpoint_auth_methods_supported", "[\"none\"]", "Who has the token may end it"),
	F_FIXED("introspection_endpoint_auth_methods_supported", "[\"Bearer\"]", "An admin's access token; an API key in X-API-Key serves too"),
};
#undef OUT
const struct fields metadata_reply =
    FIELDS("Metadata", metadata_rows, struct metadata);

/*
 * The reply may be cached by anybody, so nothing in it is a client's word, the
 * Host header least of all: the address is the settings' or there is none.
 */
static const char *
base_of(const struct settings *set)
{
	if (set->server_public_url[0])
		return set->server_public_url;
	return strncmp(set->auth_issuer, "https://", 8) == 0 ?
	    set->auth_issuer : NULL;
}

static struct text
address(struct call *call, const char *base, const char *path)
{
	size_t n = strlen(base);

	if (n > 0 && base[n - 1] == '/')
		n--;
	return text_of(arena_printf(call->mem, "%.*s%s", (int)n, base, path));
}

int
api_metadata(struct call *call)
{
	static struct text grants[] = {
		TEXT_INIT("refresh_token"), TEXT_INIT("otp"),
		TEXT_INIT("password"),
	};
	const struct settings *set = call->app->settings;
	const char *base = base_of(set);
	struct metadata *out = arena_alloc(call->mem, sizeof(*out));

	if (!base)
		return call_refuse(call, E_NOT_FOUND,
		    "This server was not told its address: the setting "
		    "server.public_url is empty.");
	*out = (struct metadata){
		.issuer = text_of(set->auth_issuer),
		.token = address(call, base, "/auth/token"),
		.revocation = address(call, base, "/auth/revoke"),
		.introspection = address(call, base, "/auth/introspect"),
		.jwks = address(call, base, "/.well-known/jwks.json"),
		.grants = { grants, set->auth_password_grant ? 3 : 2 },
	};
	call->reply.object = out;
	return 0;
}
