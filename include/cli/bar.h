/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How far long work is, for people: on standard error, if that is a terminal.
 */
#ifndef DOCKET_CLI_BAR_H
#define DOCKET_CLI_BAR_H

#include <sys/types.h>

/* One line, over the one before: what is done of size (0: nobody knows), then
 * the words. */
void bar_show(off_t done, off_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A message is to follow in the bar's place. */
void bar_clear(void);
/* It stays as it is; what follows is below it. */
void bar_end(void);

#endif
