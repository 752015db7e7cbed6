/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The listening sockets: inherited from systemd, or our own Unix sockets. */
#ifndef DOCKET_SERVER_SOCKETS_H
#define DOCKET_SERVER_SOCKETS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/settings.h"
#include "base/user.h"

/* enum group of web/route.h: GROUP_MAIN, GROUP_HASH */
#define SERVER_GROUPS 2
#define SOCKET_PATH_MAX 107

struct listener {
	int fd;			/* non-blocking, close-on-exec */
	bool inherited;		/* systemd's: its file is left alone */
	char path[SOCKET_PATH_MAX + 1];	/* "" = unknown; settings' */
	dev_t dev;		/* which file we made, to remove no other */
	ino_t ino;
};

/* Who may connect: the file's owner and group; -1 leaves it. */
struct socket_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Open one Unix socket: mode 0660, backlog 4096. A socket file that nobody
 * listens on is replaced; -EADDRINUSE for one that answers, -EEXIST for a
 * file that is no socket, -ENAMETOOLONG over SOCKET_PATH_MAX bytes.
 */
int socket_open(const char *path, const struct socket_owner *owner,
    struct listener *ret);
/*
 * Take the sockets that $LISTEN_FDS passes on, by name (docket.socket,
 * docket-auth.socket) or else by path, and clear the variables. Others are
 * closed; a socket that is no listening Unix stream is -EPROTOTYPE.
 */
int sockets_inherit(struct listener v[SERVER_GROUPS], int first_fd);
/* Inherit, then open what is missing; each failure is in the log. */
int sockets_open(const struct settings *settings, const struct account *user,
    struct listener v[SERVER_GROUPS]);
/* Close; remove the files that are still ours. */
void sockets_close(struct listener v[SERVER_GROUPS]);

#endif
