/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The spool folder: a file a message, for whatever sends them on. */
#ifndef DOCKET_COURIER_SPOOL_H
#define DOCKET_COURIER_SPOOL_H

#include "courier/letter.h"

/* 0, or a negative errno when no file can be made there. */
int spool_check(const char *dir);

/*
 * <created_at in ms>-<id>.json, mode 0600: letter_json. Whoever reads the folder sees a whole file
 * or none, and the same letter is the same file however often it is written.
 * 0 when it would survive a power cut now, or a negative errno.
 */
int spool_write(const char *dir, const struct letter *letter);

#endif
