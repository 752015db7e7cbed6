/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What PostgreSQL's refusals mean to us, one a row:
 *
 *   SQLSTATE(prefix, constraint, error)
 *
 * The first row decides whose prefix begins the SQLSTATE and whose constraint
 * (empty: any) is the violated one. A state without a row is a fault.
 */
/* what is stored already */
SQLSTATE("23505", "users_username_key",	E_USERNAME_TAKEN)
SQLSTATE("23505", "users_email_key",	E_EMAIL_TAKEN)
SQLSTATE("23505", "users_phone_key",	E_PHONE_TAKEN)
SQLSTATE("23505", "",			E_CONFLICT)
SQLSTATE("23503", "sessions_user_fkey",	E_USER_DELETED)
SQLSTATE("23503", "counters_user_fkey",	E_USER_DELETED)
SQLSTATE("23503", "idempotency_user_fkey", E_USER_DELETED)
SQLSTATE("23503", "",			E_CONFLICT)
SQLSTATE("23514", "tasks_due_zone",	E_DUE_ZONE)
SQLSTATE("23514", "users_last_admin",	E_LAST_ADMIN)
SQLSTATE("23514", "",			E_INVALID)	/* a CHECK */
/* values that no column takes */
SQLSTATE("22023", "",			E_TIMEZONE)	/* AT TIME ZONE x */
SQLSTATE("22007", "",			E_INVALID)	/* no such datetime */
SQLSTATE("22008", "",			E_INVALID)	/* datetime range */
SQLSTATE("22021", "",			E_INVALID)	/* U+0000 */
SQLSTATE("22P05", "",			E_INVALID)	/* untranslatable */
/* try again */
SQLSTATE("40001", "",			E_BUSY)		/* serialization */
SQLSTATE("40P01", "",			E_BUSY)		/* deadlock */
SQLSTATE("55P03", "",			E_BUSY)		/* lock_timeout */
SQLSTATE("57014", "",			E_TIMEOUT)	/* statement_timeout */
/* ours: sql/migrations */
SQLSTATE("DK001", "",			E_OTP_WAIT)	/* otp_undo */
/* the database is not what it should be just now */
SQLSTATE("25006", "",			E_DATABASE)	/* read-only standby */
SQLSTATE("25P03", "",			E_DATABASE)	/* idle in transaction */
SQLSTATE("53",	"",			E_DATABASE)	/* resources */
SQLSTATE("58030", "",			E_DATABASE)	/* input/output */
SQLSTATE("57P",	"",			E_DATABASE)	/* shutdown, restart */
SQLSTATE("08",	"",			E_DATABASE)	/* connection */
