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
	struct text client;	/* 32 bytes: keyed hash of the address */
	int64_t limit;		/* wrong passwords in `window`, then a lock */
	int64_t window, lock, lock_most;	/* seconds */
	int64_t client_limit;	/* wrong ones a minute, of all accounts; 0 =
				 * no limit */
};

struct login_found {
	struct uuid id;		/* nil: nobody has that name */
	struct text hash;	/* core/hash.h, or none */
	struct text status;
	struct text subject;	/* what this try was counted by */
	struct text client;	/* likewise, the try's */
	int64_t failures;	/* this try counted; 0: refused */
	int64_t locked;		/* seconds that it is locked for if this try
				 * was wrong, else 0 */
	int64_t reset;		/* seconds until the window ends */
	int64_t retry_account, retry_client;	/* refused: seconds, or 0 */
};

/*
 * Count the try (its own commit, before the secret is compared) and find the
 * account. The try that fills the limit is the last one to be evaluated: from
 * it on that account is locked for that network, `lock` seconds at first. After
 * that each try locks again, for twice as long, until a window has passed in
 * peace or a password was right. E_RATE while it is locked, and past the
 * client's limit: ret says how long.
 */
int store_login_try(struct db *db, struct arena *mem,
    const struct login_try *try_, struct login_found *ret);
/* The password was right: forget the wrong ones, give the client's try back,
 * open the session, and store a stronger hash when `rehash` is not none.
 * E_USER_INACTIVE, E_USER_DELETED; E_NONE when found->hash is not the account's
 * any more: nothing was done. */
int store_login_done(struct db *db, struct arena *mem,
    const struct login_found *found, struct text rehash,
    const struct new_session *session, struct user *ret);
/* Neither right nor wrong (the hash gate was full): give the try back, and
 * the lock that it brought. */
int store_login_back(struct db *db, struct arena *mem,
    const struct login_found *found);
/* The password was wrong: the audit rows. */
int store_login_failed(struct db *db, struct arena *mem,
    const struct login_found *found, const struct client *client);

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
