/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* All of a user's tasks as they are at one moment, part by part. */
#ifndef DOCKET_STORE_EXPORT_H
#define DOCKET_STORE_EXPORT_H

#include "store/transfer.h"

/*
 * A read-only transaction that sees one moment, the caller's place in it
 * (store_transfer_claim: its errors), and the tasks that pass the filters, in
 * the order of `position`. The filter's sort, limit and key say nothing here.
 */
int store_export_begin(struct db *db, struct arena *mem,
    const struct principal *who, const struct task_filter *filter,
    long places);
/* The same for the command line, which has no session: all tasks of `owner`. */
int store_console_export_begin(struct db *db, struct arena *mem,
    const struct uuid *owner);
/*
 * The next part: what passed of 500 tasks, perhaps none, so that a rare word
 * costs no part more than another; tasks as they were read (task_complete is
 * for replies). *ret_more: ask again.
 */
int store_export_next(struct db *db, struct arena *mem, struct list *ret,
    bool *ret_more);

#endif
