/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* API keys: made, listed, changed, rotated, revoked; and found by a request. */
#ifndef DOCKET_STORE_KEYS_H
#define DOCKET_STORE_KEYS_H

#include "base/principal.h"
#include "store/db.h"

struct api_key {
	struct uuid id;
	struct text kind;	/* "personal" or "application" */
	struct text name;
	struct texts scopes;
	struct texts allow;	/* networks; none: any address */
	int64_t expires_at, used_at;
	struct text used_ip;
	int64_t previous_until;	/* the grace of the last rotation, if it runs */
	int64_t created_at, updated_at;
	struct text owner;	/* user name; none of an application's */
};

struct new_key {
	struct uuid id;
	struct uuid session_id;	/* of a personal key; else nil */
	int64_t created_at;	/* the instant inside id */
	struct text kind, name;
	struct text hash;	/* SHA-256 of the key */
	struct texts scopes, allow;
	int64_t expires_at;	/* TIME_NONE: never */
	struct text owner_key;	/* who == NULL: whose, by canonical name */
	bool insecure;		/* a fixed value, for development */
	int64_t limit;		/* keys of this owner, this one counted */
};

/* What PATCH leaves alone has its `set_` false. */
struct key_change {
	bool set_name, set_scopes, set_allow, set_expires;
	struct text name;
	struct texts scopes, allow;
	int64_t expires_at;
};

/*
 * who == NULL everywhere: the command line, which may do all of it. Else: a
 * personal key is its owner's, an application key is every admin's; with
 * need_admin set a caller who is none gets E_ROLE. What is not the caller's
 * is E_KEY, as what is not there.
 */

/* E_KEY_LIMIT; E_USER when owner_key is nobody's. */
int store_key_insert(struct db *db, struct arena *mem,
    const struct principal *who, const struct new_key *key,
    const struct client *client, struct api_key *ret);
/* ret: struct list of struct api_key, oldest first. kind none: every kind
 * (who == NULL alone). owner_key: as above, or none: everybody's. */
int store_key_list(struct db *db, struct arena *mem,
    const struct principal *who, struct text kind, struct text owner_key,
    struct list *ret);
/* These three end what workers remember of the key. session_id: a new one. */
int store_key_update(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct uuid *session_id, const struct key_change *change,
    const struct client *client, struct api_key *ret);
int store_key_rotate(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct uuid *session_id, struct text hash, int64_t grace_seconds,
    const struct client *client, struct api_key *ret);
int store_key_delete(struct db *db, struct arena *mem,
    const struct principal *who, const struct uuid *id,
    const struct client *client);

/* What a request needs to know of the key that it brought. */
struct found_key {
	struct uuid id, user_id, session_id;
	struct texts scopes;
	struct text hash;	/* SHA-256, to be compared by the caller */
	struct text old_hash;	/* while its grace lasts, else none */
	int64_t old_seconds;	/* that this still is */
	struct text refused;	/* expired, address, owner; or none */
	bool ended;		/* its session, by what ended its owner's */
	bool stale;		/* the last use is noted as long ago */
};

/* By the id in the key; E_KEY. */
int store_key_find(struct db *db, struct arena *mem, const struct uuid *id,
    const struct client *client, struct found_key *ret);
/* A fixed value of development, which is found by its hash; E_KEY. */
int store_key_find_insecure(struct db *db, struct arena *mem,
    struct text hash, const struct client *client, struct found_key *ret);
/* Note the use, once a minute at most, whoever else tries to. */
int store_key_used(struct db *db, struct arena *mem, const struct uuid *id,
    const struct client *client);
/* A logout or the like ended the session as one of the owner's: let it live
 * again. E_BUSY when the key has changed meanwhile. */
int store_key_revive(struct db *db, struct arena *mem,
    const struct found_key *key);

#endif
