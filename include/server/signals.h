/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signals as file descriptors: nothing runs in a handler. */
#ifndef DOCKET_SERVER_SIGNALS_H
#define DOCKET_SERVER_SIGNALS_H

/* Block HUP, INT, TERM, QUIT and CHLD and read them from the returned fd;
 * ignore PIPE, USR1 and USR2. -errno on failure. */
int signals_supervisor(void);
/* In a worker, after fcgi_init: TERM and QUIT (stop), USR2 (hand over and
 * leave) from the returned fd; the rest is ignored, for the supervisor
 * decides. -errno on failure. */
int signals_worker(void);
/* The next signal's number, or 0. */
int signals_read(int fd);

#endif
