/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Accounts: register, log in, read, list. */
#ifndef DOCKET_STORE_USERS_H
#define DOCKET_STORE_USERS_H

#include "base/principal.h"
#include "store/db.h"
#include "store/sessions.h"

struct user {
	struct uuid id;
	int64_t number;		/* counts up over all users */
	struct text username, email, phone;
	struct text role;	/* "user" or "admin" */
	struct text status;	/* "Y" active, "N" deactivated */
	int64_t created_at, updated_at;
};

extern const struct fields user_row;

/* How a caller names an account at login. */
enum user_key { USER_BY_NAME, USER_BY_EMAIL, USER_BY_PHONE, USER_BY_ID };

struct login_try {
	enum user_key by;
	struct text ident;	/* canonical: core/username.h, email, phone */
	struct text subject;	/* 32 bytes: keyed hash of ident + network */
	struct text network;	/* 32 bytes: keyed hash of the network; with
				 * the account's id it replaces subject */
	int64_t limit;		/* failures a minute before 429 */
};

struct login_found {
	struct uuid id;		/* nil: nobody has that name */
	struct text hash;	/* core/hash.h, or none */
	struct text status;
	struct text subject;	/* what this try was counted by */
	int64_t failures;	/* in this minute, this try counted */
	int64_t retry_after;	/* seconds until the window ends */
};

/* Count the try (its own commit, before the secret is compared) and find the
 * account. E_RATE when the minute's failures are used up: ret is filled. */
int store_login_try(struct db *db, struct arena *mem,
    const struct login_try *try_, struct login_found *ret);
/* The password was right: give the try back, open the session, and store a
 * stronger hash when `rehash` is not none. E_USER_INACTIVE, E_USER_DELETED;
 * E_NONE: found->hash is not the account's any more, nothing was done. */
int store_login_done(struct db *db, struct arena *mem,
    const struct login_found *found, struct text rehash,
    const struct new_session *session, struct user *ret);
/* Neither right nor wrong (the hash gate was full): give the try back. */
int store_login_back(struct db *db, struct arena *mem, struct text subject);
/* The password was wrong: the audit row. */
int store_login_failed(struct db *db, struct arena *mem,
    const struct uuid *user_id, const struct client *client);

struct new_user {
	struct uuid id;
	int64_t created_at;	/* the instant inside id */
	struct text username;	/* as given, NFC */
	struct text username_key;	/* NFKC casefold: unique */
	struct text email, email_key, phone;
	struct text hash;
	struct text role;
	struct uuid otp_id;	/* a code just guessed right, or nil */
	struct text proof;	/* SHA-256 of a verification_token, or none */
	struct text proof_address;	/* which it must have been made for */
};

/*
 * One statement: consume the code or the proof (when given), insert the user,
 * open the session, write the audit row; all or nothing. E_OTP when the code
 * or proof does not stand any more; E_USERNAME_TAKEN, E_EMAIL_TAKEN,
 * E_PHONE_TAKEN.
 */
int store_user_register(struct db *db, struct arena *mem,
    const struct new_user *user, const struct new_session *session,
    struct user *ret);

/* E_* of who, or 0. */
int store_user_me(struct db *db, struct arena *mem,
    const struct principal *who, struct user *ret);

struct user_filter {
	struct text role, status;	/* exact, or none */
	struct text begins;		/* name, e-mail or phone; a key, see
					 * core/names.h; a phone's + may be
					 * left out */
	int64_t after_number;		/* 0 = from the beginning */
	int64_t limit;
};

/* By number. ret: struct list of struct user. who->need_admin must be set. */
int store_user_list(struct db *db, struct arena *mem,
    const struct principal *who, const struct user_filter *filter,
    struct list *ret);

/* For the CLI: insert, or with `update` change what is given of an account that
 * is there (it promotes and never demotes; its sessions end). Without
 * `update`: E_USERNAME_TAKEN. */
int store_user_put(struct db *db, struct arena *mem,
    const struct new_user *user, bool update);

#endif
