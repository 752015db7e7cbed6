/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a bearer token, as the claims and as the header of one that is
 * signed as it should be, and as damage to a good one. */
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "core/jose.h"
#include "core/ring.h"
#include "lib/input.h"
#include "web/access.h"
#include "web/json.h"

#define NOW INT64_C(1800000000)
#define SKEW 30
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}"
#define CLAIMS "{\"iss\":\"docket\",\"aud\":\"docket\",\"exp\":1800000600," \
    "\"sub\":\"01890a5d-ac96-774b-bcce-b302099a8057\"," \
    "\"sid\":\"01890a5d-ac96-774b-bcce-b302099a8058\"}"

static const struct token_policy policy = {
	TEXT_INIT("docket"), TEXT_INIT("docket"), 600, SKEW, NULL
};
static struct token_ring ring = {
	.v = {
		{ .kid = "k1", .alg = "HS256", .secret = { .n = 32 } },
		{ .kid = "k0", .alg = "HS256", .secret = { .n = 32 } },
	},
	.n = 2,
};
static struct settings settings = {
	.auth_issuer = "docket", .auth_audience = "docket",
	.auth_access_ttl = 600, .auth_clock_skew = SKEW,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return crypto_init() || crypto_random(ring.v[0].secret.b, 32) ||
	    crypto_random(ring.v[1].secret.b, 32);
}

static struct text
signed_by_k1(struct arena *mem, struct text header, struct text claims)
{
	const struct text h = base64url_encode(mem, header.s, header.n);
	const struct text c = base64url_encode(mem, claims.s, claims.n);
	const struct text body = text_of(arena_printf(mem, "%.*s.%.*s",
	    TEXT_FMT(h), TEXT_FMT(c)));
	uint8_t mac[CRYPTO_HASH];
	struct text s;

	must(crypto_hmac(&ring.v[0].secret, body.s, body.n, mac) == 0,
	    "no MAC");
	s = base64url_encode(mem, mac, sizeof(mac));
	return text_of(arena_printf(mem, "%.*s.%.*s", TEXT_FMT(body),
	    TEXT_FMT(s)));
}

static bool
is_taken(struct arena *mem, struct text token)
{
	struct principal who = { .need_admin = true };
	const int r = token_check(mem, &ring, &policy, NOW, token, &who);

	must(r == 0 || r == E_TOKEN, "another fault");
	if (r == 0)
		must(!uuid_is_nil(&who.user_id) &&
		    !uuid_is_nil(&who.session_id) && who.need_admin,
		    "taken for nobody");
	return r == 0;
}

/* ---- what the document says, by another parser ---- */

/* NULL unless it is one object by the strict scan. *ret_deep: it may be one,
 * deeper than bodies of ours are. */
static struct json_object *
object_of(struct arena *mem, struct text in, bool *ret_deep)
{
	struct faults faults = { .n = 0 };
	struct json_object *json;
	bool ok = json_scan(in, mem, &faults);

	*ret_deep = !ok && strstr(faults.v[0].detail, "deep");
	if (!ok)
		return NULL;
	json = json_tokener_parse(arena_text(mem, in).s);
	if (json_object_is_type(json, json_type_object))
		return json;
	json_object_put(json);
	return NULL;
}

static bool
says(struct json_object *json, const char *name, const char *want)
{
	struct json_object *value = json_object_object_get(json, name);

	return json_object_is_type(value, json_type_string) &&
	    strcmp(json_object_get_string(value), want) == 0;
}

static bool
names_somebody(struct json_object *json, const char *name)
{
	struct json_object *value = json_object_object_get(json, name);
	struct uuid id;

	return json_object_is_type(value, json_type_string) &&
	    uuid_parse(text_of(json_object_get_string(value)), &id) &&
	    !uuid_is_nil(&id);
}

static bool
in_time(struct json_object *json, const char *name, int64_t from, int64_t to)
{
	struct json_object *value;

	if (!json_object_object_get_ex(json, name, &value))
		return strcmp(name, "exp") != 0;
	return json_object_is_type(value, json_type_int) &&
	    json_object_get_int64(value) >= from &&
	    json_object_get_int64(value) <= to;
}

static bool
claims_fit(struct json_object *json)
{
	return says(json, "iss", "docket") && says(json, "aud", "docket") &&
	    names_somebody(json, "sub") && names_somebody(json, "sid") &&
	    in_time(json, "exp", NOW - SKEW + 1, INT64_MAX) &&
	    in_time(json, "nbf", 1, NOW + SKEW) &&
	    in_time(json, "iat", 1, NOW + SKEW);
}

