/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sd_notify(3)'s protocol: a datagram a message over $NOTIFY_SOCKET. */
#ifndef DOCKET_SERVER_NOTIFY_H
#define DOCKET_SERVER_NOTIFY_H

#include <stdint.h>

/* Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment,
 * so that no child speaks for us. Without them what follows does nothing. */
void notify_init(void);

/* status: one line for systemctl status. */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);

/* Half of what systemd grants, in ms; -1: nobody watches. */
int notify_watchdog_ms(void);

#endif
