/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the handlers that let somebody in share: hashes, codes, token pairs. */
#ifndef DOCKET_API_GRANTS_H
#define DOCKET_API_GRANTS_H

#include "store/sessions.h"
#include "store/users.h"
#include "web/call.h"

/* The envelope of register and login; every profile prints a part of it. */
struct auth_reply {
	struct text message;
	struct user user;
	struct text token;		/* = access_token, as S3 and S4 say */
	struct text access_token, refresh_token, token_type, scope;
	int64_t expires_in;
};

/* The hash gate around core/password.h; E_BUSY when it is full. */
int grants_hash(struct call *call, struct text password, struct text *ret);
int grants_verify(struct call *call, struct text hash, struct text password,
    bool *ret_right);

/* Where a code was sent: the phone, or the e-mail address case-folded. */
int grants_address(struct call *call, struct text phone, struct text email,
    struct text *ret);
/* Count a guess, then compare. 0 and the code's id; E_OTP, E_OTP_BLOCKED, E_RATE. */
int grants_code(struct call *call, struct text address, struct text purpose,
    struct text code, struct uuid *ret);

/* A new session for this caller, not stored yet. */
int grants_session(struct call *call, struct new_session *ret);
/* The token pair of a session; counter as in store/sessions.h. */
int grants_tokens(struct call *call, const struct principal *who,
    struct text role, int64_t counter, struct auth_reply *ret);
/* The whole envelope for a user who has just been let in. */
int grants_reply(struct call *call, const struct user *user,
    const struct uuid *session, struct auth_reply *ret);

#endif
