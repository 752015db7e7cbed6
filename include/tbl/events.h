/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What happens to accounts, credentials and codes, one event a row:
 *
 *   EVENT(name, where, level, ban, doc)
 *
 * name    the word in docket.audit and, first of its line, in the log
 * where   TRAIL: a row of docket.audit; LINE: a line of the log, because a
 *         flood of them must write nothing; BOTH
 * level   of the line
 * ban     BAN: a guess, which fail2ban counts (fail2ban/filter.d); the line
 *         begins NAME ip=ADDRESS
 *
 * Statements name an event by SQL_EVENT(name) alone (store/event.h).
 */
/* accounts */
EVENT(register,		TRAIL,	LOG_INFO, PASS,	"Somebody registered; detail: the role")
EVENT(username_changed,	TRAIL,	LOG_INFO, PASS,	"Somebody changed the own name")
EVENT(email_changed,	TRAIL,	LOG_INFO, PASS,	"Likewise the e-mail address; address: the new one, none when it was taken away")
EVENT(phone_changed,	TRAIL,	LOG_INFO, PASS,	"Likewise the phone number")
EVENT(password_changed,	TRAIL,	LOG_INFO, PASS,	"A new password for the old one; the other sessions ended")
EVENT(password_reset,	TRAIL,	LOG_INFO, PASS,	"A new password for a code; all sessions ended")
EVENT(account_deleted,	TRAIL,	LOG_INFO, PASS,	"Somebody deleted the own account")
/* log-ins */
EVENT(login,		TRAIL,	LOG_INFO, PASS,	"A session was opened; detail otp: by a code in the password's place")
EVENT(login_failed,	BOTH,	LOG_WARN, BAN,	"A wrong password, at a log-in or where it is asked for again; no user: nobody has that name")
EVENT(login_locked,	BOTH,	LOG_WARN, PASS,	"It was one too many: the account is locked for the client's network; detail: how long")
EVENT(login_refused,	LINE,	LOG_WARN, BAN,	"A try while that lock or the client's own limit stands")
EVENT(unlock,		TRAIL,	LOG_INFO, PASS,	"An admin or the command line forgot the wrong passwords and codes")
/* sessions */
EVENT(logout,		TRAIL,	LOG_INFO, PASS,	"A session was ended by itself")
EVENT(logout_all,	TRAIL,	LOG_INFO, PASS,	"All sessions of an account were ended by one of them")
EVENT(session_revoked,	TRAIL,	LOG_INFO, PASS,	"A session was ended by another one of the account, or by the command line; detail: by whom")
EVENT(token_revoke,	TRAIL,	LOG_INFO, PASS,	"A session was ended by one of its tokens (RFC 7009)")
EVENT(refresh_reuse,	BOTH,	LOG_WARN, PASS,	"A refresh token came that was replaced long ago: stolen, perhaps; the session ended")
/* one-time codes */
EVENT(otp_send,		TRAIL,	LOG_INFO, PASS,	"A code was made for an address; detail: the purpose")
EVENT(otp_refused,	TRAIL,	LOG_INFO, PASS,	"None was, for a limit; detail: the purpose")
EVENT(otp_alarm,	BOTH,	LOG_WARN, PASS,	"A limit of more than one recipient, or the breaker: an hour's first; detail: which")
EVENT(otp_failed,	BOTH,	LOG_WARN, BAN,	"A wrong code, or none was awaited; detail: the purpose")
EVENT(otp_blocked,	BOTH,	LOG_WARN, PASS,	"It was one too many: the recipient is blocked for a day")
EVENT(otp_guess_refused, LINE,	LOG_WARN, BAN,	"A guess while that block or the client's own limit stands")
EVENT(otp_verified,	TRAIL,	LOG_INFO, PASS,	"A right code was traded for a verification token; one that was given with the request itself shows in that one's event")
/* API keys; detail: the key's id */
EVENT(api_key_create,	TRAIL,	LOG_INFO, PASS,	"A key was made; no user: an application's")
EVENT(api_key_update,	TRAIL,	LOG_INFO, PASS,	"Its name, scopes, networks or end were changed")
EVENT(api_key_rotate,	TRAIL,	LOG_INFO, PASS,	"It has a new value")
EVENT(api_key_revoke,	TRAIL,	LOG_INFO, PASS,	"It is no more")
/* administration */
EVENT(role_changed,	TRAIL,	LOG_INFO, PASS,	"An admin changed a role; detail: from which to which")
EVENT(user_changed,	TRAIL,	LOG_INFO, PASS,	"An admin changed a name or address; detail: which of them")
EVENT(deactivated,	TRAIL,	LOG_INFO, PASS,	"An account was deactivated and its sessions ended")
EVENT(activated,	TRAIL,	LOG_INFO, PASS,	"It was activated again")
EVENT(user_deleted,	TRAIL,	LOG_INFO, PASS,	"An account was deleted by an admin or the command line")
EVENT(user_put,		TRAIL,	LOG_INFO, PASS,	"docket user add made or changed an account; detail: the role")
EVENT(user_import,	TRAIL,	LOG_INFO, PASS,	"docket user import did")
EVENT(signing_key_rotate, TRAIL, LOG_INFO, PASS, "docket key rotate let another key sign; detail: its kid")
