/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: the statement sets that statements.c gathers. */
#ifndef DOCKET_STORE_SETS_H
#define DOCKET_STORE_SETS_H

#include "store/db.h"

extern const struct stmts session_statements;
extern const struct stmts revoke_statements;
extern const struct stmts user_statements;
extern const struct stmts device_statements;
extern const struct stmts admin_statements;
extern const struct stmts account_statements;
extern const struct stmts login_statements;
extern const struct stmts unlock_statements;
extern const struct stmts register_statements;
extern const struct stmts console_statements;
extern const struct stmts account_entry_statements;
extern const struct stmts otp_statements;
extern const struct stmts otp_send_statements;
extern const struct stmts otp_refused_statements;
extern const struct stmts task_statements;
extern const struct stmts task_list_statements;
extern const struct stmts task_find_statements;
extern const struct stmts task_order_statements;
extern const struct stmts task_move_statements;
extern const struct stmts trash_statements;
extern const struct stmts batch_statements;
extern const struct stmts changes_statements;
extern const struct stmts changes_trim_statements;
extern const struct stmts idem_statements;
extern const struct stmts gc_statements;
extern const struct stmts key_statements;
extern const struct stmts key_find_statements;
extern const struct stmts import_statements;
extern const struct stmts transfer_statements;
extern const struct stmts export_statements;
extern const struct stmts observe_statements;

/* A set from an array of struct stmt. */
#define STMTS(array_) { array_, sizeof(array_) / sizeof((array_)[0]) }

#endif
