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

/* Takes the accepted socket over. NULL: no memory; the socket is yours. */
struct fcgi *fcgi_open(int fd);
void fcgi_close(struct fcgi *fcgi);
int fcgi_fd(const struct fcgi *fcgi);

enum fcgi_found {
	FCGI_MORE,	/* no whole request yet: wait for more */
	FCGI_WHOLE,	/* fcgi_accept is due, before any other connection */
	FCGI_OVER,	/* the peer has gone, or spoke something else */
};

/* The socket can be read: is a whole request there? Never blocks. */
enum fcgi_found fcgi_gather(struct fcgi *fcgi);
/* A part of a request is held: nobody else can go on with the socket. */
bool fcgi_holds(const struct fcgi *fcgi);
/* Read the parameters of the request that fcgi_gather found. False: fcgi_close
 * is due. */
bool fcgi_accept(struct fcgi *fcgi);
/* NULL when absent. Valid until fcgi_finish. */
const char *fcgi_param(const struct fcgi *fcgi, const char *name);
/* The next parameter "NAME=value" after index *i (start at 0), or NULL. */
const char *fcgi_param_next(const struct fcgi *fcgi, size_t *i);
/* 0 at the end, -1 on failure. */
ssize_t fcgi_read(struct fcgi *fcgi, void *out, size_t n);
bool fcgi_write(struct fcgi *fcgi, const void *bytes, size_t n);
/* The reply goes on for long: the patience for its reader begins anew. */
void fcgi_patience(struct fcgi *fcgi);
/* What was written is all there will be, and not all there should be: the
 * connection ends without the end of the reply. */
void fcgi_cut(struct fcgi *fcgi);
/* End the request. False: the connection is done for; fcgi_close is due. */
bool fcgi_finish(struct fcgi *fcgi);
/* Between requests: ask nginx to close the connection, which stays good for
 * what nginx sends before it has heard. False: try again later. */
bool fcgi_goodbye(const struct fcgi *fcgi);

#endif