static void
check_claims(struct arena *mem, struct text claims)
{
	const bool taken = is_taken(mem, signed_by_k1(mem, TEXT(HEADER),
	    claims));
	bool deep;
	struct json_object *json = object_of(mem, claims, &deep);

	/* A token has no room for what would be too deep for the stack. */
	if (!deep && claims.n < 6000)
		must(taken == (json && claims_fit(json)),
		    taken ? "claims that do not fit are taken" :
		    "claims that fit are refused");
	json_object_put(json);
}

/* Exactly these three, in words that need no reading. */
static bool
header_fits(struct json_object *json, struct text text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.s[i] == '\\' || (signed char)text.s[i] < 0 ||
		    text.s[i] == 0x7f)
			return false;
	return json_object_object_length(json) == 3 && text.n <= 512 &&
	    says(json, "alg", "HS256") && says(json, "typ", "at+jwt") &&
	    says(json, "kid", "k1");
}

static void
check_header(struct arena *mem, struct text header)
{
	const bool taken = is_taken(mem, signed_by_k1(mem, header,
	    TEXT(CLAIMS)));
	struct jose_header parts;
	bool deep;
	struct json_object *json = object_of(mem, header, &deep);

	must(taken == (json && header_fits(json, header)), taken ?
	    "a header that does not fit is taken" :
	    "a header that fits is refused");
	must(!taken || jose_header(header, &parts), "a header is no header");
	json_object_put(json);
}

/* ---- what is not signed ---- */

static void
check_any(struct arena *mem, struct text in)
{
	struct app app = { .settings = &settings, .ring = &ring };
	struct request req = { .authorization = in };
	struct call call = { .mem = mem, .app = &app, .req = &req };
	struct principal who;
	struct jose part;
	int r;

	must(!is_taken(mem, in), "any bytes are taken");
	if (jose_split(in, &part))
		must(part.header.n && part.claims.n && part.signature.n &&
		    part.header.n + part.claims.n + part.signature.n + 2 ==
		    in.n, "parts that are not the whole");
	r = access_bearer(&call, &who);
	must(r == E_TOKEN || r == E_TOKEN_MISSING, "any header is taken");
	req.authorization = text_of(arena_printf(mem, "bEARER  %.*s",
	    TEXT_FMT(in)));
	must(access_bearer(&call, &who) == E_TOKEN, "any token is taken");
}

/* Places and what to turn over there. */
static void
check_damage(struct arena *mem, struct text in)
{
	const struct text token = signed_by_k1(mem, TEXT(HEADER),
	    TEXT(CLAIMS));
	char *copy = arena_copy(mem, token.s, token.n);
	bool same;

	for (size_t i = 0; i + 2 < in.n; i += 3)
		copy[((size_t)(uint8_t)in.s[i] << 8 | (uint8_t)in.s[i + 1]) %
		    token.n] ^= in.s[i + 2];
	/* Not by memcmp, whose operands the fuzzer sees and copies. */
	same = crypto_equal(copy, token.s, token.n);
	must(is_taken(mem, (struct text){ copy, token.n }) == same,
	    same ? "our own is refused" : "a damaged token is taken");
}

static void
check_refresh(struct arena *mem, struct text in)
{
	const struct uuid id = { .b = { 1, 2, 3 } };
	struct uuid session;
	struct text token;
	int64_t counter;
	char *copy;
	bool same;

	must(refresh_parse(&ring.v[1].secret, in, &session, &counter) ==
	    E_REFRESH, "any bytes refresh");
	must(refresh_make(mem, &ring.v[1].secret, &id, 7, &token) == 0,
	    "none made");
	copy = arena_copy(mem, token.s, token.n);
	for (size_t i = 0; i + 1 < in.n; i += 2)
		copy[(uint8_t)in.s[i] % token.n] ^= in.s[i + 1];
	same = crypto_equal(copy, token.s, token.n);
	must((refresh_parse(&ring.v[1].secret,
	    (struct text){ copy, token.n }, &session, &counter) == 0) == same,
	    "a damaged refresh token");
}

/* The first byte says what the others are. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct arena *, struct text) = {
		check_claims, check_header, check_any, check_damage,
		check_refresh,
	};
	struct arena *mem;
	struct text in;

	if (size == 0 || !(mem = arena_new(16384)))
		return 0;
	in = (struct text){ (const char *)data + 1, size - 1 };
	checks[data[0] % (sizeof(checks) / sizeof(checks[0]))](mem, in);
	arena_free(mem);
	return 0;
}
