/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* X-API-Key: parse, remember, look up, note the use. */
#include "web/api_key.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "core/api_key.h"
#include "core/scope.h"
#include "store/keys.h"

/* A fixed value of development has no more; a key of ours fewer. */
#define KEY_MAX 256
/* A power of two; the digest's first bytes are as good as random. */
#define PLACES 1024
#define REMEMBER_MS 60000

struct place {
	uint8_t digest[CRYPTO_HASH];
	struct key_claims claims;
	int64_t until_ms;	/* clock_mono_ms; 0: empty */
};

struct key_memo {
	struct place v[PLACES];
};

struct key_memo *
key_memo_new(void)
{
	return calloc(1, sizeof(struct key_memo));
}

void
key_memo_free(struct key_memo *memo)
{
	free(memo);
}

static struct place *
place_of(struct key_memo *memo, const uint8_t digest[CRYPTO_HASH])
{
	return &memo->v[(size_t)(digest[0] << 8 | digest[1]) & (PLACES - 1)];
}

/* Key and address: what may come from one may not come from another. */
static int
digest_of(const struct call *call, uint8_t ret[CRYPTO_HASH])
{
	const char *all = arena_printf(call->mem, "%.*s %.*s",
	    TEXT_FMT(call->client.ip), TEXT_FMT(call->req->api_key));

	return crypto_sha256(all, strlen(all), ret);
}

static bool
recall(struct place *place, const uint8_t digest[CRYPTO_HASH],
    struct key_claims *ret)
{
	if (place->until_ms <= clock_mono_ms() ||
	    !crypto_equal(place->digest, digest, CRYPTO_HASH))
		return false;
	*ret = place->claims;
	return true;
}

static void
keep(struct place *place, const uint8_t digest[CRYPTO_HASH],
    const struct key_claims *claims, int64_t seconds)
{
	const int64_t ms = seconds < REMEMBER_MS / 1000 ? seconds * 1000 :
	    REMEMBER_MS;

	memcpy(place->digest, digest, CRYPTO_HASH);
	place->claims = *claims;
	place->until_ms = clock_mono_ms() + ms;
}

/* Why, for the operator alone; the client is told E_API_KEY's words. The id is
 * no secret. */
static int
refuse(const struct call *call, const struct uuid *id, const char *why)
{
	char text[UUID_CHARS] = { [0] = '-' };

	if (id)
		uuid_format(id, text);
	log_later(LOG_INFO, "api_key_refused",
	    "why=%s key=%.*s ip=%.*s rid=%.*s", why, id ? UUID_CHARS : 1, text,
	    TEXT_FMT(call->client.ip), TEXT_FMT(call->req->id));
	return E_API_KEY;
}

/* Both are compared whatever the first says. */
static bool
secret_is(const struct found_key *key, struct text hash, bool *ret_old)
{
	const bool now = key->hash.n == hash.n &&
	    crypto_equal(key->hash.s, hash.s, hash.n);
	const bool before = key->old_hash.n == hash.n &&
	    crypto_equal(key->old_hash.s, hash.s, hash.n);

	*ret_old = before;
	return now || before;
}

/* In the table by its id, or, where development allows it, by its hash. */
static int
find(struct call *call, struct text hash, struct found_key *ret)
{
	const struct app *app = call->app;
	struct uuid id;
	int r;

	if (api_key_parse(call->req->api_key, &id)) {
		r = store_key_find(app->db, call->mem, &id, &call->client, ret);
		return r == E_KEY ? refuse(call, &id, "unknown") : r;
	}
	if (!settings_dev(app->settings))
		return refuse(call, NULL, "malformed");
	r = store_key_find_insecure(app->db, call->mem, hash, &call->client,
	    ret);
	return r == E_KEY ? refuse(call, NULL, "malformed") : r;
}

/* Note the use, and let the session live again that ended with its owner's
 * others. The note may fail: it is none of the client's business. */
static int
use(struct call *call, const struct found_key *key)
{
	struct app *app = call->app;

	if (key->stale)
		(void)store_key_used(app->db, call->mem, &key->id,
		    &call->client);
	return key->ended ? store_key_revive(app->db, call->mem, key) : 0;
}

/* *ret_seconds: how long it may be remembered. */
static int
look_up(struct call *call, struct key_claims *ret, int64_t *ret_seconds)
{
	struct found_key key;
	struct text hash;
	bool old;
	int r;

	if ((r = api_key_hash(call->mem, call->req->api_key, &hash)) ||
	    (r = find(call, hash, &key)))
		return r;
	if (!secret_is(&key, hash, &old))
		return refuse(call, &key.id, "secret");
	if (key.refused.s)
		return refuse(call, &key.id,
		    arena_copy(call->mem, key.refused.s, key.refused.n));
	*ret_seconds = old ? key.old_seconds : REMEMBER_MS / 1000;
	*ret = (struct key_claims){
		.id = key.id,
		.user_id = key.user_id,
		.session_id = key.session_id,
		.scopes = scope_bits(key.scopes),
	};
	return use(call, &key);
}

int
api_key_resolve(struct call *call, bool fresh, struct key_claims *ret,
    bool *ret_known)
{
	const struct request *req = call->req;
	uint8_t digest[CRYPTO_HASH];
	struct place *place;
	int64_t seconds = 0;
	int r;

	*ret_known = false;
	if (!req->api_key.s)
		return E_API_KEY_MISSING;
	if (req->two_api_keys || req->api_key.n > KEY_MAX)
		return refuse(call, NULL, "malformed");
	r = digest_of(call, digest);
	if (r)
		return r;
	place = place_of(call->app->keys, digest);
	if (!fresh && recall(place, digest, ret)) {
		*ret_known = true;
		return 0;
	}
	r = look_up(call, ret, &seconds);
	if (r == 0 && !uuid_is_nil(&ret->user_id))
		keep(place, digest, ret, seconds);
	return r;
}
