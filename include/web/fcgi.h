/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The libfcgi door: one kept connection, one request at a time on it. */
#ifndef DOCKET_WEB_FCGI_H
#define DOCKET_WEB_FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct fcgi;

/* Once a process, before any signal handler of our own: the library installs
 * some. 0 or -EIO. */
int fcgi_init(void);

/* Takes the accepted socket over (timeouts set here). NULL: no memory; the
 * socket is closed. */
struct fcgi *fcgi_open(int fd);
void fcgi_close(struct fcgi *fcgi);
int fcgi_fd(const struct fcgi *fcgi);

/* Read the next request's parameters. False: the peer has gone, or spoke
 * something else; fcgi_close is due. Blocks for its timeout at most. */
bool fcgi_accept(struct fcgi *fcgi);
/* NULL when absent. Valid until fcgi_finish. */
const char *fcgi_param(const struct fcgi *fcgi, const char *name);
/* The next parameter "NAME=value" after index *i (start at 0), or NULL. */
const char *fcgi_param_next(const struct fcgi *fcgi, size_t *i);
/* 0 at the end, -1 on failure. */
ssize_t fcgi_read(struct fcgi *fcgi, void *out, size_t n);
bool fcgi_write(struct fcgi *fcgi, const void *bytes, size_t n);
/* End the request. False: the connection is done for; fcgi_close is due. */
bool fcgi_finish(struct fcgi *fcgi);

#endif
