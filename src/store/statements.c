/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Every statement set that the API role prepares at connect. */
#include "store/sets.h"

const struct stmts *const store_statements[] = {
	&session_statements,
	&revoke_statements,
	&user_statements,
	&device_statements,
	&admin_statements,
	&account_statements,
	&login_statements,
	&unlock_statements,
	&register_statements,
	&console_statements,
	&account_entry_statements,
	&otp_statements,
	&otp_send_statements,
	&otp_refused_statements,
	&task_statements,
	&task_list_statements,
	&task_find_statements,
	&task_order_statements,
	&task_move_statements,
	&trash_statements,
	&batch_statements,
	&changes_statements,
	&changes_trim_statements,
	&idem_statements,
	&gc_statements,
	&key_statements,
	&key_find_statements,
	&import_statements,
	&transfer_statements,
	&export_statements,
	&observe_statements,
};

const size_t store_statements_n =
    sizeof(store_statements) / sizeof(store_statements[0]);
